"""A review store → [Source]: its documents with the labels that hold now, read in one state of the store."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from classifier.departments import REGISTRY, Department, Registry, read_registry
from classifier.errors import ClassifierError, UsageError
from classifier.evidence_sources import Source, SourceUnit
from classifier.labellings import Labelling, from_json
from classifier.store import Store
from classifier.store_tables import clauses, documents, events, findings, predicted_labels, predictions, standing


def read_store(store: Store, registry: Registry) -> list[Source]:
    """The store's documents. Labels as `double_annotation.final_labels` has them, but read all at once.

    registry: gives effective dates and sources, by department and file name. Raises StoreError.
    """
    with store.reading() as connection:
        sources = _documents(connection, registry)
        units = _units(connection, sources)
        _take_machine_labels(connection, units)
        decided = _take_decisions(connection, units)
        _take_scores(connection, sources, decided)
    return list(sources.values())


def _documents(connection: sa.Connection, registry: Registry) -> dict[str, Source]:
    of_file = {(d.name, path.name): d for path, d in registry.by_file.items()}
    sources = {}
    for d in connection.execute(sa.select(documents)):
        known = of_file.get((d.department, d.name.rpartition("/")[2]), Department(""))
        department = replace(known, name=d.department, kind=d.kind, county=d.county, state=d.state)
        sources[d.id] = Source(d.id, d.name, department, d.status, d.reason, d.pages, d.pages_read, None, d.model)
    return sources


def _units(connection: sa.Connection, sources: dict[str, Source]) -> dict[str, SourceUnit]:
    """Put the units of the last scoring into their documents; returns them by id."""
    columns = [clauses.c[name] for name in "document id place kind page heading context text".split()]
    # JSON is read as text throughout: SQLAlchemy takes it apart row by row, three times as slowly
    query = sa.select(*columns, sa.cast(clauses.c.boxes, sa.Text)).where(clauses.c.active).order_by(clauses.c.place)
    units = {}
    for row in connection.execute(query):
        document, id_, place, kind, page, heading, context, text, boxes = tuple[Any, ...](row)
        drawn = tuple((int(on), *edges) for on, *edges in json.loads(boxes))
        units[id_] = unit = SourceUnit(id_, place, kind, page, heading, context, text, drawn)
        sources[document].units.append(unit)
    return units


def _of_machine(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Rows of a table of predictions: on clauses in use, by the version that scored the document last."""
    version = sa.and_(documents.c.id == clauses.c.document, documents.c.model == table.c.model)
    return (
        sa.select(*columns)
        .select_from(table)
        .join(clauses, clauses.c.id == table.c.clause)
        .join(documents, version)
        .where(clauses.c.active)
    )


def _take_machine_labels(connection: sa.Connection, units: dict[str, SourceUnit]) -> None:
    c = predicted_labels.c
    probability = c.probability * c.stance_probability
    labels = _of_machine(predicted_labels, c.clause, c.practice, c.stance, probability)
    for clause, practice, stance, sure in connection.execute(labels):
        units[clause].labels += ((practice, stance, sure),)
    conditions = _of_machine(predictions, predictions.c.clause, sa.cast(predictions.c.conditions, sa.Text))
    for clause, said in connection.execute(conditions):
        if said != "[]":
            units[clause].conditions = tuple((one["type"], one["text"]) for one in json.loads(said))


def _take_decisions(connection: sa.Connection, units: dict[str, SourceUnit]) -> set[str]:
    """Put people's labels in place of the machine's: the last adjudication, else decisions that agree.

    Returns the clauses that have people's labels.
    """
    settled: dict[str, tuple[str, Any]] = {}
    decisions: dict[str, list[tuple[str, str, Any]]] = defaultdict(list)
    s = standing.c
    query = sa.select(s.clause, s.slot, s.annotator, s.answer, sa.cast(events.c.new, sa.Text))
    query = query.join(events, events.c.id == s.event).where(s.slot.in_(("decision", "adjudication"))).order_by(s.event)
    for clause, slot, annotator, answer, new in connection.execute(query):
        if slot == "adjudication":
            settled[clause] = (annotator, new)
        else:
            decisions[clause].append((annotator, answer, new))
    decided = set()
    for clause in settled.keys() | decisions.keys():
        given = decisions[clause]
        if clause not in units or units[clause].kind != "clause":
            continue  # not in the last scoring
        if clause not in settled and len({answer for _, answer, _ in given}) > 1:
            continue
        decided.add(clause)
        unit = units[clause]
        if clause in settled:
            unit.state, (unit.reviewer, new) = "adjudicated", settled[clause]
        else:
            unit.state, unit.reviewer, new = "reviewed", ", ".join(a for a, _, _ in given), given[-1][2]
        labelling: Labelling = from_json(json.loads(new))
        unit.labels = tuple((practice, stance, 1.0) for practice, stance in labelling.labels.items())
        unit.conditions = tuple((condition.type, condition.text) for condition in labelling.conditions)
    return decided


def _take_scores(connection: sa.Connection, sources: dict[str, Source], decided: set[str]) -> None:
    """How high the machine scored a practice on the clauses that no person decided: it says how sure a silence is."""
    silent = sa.select(findings.c.document, findings.c.practice, findings.c.probability)
    for document, practice, probability in connection.execute(silent.where(findings.c.verdict == "silent")):
        sources[document].highest[practice] = 1.0 - probability
    touched = [s.document for s in sources.values() if any(u.id in decided for u in s.units)]
    for document in touched:
        sources[document].highest = {}
    c = predictions.c
    scores = _of_machine(predictions, c.clause, clauses.c.document, sa.cast(c.scores, sa.Text))
    if len(touched) < len(sources):
        scores = scores.where(clauses.c.document.in_(touched))
    for clause, document, scored in connection.execute(scores):
        if clause not in decided:
            highest = sources[document].highest
            for practice, score in json.loads(scored).items():
                highest[practice] = max(score, highest.get(practice, 0.0))


# the list of departments: the store itself knows neither dates nor departments without a document


def kept_list(at: Store) -> Registry:
    """The list of departments that was given to this store, or an empty one."""
    listed = at.files / REGISTRY
    return read_registry([listed]) if listed.is_file() else Registry()


def keep_list(at: Store, content: bytes) -> None:
    """Keep a departments.csv with the store, in place of the one before. Raises UsageError where it can't be read."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / REGISTRY).write_bytes(content)
        try:
            read_registry([Path(folder)])
        except ClassifierError as error:
            raise UsageError(error.message.replace(f"{folder}/", ""), error.next_step) from error
    made = at.files / f".{REGISTRY}"
    made.write_bytes(content)
    made.replace(at.files / REGISTRY)
