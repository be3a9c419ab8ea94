"""Two to four departments, practice by practice: what governs in each, and the nearest words in the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pandas as pd
from rapidfuzz import fuzz
from rapidfuzz import process as fuzzy
from rapidfuzz.utils import default_process

from classifier.codebook import load_codebook
from classifier.errors import UsageError
from classifier.evidence import Evidence, rows_of
from classifier.matrix import NO_ANSWER, cell
from classifier.wording import RELATED, Folded, Piece, difference, full_words, marked, shares

MOST = 4


@dataclass(frozen=True, slots=True)
class Nearest:
    """The clause of another department's policy that is nearest in words, where it is related at all.

    share: of words in common, RELATED to 1. pieces: from the clause here to the one there.
    """

    department: str
    clause: str
    document: str
    page: int
    share: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Governing:
    """A clause that an answer rests on. words: with its lead-in. conditions: their types. nearest: one a department, at most.

    state: of its labels, as in Evidence. probability: of label and stance together.
    """

    clause: str
    document: str
    page: int
    heading: str
    words: str
    stance: str | None
    probability: float
    conditions: tuple[str, ...]
    state: str
    nearest: tuple[Nearest, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one department says on one practice. clauses: those it rests on, strongest first."""

    department: str
    verdict: str
    conditions: tuple[str, ...]
    probability: float
    state: str
    clauses: tuple[Governing, ...]

    @property
    def words(self) -> str:
        """The verdict with its conditions."""
        return cell(self.verdict, self.conditions)


@dataclass(frozen=True, slots=True)
class PracticeRow:
    """One practice: the answers in the order of the departments.

    lacking: departments that were read and say nothing, where another one does. only_in: department → types of conditions
    that no other answer names.
    """

    practice: str
    answers: tuple[Answer, ...]
    lacking: tuple[str, ...]
    only_in: Mapping[str, tuple[str, ...]]

    @property
    def differs(self) -> bool:
        """Do those that could be read answer differently?"""
        return len({a.words for a in self.answers if a.verdict not in NO_ANSWER}) > 1


def side_by_side(evidence: Evidence, departments: Sequence[str]) -> list[PracticeRow]:
    """One row a practice, in the order of the codebook. departments: two to four names.

    Raises UsageError for another number of departments, for one named twice, and for one that there is not.
    """
    if not 2 <= len(departments) <= MOST:
        raise UsageError(f"{len(departments)} departments to compare", f"name two to {MOST}")
    if len(set(departments)) < len(departments):
        raise UsageError("a department named twice", "name each once")
    for name in departments:
        known_department(evidence, name)
    of_theirs = evidence.findings["department"].isin(departments)
    findings = {(f.department, f.practice): f for f in rows_of(evidence.findings[of_theirs])}
    clauses = evidence.clauses[
        evidence.clauses["department"].isin(departments) & (evidence.clauses["kind"] == "clause")
    ]
    resting = {clause for f in findings.values() for clause in f.clauses}
    governing = _governing(evidence, clauses, resting, _nearest(clauses, resting, departments))
    rows = []
    for practice in load_codebook().practice_ids:
        answers = []
        for name in departments:
            f = findings[name, practice]
            found = tuple(governing[clause, practice] for clause in f.clauses)
            answers.append(Answer(name, f.verdict, f.conditions, f.probability, f.state, found))
        rows.append(_row(practice, tuple(answers)))
    return rows


def known_department(evidence: Evidence, name: str) -> str:
    """The name, if there is such a department. Raises UsageError with the nearest names."""
    names = list(evidence.departments["department"])
    if name in names:
        return name
    near = [
        found for found, *_ in fuzzy.extract(name, names, scorer=fuzz.partial_ratio, processor=default_process, limit=3)
    ]
    raise UsageError(f"no department {name!r}", f"did you mean {' or '.join(map(repr, near))}?" if near else "")


def table(rows: Sequence[PracticeRow]) -> pd.DataFrame:
    """One row a governing clause, and one for an answer without any.

    Columns: practice, differs, department, verdict, conditions, state, stance, probability, document, page, clause, words,
    then nearest_department, nearest_clause, nearest_page, share and difference for the nearest related clause, if any.
    """
    lines: list[dict[str, Any]] = []
    for row in rows:
        for answer in row.answers:
            line: dict[str, Any] = {
                "practice": row.practice,
                "differs": row.differs,
                "department": answer.department,
                "verdict": answer.verdict,
                "conditions": " ".join(answer.conditions),
                "state": answer.state,
            }
            for clause in answer.clauses or (None,):
                lines.append(line | (_clause_columns(clause) if clause else {}))
    columns = (
        "practice differs department verdict conditions state stance probability document page clause words "
        "nearest_department nearest_clause nearest_page share difference"
    ).split()
    return pd.DataFrame(lines, columns=columns).astype({"page": "Int64", "nearest_page": "Int64"})


