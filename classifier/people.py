"""Who works in a store: roles and who may change them, how far everybody is, what is assigned, who may see whose labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from classifier.store import ROLES, Annotator, NotAllowed, Role, Store, require_role
from classifier.store_documents import LABELLABLE
from classifier.store_tables import StoreError, annotators, assignments, clauses, documents, events, standing


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the store, with counts of clauses; of those assigned, how many they decided. last: their last step (UTC)."""

    name: str
    role: Role
    decided: int
    skipped: int
    flagged: int
    adjudicated: int
    assigned: int
    assigned_decided: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators and the number of clauses that both decided."""

    first: str
    second: str
    clauses: int


def check_role(store: Store, name: str, *allowed: Role) -> Annotator:
    """The person. Raises NotAllowed where the name is unknown or the role is none of those allowed."""
    with store.reading() as connection:
        return require_role(connection, name, *allowed)


def change_role(store: Store, by: str, name: str, role: Role) -> Annotator:
    """Give a person another role. One adjudicator stays, or nobody could change roles again.

    Raises NotAllowed unless `by` is an adjudicator, StoreError for an unknown person or role and for the last adjudicator.
    """
    if role not in ROLES:
        raise StoreError(f"unknown role {role!r}", f"use {', '.join(ROLES)}")
    with store.writing() as connection:
        store.one_at_a_time(connection)  # two adjudicators who demote each other
        require_role(connection, by, "adjudicator")
        require_role(connection, name, *ROLES)
        others = sa.select(sa.func.count()).where(annotators.c.role == "adjudicator", annotators.c.name != name)
        if role != "adjudicator" and not connection.scalar(others):
            raise StoreError(f"{name} is the only adjudicator", "make somebody else adjudicator first")
        connection.execute(annotators.update().where(annotators.c.name == name).values(role=role))
    return Annotator(name, role)


def list_people(store: Store) -> list[Person]:
    """Everybody in the store by name, with how far they are."""
    skipped_only = standing.alias()
    decided_too = sa.exists().where(
        skipped_only.c.clause == standing.c.clause,
        skipped_only.c.annotator == standing.c.annotator,
        skipped_only.c.slot == "decision",
    )
    stand = (
        sa.select(standing.c.annotator, standing.c.slot, sa.func.count())
        .join(clauses, clauses.c.id == standing.c.clause)
        .where(LABELLABLE, sa.or_(standing.c.slot != "skip", ~decided_too))
        .group_by(standing.c.annotator, standing.c.slot)
    )
    steps = sa.select(events.c.annotator, sa.func.max(events.c.time)).group_by(events.c.annotator)
    with store.reading() as connection:
        of = {(name, slot): count for name, slot, count in connection.execute(stand)}
        last: dict[str, datetime] = {row[0]: row[1] for row in connection.execute(steps)}
        people = connection.execute(sa.select(annotators.c.name, annotators.c.role).order_by(annotators.c.name)).all()
    table = list_assignments(store)
    given = [(table[table["annotator"] == name][["clauses", "decided"]].sum()) for name, _ in people]
    return [
        Person(
            name,
            role,
            of.get((name, "decision"), 0),
            of.get((name, "skip"), 0),
            of.get((name, "flag"), 0),
            of.get((name, "adjudication"), 0),
            int(its["clauses"]),
            int(its["decided"]),
            last.get(name),
        )
        for (name, role), its in zip(people, given, strict=True)
    ]


def list_assignments(store: Store) -> pd.DataFrame:
    """What is assigned to whom: one row for each annotator, document and way.

    Columns: annotator, document, blind, clauses, decided (of those clauses, by this annotator), assigned_by, time (of the
    last assignment, UTC).
    """
    own = standing.alias()
    done = sa.and_(
        own.c.clause == assignments.c.clause, own.c.annotator == assignments.c.annotator, own.c.slot == "decision"
    )
    query = (
        sa.select(
            assignments.c.annotator,
            documents.c.name.label("document"),
            assignments.c.blind,
            sa.func.count().label("clauses"),
            sa.func.count(own.c.event).label("decided"),
            sa.func.max(assignments.c.assigned_by).label("assigned_by"),
            sa.func.max(assignments.c.time).label("time"),
        )
        .join(clauses, clauses.c.id == assignments.c.clause)
        .join(documents, documents.c.id == clauses.c.document)
        .outerjoin(own, done)
        .where(LABELLABLE)
        .group_by(assignments.c.annotator, documents.c.id, documents.c.name, assignments.c.blind)
        .order_by(assignments.c.annotator, documents.c.name, documents.c.id)
    )
    with store.reading() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return pd.DataFrame(rows, columns=["annotator", "document", "blind", "clauses", "decided", "assigned_by", "time"])


def doubled_pairs(store: Store) -> list[Pair]:
    """Every two annotators who decided the same clauses, those with most of them first."""
    one, two = standing.alias(), standing.alias()
    count = sa.func.count()
    query = (
        sa.select(one.c.annotator, two.c.annotator, count)
        .join(two, sa.and_(one.c.clause == two.c.clause, one.c.annotator < two.c.annotator))
        .where(one.c.slot == "decision", two.c.slot == "decision")
        .group_by(one.c.annotator, two.c.annotator)
        .order_by(count.desc(), one.c.annotator, two.c.annotator)
    )
    with store.reading() as connection:
        return [Pair(*row) for row in connection.execute(query)]


def check_sight(store: Store, name: str) -> None:
    """Raises NotAllowed where this person may not see everybody's labels, as in tables and exports.

    While clauses are labelled blind, only adjudicators may, and of those nobody who has blind clauses left to decide.
    """
    mine, settled = standing.alias(), standing.alias()
    adjudicated = sa.exists().where(settled.c.clause == assignments.c.clause, settled.c.slot == "adjudication")
    blind = (
        sa.select(sa.func.count())
        .select_from(assignments)
        .join(clauses, clauses.c.id == assignments.c.clause)
        .where(LABELLABLE, assignments.c.blind, ~adjudicated)
    )
    decided = sa.exists().where(
        mine.c.clause == assignments.c.clause, mine.c.annotator == name, mine.c.slot == "decision"
    )
    with store.reading() as connection:
        person = require_role(connection, name, *ROLES)
        left = connection.scalar(blind.where(assignments.c.annotator == name, ~decided)) or 0
        if left:
            raise NotAllowed(
                f"{name} has {left} clauses to label blind and may not see other people's labels before",
                "decide them first: Review, filter “Assigned to me”",
            )
        if person.role != "adjudicator" and connection.scalar(blind):
            raise NotAllowed(
                "clauses are being labelled blind: everybody's labels are for adjudicators until those are adjudicated",
                "ask an adjudicator",
            )
