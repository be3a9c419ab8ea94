"""The arithmetic of the evaluation, against examples worked by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.clauses import Clause
from classifier.errors import ModelError, UsageError
from classifier.evaluation import (
    Figures,
    Given,
    Scores,
    Tally,
    align,
    boundary_scores,
    count_document,
    evaluate,
    evaluate_peer_held_out,
    measure_file,
    model_labeller,
    starts,
    text_clauses,
)
from classifier.labelled import Condition, LabelledDocument, LabelledItem
from classifier.predictions import Model

HOLD = "Members shall hold no person on a detainer."
CALL = "The desk may call the field office about a release date if told to."
KEYS = "Keys hang beside the front door of the lobby."
LUNN = "This order follows the Lunn decision of the court."


def clause(text: str, number: int = 0) -> Clause:
    return Clause(str(number), "clause", 1, "", "", text, ())


def gold(*units: LabelledItem, name: str = "order", family: str = "order") -> LabelledDocument:
    return LabelledDocument(name, f"{name}.policy", "", "", "", family, "MA", "t1", units)


def unit(text: str, labels: dict[str, str | None] | None = None, *conditions: str) -> LabelledItem:
    return LabelledItem("clause", text, labels=labels or {}, conditions=tuple(Condition(c, "") for c in conditions))


# --- finding clauses again in the units --------------------------------------------------------------------------


def test_the_same_pieces_cover_one_another() -> None:
    assert align([HOLD, CALL, KEYS], [HOLD, CALL, KEYS]) == [{0}, {1}, {2}]


def test_merged_units_are_both_covered() -> None:
    assert align([HOLD, CALL, KEYS], [f"{HOLD} {CALL}", KEYS]) == [{0, 1}, {2}]


def test_the_parts_of_a_split_unit_cover_it_each() -> None:
    assert align([HOLD, f"{CALL} {KEYS}"], [HOLD, CALL, KEYS]) == [{0}, {1}, {1}]


def test_a_sliver_of_a_neighbour_does_not_cover_it() -> None:
    assert align([HOLD, KEYS], [f"{HOLD} Keys hang", "beside the front door of the lobby."]) == [{0}, {1}]


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 2, 0], [2, 1, 0], [1, 0, 2]])
def test_pieces_in_another_order_are_found(order: list[int]) -> None:
    """As in a document of two columns that are read in the wrong order."""
    units = [HOLD, CALL, KEYS]
    assert align(units, [units[i] for i in order]) == [{i} for i in order]


def test_what_is_no_unit_covers_nothing() -> None:
    assert align([HOLD, KEYS], [HOLD, "Page 3 of 9", "A heading of another order, which is long enough.", KEYS]) == [
        {0},
        set(),
        set(),
        {1},
    ]
    assert align([], [HOLD]) == [set()]
    assert align([HOLD], []) == []
    assert align([HOLD], ["", "§"]) == [set(), set()]


def test_marks_hyphens_and_case_do_not_matter() -> None:
    assert align([HOLD], ["(1) MEMBERS shall hold: no person, on a detainer"]) == [{0}]


def test_a_repeated_unit_is_covered_in_its_turn() -> None:
    assert align([KEYS, HOLD, KEYS], [KEYS, HOLD, KEYS]) == [{0}, {1}, {2}]


@given(
    st.lists(st.sampled_from([HOLD, CALL, KEYS, LUNN]), max_size=6),
    st.lists(st.sampled_from([HOLD, CALL, "x", ""]), max_size=6),
)
def test_there_is_one_set_of_units_a_clause(units: list[str], clauses: list[str]) -> None:
    found = align(units, clauses)
    assert len(found) == len(clauses)
    assert all(0 <= u < len(units) for covered in found for u in covered)


# --- tallies -----------------------------------------------------------------------------------------------------


def test_a_tally_counts_hits_false_alarms_and_misses() -> None:
    tally = Tally()
    tally.add({"a", "b"}, {"b", "c", "d"})
    tally.add({"a"}, {"a"})
    assert (tally.hits, tally.false, tally.missed, tally.support) == (2, 2, 1, 3)
    assert (tally.precision, tally.recall) == (0.5, pytest.approx(2 / 3))
    assert tally.f1 == pytest.approx(4 / 7)


@pytest.mark.parametrize("tally", [Tally(), Tally(0, 3, 0), Tally(0, 0, 3)])
def test_nothing_right_is_zero_and_no_error(tally: Tally) -> None:
    assert (tally.precision, tally.recall, tally.f1) == (0, 0, 0)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_is_twice_the_hits_over_both_sides(hits: int, false: int, missed: int) -> None:
    total = 2 * hits + false + missed
    assert Tally(hits, false, missed).f1 == pytest.approx(2 * hits / total if total else 0)


# --- a document, worked by hand ----------------------------------------------------------------------------------


@pytest.fixture
def scores() -> Scores:
    """Five units. Right: one label. Wrong: a stance, a false alarm in a labelled and one in a bare unit, one miss."""
    document = gold(
        unit(HOLD, {"honors_detainers": "prohibits"}),
        unit(CALL, {"notifies_ice_on_release": "permits"}, "approval"),
        unit(KEYS),
        unit(LUNN, {"cites_lunn": None}),
        unit("A unit of six words, unread."),
        unit("Too short."),
    )
    clauses = [clause(HOLD), clause(CALL), clause(KEYS), clause(LUNN)]
    given_labels = [
        [Given("honors_detainers", "prohibits")],
        [
            Given("notifies_ice_on_release", "limits", frozenset({"approval", "consent"})),
            Given("shares_information_with_ice", "permits", frozenset({"approval", "consent"})),
        ],
        [Given("shares_intake_logs", "requires")],
        [],
    ]
    scores = Scores()
    count_document(document, clauses, given_labels, scores)
    return scores


def test_labels_are_counted_by_unit(scores: Scores) -> None:
    assert {p: (t.hits, t.false, t.missed) for p, t in scores.practice.items()} == {
        "honors_detainers": (1, 0, 0),
        "notifies_ice_on_release": (1, 0, 0),
        "shares_information_with_ice": (0, 1, 0),
        "shares_intake_logs": (0, 1, 0),
        "cites_lunn": (0, 0, 1),
    }
    joint = scores.joint["notifies_ice_on_release"]
    assert (joint.hits, joint.false, joint.missed) == (0, 1, 1)


def test_the_headline_figures(scores: Scores) -> None:
    figures = scores.figures()
    assert {name: round(value, 3) for name, value in figures.items()} == {
        "core_f1": 0.667,  # 2 hits, 1 false, 1 missed
        "all_f1": 0.571,  # 2, 2, 1
        "core_macro_f1": 0.667,  # 1, 1 and 0 of the three that occur
        "all_macro_f1": 0.667,
        "core_stance_f1": 0.333,  # 1, 2, 2
        "all_stance_f1": 0.286,  # 1, 3, 2
        "stance_accuracy": 0.5,  # of two practices found
        "conditions_f1": 0.667,  # approval right, consent false
        "core_verdicts": 0.25,
        "coverage": 0.8,  # of five units with five words or more
    }


def test_verdicts_are_counted_where_either_side_is_not_silent(scores: Scores) -> None:
    """Gold: refuses, does, silent, does. Found: refuses, conditional, does, silent."""
    assert dict(scores.verdicts_seen) == {
        "honors_detainers": 1, "notifies_ice_on_release": 1, "shares_intake_logs": 1, "cites_lunn": 1, "shares_information_with_ice": 1,
    }  # fmt: skip
    assert {p: n for p, n in scores.verdicts_right.items() if n} == {"honors_detainers": 1}


def test_the_table_has_a_row_for_each_practice_that_occurs(scores: Scores) -> None:
    table = scores.table()
    assert list(table.practice)[:4] == [
        "notifies_ice_on_release",
        "shares_intake_logs",
        "honors_detainers",
        "cites_lunn",
    ]
    row = table.set_index("practice").loc["notifies_ice_on_release"]
    assert (row.precision, row.recall, row.f1, row.f1_with_stance, row.support, row.verdicts) == (1, 1, 1, 0, 1, "0/1")


def test_one_verdict_comes_from_all_units_and_their_conditions() -> None:
    document = gold(
        unit(HOLD, {"honors_detainers": "prohibits"}),
        unit(CALL, {"honors_detainers": "permits"}, "judicial_warrant"),
    )
    clauses = [clause(HOLD), clause(CALL)]
    for conditions, right in (
        (frozenset({"judicial_warrant"}), 1),
        (frozenset({"consent"}), 1),
        (frozenset({"ice_request"}), 0),
    ):
        scores = Scores()
        count_document(
            document,
            clauses,
            [[Given("honors_detainers", "prohibits")], [Given("honors_detainers", "permits", conditions)]],
            scores,
        )
        assert scores.verdicts_right["honors_detainers"] == right


def test_a_split_unit_keeps_the_labels_of_both_parts() -> None:
    document = gold(unit(f"{CALL} {KEYS}", {"notifies_ice_on_release": "permits"}))
    scores = Scores()
    count_document(document, [clause(CALL), clause(KEYS)], [[Given("notifies_ice_on_release", "permits")], []], scores)
    assert scores.figures()["core_stance_f1"] == scores.figures()["coverage"] == 1


def test_nothing_counted_is_zero() -> None:
    assert set(Scores().figures().values()) == {0}
    assert Scores().table().empty


# --- whole documents ---------------------------------------------------------------------------------------------


def test_a_labeller_that_knows_the_answers_is_perfect() -> None:
    """Through the project's own splitting."""
    document = gold(unit(HOLD, {"honors_detainers": "prohibits"}), unit(KEYS), unit(LUNN, {"cites_lunn": None}))

    def knows(clauses: Sequence[Clause]) -> list[list[Given]]:
        answers = {HOLD: [Given("honors_detainers", "prohibits")], LUNN: [Given("cites_lunn", None)]}
        return [answers.get(c.text, []) for c in clauses]

    scores = evaluate([document, document], knows)
    assert scores.documents == 2
    figures = scores.figures()
    assert {figures[f] for f in ("core_f1", "all_stance_f1", "stance_accuracy", "core_verdicts", "coverage")} == {1}


