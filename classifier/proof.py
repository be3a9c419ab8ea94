"""Labelled documents + a model → how good the labels are, as small tables: calibration, confusion, review, errors, noise.

Each document is split and labelled once; all tables come from the cases so found:

    prove_file("real_dev", read_evaluation(path), model_folder)    labelled files, with the model in use
    prove_held_out("held_out", documents)                          the project's own, each by a model that never saw it
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.clauses import Clause
from classifier.codebook import load_codebook
from classifier.evaluation import (
    Given,
    Scores,
    align,
    count_document,
    evaluate,
    measure_file,
    model_labeller,
    text_clauses,
)
from classifier.labelled import LabelledDocument
from classifier.noise import spoil_clause
from classifier.predictions import Model, Prediction, load_model, predict_clauses
from classifier.training import FOLDS, cross_fitted, fit_model

BINS = 10
LIKELY = 0.1  # practices below this probability are nearly all silence, which a model gets right for nothing
NOISE = (0.0, 0.01, 0.02, 0.05)  # character errors a character; a clean scan has 0.002, a poor one 0.05
DRAWS = 3  # noisy copies of each document of a labelled file
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of the training documents
REVIEWED = 0.15  # the share of labelled clauses that a person is asked to look at
SHOWN = ("core_f1", "all_f1", "core_stance_f1", "all_stance_f1")
NOTHING = Prediction((), (), {}, 0.0, False)
Kind = Literal["missed", "false alarm", "wrong stance"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, split, and what a model says of each unit found: None for headings and the like."""

    document: LabelledDocument
    clauses: tuple[Clause, ...]
    predictions: tuple[Prediction | None, ...]

    def count(self, scores: Scores) -> None:
        """Count the labels against the document's own, as the evaluation does."""
        given = [
            [Given(x.practice, x.stance, frozenset(c.type for c in p.conditions)) for x in p.labels] if p else []
            for p in self.predictions
        ]
        count_document(self.document, self.clauses, given, scores)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One practice on which a clause and its labels differ. gold: the stances that would be right, sorted, "-" for none.

    certainty: probability that the model gave to what is wrong, 0 to 1: to the practice that is not there, to the absence
    of the one that is, or to the stance.
    """

    kind: Kind
    practice: str
    gold: tuple[str, ...]
    given: str
    certainty: float


@dataclass(frozen=True, slots=True)
class Case:
    """A clause with what it should have got and what it got.

    gold: practice → stances that would be right ("-" for a stanceless practice): those of the units that the clause
    covers. Where a unit was split, its label is asked of one part: of each that carries the practice, else of the one to
    which the model gave it the highest probability.
    """

    document: str
    clause: Clause
    gold: dict[str, frozenset[str]]
    prediction: Prediction

    @property
    def mistakes(self) -> list[Mistake]:
        found = []
        given = {x.practice: x for x in self.prediction.labels}
        for practice, x in given.items():
            wanted, stance = tuple(sorted(self.gold.get(practice, ()))), x.stance or "-"
            if not wanted:
                found.append(Mistake("false alarm", practice, (), stance, x.probability))
            elif stance not in wanted:
                found.append(Mistake("wrong stance", practice, wanted, stance, x.stance_probability))
        for practice, stances in self.gold.items():
            if practice not in given:
                certainty = 1 - self.prediction.scores.get(practice, 0.0)
                found.append(Mistake("missed", practice, tuple(sorted(stances)), "", certainty))
        return found


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured on one set. scores: the headline. cases: in reading order. noise: see `noise_table`.

    unmatched: labelled clauses that cover no unit, of which nothing is known; no table counts them.
    """

    name: str
    scores: Scores
    cases: tuple[Case, ...]
    unmatched: int
    noise: pd.DataFrame

    def figures(self) -> dict[str, float]:
        """The headline figures, the calibration errors, and what review catches; 0 to 1."""
        bins, sent = reliability(self.cases), at_share(abstention(self.cases), REVIEWED)
        practices = bins[bins["of"] == "practice"]
        return {
            **self.scores.figures(),
            "practice_ece": calibration_error(practices),
            "practice_ece_from_0.1": calibration_error(practices[practices["low"] >= LIKELY]),
            "stance_ece": calibration_error(bins[bins["of"] == "stance"]),
            "doubt_ece": calibration_error(bins[bins["of"] == "doubt"]),
            "clause_error_rate": float(abstention(self.cases)["error_rate_of_rest"].iloc[0]),
            "error_rate_after_review": float(sent["error_rate_of_rest"]),
            "errors_in_review": float(sent["share_of_errors_sent"]),
            "errors_and_misses_in_review": float(sent["share_of_errors_and_misses_sent"]),
        }

    def counts(self) -> dict[str, int]:
        """How much was measured: documents, clauses, those that got a label, and those of which nothing is known."""
        labelled = sum(bool(c.prediction.labels) for c in self.cases)
        return {
            "documents": self.scores.documents,
            "clauses": len(self.cases),
            "labelled_clauses": labelled,
            "unmatched_clauses": self.unmatched,
        }


