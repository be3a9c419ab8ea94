"""Scored documents in the store: added once for each model version, listed, and read back clause by clause."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from classifier.clauses import Clause
from classifier.conditions import Condition
from classifier.departments import Department
from classifier.labelled import fold
from classifier.pipeline import ScoredDocument
from classifier.predictions import Label, Prediction
from classifier.store import Store
from classifier.store_tables import StoreError, clauses, documents, findings, predicted_labels, predictions, standing

# What a database does not take as text: the null character (PostgreSQL) and lone surrogates (both).
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUFFIXES = frozenset({".pdf", ".docx", ".html", ".htm", ".txt"})
DRAW_RANGE = 2**31 - 1  # clauses carry a random number below this prime; `queues` makes seeded orders of it


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document in the store. id: SHA-256 of the file's bytes. kept: the store's own copy of the file.

    model, scored_at: the version that scored it last, and when (UTC). clauses: how many a person can label.
    """

    id: str
    name: str
    kept: Path
    status: str
    reason: str
    pages: int
    pages_read: int
    department: Department
    model: str
    scored_at: datetime
    clauses: int

    @property
    def coverage(self) -> float:
        """Share of its pages that were read, 0 to 1."""
        return self.pages_read / self.pages if self.pages else 0.0


@dataclass(frozen=True, slots=True)
class DocumentProgress:
    """How far one annotator has come with one document; counts of clauses."""

    document: StoredDocument
    decided: int
    skipped: int
    flagged: int


@dataclass(frozen=True, slots=True)
class DepartmentCount:
    """A department with what the store has of it."""

    name: str
    documents: int
    clauses: int


