"""training_data → models/<version>/: fit, calibrate on held-out families, write the folder with its card."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from classifier.codebook import load_codebook
from classifier.errors import LabelledDataError
from classifier.features import Surroundings, document_topics, practice_features, stance_for_practice
from classifier.labelled import LabelledDocument
from classifier.predictions import LinearPart, Model, new_vectorizer, save_model, sigmoid, softmax

Floats = npt.NDArray[np.float32]
PRACTICE_STRENGTH = 3.0  # inverse regularisation; chosen on held-out families, see models/<version>/designs.csv
STANCE_STRENGTH = 10.0
FOLDS = 8
REVIEW_SHARE = 0.15  # of the clauses that get a label, the least certain ones that a person should see
# Authored policies are denser in labels (60 % of clauses) than the manuals and acts that the product meets (a third or
# less): unlabelled clauses count this much when probabilities and thresholds are set.
UNLABELLED_WEIGHT = 2.5
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
    found = []
    for document in documents:
        clauses = document.clauses
        topics = document_topics([c.text for c in clauses])
        before = ""
        for clause in clauses:
            seen = Surroundings(clause.text, clause.context, clause.heading, before, topics)
            found.append(Example(seen, clause.labels, document.id, document.family))
            before = clause.text
    return found


def label_matrix(data: Sequence[Example], practices: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(examples, practices): does the clause carry the practice?"""
    return np.array([[p in e.labels for p in practices] for e in data], dtype=bool)


def stance_pairs(data: Sequence[Example]) -> Iterator[tuple[int, str, str]]:
    """(example index, practice, stance) for each label that has a stance."""
    for i, example in enumerate(data):
        for practice, stance in example.labels.items():
            if stance is not None:
                yield i, practice, stance


def fit_practices(data: Sequence[Example], practices: Sequence[str]) -> LinearPart:
    """One logistic regression a practice over a common TF-IDF vocabulary."""
    vectorizer = new_vectorizer(min_df=2)
    matrix = vectorizer.fit_transform([practice_features(e.clause) for e in data])
    truth = label_matrix(data, practices)
    weights = np.zeros((matrix.shape[1], len(practices)), dtype=np.float32)
    bias = np.full(len(practices), -10.0, dtype=np.float32)
    for column in range(len(practices)):
        if truth[:, column].any():
            regression = LogisticRegression(C=PRACTICE_STRENGTH, solver="liblinear", class_weight="balanced", random_state=0)
            regression.fit(matrix, truth[:, column])
            weights[:, column], bias[column] = regression.coef_[0], regression.intercept_[0]
    return linear_part(vectorizer.get_feature_names_out(), vectorizer.idf_, weights, bias)


def fit_stances(data: Sequence[Example], stances: Sequence[str]) -> LinearPart:
    """One multinomial logistic regression over all labels; the practice is among the features."""
    pairs = list(stance_pairs(data))
    vectorizer = new_vectorizer(min_df=2)
    matrix = vectorizer.fit_transform([stance_for_practice(data[i].clause, practice) for i, practice, _ in pairs])
    regression = LogisticRegression(C=STANCE_STRENGTH, max_iter=400, random_state=0)
    regression.fit(matrix, [stance for _, _, stance in pairs])
    weights = np.zeros((matrix.shape[1], len(stances)), dtype=np.float32)
    bias = np.full(len(stances), -10.0, dtype=np.float32)
    for row, stance in enumerate(regression.classes_):
        weights[:, stances.index(stance)], bias[stances.index(stance)] = regression.coef_[row], regression.intercept_[row]
    return linear_part(vectorizer.get_feature_names_out(), vectorizer.idf_, weights, bias)


def linear_part(words: npt.NDArray[Any], idf: npt.NDArray[Any], weights: Floats, bias: Floats) -> LinearPart:
    """As it will be stored: weights at half precision, features that weigh nothing left out."""
    stored = weights.astype(np.float16).astype(np.float32)
    kept = np.flatnonzero(np.abs(stored).max(axis=1) > 1e-3)
    return LinearPart([str(w) for w in words[kept]], idf[kept].astype(np.float32), stored[kept], bias)


