"""Who works here, in which role, and how far everybody is."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from classifier.errors import ClassifierError
from classifier.people import Person, change_role, list_people
from classifier.store import ROLES
from classifier.store_documents import list_departments
from classifier.ui.session import must_be, say_error, signs_in, store

MAY = {
    "annotator": "decides clauses",
    "adjudicator": "decides clauses, settles disputes, assigns, imports, promotes models, gives roles",
    "viewer": "looks, changes nothing",
}


def page() -> None:
    """The page of people."""
    st.title("People")
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return
    people = list_people(store())
    clauses = sum(d.clauses for d in list_departments(store()))
    st.dataframe(
        table_of(people, clauses), hide_index=True, height="content", column_config=LOOKS, key="people", placeholder=""
    )
    st.caption(" · ".join(f"{role}: {may}" for role, may in MAY.items()))
    if not clauses:
        st.info("The store is empty. Score some policies first: the Score page offers the samples.")
    if signs_in():
        st.info("Roles come from the table “roles” of the secrets file; whoever runs the server changes them there.")
    elif person.role == "adjudicator":
        choose_role(person.name, people)
    else:
        st.info("Adjudicators change roles. New names are entered on the left.")


LOOKS = {
    "done": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
    "last step": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
}


def table_of(people: list[Person], clauses: int) -> pd.DataFrame:
    """One row a person. clauses: how many there are in the store."""
    rows = [
        (
            p.name, p.role, p.decided, 100 * p.decided / max(1, clauses), p.skipped, p.flagged,
            f"{p.assigned_decided} of {p.assigned}" if p.assigned else "none", p.adjudicated, p.last,
        )
        for p in people
    ]  # fmt: skip
    columns = "name,role,decided,done,skipped,questions,assigned and decided,adjudicated,last step".split(",")
    return pd.DataFrame(rows, columns=columns).astype({"last step": "datetime64[us, UTC]"})


def choose_role(by: str, people: list[Person]) -> None:
    """Give somebody another role."""
    st.subheader("Change a role")
    row = st.columns([2, 2, 1, 3], vertical_alignment="bottom")
    row[0].selectbox("Person", [p.name for p in people], None, key="person", placeholder="pick a name")
    row[1].selectbox("New role", ROLES, key="role")
    row[2].button("Change", key="change_role", type="primary", on_click=give_role, args=(by,), width="stretch")
    if problem := st.session_state.pop("role_problem", None):
        say_error(problem)
    if st.session_state.pop("role_changed", False):
        st.success("The role is changed.")


def give_role(by: str) -> None:
    """Change the role that the fields say."""
    said = st.session_state
    if not said["person"]:
        said["role_problem"] = ClassifierError("nobody is picked", "pick whose role changes")
        return
    try:
        change_role(store(), by, said["person"], said["role"])
    except ClassifierError as error:
        said["role_problem"] = error
        return
    said["role_changed"] = True
