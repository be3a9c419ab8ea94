"""Evidence → tidy tables for research, with stable ids, a data dictionary and a `datapackage.json` (Frictionless style).

CSV always, Parquet beside it where pyarrow is installed. The same bytes from the same tables, and from the same pyarrow.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.codebook import load_codebook
from classifier.evidence import Evidence, rows_of
from classifier.exports import make_folder, write_file
from classifier.plain_text import json_text, legible, plain_cell
from classifier.predictions import codebook_digest

SEPARATOR = ";"  # between the values of a list in one cell
_PARQUET = {"string": "string", "integer": "int64", "number": "float64", "boolean": "bool"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column. type: "string", "integer", "number" or "boolean". refers: table that the id belongs to."""

    name: str
    type: str
    meaning: str
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name, meaning, key and columns."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def _column(name: str, meaning: str, type: str = "string", refers: str = "") -> Column:
    return Column(name, type, meaning, refers)


_DEPARTMENT_ID = "stable id: the first 12 hex digits of the SHA-256 of the department's name"
_WHOSE = (
    _column("department_id", _DEPARTMENT_ID, refers="departments"),
    _column("department", "name of the department"),
)
_DEPARTMENT = (
    _column("kind", "kind of the department, as the registry has it"),
    _column("county", "county, as the registry has it"),
    _column("state", "state of the United States, as the registry has it"),
)
_PRACTICE = _column("practice", "practice, by its id in the codebook")
_STANCE = "requires, permits, limits, prohibits or states; empty where the practice has none"
_REVIEW = "machine: no person has looked; reviewed; adjudicated: settled by a person where reviewers differed"
_PROBABILITY = "of label and stance together, 0 to 1, as the model gives it; 1 where a person decided"
_MODEL = _column("model_version", "version of the model that labelled the clauses")
_LIST = f"; several are parted by “{SEPARATOR}”"

TABLES = (
    Table(
        "findings",
        "What a department says about a practice: one row for each department and practice, complete.",
        ("department_id", "practice"),
        (
            *_WHOSE,
            *_DEPARTMENT,
            _column("effective_date", "of the documents that the verdict rests on, as the registry has it" + _LIST),
            _column("source", "where those documents come from" + _LIST),
            _PRACTICE,
            _column("verdict", "by section 5 of the codebook; or unread, no policy, no reply"),
            _column("stance", "stances of the clauses that the verdict rests on, strongest first" + _LIST),
            _column("conditions", "types of the conditions that those clauses name" + _LIST),
            _column("clause_ids", "clauses that the verdict rests on, strongest first" + _LIST),
            _column("probability", "of the strongest of them; for silent, that no clause is about it", "number"),
            _column("review", _REVIEW + "; the weakest of those clauses"),
            _column("reviewer", "who decided on those clauses" + _LIST),
            _MODEL,
            _column("lunn_gap", "the department cites Lunn, and notifies, shares or holds all the same", "boolean"),
        ),
    ),
    Table(
        "labels",
        "What a clause says about a practice: one row for each label.",
        ("clause_id", "practice"),
        (
            _column("clause_id", "the clause", refers="clauses"),
            *_WHOSE,
            _PRACTICE,
            _column("stance", _STANCE),
            _column("conditions", "types of the clause's conditions" + _LIST),
            _column("probability", _PROBABILITY, "number"),
            _column("review", _REVIEW),
            _column("reviewer", "who decided; empty for the machine"),
            _MODEL,
        ),
    ),
    Table(
        "clauses",
        "Every clause and heading, in reading order.",
        ("clause_id",),
        (
            _column("clause_id", "stable id: of document, lead-in and words"),
            _column("document_id", "the document", refers="documents"),
            *_WHOSE,
            _column("place", "0 for the first unit of the document", "integer"),
            _column("kind", "clause, heading and the like"),
            _column("page", "page of the document, from 1", "integer"),
            _column("heading", "headings above it"),
            _column("lead_in", "words that govern it, from an earlier line"),
            _column("text", "its words"),
        ),
    ),
    Table(
        "conditions",
        "The conditions that clauses name: one row for each.",
        (),
        (
            _column("clause_id", "the clause", refers="clauses"),
            _column("type", "type of the condition, by its id in the codebook"),
            _column("text", "the words that state it"),
        ),
    ),
    Table(
        "documents",
        "The documents, and how far each was read.",
        ("document_id",),
        (
            _column("document_id", "stable id of the document"),
            _column("name", "file name"),
            *_WHOSE,
            _column("effective_date", "as the registry has it"),
            _column("source", "where it comes from, as the registry has it"),
            _column("status", "ok: wholly read; partial; failed"),
            _column("reason", "why it was not wholly read"),
            _column("pages", "number of pages", "integer"),
            _column("pages_read", "pages read", "integer"),
            _column("pages_ocr", "pages read by OCR; empty where not known", "integer"),
            _MODEL,
        ),
    ),
    Table(
        "departments",
        "The departments, those without a document too.",
        ("department_id",),
        (
            _column("department_id", _DEPARTMENT_ID),
            _WHOSE[1],
            *_DEPARTMENT,
            _column("standing", "read, partial, unread, no policy or no reply"),
            _column("documents", "number of documents", "integer"),
            _column("pages", "their pages", "integer"),
            _column("pages_read", "pages read", "integer"),
        ),
    ),
)
_DICTIONARY = "data_dictionary"


