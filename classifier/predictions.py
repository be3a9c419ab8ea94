"""[Clause] + model → [Prediction]: practices with probability, stance and conditions, and whether a person should look."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from classifier.citations import find_lunn
from classifier.clauses import Clause
from classifier.codebook import Codebook, load_codebook
from classifier.conditions import Condition, find_conditions
from classifier.document import Document
from classifier.errors import ModelError
from classifier.features import SIGNALS, Surroundings, practice_features, stance_features, surroundings
from classifier.model_folders import latest_model as latest_model
from classifier.relevance import pages_that_matter
from classifier.scored import Label as Label
from classifier.scored import Prediction as Prediction

Floats = npt.NDArray[np.float32]
LUNN = "cites_lunn"
LUNN_CITED = 0.99  # probability of a citation found by its form; measured on the authored documents
FORMAT = 3
ARRAY_FILE = "arrays.npz"
VOCABULARY = "vocabulary.json.gz"


@dataclass(slots=True)
class LinearPart:
    """A TF-IDF vocabulary with one weight column for each class.

    idf: (features,). weights: (features, classes). bias: (classes,).
    """

    vocabulary: list[str]
    idf: Floats
    weights: Floats
    bias: Floats
    _places: dict[str, int] | None = None

    def decide(self, features: Sequence[Sequence[str]]) -> Floats:
        """Decision values, (len(features), classes)."""
        if not features:
            return np.zeros((0, len(self.bias)), dtype=np.float32)
        values: Floats = np.asarray(self.transform(features) @ self.weights + self.bias, dtype=np.float32)
        return values

    def transform(self, features: Sequence[Sequence[str]]) -> csr_matrix:
        """TF-IDF rows, (len(features), vocabulary): sublinear counts and unit length, as the part was fitted.

        What scikit-learn's CountVectorizer and TfidfTransformer do, in one sweep: theirs cost three times the labelling.
        """
        if self._places is None:
            self._places = {word: i for i, word in enumerate(self.vocabulary)}
        ends = np.cumsum([len(f) for f in features])
        found = np.fromiter(map(self._places.get, chain.from_iterable(features), repeat(-1)), np.int32, int(ends[-1]))
        known = found >= 0
        starts = np.concatenate([[0], np.concatenate([[0], np.cumsum(known)])[ends]])
        columns = found[known]
        rows = csr_matrix((np.ones(len(columns), np.float32), columns, starts), (len(features), len(self.vocabulary)))
        rows.sum_duplicates()
        rows.data = (np.log(rows.data) + 1) * self.idf[rows.indices]
        owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        length = np.sqrt(np.bincount(owner, rows.data**2, rows.shape[0]))
        rows.data /= length[owner].astype(np.float32)
        return rows


def as_is(features: list[str]) -> list[str]:
    """The analyzer of ready-made feature lists."""
    return features


@dataclass(slots=True)
class Model:
    """A trained model. Practices in the order of `practices`; stances in the order of `stances`.

    calibration: (practices, 2), slope and offset that turn a decision value into a log-odds.
    signals: (len(SIGNALS),), added to the log-odds by how near immigration is spoken of.
    thresholds: (practices,), the probability from which a label is given. temperature: divides stance decision values.
    """

    version: str
    practices: tuple[str, ...]
    stances: tuple[str, ...]
    practice_part: LinearPart
    stance_part: LinearPart
    calibration: Floats
    signals: Floats
    thresholds: Floats
    temperature: float
    review_above: float
    card: dict[str, Any]

    def practice_probabilities(self, clauses: Sequence[Surroundings]) -> Floats:
        """(clauses, practices), calibrated; cites_lunn is certain where the citation itself is found."""
        decisions = self.practice_part.decide([practice_features(c) for c in clauses])
        near = self.signals[[c.signal for c in clauses]]
        probabilities = sigmoid(decisions * self.calibration[:, 0] + self.calibration[:, 1] + near[:, None])
        if LUNN in self.practices:
            column = self.practices.index(LUNN)
            for row, clause in enumerate(clauses):
                if find_lunn(clause.text) is not None:
                    probabilities[row, column] = LUNN_CITED
                else:  # an allusion that no form betrays: the model's word, but never enough to be called a citation
                    probabilities[row, column] = min(probabilities[row, column], 0.9 * self.thresholds[column])
        return probabilities

    def stance_probabilities(self, clauses: Sequence[Surroundings], practices: Sequence[str]) -> Floats:
        """(len(practices), stances): for each pair of a clause and a practice that it is about."""
        features = [stance_features(c, p) for c, p in zip(clauses, practices, strict=True)]
        return softmax(self.stance_part.decide(features) / self.temperature)

    def predict(self, clauses: Sequence[Surroundings]) -> list[Prediction]:
        """Predictions for the clauses of one document, in order."""
        probabilities = self.practice_probabilities(clauses)
        given = probabilities >= self.thresholds
        pairs = [(int(r), int(c)) for r, c in np.argwhere(given) if self.practices[c] != LUNN]
        stances = self.stance_probabilities([clauses[r] for r, _ in pairs], [self.practices[c] for _, c in pairs])
        by_pair = dict(zip(pairs, stances, strict=True))
        sure = np.where(given, probabilities, 1 - probabilities).prod(axis=1).tolist()
        scores = np.round(probabilities.astype(np.float64), 4).tolist()
        found = []
        for row, clause in enumerate(clauses):
            labels: tuple[Label, ...] = ()
            conditions: tuple[Condition, ...] = ()
            right = sure[row]
            if given[row].any():
                labels = self._labels(row, probabilities[row], given[row], by_pair)
                right *= float(np.prod([label.stance_probability for label in labels]))
                if any(label.stance for label in labels):
                    conditions = find_conditions(clause.text, clause.context)
            by_practice = dict(zip(self.practices, scores[row], strict=True))
            found.append(Prediction(labels, conditions, by_practice, 1 - right, 1 - right > self.review_above))
        return found

    def _labels(
        self, row: int, probabilities: Floats, given: npt.NDArray[np.bool_], stances: dict[tuple[int, int], Floats]
    ) -> tuple[Label, ...]:
        """The labels of one clause, likeliest first. stances: (row, practice) → probabilities of the stances."""
        labels = []
        for column in sorted(np.flatnonzero(given).tolist(), key=lambda c: -float(probabilities[c])):
            spread = stances.get((row, column))
            best = int(spread.argmax()) if spread is not None else 0
            stance, sure = (None, 1.0) if spread is None else (self.stances[best], float(spread[best]))
            labels.append(Label(self.practices[column], float(probabilities[column]), stance, sure))
        return tuple(labels)


def sigmoid(values: Floats) -> Floats:
    """Log-odds → probabilities, element by element."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), dtype=np.float32)


