"""Two versions of one policy → changed answers first, changed words second; what could not be read is "not compared"."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from classifier.codebook import load_codebook
from classifier.errors import UsageError
from classifier.evidence import Evidence, rows_of
from classifier.findings import Rule, find
from classifier.side_by_side import known_department
from classifier.wording import Folded, Piece, difference, full_words, marked, shares

Change = Literal["changed", "same", "not compared"]
_SHORTEST_ID = 8


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a policy. unread: why it, or part of it, could not be read; empty if all was read."""

    document: str
    name: str
    department: str
    effective_date: str
    fully_read: bool
    unread: str


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """What one version says on one practice. stances: those on any of its clauses; conditions: types; both sorted.

    clauses: ids, strongest first.
    """

    verdict: str
    stances: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The verdict with what makes it: "conditional [limits, prohibits; approval]"."""
        parts = (self.stances, tuple(c.replace("_", " ") for c in self.conditions))
        inside = "; ".join(", ".join(part) for part in parts if part)
        return f"{self.verdict} [{inside}]" if inside else self.verdict


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One practice in both versions. "not compared": what is missing on one side may stand on a page that was not read."""

    practice: str
    change: Change
    old: VersionAnswer
    new: VersionAnswer


@dataclass(frozen=True, slots=True)
class TextChange:
    """One clause that is not the same in both versions. old, new: its id there, empty where there is none.

    kind: "not compared" where it is in one version alone, and the other was not read to the end. pieces: from old to new.
    """

    kind: Literal["reworded", "added", "removed", "not compared"]
    old: str
    new: str
    old_page: int | None
    new_page: int | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class VersionsCompared:
    """Two versions side by side. answers: one a practice, changed ones first. texts: old order, then what is only in the new.

    same: how many clauses are the same, word for word.
    """

    old: Version
    new: Version
    answers: tuple[AnswerChange, ...]
    texts: tuple[TextChange, ...]
    same: int


def compare_versions(evidence: Evidence, old: str, new: str) -> VersionsCompared:
    """Compare two documents of the evidence. old, new: a document's id, eight or more signs of it, or its name.

    Raises UsageError where there is no such document, or several.
    """
    versions = [version_of(evidence, old), version_of(evidence, new)]
    if versions[0].document == versions[1].document:
        raise UsageError(f"{old} and {new} are the same document", "name two versions")
    said = [_answers(evidence, v) for v in versions]
    changes = [_answer_change(p, said[0][p], said[1][p], *versions) for p in load_codebook().practice_ids]
    order: Sequence[Change] = ("changed", "not compared", "same")
    changes.sort(key=lambda c: order.index(c.change))
    texts, same = _texts(evidence, *versions)
    return VersionsCompared(versions[0], versions[1], tuple(changes), tuple(texts), same)


def version_of(evidence: Evidence, document: str) -> Version:
    """A document by its id, the beginning of it, or its name. Raises UsageError where that is none, or several."""
    table = evidence.documents
    exact = table[(table["document"] == document) | (table["name"] == document)]
    if exact.empty and len(document) >= _SHORTEST_ID:
        exact = table[table["document"].str.startswith(document)]
    if len(exact) > 1:
        raise UsageError(f"{len(exact)} documents {document!r}", f"use an id: {', '.join(exact['document'])}")
    for d in rows_of(exact):
        return Version(d.document, d.name, d.department, d.effective_date, d.status == "ok", d.reason)
    raise UsageError(f"no document {document!r}", f"use one of {', '.join(table['name'].head(20))}")


def timeline(evidence: Evidence, department: str) -> pd.DataFrame:
    """What each version of a department's policy says, by effective date.

    Columns: effective_date, document, name, practice, verdict, stances, conditions (both tuples), change against the
    version before: "first", "changed", "same" or "not compared". Versions without a date that can be read (year-month-day,
    or the beginning of one) come last, as "undated". Raises UsageError for a department that there is not.
    """
    known_department(evidence, department)
    table = evidence.documents[evidence.documents["department"] == department]
    dates = pd.to_datetime(table["effective_date"], format="ISO8601", errors="coerce")
    ordered = table.assign(date=dates).sort_values("date", kind="stable", na_position="last")
    rows: list[tuple[Any, ...]] = []
    before: tuple[Version, dict[str, VersionAnswer]] | None = None
    for d in rows_of(ordered):
        version = version_of(evidence, d.document)
        answers = _answers(evidence, version)
        for practice, answer in answers.items():
            if pd.isna(d.date):
                change: str = "undated"
            elif before is None:
                change = "first"
            else:
                change = _answer_change(practice, before[1][practice], answer, before[0], version).change
            said = (answer.verdict, answer.stances, answer.conditions)
            rows.append((version.effective_date, version.document, version.name, practice, *said, change))
        before = (version, answers)
    columns = "effective_date document name practice verdict stances conditions change".split()
    return pd.DataFrame(rows, columns=columns)


def table(compared: VersionsCompared) -> pd.DataFrame:
    """One row a changed or uncompared answer, then one a changed clause.

    Columns: what ("answer" or "text"), change, practice, old, new (words), old_page, new_page, difference.
    """
    answers = [
        ("answer", a.change, a.practice, a.old.words, a.new.words) for a in compared.answers if a.change != "same"
    ]
    texts = [
        ("text", t.kind, None, _side(t, "old"), _side(t, "new"), t.old_page, t.new_page, marked(t.pieces))
        for t in compared.texts
    ]
    columns = "what change practice old new old_page new_page difference".split()
    padded = [(*a, None, None, None) for a in answers]
    return pd.DataFrame([*padded, *texts], columns=columns).astype({"old_page": "Int64", "new_page": "Int64"})


