"""Results of a run, a review store, or scored documents → Evidence: six plain tables that all comparisons start from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from classifier.batch import score_files
from classifier.codebook import load_codebook
from classifier.departments import Department, Registry, department_of, read_registry
from classifier.errors import UsageError
from classifier.evidence_sources import STATES, Source, SourceUnit, State, of_entry, read_results
from classifier.exports import Entry, write_csv
from classifier.findings import Rule, find, has_lunn_gap
from classifier.input_files import list_files
from classifier.model_folders import model_folder
from classifier.plain_text import whole

if TYPE_CHECKING:
    from classifier.store import Store

Standing = Literal["read", "partial", "unread", "no policy", "no reply"]
# The dtype of a column that is not text.
_DTYPES: dict[str, Any] = {
    **dict.fromkeys("documents pages pages_read place page".split(), "int64"),
    "pages_ocr": "Int64",
    "probability": "float64",
    "lunn_gap": "bool",
    **dict.fromkeys("stance boxes conditions clauses".split(), "object"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known of some departments, as six tables; equal sources give equal tables, row for row.

    documents: document, name, department, status, reason, pages, pages_read, pages_ocr (missing where not known), model,
        effective_date, source. By department and name. status: "ok", "partial" or "failed".
    departments: department, kind, county, state, standing, documents, pages, pages_read. By name, in no case. standing:
        "read", "partial", "unread" (no page of any document), "no policy" or "no reply" (no document).
    clauses: clause, document, department, place, kind, page, heading, context, text, boxes. In the order of the documents,
        then as they are read; place: 0 for the first unit of a document. kind "clause" or a heading and the like. boxes:
        a tuple of (page, x0, top, x1, bottom) in PDF points from the top left.
    labels: clause, practice, stance (None where the practice has none), probability (of label and stance together; 1 where
        a person decided), state, reviewer. In the order of the clauses, likeliest first.
    conditions: clause, type, text. In the order of the clauses.
    findings: department, practice, verdict, probability, conditions (types), clauses (ids, strongest first), state,
        lunn_gap (the department's, on each of its rows). Departments × practices of the codebook, complete; the verdict
        of a department without a document is its standing. probability: as Finding has it, missing where nothing was read.

    state: "machine", "reviewed" or "adjudicated". A finding's is the weakest of the clauses that it rests on; silence
    rests on every clause of the department.
    """

    documents: pd.DataFrame
    departments: pd.DataFrame
    clauses: pd.DataFrame
    labels: pd.DataFrame
    conditions: pd.DataFrame
    findings: pd.DataFrame

    @classmethod
    def from_results(cls, folder: Path, registry: Registry | None = None) -> Evidence:
        """What `clauses score` wrote to a folder.

        registry: gives the departments without a document, which these tables leave out. Raises EvidenceError for a file
        that is missing, damaged, or made with another codebook.
        """
        return _assemble(read_results(folder), registry.without_document if registry else ())

    @classmethod
    def from_store(cls, store: Store, registry: Registry | None = None) -> Evidence:
        """What a review store holds: adjudicated labels, else those that reviewers agree on, else the machine's.

        registry: gives effective dates and sources, by department and file name, and the departments without a document;
        a store keeps none of these. Raises StoreError.
        """
        from classifier.store_sources import read_store  # needs a database, which the extra `app` brings

        registry = registry or Registry()
        return _assemble(read_store(store, registry), registry.without_document)

    @classmethod
    def of_entries(
        cls, entries: Sequence[Entry], without_document: Iterable[tuple[Department, str]] = (), version: str = ""
    ) -> Evidence:
        """Scored documents in memory. without_document: (department, "no policy" or "no reply"). version: the model's."""
        return _assemble([of_entry(e, version) for e in entries], without_document)


def score_paths(paths: Sequence[Path | str], model: Path | None = None, jobs: int = 0) -> Evidence:
    """Score files and folders. model: a model folder, by default the one in use. jobs: processes, 0 for one a core.

    A departments.csv in a folder names the departments. Raises UsageError for a path that is not there, and ModelError.
    """
    given = [Path(path) for path in paths]
    registry = read_registry(given)
    version = model_folder(model).version
    files = list_files(given)
    entries = [
        Entry(document, department_of(file.path, file.root, registry, document.first_lines))
        for file, document in zip(files, score_files(files, model, jobs), strict=True)
    ]
    return Evidence.of_entries(entries, registry.without_document, version)


def read_evidence(where: str, files: Path | None = None, policies: Path | None = None) -> Evidence:
    """A folder that `clauses score` wrote, or a review store: a file or a database URL, with its folder of documents.

    policies: the folder that was scored; its departments.csv names the departments without a document. Raises UsageError
    where there is neither, EvidenceError and StoreError as the two readers do.
    """
    path = Path(where)
    registry = read_registry([policies]) if policies else None
    if "://" not in where:
        if path.is_dir():
            return Evidence.from_results(path, registry)
        if not path.is_file():
            raise UsageError(
                f"{where}: no such folder or store", "name a folder that `clauses score` wrote, or a store"
            )
    try:
        from classifier.store import open_store
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed", "the review store needs it: pip install 'collaboration-clauses[app]'"
        ) from error
    store = open_store(where, files)
    try:
        return Evidence.from_store(store, registry)
    finally:
        store.close()


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, each with its columns as attributes."""
    return table.itertuples(index=False, name="Row")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all, without formulas. Raises UsageError if it can't be written."""
    values = table.astype(object).where(table.notna(), "")
    try:
        write_csv(path, list(table.columns), values.itertuples(index=False))
    except OSError as error:
        raise UsageError(f"{path}: can't be written ({error.strerror or error})", "choose another file") from error


