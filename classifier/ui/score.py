"""Score policies: drop files or name a folder, see verdicts and coverage at once, take the tables home."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

import pandas as pd
import streamlit as st

from classifier.batch import score_files
from classifier.codebook import load_codebook, project_data
from classifier.departments import REGISTRY, department_of, read_registry
from classifier.exports import TABLES, Entry, by_department, write_results
from classifier.input_files import InputFile, list_files
from classifier.predictions import load_model
from classifier.store_documents import add_document, list_documents
from classifier.ui.session import errors_as_words, must_be, signs_in, store

TYPES = ["pdf", "docx", "html", "htm", "txt"]
# Okabe and Ito's colours, told apart by the colour-blind; the word always stands beside them
COLOURS = {
    "does": "#d55e00",
    "conditional": "#e69f00",
    "mixed": "#cc79a7",
    "refuses": "#0072b2",
    "mentions": "#56b4e9",
    "silent": "",
    "unread": "#999999",
    "no policy": "#999999",
    "no reply": "#999999",
}


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run gave. verdicts: departments × core practices. coverage: one row a file. files: table name → bytes."""

    verdicts: pd.DataFrame
    coverage: pd.DataFrame
    files: dict[str, bytes]


def page() -> None:
    """The score page."""
    st.title("Score policies")
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return
    if person.role == "viewer":
        st.info("Viewers can't score. What was scored stands below.")
    else:
        take_input()
    if "scored" in st.session_state:
        show(st.session_state["scored"])
    elif person.role != "viewer" and not list_documents(store()):
        st.caption("Nothing is scored yet. The samples are twelve fictional policies of Massachusetts departments.")


def take_input() -> None:
    """The three ways in: the samples, files, a folder."""
    samples = project_data("training_data/samples")
    first_visit = not list_documents(store())
    look: Literal["primary", "secondary"] = "primary" if first_visit else "secondary"
    if samples.is_dir() and st.button("Score the sample policies", type=look, key="score_samples"):
        with errors_as_words():
            run([samples])
    dropped = st.file_uploader("Policies", type=TYPES, accept_multiple_files=True, key="dropped")
    if dropped and st.button("Score these files", type="primary", key="score_dropped"):
        with errors_as_words(), tempfile.TemporaryDirectory() as folder:
            run([keep(Path(folder), i, file.name, file.getvalue()) for i, file in enumerate(dropped)])
    if not signs_in():  # a folder of the server's machine is the business of who started it
        with st.form("folder", border=False):
            named = st.text_input("Or a folder on this computer", key="folder_path")
            if st.form_submit_button("Score the folder") and named.strip():
                with errors_as_words():
                    run([Path(named.strip()).expanduser()])


def keep(folder: Path, number: int, name: str, content: bytes) -> Path:
    """Write an uploaded file below a folder of its own; of its name only the last part is taken, and only plain characters."""
    plain = "".join(c if c.isalnum() or c in " ._-()" else "_" for c in PurePath(name.replace("\\", "/")).name)
    path = folder / str(number) / (plain.strip(" .")[-120:] or "document")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def run(paths: Sequence[Path]) -> None:
    """Score files, enter them into the store, and keep the tables for the page."""
    registry = read_registry(paths)
    version = load_model().version
    files = list_files(paths)
    bar = st.progress(0.0, text=f"0 of {len(files)} files. Leaving this page stops the run; what is scored stays.")
    entries: list[Entry] = []
    for number, (file, document) in enumerate(zip(files, score_files(files), strict=True), 1):
        department = department_of(file.path, file.root, registry, document.first_lines)
        entries.append(Entry(document, department))
        add_document(store(), document, department, version, file.path)
        bar.progress(
            number / len(files),
            text=f"{number} of {len(files)} files. Leaving this page stops the run; what is scored stays.",
        )
    bar.empty()
    for path in paths:
        if (
            path.is_dir() and (path / REGISTRY).is_file()
        ):  # the store keeps no dates and no departments without a document
            shutil.copyfile(path / REGISTRY, store().files / REGISTRY)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        write_results(entries, registry.without_document, out, version)
        tables = {name: (out / name).read_bytes() for name in TABLES if (out / name).is_file()}
    st.session_state["scored"] = Scored(
        verdict_table(entries, registry.without_document), coverage(files, entries), tables
    )


def verdict_table(entries: Sequence[Entry], without_document: Sequence[object]) -> pd.DataFrame:
    """Departments × core practices, as words."""
    book = load_codebook()
    rows = by_department(entries, without_document)  # type: ignore[arg-type]
    return pd.DataFrame(
        [
            {
                "department": row.department.name,
                **{book.practice(p).name: row.word(p) for p in book.core_ids},
                "Lunn gap": "Lunn gap" if row.lunn_gap else "",
            }
            for row in rows
        ]
    )


def coverage(files: Sequence[InputFile], entries: Sequence[Entry]) -> pd.DataFrame:
    """One row a file: what was read, and why not the rest."""
    rows = [
        (f.name, e.document.status, e.document.pages_read, e.document.pages, len(e.document.clauses), e.document.reason)
        for f, e in zip(files, entries, strict=True)
    ]
    return pd.DataFrame(rows, columns=["file", "status", "pages read", "pages", "clauses", "reason"])


def show(scored: Scored) -> None:
    """Verdicts, coverage and downloads."""
    st.subheader("Who does what")
    styled = scored.verdicts.style.map(verdict_style)
    st.dataframe(styled, hide_index=True, width="stretch", key="verdicts")
    row = st.columns(len(scored.files) or 1)
    for column, (name, content) in zip(row, scored.files.items(), strict=False):
        column.download_button(
            name, content, file_name=name, key=f"download_{name}", width="stretch", on_click="ignore"
        )
    st.subheader("What was read")
    unread = scored.coverage[scored.coverage["status"] != "ok"]
    if len(unread):
        st.warning(f"{len(unread)} of {len(scored.coverage)} files were not read in full: their silence says nothing.")
    st.dataframe(scored.coverage, hide_index=True, width="stretch", key="coverage")


def verdict_style(word: object) -> str:
    """A bar in the verdict's colour at the left of its word; no colour for what is no verdict."""
    colour = COLOURS.get(str(word).partition(":")[0].partition(" (")[0], "")
    return f"border-left: 6px solid {colour}; background-color: {colour}22" if colour else ""