def storable(text: str) -> str:
    """Text as every database takes it; what none can hold becomes U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def clause_ids(document: str, units: Sequence[Clause]) -> list[str]:
    """The ids in the store of a document's clauses, in step with `units`.

    document: its content hash. An id is made of that hash, the words and their occurrence: unlike Clause.id it stays the
    same where the file came under another name, and differs between two files of one name.
    """
    seen: dict[str, int] = {}
    ids = []
    for unit in units:
        key = f"{document}\n{unit.context}\n{unit.text}"
        seen[key] = seen.get(key, 0) + 1
        ids.append(_digest(f"{key}\n{seen[key]}")[:16])
    return ids


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def add_document(store: Store, scored: ScoredDocument, department: Department, model: str, file: Path) -> str:
    """Enter a scored document with its clauses and predictions; returns its id, the content hash of the file.

    The same file scored by the same model version changes nothing. Scored by another one, it gets that one's predictions
    beside the old; clauses that the new version no longer cuts leave the queues and keep their decisions.
    file: where its bytes can be read now; the store keeps a copy of its own. Raises StoreError.
    """
    try:
        with file.open("rb") as source:
            document = hashlib.file_digest(source, "sha256").hexdigest()
        kept = _keep(file, document, store.files)
    except OSError as error:
        raise StoreError(
            f"{file}: can't be kept ({error.strerror or error})", "check the file and the disk space"
        ) from error
    row = {
        "name": storable(scored.name),
        "status": scored.status,
        "reason": storable(scored.reason),
        "pages": scored.pages,
        "pages_read": scored.pages_read,
        "model": model,
        "scored_at": datetime.now(UTC),
    }
    with store.writing() as connection:
        store.one_at_a_time(connection)  # two sessions that add the same file at once
        known = connection.scalar(sa.select(documents.c.model).where(documents.c.id == document))
        if known == model:
            return document
        if known is None:
            of = {k: storable(getattr(department, k)) for k in ("kind", "county", "state")}
            connection.execute(
                documents.insert().values(id=document, kept=kept, department=storable(department.name), **of, **row)
            )
        else:
            connection.execute(documents.update().where(documents.c.id == document).values(**row))
            connection.execute(findings.delete().where(findings.c.document == document))
        found = [
            {"document": document, "practice": f.practice, "verdict": f.verdict, "probability": f.probability}
            for f in scored.findings
        ]
        _insert(connection, findings, found)
        ids = clause_ids(document, scored.clauses)
        _put_clauses(connection, document, ids, scored.clauses)
        _put_predictions(connection, document, model, ids, scored.predictions)
        if connection.dialect.name == "postgresql":  # it plans blindly until it knows what was added
            connection.exec_driver_sql("ANALYZE documents, findings, clauses, predictions, predicted_labels")
    return document


def _keep(file: Path, digest: str, folder: Path) -> str:
    """Copy a file into the store's folder under a name made of its content alone; returns that name."""
    suffix = file.suffix.lower()
    name = digest + (suffix if suffix in _SUFFIXES else "")
    target = folder / name
    if not target.exists():
        handle, temporary = tempfile.mkstemp(dir=folder)  # readable by this user only
        try:
            with os.fdopen(handle, "wb") as copy, file.open("rb") as source:
                shutil.copyfileobj(source, copy)
            Path(temporary).replace(target)
        finally:
            Path(temporary).unlink(missing_ok=True)
    return name


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _put_clauses(connection: sa.Connection, document: str, ids: Sequence[str], units: Sequence[Clause]) -> None:
    """Make `units` the active clauses of a document, in their order; those already there keep their ids."""
    of_document = clauses.c.document == document
    known = set(connection.scalars(sa.select(clauses.c.id).where(of_document)))
    connection.execute(clauses.update().where(of_document).values(active=False))
    added, kept = [], []
    for place, (id_, unit) in enumerate(zip(ids, units, strict=True)):
        now = {
            "place": place,
            "page": unit.page,
            "kind": unit.kind,
            "depth": unit.depth,
            "heading": storable(unit.heading),
            "boxes": [list(box) for box in unit.boxes],
            "active": True,
        }
        if id_ in known:
            kept.append({"known": id_, **now})
            continue
        context, text = storable(unit.context), storable(unit.text)
        added.append(
            {
                "id": id_,
                "document": document,
                "context": context,
                "text": text,
                "folded": fold(f"{context} {text}"),
                "twin": _digest(f"{fold(context)}\n{fold(text)}"),
                "draw": int(_digest(id_)[:12], 16) % DRAW_RANGE,
                **now,
            }
        )
    _insert(connection, clauses, added)
    if kept:
        connection.execute(clauses.update().where(clauses.c.id == sa.bindparam("known")), kept)


def _put_predictions(
    connection: sa.Connection, document: str, model: str, ids: Sequence[str], found: Sequence[Prediction | None]
) -> None:
    # a version that was in use before and comes back has its predictions already
    of_document = sa.select(clauses.c.id).where(clauses.c.document == document)
    known = set(
        connection.scalars(
            sa.select(predictions.c.clause).where(predictions.c.model == model, predictions.c.clause.in_(of_document))
        )
    )
    pairs = [(i, p) for i, p in zip(ids, found, strict=True) if p is not None and i not in known]
    rows = [
        {
            "clause": id_,
            "model": model,
            "scores": p.scores,
            "conditions": [{"type": c.type, "text": storable(c.text)} for c in p.conditions],
            "doubt": min(1.0, max(0.0, p.doubt)),
            "review": p.review,
        }
        for id_, p in pairs
    ]
    labels = [
        {
            "clause": id_,
            "model": model,
            "practice": label.practice,
            "stance": label.stance,
            "probability": label.probability,
            "stance_probability": label.stance_probability,
            "rank": rank,
        }
        for id_, p in pairs
        for rank, label in enumerate(p.labels)
    ]
    _insert(connection, predictions, rows)
    _insert(connection, predicted_labels, labels)


def read_document_row(store: Store, row: sa.RowMapping, count: int) -> StoredDocument:
    """A row of `documents` as a value. count: its active clauses."""
    department = Department(row["department"], row["kind"], row["county"], row["state"])
    return StoredDocument(
        row["id"],
        row["name"],
        store.files / row["kept"],
        row["status"],
        row["reason"],
        row["pages"],
        row["pages_read"],
        department,
        row["model"],
        row["scored_at"],
        count,
    )


