"""Two to four departments: governing clauses, the nearest elsewhere, what one has and the other lacks."""

from __future__ import annotations

import pandas as pd
import pytest
from comparison_cases import CALL, CALL_IF, CITES, HOLD, KEYS, LUNN, NO_HOLD, NOTIFY, evidence_of
from review_stores import Unit

from classifier.codebook import load_codebook
from classifier.errors import UsageError
from classifier.side_by_side import PracticeRow, as_text, side_by_side, table
from classifier.wording import marked

NO_HOLD_THERE = Unit("Officers shall hold no person on a detainer past release.", ((HOLD, "prohibits"),))
POLICIES = {"Alder PD": [NO_HOLD, CALL_IF, KEYS], "Birch PD": [KEYS, NO_HOLD_THERE, CALL, CITES], "Cedar PD": [KEYS]}


def row(practice: str, *departments: str) -> PracticeRow:
    (found,) = (r for r in side_by_side(evidence_of(POLICIES), departments) if r.practice == practice)
    return found


def test_there_is_a_row_for_each_practice() -> None:
    rows = side_by_side(evidence_of(POLICIES), ["Birch PD", "Alder PD"])
    assert [r.practice for r in rows] == list(load_codebook().practice_ids)
    assert all([a.department for a in r.answers] == ["Birch PD", "Alder PD"] for r in rows)


def test_related_clauses_show_their_difference() -> None:
    held = row(HOLD, "Alder PD", "Birch PD")
    assert not held.differs
    (here,), (there,) = (answer.clauses for answer in held.answers)
    (near,) = here.nearest
    assert (near.department, near.clause, near.page) == ("Birch PD", there.clause, 1)
    assert near.share == pytest.approx(9 / 10)
    assert marked(near.pieces) == "[-Members-] {+Officers+} shall hold no person on a detainer past release."
    assert marked(there.nearest[0].pieces).startswith("[-Officers-] {+Members+}")


def test_unrelated_clauses_show_none() -> None:
    (clause,) = row(LUNN, "Birch PD", "Cedar PD").answers[0].clauses
    assert clause.nearest == ()


def test_what_one_names_and_the_other_lacks() -> None:
    calls = row(NOTIFY, "Alder PD", "Birch PD", "Cedar PD")
    assert calls.differs
    assert [a.words for a in calls.answers] == ["conditional: approval", "does", "silent"]
    assert calls.only_in == {"Alder PD": ("approval",)}
    assert calls.lacking == ("Cedar PD",)
    assert row("shares_fingerprints", "Alder PD", "Birch PD").lacking == ()


def test_the_nearest_clause_may_be_about_something_else() -> None:
    calls = Unit("Members shall hold no person on a detainer past noon.")
    rows = side_by_side(evidence_of({"A": [NO_HOLD], "B": [KEYS, calls]}), ["A", "B"])
    (clause,) = next(r for r in rows if r.practice == HOLD).answers[0].clauses
    assert [n.clause for n in clause.nearest] == ["B/1"]


def test_lead_ins_count_as_words() -> None:
    item = Unit("hold a person on a detainer past release.", ((HOLD, "prohibits"),), context="Members shall not:")
    (clause,) = (
        next(r for r in side_by_side(evidence_of({"A": [item], "B": [KEYS]}), ["A", "B"]) if r.practice == HOLD)
        .answers[0]
        .clauses
    )
    assert clause.words == "Members shall not: hold a person on a detainer past release."


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["Alder PD"], "two to 4"),
        (["Alder PD"] * 2, "each once"),
        (list("ABCDE"), "two to 4"),
        (["Alder PD", "Birch"], "did you mean 'Birch PD'"),
    ],
)
def test_what_cannot_be_compared_is_refused(names: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        side_by_side(evidence_of(POLICIES), names)


def test_the_table_has_a_row_for_each_clause_and_each_empty_answer() -> None:
    rows = side_by_side(evidence_of(POLICIES), ["Alder PD", "Cedar PD"])
    found = table(rows)
    assert len(found) == sum(max(1, len(a.clauses)) for r in rows for a in r.answers)
    silent = found[(found["department"] == "Cedar PD") & (found["practice"] == NOTIFY)].iloc[0]
    assert silent["verdict"] == "silent"
    assert pd.isna(silent["page"])


def test_the_text_names_pages_and_words() -> None:
    lines = list(as_text(side_by_side(evidence_of(POLICIES), ["Alder PD", "Birch PD"])))
    assert lines[:3] == [
        "Notifies ICE on release",
        "  Alder PD: conditional: approval  (only here: approval)",
        f"    limits, p. 1: {CALL_IF.text}",
    ]
    assert "  nothing on it: Alder PD" in lines
