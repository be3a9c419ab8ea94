"""Decisions of people on clauses: events that are only ever added, and what stands of them.

An annotator's present decision on a clause is the last decision event of theirs that is not undone. `standing` holds the
event that stands for each clause, annotator and slot (decision, adjudication, skip, flag); it is kept by the same
transactions that add the events, and follows from them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from classifier.clauses import Clause
from classifier.labellings import Labelling, check_labelling, from_json, predicted, to_json
from classifier.predictions import Prediction
from classifier.store import Store, require_role
from classifier.store_documents import (
    StoredDocument,
    read_clause_row,
    read_document_row,
    read_predictions,
    storable,
)
from classifier.store_tables import StoreError, annotators, assignments, clauses, documents, events, standing

EventKind = Literal["accept", "correct", "skip", "flag", "undo", "adjudicate", "import"]
Slot = Literal["decision", "adjudication", "skip", "flag"]
SLOTS: dict[str, Slot] = {
    "accept": "decision",
    "correct": "decision",
    "import": "decision",
    "adjudicate": "adjudication",
    "skip": "skip",
    "flag": "flag",
}
UNDOABLE = (
    "accept",
    "correct",
    "skip",
    "flag",
    "adjudicate",
)  # what somebody imported is not the annotator's last step
NEIGHBOURS = 2  # units shown before and after a clause


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a person did. old, new: labels before and after; None where there were none.

    kind: `accept` gave the machine's labels as they were shown, `correct` others, or any labels given blind.
    time: when it was recorded (UTC). decided_at: when another program recorded it, for what was imported or adjudicated
    there. seconds: taken to decide; None if not measured. batch: shared by what was decided in one step.
    model, machine: the version that had scored the clause, and its labels, conditions, scores (0 to 1) and doubt.
    undoes: id of the event that this one takes back.
    """

    id: int
    time: datetime
    annotator: str
    clause: str
    kind: EventKind
    batch: str
    model: str
    old: Labelling | None
    new: Labelling | None
    machine: dict[str, Any] | None
    seconds: float | None
    note: str
    undoes: int | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClauseView:
    """What one annotator sees of a clause. before, after: up to two units on each side, nearest last and first.

    prediction: None where the annotator works blind (`blind`), and for a clause without one.
    decision: the annotator's own, if any. flag: the open question that they put, or empty.
    """

    clause: Clause
    document: StoredDocument
    place: int
    before: tuple[Clause, ...]
    after: tuple[Clause, ...]
    prediction: Prediction | None
    decision: Event | None
    flag: str
    blind: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo took back. clauses: ids, as they were decided together. restored: what stands there again, or None."""

    kind: EventKind
    clauses: tuple[str, ...]
    restored: Labelling | None


def view_clause(store: Store, annotator: str, clause: str) -> ClauseView:
    """A clause with its surroundings, as this annotator may see it. Raises StoreError for an unknown id."""
    with store.reading() as connection:
        row = connection.execute(sa.select(clauses).where(clauses.c.id == clause)).mappings().one_or_none()
        if row is None:
            raise StoreError(f"no clause {clause!r} in the store", "go back to the queue")
        of = connection.execute(sa.select(documents).where(documents.c.id == row["document"])).mappings().one()
        inside = sa.and_(clauses.c.document == row["document"], clauses.c.active)
        count = connection.scalar(sa.select(sa.func.count()).where(inside, clauses.c.kind == "clause")) or 0
        near = clauses.c.place.between(row["place"] - NEIGHBOURS, row["place"] + NEIGHBOURS)
        around = connection.execute(
            sa.select(clauses).where(inside, near, clauses.c.id != clause).order_by(clauses.c.place)
        ).mappings()
        neighbours = [(other["place"], read_clause_row(other)) for other in around]
        blind = is_blind(connection, annotator, clause)
        prediction = read_predictions(connection, clauses.c.id == clause).get(clause)
        own = standing_events(connection, standing.c.clause == clause, standing.c.annotator == annotator)
        by_slot = {SLOTS[event.kind]: _sealed(event) if blind else event for event in own}
        return ClauseView(
            read_clause_row(row),
            read_document_row(store, of, count),
            row["place"],
            tuple(c for place, c in neighbours if place < row["place"]),
            tuple(c for place, c in neighbours if place > row["place"]),
            prediction[1] if prediction and not blind else None,
            by_slot.get("decision"),
            by_slot["flag"].note if "flag" in by_slot else "",
            blind,
        )


def is_blind(connection: sa.Connection, annotator: str, clause: str) -> bool:
    """Was the clause given to this annotator to be labelled blind, and is it not yet adjudicated?"""
    given = sa.select(assignments.c.blind).where(
        assignments.c.annotator == annotator, assignments.c.clause == clause, assignments.c.blind
    )
    return bool(connection.scalar(given)) and not _is_adjudicated(connection, clause)


def _is_adjudicated(connection: sa.Connection, clause: str) -> bool:
    settled = sa.select(standing.c.event).where(standing.c.clause == clause, standing.c.slot == "adjudication")
    return connection.scalar(settled.limit(1)) is not None


def decide(
    store: Store,
    annotator: str,
    ids: Sequence[str],
    labelling: Labelling | None = None,
    *,
    seconds: float | None = None,
    note: str = "",
) -> tuple[Event, ...]:
    """Record a decision on one clause, or the same one on several that read alike; returns the events.

    labelling: None accepts the machine's labels, each clause its own. When this returns, the decision is on the disk.
    Raises NotAllowed for a viewer, LabellingError for labels that break the codebook, StoreError for an unknown clause
    or where there is nothing to accept; then nothing at all was recorded.
    """
    with store.writing() as connection:
        require_role(connection, annotator, "annotator", "adjudicator")
        batch = new_batch()
        return tuple(
            _decide_one(connection, annotator, id_, labelling, batch, seconds, note) for id_ in dict.fromkeys(ids)
        )


def _decide_one(
    connection: sa.Connection,
    annotator: str,
    clause: str,
    labelling: Labelling | None,
    batch: str,
    seconds: float | None,
    note: str,
) -> Event:
    said = read_predictions(connection, clauses.c.id == clause).get(clause)
    blind = is_blind(connection, annotator, clause)
    if labelling is None:
        if said is None or blind:
            raise StoreError("there are no labels of the machine to accept", "give the labels yourself")
        labelling = predicted(said[1])
    accepted = said is not None and not blind and to_json(labelling) == to_json(predicted(said[1]))
    kind: EventKind = "accept" if accepted else "correct"
    event = add_event(connection, annotator, clause, kind, batch, new=labelling, seconds=seconds, note=note)
    return _sealed(event) if blind else event


def skip(store: Store, annotator: str, clause: str, *, seconds: float | None = None) -> Event:
    """Leave a clause for later: it goes from the queue of undecided clauses to that of skipped ones."""
    with store.writing() as connection:
        require_role(connection, annotator, "annotator", "adjudicator")
        return add_event(connection, annotator, clause, "skip", new_batch(), seconds=seconds)


def flag(store: Store, annotator: str, clause: str, question: str) -> Event:
    """Put a question about a clause to the adjudicator. It is open until undone or adjudicated. Raises StoreError."""
    if not question.strip():
        raise StoreError("a flag without a question", "write what is to be settled")
    with store.writing() as connection:
        require_role(connection, annotator, "annotator", "adjudicator")
        return add_event(connection, annotator, clause, "flag", new_batch(), note=question)


def undo(store: Store, annotator: str) -> Undone | None:
    """Take back this annotator's last step that is not yet undone, with all that was decided together in it.

    None where there is nothing left to undo. It works across restarts: the steps stand in the store.
    """
    with store.writing() as connection:
        require_role(connection, annotator, "annotator", "adjudicator")
        undoing = events.alias()
        last = connection.scalar(
            sa.select(events.c.batch)
            .where(events.c.annotator == annotator, events.c.kind.in_(UNDOABLE))
            .where(~sa.exists().where(undoing.c.undoes == events.c.id))
            .order_by(events.c.id.desc())
            .limit(1)
        )
        if last is None:
            return None
        query = sa.select(events).where(events.c.batch == last, events.c.annotator == annotator).order_by(events.c.id)
        taken_back = [read_event_row(row) for row in connection.execute(query).mappings()]
        batch = new_batch()
        added = [_take_back(connection, event, batch) for event in taken_back]
        return Undone(taken_back[0].kind, tuple(e.clause for e in taken_back), added[0].new)


def history(store: Store, annotator: str, clause: str) -> list[Event]:
    """What happened to a clause, oldest first, as far as this annotator may see it.

    While a clause is under blind double annotation, its annotators see their own events only; adjudicators see all,
    unless they label it blind themselves.
    """
    with store.reading() as connection:
        query = sa.select(events).where(events.c.clause == clause).order_by(events.c.id)
        role = connection.scalar(sa.select(annotators.c.role).where(annotators.c.name == annotator))
        doubled = connection.scalar(
            sa.select(sa.func.count()).where(assignments.c.clause == clause, assignments.c.blind)
        )
        apart = bool(doubled) and role != "adjudicator" and not _is_adjudicated(connection, clause)
        blind = is_blind(connection, annotator, clause)
        found = [read_event_row(row) for row in connection.execute(query).mappings()]
        own = [event for event in found if event.annotator == annotator or not (apart or blind)]
        return [_sealed(event) for event in own] if blind else own


def new_batch() -> str:
    """A name for what is done in one step."""
    return uuid.uuid4().hex


def add_event(
    connection: sa.Connection,
    annotator: str,
    clause: str,
    kind: EventKind,
    batch: str,
    *,
    new: Labelling | None = None,
    seconds: float | None = None,
    note: str = "",
    decided_at: datetime | None = None,
) -> Event:
    """Add one event in a writing transaction, and let it stand. Roles and undoing are the callers' matter.

    Raises StoreError for a clause that nobody can label, LabellingError for labels that break the codebook.
    """
    query = sa.select(clauses.c.kind, clauses.c.text, clauses.c.context).where(clauses.c.id == clause)
    of = connection.execute(query).one_or_none()
    if of is None or of.kind != "clause":
        raise StoreError(f"no clause {clause!r} to decide on", "go back to the queue")
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise StoreError(f"{seconds} is no time taken", "give seconds from 0, or leave them out")
    if new is not None:
        check_labelling(new, of.text, of.context)
    slot = SLOTS[kind]
    model, said = read_predictions(connection, clauses.c.id == clause).get(clause, ("", None))
    which = (standing.c.clause == clause, standing.c.annotator == annotator, standing.c.slot == slot)
    before = next(iter(standing_events(connection, *which)), None)
    old = before.new if before else None
    if slot == "decision" and old is None and said and not is_blind(connection, annotator, clause):
        old = predicted(said)
    machine = _machine_json(said) if said else None
    event = Event(
        0, datetime.now(UTC), annotator, clause, kind, batch, model, old, new, machine, seconds, storable(note), None,
        decided_at,
    )  # fmt: skip
    event = _record(connection, event)
    _let_stand(connection, event, clause, annotator, slot)
    return event


def _take_back(connection: sa.Connection, event: Event, batch: str) -> Event:
    """Add the undoing of an event, and let stand what stood before it."""
    slot = SLOTS[event.kind]
    stands = _last_not_undone(connection, event, slot)
    new = stands.new if stands else None
    undoing = Event(
        0, datetime.now(UTC), event.annotator, event.clause, "undo", batch, event.model, event.new, new, None, None, "",
        event.id, None,
    )  # fmt: skip
    _let_stand(connection, stands, event.clause, event.annotator, slot)
    return _record(connection, undoing)


def _record(connection: sa.Connection, event: Event) -> Event:
    """Write an event; returns it with the id that it got."""
    answer = event.new.answer if event.new is not None and event.kind != "undo" else None
    values = {
        "time": event.time,
        "decided_at": event.decided_at,
        "annotator": event.annotator,
        "clause": event.clause,
        "kind": event.kind,
        "batch": event.batch,
        "model": event.model,
        "old": to_json(event.old) if event.old is not None else None,
        "new": to_json(event.new) if event.new is not None else None,
        "machine": event.machine,
        "answer": answer,
        "seconds": event.seconds,
        "note": event.note,
        "undoes": event.undoes,
    }
    (id_,) = connection.execute(events.insert().values(**values).returning(events.c.id)).one()
    return replace(event, id=id_)


def _machine_json(prediction: Prediction) -> dict[str, Any]:
    """What the machine said when a person decided."""
    return {
        "labels": [
            {
                "practice": label.practice,
                "probability": label.probability,
                "stance": label.stance,
                "stance_probability": label.stance_probability,
            }
            for label in prediction.labels
        ],
        "conditions": [{"type": c.type, "text": c.text} for c in prediction.conditions],
        "scores": prediction.scores,
        "doubt": prediction.doubt,
    }


def _let_stand(connection: sa.Connection, event: Event | None, clause: str, annotator: str, slot: Slot) -> None:
    """Make an event, or none, the one that stands in a slot."""
    here = (standing.c.clause == clause, standing.c.annotator == annotator, standing.c.slot == slot)
    connection.execute(standing.delete().where(*here))
    if event is not None:
        answer = event.new.answer if event.new is not None else None
        connection.execute(
            standing.insert().values(clause=clause, annotator=annotator, slot=slot, event=event.id, answer=answer)
        )


def standing_events(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> list[Event]:
    """The events that stand, in order of their ids. which: conditions on `standing`, or on the clause and its document."""
    query = (
        sa.select(events)
        .join(standing, standing.c.event == events.c.id)
        .join(clauses, clauses.c.id == events.c.clause)
        .where(*which)
        .order_by(events.c.id)
    )
    return [read_event_row(row) for row in connection.execute(query).mappings()]


def _last_not_undone(connection: sa.Connection, other: Event, slot: Slot) -> Event | None:
    """The last event in the slot of another one, that one left out, that no undo took back."""
    undoing = events.alias()
    query = (
        sa.select(events)
        .where(events.c.clause == other.clause, events.c.annotator == other.annotator, events.c.id != other.id)
        .where(events.c.kind.in_([kind for kind, its in SLOTS.items() if its == slot]))
        .where(~sa.exists().where(undoing.c.undoes == events.c.id))
        .order_by(events.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return read_event_row(row) if row else None


def read_event_row(row: sa.RowMapping) -> Event:
    """A row of `events` as a value."""
    return Event(
        row["id"], row["time"], row["annotator"], row["clause"], row["kind"], row["batch"], row["model"],
        from_json(row["old"]) if row["old"] else None,
        from_json(row["new"]) if row["new"] else None,
        row["machine"], row["seconds"], row["note"], row["undoes"], row["decided_at"],
    )  # fmt: skip


def _sealed(event: Event) -> Event:
    """An event without what the machine said, for eyes that must not see it."""
    return replace(event, model="", machine=None)
