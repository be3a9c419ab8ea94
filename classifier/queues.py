"""Which clause comes next: orders, filters, duplicates, and how far an annotator has come. SQL does the work."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from classifier.labelled import fold
from classifier.store import Store
from classifier.store_documents import DRAW_RANGE, LABELLABLE
from classifier.store_tables import (
    StoreError,
    assignments,
    clauses,
    documents,
    findings,
    predicted_labels,
    predictions,
    standing,
)

Order = Literal["uncertain", "document", "audit"]
State = Literal["any", "undecided", "decided", "skipped", "flagged"]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which clauses a queue holds. Empty fields let everything through.

    practice: the machine gave the clause this label. verdict: the machine's verdict on that practice (or, without one, on
    any practice of the clause) in its document. disagreement: annotators' present decisions differ, not yet adjudicated.
    state: what the annotator did with it; `undecided` leaves out what was skipped. search: words in a row of the clause or
    its lead-in, in any case. assigned: given to this annotator by `assign`.

    Clauses that the annotator labels blind never pass practice, verdict and disagreement: the queue would tell.
    """

    practice: str = ""
    department: str = ""
    document: str = ""
    verdict: str = ""
    disagreement: bool = False
    state: State = "undecided"
    search: str = ""
    assigned: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of clauses for one annotator. skipped: and not decided since. flagged: with an open question."""

    clauses: int
    decided: int
    skipped: int
    flagged: int
    assigned: int
    assigned_decided: int


EVERYTHING = Filters(state="any")


class _Seat:
    """Clauses as one annotator finds them: each at most once, joined with what of theirs stands on it.

    Outer joins on unique keys, where conditions could do: PostgreSQL plans those badly until it has gathered statistics.
    """

    def __init__(self, annotator: str) -> None:
        self.slots = {slot: standing.alias(slot) for slot in ("decision", "skip", "flag")}
        self.given = assignments.alias("given")
        settled = standing.alias("settled")
        adjudicated = sa.exists().where(settled.c.clause == clauses.c.id, settled.c.slot == "adjudication")
        answered = sa.exists().where(
            settled.c.clause == clauses.c.id,
            settled.c.slot == "adjudication",
            settled.c.event > self.slots["flag"].c.event,
        )
        self.annotator = annotator
        self.decided = self.slots["decision"].c.event.is_not(None)
        self.skipped = sa.and_(~self.decided, self.slots["skip"].c.event.is_not(None))
        self.flagged = sa.and_(self.slots["flag"].c.event.is_not(None), ~answered)
        self.assigned = self.given.c.clause.is_not(None)
        self.blind = sa.and_(sa.func.coalesce(self.given.c.blind, sa.false()), ~adjudicated)

    def joined(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """A query on clauses, with their documents, present predictions and what is this annotator's."""
        now = sa.and_(predictions.c.clause == clauses.c.id, predictions.c.model == documents.c.model)
        query = query.select_from(clauses).join(documents, documents.c.id == clauses.c.document)
        query = query.outerjoin(predictions, now)
        for slot, here in self.slots.items():
            own = sa.and_(here.c.clause == clauses.c.id, here.c.slot == slot, here.c.annotator == self.annotator)
            query = query.outerjoin(here, own)
        given = sa.and_(self.given.c.clause == clauses.c.id, self.given.c.annotator == self.annotator)
        return query.outerjoin(self.given, given)

    def filtered(self, query: sa.Select[Any], filters: Filters) -> sa.Select[Any]:
        """The query, on clauses that pass the filters."""
        query = self.joined(query).where(LABELLABLE)
        if filters.department:
            query = query.where(documents.c.department == filters.department)
        if filters.document:
            query = query.where(documents.c.id == filters.document)
        if filters.search.strip():
            query = query.where(clauses.c.folded.contains(fold(filters.search), autoescape=True))
        if filters.assigned:
            query = query.where(self.assigned)
        if filters.practice or filters.verdict or filters.disagreement:
            query = query.where(~self.blind)
        if filters.practice or filters.verdict:
            query = query.where(clauses.c.id.in_(_labelled(filters.practice, filters.verdict)))
        if filters.disagreement:
            query = query.where(clauses.c.id.in_(disputed()))
        states: dict[State, Sequence[sa.ColumnElement[bool]]] = {
            "any": (),
            "undecided": (~self.decided, ~self.skipped),
            "decided": (self.decided,),
            "skipped": (self.skipped,),
            "flagged": (self.flagged,),
        }
        return query.where(*states[filters.state])

    def keys(self, order: Order, seed: int) -> list[sa.ColumnElement[Any]]:
        """What a queue is sorted by, ascending; the last key differs for every clause."""
        reading: list[sa.ColumnElement[Any]] = [documents.c.name, clauses.c.document, clauses.c.place, clauses.c.id]
        if order == "document":
            return reading
        if order == "audit":
            # a linear map modulo a prime permutes the clauses' own random numbers, in another way for each seed
            drawn = random.Random(seed)
            factor, offset = drawn.randrange(1, DRAW_RANGE), drawn.randrange(DRAW_RANGE)
            draw = sa.cast(clauses.c.draw, sa.BigInteger)
            return [(draw * sa.literal(factor, sa.BigInteger) + offset) % DRAW_RANGE, clauses.c.id]
        return [sa.case((self.blind, 1.0), else_=-sa.func.coalesce(predictions.c.doubt, 0.0)), *reading]


