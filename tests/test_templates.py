"""Templates: near-copies are a partition, members keep their local edits, texts are counted."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from comparison_cases import CALL, CITES, HOLD, KEYS, NO_HOLD, NOTIFY, entry, evidence_of
from hypothesis import given
from hypothesis import strategies as st
from review_stores import Unit

from classifier.evidence import Evidence
from classifier.labelled import words
from classifier.templates import SHORTEST, counts, edits, near_copies, templates
from classifier.wording import NEAR_COPY, Folded, marked, shares

WORDS = "a person officer shall not hold release detainer ice call the on of until judge order desk".split()
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), max_size=25)
RULE = "No member of the department shall detain any person solely on the basis of a civil immigration detainer."
OWN = "No member of the sheriff's office shall detain any person solely on the basis of a civil immigration detainer."


@given(TEXTS)
def test_near_copies_are_a_partition_around_their_common_texts(texts: list[str]) -> None:
    leader, share = near_copies(texts)
    assert len(leader) == len(share) == len(texts)
    folder = Folded()
    folded = [folder.fold(text) for text in texts]
    for n, at in enumerate(leader):
        assert leader[at] == at
        if n != at:
            assert len(words(texts[n])) >= SHORTEST
            assert share[n] >= NEAR_COPY
            assert shares([folded[n]], [folded[at]])[0, 0] == pytest.approx(share[n])


@given(TEXTS, st.randoms())
def test_equal_long_texts_are_always_together(texts: list[str], draw: random.Random) -> None:
    twice = [*texts, *texts]
    draw.shuffle(twice)
    leader, _ = near_copies(twice)
    of: dict[str, set[int]] = {}
    for text, at in zip(twice, leader.tolist(), strict=True):
        if len(words(text)) >= SHORTEST:
            of.setdefault(text, set()).add(at)
    assert all(len(places) == 1 for places in of.values())


def test_the_commonest_wording_is_the_common_text() -> None:
    leader, share = near_copies([OWN, RULE, KEYS.text, RULE])
    assert leader.tolist() == [1, 1, 2, 1]
    assert share[0] == pytest.approx(2 * 17 / (18 + 20))


def test_short_rules_stand_alone() -> None:
    leader, _ = near_copies(["Do not call ICE."] * 3)
    assert leader.tolist() == [0, 1, 2]


def test_no_texts_give_nothing() -> None:
    assert [len(part) for part in near_copies([])] == [0, 0]


def test_templates_need_two_departments() -> None:
    rule = Unit(RULE, ((HOLD, "prohibits"),))
    found = templates(evidence_of({"A": [rule, KEYS, CALL], "B": [Unit(OWN), KEYS], "C": [rule, CALL, CALL]}))
    assert [(t.clauses, t.departments, t.wordings) for t in found.templates.itertuples()] == [
        (3, 3, 2),
        (3, 2, 1),
        (2, 2, 1),
    ]
    assert found.templates["text"].tolist() == [RULE, CALL.text, KEYS.text]
    assert found.members["clause"].is_unique
    alone = templates(Evidence.of_entries([entry("A", [rule], "1"), entry("A", [rule], "2")]))
    assert alone.templates.empty
    assert alone.members.empty
    assert alone.policies.empty


def test_local_edits_stand_against_the_common_text() -> None:
    evidence = evidence_of({"A": [Unit(RULE)], "B": [Unit(OWN)], "C": [Unit(RULE, context="Policy:")]})
    found = templates(evidence)
    local = edits(evidence, found, found.templates["template"][0])
    assert [(e.department, marked(e.pieces)) for e in local] == [
        ("A", RULE),
        ("C", f"{{+Policy:+}} {RULE}"),
        ("B", RULE.replace("department", "[-department-] {+sheriff's office+}")),
    ]
    with pytest.raises(KeyError):
        edits(evidence, found, "none")


def test_policies_that_share_most_clauses() -> None:
    shared = [Unit(f"Rule {n} says that nobody holds {n} persons past the hour of {n}.") for n in (11, 12, 13, 14)]
    own = [
        Unit(f"Only here stands sentence {word} about {word} and {word} in a row of its own.") for word in ("x", "yes")
    ]
    policies = {"A": [*shared, KEYS], "B": [*shared, *own, Unit("Short.")], "C": [*shared[:2], CITES, NO_HOLD]}
    (pair,) = templates(evidence_of(policies)).policies.itertuples(index=False)
    assert (pair.document, pair.other, pair.shared, pair.share) == ("A", "B", 4, 0.8)


def test_findings_are_counted_by_text_too() -> None:
    rule = Unit(RULE, ((HOLD, "prohibits"),))
    evidence = evidence_of({"A": [rule], "B": [Unit(OWN, ((HOLD, "prohibits"),))], "C": [NO_HOLD], "D": [CALL]})
    counted = counts(evidence, templates(evidence)).set_index(["practice", "verdict"])
    assert counted.loc[(HOLD, "refuses")].tolist() == [3, 2]
    assert counted.loc[(NOTIFY, "does")].tolist() == [1, 1]
    assert counted["texts"].isna().loc[(HOLD, "silent")]


def test_edited_copies_are_found_among_many_others() -> None:
    draw = random.Random(1)
    vocabulary = [f"word{n}" for n in range(3000)]
    originals = [" ".join(draw.choices(vocabulary, k=draw.randint(12, 40))) for _ in range(400)]
    texts = list(originals)
    for text in originals:
        edited = text.split()
        edited[draw.randrange(len(edited))] = "edited"
        texts += [" ".join(edited), text]
    leader, _ = near_copies(texts)
    sizes = Counter(leader.tolist())
    assert len(sizes) == 400
    assert np.median(list(sizes.values())) == 3
