"""Evidence → what a report says: counts, answers with the clauses they rest on, contradictions, method and limits.

The files (HTML, Word) lay out these same words. Departments with the Lunn gap come first everywhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from classifier.codebook import Codebook, Practice, load_codebook, project_data
from classifier.contradictions import contradictions, lunn_gap
from classifier.errors import UsageError
from classifier.evaluation import LIMITS, Figures
from classifier.evidence import Evidence, rows_of
from classifier.matrix import VERDICTS, cell
from classifier.plain_text import legible

if TYPE_CHECKING:
    from classifier.charts import Chart

TITLE = "What the policies say about dealing with ICE"
DISCLAIMER = "This report shows written policy, not practice."
METHOD = (
    "Each document was read page by page and split into clauses, each with the lead-in that governs it. A model labels each "
    "clause with the practices that it is about, its stance and its conditions; people may have reviewed the labels. The "
    "verdict on a practice follows from the labels of all clauses by the codebook's section 5; no verdict stands without "
    "the clauses that it rests on, quoted below.",
    "“Silent”: every page was read and no clause is about the practice. “Unread”: no clause was found, but a page could not "
    "be read. “No policy” and “no reply”: the department has, or gave, no document. The percentage beside a verdict is the "
    "model's probability for the strongest clause behind it, or that no clause is about the practice.",
    "Lunn gap: the policy cites Lunn v. Commonwealth, 477 Mass. 517 (2017), and notifies, shares or holds all the same.",
)
_STATES = {"machine": "machine only", "reviewed": "reviewed", "adjudicated": "adjudicated"}


@dataclass(frozen=True, slots=True)
class Quote:
    """A clause that an answer rests on. stance: empty where the practice has none. review: who stands behind the label."""

    clause: str
    document: str
    page: int
    heading: str
    lead_in: str
    text: str
    stance: str
    probability: float
    conditions: tuple[str, ...]
    review: str

    @property
    def source(self) -> str:
        """Where it stands and how it was read, in one line."""
        parts = [
            f"{self.document}, page {self.page}",
            self.heading,
            self.stance,
            f"{self.probability:.0%}",
            self.review,
        ]
        return " · ".join(p for p in parts if p)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a department says about a practice. anchor: an id within the report. words: the verdict with its conditions."""

    anchor: str
    practice: Practice
    verdict: str
    words: str
    sureness: str
    review: str
    quotes: tuple[Quote, ...]

    @property
    def style(self) -> str:
        """The verdict as the name of a style."""
        return self.verdict.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Brief:
    """One department: its documents in words, and an answer for each practice of the codebook, in its order."""

    anchor: str
    name: str
    about: str
    standing: str
    lunn_gap: bool
    documents: tuple[str, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A sentence that cites Lunn beside one that notifies, shares or holds. anchor: of the department's answer."""

    department: str
    practice: str
    words: str
    anchor: str
    cited: str
    cited_page: int
    shown: str
    shown_page: int
    stance: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two clauses of one document at odds. anchor: of the department's answer."""

    department: str
    document: str
    practice: str
    anchor: str
    prohibiting: str
    prohibiting_page: int
    allowing: str
    allowing_page: int
    stance: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says. counts: lines of the summary. verdicts: practice → departments by verdict."""

    counts: tuple[str, ...]
    practices: tuple[Practice, ...]
    verdicts: tuple[tuple[str, tuple[int, ...]], ...]
    gaps: tuple[Gap, ...]
    briefs: tuple[Brief, ...]
    contradictions: tuple[Contradiction, ...]
    charts: tuple[Chart, ...]
    models: tuple[str, ...]
    figures: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    limits: tuple[str, ...]


def report_content(evidence: Evidence) -> Report:
    """The report of some departments. Charts are left out where matplotlib is not installed."""
    book = load_codebook()
    briefs = _briefs(evidence, book)
    models = tuple(sorted({legible(m) for m in evidence.documents["model"] if m}))
    counted = Counter(zip(evidence.findings["practice"], evidence.findings["verdict"], strict=True))
    named = zip(evidence.departments["department"], briefs, strict=True)
    anchors = {(name, a.practice.id): a for name, brief in named for a in brief.answers}
    return Report(
        counts=_counts(evidence),
        practices=book.practices,
        verdicts=tuple((p.name, tuple(counted[p.id, v] for v in VERDICTS)) for p in book.practices),
        gaps=tuple(_gap(row, anchors) for row in rows_of(lunn_gap(evidence))),
        briefs=tuple(sorted(briefs, key=lambda b: not b.lunn_gap)),
        contradictions=_contradictions(evidence, anchors),
        charts=_charts(evidence),
        models=models,
        figures=tuple(row for model in models for row in _figures(model)),
        limits=LIMITS,
    )


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _counts(evidence: Evidence) -> tuple[str, ...]:
    """The summary in lines."""
    documents, departments = evidence.documents, evidence.departments
    clauses = int((evidence.clauses["kind"] == "clause").sum())
    read, pages = int(documents["pages_read"].sum()), int(documents["pages"].sum())
    standings = Counter(departments["standing"])
    states = Counter(evidence.labels["state"])
    gap = evidence.findings.loc[evidence.findings["lunn_gap"], "department"].nunique()
    return (
        f"{_several(len(departments), 'department')}: "
        + (", ".join(f"{n:,} {standing}" for standing, n in standings.items()) or "none"),
        f"{_several(len(documents), 'document')}, {read:,} of {_several(pages, 'page')} read, "
        f"{_several(clauses, 'clause')}, {evidence.labels['clause'].nunique():,} with a label",
        f"{_several(gap, 'department')} with the Lunn gap",
        f"{_several(len(evidence.labels), 'label')}: "
        + ", ".join(f"{states[state]:,} {words}" for state, words in _STATES.items()),
    )


def _briefs(evidence: Evidence, book: Codebook) -> list[Brief]:
    quotes = _quotes(evidence)
    documents: dict[str, list[str]] = defaultdict(list)
    for d in rows_of(evidence.documents):
        documents[d.department].append(_document(d))
    findings: dict[str, list[Any]] = defaultdict(list)
    for f in rows_of(evidence.findings):
        findings[f.department].append(f)
    briefs = []
    for number, d in enumerate(rows_of(evidence.departments)):
        anchor = f"d{number}"
        answers = tuple(_answer(anchor, book.practice(f.practice), f, quotes) for f in findings[d.department])
        about = " · ".join(legible(part) for part in (d.kind, d.county, d.state) if part)
        gap = any(f.lunn_gap for f in findings[d.department])
        of = tuple(documents[d.department])
        briefs.append(Brief(anchor, legible(d.department), about, d.standing, gap, of, answers))
    return briefs


def _document(d: Any) -> str:
    """A document in one line."""
    parts = [
        d.name,
        f"{d.pages_read} of {_several(d.pages, 'page')} read",
        f"effective {d.effective_date}" if d.effective_date else "",
        f"source: {d.source}" if d.source else "",
        f"model {d.model}" if d.model else "",
        d.reason,
    ]
    return legible(" · ".join(p for p in parts if p))


def _quotes(evidence: Evidence) -> dict[tuple[str, str], Quote]:
    """(clause, practice) → the clause as evidence for it."""
    names = dict(zip(evidence.documents["document"], evidence.documents["name"], strict=True))
    conditions: dict[str, list[str]] = defaultdict(list)
    for c in rows_of(evidence.conditions):
        conditions[c.clause].append(legible(f"{c.type.replace('_', ' ')}: “{c.text}”"))
    labelled = evidence.clauses[evidence.clauses["clause"].isin(evidence.labels["clause"])]
    clauses = {c.clause: c for c in rows_of(labelled)}
    quotes = {}
    for label in rows_of(evidence.labels):
        c = clauses[label.clause]
        words = (names[c.document], c.heading, c.context, c.text)
        document, heading, lead_in, text = (legible(w) for w in words)
        by = legible(f" by {label.reviewer}" if label.reviewer else "")
        quotes[label.clause, label.practice] = Quote(
            label.clause,
            document,
            c.page,
            heading,
            lead_in,
            text,
            label.stance or "",
            label.probability,
            tuple(conditions[label.clause]),
            _STATES[label.state] + by,
        )
    return quotes


def _answer(department: str, practice: Practice, f: Any, quotes: dict[tuple[str, str], Quote]) -> Answer:
    return Answer(
        f"{department}-{practice.id}",
        practice,
        f.verdict,
        cell(f.verdict, f.conditions),
        "" if isnan(f.probability) else f"{f.probability:.0%}",
        "" if isnan(f.probability) else _STATES[f.state],
        tuple(quotes[clause, practice.id] for clause in f.clauses),
    )


def _gap(row: Any, anchors: dict[tuple[str, str], Answer]) -> Gap:
    answer = anchors[row.department, row.practice]
    cited, shown = legible(row.lunn_words), legible(row.words)
    return Gap(
        legible(row.department),
        answer.practice.name,
        answer.words,
        answer.anchor,
        cited,
        row.lunn_page,
        shown,
        row.page,
        row.stance,
    )


def _contradictions(evidence: Evidence, anchors: dict[tuple[str, str], Answer]) -> tuple[Contradiction, ...]:
    names = dict(zip(evidence.documents["document"], evidence.documents["name"], strict=True))
    found = []
    for row in rows_of(contradictions(evidence)):
        answer = anchors[row.department, row.practice]
        found.append(
            Contradiction(
                legible(row.department),
                legible(names[row.document]),
                answer.practice.name,
                answer.anchor,
                legible(row.prohibiting_words),
                row.prohibiting_page,
                legible(row.allowing_words),
                row.allowing_page,
                row.stance,
            )
        )
    return tuple(found)


def _charts(evidence: Evidence) -> tuple[Chart, ...]:
    try:
        from classifier.charts import draw_charts
    except UsageError:
        return ()
    return tuple(draw_charts(evidence))


def _figures(model: str) -> list[tuple[str, tuple[tuple[str, float], ...]]]:
    """What was measured of a model of the project, by what it was measured on; nothing for a model from elsewhere."""
    known = {folder.name: folder for folder in project_data("models").iterdir()}
    kept = Figures(known[model]).kept() if model in known else {}
    return [(f"model {model}: {on}", tuple(sorted(values.items()))) for on, values in sorted(kept.items())]