def write_tables(evidence: Evidence, folder: Path) -> list[str]:
    """Write all tables into a folder, `datapackage.json` last; returns their names. Raises UsageError if it can't."""
    make_folder(folder)
    files = table_files(evidence)
    for name, content in files.items():
        write_file(folder / name, content)
    return list(files)


def table_files(evidence: Evidence) -> dict[str, bytes]:
    """File name → its content: the tables, data_dictionary.csv and, last, datapackage.json with their digests."""
    rows = {
        "findings": list(_findings(evidence)),
        "labels": list(_labels(evidence)),
        "clauses": list(_clauses(evidence)),
        "conditions": [(c.clause, c.type, c.text) for c in rows_of(evidence.conditions)],
        "documents": list(_documents(evidence)),
        "departments": list(_departments(evidence)),
    }
    files, resources = {}, []
    for table in TABLES:
        names = [c.name for c in table.columns]
        files[f"{table.name}.csv"] = _csv(names, rows[table.name])
        resources.append(_resource(f"{table.name}.csv", table, files[f"{table.name}.csv"]))
        if (parquet := _parquet(table, rows[table.name])) is not None:
            files[f"{table.name}.parquet"] = parquet
            resources.append(_resource(f"{table.name}.parquet", table, parquet))
    described = [
        (t.name, c.name, c.type, c.meaning, c.refers, "yes" if c.name in t.key else "")
        for t in TABLES
        for c in t.columns
    ]
    files[f"{_DICTIONARY}.csv"] = _csv("table column type meaning refers_to key".split(), described)
    package = {
        "profile": "data-package",
        "name": "collaboration-clauses",
        "title": "What policies say about dealing with ICE",
        "description": "Written policy, not practice. In CSV files a cell that would begin a formula begins with an "
        "apostrophe; Parquet files have the words as they are. Join tables by their ids.",
        "codebook": codebook_digest(load_codebook()),
        "models": sorted({_plain(m) for m in evidence.documents["model"] if m}),
        "resources": resources,
    }
    files["datapackage.json"] = (json_text(package, indent=1) + "\n").encode("utf-8")
    return files


def department_id(name: str) -> str:
    """The id that a department keeps from one set of tables to the next."""
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _joined(values: Iterable[str]) -> str:
    """Each value once, in order, without the empty ones."""
    return SEPARATOR.join(dict.fromkeys(v for v in values if v))


def _present(value: Any) -> Any:
    """None for what pandas calls missing."""
    return None if pd.isna(value) else value


