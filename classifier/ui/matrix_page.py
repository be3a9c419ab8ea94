"""Who does what: departments × practices, and one click from each cell to the clauses and pages that it rests on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from classifier.codebook import load_codebook
from classifier.errors import ClassifierError
from classifier.evidence import rows_of
from classifier.matrix import VERDICTS, Filter, Matrix, cell, groups, matrix
from classifier.store_sources import keep_list
from classifier.ui.comparisons import (
    NAMES,
    STANDINGS,
    STATES,
    Seen,
    as_csv,
    asked,
    said_of,
    seen,
    show_picture,
    show_quote,
    verdict_line,
)
from classifier.ui.score import COLOURS
from classifier.ui.session import errors_as_words, must_be, say_error, store

MARKS = {"machine": [], "reviewed": ["✓"], "adjudicated": ["✓✓"]}
SILENT = "#f0f0f0"  # no colour of its own, but dark words on it
IDS = {name: id_ for id_, name in NAMES.items()}
OF_DEPARTMENT = ("department", "kind", "county", "coverage", "Lunn gap")
FEW = 5  # clauses of a cell that are shown at first
# The table and its evidence side by side, each as tall as the window leaves it.
STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-evidence_box), .st-key-evidence_box { height: max(540px, 100vh - 6.5rem) !important; flex: none !important; }
</style>"""


def page() -> None:
    """The page of the matrix."""
    st.html(STYLE)
    looking = seen("Who does what")
    if looking is not None:
        show(looking)
        take_list(looking)


@st.fragment
def show(looking: Seen) -> None:
    """Filters, the matrix, and the evidence of the cell that is open. A fragment: a click redraws this alone."""
    with errors_as_words():
        departments = looking.evidence.departments
        department = asked("department", departments["department"])
        practice = asked("practice", NAMES)
        only, order = choose(looking)
        found = matrix(looking.evidence, only, order)
        left, right = st.columns([6, 5] if department else [100, 1], gap="medium" if department else "xxsmall")
        with left:
            show_table(found, len(departments), department, practice, table_key(looking, only, order))
        if department:
            with right, st.container(height=700, border=True, key="evidence_box"):
                show_evidence(looking, department, practice)


def choose(looking: Seen) -> tuple[Filter, str]:
    """The filters and the order."""
    departments = looking.evidence.departments
    state = st.session_state
    row = st.columns(5)
    with row[0]:
        group = st.selectbox(
            "Practices", [*groups(), ""], format_func=lambda g: g or "all practices", key="matrix_group"
        )
    with row[1]:
        kinds = pick("Kind", sorted(set(departments["kind"]) - {""}))
    with row[2]:
        counties = pick("County", sorted(set(departments["county"]) - {""}))
    with row[3]:
        verdicts = pick("Verdict", VERDICTS)
    with row[4]:
        orders = ["department", "kind", "county", "coverage", *practices_of(group)]
        if state.get("matrix_order") not in orders:
            state.pop("matrix_order", None)
        order = st.selectbox("Order", orders, format_func=lambda o: NAMES.get(o, o), key="matrix_order")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        gap = st.toggle("Lunn gap", key="matrix_gap", help="Cites Lunn, and notifies, shares or holds all the same")
        differing = st.toggle(
            "Only differences", key="matrix_differing", help="Only practices that departments answer differently"
        )
        st.toggle("Confidence", key="matrix_sure", help="How sure the machine is of each cell")
    only = Filter(frozenset(kinds), frozenset(counties), group, frozenset(), frozenset(verdicts), gap, differing)
    return only, order


def pick(label: str, options: list[str]) -> list[str]:
    """One filter: any of the options; none is all."""
    key = f"matrix_{label.lower()}"
    st.session_state[key] = [v for v in st.session_state.get(key, []) if v in options]
    return list(st.multiselect(label, options, key=key, placeholder="all"))


def practices_of(group: str) -> list[str]:
    """Ids of the practices in a group, as the matrix has them."""
    every = load_codebook().practices
    return [p.id for p in every if not group or p.group == group or (p.core and group == "core")]


def table_key(looking: Seen, only: Filter, order: str) -> str:
    """Another key for other rows: a table whose rows were changed under it lets the next click go."""
    state = st.session_state
    shown = (looking.key, only, order)
    if state.get("matrix_shown") != shown:
        state["matrix_shown"] = shown
        state["matrix_number"] = state.get("matrix_number", 0) + 1
    return f"matrix_{state['matrix_number']}"


