"""Errors as of a poor scan: as many as asked for, the same each time, and alike where the same words stand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.clauses import Clause
from classifier.noise import CONFUSIONS, misread, spoil, spoil_clause

TEXT = "Members shall not hold any person on an ICE detainer (Form I-247A) unless a judge has signed a warrant. "


def distance(one: str, other: str) -> int:
    """Levenshtein's: the least number of characters to replace, drop or put in."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@pytest.mark.parametrize("rate", [0.01, 0.02, 0.05, 0.2])
def test_the_rate_is_the_one_asked_for(rate: float) -> None:
    text = TEXT * 300
    assert spoil(text, rate, "seed").errors / len(text) == pytest.approx(rate, rel=0.1)


def test_the_errors_counted_are_the_characters_changed() -> None:
    text = TEXT * 6
    spoiled = spoil(text, 0.05, "seed")
    assert 0.85 * spoiled.errors <= distance(text, spoiled.text) <= spoiled.errors


def test_no_noise_changes_nothing() -> None:
    assert spoil(TEXT, 0, "seed").text == TEXT
    assert spoil(TEXT, 0, "seed").errors == 0


def test_the_same_seed_gives_the_same_errors_and_another_others() -> None:
    assert spoil(TEXT, 0.1, "one") == spoil(TEXT, 0.1, "one")
    assert spoil(TEXT, 0.1, "one") != spoil(TEXT, 0.1, "two")


@given(st.text(max_size=80), st.floats(0, 1))
def test_any_text_can_be_spoiled(text: str, rate: float) -> None:
    spoiled = spoil(text, rate, "seed")
    assert 0 <= spoiled.errors <= 3 * len(text)
    assert distance(text, spoiled.text) <= spoiled.errors


@pytest.mark.parametrize(
    ("text", "expected"), [("rn", "m"), ("m", "rn"), ("O", "0"), ("l", "1"), ("I", "l"), ("cl", "d")]
)
def test_characters_are_taken_for_those_that_look_like_them(text: str, expected: str) -> None:
    chance = random.Random(0)
    assert expected in {misread(text, 0, chance)[0] for _ in range(100)}


def test_a_confusion_counts_the_characters_that_differ() -> None:
    for run, readings in CONFUSIONS.items():
        for wrong in readings:
            assert distance(run, wrong) == max(len(run), len(wrong)), (run, wrong)


def test_words_are_broken_and_run_together() -> None:
    chance = random.Random(0)
    assert misread("a b", 1, chance) == ("", 1, 1)
    assert "X " in {misread("Xx", 0, chance)[0] for _ in range(100)}  # nothing looks like an X
    assert "X " not in {misread("X.", 0, chance)[0] for _ in range(100)}


def test_a_lead_in_is_misread_like_the_clause_that_it_was() -> None:
    lead = Clause("1", "clause", 1, "II. DETAINERS", "", TEXT, ())
    item = Clause("2", "clause", 1, "II. DETAINERS > A. Holding persons in custody", TEXT, "(a) hold a person;", ())
    (spoiled_lead, errors), (spoiled_item, _) = spoil_clause(lead, 0.2, "d"), spoil_clause(item, 0.2, "d")
    assert spoiled_item.context == spoiled_lead.text != TEXT
    assert spoiled_item.heading.split(" > ")[0] == spoiled_lead.heading
    assert errors == spoil(TEXT, 0.2, "d").errors
    assert spoil_clause(lead, 0, "d") == (lead, 0)
