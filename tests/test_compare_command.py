"""`clauses compare` on the sample policies, from files to words."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from conftest import Run

from classifier.codebook import project_data
from classifier.contradictions import lunn_gap
from classifier.departments import read_registry
from classifier.evidence import Evidence
from classifier.matrix import Filter, matrix
from classifier.templates import templates

OLD, NEW, SCAN = (
    "merrowfield-pd-general-order-18-04.pdf",
    "tillinghast-pd-policy-415.pdf",
    "wachamet-pd-procedure-72-b.pdf",
)
TWO = ("--departments", "Merrowfield Police Department", "--departments", "Nonset County Sheriff's Office")


@pytest.fixture(scope="module")
def results(clauses: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare") / "results"
    assert (
        clauses("score", project_data("training_data/samples"), "--out", folder, "--quiet", "--ocr", "never").status
        == 1
    )
    return folder


def test_departments_are_shown_practice_by_practice(clauses: Callable[..., Run], results: Path) -> None:
    run = clauses("compare", results, *TWO)
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("Notifies ICE on release")
    assert "  Merrowfield Police Department: " in run.out
    assert "477 Mass. 517" in run.out


def test_the_table_is_the_same_comparison(clauses: Callable[..., Run], results: Path, tmp_path: Path) -> None:
    run = clauses("compare", results, *TWO, "--out", tmp_path / "two.csv")
    assert (run.status, run.out) == (0, f"table in {tmp_path / 'two.csv'}\n")
    with (tmp_path / "two.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    assert {r["department"] for r in rows} == {TWO[1], TWO[3]}
    assert len({r["practice"] for r in rows}) == 17
    assert all(r["words"] and int(r["page"]) >= 1 for r in rows if r["clause"])


def test_versions_are_shown_answers_first(clauses: Callable[..., Run], results: Path) -> None:
    run = clauses("compare", results, "--versions", OLD, NEW)
    assert run.status == 0
    assert run.out.index("\nAnswers\n") < run.out.index("\nText\n")
    unread = clauses("compare", results, "--versions", OLD, SCAN)
    assert "not read: pages 1-4" in unread.out
    assert "not compared" in unread.out
    assert "removed" not in unread.out
    assert "  changed" not in unread.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing to compare"),
        ((*TWO, "--versions", OLD, NEW), "too much"),
        (TWO[:2], "1 departments"),
        ((*TWO[:2], "--departments", "Nonset County Sheriff"), "did you mean 'Nonset County Sheriff's Office'"),
        (("--versions", OLD, "none.pdf"), "no document 'none.pdf'"),
        ((*TWO, "--out", "nowhere/two.csv"), "can't be written"),
    ],
)
def test_wrong_use_is_said_in_words(
    clauses: Callable[..., Run], results: Path, options: tuple[str, ...], said: str
) -> None:
    run = clauses("compare", results, *options)
    assert (run.status, run.out) == (2, "")
    assert said in run.err.replace('"', "'")


def test_the_samples_go_through_every_comparison(results: Path) -> None:
    registry = read_registry([project_data("training_data/samples")])
    evidence = Evidence.from_results(results, registry)
    table = matrix(evidence, Filter(group="core"))
    printed = pd.DataFrame(
        {"Pequawket Falls Police Department": ["no policy"] * 4, "Wachamet Police Department": ["unread"] * 4}
    )
    assert (table.cells.loc[printed.columns].to_numpy() == printed.T.to_numpy()).all()
    gap = lunn_gap(evidence)
    assert set(gap["department"]) == set(table.departments.loc[table.departments["lunn_gap"], "department"])
    assert (gap["words"].str.len() > 0).all()
    assert (gap["lunn_words"].str.contains("Lunn|2017|court", case=False)).all()
    assert templates(evidence).members["share"].between(0, 1).all()