def test_the_model_labels_the_clauses_of_a_document(model: Model) -> None:
    clauses = text_clauses(
        "II. DETAINERS\n\nMembers shall not hold any person on an ICE detainer.\n\nSee Lunn v. Commonwealth.\n"
    )
    found = model_labeller(model)(clauses)
    assert [c.kind for c in clauses] == ["heading", "clause", "clause"]
    assert found[0] == []
    assert ("honors_detainers", "prohibits") in [(g.practice, g.stance) for g in found[1]]
    assert ("cites_lunn", None) in [(g.practice, g.stance) for g in found[2]]


@pytest.mark.parametrize("by", ["document", "family"])
def test_a_peer_is_never_fitted_on_what_it_is_judged_by(by: str) -> None:
    documents = [gold(unit(f"{KEYS} {i}"), name=f"d{i}", family=f"f{i % 3}") for i in range(9)]
    judged: list[str] = []

    def fit(seen: Sequence[LabelledDocument]) -> Callable[[Sequence[Clause]], list[list[Given]]]:
        ids, families = {d.id for d in seen}, {d.family for d in seen}

        def label(clauses: Sequence[Clause]) -> list[list[Given]]:
            (document,) = [d for d in documents if d.text == clauses[0].text]
            assert document.id not in ids
            assert by == "document" or document.family not in families
            judged.append(document.id)
            return [[] for _ in clauses]

        return label

    assert evaluate_peer_held_out(documents, by, fit).documents == 9
    assert sorted(judged) == [d.id for d in documents]


