"""A second annotator: give a share of the clauses or documents to somebody, and see what is with whom and how far."""

from __future__ import annotations

from math import ceil
from typing import Literal, get_args

import pandas as pd
import streamlit as st

from classifier.double_annotation import assign
from classifier.errors import ClassifierError
from classifier.people import list_assignments
from classifier.store import list_annotators
from classifier.store_documents import DocumentProgress, list_documents
from classifier.ui.session import must_be, say_error, store

Unit = Literal["clause", "document"]
UNITS: dict[Unit, str] = {"clause": "single clauses", "document": "whole documents"}


def page() -> None:
    """The page of assignments."""
    st.title("Second annotator")
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return
    documents = [d for d in list_documents(store()) if d.document.clauses]
    if not documents:
        st.info("The store is empty. Score some policies first: the Score page offers the samples.")
        return
    if person.role == "adjudicator":
        choose_share(person.name, documents)
    else:
        st.info("Adjudicators assign clauses. What is assigned stands below.")
    show_assigned(list_assignments(store()))


def choose_share(by: str, documents: list[DocumentProgress]) -> None:
    """Who gets how much of what."""
    st.caption(
        "Agreement is measured on clauses that two people decided. Give the same share with the same draw number to two "
        "people, or to one person a share of what another has decided."
    )
    able = [a.name for a in list_annotators(store()) if a.role != "viewer"]
    names = {d.document.id: d.document.name for d in documents}
    row = st.columns(4)
    row[0].selectbox("Give to", able, None, key="assign_to", placeholder="pick a name")
    unit: Unit = row[1].selectbox("In", get_args(Unit), format_func=UNITS.__getitem__, key="assign_unit")
    percent = row[2].number_input("Share (percent)", 1, 100, 20, 5, key="assign_share")
    row[3].number_input("Draw number", 0, 9999, 0, key="assign_seed", help="The same number draws the same clauses.")
    within = st.multiselect("From", list(names), format_func=names.__getitem__, key="assign_within", placeholder="all")
    chosen = [d for d in documents if not within or d.document.id in within]
    st.toggle(
        "Blind", True, key="assign_blind",
        help="They see neither the machine's labels nor anybody else's until adjudication.",
    )  # fmt: skip
    units = len(chosen) if unit == "document" else sum(d.document.clauses for d in chosen)
    st.caption(f"{ceil(round(percent / 100 * units, 6))} of {units} {UNITS[unit]}.")
    st.button("Assign", type="primary", key="assign", on_click=give, args=(by,))
    if problem := st.session_state.pop("assign_problem", None):
        say_error(problem)
    if said := st.session_state.pop("assign_said", ""):
        st.success(said)


def give(by: str) -> None:
    """Assign what the fields say."""
    said = st.session_state
    if not said["assign_to"]:
        said["assign_problem"] = ClassifierError("nobody is picked", "pick who gets the clauses")
        return
    try:
        count = assign(
            store(), by, said["assign_to"], said["assign_share"] / 100, unit=said["assign_unit"],
            blind=said["assign_blind"], seed=said["assign_seed"], within=said["assign_within"],
        )  # fmt: skip
    except ClassifierError as error:
        said["assign_problem"] = error
        return
    said["assign_said"] = (
        f"{count} clauses are assigned. They stand on the Review page under the filter “Assigned to me”."
        if count
        else "Nothing new: all of them were assigned or, for blind labels, decided before. Try another draw number."
    )


def show_assigned(assigned: pd.DataFrame) -> None:
    """What is with whom, by person, then by document."""
    st.subheader("What is with whom")
    if not len(assigned):
        st.caption("Nothing is assigned yet.")
        return
    people = with_share(assigned, ["annotator", "blind"])
    st.dataframe(people, hide_index=True, column_config=LOOKS, key="assigned")
    with st.expander("By document"):
        documents = with_share(assigned, ["annotator", "blind", "document"])
        st.dataframe(documents, hide_index=True, column_config=LOOKS, key="assigned_documents")


LOOKS = {
    "last assigned": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    "done": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
}


def with_share(assigned: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sums of assignments by some of their columns, with the share that is decided; words for how."""
    table = assigned.groupby(by, as_index=False).agg(
        clauses=("clauses", "sum"), decided=("decided", "sum"), assigned_by=("assigned_by", "max"), time=("time", "max")
    )
    table["done"] = 100 * table["decided"] / table["clauses"]
    table["blind"] = table["blind"].map({True: "blind", False: "in sight"})
    return table.rename(columns={"blind": "labels", "assigned_by": "assigned by", "time": "last assigned"})