def softmax(values: Floats) -> Floats:
    """Rows that sum to 1, (rows, columns); no rows give no rows."""
    if not len(values):
        return values
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def predict_document(document: Document, clauses: Sequence[Clause], model: Model) -> list[Prediction | None]:
    """One Prediction for each clause of a document, None for headings; what can't matter is given no label."""
    aside = {page.number for page in document.pages if page.aside}
    read = [i for i, clause in enumerate(clauses) if clause.page not in aside]
    elsewhere = sum(page.words for page in document.pages)
    made = predict_clauses([clauses[i] for i in read], model, pages_that_matter(document), elsewhere)
    nothing = Prediction((), (), dict.fromkeys(model.practices, 0.0), 0.0, False)
    found = [nothing if clause.kind == "clause" else None for clause in clauses]
    for i, prediction in zip(read, made, strict=True):
        found[i] = prediction or found[i]
    return found


def predict_clauses(
    clauses: Sequence[Clause], model: Model, pages: Collection[int] | None = None, words_elsewhere: int = 0
) -> list[Prediction | None]:
    """One Prediction for each clause; None for headings, other units that carry no labels, and what is on other pages.

    pages: those that can matter, None for all. words_elsewhere: how many words the document has beside the clauses.
    """
    seen = surroundings(clauses, words_elsewhere)
    wanted = [i for i, c in enumerate(clauses) if c.kind == "clause" and (pages is None or c.page in pages)]
    found: list[Prediction | None] = [None] * len(clauses)
    for i, prediction in zip(wanted, model.predict([seen[i] for i in wanted]), strict=True):
        found[i] = prediction
    return found