# --- from documents to cases -------------------------------------------------------------------------------------


def prove_file(name: str, gold: Sequence[LabelledDocument], folder: Path, scored: Path | None = None) -> Proof:
    """Measure the model of a folder on labelled documents as plain text.

    scored: a clauses.jsonl from which the headline figures are taken instead; the rest stays with the plain text.
    """
    model = load_model(folder)
    headline = measure_file(gold, folder, scored) if scored else None
    return prove(name, [(d, model) for d in gold], headline, draws=DRAWS)


def prove_held_out(name: str, documents: Sequence[LabelledDocument]) -> Proof:
    """Measure each document with a model that has not learnt from it."""
    models = cross_fitted(documents, "document")
    return prove(name, [(d, models[d.id]) for d in documents])


def prove(
    name: str, pairs: Sequence[tuple[LabelledDocument, Model]], headline: Scores | None = None, draws: int = 1
) -> Proof:
    """Read each document with its model, clean and at each level of noise.

    headline: figures to show instead of these. draws: how often each document is made noisy, to steady small sets.
    """
    levels: dict[float, tuple[Scores, list[int]]] = {rate: (Scores(), [0, 0]) for rate in NOISE}
    cases: list[Case] = []
    unmatched = 0
    for document, model in pairs:
        clauses = text_clauses(document.text)
        for rate, draw in [(r, n) for r in NOISE for n in range(draws if r else 1)]:
            reading, errors = read_noisy(document, clauses, model, rate, draw)
            scores, characters = levels[rate]
            reading.count(scores)
            characters[0] += errors
            characters[1] += sum(len(c.text) for c in clauses)
            if not rate:
                found, unknown = cases_of(reading)
                cases += found
                unmatched += unknown
    return Proof(name, headline or levels[0.0][0], tuple(cases), unmatched, noise_table(levels))


def read_noisy(
    document: LabelledDocument, clauses: Sequence[Clause], model: Model, rate: float, draw: int = 0
) -> tuple[Reading, int]:
    """(what the model says when it sees the clauses with character errors, the number of errors).

    The reading keeps the clean clauses: they are found in the units as without noise, so that only the labels suffer.
    """
    spoiled = [spoil_clause(c, rate, f"{document.id}\n{draw}") for c in clauses]
    predictions = predict_clauses([c for c, _ in spoiled], model)
    return Reading(document, tuple(clauses), tuple(predictions)), sum(n for _, n in spoiled)


def cases_of(reading: Reading) -> tuple[list[Case], int]:
    """(the clauses that cover a unit, and labelled units that no clause covers; labelled clauses that cover none)."""
    units, predictions = reading.document.clauses, [p or NOTHING for p in reading.predictions]
    covers = align([u.text for u in units], [c.text for c in reading.clauses])
    parts: dict[int, list[int]] = defaultdict(list)
    for c, covered in enumerate(covers):
        for u in covered:
            parts[u].append(c)
    gold: list[dict[str, set[str]]] = [defaultdict(set) for _ in covers]
    for u, own in parts.items():
        for practice, stance in units[u].labels.items():
            for c in bearers(practice, own, predictions):
                gold[c][practice].add(stance or "-")
    found = [
        case(reading, clause, gold[c], predictions[c])
        for c, clause in enumerate(reading.clauses)
        if covers[c] and (clause.kind == "clause" or gold[c])
    ]
    for u, unit in enumerate(units):
        if unit.labels and u not in parts:
            unread = Clause(f"unit {u}", "clause", 1, unit.heading, unit.context, unit.text, ())
            found.append(case(reading, unread, {p: {s or "-"} for p, s in unit.labels.items()}, NOTHING))
    return found, sum(bool(p.labels) and not covered for p, covered in zip(predictions, covers, strict=True))


def bearers(practice: str, parts: Sequence[int], predictions: Sequence[Prediction]) -> list[int]:
    """Which parts of a unit answer for its label: see Case.gold."""
    given = [c for c in parts if any(x.practice == practice for x in predictions[c].labels)]
    return given or [max(parts, key=lambda c: predictions[c].scores.get(practice, -1.0))]