def as_text(rows: Sequence[PracticeRow], most: int = 3) -> Iterator[str]:
    """The comparison as lines for a terminal. most: clauses shown of each answer."""
    names = {p.id: p.name for p in load_codebook().practices}
    for row in rows:
        yield f"{names[row.practice]}{'' if row.differs else '  (no difference)'}"
        for answer in row.answers:
            only = ", ".join(c.replace("_", " ") for c in row.only_in.get(answer.department, ()))
            yield f"  {answer.department}: {answer.words}" + (f"  (only here: {only})" if only else "")
            for clause in answer.clauses[:most]:
                yield f"    {clause.stance or 'cites'}, p. {clause.page}: {clause.words}"
                for near in clause.nearest:
                    yield f"      {near.department}, p. {near.page}, {near.share:.0%} alike: {marked(near.pieces)}"
            if (more := len(answer.clauses) - most) > 0:
                yield f"    and {more} more"
        if row.lacking:
            yield f"  nothing on it: {', '.join(row.lacking)}"


def _clause_columns(clause: Governing) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "stance": clause.stance,
        "probability": clause.probability,
        "document": clause.document,
        "page": clause.page,
        "clause": clause.clause,
        "words": clause.words,
    }
    if clause.nearest:
        near = max(clause.nearest, key=lambda n: n.share)
        columns |= {
            "nearest_department": near.department,
            "nearest_clause": near.clause,
            "nearest_page": near.page,
            "share": near.share,
            "difference": marked(near.pieces),
        }
    return columns


def _row(practice: str, answers: tuple[Answer, ...]) -> PracticeRow:
    said = any(a.clauses for a in answers)
    lacking = tuple(a.department for a in answers if said and a.verdict == "silent")
    only_in = {}
    for answer in answers:
        elsewhere = {c for a in answers if a is not answer for c in a.conditions}
        only = tuple(c for c in answer.conditions if c not in elsewhere)
        if only and answer.verdict == "conditional":
            only_in[answer.department] = only
    return PracticeRow(practice, answers, lacking, only_in)


def _governing(
    evidence: Evidence, clauses: pd.DataFrame, resting: Collection[str], nearest: Mapping[str, Sequence[Nearest]]
) -> dict[tuple[str, str], Governing]:
    """(clause, practice) → the clause as it governs there. resting: the clauses that findings rest on."""
    types: dict[str, set[str]] = defaultdict(set)
    for condition in rows_of(evidence.conditions[evidence.conditions["clause"].isin(resting)]):
        types[condition.clause].add(condition.type)
    of = {c.clause: c for c in rows_of(clauses[clauses["clause"].isin(resting)].assign(words=full_words))}
    found = {}
    for label in rows_of(evidence.labels[evidence.labels["clause"].isin(resting)]):
        c = of[label.clause]
        found[c.clause, label.practice] = Governing(
            c.clause,
            c.document,
            c.page,
            c.heading,
            c.words,
            label.stance,
            label.probability,
            tuple(sorted(types[c.clause])),
            label.state,
            tuple(nearest.get(c.clause, ())),
        )
    return found


def _nearest(clauses: pd.DataFrame, resting: Collection[str], departments: Sequence[str]) -> dict[str, list[Nearest]]:
    """clause → the nearest clause of each other department, for all clauses that a finding rests on."""
    folder = Folded()
    said = clauses.assign(words=full_words)
    said["folded"] = said["words"].map(folder.fold)
    of = {name: list(rows_of(said[said["department"] == name])) for name in departments}
    found: dict[str, list[Nearest]] = defaultdict(list)
    for here, there in permutations(departments, 2):
        ours, theirs = [c for c in of[here] if c.clause in resting], of[there]
        if not ours or not theirs:
            continue
        share = shares([c.folded for c in ours], [c.folded for c in theirs])
        for clause, best, how_near in zip(ours, share.argmax(axis=1), share.max(axis=1), strict=True):
            if how_near >= RELATED:
                other = theirs[best]
                pieces = difference(clause.words, other.words)
                near = Nearest(there, other.clause, other.document, other.page, float(how_near), pieces)
                found[clause.clause].append(near)
    return found
