"""What every page needs: the store, the model, who is sitting here, and errors shown as words."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from classifier.errors import ClassifierError
from classifier.predictions import Model, load_model
from classifier.store import Annotator, Role, Store, list_annotators, open_store, register

STORE = "CLAUSES_STORE"  # environment variable: a path or a database URL
FILES = "CLAUSES_FILES"  # where copies of documents are kept beside a database
DEFAULT_STORE = "clauses-store/store.sqlite"


@st.cache_resource(show_spinner=False)
def _open(where: str, files: str) -> Store:
    return open_store(where, Path(files) if files else None)


def store() -> Store:
    """The review store that the app was started with; opened once for all sessions."""
    return _open(os.environ.get(STORE, DEFAULT_STORE), os.environ.get(FILES, ""))


@st.cache_resource(show_spinner=False)
def model() -> Model:
    """The model in use, loaded once."""
    loaded = load_model()
    gc.collect()
    gc.freeze()  # Streamlit looks through all objects after every redraw: 0.15 s, most of it for libraries that stay anyway
    return loaded


@contextmanager
def errors_as_words() -> Iterator[None]:
    """Show an error of the project with its next step instead of a traceback."""
    try:
        yield
    except ClassifierError as error:
        say_error(error)


def say_error(error: ClassifierError) -> None:
    """One error in a box, as plain text."""
    with st.container(border=True):
        st.text(f"⚠ {error.message}")
        if error.next_step:
            st.text(f"What to do: {error.next_step}")


def signs_in() -> bool:
    """Is single sign-on configured? Then names come from it, and roles from the `roles` table of the secrets."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def annotator() -> Annotator | None:
    """Who is sitting here, or None before a name was picked."""
    if signs_in():
        if not st.user.is_logged_in:
            return None
        name = str(st.user.get("email") or st.user.get("sub"))
        role = dict(st.secrets.get("roles", {})).get(name, "viewer")
        known = {a.name: a for a in list_annotators(store())}
        return known[name] if name in known and known[name].role == role else register(store(), name, role)
    picked = st.session_state.get("annotator", "")
    return next((a for a in list_annotators(store()) if a.name == picked), None)


def pick_annotator() -> None:
    """The sidebar's corner for names: sign in, or pick or enter a name."""
    with st.sidebar:
        if signs_in():
            if st.user.is_logged_in:
                person = annotator()
                st.text(f"{person.name} ({person.role})" if person else "")
                st.button("Sign out", on_click=st.logout)
            else:
                st.button("Sign in", on_click=st.login, type="primary")
            return
        if "annotator" in st.session_state:  # else Streamlit drops it with the widget when a run is cut short
            st.session_state["annotator"] = st.session_state["annotator"]
        known = [a.name for a in list_annotators(store())]
        if "name" in st.query_params and st.query_params["name"] in known:
            st.session_state.setdefault("annotator", st.query_params["name"])
        if known:
            st.selectbox("You are", known, index=None, key="annotator", placeholder="pick your name")
        with st.expander("New name", expanded=not known), errors_as_words():
            st.text_input("Name", key="new_name")
            st.selectbox("Role", ["annotator", "adjudicator", "viewer"], key="new_role")
            st.button("Enter the name", on_click=_register)
            if problem := st.session_state.pop("name_problem", None):
                say_error(problem)


def _register() -> None:
    role: Role = st.session_state["new_role"]
    name = str(st.session_state["new_name"]).strip()
    try:
        if name in {a.name for a in list_annotators(store())}:
            st.session_state["annotator"] = name
            return
        register(store(), name, role)
    except ClassifierError as error:
        st.session_state["name_problem"] = error
        return
    st.session_state["annotator"] = name
    st.session_state["new_name"] = ""


def must_be(*roles: Role) -> Annotator | None:
    """The person if their role allows this page; else a word on what to do, and None. The store checks again."""
    person = annotator()
    if person is None:
        st.info("Pick your name on the left, or enter a new one.")
    elif person.role not in roles:
        st.info(f"This page is for {' or '.join(roles)}; {person.role} is your role.")
        return None
    return person
