"""Score policies: drop files or name a folder, see verdicts and coverage at once, take the tables home."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

import pandas as pd
import streamlit as st

from classifier.batch import Batch, look_at_all, tasks_of, way_of_reading
from classifier.codebook import load_codebook, project_data
from classifier.departments import REGISTRY, department_of, read_registry
from classifier.exports import TABLES, DepartmentFindings, Result, by_department, write_tables
from classifier.finished import FOLDER, Finished
from classifier.input_files import list_files
from classifier.limits import DEFAULT
from classifier.model_folders import model_folder
from classifier.runs import Results
from classifier.slots import Slot, Slots
from classifier.store_documents import add_document, list_documents
from classifier.store_sources import keep_list
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
    version = model_folder().version
    at = store()
    batch = batch_of(paths, Finished(at.files / FOLDER))
    results = Results(batch, registry)
    with progress(len(batch.tasks)) as step, Slots(lambda: Slot(scratch=batch.finished.folder)) as slots:
        for task in batch.in_order(slots):
            document = batch.document(task)
            department = department_of(task.file.path, task.file.root, registry, document.first_lines)
            add_document(at, document, department, version, task.file.path)
            step()
    for path in paths:
        if path.is_dir() and (path / REGISTRY).is_file():
            keep_list(at, (path / REGISTRY).read_bytes())
    departments = by_department(results, registry.without_document)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        write_tables(results, results.units, departments, out, version)
        tables = {name: (out / name).read_bytes() for name in TABLES if (out / name).is_file()}
    st.session_state["scored"] = Scored(verdict_table(departments), coverage(results), tables)
    for task in batch.tasks:  # they are in the store now
        batch.finished.discard(task.key)


def batch_of(paths: Sequence[Path], finished: Finished) -> Batch:
    """The files of a run. What a run that was left had finished is not read again."""
    finished.folder.mkdir(parents=True, exist_ok=True)
    files = list_files(paths)
    return Batch(tasks_of(files, look_at_all(files), way_of_reading(None, DEFAULT)), finished)


@contextmanager
def progress(count: int) -> Iterator[Callable[[], None]]:
    """A bar over so many files; gives what to call after each."""
    steps = itertools.count()

    def said(done: int) -> str:
        return f"{done} of {count} files. Leaving this page stops the run; what is scored stays."

    bar = st.progress(0.0, text=said(next(steps)))

    def step() -> None:
        done = next(steps)
        bar.progress(done / count, text=said(done))

    yield step
    bar.empty()


def verdict_table(departments: Sequence[DepartmentFindings]) -> pd.DataFrame:
    """Departments × core practices, as words."""
    book = load_codebook()
    return pd.DataFrame(
        [
            {
                "department": row.department.name,
                **{book.practice(p).name: row.word(p) for p in book.core_ids},
                "Lunn gap": "Lunn gap" if row.lunn_gap else "",
            }
            for row in departments
        ]
    )


def coverage(results: Iterable[Result]) -> pd.DataFrame:
    """One row a file: what was read, and why not the rest."""
    documents = (result.summary for result in results)
    rows = [(d.name, d.status, d.pages_read, d.pages, d.clauses, d.reason) for d in documents]
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
