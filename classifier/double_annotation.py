"""A second annotator: clauses assigned blind, where decisions differ, adjudication, and the labels that come of it all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Literal

import pandas as pd
import sqlalchemy as sa

from classifier.corrections import Event, add_event, new_batch, standing_events
from classifier.labellings import Labelling, from_json, predicted
from classifier.queues import disputed
from classifier.reliability import Agreement, Answers, agreement_of
from classifier.store import NotAllowed, Store, require_role
from classifier.store_documents import LABELLABLE, read_predictions
from classifier.store_tables import StoreError, annotators, assignments, clauses, documents, events, standing

ReviewState = Literal["machine only", "reviewed", "disputed", "adjudicated"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A clause on which present decisions differ. decisions: one event an annotator, oldest first."""

    clause: str
    decisions: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class FinalLabels:
    """The labels of one clause that everything later goes by, and whose they are.

    state: `adjudicated`; `reviewed`: the only decision, or decisions that agree; `disputed`: decisions that differ, so the
    machine's labels stay for the time being; `machine only`. annotators: those who decided, or the adjudicator.
    """

    clause: str
    document: str
    labelling: Labelling
    state: ReviewState
    annotators: tuple[str, ...]


def assign(
    store: Store,
    by: str,
    annotator: str,
    share: float,
    *,
    unit: Literal["clause", "document"] = "clause",
    blind: bool = True,
    seed: int = 0,
    within: Sequence[str] = (),
) -> int:
    """Give a random share of all clauses, or of whole documents, to an annotator; returns how many clauses are new.

    share: above 0, to 1, rounded up to a whole unit. within: ids of the documents to draw from, all if empty. blind: the
    annotator sees neither the machine's labels nor anybody else's until adjudication; clauses that they decided before
    are left out. The same call draws the same clauses. Raises NotAllowed unless `by` is an adjudicator.
    """
    if not 0 < share <= 1:
        raise StoreError(f"a share of {share}", "give one above 0, to 1")
    with store.writing() as connection:
        require_role(connection, by, "adjudicator")
        role = connection.scalar(sa.select(annotators.c.role).where(annotators.c.name == annotator))
        if role not in ("annotator", "adjudicator"):
            raise NotAllowed(f"{annotator!r} can't label clauses", "register the name as an annotator first")
        query = sa.select(clauses.c.id, clauses.c.document).where(LABELLABLE).order_by(clauses.c.id)
        if within:
            query = query.where(clauses.c.document.in_(within))
        rows = connection.execute(query).all()
        unit_of = {row.id: row.id if unit == "clause" else row.document for row in rows}
        units = sorted(set(unit_of.values()))
        drawn = set(random.Random(seed).sample(units, ceil(round(share * len(units), 6))))
        taken = sa.select(assignments.c.clause).where(assignments.c.annotator == annotator)
        decided = sa.select(standing.c.clause).where(standing.c.annotator == annotator, standing.c.slot == "decision")
        out = {*connection.scalars(taken), *(connection.scalars(decided) if blind else ())}
        now = datetime.now(UTC)
        given = [
            {"annotator": annotator, "clause": id_, "blind": blind, "assigned_by": by, "time": now}
            for id_, its_unit in unit_of.items()
            if its_unit in drawn and id_ not in out
        ]
        if given:
            connection.execute(assignments.insert(), given)
        return len(given)


def disputes(store: Store, adjudicator: str, *, limit: int = 50) -> list[Dispute]:
    """Clauses whose decisions differ and that nobody has adjudicated yet, in reading order.

    Raises NotAllowed for anybody but an adjudicator. A clause that this adjudicator labels blind and has not decided yet
    is left out.
    """
    with store.reading() as connection:
        require_role(connection, adjudicator, "adjudicator")
        own = standing.alias()
        waiting = sa.exists().where(
            assignments.c.clause == clauses.c.id,
            assignments.c.annotator == adjudicator,
            assignments.c.blind,
            ~sa.exists().where(own.c.clause == clauses.c.id, own.c.annotator == adjudicator, own.c.slot == "decision"),
        )
        ids = connection.scalars(
            sa.select(clauses.c.id)
            .join(documents, documents.c.id == clauses.c.document)
            .where(LABELLABLE, clauses.c.id.in_(disputed()), ~waiting)
            .order_by(documents.c.name, clauses.c.document, clauses.c.place)
            .limit(limit)
        ).all()
        which = (standing.c.slot == "decision", standing.c.clause.in_(ids))
        found: dict[str, list[Event]] = {id_: [] for id_ in ids}
        for event in standing_events(connection, *which):
            found[event.clause].append(event)
        return [Dispute(id_, tuple(its)) for id_, its in found.items()]