def _frame(columns: str, rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """A table of these columns; text where `_DTYPES` says nothing else."""
    names = columns.split()
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    return pd.DataFrame({n: _column(list(v), _DTYPES.get(n, "str")) for n, v in zip(names, values, strict=True)})


def _column(values: list[Any], dtype: Any) -> Any:
    """A column; half a character, which no table can hold, is replaced."""
    try:
        return pd.Series(values, dtype=dtype)
    except UnicodeEncodeError:
        return pd.Series([whole(v) for v in values], dtype=dtype)


def _by_name(name: str) -> tuple[str, str]:
    return name.casefold(), name


def _assemble(sources: Sequence[Source], without_document: Iterable[tuple[Department, str]]) -> Evidence:
    """The tables, in their order, with departments and findings worked out."""
    ordered = sorted(sources, key=lambda s: (_by_name(s.department.name), s.name, s.document))
    groups: dict[str, list[Source]] = defaultdict(list)
    for source in ordered:
        groups[source.department.name].append(source)
    missing = {d.name: (d, why) for d, why in without_document if d.name not in groups}
    rank = {practice: n for n, practice in enumerate(load_codebook().practice_ids)}
    units = [(source, unit) for source in ordered for unit in source.units]
    departments: list[tuple[Any, ...]] = []
    findings: list[tuple[Any, ...]] = []
    for name in sorted([*groups, *missing], key=_by_name):
        if name in missing:
            department, why = missing[name]
            departments.append((name, department.kind, department.county, department.state, why, 0, 0, 0))
            findings += [(name, practice, why, float("nan"), (), (), STATES[0], False) for practice in rank]
        else:
            departments.append(_department_row(groups[name]))
            findings += _finding_rows(name, groups[name])
    return Evidence(
        documents=_frame(
            "document name department status reason pages pages_read pages_ocr model effective_date source",
            [
                (s.document, s.name, s.department.name, s.status, s.reason, s.pages, s.pages_read, s.pages_ocr, s.model,
                 s.department.effective_date, s.department.source)
                for s in ordered
            ],
        ),
        departments=_frame("department kind county state standing documents pages pages_read", departments),
        clauses=_frame(
            "clause document department place kind page heading context text boxes",
            [
                (u.id, s.document, s.department.name, u.place, u.kind, u.page, u.heading, u.context, u.text, u.boxes)
                for s, u in units
            ],
        ),
        labels=_frame(
            "clause practice stance probability state reviewer",
            [
                (u.id, *label, u.state, u.reviewer)
                for _, u in units
                for label in sorted(u.labels, key=lambda x: (-x[2], rank[x[0]]))
            ],
        ),
        conditions=_frame("clause type text", [(u.id, *c) for _, u in units for c in u.conditions]),
        findings=_frame("department practice verdict probability conditions clauses state lunn_gap", findings),
    )  # fmt: skip


def _department_row(documents: Sequence[Source]) -> tuple[Any, ...]:
    """A department with documents. What the first document does not say of it, a later one may."""
    kind, county, state = (
        next((v for s in documents if (v := getattr(s.department, key))), "") for key in ("kind", "county", "state")
    )
    status = {s.status for s in documents}
    standing = "read" if status == {"ok"} else "unread" if status == {"failed"} else "partial"
    pages, read = sum(s.pages for s in documents), sum(s.pages_read for s in documents)
    return documents[0].department.name, kind, county, state, standing, len(documents), pages, read


def _finding_rows(department: str, documents: Sequence[Source]) -> list[tuple[Any, ...]]:
    """A department's findings, all its documents judged together."""
    units = {u.id: u for s in documents for u in s.units}
    rules = [
        Rule(practice, stance, frozenset(c for c, _ in u.conditions), u.id, probability)
        for u in units.values()
        for practice, stance, probability in u.labels
    ]
    highest: dict[str, float] = {}
    for source in documents:
        for practice, score in source.highest.items():
            highest[practice] = max(score, highest.get(practice, 0.0))
    found = find(rules, all(s.status == "ok" for s in documents), highest)
    gap = has_lunn_gap(found)
    of_silence = _weakest(u for u in units.values() if u.kind == "clause")
    return [
        (
            department,
            f.practice,
            f.verdict,
            float("nan") if f.verdict == "unread" else f.probability,
            f.conditions,
            f.clauses,
            _weakest(units[c] for c in f.clauses) if f.clauses else of_silence,
            gap,
        )
        for f in found
    ]


def _weakest(units: Iterable[SourceUnit]) -> State:
    return min((u.state for u in units), key=STATES.index, default=STATES[0])