def read_clause_row(row: sa.RowMapping) -> Clause:
    """A row of `clauses` as a value; its id is the store's."""
    boxes = tuple((int(page), x0, top, x1, bottom) for page, x0, top, x1, bottom in row["boxes"])
    return Clause(row["id"], row["kind"], row["page"], row["heading"], row["context"], row["text"], boxes, row["depth"])


# What a person can label: the clauses of the last scoring, without headings, contents and signatures.
LABELLABLE = sa.and_(clauses.c.active, clauses.c.kind == "clause")


def list_documents(store: Store, annotator: str = "") -> list[DocumentProgress]:
    """All documents by name, with how far this annotator has come."""
    with store.reading() as connection:
        per_document = sa.select(clauses.c.document, sa.func.count()).where(LABELLABLE).group_by(clauses.c.document)
        counts = {row[0]: row[1] for row in connection.execute(per_document)}
        done = _progress_by_document(connection, annotator)
        rows = connection.execute(sa.select(documents).order_by(documents.c.name, documents.c.id)).mappings()
        return [
            DocumentProgress(
                read_document_row(store, row, counts.get(row["id"], 0)),
                *(done.get((row["id"], slot), 0) for slot in ("decision", "skip", "flag")),
            )
            for row in rows
        ]


def _progress_by_document(connection: sa.Connection, annotator: str) -> dict[tuple[str, str], int]:
    """(document, slot) → clauses; a skipped clause that was decided in the end counts as decided only."""
    decided = standing.alias()
    query = (
        sa.select(clauses.c.document, standing.c.slot, sa.func.count())
        .join(standing, standing.c.clause == clauses.c.id)
        .where(LABELLABLE, standing.c.annotator == annotator)
        .where(
            sa.or_(
                standing.c.slot != "skip",
                ~sa.exists().where(
                    decided.c.clause == clauses.c.id,
                    decided.c.annotator == annotator,
                    decided.c.slot == "decision",
                ),
            )
        )
        .group_by(clauses.c.document, standing.c.slot)
    )
    return {(document, slot): count for document, slot, count in connection.execute(query)}


def list_departments(store: Store) -> list[DepartmentCount]:
    """All departments by name, with their documents and clauses."""
    query = (
        sa.select(documents.c.department, sa.func.count(documents.c.id.distinct()), sa.func.count(clauses.c.id))
        .outerjoin(clauses, sa.and_(clauses.c.document == documents.c.id, LABELLABLE))
        .group_by(documents.c.department)
        .order_by(documents.c.department)
    )
    with store.reading() as connection:
        return [DepartmentCount(*row) for row in connection.execute(query)]


def read_predictions(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, tuple[str, Prediction]]:
    """clause → (model version, prediction) of the version that scored its document last. which: a condition on clauses."""
    found = (
        sa.select(predictions)
        .join(clauses, clauses.c.id == predictions.c.clause)
        .join(documents, sa.and_(documents.c.id == clauses.c.document, documents.c.model == predictions.c.model))
        .where(which)
    )
    of_label = sa.and_(
        predicted_labels.c.clause == predictions.c.clause, predicted_labels.c.model == predictions.c.model
    )
    labels = (
        found.with_only_columns(predicted_labels).join(predicted_labels, of_label).order_by(predicted_labels.c.rank)
    )
    given: dict[str, list[Label]] = {}
    for row in connection.execute(labels).mappings():
        label = Label(row["practice"], row["probability"], row["stance"], row["stance_probability"])
        given.setdefault(row["clause"], []).append(label)
    return {
        row["clause"]: (
            row["model"],
            Prediction(
                tuple(given.get(row["clause"], ())),
                tuple(Condition(c["type"], c["text"]) for c in row["conditions"]),
                row["scores"],
                row["doubt"],
                row["review"],
            ),
        )
        for row in connection.execute(found).mappings()
    }
