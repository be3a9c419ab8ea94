"""The matrix: words of a cell, filters, order, and its speed."""

from __future__ import annotations

import time

import pytest
from comparison_cases import CALL, CALL_IF, CITES, HOLD, KEYS, LUNN, NO_HOLD, NOTIFY, entry
from review_stores import policy_units

from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.errors import UsageError
from classifier.evidence import Evidence
from classifier.matrix import Filter, cell, groups, matrix

CORE = frozenset({"core"})


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.of_entries(
        [
            entry("Alder PD", [CITES, CALL_IF, NO_HOLD], kind="municipal police", county="Merrow"),
            entry("birch SO", [CITES, CALL, NO_HOLD], kind="sheriff", county="Nonset"),
            entry("Cedar PD", [CITES, NO_HOLD], kind="municipal police", county="Nonset"),
            entry("Dogwood PD", [KEYS], kind="municipal police", status="failed"),
        ],
        [(Department("Elm PD", "municipal police"), "no reply")],
    )


def shown(evidence: Evidence, only: Filter, sort_by: str = "department") -> list[str]:
    return list(matrix(evidence, only, sort_by).cells.index)


def test_a_cell_names_the_exemptions() -> None:
    assert cell("conditional", ("criminal_history", "approval")) == "conditional: criminal history, approval"
    assert cell("conditional", ()) == "conditional"
    assert cell("does", ("approval",)) == "does"


def test_every_department_and_practice_has_a_cell(evidence: Evidence) -> None:
    whole = matrix(evidence)
    assert list(whole.cells.columns) == list(load_codebook().practice_ids)
    assert list(whole.cells[NOTIFY]) == ["conditional: approval", "does", "silent", "unread", "no reply"]
    assert list(whole.verdicts[NOTIFY]) == ["conditional", "does", "silent", "unread", "no reply"]
    assert list(whole.departments["department"]) == list(whole.cells.index)
    assert list(whole.departments["lunn_gap"]) == [True, True, False, False, False]
    assert whole.departments["coverage"].tolist()[:4] == [1.0, 1.0, 1.0, 0.0]
    assert whole.departments["coverage"].isna().tolist()[4]
    assert whole.probabilities[NOTIFY].isna().tolist() == [False, False, False, True, True]
    assert set(whole.states[NOTIFY]) == {"machine"}


@pytest.mark.parametrize(
    ("only", "left"),
    [
        (Filter(kinds=frozenset({"sheriff"})), ["birch SO"]),
        (Filter(counties=frozenset({"Nonset"})), ["birch SO", "Cedar PD"]),
        (Filter(lunn_gap=True), ["Alder PD", "birch SO"]),
        (Filter(verdicts=frozenset({"does"}), practices=frozenset({NOTIFY})), ["birch SO"]),
        (Filter(verdicts=frozenset({"no reply", "unread"})), ["Dogwood PD", "Elm PD"]),
        (Filter(kinds=frozenset({"sheriff"}), counties=frozenset({"Merrow"})), []),
    ],
)
def test_filters_leave_rows_out(evidence: Evidence, only: Filter, left: list[str]) -> None:
    assert shown(evidence, only) == left
    table = matrix(evidence, only)
    assert {len(t) for t in (table.cells, table.verdicts, table.probabilities, table.states, table.departments)} == {
        len(left)
    }


def test_groups_leave_columns_out(evidence: Evidence) -> None:
    assert list(matrix(evidence, Filter(group="core")).cells.columns) == list(load_codebook().core_ids)
    assert set(matrix(evidence, Filter(group="law")).cells.columns) == {LUNN}
    assert groups()[0] == "core"


def test_only_differences_counts_conditions_and_leaves_out_what_is_not_known(evidence: Evidence) -> None:
    both = Filter(lunn_gap=True, only_differences=True)
    assert list(matrix(evidence, both).cells.columns) == [NOTIFY]
    unknown = Filter(verdicts=frozenset({"unread", "no reply"}), only_differences=True)
    assert list(matrix(evidence, unknown).cells.columns) == []


def test_rows_sort_by_verdict_or_column(evidence: Evidence) -> None:
    assert shown(evidence, Filter(), NOTIFY) == ["birch SO", "Alder PD", "Cedar PD", "Dogwood PD", "Elm PD"]
    assert shown(evidence, Filter(), "kind") == ["Alder PD", "Cedar PD", "Dogwood PD", "Elm PD", "birch SO"]


@pytest.mark.parametrize(
    ("only", "sort_by"),
    [
        (Filter(group="cores"), "department"),
        (Filter(practices=frozenset({"holds"})), "department"),
        (Filter(verdicts=frozenset({"maybe"})), "department"),
        (Filter(), "colour"),
    ],
)
def test_what_there_is_not_is_refused(evidence: Evidence, only: Filter, sort_by: str) -> None:
    with pytest.raises(UsageError):
        matrix(evidence, only, sort_by)


def test_four_hundred_departments_take_a_fraction_of_a_second() -> None:
    evidence = Evidence.of_entries([entry(f"Department {n:03}", policy_units(3 + n % 4, n)) for n in range(400)])
    began = time.process_time()
    assert matrix(evidence, Filter(verdicts=frozenset({"silent"}), only_differences=True), HOLD).cells.size
    assert time.process_time() - began < 1.0