def as_text(compared: VersionsCompared) -> Iterator[str]:
    """The comparison as lines for a terminal."""
    names = {p.id: p.name for p in load_codebook().practices}
    for label, version in (("old", compared.old), ("new", compared.new)):
        unread = f"; not read: {version.unread or 'part of it'}" if not version.fully_read else ""
        yield f"{label}: {version.name} ({version.department}) {version.effective_date}".rstrip() + unread
    yield "Answers"
    for a in compared.answers:
        if a.change != "same":
            yield f"  {a.change}: {names[a.practice]}: {a.old.words} → {a.new.words}"
    same = sum(a.change == "same" for a in compared.answers)
    yield f"  same: {same} of {len(compared.answers)} practices"
    yield "Text"
    for t in compared.texts:
        pages = " → ".join(f"p. {page}" for page in (t.old_page, t.new_page) if page is not None)
        yield f"  {t.kind}, {pages}: {marked(t.pieces) if t.kind == 'reworded' else _side(t, 'old') or _side(t, 'new')}"
    count = Counter(t.kind for t in compared.texts)
    yield "  " + ", ".join([f"{compared.same} clauses the same", *(f"{n} {kind}" for kind, n in sorted(count.items()))])


def _side(change: TextChange, side: Literal["old", "new"]) -> str:
    return "".join(getattr(piece, side) for piece in change.pieces)


def _answers(evidence: Evidence, version: Version) -> dict[str, VersionAnswer]:
    """practice → what one document says, whatever the department's others do."""
    own = evidence.clauses.loc[evidence.clauses["document"] == version.document, "clause"]
    types: dict[str, set[str]] = defaultdict(set)
    for c in rows_of(evidence.conditions[evidence.conditions["clause"].isin(own)]):
        types[c.clause].add(c.type)
    rules = [
        Rule(label.practice, label.stance, frozenset(types[label.clause]), label.clause, label.probability)
        for label in rows_of(evidence.labels[evidence.labels["clause"].isin(own)])
    ]
    stances: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        if rule.stance:
            stances[rule.practice].add(rule.stance)
    return {
        f.practice: VersionAnswer(
            f.verdict,
            tuple(sorted(stances[f.practice])),
            f.conditions if stances[f.practice] else (),  # nothing turns on what stands around a citation
            f.clauses,
        )
        for f in find(rules, version.fully_read)
    }


def _answer_change(
    practice: str, old: VersionAnswer, new: VersionAnswer, before: Version, after: Version
) -> AnswerChange:
    """Only a version that was read to the end can show that something is gone from it, or was not in it yet."""
    was, is_now = ({*(["said"] if a.clauses else []), *a.stances, *a.conditions} for a in (old, new))
    gone, came = bool(was - is_now), bool(is_now - was)
    other = old.verdict != new.verdict
    change: Change = "not compared"
    if (
        (gone and after.fully_read)
        or (came and before.fully_read)
        or (other and after.fully_read and before.fully_read)
    ):
        change = "changed"
    elif not gone and not came and not other and old.verdict != "unread":
        change = "same"
    return AnswerChange(practice, change, old, new)


def _texts(evidence: Evidence, old: Version, new: Version) -> tuple[list[TextChange], int]:
    """Clauses that are not the same in both, and how many are: first word for word, then the nearest first."""
    table = evidence.clauses[evidence.clauses["kind"] == "clause"].assign(words=full_words)
    olds, news = (list(rows_of(table[table["document"] == v.document])) for v in (old, new))
    waiting: dict[str, list[int]] = defaultdict(list)
    for n, clause in enumerate(news):
        waiting[clause.words].append(n)
    left, same = [], 0
    for n, clause in enumerate(olds):
        if waiting[clause.words]:
            waiting[clause.words].pop(0)
            same += 1
        else:
            left.append(n)
    came = sorted(n for places in waiting.values() for n in places)
    partner = _pair([olds[n].words for n in left], [news[n].words for n in came])
    changes = []
    for n, o in enumerate(left):
        c = news[came[partner[n]]] if n in partner else None
        gone: Literal["removed", "not compared"] = "removed" if new.fully_read else "not compared"
        changes.append(_text_change("reworded" if c else gone, olds[o], c))
    for n in sorted(set(range(len(came))) - set(partner.values())):
        changes.append(_text_change("added" if old.fully_read else "not compared", None, news[came[n]]))
    return changes, same


def _text_change(kind: Literal["reworded", "added", "removed", "not compared"], old: Any, new: Any) -> TextChange:
    """old, new: rows of clauses, or None."""
    pieces = difference(old.words if old else "", new.words if new else "")
    return TextChange(
        kind,
        old.clause if old else "",
        new.clause if new else "",
        old.page if old else None,
        new.page if new else None,
        pieces,
    )


def _pair(olds: Sequence[str], news: Sequence[str]) -> dict[int, int]:
    """old → new for related texts, each at most once: the nearest pair first, of equals the one that keeps the order."""
    if not olds or not news:
        return {}
    folder = Folded()
    share = shares([folder.fold(text) for text in olds], [folder.fold(text) for text in news])
    rows, columns = np.nonzero(share)
    order = np.lexsort((columns, rows, np.abs(rows - columns), -share[rows, columns]))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs
