"""Decisions out of the store and into it: as annotation files of other programs, and as `.policy` files to train from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from classifier.annotation_formats import InterchangeError, Record, Refusal, read_records
from classifier.clauses import Clause
from classifier.conditions import Condition
from classifier.corrections import Event, add_event, new_batch, standing_events
from classifier.double_annotation import FinalLabels, final_labels
from classifier.errors import ClassifierError
from classifier.labelled import HEADER_KEYS, LEAD_IN_END, LabelledDocument, LabelledItem
from classifier.list_marks import read_mark
from classifier.store import NotAllowed, Store, require_role
from classifier.store_documents import LABELLABLE, read_clause_row
from classifier.store_tables import StoreError, annotators, clauses, documents, standing

OPTIONAL_KEYS = ("date", "county")
_LINE_MARK = re.compile(r"^(?:#+ |[|~] )\s*")  # what a line of a `.policy` file must not begin with by chance


@dataclass(frozen=True, slots=True)
class Import:
    """What came of an import. added: new decisions. known: records that stand in the store already."""

    added: int
    known: int
    refused: tuple[Refusal, ...]


def export_records(store: Store, document: str = "") -> list[Record]:
    """Everything that stands decided and adjudicated, in the order in which it was; of one document if its id is given."""
    which = sa.and_(LABELLABLE, clauses.c.document == document) if document else LABELLABLE
    with store.reading() as connection:
        found = connection.execute(
            sa.select(clauses.c.id, clauses.c.heading, clauses.c.context, clauses.c.text, documents.c.name)
            .join(documents, documents.c.id == clauses.c.document)
            .where(which)
        ).all()
        of = {row.id: row for row in found}
        stand = standing_events(connection, which, standing.c.slot.in_(("decision", "adjudication")))
        return [
            Record(
                event.clause,
                of[event.clause].name,
                of[event.clause].heading,
                of[event.clause].context,
                of[event.clause].text,
                event.annotator,
                event.new,
                event.decided_at or event.time,
                event.note,
                event.seconds,
                "adjudication" if event.kind == "adjudicate" else "decision",
            )
            for event in stand
            if event.new is not None
        ]


def import_records(store: Store, by: str, content: str, form: str) -> Import:
    """Enter decisions from a file in one of annotation_formats.FORMATS, each under its annotator's name.

    A record is refused, with its reason, where it breaks the codebook, its clause is not in the store or reads otherwise
    there, or its annotator may not do what it records; unknown names are entered as annotators. The others are kept.
    Importing a file again changes nothing. Raises NotAllowed unless `by` is an adjudicator, InterchangeError for a file
    in another format.
    """
    reading = read_records(content, form)
    refused = list(reading.refused)
    added = known = 0
    with store.writing() as connection:
        require_role(connection, by, "adjudicator")
        store.one_at_a_time(connection)  # several sessions that enter the same names
        batch = new_batch()
        for where, record in reading.records:
            try:
                if _import_one(connection, record, batch):
                    added += 1
                else:
                    known += 1
            except ClassifierError as error:
                refused.append(Refusal(where, str(error)))
    return Import(added, known, tuple(refused))


def _import_one(connection: sa.Connection, record: Record, batch: str) -> Event | None:
    """Add one record; None where just that stands already. Raises ClassifierError before anything was written."""
    words = connection.execute(sa.select(clauses.c.text, clauses.c.context).where(clauses.c.id == record.clause))
    of = words.one_or_none()
    if of is None:
        raise StoreError(f"no clause {record.clause!r} in the store", "add its document first")
    if (of.text, of.context) != (record.text, record.context):
        raise StoreError(f"clause {record.clause} reads otherwise here", "import into the store that it came from")
    role = connection.scalar(sa.select(annotators.c.role).where(annotators.c.name == record.annotator))
    if record.kind == "adjudication" and role != "adjudicator":
        raise NotAllowed(f"{record.annotator} is no adjudicator here", "change the role first")
    if role == "viewer":
        raise NotAllowed(f"{record.annotator} is viewer", "change the role first")
    slot = "adjudication" if record.kind == "adjudication" else "decision"
    here = (standing.c.clause == record.clause, standing.c.annotator == record.annotator, standing.c.slot == slot)
    for event in standing_events(connection, *here):
        if event.new == record.labelling and record.time in (None, event.decided_at or event.time):
            return None
    if role is None:
        connection.execute(annotators.insert().values(name=record.annotator, role="annotator"))
    return add_event(
        connection,
        record.annotator,
        record.clause,
        "adjudicate" if record.kind == "adjudication" else "import",
        batch,
        new=record.labelling,
        seconds=record.seconds,
        note=record.note,
        decided_at=record.time,
    )


def to_policy(document: LabelledDocument) -> str:
    """A labelled document as a `.policy` file; `labelled.read_policy` gives it back."""
    head = {key: " ".join(str(getattr(document, key)).split()) for key in (*HEADER_KEYS, *OPTIONAL_KEYS)}
    lines = [f"{key}: {value}" for key, value in head.items() if value]
    return "\n".join([*lines, "---", *(_policy_line(item) for item in document.items)]) + "\n"


def _policy_line(item: LabelledItem) -> str:
    if item.kind == "heading":
        return f"{'#' * item.level} {item.text}"
    if item.kind == "furniture":
        return f"~ {item.text}"
    labels = ", ".join(f"{p}:{s}" if s else p for p, s in item.labels.items())
    if item.conditions:
        labels += "; " + ", ".join(f'{c.type}="{c.text}"' for c in item.conditions)
    if item.hard:
        labels = "hard"
    return "  " * item.level + ("| " if item.joined else "") + item.text + (f" {{{labels}}}" if labels else "")


@dataclass(slots=True)
class _PolicyLines:
    """Clauses of a store → items of a `.policy` file, whose reader works out headings and lead-ins by place alone.

    headings, lead_ins: what is open after the lines so far, as that reader sees it; lead_ins by depth.
    """

    items: list[LabelledItem] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    lead_ins: dict[int, str] = field(default_factory=dict)
    depth: int = 0

    def furniture(self, text: str) -> None:
        """A line that teaches nothing: what is no clause, and clauses that nobody has reviewed."""
        self.items.append(LabelledItem("furniture", text))

    def clause(self, clause: Clause, final: FinalLabels) -> None:
        """A reviewed clause below its headings, as deep in the list as its lead-in asks for."""
        self._open(clause.heading)
        text, context = _plain(clause.text), _plain(clause.context)
        level, joined = self._level(clause, text, context)
        if (
            level is None
        ):  # its lead-in is not above: it stands in the line itself, so that the clause can be understood
            text, level = f"{context} {text}", 0
        elif not joined:
            self.lead_ins = {depth: words for depth, words in self.lead_ins.items() if depth < level}
        if LEAD_IN_END.search(text):
            self.lead_ins[level] = text
        labels, conditions = dict(final.labelling.labels), _quotable(final.labelling.conditions)
        heading, context = " > ".join(self.headings), "" if joined else self._context(level)
        self.items.append(LabelledItem("clause", text, level, joined, heading, context, labels, conditions))
        self.depth = clause.depth

    def _open(self, path: str) -> None:
        """Headings down to a path, from where the open one parts from it."""
        wanted = [_plain(title) for title in path.split(" > ")] if path else []
        if (
            not wanted or wanted == self.headings
        ):  # the format can't close a heading: what has none stays below the last
            return
        same = 0
        while same < min(len(wanted), len(self.headings)) and wanted[same] == self.headings[same]:
            same += 1
        for level in range(min(same, len(wanted) - 1), len(wanted)):  # a path that ends earlier: its last title again
            above = " > ".join(wanted[:level])
            self.items.append(LabelledItem("heading", wanted[level], level + 1, heading=above))
            self.lead_ins.clear()
        self.headings = wanted

    def _level(self, clause: Clause, text: str, context: str) -> tuple[int | None, bool]:
        """The list depth at which the reader finds this lead-in, None if there is none; and does the line go on?"""
        last = self.items[-1] if self.items else None
        if (
            not context
            and self.lead_ins
            and last is not None
            and last.kind == "clause"
            and clause.depth == self.depth
            and last.text.endswith((".", "?"))
            and not read_mark(text)
        ):
            return last.level, True  # a further sentence of an item; the items after it are still below the lead-in
        depths = [d for d in range(max(self.lead_ins, default=-1) + 2) if self._governed(d, context)]
        return (min(depths, key=lambda d: abs(d - clause.depth)), False) if depths else (None, False)

    def _governed(self, depth: int, context: str) -> bool:
        """Are the lines open above a depth the lead-in, each whole or with its last words ("2. Officers shall not:")?"""
        for level in sorted(self.lead_ins):
            if level < depth:
                line = self.lead_ins[level].split(" ")
                said = next((w for i in range(len(line)) if context.startswith(w := " ".join(line[i:]))), None)
                if said is None:
                    return False
                context = context.removeprefix(said).lstrip()
        return not context

    def _context(self, depth: int) -> str:
        return " ".join(self.lead_ins[d] for d in sorted(self.lead_ins) if d < depth)


def _plain(text: str) -> str:
    """Text that the format can hold: no braces, which enclose labels, and no mark of a line by chance."""
    return _LINE_MARK.sub("", " ".join(text.split()).replace("{", "(").replace("}", ")"))


def _quotable(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Conditions whose words the format can quote: of words with a quotation mark the longest piece without one."""
    pieces = [(c.type, max(_plain(c.text).split('"'), key=len).strip()) for c in conditions]
    return tuple(Condition(kind, words) for kind, words in pieces if words)


def reviewed_document(store: Store, document: str, *, family: str = "", hand: str = "reviewed") -> LabelledDocument:
    """A document of the store with its final labels, to be written with to_policy and trained from.

    Only reviewed and adjudicated clauses stand as clauses; the others are furniture, so that nobody learns the machine's
    own labels from them. family: texts that may share wording, by default the department. Raises InterchangeError where
    nobody has reviewed a clause, StoreError for an unknown document.
    """
    finals = {final.clause: final for final in final_labels(store, document)}
    with store.reading() as connection:
        of = connection.execute(sa.select(documents).where(documents.c.id == document)).mappings().one_or_none()
        if of is None:
            raise StoreError(f"no document {document!r} in the store", "add it first")
        query = sa.select(clauses).where(clauses.c.document == document, clauses.c.active).order_by(clauses.c.place)
        units = [read_clause_row(row) for row in connection.execute(query).mappings()]
    lines = _PolicyLines()
    for unit in units:
        final = finals.get(unit.id)
        if final is not None and final.state in ("reviewed", "adjudicated") and _plain(unit.text):
            lines.clause(unit, final)
        elif unit.kind != "heading":  # headings stand where a clause needs them
            lines.furniture(_plain(unit.text))
    if not any(item.kind == "clause" for item in lines.items):
        raise InterchangeError(f"{of['name']}: no reviewed clause", "review some of its clauses first")
    return LabelledDocument(
        id=re.sub(r"[^a-z0-9]+", "-", of["name"].rpartition(".")[0].lower() or of["name"].lower()).strip("-"),
        path="",
        title=of["name"],
        agency=of["department"] or "unknown",
        kind=of["kind"] or "unknown",
        family=family or of["department"] or "unknown",
        state=of["state"] or "unknown",
        hand=hand,
        items=tuple(lines.items),
        county=of["county"],
    )
