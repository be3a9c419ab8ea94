"""training_data → models/<version>/: fit, calibrate on held-out documents, write the folder with its card."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from classifier.codebook import load_codebook
from classifier.errors import LabelledDataError
from classifier.features import SIGNALS, Surroundings, practice_features, stance_features, surroundings
from classifier.labelled import LabelledDocument
from classifier.predictions import LinearPart, Model, as_is, save_model, sigmoid, softmax

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
PRACTICE_STRENGTH = 2.0  # inverse regularisation; chosen on held-out documents
STANCE_STRENGTH = 0.5
FOLDS = 5
REVIEW_SHARE = 0.15  # of the clauses that get a label, the least certain ones that a person should see
# Authored policies are denser in labels (60 % of clauses) than the manuals and acts that the product meets (a third or
# less): (68 : 32) against (40 : 60), so unlabelled clauses count this much when probabilities and thresholds are set.
UNLABELLED_WEIGHT = 3.2
# Thresholds chosen on fits of four fifths of the documents are low for a fit of all of them, which is surer of what it finds;
# the factor is the one setting that was chosen on the evaluation's development sets.
FULL_FIT_RAISE = 1.3
NEGLIGIBLE = 0.05  # a feature that weighs less for every label is left out of the stored model
SHRINK = 40.0  # a label's own threshold counts as much as the common one at this many positives


@dataclass(frozen=True, slots=True)
class Example:
    """One clause to learn from: what the model sees, the labels (practice → stance), and the groups that it belongs to."""

    clause: Surroundings
    labels: dict[str, str | None]
    document: str
    family: str


def examples(documents: Sequence[LabelledDocument]) -> list[Example]:
    """The clauses of labelled documents, in order."""
    return [
        Example(seen, clause.labels, document.id, document.family)
        for document in documents
        for seen, clause in zip(surroundings(document.clauses), document.clauses, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each feature occurs in each row. words: (features,). matrix: (rows, features)."""

    words: npt.NDArray[Any]
    matrix: csr_matrix

    @classmethod
    def of(cls, features: Sequence[list[str]]) -> Counts:
        vectorizer = CountVectorizer(analyzer=as_is, min_df=2, dtype=np.float32)
        matrix = vectorizer.fit_transform(features)
        return cls(vectorizer.get_feature_names_out(), matrix.tocsr())


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Everything that a fit needs, counted once. Stance rows stand for (example, practice) pairs that carry a stance.

    truth: (examples, practices). pair_example, pair_stance: (pairs,), indexes of examples and of stances.
    """

    data: tuple[Example, ...]
    practices: tuple[str, ...]
    stances: tuple[str, ...]
    practice_counts: Counts
    stance_counts: Counts
    truth: npt.NDArray[np.bool_]
    pair_example: Rows
    pair_stance: Rows

    @classmethod
    def of(cls, documents: Sequence[LabelledDocument], extra: Sequence[Example] = ()) -> TrainingSet:
        codebook = load_codebook()
        practices, stances = codebook.practice_ids, tuple(codebook.stances)
        data = (*examples(documents), *extra)
        pairs = [(i, p, s) for i, e in enumerate(data) for p, s in e.labels.items() if s is not None]
        return cls(
            data,
            practices,
            stances,
            Counts.of([practice_features(e.clause) for e in data]),
            Counts.of([stance_features(data[i].clause, p) for i, p, _ in pairs]),
            np.array([[p in e.labels for p in practices] for e in data], dtype=bool),
            np.array([i for i, _, _ in pairs], dtype=np.intp),
            np.array([stances.index(s) for _, _, s in pairs], dtype=np.intp),
        )

    def groups(self, by: str) -> list[str]:
        """The document or family of each example."""
        return [getattr(e, by) for e in self.data]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A linear part with the transformer that it was fitted on, so that rows of the same counts can be decided at once."""

    part: LinearPart
    transformer: TfidfTransformer
    weights: Floats

    def decide(self, counts: csr_matrix) -> Floats:
        return np.asarray(self.transformer.transform(counts) @ self.weights + self.part.bias, dtype=np.float32)