def show_table(found: Matrix, of: int, department: str, practice: str, key: str) -> None:
    """The matrix; a click on a cell opens it. key: of the table."""
    st.caption(
        f"{len(found.departments)} of {of} departments · click a cell for its evidence · ✓ reviewed, ✓✓ adjudicated, "
        "no mark: machine only"
    )
    if found.departments.empty:
        st.info("No department passes these filters. Take one of them off.")
        return
    if found.cells.columns.empty:
        st.info("No practice differs between these departments. Turn “Only differences” off, or choose more practices.")
        return
    table = table_of(found, st.session_state.get("matrix_sure", False))
    st.session_state["matrix_rows"] = list(table["department"])
    mark_cell(table, department, practice, key)
    looks = {NAMES[p]: cell_look(130 if department else None) for p in found.cells.columns}
    with st.container(key="matrix_box"):
        st.dataframe(
            table, hide_index=True, key=key, on_select=open_cell, selection_mode="single-cell",
            height="content" if len(table) <= 12 else 560,
            column_config={
                "department": st.column_config.TextColumn(pinned=True, width=170 if department else 250),
                "Lunn gap": cell_look(95),
                "coverage": st.column_config.TextColumn(help="Pages read of all pages of its documents"),
                **looks,
            },
        )  # fmt: skip
    st.download_button(
        "Table (CSV)", lambda: as_csv(flat(table)), "matrix.csv", "text/csv", key="download_matrix", on_click="ignore"
    )


def cell_look(width: int | None) -> Any:
    """A column whose words stand on grounds: a verdict on its colour, all else on grey."""
    colours = {verdict: pale(colour) for verdict, colour in COLOURS.items()} | {"Lunn gap": pale(COLOURS["does"])}
    return st.column_config.MultiselectColumn(options=list(colours), color=list(colours.values()), width=width)


def pale(colour: str) -> str:
    """A third of a colour on white, so that dark words are read on it."""
    if not colour:
        return SILENT
    return "#" + "".join(f"{(int(colour[at : at + 2], 16) + 2 * 255) // 3:02x}" for at in (1, 3, 5))


def table_of(found: Matrix, sure: bool) -> pd.DataFrame:
    """The words to show, each cell a list of them. sure: with the machine's confidence."""
    departments = found.departments
    columns: dict[str, Any] = {
        "department": departments["department"],
        "Lunn gap": [["Lunn gap"] if gap else [] for gap in departments["lunn_gap"]],
    }
    for p in found.cells.columns:
        of = (found.verdicts[p], found.cells[p], found.states[p], found.probabilities[p])
        columns[NAMES[p]] = [words_of(*one, sure) for one in zip(*of, strict=True)]
    columns |= {"coverage": coverage_of(departments), "kind": departments["kind"], "county": departments["county"]}
    return pd.DataFrame(columns)


def words_of(verdict: str, words: str, state: str, probability: float, sure: bool) -> list[str]:
    """The words of a cell: the verdict, what it turns on, who checked it."""
    conditions = words.partition(": ")[2]
    told = [verdict, *(conditions.split(", ") if conditions else ())]
    if sure and state == "machine" and probability == probability:
        told.append(f"{probability:.0%}")
    return [*told, *MARKS[state]]


