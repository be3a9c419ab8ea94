"""Fit, save, load: equal predictions each time, and no foreign or damaged model gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.errors import LabelledDataError, ModelError
from classifier.features import surroundings
from classifier.labelled import read_policies, training_documents
from classifier.predictions import Model, load_model, save_model
from classifier.training import calibrate, choose_thresholds, cross_fitted, fit_model, train

DOCUMENTS = Path(__file__).parent.parent / "training_data" / "documents"


@pytest.fixture(scope="module")
def documents():
    """A dozen documents of three families: enough to fit, few enough to be quick."""
    folders = ("faq", "memo", "letter", "clipped-bullets")
    return [d for folder in folders for d in read_policies(DOCUMENTS / folder)]


@pytest.fixture(scope="module")
def model(documents) -> Model:
    return fit_model(documents, "small")


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "small")
    return tmp_path / "small"


def test_two_trainings_write_the_same_bytes(documents, saved: Path, tmp_path: Path) -> None:
    train(documents, tmp_path / "again", "small")
    for name in ("arrays.npz", "vocabulary.json.gz", "model.json"):
        assert (tmp_path / "again" / "small" / name).read_bytes() == (saved / name).read_bytes()
    assert (tmp_path / "again" / "current").read_text() == "small\n"


def test_a_loaded_model_predicts_as_the_fitted_one(documents, model: Model, saved: Path) -> None:
    clauses = surroundings(documents[0].clauses)
    assert load_model(saved).predict(clauses) == model.predict(clauses)


def test_probabilities_stay_between_0_and_1_and_labels_stand_above_their_threshold(documents, model: Model) -> None:
    for prediction in model.predict(surroundings(documents[1].clauses)):
        assert all(0 <= score <= 1 for score in prediction.scores.values())
        for label in prediction.labels:
            assert label.probability >= model.thresholds[model.practices.index(label.practice)]
            assert (label.stance is None) == (label.practice == "cites_lunn")


@pytest.mark.parametrize("name", ["arrays.npz", "vocabulary.json.gz"])
def test_a_changed_file_is_refused(saved: Path, name: str) -> None:
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / name).write_bytes(bytes(content))
    with pytest.raises(ModelError, match="not the file that was saved"):
        load_model(saved)


def test_a_pickle_in_the_place_of_arrays_is_refused_even_with_its_digest_mended(saved: Path) -> None:
    import hashlib
    import pickle

    evil = pickle.dumps({"practice_weights": [1, 2, 3]})
    (saved / "arrays.npz").write_bytes(evil)
    head = json.loads((saved / "model.json").read_text())
    head["sha256"]["arrays.npz"] = hashlib.sha256(evil).hexdigest()
    (saved / "model.json").write_text(json.dumps(head))
    with pytest.raises(ModelError, match="not a model of this project"):
        load_model(saved)


def test_a_digest_for_a_path_outside_the_folder_is_refused(saved: Path) -> None:
    head = json.loads((saved / "model.json").read_text())
    head["sha256"]["../../etc/passwd"] = "0"
    (saved / "model.json").write_text(json.dumps(head))
    with pytest.raises(ModelError, match="not the file that was saved"):
        load_model(saved)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [("format", 99, "model format 99"), ("codebook", "0000", "another codebook"), ("practices", ["one"], "don't fit")],
)
def test_a_foreign_model_is_refused_with_a_next_step(saved: Path, key: str, value: object, says: str) -> None:
    head = json.loads((saved / "model.json").read_text())
    head[key] = value
    (saved / "model.json").write_text(json.dumps(head))
    with pytest.raises(ModelError, match=says) as refused:
        load_model(saved)
    assert refused.value.next_step


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model"):
        load_model(tmp_path)


def test_the_samples_are_held_out_of_training() -> None:
    ids = {d.id for d in training_documents(DOCUMENTS)}
    held = {line for line in (DOCUMENTS.parent / "held_out.txt").read_text().splitlines() if line and line[0] != "#"}
    assert len(held) >= 10
    assert not held & ids
    assert held <= {d.id for d in read_policies(DOCUMENTS)}


def test_the_model_in_use_was_made_from_the_training_data_that_stand_here() -> None:
    from classifier.training import data_digest

    assert load_model().card["data_sha256"] == data_digest(training_documents(DOCUMENTS))


def test_too_few_documents_are_refused(documents) -> None:
    with pytest.raises(LabelledDataError, match="fewer than"):
        fit_model(documents[:2], "tiny")


def test_cross_fitting_holds_families_together(documents) -> None:
    models = cross_fitted(documents, "family", folds=3)
    by_family: dict[str, set[int]] = {}
    for document in documents:
        by_family.setdefault(document.family, set()).add(id(models[document.id]))
    assert all(len(found) == 1 for found in by_family.values())
    assert len(set(map(id, models.values()))) == 3


def test_calibration_makes_probabilities_mean_something() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((4000, 2)) < 0.3
    decisions = (truth * 2.0 - 1.0 + rng.normal(0, 1.0, truth.shape)).astype(np.float32)
    line = calibrate(decisions, truth)
    probabilities = 1 / (1 + np.exp(-(decisions * line[:, 0] + line[:, 1])))
    weights = np.where(truth.any(axis=1), 1.0, 3.2)[:, None] * np.ones((1, 2))
    middle = (probabilities > 0.4) & (probabilities < 0.6)
    assert abs(np.average(truth[middle], weights=weights[middle]) - 0.5) < 0.08


def test_thresholds_lean_on_the_common_one_where_positives_are_few() -> None:
    rng = np.random.default_rng(1)
    truth = np.column_stack([rng.random(3000) < 0.3, np.arange(3000) < 2])
    probabilities = np.clip(np.where(truth, 0.6, 0.2) + rng.normal(0, 0.1, truth.shape), 0, 1).astype(np.float32)
    common, rare = choose_thresholds(probabilities, truth)
    assert abs(common - rare) < 0.06


def test_a_rule_of_thumb_case_is_labelled_by_the_model_in_use() -> None:
    line = replace(
        read_policies(DOCUMENTS / "memo")[0].clauses[0], text="Members shall not hold any person on an ICE detainer."
    )
    (prediction,) = load_model().predict(surroundings([line]))
    assert ("honors_detainers", "prohibits") in {(x.practice, x.stance) for x in prediction.labels}
