"""`clauses report`, from results to files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from comparison_cases import CALL, CITES, entry
from conftest import Run

from classifier.exports import write_results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "results"
    write_results([entry("Alder PD", [CALL, CITES])], [], folder, "1")
    return folder


def test_report_and_tables_are_written(clauses: Callable[..., Run], results: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    page, tables = tmp_path / "report.html", tmp_path / "tables"
    run = clauses("report", results, "--out", page, "--tables", tables)
    assert (run.status, run.out, run.err) == (0, f"report in {page}\ntables in {tables}/\n", "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tables / "datapackage.json").exists()
    word = tmp_path / "report.DOCX"
    assert clauses("report", results, "--out", word).status == 0
    assert word.read_bytes().startswith(b"PK")


def test_without_pyarrow_the_command_says_how_to_get_parquet(
    clauses: Callable[..., Run], results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    run = clauses("report", results, "--tables", tmp_path / "tables")
    assert run.status == 0
    assert "for Parquet too: pip install 'collaboration-clauses[tables]'" in run.out
    assert not list((tmp_path / "tables").glob("*.parquet"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no report asked for"),
        (("--out", "report.pdf"), "neither .html nor .docx"),
        (("--out", "nowhere/report.html"), "no such folder"),
    ],
)
def test_wrong_use_is_said_in_words(
    clauses: Callable[..., Run], results: Path, options: tuple[str, ...], said: str
) -> None:
    run = clauses("report", results, *options)
    assert (run.status, run.out) == (2, "")
    assert said in run.err
