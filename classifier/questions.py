"""Questions that annotators put about clauses (`corrections.flag`) and that nobody has answered yet."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from classifier.corrections import Event, standing_events
from classifier.store import Store, require_role
from classifier.store_documents import LABELLABLE
from classifier.store_tables import assignments, clauses, documents, standing


@dataclass(frozen=True, slots=True)
class Matter:
    """A clause that waits for an adjudicator. decisions: one event an annotator. questions: the open ones; both oldest first."""

    clause: str
    decisions: tuple[Event, ...]
    questions: tuple[Event, ...]


def open_questions(store: Store, adjudicator: str, *, limit: int = 50) -> list[str]:
    """Ids of the clauses with a question that no adjudication has answered since, in reading order.

    Raises NotAllowed for anybody but an adjudicator. A clause that this adjudicator labels blind and has not decided yet
    is left out.
    """
    asked, answered, own = standing.alias(), standing.alias(), standing.alias()
    since = sa.exists().where(
        answered.c.clause == asked.c.clause, answered.c.slot == "adjudication", answered.c.event > asked.c.event
    )
    open_ones = sa.select(asked.c.clause).where(asked.c.slot == "flag", ~since)
    waiting = sa.exists().where(
        assignments.c.clause == clauses.c.id,
        assignments.c.annotator == adjudicator,
        assignments.c.blind,
        ~sa.exists().where(own.c.clause == clauses.c.id, own.c.annotator == adjudicator, own.c.slot == "decision"),
    )
    with store.reading() as connection:
        require_role(connection, adjudicator, "adjudicator")
        return list(
            connection.scalars(
                sa.select(clauses.c.id)
                .join(documents, documents.c.id == clauses.c.document)
                .where(LABELLABLE, clauses.c.id.in_(open_ones), ~waiting)
                .order_by(documents.c.name, clauses.c.document, clauses.c.place)
                .limit(limit)
            )
        )


def matter(store: Store, adjudicator: str, clause: str) -> Matter:
    """What people decided and asked about a clause. Raises NotAllowed for anybody but an adjudicator."""
    with store.reading() as connection:
        require_role(connection, adjudicator, "adjudicator")
        found = standing_events(connection, standing.c.clause == clause)
    settled = max((e.id for e in found if e.kind == "adjudicate"), default=0)
    decisions = [e for e in found if e.new is not None and e.kind != "adjudicate"]
    return Matter(clause, tuple(decisions), tuple(e for e in found if e.kind == "flag" and e.id > settled))
