"""Predicted clauses against labelled units: figures by label, document verdicts, coverage, clause boundaries.

A document is taken as plain text through splitting and prediction; its clauses are found again in the labelled units by
their words, so that the splitter is judged too. Figures count a unit's practices (and stances) as sets.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from sklearn.model_selection import GroupKFold

from classifier.clauses import Clause, fold, plain_layout, units_of_text
from classifier.codebook import load_codebook
from classifier.errors import ModelError, UsageError
from classifier.findings import Rule, verdict
from classifier.labelled import LabelledDocument, words
from classifier.plain_text import markdown_text
from classifier.predictions import Model, load_model, predict_clauses
from classifier.training import cross_fitted

# Where not to trust a model, for its card and for every report.
LIMITS = (
    "It shows written policy, not practice, and a label is a reason to read the clause, not a finding of fact.",
    "Statutes and agreements are labelled less surely than general orders and jail procedures; stances less surely "
    "than practices; `limits` is the stance most often mistaken.",
    "One clause wrongly labelled can turn a document's verdict; read the quoted clauses before citing one.",
    "It knows English and U.S. policies only. A page that was not read is `unread`, never silent.",
)


@dataclass(frozen=True, slots=True)
class Given:
    """A predicted label on a clause: practice, stance, condition types."""

    practice: str
    stance: str | None
    conditions: frozenset[str] = frozenset()


Labeller = Callable[[Sequence[Clause]], list[list[Given]]]


def model_labeller(model: Model) -> Labeller:
    """A trained model as a labeller of one document's clauses."""

    def label(clauses: Sequence[Clause]) -> list[list[Given]]:
        return [
            [Given(x.practice, x.stance, frozenset(c.type for c in p.conditions)) for x in p.labels] if p else []
            for p in predict_clauses(clauses, model)
        ]

    return label


def text_clauses(text: str) -> list[Clause]:
    """The clauses of a plain text, without pages and boxes."""
    units = units_of_text(text, plain_layout(text))
    folded = [(u, fold(text[u.start : u.end])) for u in units]
    return [Clause(str(i), u.kind, 1, u.heading, u.context, t, (), u.depth) for i, (u, t) in enumerate(folded) if t]