def adjudicate(store: Store, adjudicator: str, clause: str, labelling: Labelling, reason: str) -> Event:
    """Settle the labels of a clause. The reason is kept with it. `corrections.undo` takes it back.

    Raises NotAllowed for anybody but an adjudicator, StoreError without a reason, LabellingError for labels that break
    the codebook.
    """
    with store.writing() as connection:
        require_role(connection, adjudicator, "adjudicator")
        if not reason.strip():
            raise StoreError("no reason for the adjudication", "say why these labels are right")
        return add_event(connection, adjudicator, clause, "adjudicate", new_batch(), new=labelling, note=reason)


def final_labels(store: Store, document: str = "") -> list[FinalLabels]:
    """The labels of every clause, or of one document's clauses, in reading order: adjudicated, else agreed, else the machine's."""
    with store.reading() as connection:
        which = sa.and_(LABELLABLE, clauses.c.document == document) if document else LABELLABLE
        rows = connection.execute(
            sa.select(clauses.c.id, clauses.c.document)
            .join(documents, documents.c.id == clauses.c.document)
            .where(which)
            .order_by(documents.c.name, clauses.c.document, clauses.c.place)
        ).all()
        said = read_predictions(connection, which)
        decisions: dict[str, list[tuple[str, Labelling]]] = {}
        settled: dict[str, tuple[str, Labelling]] = {}
        stand = (
            sa.select(standing.c.clause, standing.c.slot, standing.c.annotator, events.c.new)
            .join(events, events.c.id == standing.c.event)
            .join(clauses, clauses.c.id == standing.c.clause)
            .where(which, standing.c.slot.in_(("decision", "adjudication")))
            .order_by(standing.c.event)
        )
        for clause, slot, annotator, new in connection.execute(stand):
            if slot == "adjudication":
                settled[clause] = (annotator, from_json(new))  # in order: the last adjudication stands
            else:
                decisions.setdefault(clause, []).append((annotator, from_json(new)))
    found = []
    for id_, its_document in rows:
        machine = predicted(said[id_][1]) if id_ in said else Labelling()
        found.append(FinalLabels(id_, its_document, *_settle(settled.get(id_), decisions.get(id_, []), machine)))
    return found


def _settle(
    settled: tuple[str, Labelling] | None, decisions: Sequence[tuple[str, Labelling]], machine: Labelling
) -> tuple[Labelling, ReviewState, tuple[str, ...]]:
    """The labels that hold, by what right, and whose they are."""
    if settled is not None:
        return settled[1], "adjudicated", (settled[0],)
    if not decisions:
        return machine, "machine only", ()
    people = tuple(annotator for annotator, _ in decisions)
    if len({labelling.answer for _, labelling in decisions}) > 1:
        return machine, "disputed", people
    return decisions[-1][1], "reviewed", people


def double_decisions(store: Store) -> pd.DataFrame:
    """The raw table: one row for each clause that several annotators decided, in reading order.

    Columns: clause, document, page, heading, context, text, one for each annotator with their answer (missing where they
    gave none), adjudicated. Answers read "practice:stance|practice;condition|condition".
    """
    doubled = (
        sa.select(standing.c.clause)
        .where(standing.c.slot == "decision")
        .group_by(standing.c.clause)
        .having(sa.func.count() > 1)
    )
    columns = (clauses.c.page, clauses.c.heading, clauses.c.context, clauses.c.text)
    with store.reading() as connection:
        found = connection.execute(
            sa.select(clauses.c.id.label("clause"), documents.c.name.label("document"), *columns)
            .join(documents, documents.c.id == clauses.c.document)
            .where(clauses.c.id.in_(doubled))
            .order_by(documents.c.name, clauses.c.document, clauses.c.place)
        ).mappings()
        rows = {row["clause"]: dict(row) for row in found}
        given = connection.execute(
            sa.select(standing)
            .where(standing.c.clause.in_(doubled), standing.c.slot.in_(("decision", "adjudication")))
            .order_by(standing.c.event)
        ).all()
    names = sorted({row.annotator for row in given if row.slot == "decision"})
    for row in given:
        rows[row.clause][row.annotator if row.slot == "decision" else "adjudicated"] = row.answer
    return pd.DataFrame(
        list(rows.values()),
        columns=["clause", "document", "page", "heading", "context", "text", *names, "adjudicated"],
    )


def agreement(store: Store, first: str, second: str, *, resamples: int = 1000, seed: int = 0) -> Agreement:
    """How far two annotators agree on the clauses that both decided; see `reliability.agreement_of`.

    Raises StoreError where there is no such clause.
    """
    with store.reading() as connection:
        one, two = standing.alias(), standing.alias()
        pairs = connection.execute(
            sa.select(one.c.answer, two.c.answer)
            .join(two, one.c.clause == two.c.clause)
            .where(one.c.annotator == first, one.c.slot == "decision")
            .where(two.c.annotator == second, two.c.slot == "decision")
            .order_by(one.c.clause)
        ).all()
    if not pairs:
        raise StoreError(f"no clause that both {first} and {second} decided", "assign a share of clauses to the second")
    return agreement_of([Answers.of(*pair) for pair in pairs], resamples=resamples, seed=seed)