# --- boundaries --------------------------------------------------------------------------------------------------


def test_a_boundary_is_counted_in_words() -> None:
    assert list(starts(["Keys hang here.", "(a) The lobby", "opens."])) == [3, 6]
    assert list(starts([])) == list(starts(["One clause."])) == []
    assert list(starts(["§", "One.", "Two."])) == [1]


def test_boundaries_found_and_missed() -> None:
    exact = gold(unit(HOLD), unit(KEYS), unit(LUNN))
    assert boundary_scores([exact]) == Tally(2, 0, 0)
    coarse = gold(unit(f"{HOLD} {KEYS}"), unit(LUNN))
    assert boundary_scores([coarse]) == Tally(1, 1, 0)
    fine = gold(unit("Members shall hold"), LabelledItem("clause", "no person on a detainer.", joined=True), unit(LUNN))
    assert boundary_scores([fine]) == Tally(1, 0, 1)


# --- what `clauses score` wrote ----------------------------------------------------------------------------------


def scored(path: Path, *rows: dict[str, object]) -> Path:
    base = {"clause": "1", "kind": "clause", "page": 1, "heading": "", "context": "", "labels": [], "conditions": []}
    path.write_text("".join(json.dumps({**base, **row}, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_scored_folder_is_measured_by_document_stem(tmp_path: Path) -> None:
    label = {"practice": "honors_detainers", "probability": 0.9, "stance": "prohibits", "stance_probability": 0.9}
    path = scored(
        tmp_path / "clauses.jsonl",
        {"document": "deep/order.pdf", "text": HOLD, "labels": [label]},
        {"document": "deep/order.pdf", "text": KEYS + "\u2028"},
        {"document": "other.pdf", "text": HOLD, "labels": [label]},
    )
    document = gold(unit(HOLD, {"honors_detainers": "prohibits"}), unit(KEYS))
    figures = measure_file([document], tmp_path, path).figures()
    assert (figures["core_stance_f1"], figures["core_verdicts"], figures["coverage"]) == (1, 1, 1)
    absent = measure_file(
        [gold(unit(HOLD, {"honors_detainers": "prohibits"}), name="absent")], tmp_path, path
    ).figures()
    assert (absent["core_f1"], absent["coverage"]) == (0, 0)


@pytest.mark.parametrize("content", ["{", "[]", '{"document": "a.pdf"}', "7"])
def test_another_file_is_told_from_a_scored_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "clauses.jsonl").write_text(content + "\n")
    with pytest.raises(UsageError, match=r"not a clauses\.jsonl"):
        measure_file([], tmp_path, tmp_path / "clauses.jsonl")
    with pytest.raises(UsageError, match=r"not a clauses\.jsonl"):
        measure_file([], tmp_path, tmp_path / "none.jsonl")


def test_kept_figures_are_compared(tmp_path: Path) -> None:
    kept = Figures(tmp_path)
    assert kept.changes("set", {"core_f1": 0.5}) == []
    kept.check("set", {"core_f1": 0.0})
    kept.record("set", {"core_f1": 0.80001, "all_f1": 0.7})
    kept.record("other", {"core_f1": 0.1})
    assert kept.changes("set", {"core_f1": 0.8, "all_f1": 0.75}) == ["all_f1: 0.700 kept, +0.050"]
    kept.check("set", {"core_f1": 0.785, "all_f1": 0.9})
    with pytest.raises(ModelError, match="set: core_f1 fell"):
        kept.check("set", {"core_f1": 0.77, "all_f1": 0.9})