def align(units: Sequence[str], clauses: Sequence[str]) -> list[set[int]]:
    """For each clause the units that it covers: those that hold half of its words, or half of whose words it holds.

    Both run in reading order; a clause that stands elsewhere than its unit is found by its words alone.
    """
    gold = [(w, i) for i, unit in enumerate(units) for w in words(unit)]
    found = [(w, i) for i, clause in enumerate(clauses) for w in words(clause)]
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    matcher = SequenceMatcher(None, [w for w, _ in gold], [w for w, _ in found], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        for k in range(size):
            shared[found[b + k][1]][gold[a + k][1]] += 1
    unit_size, clause_size = Counter(i for _, i in gold), Counter(i for _, i in found)
    covers = [
        {u for u, n in shared[c].items() if n >= 0.5 * clause_size[c] or n >= 0.5 * unit_size[u]}
        for c in range(len(clauses))
    ]
    bags = [Counter(words(unit)) for unit in units]
    for c in [c for c, covered in enumerate(covers) if not covered and clause_size[c] >= 5]:
        bag = Counter(words(clauses[c]))
        covers[c] = {u for u, unit in enumerate(bags) if (bag & unit).total() >= 0.9 * max(bag.total(), unit.total())}
    return covers


@dataclass(slots=True)
class Tally:
    """Hits, false alarms and misses of one label."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def add(self, gold: set[Any], found: set[Any]) -> None:
        self.hits += len(gold & found)
        self.false += len(found - gold)
        self.missed += len(gold - found)

    @property
    def support(self) -> int:
        return self.hits + self.missed

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.false) if self.hits + self.false else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        p, r = self.precision, self.recall
        return 2 * p * r / (p + r) if p + r else 0.0


@dataclass(slots=True)
class Scores:
    """Everything counted over a set of documents. practice, joint: tallies by practice, without and with stance."""

    practice: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    joint: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    conditions: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    stance_right: int = 0
    stance_seen: int = 0
    verdicts_right: Counter[str] = field(default_factory=Counter)
    verdicts_seen: Counter[str] = field(default_factory=Counter)
    covered: int = 0
    units: int = 0
    documents: int = 0

    def micro(self, table: dict[str, Tally], practices: Iterable[str]) -> Tally:
        """One tally over several practices."""
        rows = [table[p] for p in practices if p in table]
        return Tally(sum(r.hits for r in rows), sum(r.false for r in rows), sum(r.missed for r in rows))

    def macro(self, table: dict[str, Tally], practices: Iterable[str]) -> float:
        """Mean F1 of the practices that occur in the labels."""
        rows = [table[p].f1 for p in practices if p in table and table[p].support]
        return sum(rows) / len(rows) if rows else 0.0

    def figures(self) -> dict[str, float]:
        """The headline figures by name, 0 to 1."""
        book = load_codebook()
        core_seen = sum(self.verdicts_seen[p] for p in book.core_ids)
        return {
            "core_f1": self.micro(self.practice, book.core_ids).f1,
            "all_f1": self.micro(self.practice, book.practice_ids).f1,
            "core_macro_f1": self.macro(self.practice, book.core_ids),
            "all_macro_f1": self.macro(self.practice, book.practice_ids),
            "core_stance_f1": self.micro(self.joint, book.core_ids).f1,
            "all_stance_f1": self.micro(self.joint, book.practice_ids).f1,
            "stance_accuracy": self.stance_right / max(1, self.stance_seen),
            "conditions_f1": self.micro(self.conditions, book.conditions).f1,
            "core_verdicts": sum(self.verdicts_right[p] for p in book.core_ids) / max(1, core_seen),
            "coverage": self.covered / max(1, self.units),
        }

    def table(self) -> pd.DataFrame:
        """One row a practice: precision, recall, F1, F1 with stance, support, verdicts right."""
        rows = []
        for p in load_codebook().practice_ids:
            if p in self.practice and (self.practice[p].support or self.practice[p].false):
                t = self.practice[p]
                seen = self.verdicts_seen[p]
                verdicts = f"{self.verdicts_right[p]}/{seen}" if seen else ""
                rows.append((p, t.precision, t.recall, t.f1, self.joint[p].f1, t.support, verdicts))
        return pd.DataFrame(
            rows, columns=["practice", "precision", "recall", "f1", "f1_with_stance", "support", "verdicts"]
        )


def score_document(document: LabelledDocument, label: Labeller, scores: Scores) -> None:
    """Split and label one document as plain text, and count the outcome against its labels."""
    clauses = text_clauses(document.text)
    count_document(document, clauses, label(clauses), scores)


def count_document(
    document: LabelledDocument, clauses: Sequence[Clause], given: Sequence[Sequence[Given]], scores: Scores
) -> None:
    """Count the labels given to a document's clauses against those of its units, and its verdicts."""
    units = document.clauses
    where = align([u.text for u in units], [c.text for c in clauses])
    found: list[dict[str, set[str]]] = [defaultdict(set) for _ in units]
    found_conditions: list[set[str]] = [set() for _ in units]
    predicted: dict[str, list[Rule]] = defaultdict(list)
    for labels, covers in zip(given, where, strict=True):
        for x in labels:
            predicted[x.practice].append(Rule(x.practice, x.stance, x.conditions))
            for u in covers:
                found[u][x.practice].add(x.stance or "-")
                found_conditions[u] |= x.conditions
    seen = set().union(*where) if where else set()
    scores.documents += 1
    for i, unit in enumerate(units):
        if len(words(unit.text)) >= 5:
            scores.units += 1
            scores.covered += i in seen
        count_unit(unit.labels, found[i], scores)
        gold_conditions = {c.type for c in unit.conditions}
        if unit.labels and found[i]:
            for kind in gold_conditions | found_conditions[i]:
                scores.conditions[kind].add({kind} & gold_conditions, {kind} & found_conditions[i])
    count_verdicts(document, predicted, scores)


def count_unit(gold: dict[str, str | None], found: dict[str, set[str]], scores: Scores) -> None:
    """Count one unit. gold: practice → stance. found: practice → stances of the clauses that cover it, "-" for none."""
    for practice in set(gold) | set(found):
        wanted = {gold[practice] or "-"} if practice in gold else set()
        got = found.get(practice, set())
        scores.practice[practice].add({practice} if wanted else set(), {practice} if got else set())
        scores.joint[practice].add(wanted, got)
        if wanted and got and wanted != {"-"}:
            scores.stance_seen += 1
            scores.stance_right += bool(wanted & got)


def count_verdicts(document: LabelledDocument, predicted: dict[str, list[Rule]], scores: Scores) -> None:
    """Verdicts right, where either side is not silent: silence on both sides would flatter."""
    gold: dict[str, list[Rule]] = defaultdict(list)
    for unit in document.clauses:
        for practice, stance in unit.labels.items():
            gold[practice].append(Rule(practice, stance, frozenset(c.type for c in unit.conditions)))
    for practice in set(gold) | set(predicted):
        scores.verdicts_seen[practice] += 1
        scores.verdicts_right[practice] += verdict(gold[practice]) == verdict(predicted[practice])


def evaluate(documents: Iterable[LabelledDocument], label: Labeller) -> Scores:
    """Score documents that the labeller has not learnt from."""
    scores = Scores()
    for document in documents:
        score_document(document, label, scores)
    return scores


def measure_file(gold: Sequence[LabelledDocument], model: Path, scored: Path | None = None) -> Scores:
    """Score labelled documents with a model, or with what `clauses score` made of them (the document's stem is the id)."""
    if scored is None:
        return evaluate(gold, model_labeller(load_model(model)))
    found = read_scored(scored)
    scores = Scores()
    for document in gold:
        clauses, given = found.get(document.id, ([], []))
        count_document(document, clauses, given, scores)
    return scores


def read_scored(path: Path) -> dict[str, tuple[list[Clause], list[list[Given]]]]:
    """A clauses.jsonl by document stem: clauses and their labels, in order. Raises UsageError if it is none."""
    found: dict[str, tuple[list[Clause], list[list[Given]]]] = defaultdict(lambda: ([], []))
    try:
        for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
            row = json.loads(line)
            clauses, given = found[PurePosixPath(row["document"]).stem]
            conditions = frozenset(c["type"] for c in row["conditions"])
            clauses.append(
                Clause(row["clause"], row["kind"], row["page"], row["heading"], row["context"], row["text"], ())
            )
            given.append([Given(x["practice"], x["stance"], conditions) for x in row["labels"]])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: not a clauses.jsonl ({error})", "name the file that `clauses score` wrote"
        ) from error
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """The headline figures kept with a model, by what they were measured on: `figures.json` in its folder."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "figures.json"

    def kept(self) -> dict[str, dict[str, float]]:
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else {}

    def record(self, name: str, figures: dict[str, float]) -> None:
        kept = {**self.kept(), name: {k: round(v, 4) for k, v in figures.items()}}
        self.path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def write_card(self) -> None:
        """Write the model's card with the figures kept so far."""
        (self.folder / "card.md").write_text(model_card(load_model(self.folder), self.kept()), encoding="utf-8")

    def changes(self, name: str, figures: dict[str, float]) -> list[str]:
        """One line a figure that differs from the kept one."""
        kept = self.kept().get(name, {})
        return [
            f"{k}: {kept[k]:.3f} kept, {v - kept[k]:+.3f}"
            for k, v in figures.items()
            if k in kept and abs(v - kept[k]) >= 0.0005
        ]

    def check(self, name: str, figures: dict[str, float]) -> None:
        """Raises ModelError if a figure fell by more than two points."""
        kept = self.kept().get(name, {})
        fallen = [k for k, v in figures.items() if v < kept.get(k, 0.0) - 0.02]
        if fallen:
            raise ModelError(
                f"{name}: {', '.join(fallen)} fell by more than two points", "find out why, or record the new figures"
            )


