"""The Lunn gap with its sentences, and clauses of one document at odds."""

from __future__ import annotations

from dataclasses import replace

from comparison_cases import CALL, CALL_IF, CHIEF, CITES, HOLD, KEYS, LUNN, NO_HOLD, NOTIFY, entry, evidence_of
from review_stores import Unit

from classifier.conditions import Condition
from classifier.contradictions import contradictions, lunn_gap
from classifier.evidence import Evidence

NO_CALL = Unit("Nobody tells ICE when a person will be released.", ((NOTIFY, "prohibits"),))


def test_the_gap_shows_the_citation_and_the_practice() -> None:
    found = lunn_gap(evidence_of({"A": [CITES, NO_HOLD, CALL], "B": [CITES, NO_HOLD], "C": [CALL]}))
    (row,) = found.to_dict("records")
    assert (row["department"], row["practice"], row["verdict"]) == ("A", NOTIFY, "does")
    assert (row["lunn_words"], row["words"], row["stance"]) == (CITES.text, CALL.text, "requires")
    assert (row["lunn_clause"], row["clause"], row["document"], row["page"]) == ("A/0", "A/2", "A", 1)


def test_the_gap_shows_what_is_allowed_not_what_is_prohibited() -> None:
    (row,) = lunn_gap(evidence_of({"A": [NO_CALL, CITES, CALL]})).to_dict("records")
    assert (row["verdict"], row["clause"]) == ("mixed", "A/2")


def test_no_gap_gives_an_empty_table() -> None:
    assert lunn_gap(evidence_of({"A": [KEYS]})).empty


def test_a_contradiction_shows_both_clauses() -> None:
    (row,) = contradictions(evidence_of({"A": [KEYS, NO_CALL, CALL]})).to_dict("records")
    assert (row["document"], row["practice"], row["stance"]) == ("A", NOTIFY, "requires")
    assert (row["prohibiting_words"], row["allowing_words"]) == (NO_CALL.text, CALL.text)


def test_a_condition_resolves_it_but_a_request_of_ice_does_not() -> None:
    approved = replace(CALL, conditions=CHIEF)
    asked = replace(CALL, conditions=(Condition("ice_request", "upon request"),))
    assert contradictions(evidence_of({"A": [NO_CALL, approved]})).empty
    assert contradictions(evidence_of({"A": [NO_CALL, CALL_IF]})).empty
    assert len(contradictions(evidence_of({"A": [NO_CALL, asked]}))) == 1


def test_two_documents_do_not_contradict_each_other() -> None:
    evidence = Evidence.of_entries([entry("A", [NO_CALL], "1"), entry("A", [CALL], "2")])
    assert contradictions(evidence).empty


def test_every_clause_at_odds_is_listed() -> None:
    other = Unit("The watch commander may tell ICE of any release.", ((NOTIFY, "permits"), (HOLD, "prohibits")))
    found = contradictions(
        evidence_of({"A": [NO_CALL, CALL, other, replace(NO_CALL, text="ICE gets no release call.")]})
    )
    assert set(found["prohibiting_clause"]) == {"A/0", "A/3"}
    assert set(found["allowing_clause"]) == {"A/1", "A/2"}
    assert len(found) == 3
    assert set(found["practice"]) == {NOTIFY}
    assert LUNN not in set(found["practice"])
