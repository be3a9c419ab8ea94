"""The words behind a decision: they add up to it, and every feature of the clause's own words finds them."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.explanations import Explanation, explain_practice, explain_stance
from classifier.features import Surroundings, practice_features, stance_features
from classifier.predictions import Model, load_model

CLAUSES = [
    Surroundings(
        "(a) telephone ICE with the anticipated release date of any inmate named on a Form I-247A, unless a judge objects;",
        "Before the sally port is opened, the shift commander shall:",
        "IV. RELEASE OF PRISONERS",
        "The booking sheet is filed.",
    ),
    Surroundings("No officer may hold a person on a civil immigration detainer.", heading="Detainers"),
    Surroundings("Members log each call.", before="ICE may ask for the log."),
]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


def total(found: Explanation) -> float:
    return found.rest + sum(c.weight for c in found.contributions)


@pytest.mark.parametrize("clause", CLAUSES)
def test_words_and_rest_add_up_to_the_decision_on_a_practice(clause: Surroundings, model: Model) -> None:
    decisions = model.practice_part.decide([practice_features(clause)])[0]
    for practice, decision in zip(model.practices, decisions, strict=True):
        found = explain_practice(clause, practice, model)
        assert np.isclose(found.decision, decision, atol=1e-4)
        assert np.isclose(total(found), decision, atol=1e-4)


@pytest.mark.parametrize("clause", CLAUSES)
def test_words_and_rest_add_up_to_the_decision_on_a_stance(clause: Surroundings, model: Model) -> None:
    practice = "honors_detainers"
    decisions = model.stance_part.decide([stance_features(clause, practice)])[0]
    for stance, decision in zip(model.stances, decisions, strict=True):
        assert np.isclose(total(explain_stance(clause, practice, stance, model)), decision, atol=1e-4)


@pytest.mark.parametrize("clause", CLAUSES)
def test_no_feature_of_a_practice_is_left_without_words(clause: Surroundings, model: Model) -> None:
    for practice in model.practices:
        bias = float(model.practice_part.bias[model.practices.index(practice)])
        assert np.isclose(explain_practice(clause, practice, model).rest, bias, atol=1e-6)


def test_places_point_at_their_words_in_their_fields(model: Model) -> None:
    clause = CLAUSES[0]
    found = explain_practice(clause, "notifies_ice_on_release", model)
    for c in found.contributions:
        assert getattr(clause, c.place.field)[c.place.start : c.place.end] == c.words
    assert {c.place.field for c in found.contributions} == {"text", "context", "heading", "before"}


def test_the_strongest_words_come_first_and_are_the_telling_ones(model: Model) -> None:
    found = explain_practice(CLAUSES[0], "notifies_ice_on_release", model).contributions
    assert [abs(c.weight) for c in found] == sorted((abs(c.weight) for c in found), reverse=True)
    assert {"release", "ICE", "telephone"} & {c.words for c in found[:5]}


def test_an_exception_speaks_for_limits_and_a_ban_for_prohibits(model: Model) -> None:
    limits = explain_stance(CLAUSES[0], "notifies_ice_on_release", "limits", model).contributions
    assert max(limits, key=lambda c: c.weight).words in ("unless", "judge", "objects")
    bans = explain_stance(CLAUSES[1], "honors_detainers", "prohibits", model).contributions
    assert sum(c.weight for c in bans if c.words in ("No", "may")) > 0