def model_card(model: Model, figures: dict[str, dict[str, float]]) -> str:
    """A model's card as Markdown: what it was made from, what was measured, where not to trust it."""
    card = model.card
    names = list(next(iter(figures.values()), {}))
    rows = [
        f"| {markdown_text(name)} | {' | '.join(f'{kept[n]:.3f}' for n in names)} |"
        for name, kept in sorted(figures.items())
    ]
    labels = [f"| {label} | {count} |" for label, count in card["labels"].items()]
    return "\n".join(
        [
            f"# Model {model.version}",
            "",
            f"Linear support vector machines over words, phrases, lead-ins and headings; {len(model.practices)} practices, "
            f"{len(model.stances)} stances. Made from {card['clauses']} clauses ({card['labelled_clauses']} with labels) of "
            f"{card['documents']} fictional policies in {len(card['families'])} style families; data digest {card['data_sha256']}.",
            "",
            "## Measured",
            "",
            "`.jsonl`: real or independently written policies, from PDF. `held out by`: this project's documents, as plain text, "
            "with a model that had not seen the document, or its family.",
            "",
            f"| on | {' | '.join(n.replace('_', ' ') for n in names)} |",
            f"|---|{'---|' * len(names)}",
            *rows,
            "",
            "## Limits",
            "",
            *(f"- {limit}" for limit in LIMITS),
            "",
            "## Labels learnt from",
            "",
            "| label | clauses |",
            "|---|---|",
            *labels,
            "",
        ]
    )


def evaluate_held_out(documents: Sequence[LabelledDocument], by: str) -> Scores:
    """Score every document with the project's own model, fitted without it. by: "document" or "family", held out together."""
    models = cross_fitted(documents, by)
    scores = Scores()
    for document in documents:
        score_document(document, model_labeller(models[document.id]), scores)
    return scores


def evaluate_peer_held_out(
    documents: Sequence[LabelledDocument],
    by: str,
    fit: Callable[[Sequence[LabelledDocument]], Labeller],
    folds: int = 5,
) -> Scores:
    """The same for a peer that is fitted on documents."""
    groups = [d.id if by == "document" else d.family for d in documents]
    scores = Scores()
    for seen, held in GroupKFold(min(folds, len(set(groups)))).split(groups, groups=groups):
        label = fit([documents[i] for i in seen])
        for i in held:
            score_document(documents[i], label, scores)
    return scores


def boundary_scores(documents: Iterable[LabelledDocument]) -> Tally:
    """Clause boundaries found by the splitter against those of the labelled lines.

    A boundary is the place, counted in words, where a clause or heading begins; the document's start does not count.
    """
    tally = Tally()
    for document in documents:
        gold = set(starts(item.text for item in document.items))
        found = set(starts(c.text for c in text_clauses(document.text)))
        tally.add(gold, found)
    return tally


def starts(texts: Iterable[str]) -> Iterator[int]:
    """Word offsets at which the texts begin in their concatenation, without the first."""
    at = 0
    for text in texts:
        if at:
            yield at
        at += len(re.findall(r"[a-z0-9]+", text.lower()))