def flat(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each list of words as one text."""
    return table.map(lambda value: one_text(value) if isinstance(value, list) else value)


def one_text(words: list[str]) -> str:
    """ "conditional: approval, 93%"."""
    return ": ".join(part for part in (", ".join(words[:1]), ", ".join(words[1:])) if part)


def coverage_of(departments: pd.DataFrame) -> list[str]:
    """ "12 of 12 pages", or why there is none."""
    return [
        f"{read} of {pages} pages" if documents else "no document"
        for read, pages, documents in zip(
            departments["pages_read"], departments["pages"], departments["documents"], strict=True
        )
    ]


def mark_cell(table: pd.DataFrame, department: str, practice: str, key: str) -> None:
    """Let the table show the open cell as chosen, wherever a filter or an order has put it."""
    rows = table.index[table["department"] == department]
    column = NAMES[practice] if practice else "department"
    wanted = [(int(rows[0]), column)] if len(rows) and column in table.columns else []
    state: Any = st.session_state.get(key)
    now = [tuple(c) for c in state["selection"]["cells"]] if state else []
    on_row = bool(wanted and now and not practice and now[0][0] == wanted[0][0] and now[0][1] in OF_DEPARTMENT)
    if now != wanted and not on_row:
        st.session_state[key] = {"selection": {"cells": wanted}}


def open_cell() -> None:
    """Put the cell that was clicked into the address."""
    state = st.session_state
    for name in ("department", "practice"):
        st.query_params.pop(name, None)
    for row, column in state[f"matrix_{state['matrix_number']}"]["selection"]["cells"]:
        st.query_params["department"] = state["matrix_rows"][row]
        if column in IDS:
            st.query_params["practice"] = IDS[column]
    state.pop("matrix_clause", None)


# what a cell rests on


def show_evidence(looking: Seen, department: str, practice: str) -> None:
    """A cell with its clauses; of a department alone, what was read of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(department, width="stretch")
        st.button("✕", key="close_cell", on_click=close_cell, help="Close the evidence")
    if not practice:
        show_documents(looking, department)
        return
    findings = looking.evidence.findings
    (finding,) = rows_of(findings[(findings["department"] == department) & (findings["practice"] == practice)])
    state = STATES[finding.state]
    sure = f", {finding.probability:.0%} sure" if finding.probability == finding.probability else ""
    note = "" if finding.verdict in ("no policy", "no reply") else f" · {state}{sure}"
    verdict_line(cell(finding.verdict, finding.conditions), f"· {NAMES[practice]}{note}")
    if finding.verdict in STANDINGS:
        st.caption(STANDINGS[finding.verdict])
        show_documents(looking, department)
        return
    show_clauses(looking, practice, finding.clauses)


def close_cell() -> None:
    """Close the evidence."""
    for name in ("department", "practice"):
        st.query_params.pop(name, None)


def show_clauses(looking: Seen, practice: str, clauses: tuple[str, ...]) -> None:
    """The governing clauses, strongest first, and the page of the one that was turned to."""
    labels, conditions = looking.evidence.labels, looking.evidence.conditions
    labels = labels[(labels["practice"] == practice) & labels["clause"].isin(clauses)].set_index("clause")
    conditions = conditions[conditions["clause"].isin(clauses)]
    shown = clauses if st.session_state.get("matrix_all") else clauses[:FEW]
    turned = st.session_state.get("matrix_clause")
    turned = turned if turned in shown else shown[0]
    for clause in shown:
        label = labels.loc[clause]
        types = sorted(set(conditions.loc[conditions["clause"] == clause, "type"]))
        with st.container(border=True):
            said = said_of(label["stance"], types, label["probability"], label["state"])
            if clause == turned:
                view = show_quote(looking, clause, clause, said, page_button=False)
                if view is not None:
                    show_picture(view)
            else:
                show_quote(looking, clause, clause, said, page_button=False)
                st.button("Show its page", key=f"turn_{clause}", on_click=turn_to, args=(clause,))
    if len(clauses) > FEW:
        st.toggle(f"All {len(clauses)} clauses", key="matrix_all")


def turn_to(clause: str) -> None:
    """Show the page of another clause of the cell."""
    st.session_state["matrix_clause"] = clause


def show_documents(looking: Seen, department: str) -> None:
    """What was read of a department, and why not the rest."""
    table = looking.evidence.documents
    table = table[table["department"] == department]
    if table.empty:
        st.text("There is no document of this department.")
        return
    columns = "name status pages_read pages effective_date reason".split()
    st.dataframe(
        table[columns].rename(columns=lambda c: c.replace("_", " ")), hide_index=True, height="content", key="documents"
    )


# departments without a document


def take_list(looking: Seen) -> None:
    """Take a departments.csv: kinds and dates, and the departments that sent no policy or no reply."""
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None or person.role == "viewer":
        return
    without = int((looking.evidence.departments["documents"] == 0).sum())
    with st.expander(f"List of departments ({without} without a document)"), errors_as_words():
        st.caption(
            "A departments.csv names effective dates, and departments that have no policy or sent no reply (in its column "
            "“note”). Its columns: document, department, kind, county, state, effective_date, source, note. "
            "A new list takes the place of the one before."
        )
        given = st.file_uploader("departments.csv", type="csv", key="department_list")
        st.button("Use this list", key="use_list", on_click=use_list, disabled=given is None)
        if problem := st.session_state.pop("list_problem", None):
            say_error(problem)


def use_list() -> None:
    """Keep the list that was given."""
    given = st.session_state.get("department_list")
    if given is None:
        return
    try:
        keep_list(store(), given.getvalue())
    except ClassifierError as error:
        st.session_state["list_problem"] = error