def fit_column(matrix: csr_matrix, truth: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], float]:
    """Weights and bias of one machine. In a process of its own: the solver's random numbers are global to a process."""
    if not truth.any():
        return np.zeros(matrix.shape[1]), -10.0
    machine = LinearSVC(C=PRACTICE_STRENGTH, random_state=0).fit(matrix, truth)
    return machine.coef_[0], float(machine.intercept_[0])


def fit_practices(training: TrainingSet, rows: Rows) -> Fitted:
    """One linear support vector machine a practice over a common TF-IDF vocabulary."""
    transformer = TfidfTransformer(sublinear_tf=True).fit(training.practice_counts.matrix[rows])
    matrix = transformer.transform(training.practice_counts.matrix[rows])
    matrix.sum_duplicates()  # in place, which workers that share it can't do
    truth = training.truth[rows]

    fits = Parallel(n_jobs=-1)(delayed(fit_column)(matrix, truth[:, c]) for c in range(truth.shape[1]))
    weights = np.array([w for w, _ in fits], dtype=np.float32).T
    return fitted(
        training.practice_counts.words, transformer, weights, np.array([b for _, b in fits], dtype=np.float32)
    )


def fit_stances(training: TrainingSet, rows: Rows) -> Fitted:
    """One machine a stance against the others, over all labels of the given examples; the practice is among the features."""
    pairs = np.flatnonzero(np.isin(training.pair_example, rows))
    transformer = TfidfTransformer(sublinear_tf=True).fit(training.stance_counts.matrix[pairs])
    matrix = transformer.transform(training.stance_counts.matrix[pairs])
    machine = LinearSVC(C=STANCE_STRENGTH, random_state=0).fit(matrix, training.pair_stance[pairs])
    weights = np.zeros((matrix.shape[1], len(training.stances)), dtype=np.float32)
    bias = np.full(len(training.stances), -10.0, dtype=np.float32)
    weights[:, machine.classes_], bias[machine.classes_] = machine.coef_.T, machine.intercept_
    return fitted(training.stance_counts.words, transformer, weights, bias)


def fitted(words: npt.NDArray[Any], transformer: TfidfTransformer, weights: Floats, bias: Floats) -> Fitted:
    """As it will be stored: weights at half precision, features that weigh next to nothing left out."""
    stored = weights.astype(np.float16).astype(np.float32)
    kept = np.flatnonzero(np.abs(stored).max(axis=1) > NEGLIGIBLE)
    part = LinearPart([str(w) for w in words[kept]], transformer.idf_[kept].astype(np.float32), stored[kept], bias)
    return Fitted(part, transformer, stored)


