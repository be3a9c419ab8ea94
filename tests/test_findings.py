"""Labels → verdicts: section 5 of the codebook, row by row."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.codebook import load_codebook
from classifier.findings import GAP_PRACTICES, Finding, Rule, find, has_lunn_gap, resting_on, verdict

DETAINERS = "honors_detainers"
BOOK = load_codebook()


def rule(text: str, practice: str = DETAINERS, **more: object) -> Rule:
    """ "permits +approval +consent" → a rule with that stance and those conditions; "cited" → one without a stance."""
    stance, *conditions = text.split()
    kinds = frozenset(c.removeprefix("+") for c in conditions)
    return Rule(practice, None if stance == "cited" else stance, kinds, **more)  # type: ignore[arg-type]


def of(*texts: str, read: bool = True) -> str:
    return verdict([rule(t) for t in texts], read)


# --- one row of the table after the other ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts", [["requires"], ["permits"], ["requires", "permits"], ["requires", "states"], ["permits +approval"]]
)
def test_does_where_it_is_required_or_permitted_and_nothing_bars_it(texts: list[str]) -> None:
    assert of(*texts) == "does"


@pytest.mark.parametrize(
    "texts",
    [
        ["limits"],
        ["limits +judicial_warrant"],
        ["limits", "requires"],
        ["limits", "prohibits"],
        ["limits", "requires", "prohibits"],
        ["limits", "states"],
    ],
)
def test_conditional_where_a_clause_limits_it(texts: list[str]) -> None:
    assert of(*texts) == "conditional"


@pytest.mark.parametrize("condition", [c for c in BOOK.conditions if c != "ice_request"])
@pytest.mark.parametrize("stance", ["requires", "permits"])
def test_conditional_where_it_is_barred_but_allowed_under_a_condition(stance: str, condition: str) -> None:
    assert of("prohibits", f"{stance} +{condition}") == "conditional"


@pytest.mark.parametrize("texts", [["prohibits"], ["prohibits", "prohibits"], ["prohibits", "states"]])
def test_refuses_where_it_is_barred_and_nothing_allows_it(texts: list[str]) -> None:
    assert of(*texts) == "refuses"


def test_a_condition_on_the_bar_does_not_soften_it() -> None:
    assert of("prohibits +judicial_warrant") == "refuses"
    assert of("prohibits +judicial_warrant", "permits") == "mixed"


@pytest.mark.parametrize("stance", ["requires", "permits"])
def test_mixed_where_it_is_barred_and_allowed_without_a_condition(stance: str) -> None:
    assert of("prohibits", stance) == "mixed"


def test_one_unconditional_permission_among_conditional_ones_contradicts_the_bar() -> None:
    assert of("prohibits", "permits +approval", "requires +public_safety") == "conditional"
    assert of("prohibits", "permits +approval", "requires") == "mixed"


def test_a_request_from_ice_is_no_condition() -> None:
    assert of("prohibits", "permits +ice_request") == "mixed"
    assert of("prohibits", "permits +ice_request +approval") == "conditional"
    assert of("permits +ice_request") == "does"


def test_mentions_where_there_are_only_statements() -> None:
    assert of("states") == "mentions"
    assert of("states +judicial_warrant", "states") == "mentions"


@pytest.mark.parametrize("ruling", ["requires", "permits", "limits", "prohibits"])
def test_a_statement_changes_no_verdict(ruling: str) -> None:
    assert of(ruling, "states") == of(ruling)


def test_silence_is_claimed_only_where_everything_was_read() -> None:
    assert of() == "silent"
    assert of(read=False) == "unread"


def test_an_unread_page_takes_nothing_from_what_was_found() -> None:
    for text in ("requires", "limits", "prohibits", "states", "cited"):
        assert of(text, read=False) == of(text) != "unread"
    assert of("prohibits", "permits", read=False) == "mixed"


def test_lunn_is_cited_or_not_or_unread() -> None:
    assert of("cited") == of("cited", "cited") == "does"
    assert of() == "silent"
    assert of(read=False) == "unread"


def test_every_verdict_comes_out_for_some_rules() -> None:
    stances = ["requires", "permits", "permits +approval", "limits", "prohibits", "states"]
    cases = [list(pair) for pair in product(stances, stances)]
    found = {of(*case) for case in cases} | {of(), of(read=False)}
    assert found == set(BOOK.verdicts)


rules_of_one_practice = st.lists(
    st.builds(
        Rule,
        practice=st.just(DETAINERS),
        stance=st.sampled_from(list(BOOK.stances)),
        conditions=st.frozensets(st.sampled_from(list(BOOK.conditions)), max_size=2),
        clause=st.sampled_from("abcdef"),
        probability=st.floats(0, 1),
    ),
    max_size=6,
)


@given(rules_of_one_practice, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_clauses_changes_no_verdict(rules: list[Rule], random: object, read: bool) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = find(rules, read), find(shuffled, read)
    assert [(f.practice, f.verdict, f.probability, f.conditions) for f in one] == [
        (f.practice, f.verdict, f.probability, f.conditions) for f in other
    ]


@given(rules_of_one_practice)
def test_saying_a_thing_twice_changes_no_verdict(rules: list[Rule]) -> None:
    assert verdict(rules + rules) == verdict(rules)


@given(rules_of_one_practice)
def test_a_finding_rests_on_clauses_that_were_given(rules: list[Rule]) -> None:
    (finding,) = [f for f in find(rules) if f.practice == DETAINERS]
    assert set(finding.clauses) <= {r.clause for r in rules}
    assert len(set(finding.clauses)) == len(finding.clauses)
    assert bool(finding.clauses) == bool(rules)


# --- documents and departments -----------------------------------------------------------------------------------


def named(findings: list[Finding]) -> dict[str, Finding]:
    return {f.practice: f for f in findings}


def test_there_is_a_finding_for_every_practice_in_the_codebooks_order() -> None:
    found = find([rule("requires")])
    assert tuple(f.practice for f in found) == BOOK.practice_ids
    assert [f.practice for f in found if f.verdict != "silent"] == [DETAINERS]


def test_the_clauses_stand_strongest_first_and_statements_bear_no_ruling() -> None:
    rules = [
        rule("requires", clause="weak", probability=0.6),
        rule("states", clause="law", probability=0.99),
        rule("permits", clause="strong", probability=0.9),
    ]
    found = named(find(rules))[DETAINERS]
    assert (found.clauses, found.probability) == (("strong", "weak"), 0.9)


def test_a_conditional_verdict_shows_its_limit_first_and_names_the_conditions() -> None:
    rules = [
        rule("prohibits", clause="bar", probability=0.95),
        rule("limits +judicial_warrant +approval", clause="limit", probability=0.7),
    ]
    found = named(find(rules))[DETAINERS]
    assert (found.clauses, found.probability) == (("limit", "bar"), 0.7)
    assert found.conditions == ("approval", "judicial_warrant")


def test_statements_alone_bear_a_mention() -> None:
    rules = [rule("states", clause="a", probability=0.5), rule("states", clause="b", probability=0.8)]
    assert [r.clause for r in resting_on(rules, "mentions")] == ["b", "a"]


def test_a_silence_is_as_sure_as_its_likeliest_clause_was_unlikely() -> None:
    found = named(find([], highest={DETAINERS: 0.3}))
    assert (found[DETAINERS].verdict, found[DETAINERS].probability) == ("silent", pytest.approx(0.7))
    assert found["shares_intake_logs"].probability == 1.0


def test_nothing_is_claimed_of_what_was_not_read() -> None:
    found = named(find([], fully_read=False, highest={DETAINERS: 0.3}))
    assert (found[DETAINERS].verdict, found[DETAINERS].probability, found[DETAINERS].clauses) == ("unread", 0.0, ())


def test_several_documents_are_judged_as_one_text() -> None:
    order, memo = [rule("prohibits", clause="order")], [rule("requires", clause="memo")]
    assert named(find(order))[DETAINERS].verdict == "refuses"
    assert named(find(memo))[DETAINERS].verdict == "does"
    assert named(find(order + memo))[DETAINERS].verdict == "mixed"
    assert named(find([*order, rule("permits +consent")]))[DETAINERS].verdict == "conditional"


def test_labels_of_other_practices_do_not_meddle() -> None:
    found = named(find([rule("prohibits"), rule("requires", "notifies_ice_on_release"), rule("cited", "cites_lunn")]))
    assert found[DETAINERS].verdict == "refuses"
    assert found["notifies_ice_on_release"].verdict == "does"
    assert found["cites_lunn"].verdict == "does"


# --- the Lunn gap ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("practice", GAP_PRACTICES)
@pytest.mark.parametrize(
    ("outcome", "gap"),
    [
        ("does", True),
        ("conditional", True),
        ("mixed", True),
        ("refuses", False),
        ("mentions", False),
        ("silent", False),
        ("unread", False),
    ],
)
def test_the_gap_needs_the_citation_and_the_practice(practice: str, outcome: str, gap: bool) -> None:
    rest = [Finding(practice, outcome, 1.0)]  # type: ignore[arg-type]
    assert has_lunn_gap([*rest, Finding("cites_lunn", "does", 1.0)]) is gap
    assert has_lunn_gap([*rest, Finding("cites_lunn", "silent", 1.0)]) is False
    assert has_lunn_gap([*rest, Finding("cites_lunn", "unread", 1.0)]) is False
    assert has_lunn_gap(rest) is False


def test_one_of_the_three_practices_is_enough() -> None:
    cited = rule("cited", "cites_lunn")
    refused = [rule("prohibits", p) for p in GAP_PRACTICES]
    assert not has_lunn_gap(find([cited, *refused]))
    assert has_lunn_gap(find([cited, *refused[1:], rule("requires", GAP_PRACTICES[0])]))


@pytest.mark.parametrize("practice", [p for p in BOOK.practice_ids if p not in (*GAP_PRACTICES, "cites_lunn")])
def test_no_other_practice_makes_a_gap(practice: str) -> None:
    assert not has_lunn_gap(find([rule("cited", "cites_lunn"), rule("requires", practice)]))