def _findings(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    labels = {(x.clause, x.practice): x for x in rows_of(evidence.labels)}
    home = dict(zip(evidence.clauses["clause"], evidence.clauses["document"], strict=True))
    documents = {d.document: d for d in rows_of(evidence.documents)}
    own: dict[str, list[Any]] = {}
    for d in documents.values():
        own.setdefault(d.department, []).append(d)
    whose = {d.department: d for d in rows_of(evidence.departments)}
    for f in rows_of(evidence.findings):
        bearing = [labels[c, f.practice] for c in f.clauses]
        behind = [documents[home[c]] for c in f.clauses] or own.get(f.department, [])
        d = whose[f.department]
        yield (
            department_id(f.department), f.department, d.kind, d.county, d.state,
            _joined(b.effective_date for b in behind), _joined(b.source for b in behind),
            f.practice, f.verdict, _joined(x.stance or "" for x in bearing), _joined(f.conditions), _joined(f.clauses),
            _present(f.probability), f.state, _joined(x.reviewer for x in bearing), _joined(b.model for b in behind),
            bool(f.lunn_gap),
        )  # fmt: skip


def _labels(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    clauses = {
        c.clause: c for c in rows_of(evidence.clauses[evidence.clauses["clause"].isin(evidence.labels["clause"])])
    }
    models = dict(zip(evidence.documents["document"], evidence.documents["model"], strict=True))
    types: dict[str, list[str]] = {}
    for condition in rows_of(evidence.conditions):
        types.setdefault(condition.clause, []).append(condition.type)
    for x in rows_of(evidence.labels):
        c = clauses[x.clause]
        yield (
            x.clause, department_id(c.department), c.department, x.practice, x.stance or "",
            _joined(sorted(types.get(x.clause, ()))), x.probability, x.state, x.reviewer, models[c.document],
        )  # fmt: skip


def _clauses(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for c in rows_of(evidence.clauses):
        whose = (department_id(c.department), c.department)
        yield c.clause, c.document, *whose, c.place, c.kind, c.page, c.heading, c.context, c.text


def _documents(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for d in rows_of(evidence.documents):
        yield (
            d.document, d.name, department_id(d.department), d.department, d.effective_date, d.source, d.status, d.reason,
            d.pages, d.pages_read, _present(d.pages_ocr), d.model,
        )  # fmt: skip


def _departments(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for d in rows_of(evidence.departments):
        whose = (department_id(d.department), d.department)
        yield *whose, d.kind, d.county, d.state, d.standing, d.documents, d.pages, d.pages_read


def _plain(value: Any) -> Any:
    return legible(value) if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    """As a CSV file has it: no formula, "true" and "false", numbers without the noise of the last digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return round(value, 6) if isinstance(value, float) else plain_cell(value)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    target = StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(columns)
    writer.writerows([_cell(v) for v in row] for row in rows)
    return target.getvalue().encode("utf-8")


def _parquet(table: Table, rows: Sequence[Sequence[Any]]) -> bytes | None:
    """The table as a Parquet file; None where pyarrow is not installed."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        return None
    columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    arrays = [
        arrow.array([_plain(v) for v in values], type=arrow.type_for_alias(_PARQUET[c.type]))
        for c, values in zip(table.columns, columns, strict=True)
    ]
    target = BytesIO()
    parquet.write_table(arrow.table(arrays, names=[c.name for c in table.columns]), target)
    return target.getvalue()


def _resource(path: str, table: Table, content: bytes) -> dict[str, Any]:
    """What datapackage.json says of one file."""
    name, kind = path.split(".")
    as_csv = kind == "csv"
    references = [
        {"fields": c.name, "reference": {"resource": c.refers, "fields": c.name}} for c in table.columns if c.refers
    ]
    schema: dict[str, Any] = {
        "fields": [{"name": c.name, "type": c.type, "description": c.meaning} for c in table.columns],
        "missingValues": [""],
    }
    if table.key:
        schema["primaryKey"] = list(table.key)
    if references:
        schema["foreignKeys"] = references
    return {
        "name": name if as_csv else f"{name}-{kind}",
        "path": path,
        "profile": "tabular-data-resource" if as_csv else "data-resource",
        "description": table.meaning,
        "format": kind,
        "mediatype": "text/csv" if as_csv else "application/vnd.apache.parquet",
        **({"encoding": "utf-8"} if as_csv else {}),
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": schema,
    }
