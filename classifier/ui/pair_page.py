"""Side by side: two to four departments, practice by practice, with the nearest words of one in the others."""

from __future__ import annotations

import streamlit as st

from classifier.codebook import load_codebook
from classifier.evidence import rows_of
from classifier.matrix import groups
from classifier.side_by_side import MOST, Answer, PracticeRow, side_by_side, table
from classifier.ui.comparisons import (
    NAMES,
    STANDINGS,
    STATES,
    Seen,
    download_table,
    said_of,
    seen,
    show_difference,
    show_quote,
    verdict_line,
)
from classifier.ui.session import errors_as_words

FEW = 3  # clauses of an answer that are shown at first


def page() -> None:
    """The page of departments side by side."""
    looking = seen("Side by side")
    if looking is not None:
        show(looking)


@st.fragment
def show(looking: Seen) -> None:
    """The choice of departments and practices, and what they say."""
    with errors_as_words():
        names = list(looking.evidence.departments["department"])
        if len(names) < 2:
            st.info("There is one department only. Score the policies of another one on the Score page.")
            return
        row = st.columns([5, 2], vertical_alignment="bottom")
        with row[0]:
            chosen = choose_departments(names)
        with row[1]:
            practices = choose_practices()
        with st.container(horizontal=True, gap="medium"):
            differing = st.toggle("Only differences", key="pair_differing")
            words = st.toggle("Nearest words of the others", True, key="pair_words")
        if len(chosen) < 2:
            st.info("Choose two to four departments.")
            return
        rows = looking.kept(f"side by side {chosen}", lambda: side_by_side(looking.evidence, chosen))
        shown = [r for r in rows if r.practice in practices and (r.differs or not differing)]
        if not shown:
            st.info("They answer alike on these practices. Turn “Only differences” off, or choose more practices.")
        with st.container(horizontal=True, vertical_alignment="center"):
            if words:
                st.caption(
                    "− struck out: here, not in the other · + underlined: in the other, not here", width="stretch"
                )
            download_table("Table (CSV)", table(rows), "side-by-side")
        if shown:
            show_heads(looking, chosen)
        for found in shown:
            show_practice(looking, found, words)


def choose_departments(names: list[str]) -> list[str]:
    """The departments to compare, as the address says at first."""
    state = st.session_state
    if "pair" not in state:
        state["pair"] = list(dict.fromkeys(st.query_params.get_all("department")))[:MOST]
    state["pair"] = [n for n in state["pair"] if n in names]
    chosen = list(
        st.multiselect("Departments", names, key="pair", max_selections=MOST, placeholder="choose two to four")
    )
    st.query_params["department"] = chosen
    return chosen


def choose_practices() -> frozenset[str]:
    """The practices to show: a group, all, or one; as the address says at first."""
    every = load_codebook().practices
    options = [*groups(), "all practices", *NAMES]
    state = st.session_state
    if "pair_practices" not in state:
        named = st.query_params.get("practice", "")
        state["pair_practices"] = named if named in NAMES else options[0]
    said = st.selectbox("Practices", options, format_func=lambda o: NAMES.get(o, o), key="pair_practices")
    if said in NAMES:
        st.query_params["practice"] = said
        return frozenset({said})
    st.query_params.pop("practice", None)
    return frozenset(p.id for p in every if said in ("all practices", p.group) or (p.core and said == groups()[0]))


def show_heads(looking: Seen, chosen: list[str]) -> None:
    """The names with what was read of each."""
    table = looking.evidence.departments
    of = {d.department: d for d in rows_of(table[table["department"].isin(chosen)])}
    for column, name in zip(st.columns(len(chosen)), chosen, strict=True):
        with column.container(border=True):
            d = of[name]
            st.text(name)
            read = f"{d.pages_read} of {d.pages} pages read" if d.documents else d.standing
            st.text(" · ".join(part for part in (d.kind, d.county, read) if part))


def show_practice(looking: Seen, row: PracticeRow, words: bool) -> None:
    """One practice: the answers in parallel."""
    st.subheader(NAMES[row.practice], anchor=False, divider="gray")
    if not row.differs:
        st.caption("No difference in the answers.")
    for number, (column, answer) in enumerate(zip(st.columns(len(row.answers)), row.answers, strict=True)):
        with column:
            show_answer(looking, row, answer, f"{row.practice}_{number}", words)


def show_answer(looking: Seen, row: PracticeRow, answer: Answer, key: str, words: bool) -> None:
    """What one department says: its verdict, then its clauses."""
    only = ", ".join(c.replace("_", " ") for c in row.only_in.get(answer.department, ()))
    state = f"· {STATES[answer.state]}" if answer.verdict not in ("no policy", "no reply") else ""
    verdict_line(answer.words, " ".join([state, f"· only here: {only}" if only else ""]))
    if answer.department in row.lacking:
        st.caption("Nothing on it, where another one has a rule. All of its documents were read.")
    elif answer.verdict in STANDINGS:
        st.caption(STANDINGS[answer.verdict])
    for n, clause in enumerate(answer.clauses if st.session_state.get(f"all_{key}") else answer.clauses[:FEW]):
        with st.container(border=True):
            said = said_of(clause.stance, clause.conditions, clause.probability, clause.state)
            view = show_quote(looking, clause.clause, f"{key}_{n}", said)
            if not words or view is None:
                continue
            for m, near in enumerate(clause.nearest):
                st.text(f"Nearest in {near.department}, page {near.page}: {near.share:.0%} alike")
                show_difference(near.pieces, key=f"near_{key}_{n}_{m}")
            if not clause.nearest:
                st.caption("No clause of the others is related to it in words.")
    if len(answer.clauses) > FEW:
        st.toggle(f"All {len(answer.clauses)} clauses", key=f"all_{key}")