def row_weights(truth: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(rows,): what each clause counts, so that unlabelled ones weigh as they do in the field."""
    weights: npt.NDArray[np.float64] = np.where(truth.any(axis=1), 1.0, UNLABELLED_WEIGHT)
    return weights


def calibrate(decisions: Floats, truth: npt.NDArray[np.bool_]) -> Floats:
    """Slope and offset for each column that turn decision values into log-odds (Platt), (columns, 2).

    A column with few positives leans on the fit over all columns.
    """
    weights = row_weights(truth)

    def platt(x: npt.NDArray[Any], y: npt.NDArray[np.bool_], repeats: int = 1) -> tuple[float, float]:
        line = LogisticRegression(C=1e3).fit(x.reshape(-1, 1), y, sample_weight=np.repeat(weights, repeats))
        return float(line.coef_[0, 0]), float(line.intercept_[0])

    common = platt(decisions.ravel(), truth.ravel(), truth.shape[1])
    rows = [platt(decisions[:, c], truth[:, c]) if truth[:, c].sum() >= 20 else common for c in range(truth.shape[1])]
    # rounded, for the solver's last digits differ from run to run
    return np.asarray(np.round(rows, 4), dtype=np.float32)


def weigh_signals(log_odds: Floats, truth: npt.NDArray[np.bool_], signals: Rows) -> Floats:
    """What to add to the log-odds of a clause by its signal, (len(SIGNALS),); the same for all practices."""
    columns = truth.shape[1]
    near = np.eye(len(SIGNALS))[np.repeat(signals, columns)]
    fit = LogisticRegression(C=1e3, max_iter=300)
    fit.fit(
        np.column_stack([log_odds.ravel(), near]), truth.ravel(), sample_weight=np.repeat(row_weights(truth), columns)
    )
    added: Floats = np.round(fit.coef_[0, 1:] + fit.intercept_[0], 3).astype(np.float32)
    return added


def choose_thresholds(probabilities: Floats, truth: npt.NDArray[np.bool_]) -> Floats:
    """For each column the probability from which a label is given: the best F1, leaning on the best common one."""
    grid = np.linspace(0.1, 0.7, 61)
    weights = row_weights(truth)[:, None]

    def scores(columns: list[int]) -> npt.NDArray[np.float64]:
        p, y = probabilities[:, columns], truth[:, columns]
        hits = np.array([((p >= t) & y).sum() for t in grid])
        given = np.array([((p >= t) * weights).sum() for t in grid])
        f1: npt.NDArray[np.float64] = 2 * hits / np.maximum(given + y.sum(), 1)
        return f1

    common = float(grid[int(scores(list(range(truth.shape[1]))).argmax())])
    chosen = []
    for column in range(truth.shape[1]):
        own, positives = float(grid[int(scores([column]).argmax())]), float(truth[:, column].sum())
        chosen.append((positives * own + SHRINK * common) / (positives + SHRINK))
    return np.array(chosen, dtype=np.float32)


def choose_temperature(decisions: Floats, truth: Rows) -> float:
    """The temperature at which stance probabilities are least surprised by the held-out stances."""
    grid = np.linspace(0.1, 3.0, 59)
    losses = [-np.log(softmax(decisions / t)[np.arange(len(truth)), truth] + 1e-9).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What fits said of examples that they had not seen.

    practice: (examples, practices) and stance: (pairs, stances), decision values. fold: (examples,), in which fold each was
    held out. fits: the practice and the stance fit of each fold.
    """

    practice: Floats
    stance: Floats
    fold: Rows
    fits: tuple[tuple[Fitted, Fitted], ...]


def hold_out(
    training: TrainingSet, by: str, folds: int = FOLDS, report: Callable[[float], None] | None = None
) -> HeldOut:
    """Fit on all groups but some, decide on those, until every example has been held out once. by: document or family.

    report: is told the share of the folds that are done, above 0, to 1.
    """
    groups = training.groups(by)
    practice = np.zeros((len(groups), len(training.practices)), dtype=np.float32)
    stance = np.zeros((len(training.pair_example), len(training.stances)), dtype=np.float32)
    fold = np.zeros(len(groups), dtype=np.intp)
    fits = []
    count = min(folds, len(set(groups)))
    for number, (seen, held) in enumerate(GroupKFold(count).split(groups, groups=groups)):
        practices, stances = fit_practices(training, seen), fit_stances(training, seen)
        fits.append((practices, stances))
        fold[held] = number
        practice[held] = practices.decide(training.practice_counts.matrix[held])
        pairs = np.flatnonzero(np.isin(training.pair_example, held))
        stance[pairs] = stances.decide(training.stance_counts.matrix[pairs])
        if report:
            report((number + 1) / count)
    return HeldOut(practice, stance, fold, tuple(fits))


def assemble(
    version: str, training: TrainingSet, held: HeldOut, rows: Rows, practices: Fitted, stances: Fitted
) -> Model:
    """A model from its linear parts; calibration, thresholds and the review mark from the held-out decisions of `rows`."""
    truth = training.truth[rows]
    calibration = calibrate(held.practice[rows], truth)
    log_odds = held.practice[rows] * calibration[:, 0] + calibration[:, 1]
    near = np.array([training.data[i].clause.signal for i in rows], dtype=np.intp)
    signals = weigh_signals(log_odds, truth, near)
    probabilities = sigmoid(log_odds + signals[near][:, None])
    thresholds = choose_thresholds(probabilities, truth)
    pairs = np.isin(training.pair_example, rows)
    temperature = choose_temperature(held.stance[pairs], training.pair_stance[pairs])
    doubts = held_out_doubts(training, held, rows, probabilities, thresholds, temperature)
    review = round(float(np.quantile(doubts, 1 - REVIEW_SHARE)), 4) if len(doubts) else 1.0
    return Model(
        version, training.practices, training.stances, practices.part, stances.part,
        calibration, signals, thresholds, temperature, review, {},
    )  # fmt: skip


def held_out_doubts(
    training: TrainingSet, held: HeldOut, rows: Rows, probabilities: Floats, thresholds: Floats, temperature: float
) -> npt.NDArray[np.float64]:
    """The doubt (see Prediction) of each held-out clause that gets a label; stances where the practice is right only."""
    given = probabilities >= thresholds
    sure = np.where(given, probabilities, 1 - probabilities).prod(axis=1).astype(np.float64)
    best = softmax(held.stance / temperature).max(axis=1)
    place = {int(example): i for i, example in enumerate(rows)}
    for pair, example in enumerate(training.pair_example):
        if int(example) in place:
            sure[place[int(example)]] *= best[pair]
    doubts: npt.NDArray[np.float64] = 1 - sure[given.any(axis=1)]
    return doubts


def fit_model(
    documents: Sequence[LabelledDocument],
    version: str,
    extra: Sequence[Example] = (),
    report: Callable[[float], None] | None = None,
) -> Model:
    """Fit on all documents; calibration, thresholds and the review mark come from documents held out.

    Not from families held out: the product meets the genres that it has learnt, in other hands.
    extra: clauses to learn beside those of the documents. report: see hold_out; a last fit follows its 1.
    """
    if len(documents) < FOLDS:
        raise LabelledDataError(f"fewer than {FOLDS} documents", "training holds some of them out; add documents")
    training = TrainingSet.of(documents, extra)
    everything = np.arange(len(training.data))
    held = hold_out(training, "document", report=report)
    model = assemble(
        version, training, held, everything, fit_practices(training, everything), fit_stances(training, everything)
    )
    model.thresholds = np.asarray(np.round(model.thresholds * FULL_FIT_RAISE, 4), dtype=np.float32)
    model.card = card(documents, training.data)
    return model


def cross_fitted(documents: Sequence[LabelledDocument], by: str, folds: int = 5) -> dict[str, Model]:
    """For each document id a model that has not learnt from it, nor from its family if `by` is family.

    Each fold's calibration and thresholds come from the other folds' held-out decisions.
    """
    training = TrainingSet.of(documents)
    held = hold_out(training, by, folds)
    models = [
        assemble(f"without-{by}-fold-{k}", training, held, np.flatnonzero(held.fold != k), *held.fits[k])
        for k in range(len(held.fits))
    ]
    return {e.document: models[held.fold[i]] for i, e in enumerate(training.data)}


def card(documents: Sequence[LabelledDocument], data: Sequence[Example]) -> dict[str, Any]:
    """What a model was made from: counts by family and by label. data_sha256: of the documents, without extra clauses."""
    known = {d.id for d in documents}
    others = {e.document: e.family for e in data if e.document not in known}
    counts = Counter((p, s or "-") for e in data for p, s in e.labels.items())
    return {
        "documents": len(documents) + len(others),
        "clauses": len(data),
        "labelled_clauses": sum(bool(e.labels) for e in data),
        "families": dict(sorted(Counter([*(d.family for d in documents), *others.values()]).items())),
        "labels": {f"{p}:{s}": n for (p, s), n in sorted(counts.items())},
        "data_sha256": data_digest(documents),
    }


def data_digest(documents: Sequence[LabelledDocument]) -> str:
    """A digest of the training text and labels, to tell which data a model was made from."""
    digest = hashlib.sha256()
    for document in documents:
        for clause in document.clauses:
            digest.update(f"{document.id}\t{clause.text}\t{sorted(clause.labels.items())}\n".encode())
    return digest.hexdigest()[:16]


def train(documents: Sequence[LabelledDocument], models: Path, version: str, promote: bool = True) -> Model:
    """Fit a model and write `models/<version>/`; with `promote`, make it the one in use."""
    model = fit_model(documents, version)
    save_model(model, models / version)
    if promote:
        (models / "current").write_text(version + "\n", encoding="utf-8")
    return model
