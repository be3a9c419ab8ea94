"""Tables for research: tidy, complete, tied together by ids, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from io import BytesIO, StringIO
from pathlib import Path

import pandas as pd
import pytest
from comparison_cases import CALL, CALL_IF, CITES, KEYS, NO_HOLD, NOTIFY, entry
from review_stores import Unit

from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.evidence import Evidence
from classifier.predictions import codebook_digest
from classifier.research_tables import TABLES, department_id, table_files, write_tables

FORMULA = Unit('=HYPERLINK("http://x")\x00', ((NOTIFY, "permits"),), context="+1", heading="@cmd")


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8"), newline="")))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.of_entries(
        [
            entry("Alder PD", [CALL_IF, CITES, KEYS], kind="sheriff", county="Essex", state="MA", source="a request"),
            entry("Alder PD", [NO_HOLD, CALL], "second", effective_date="2019-03-01"),
            entry("-Birch", [FORMULA], status="partial"),
        ],
        [(Department("Cedar PD"), "no reply")],
        "1",
    )


@pytest.fixture(scope="module")
def files(evidence: Evidence) -> dict[str, bytes]:
    return table_files(evidence)


def test_findings_are_complete_and_say_what_they_rest_on(files: dict[str, bytes]) -> None:
    found = {(r["department"], r["practice"]): r for r in rows(files["findings.csv"])}
    assert len(found) == 3 * len(load_codebook().practices)
    notify = found["Alder PD", NOTIFY]
    assert notify["department_id"] == department_id("Alder PD")
    assert (notify["kind"], notify["county"], notify["state"]) == ("sheriff", "Essex", "MA")
    assert (notify["verdict"], notify["stance"], notify["conditions"]) == ("conditional", "limits;requires", "approval")
    assert (notify["clause_ids"], notify["effective_date"], notify["source"]) == (
        "Alder PD/0;second/1",
        "2019-03-01",
        "a request",
    )
    assert (notify["probability"], notify["review"], notify["lunn_gap"]) == ("0.72", "machine", "true")
    assert (notify["model_version"], notify["reviewer"]) == ("1", "")
    nobody = found["Cedar PD", NOTIFY]
    assert (nobody["verdict"], nobody["probability"], nobody["model_version"]) == ("no reply", "", "")


def test_every_id_leads_to_its_row(files: dict[str, bytes]) -> None:
    for table in TABLES:
        own = rows(files[f"{table.name}.csv"])
        if table.key:
            keys = [tuple(r[k] for k in table.key) for r in own]
            assert len(keys) == len(set(keys)), table.name
        for column in table.columns:
            if column.refers:
                there = {r[column.name] for r in rows(files[f"{column.refers}.csv"])}
                assert {r[column.name] for r in own} <= there, (table.name, column.name)
    clauses = {r["clause_id"] for r in rows(files["clauses.csv"])}
    assert {c for r in rows(files["findings.csv"]) for c in r["clause_ids"].split(";") if c} <= clauses


def test_no_cell_is_a_formula(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if name.endswith(".csv"):
            cells = [cell for row in rows(content) for cell in row.values()]
            assert not [c for c in cells if c.startswith(("=", "+", "-", "@")) or "\x00" in c], name


def test_parquet_holds_the_same_with_types(files: dict[str, bytes]) -> None:
    pytest.importorskip("pyarrow")
    for table in TABLES:
        frame = pd.read_parquet(BytesIO(files[f"{table.name}.parquet"]))
        assert list(frame.columns) == [c.name for c in table.columns]
        assert len(frame) == len(rows(files[f"{table.name}.csv"]))
    findings = pd.read_parquet(BytesIO(files["findings.parquet"]))
    assert findings["lunn_gap"].dtype == bool
    assert "-Birch" in set(findings["department"])


def test_the_package_describes_every_file(files: dict[str, bytes]) -> None:
    package = json.loads(files["datapackage.json"])
    assert package["codebook"] == codebook_digest(load_codebook())
    assert package["models"] == ["1"]
    described = {r["path"]: r for r in package["resources"]}
    assert set(files) - set(described) == {"data_dictionary.csv", "datapackage.json"}
    for path, resource in described.items():
        assert resource["hash"] == f"sha256:{hashlib.sha256(files[path]).hexdigest()}"
        assert resource["bytes"] == len(files[path])
        if path.endswith(".csv"):
            assert [f["name"] for f in resource["schema"]["fields"]] == list(rows(files[path])[0])


def test_the_dictionary_explains_every_column(files: dict[str, bytes]) -> None:
    explained = {(r["table"], r["column"]): r["meaning"] for r in rows(files["data_dictionary.csv"])}
    assert set(explained) == {(t.name, c.name) for t in TABLES for c in t.columns}
    assert all(explained.values())


def test_the_same_tables_give_the_same_bytes(evidence: Evidence, files: dict[str, bytes], tmp_path: Path) -> None:
    write_tables(evidence, tmp_path / "tables")
    assert {p.name: p.read_bytes() for p in (tmp_path / "tables").iterdir()} == files


def test_nothing_gives_empty_tables() -> None:
    files = table_files(Evidence.of_entries([], version="1"))
    assert rows(files["findings.csv"]) == []


def test_without_pyarrow_there_is_csv(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    files = table_files(evidence)
    assert not [name for name in files if name.endswith(".parquet")]
    assert len(json.loads(files["datapackage.json"])["resources"]) == len(TABLES)
