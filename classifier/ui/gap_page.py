"""Lunn gap: who cites Lunn and notifies, shares or holds all the same, where it says so; and documents at odds with themselves."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from classifier.contradictions import contradictions, lunn_gap
from classifier.evidence import rows_of
from classifier.findings import GAP_PRACTICES
from classifier.matrix import cell
from classifier.ui.comparisons import (
    NAMES,
    STATES,
    Seen,
    asked,
    download_table,
    seen,
    show_quote,
    verdict_line,
)
from classifier.ui.session import errors_as_words

AT_ONCE = 12  # rows with their sentences on the screen


def page() -> None:
    """The page of the Lunn gap and of contradictions."""
    looking = seen("Lunn gap")
    if looking is None:
        return
    gap, odds = st.tabs(["Cites Lunn, and does it all the same", "Documents at odds with themselves"])
    with gap:
        show_gap(looking)
    with odds:
        show_contradictions(looking)


@st.fragment
def show_gap(looking: Seen) -> None:
    """Departments with the gap, with both sentences."""
    with errors_as_words():
        table = looking.kept("lunn gap", lambda: lunn_gap(looking.evidence))
        cites = looking.evidence.findings
        cites = cites[(cites["practice"] == "cites_lunn") & (cites["verdict"] == "does")]
        if table.empty:
            st.info(
                f"{len(cites)} departments cite Lunn, and none of them notifies, shares or holds. "
                "Score more policies on the Score page."
            )
            return
        table = narrowed(table, "gap", GAP_PRACTICES)
        st.caption(
            f"{table['department'].nunique()} departments with the gap here; {len(cites)} of "
            f"{len(looking.evidence.departments)} cite Lunn"
        )
        download_table("Table (CSV)", table, "lunn-gap")
        for n, row in shown_of(table, "gap"):
            with st.container(border=True):
                st.text(row.department)
                verdict_line(cell(row.verdict, row.conditions), f"· {NAMES[row.practice]} · {STATES[row.state]}")
                left, right = st.columns(2, gap="medium")
                with left:
                    show_quote(looking, row.lunn_clause, f"gap_lunn_{n}", "cites Lunn")
                with right:
                    show_quote(looking, row.clause, f"gap_{n}", str(row.stance))


@st.fragment
def show_contradictions(looking: Seen) -> None:
    """Clauses of one document that say opposite things, beside one another."""
    with errors_as_words():
        table = looking.kept("contradictions", lambda: contradictions(looking.evidence))
        if table.empty:
            st.info("No document prohibits what it requires or permits elsewhere without a condition.")
            return
        table = narrowed(table, "odds", [p for p in NAMES if p in set(table["practice"])])
        st.caption(f"{len(table)} pairs of clauses in {table['document'].nunique()} documents")
        download_table("Table (CSV)", table, "contradictions")
        for n, row in shown_of(table, "odds"):
            with st.container(border=True):
                st.text(row.department)
                verdict_line("mixed", f"· {NAMES[row.practice]}")
                left, right = st.columns(2, gap="medium")
                with left:
                    show_quote(looking, row.prohibiting_clause, f"odds_not_{n}", "prohibits")
                with right:
                    show_quote(looking, row.allowing_clause, f"odds_{n}", str(row.stance))


def narrowed(table: pd.DataFrame, key: str, practices: Any) -> pd.DataFrame:
    """The rows of one practice and one department, as chosen; at first as the address says."""
    names = sorted(set(table["department"]), key=str.casefold)
    state = st.session_state
    for what, known in (("practice", list(practices)), ("department", names)):
        if f"{key}_{what}" not in state:
            state[f"{key}_{what}"] = asked(what, known) or None if key == "gap" else None
        elif state[f"{key}_{what}"] not in known:
            state[f"{key}_{what}"] = None
    row = st.columns(2)
    practice = row[0].selectbox(
        "Practice", list(practices), format_func=NAMES.__getitem__, key=f"{key}_practice", placeholder="all", index=None
    )
    department = row[1].selectbox("Department", names, key=f"{key}_department", placeholder="all", index=None)
    if practice:
        table = table[table["practice"] == practice]
    if department:
        table = table[table["department"] == department]
    if table.empty:
        st.info("No row passes these choices. Take one of them off.")
    return table


def shown_of(table: pd.DataFrame, key: str) -> list[tuple[int, Any]]:
    """The rows of the page that is turned to, with their numbers."""
    pages = max(1, -(-len(table) // AT_ONCE))
    number = 1
    if pages > 1:
        state = st.session_state
        state[f"{key}_page"] = min(state.get(f"{key}_page", 1), pages)
        number = int(st.number_input(f"Page, of {pages}", 1, pages, key=f"{key}_page", width=160))
    first = (number - 1) * AT_ONCE
    return list(enumerate(rows_of(table.iloc[first : first + AT_ONCE]), first))