def row_weights(truth: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(rows,): what each clause counts, so that unlabelled ones weigh as they do in the field."""
    return np.where(truth.any(axis=1), 1.0, UNLABELLED_WEIGHT)


def calibrate(decisions: Floats, truth: npt.NDArray[np.bool_]) -> Floats:
    """Slope and offset for each column that turn decision values into log-odds (Platt), (columns, 2).

    A column with few positives leans on the fit over all columns.
    """
    weights = row_weights(truth)

    def platt(x: npt.NDArray[Any], y: npt.NDArray[np.bool_], repeats: int = 1) -> tuple[float, float]:
        fitted = LogisticRegression(C=1e3).fit(x.reshape(-1, 1), y, sample_weight=np.repeat(weights, repeats))
        return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])

    common = platt(decisions.ravel(), truth.ravel(), truth.shape[1])
    rows = [platt(decisions[:, c], truth[:, c]) if truth[:, c].sum() >= 20 else common for c in range(truth.shape[1])]
    return np.array(rows, dtype=np.float32)


def choose_thresholds(probabilities: Floats, truth: npt.NDArray[np.bool_]) -> Floats:
    """For each column the probability from which a label is given: the best F1, leaning on the best common one."""
    grid = np.linspace(0.1, 0.7, 61)
    weights = row_weights(truth)[:, None]

    def scores(columns: list[int]) -> npt.NDArray[np.float64]:
        p, y = probabilities[:, columns], truth[:, columns]
        hits = np.array([((p >= t) & y).sum() for t in grid])
        given = np.array([((p >= t) * weights).sum() for t in grid])
        return 2 * hits / np.maximum(given + y.sum(), 1)

    common = float(grid[int(scores(list(range(truth.shape[1]))).argmax())])
    chosen = []
    for column in range(truth.shape[1]):
        own, positives = float(grid[int(scores([column]).argmax())]), float(truth[:, column].sum())
        chosen.append((positives * own + SHRINK * common) / (positives + SHRINK))
    return np.array(chosen, dtype=np.float32)


def choose_temperature(decisions: Floats, truth: npt.NDArray[np.int_]) -> float:
    """The temperature at which stance probabilities are least surprised by the held-out stances."""
    grid = np.linspace(0.4, 3.0, 53)
    losses = [-np.log(softmax(decisions / t)[np.arange(len(truth)), truth] + 1e-9).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Decision values for examples whose family the fit never saw. Rows as in the data; stance rows as stance_pairs."""

    practice: Floats
    stance: Floats


def held_out_decisions(data: Sequence[Example], practices: Sequence[str], stances: Sequence[str], folds: int = FOLDS) -> HeldOut:
    """Fit on all families but some, decide on those, until every example has been held out once."""
    families = [e.family for e in data]
    folds = min(folds, len(set(families)))
    practice = np.zeros((len(data), len(practices)), dtype=np.float32)
    pairs = list(stance_pairs(data))
    stance = np.zeros((len(pairs), len(stances)), dtype=np.float32)
    for fit_rows, held_rows in GroupKFold(n_splits=folds).split(families, groups=families):
        learnt = [data[i] for i in fit_rows]
        practice[held_rows] = fit_practices(learnt, practices).decide([practice_features(data[i].clause) for i in held_rows])
        held = set(held_rows.tolist())
        mine = [k for k, (i, _, _) in enumerate(pairs) if i in held]
        rows = [stance_for_practice(data[pairs[k][0]].clause, pairs[k][1]) for k in mine]
        stance[mine] = fit_stances(learnt, stances).decide(rows)
    return HeldOut(practice, stance)


def fit_model(documents: Sequence[LabelledDocument], version: str) -> Model:
    """Fit on all documents; calibration, thresholds and the review mark come from families held out."""
    if len({d.family for d in documents}) < 2:
        raise LabelledDataError("fewer than two style families", "training needs families to hold out; add documents")
    codebook = load_codebook()
    practices, stances = codebook.practice_ids, tuple(codebook.stances)
    data = examples(documents)
    truth = label_matrix(data, practices)
    held = held_out_decisions(data, practices, stances)
    calibration = calibrate(held.practice, truth)
    probabilities = sigmoid(held.practice * calibration[:, 0] + calibration[:, 1])
    thresholds = choose_thresholds(probabilities, truth)
    pairs = list(stance_pairs(data))
    temperature = choose_temperature(held.stance, np.array([stances.index(s) for _, _, s in pairs]))
    model = Model(
        version,
        practices,
        stances,
        fit_practices(data, practices),
        fit_stances(data, stances),
        calibration,
        thresholds,
        temperature,
        1.0,
        {},
    )
    model.review_above = review_threshold(model, data)
    model.card = card(documents, data)
    return model


def review_threshold(model: Model, data: Sequence[Example]) -> float:
    """The doubt above which the least certain REVIEW_SHARE of labelled clauses lie."""
    by_document: dict[str, list[Surroundings]] = {}
    for example in data:
        by_document.setdefault(example.document, []).append(example.clause)
    doubts = [p.doubt for clauses in by_document.values() for p in model.predict(clauses) if p.labels]
    return float(np.quantile(doubts, 1 - REVIEW_SHARE)) if doubts else 1.0


def card(documents: Sequence[LabelledDocument], data: Sequence[Example]) -> dict[str, Any]:
    """What a model was made from: counts by family and by label."""
    counts = Counter((p, s or "-") for e in data for p, s in e.labels.items())
    return {
        "documents": len(documents),
        "clauses": len(data),
        "labelled_clauses": sum(bool(e.labels) for e in data),
        "families": dict(sorted(Counter(d.family for d in documents).items())),
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
