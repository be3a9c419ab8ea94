"""What scoring gives, as plain values: clauses with their predictions, and the document that they stand in.

Nothing here needs spaCy or scikit-learn: what shows or writes results loads in no time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from classifier.conditions import Condition
from classifier.findings import Finding, Rule

UnitKind = Literal["clause", "heading", "contents", "signature"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One unit as it stands in a document.

    id: stable over runs, made of the document's name, the words and their occurrence. page: 1-based, where it begins.
    heading: headings above, outermost first, joined by " > ". context: the lead-ins that govern it, outermost first.
    text: verbatim, white space folded and hyphenated line ends rejoined, without the lead-in.
    boxes: (page, x0, top, x1, bottom) for each line that it covers, PDF points, top-left origin.
    kind: `heading` units are kept so that nothing read is lost; they carry no labels.
    """

    id: str
    kind: UnitKind
    page: int
    heading: str
    context: str
    text: str
    boxes: tuple[tuple[int, float, float, float, float], ...]
    depth: int = 0


def clause_id(document: str, context: str, text: str, occurrence: int) -> str:
    """Clause.id: 12 hexadecimal digits. document: its name. occurrence: 1 where the words stand for the first time."""
    key = f"{document}\n{context}\n{text}\n{occurrence}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def occurrences(clauses: Sequence[Clause], document: str) -> list[int]:
    """The occurrence that the id of each clause was made with. document: the name that it was made with."""
    counts = Counter((c.context, c.text) for c in clauses)
    known = {clause_id(document, *words, n): n for words, count in counts.items() for n in range(1, count + 1)}
    return [known[c.id] for c in clauses]


@dataclass(frozen=True, slots=True)
class Label:
    """One practice on one clause. Probabilities from 0 to 1; stance is None for a stanceless practice."""

    practice: str
    probability: float
    stance: str | None
    stance_probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one clause. labels: likeliest first. scores: practice → probability, labelled or not.

    doubt: estimated probability that something in the labels is wrong, 0 to 1. review: doubt is high enough to ask a person.
    """

    labels: tuple[Label, ...]
    conditions: tuple[Condition, ...]
    scores: dict[str, float]
    doubt: float
    review: bool


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One file with everything that was found in it. reason: why it, or part of it, could not be read; empty if it was.

    note: what else a reader should know, such as a repair. ocr_confidence: (page, 0 to 1) for each page read by OCR.
    pages_skimmed: pages that can't matter, and were read for their words alone.
    clauses and predictions run in step; a heading's prediction is None. first_lines: the top of the first page, for its name.
    """

    name: str
    status: str
    reason: str
    pages: int
    pages_read: int
    pages_ocr: int
    clauses: tuple[Clause, ...]
    predictions: tuple[Prediction | None, ...]
    findings: tuple[Finding, ...]
    first_lines: tuple[str, ...]
    seconds: float
    pages_skimmed: int = 0
    ocr_confidence: tuple[tuple[int, float], ...] = ()
    note: str = ""

    @property
    def fully_read(self) -> bool:
        return self.status == "ok"


def rules(clauses: Sequence[Clause], predictions: Sequence[Prediction | None]) -> list[Rule]:
    """Every label of every clause, as findings want them."""
    return [
        Rule(
            label.practice,
            label.stance,
            frozenset(c.type for c in prediction.conditions),
            clause.id,
            label.probability * label.stance_probability,
        )
        for clause, prediction in zip(clauses, predictions, strict=True)
        if prediction
        for label in prediction.labels
    ]


def highest_scores(predictions: Iterable[Prediction | None]) -> dict[str, float]:
    """practice → the highest probability that any clause was given."""
    highest: dict[str, float] = {}
    for prediction in predictions:
        for practice, score in (prediction.scores if prediction else {}).items():
            highest[practice] = max(score, highest.get(practice, 0.0))
    return highest


@dataclass(frozen=True, slots=True)
class Quote:
    """A finding of a document as its tables show it.

    clauses: ids of the strongest ones, at most five. text and page: those of the first of them; empty and 0 without one.
    """

    finding: Finding
    clauses: tuple[str, ...]
    text: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A scored document without its clauses: what a table of documents, findings and departments needs.

    clauses: how many there are. rules: what decides the verdicts of its department, without ids, none twice.
    highest: practice → the highest probability that any clause was given. The rest as ScoredDocument has it.
    """

    name: str
    status: str
    reason: str
    pages: int
    pages_read: int
    pages_ocr: int
    clauses: int
    quotes: tuple[Quote, ...]
    rules: tuple[Rule, ...]
    highest: dict[str, float]
    first_lines: tuple[str, ...]
    seconds: float
    pages_skimmed: int = 0
    ocr_confidence: tuple[tuple[int, float], ...] = ()
    note: str = ""

    @property
    def fully_read(self) -> bool:
        return self.status == "ok"


SHOWN = 5  # ids of clauses that a row of findings.csv names
NAMING_LINES = 25  # of the first page, where a department's name is looked for


def summary_of(document: ScoredDocument) -> Summary:
    """What the tables need of a document beside its clauses."""
    by_id = {c.id: c for c in document.clauses}
    quotes = []
    for finding in document.findings:
        first = by_id.get(finding.clauses[0]) if finding.clauses else None
        words = f"{first.context} {first.text}".strip() if first else ""
        quotes.append(Quote(finding, finding.clauses[:SHOWN], words, first.page if first else 0))
    return Summary(
        document.name, document.status, document.reason, document.pages, document.pages_read, document.pages_ocr,
        sum(c.kind == "clause" for c in document.clauses), tuple(quotes),
        strongest(rules(document.clauses, document.predictions)), highest_scores(document.predictions),
        document.first_lines[:NAMING_LINES], document.seconds, document.pages_skimmed, document.ocr_confidence,
        document.note,
    )  # fmt: skip


def strongest(found: Iterable[Rule]) -> tuple[Rule, ...]:
    """Of rules that say the same the likeliest one, without its id: they give the same verdicts as all of them."""
    best: dict[tuple[str, str | None, frozenset[str]], float] = {}
    for rule in found:
        key = (rule.practice, rule.stance, rule.conditions)
        best[key] = max(rule.probability, best.get(key, 0.0))
    return tuple(Rule(practice, stance, kinds, "", sure) for (practice, stance, kinds), sure in best.items())