def case(reading: Reading, clause: Clause, gold: dict[str, set[str]], prediction: Prediction) -> Case:
    """A case of a reading's document."""
    return Case(reading.document.id, clause, {p: frozenset(s) for p, s in gold.items()}, prediction)


# --- calibration -------------------------------------------------------------------------------------------------


def reliability(cases: Iterable[Case]) -> pd.DataFrame:
    """Bins of predicted probability against what was observed, one row a bin that holds something.

    of "practice": every clause with every practice, labelled or not. of "stance": labels whose practice is right, by the
    probability of the stance given. of "doubt": clauses that got a label, by the estimated probability that one is wrong.
    """
    practice: list[tuple[float, bool]] = []
    stance: list[tuple[float, bool]] = []
    doubt: list[tuple[float, bool]] = []
    for c in cases:
        practice += [(score, p in c.gold) for p, score in c.prediction.scores.items()]
        stance += [
            (x.stance_probability, x.stance in c.gold[x.practice])
            for x in c.prediction.labels
            if x.stance and x.practice in c.gold
        ]
        if c.prediction.labels:
            doubt.append((c.prediction.doubt, bool(c.mistakes)))
    tables = []
    for of, pairs in (("practice", practice), ("stance", stance), ("doubt", doubt)):
        table = binned(np.array([p for p, _ in pairs]), np.array([t for _, t in pairs], dtype=bool))
        table.insert(0, "of", of)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def binned(probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Probabilities (pairs,) and truth (pairs,) in ten bins of equal width, [low, high), the last one closed.

    Columns: low, high, pairs, mean_probability, observed_share, and its 95 % interval (Wilson) without regard to clauses
    that stand in the same document.
    """
    where = np.minimum(np.floor(np.round(probabilities * BINS, 6)).astype(int), BINS - 1)
    rows = []
    for b in range(BINS):
        inside = where == b
        if inside.any():
            n, share = int(inside.sum()), float(truth[inside].mean())
            rows.append((b / BINS, (b + 1) / BINS, n, float(probabilities[inside].mean()), share, *wilson(share, n)))
    columns = "low high pairs mean_probability observed_share observed_low observed_high".split()
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns, float) | {"pairs": int})


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval in which the true share lies, if `share` of n independent draws was seen."""
    middle, spread = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


def calibration_error(bins: pd.DataFrame) -> float:
    """Expected calibration error: mean distance of predicted and observed over the bins, weighted by their pairs."""
    total = bins["pairs"].sum()
    distance = (bins["mean_probability"] - bins["observed_share"]).abs()
    return float((distance * bins["pairs"]).sum() / total) if total else 0.0


# --- stances, review, errors, noise ------------------------------------------------------------------------------


def stance_confusion(cases: Iterable[Case]) -> pd.DataFrame:
    """(stances, stances): labels whose practice is right, counted by the right stance (rows) and the one given (columns).

    A clause over several units may be right with several stances: the one given counts if it is among them, else the first.
    """
    stances = list(load_codebook().stances)
    counts: Counter[tuple[str, str]] = Counter()
    for c in cases:
        for x in c.prediction.labels:
            right = c.gold.get(x.practice, frozenset())
            if right and x.stance:
                counts[x.stance if x.stance in right else min(right, key=stances.index), x.stance] += 1
    rows = [[counts[gold, given] for given in stances] for gold in stances]
    return pd.DataFrame(rows, index=pd.Index(stances, name="gold"), columns=stances)


def abstention(cases: Iterable[Case]) -> pd.DataFrame:
    """What it helps to send the least certain labelled clauses to a person: a row for each percent sent, 0 to 100.

    The population is the clauses that the model labels; it queues them by doubt, highest first. One is an error if its set
    of practices differs from the gold one (a false alarm, or a practice missed beside those found), or if a stance
    does. Columns: share_sent, clauses_sent, error_rate_of_rest (errors among those not sent, by their number; 0 if none
    is left), share_of_errors_sent, share_of_errors_and_misses_sent (by all errors and also the clauses that got
    no label but should have: no queue of labelled clauses can catch those).
    """
    everything = list(cases)
    labelled = sorted((c for c in everything if c.prediction.labels), key=lambda c: -c.prediction.doubt)
    wrong = np.array([bool(c.mistakes) for c in labelled], dtype=int)
    caught = np.concatenate([[0], wrong.cumsum()])
    errors = int(wrong.sum())
    missed = sum(bool(c.gold) and not c.prediction.labels for c in everything)
    rows = []
    for percent in range(101):
        sent = round(percent / 100 * len(labelled))
        left, held = len(labelled) - sent, int(caught[sent])
        rows.append(
            (percent / 100, sent, (errors - held) / max(1, left), held / max(1, errors), held / max(1, errors + missed))
        )
    columns = "share_sent clauses_sent error_rate_of_rest share_of_errors_sent share_of_errors_and_misses_sent".split()
    return pd.DataFrame(rows, columns=columns)


def at_share(curve: pd.DataFrame, share: float) -> pd.Series[float]:
    """The row of an abstention curve at a share of clauses sent."""
    return curve.iloc[round(share * 100)]


def review_line(proof: Proof) -> str:
    """What sending 15 % of the labelled clauses to review does, in words."""
    curve = abstention(proof.cases)
    sent, rate = at_share(curve, REVIEWED), curve["error_rate_of_rest"].iloc[0]
    return (
        f"of {proof.counts()['labelled_clauses']} labelled clauses {rate:.1%} are wrong somewhere; the "
        f"{REVIEWED:.0%} least certain hold {sent['share_of_errors_sent']:.0%} of these (at most "
        f"{most_errors(REVIEWED, rate):.0%} could), and of the rest {sent['error_rate_of_rest']:.1%} are wrong"
    )


def most_errors(share: float, error_rate: float) -> float:
    """The share of all errors that a perfect queue would hold in this share of the clauses."""
    return min(1.0, share / error_rate) if error_rate else 0.0


ERROR_COLUMNS = (
    "kind practice gold_stance given_stance certainty document heading lead_in clause gold_labels given_labels doubt"
).split()


def error_rows(cases: Iterable[Case]) -> pd.DataFrame:
    """One row a mistake, most certain first: what kind, on which practice, and the clause with all its labels.

    What the splitter took for a heading, or lost, the model never judged: given_labels says so, and its certainty is 1.
    """
    rows = []
    for c in cases:
        gold = "; ".join(written(p, "/".join(sorted(s))) for p, s in c.gold.items())
        given = "; ".join(
            f"{written(x.practice, x.stance or '-')} ({x.probability:.2f}"
            + (f", stance {x.stance_probability:.2f})" if x.stance else ")")
            for x in c.prediction.labels
        )
        given = given if c.prediction.scores else "not read as a clause"
        for m in c.mistakes:
            what = (m.kind, m.practice, "/".join(m.gold), m.given, m.certainty)
            rows.append(
                (*what, c.document, c.clause.heading, c.clause.context, c.clause.text, gold, given, c.prediction.doubt)
            )
    table = pd.DataFrame(rows, columns=ERROR_COLUMNS)
    return table.sort_values("certainty", ascending=False, kind="stable", ignore_index=True)


def written(practice: str, stance: str) -> str:
    """`practice:stance`, or the practice alone if it carries none."""
    return practice if stance == "-" else f"{practice}:{stance}"


def noise_table(levels: dict[float, tuple[Scores, list[int]]]) -> pd.DataFrame:
    """One row a level of noise: rate wanted, character errors a character made, the figures."""
    rows = []
    for rate, (scores, (errors, characters)) in levels.items():
        figures = scores.figures()
        rows.append((rate, errors / max(1, characters), *(figures[name] for name in SHOWN)))
    return pd.DataFrame(rows, columns=["rate", "errors_a_character", *SHOWN])


# --- learning curve ----------------------------------------------------------------------------------------------


def learning_curve(
    documents: Sequence[LabelledDocument], sets: Sequence[tuple[str, Sequence[LabelledDocument]]], seed: int = 0
) -> pd.DataFrame:
    """Fits on growing shares of the training documents, whole documents, drawn once; each share holds the smaller ones.

    sets: (name, labelled documents) to measure on; none: a fifth of the training documents, drawn first and held out.
    Columns: set, share, documents and clauses learnt from, the figures.
    """
    order = list(documents)
    random.Random(seed).shuffle(order)
    if not sets:
        apart = len(order) // 5
        sets, order = [("held_out", order[:apart])], order[apart:]
    rows = []
    for share in SHARES:
        drawn = {d.id for d in order[: max(FOLDS, round(share * len(order)))]}
        seen = [d for d in documents if d.id in drawn]  # in their own order, so that all of them make the same model
        model = fit_model(seen, f"share-{share:g}")
        for name, gold in sets:
            figures = evaluate(gold, model_labeller(model)).figures()
            clauses = sum(len(d.clauses) for d in seen)
            rows.append((name, share, len(seen), clauses, *(figures[f] for f in SHOWN)))
    return pd.DataFrame(rows, columns=["set", "share", "documents", "clauses", *SHOWN])