ARRAYS: dict[str, Callable[[Model], Floats]] = {
    "practice_idf": lambda m: m.practice_part.idf,
    "practice_weights": lambda m: m.practice_part.weights,
    "practice_bias": lambda m: m.practice_part.bias,
    "stance_idf": lambda m: m.stance_part.idf,
    "stance_weights": lambda m: m.stance_part.weights,
    "stance_bias": lambda m: m.stance_part.bias,
    "calibration": lambda m: m.calibration,
    "signals": lambda m: m.signals,
    "thresholds": lambda m: m.thresholds,
}


def codebook_digest(codebook: Codebook) -> str:
    """What a model was made for: practices, stances and conditions by id."""
    ids = [*codebook.practice_ids, *codebook.stances, *codebook.conditions]
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]


def save_model(model: Model, folder: Path) -> None:
    """Write arrays.npz, vocabulary.json.gz and model.json into a folder. Plain arrays and JSON: loading runs no code."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(get(model), dtype=np.float32) for name, get in ARRAYS.items()}
    weights = ("practice_weights", "stance_weights")
    write_arrays(folder / ARRAY_FILE, {n: a.astype(np.float16) if n in weights else a for n, a in arrays.items()})
    vocabulary = {"practice": model.practice_part.vocabulary, "stance": model.stance_part.vocabulary}
    # without the clock: the same vocabulary gives the same bytes
    (folder / VOCABULARY).write_bytes(gzip.compress(json.dumps(vocabulary, ensure_ascii=False).encode(), mtime=0))
    head = {
        "format": FORMAT,
        "version": model.version,
        "codebook": codebook_digest(load_codebook()),
        "practices": model.practices,
        "stances": model.stances,
        "temperature": model.temperature,
        "review_above": model.review_above,
        "sha256": {name: file_digest(folder / name) for name in (ARRAY_FILE, VOCABULARY)},
        "card": model.card,
    }
    (folder / "model.json").write_text(json.dumps(head, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """np.savez_compressed without the clock: the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), "w") as target:
                np.lib.format.write_array(target, np.ascontiguousarray(array), allow_pickle=False)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_model(folder: Path | None = None) -> Model:
    """Read a model folder (by default the one in use). Raises ModelError if it is damaged, foreign or for other labels."""
    folder = folder or latest_model()
    try:
        head = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if head["format"] != FORMAT:
            raise ModelError(
                f"{folder}: model format {head['format']}, expected {FORMAT}", "train it again with this version"
            )
        if head["codebook"] != codebook_digest(load_codebook()):
            raise ModelError(f"{folder}: made for another codebook", "train it again: `clauses train`")
        for name, digest in head["sha256"].items():
            if name not in (ARRAY_FILE, VOCABULARY) or file_digest(folder / name) != digest:
                raise ModelError(
                    f"{folder / name}: not the file that was saved with this model", "restore it or train again"
                )
        vocabulary = json.loads(gzip.decompress((folder / VOCABULARY).read_bytes()))
        with np.load(folder / ARRAY_FILE, allow_pickle=False) as stored:
            arrays = {name: stored[name].astype(np.float32) for name in ARRAYS}
        model = Model(
            head["version"],
            tuple(head["practices"]),
            tuple(head["stances"]),
            LinearPart(
                vocabulary["practice"], arrays["practice_idf"], arrays["practice_weights"], arrays["practice_bias"]
            ),
            LinearPart(vocabulary["stance"], arrays["stance_idf"], arrays["stance_weights"], arrays["stance_bias"]),
            arrays["calibration"],
            arrays["signals"],
            arrays["thresholds"],
            float(head["temperature"]),
            float(head["review_above"]),
            head["card"],
        )
        check_shapes(model)
    except ModelError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{folder}: not a model of this project ({error})", "name a folder made by `clauses train`"
        ) from error
    return model


def check_shapes(model: Model) -> None:
    """Raises ModelError if arrays, vocabularies and label lists don't fit one another."""
    for part, classes in ((model.practice_part, model.practices), (model.stance_part, model.stances)):
        rows = len(part.vocabulary)
        if (
            part.idf.shape != (rows,)
            or part.weights.shape != (rows, len(classes))
            or part.bias.shape != (len(classes),)
        ):
            raise ModelError(f"model {model.version}: arrays and vocabulary don't fit", "restore it or train again")
    shapes = (model.calibration.shape, model.thresholds.shape, model.signals.shape)
    if shapes != ((len(model.practices), 2), (len(model.practices),), (len(SIGNALS),)):
        raise ModelError(f"model {model.version}: calibration doesn't fit the practices", "restore it or train again")
