"""Decisions out to other annotation programs and in from them; reviewed documents as training data."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from classifier.annotation_formats import FORMATS, InterchangeError, Refusal, write_records
from classifier.errors import ClassifierError
from classifier.interchange import Import, export_records, import_records, reviewed_document, to_policy
from classifier.people import check_sight, list_people
from classifier.store_documents import StoredDocument, list_documents
from classifier.ui.session import errors_as_words, must_be, say_error, store

NAMES = {
    "label-studio": ("Label Studio (JSON)", "json"),
    "prodigy": ("Prodigy (JSONL)", "jsonl"),
    "doccano": ("doccano (JSONL)", "jsonl"),
    "web-annotation": ("W3C Web Annotation (JSON-LD)", "jsonld"),
    "csv": ("CSV", "csv"),
}


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """A zip of `.policy` files. left_out: documents without one, and why."""

    content: bytes
    count: int
    left_out: tuple[Refusal, ...]


def page() -> None:
    """The exchange page."""
    st.title("Exchange")
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return
    out, back = st.columns(2, gap="large")
    with out:
        st.subheader("Export")
        export(person.name)
    with back:
        st.subheader("Import")
        if person.role == "adjudicator":
            take_in(person.name)
        else:
            st.info("Imports are for adjudicators: they enter decisions under other people's names.")


def export(name: str) -> None:
    """Downloads of decisions and of reviewed documents, for those who may see everybody's labels."""
    decided = sum(p.decided + p.adjudicated for p in list_people(store()))
    if not decided:
        st.info("Nothing is decided yet. Decide some clauses on the Review page; they can be exported then.")
        return
    try:
        check_sight(store(), name)
    except ClassifierError as error:
        say_error(error)
        return
    names = {d.document.id: d.document.name for d in list_documents(store())}
    form = st.selectbox("Form", list(FORMATS), format_func=lambda f: NAMES[f][0], key="export_form")
    document = st.selectbox("Of", list(names), None, names.__getitem__, key="export_of", placeholder="all documents")
    st.download_button(
        "Download the decisions", partial(written, form, document or ""), f"decisions-{form}.{NAMES[form][1]}",
        key="export", type="primary", on_click="ignore",
    )  # fmt: skip
    st.caption("Everybody's decisions and adjudications that stand; where people disagree, both are in the file.")
    st.divider()
    st.caption(
        "Reviewed documents as .policy files, to be kept under version control beside training_data/documents. Only "
        "clauses that people agreed on or that were adjudicated carry labels."
    )
    if st.button("Make .policy files", key="make_policies"):
        st.session_state["policies"] = policy_files([d.document for d in list_documents(store())])
    if made := st.session_state.get("policies"):
        show_policies(made)


def written(form: str, document: str) -> str:
    """The file, made when it is asked for."""
    return write_records(export_records(store(), document), form)


def policy_files(documents: list[StoredDocument]) -> PolicyFiles:
    """A zip of the reviewed documents; every name in it once."""
    packed, left_out = io.BytesIO(), []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for stored in documents:
            try:
                made = reviewed_document(store(), stored.id)
            except ClassifierError as error:
                left_out.append(Refusal(stored.name, str(error)))
                continue
            name = f"{made.id or 'document'}.policy"
            if name in archive.namelist():
                name = f"{made.id or 'document'}-{stored.id[:8]}.policy"
            archive.writestr(name, to_policy(made))
        count = len(archive.namelist())
    return PolicyFiles(packed.getvalue(), count, tuple(left_out))


def show_policies(made: PolicyFiles) -> None:
    """The download, and what is not in it."""
    if made.count:
        st.download_button(
            f"Download {made.count} .policy file{'s' if made.count > 1 else ''}", made.content, "reviewed-policies.zip",
            key="download_policies", on_click="ignore",
        )  # fmt: skip
    else:
        st.info("No document has a clause that is reviewed. Where two people differ, adjudicate first.")
    if made.left_out:
        with st.expander(f"{len(made.left_out)} documents have none"):
            show_refusals(made.left_out, "document")


def take_in(by: str) -> None:
    """A file of decisions, and what came of it."""
    form = st.selectbox("Form", list(FORMATS), format_func=lambda f: NAMES[f][0], key="import_form")
    file = st.file_uploader("File", type=["json", "jsonl", "jsonld", "csv"], key="import_file")
    st.caption(
        "Clauses are known by their ids: import into the store that the file came from, after its documents were scored. "
        "Importing a file again changes nothing."
    )
    if file is None:
        st.session_state.pop("imported", None)
        return
    if st.button("Import", type="primary", key="import"):
        st.session_state.pop("imported", None)
        with errors_as_words(), st.spinner("Reading…"):
            st.session_state["imported"] = import_records(store(), by, text_of(file.getvalue()), form)
    if "imported" in st.session_state:
        show_import(st.session_state["imported"])


def text_of(content: bytes) -> str:
    """The text of a file. Raises InterchangeError where it is not in UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InterchangeError("the file is not in UTF-8", "save it as UTF-8 and import it again") from error


def show_import(done: Import) -> None:
    """Counts, and every refused record with its reason."""
    st.success(f"{done.added} decisions are new, {done.known} stood in the store already.")
    if done.refused:
        st.warning(f"{len(done.refused)} records were refused. Mend them where they came from and import again.")
        show_refusals(done.refused, "record")


def show_refusals(refused: tuple[Refusal, ...], of: str) -> None:
    """What was not taken, and why."""
    st.dataframe(pd.DataFrame([(r.where, r.reason) for r in refused], columns=[of, "reason"]), hide_index=True)
