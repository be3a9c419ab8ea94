"""Words to features: names folded, fields kept apart, signals by distance."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from classifier.concepts import fold_words
from classifier.features import (
    SIGNALS,
    Surroundings,
    masked,
    mood_features,
    practice_features,
    stance_features,
    surroundings,
)


@dataclass(frozen=True)
class Row:
    text: str
    context: str = ""
    heading: str = ""


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Call ERO Burlington.", "ICE"),
        ("agents of the Immigration and Naturalization Service", "ICE"),
        ("the I.C.E. duty officer", "ICE"),
        ("federal immigration authorities", "ICE"),
        ("a Form I-247A", "DETAINER"),
        ("an immigration hold", "DETAINER"),
        ("a Form I-200", "ADMINWARRANT"),
        ("a final order of removal", "ADMINWARRANT"),
        ("a warrant signed by a judge", "JUDICIALWARRANT"),
        ("8 U.S.C. § 1373", "STATUTE1373"),
        ("section 287(g) of the Act", "AGREEMENT287"),
        ("his place of birth", "STATUS"),
        ("a U visa", "VISA"),
    ],
)
def test_many_names_fold_to_one_concept(text: str, concept: str) -> None:
    assert concept in fold_words(text).words


@pytest.mark.parametrize("text", ["the price of ice", "insert", "unice", "heroes", "a detained vehicle"])
def test_other_words_stay_words(text: str) -> None:
    assert not {"ICE", "DETAINER"} & set(fold_words(text).words)


def test_a_token_says_where_it_stands() -> None:
    text = "Notify  ICE/ERO of the release."
    assert [text[start:end] for start, end in fold_words(text).spans] == ["Notify", "ICE/ERO", "of", "the", "release"]


def test_the_lead_in_joins_the_rule_and_stays_apart_as_a_field() -> None:
    features = practice_features(
        Surroundings("(a) hold a person;", context="Members shall not:", heading="IV. Detainers")
    )
    assert "OFFICER shall" in features
    assert "h=DETAINER" in features
    assert "b=shall" not in features


def test_the_mood_is_the_modal_with_its_sign_and_limits() -> None:
    assert mood_features(["OFFICER", "shall", "not", "ask", "unless"], [])[:3] == ["m=shall", "m=shall-", "m=shall-?"]
    assert mood_features(["hold", "a"], ["OFFICER", "may"])[1] == "m=may+"


def test_a_stance_has_its_practice_crossed_in() -> None:
    features = stance_features(Surroundings("ICE may be told."), "notifies_ice_on_release")
    assert "p=notifies_ice_on_release|m=may+" in features


def test_masking_keeps_function_words_and_concepts() -> None:
    assert masked(["OFFICER", "shall", "carefully", "hand", "over", "the", "DETAINER"]) == [
        "OFFICER",
        "shall",
        "_",
        "the",
        "DETAINER",
    ]


@pytest.mark.parametrize(
    ("rows", "at", "signal"),
    [
        ([Row("Call ICE.")], 0, "own"),
        ([Row("(a) call;", context="On a detainer, officers shall:")], 0, "lead-in"),
        ([Row("Call the desk.", heading="Immigration detainers")], 0, "heading"),
        ([Row("Call ICE."), Row("Log the call.")], 1, "near"),
        ([Row("Call ICE."), *[Row("Log the call at the desk.")] * 9], 9, "document"),
        ([Row("Log the call at the desk.")] * 9, 4, "none"),
    ],
)
def test_the_signal_is_the_nearest_mention_of_immigration(rows: list[Row], at: int, signal: str) -> None:
    assert SIGNALS[surroundings(rows)[at].signal] == signal