def queue(
    store: Store,
    annotator: str,
    order: Order = "uncertain",
    filters: Filters | None = None,
    *,
    limit: int = 50,
    seed: int = 0,
) -> list[str]:
    """The first `limit` clause ids of a queue.

    order: `uncertain`: highest doubt of the machine first, clauses to be labelled blind at the end, in reading order;
    `document`: reading order, documents by name; `audit`: at random by `seed`, so that the first n are a fair sample.
    """
    seat = _Seat(annotator)
    with store.reading() as connection:
        query = seat.filtered(sa.select(clauses.c.id), filters or Filters())
        return list(connection.scalars(query.order_by(*seat.keys(order, seed)).limit(limit)))


def next_after(
    store: Store,
    annotator: str,
    clause: str,
    order: Order = "uncertain",
    filters: Filters | None = None,
    *,
    backwards: bool = False,
    seed: int = 0,
) -> str | None:
    """The clause that follows in a queue, or None at its end; backwards: the one before.

    The clause itself need not pass the filters: it has perhaps just been decided. Raises StoreError for an unknown one.
    """
    seat = _Seat(annotator)
    keys = seat.keys(order, seed)
    with store.reading() as connection:
        at = connection.execute(seat.joined(sa.select(*keys)).where(clauses.c.id == clause)).one_or_none()
        if at is None:
            raise StoreError(f"no clause {clause!r} in the store", "go back to the queue")
        here = sa.tuple_(*(sa.literal(value) for value in at))
        beyond = sa.tuple_(*keys) < here if backwards else sa.tuple_(*keys) > here
        query = seat.filtered(sa.select(clauses.c.id), filters or Filters()).where(beyond)
        found: str | None = connection.scalar(query.order_by(*(k.desc() if backwards else k for k in keys)).limit(1))
        return found


def queue_length(store: Store, annotator: str, filters: Filters | None = None) -> int:
    """How many clauses a queue holds."""
    with store.reading() as connection:
        query = _Seat(annotator).filtered(sa.select(sa.func.count()), filters or Filters())
        return connection.scalar(query) or 0


def _labelled(practice: str, verdict: str) -> sa.Select[tuple[str]]:
    """Ids of clauses with a label of the machine: of this practice, if one is named, and with this verdict on it."""
    of, within = clauses.alias(), documents.alias()
    query = (
        sa.select(predicted_labels.c.clause)
        .join(of, of.c.id == predicted_labels.c.clause)
        .join(within, sa.and_(within.c.id == of.c.document, within.c.model == predicted_labels.c.model))
    )
    if practice:
        query = query.where(predicted_labels.c.practice == practice)
    if verdict:
        said = sa.and_(findings.c.document == within.c.id, findings.c.practice == predicted_labels.c.practice)
        query = query.join(findings, said).where(findings.c.verdict == verdict)
    return query


def disputed() -> sa.Select[tuple[str]]:
    """Ids of clauses on which annotators' present decisions differ and that nobody has adjudicated yet."""
    settled = standing.alias()
    return (
        sa.select(standing.c.clause)
        .where(standing.c.slot == "decision")
        .where(~sa.exists().where(settled.c.clause == standing.c.clause, settled.c.slot == "adjudication"))
        .group_by(standing.c.clause)
        .having(sa.func.min(standing.c.answer) != sa.func.max(standing.c.answer))
    )


def duplicates_of(store: Store, annotator: str, clause: str) -> list[str]:
    """Clauses of other documents that read exactly alike, lead-in included, and that this annotator has not decided.

    White space and case do not count. A clause to be labelled blind goes with blind ones only, and one labelled in
    sight of the machine with the like.
    """
    seat = _Seat(annotator)
    with store.reading() as connection:
        this = connection.execute(
            seat.joined(sa.select(clauses.c.twin, clauses.c.document, seat.blind)).where(clauses.c.id == clause)
        ).one_or_none()
        if this is None:
            raise StoreError(f"no clause {clause!r} in the store", "go back to the queue")
        twin, document, blind = this
        alike = (
            seat.joined(sa.select(clauses.c.id))
            .where(LABELLABLE, clauses.c.twin == twin, clauses.c.document != document)
            .where(~seat.decided, seat.blind if blind else ~seat.blind)
            .order_by(*seat.keys("document", 0))
        )
        return list(connection.scalars(alike))


def progress(store: Store, annotator: str) -> Progress:
    """How far this annotator has come with everything in the store."""
    seat = _Seat(annotator)
    of = {
        "clauses": sa.true(),
        "decided": seat.decided,
        "skipped": seat.skipped,
        "flagged": seat.flagged,
        "assigned": seat.assigned,
        "assigned_decided": sa.and_(seat.assigned, seat.decided),
    }
    counts = [sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0).label(name) for name, which in of.items()]
    with store.reading() as connection:
        return Progress(**connection.execute(seat.joined(sa.select(*counts)).where(LABELLABLE)).mappings().one())
