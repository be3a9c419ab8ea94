"""The tables: clauses.jsonl, documents.csv, findings.csv and findings.xlsx."""

from __future__ import annotations

import csv
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import exports
from classifier.clauses import Clause
from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.errors import UsageError
from classifier.exports import Entry, Replacing, by_department, make_folder, write_results
from classifier.findings import find
from classifier.labelled import Condition
from classifier.pipeline import ScoredDocument, highest_scores, rules
from classifier.plain_text import is_formula, legible, plain_cell
from classifier.predictions import Label, Prediction

BOOK = load_codebook()
CORE = BOOK.core_ids
OXBOW = Department(
    "Oxbow Falls PD", "municipal police", "Merrow", "MA", "2018-01-15", "request", named_by="departments.csv"
)


def clause(
    number: int, text: str, *labels: tuple[str, str | None], conditions: tuple[str, ...] = (), context: str = ""
) -> tuple[Clause, Prediction]:
    """A clause on page `number` with its prediction; labels are (practice, stance)."""
    given = tuple(Label(p, 0.9, s, 0.8 if s else 1.0) for p, s in labels)
    scores = {p: 0.9 if p in dict(labels) else 0.05 for p in BOOK.practice_ids}
    kinds = tuple(Condition(c, f"words of {c}") for c in conditions)
    found = Clause(
        f"id{number:02}", "clause", number, "II. RULES", context, text, ((number, 72.0, 90.0, 300.5, 102.0),)
    )
    return found, Prediction(given, kinds, scores, 0.2, number == 2)


HEADING = (Clause("id00", "heading", 1, "", "", "II. RULES", ((1, 72.0, 70.0, 200.0, 84.0),)), None)


def document(
    name: str, *units: tuple[Clause, Prediction | None], status: str = "ok", reason: str = ""
) -> ScoredDocument:
    clauses, predictions = tuple(c for c, _ in units), tuple(p for _, p in units)
    found = find(rules(clauses, predictions), status == "ok", highest_scores(predictions))
    return ScoredDocument(name, status, reason, 3, 3, 0, clauses, predictions, tuple(found), (), 1.234)


ORDER = document(
    "order, no. 7.pdf",
    HEADING,
    clause(1, "hold no person on a detainer;", ("honors_detainers", "prohibits"), context="Members shall:"),
    clause(
        2,
        "The desk tells ICE the date where the Chief agrees.",
        ("notifies_ice_on_release", "limits"),
        ("shares_information_with_ice", "limits"),
        conditions=("approval", "ice_request"),
    ),
    clause(3, "See Lunn v. Commonwealth.", ("cites_lunn", None)),
)
LOCKED = document("locked.pdf", status="failed", reason="the PDF is locked; ask for another")
ENTRIES = [Entry(ORDER, OXBOW), Entry(LOCKED, Department("Merrow SO"))]
MISSING = [(Department("Ashby PD", "municipal police"), "no policy"), (Department("Zion PD"), "no reply")]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables") / "new" / "folder"
    write_results(ENTRIES, MISSING, folder, "7")
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def cells(path: Path, sheet: str) -> Iterator[Any]:
    return (cell for row in openpyxl.load_workbook(path)[sheet].iter_rows() for cell in row)


def test_the_four_tables_are_written_and_nothing_else(out: Path) -> None:
    assert sorted(p.name for p in out.iterdir()) == sorted(exports.TABLES)
    assert all(p.stat().st_mode & 0o777 == 0o644 for p in out.iterdir() if p.suffix != ".xlsx")


# --- clauses.jsonl -----------------------------------------------------------------------------------------------


def test_a_clause_is_written_with_everything_known_of_it(out: Path) -> None:
    rows = [json.loads(line) for line in (out / "clauses.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["clause"] for row in rows] == ["id00", "id01", "id02", "id03"]
    assert rows[2] == {
        "document": "order, no. 7.pdf",
        "department": "Oxbow Falls PD",
        "clause": "id02",
        "kind": "clause",
        "page": 2,
        "heading": "II. RULES",
        "context": "",
        "text": "The desk tells ICE the date where the Chief agrees.",
        "boxes": [[2, 72.0, 90.0, 300.5, 102.0]],
        "labels": [
            {"practice": "notifies_ice_on_release", "probability": 0.9, "stance": "limits", "stance_probability": 0.8},
            {
                "practice": "shares_information_with_ice",
                "probability": 0.9,
                "stance": "limits",
                "stance_probability": 0.8,
            },
        ],
        "conditions": [
            {"type": "approval", "text": "words of approval"},
            {"type": "ice_request", "text": "words of ice_request"},
        ],
        "review": True,
        "model": "7",
    }
    assert [row["context"] for row in rows] == ["", "Members shall:", "", ""]


def test_headings_are_kept_without_labels(out: Path) -> None:
    first = json.loads((out / "clauses.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (first["kind"], first["text"], first["labels"], first["conditions"], first["review"]) == (
        "heading",
        "II. RULES",
        [],
        [],
        False,
    )


def test_a_citation_has_no_stance(out: Path) -> None:
    last = json.loads((out / "clauses.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["labels"] == [{"practice": "cites_lunn", "probability": 0.9, "stance": None, "stance_probability": 1.0}]


# --- documents.csv and findings.csv ------------------------------------------------------------------------------


def test_every_document_has_its_row(out: Path) -> None:
    rows = table(out / "documents.csv")
    assert list(rows[0]) == [
        "document", "department", "department_from", "kind", "county", "state", "effective_date", "source",
        "status", "pages", "pages_read", "pages_ocr", "pages_skimmed", "clauses", "seconds", "reason",
        "ocr_confidence", "duplicate_of", "note",
    ]  # fmt: skip
    order, locked = rows
    assert order == {
        "document": "order, no. 7.pdf", "department": "Oxbow Falls PD", "department_from": "departments.csv",
        "kind": "municipal police", "county": "Merrow", "state": "MA", "effective_date": "2018-01-15", "source": "request",
        "status": "ok", "pages": "3", "pages_read": "3", "pages_ocr": "0", "pages_skimmed": "0", "clauses": "3", "seconds": "1.23", "reason": "",
        "ocr_confidence": "", "duplicate_of": "", "note": "",
    }  # fmt: skip
    assert (locked["status"], locked["reason"], locked["clauses"]) == (
        "failed",
        "the PDF is locked; ask for another",
        "0",
    )
    assert locked["department_from"] == "file name"


def test_every_document_has_a_finding_for_every_practice(out: Path) -> None:
    rows = table(out / "findings.csv")
    assert list(rows[0]) == [
        "document", "department", "practice", "verdict", "probability", "conditions", "clauses", "quote", "page",
    ]  # fmt: skip
    assert [r["practice"] for r in rows] == [*BOOK.practice_ids, *BOOK.practice_ids]
    found = {r["practice"]: r for r in rows[:17]}
    assert found["notifies_ice_on_release"] == {
        "document": "order, no. 7.pdf", "department": "Oxbow Falls PD", "practice": "notifies_ice_on_release",
        "verdict": "conditional", "probability": "0.72", "conditions": "approval ice_request", "clauses": "id02",
        "quote": "The desk tells ICE the date where the Chief agrees.", "page": "2",
    }  # fmt: skip
    assert found["honors_detainers"]["quote"] == "Members shall: hold no person on a detainer;"
    assert (found["shares_intake_logs"]["verdict"], found["shares_intake_logs"]["probability"]) == ("silent", "0.95")
    assert (found["shares_intake_logs"]["quote"], found["shares_intake_logs"]["page"]) == ("", "")
    assert {(r["verdict"], r["probability"]) for r in rows[17:]} == {("unread", "")}


def test_at_most_five_clauses_stand_in_a_cell(tmp_path: Path) -> None:
    many = document("a.pdf", *(clause(n, "Hold.", ("honors_detainers", "requires")) for n in range(1, 10)))
    write_results([Entry(many, OXBOW)], [], tmp_path, "7")
    (row,) = [r for r in table(tmp_path / "findings.csv") if r["practice"] == "honors_detainers"]
    assert row["clauses"].split() == ["id01", "id02", "id03", "id04", "id05"]


# --- departments -------------------------------------------------------------------------------------------------


def test_documents_of_one_department_are_judged_together() -> None:
    hold = document("a.pdf", clause(1, "Hold.", ("honors_detainers", "requires")))
    refuse = document("b.pdf", clause(1, "Do not hold.", ("honors_detainers", "prohibits")))
    (row,) = by_department([Entry(hold, OXBOW).result, Entry(refuse, OXBOW).result])
    assert row.word("honors_detainers") == "mixed"


def test_one_unread_document_forbids_silence() -> None:
    (row,) = by_department([Entry(ORDER, OXBOW).result, Entry(LOCKED, OXBOW).result])
    assert row.word("shares_intake_logs") == "unread"
    assert row.word("honors_detainers") == "refuses"


def test_departments_without_documents_stand_among_the_others_by_name() -> None:
    rows = by_department(
        [e.result for e in ENTRIES], [*MISSING, (Department("merrow so"), "no reply"), (OXBOW, "no reply")]
    )
    assert [r.department.name for r in rows] == ["Ashby PD", "Merrow SO", "merrow so", "Oxbow Falls PD", "Zion PD"]
    assert [r.word("cites_lunn") for r in rows] == ["no policy", "unread", "no reply", "does", "no reply"]
    assert [r.lunn_gap for r in rows] == [False, False, False, True, False]


# --- findings.xlsx -----------------------------------------------------------------------------------------------


def test_the_workbook_has_three_sheets_with_a_header_that_stays(out: Path) -> None:
    book = openpyxl.load_workbook(out / "findings.xlsx")
    assert book.sheetnames == ["Matrix", "Evidence", "Coverage"]
    for sheet in book:
        assert sheet.freeze_panes == "B2"
        assert all(cell.font.bold and cell.value for cell in sheet[1])
        assert all(sheet.column_dimensions[cell.column_letter].width > 5 for cell in sheet[1])


def test_the_matrix_shows_departments_by_practice_core_first(out: Path) -> None:
    rows = list(openpyxl.load_workbook(out / "findings.xlsx")["Matrix"].values)
    assert rows[0][:8] == ("Department", "Kind", "County", "Lunn gap", *(BOOK.practice(p).name for p in CORE))
    assert len(rows[0]) == 4 + len(BOOK.practices)
    assert [row[0] for row in rows[1:]] == ["Ashby PD", "Merrow SO", "Oxbow Falls PD", "Zion PD"]
    oxbow = rows[3]
    assert oxbow[3:8] == ("gap", "conditional: approval, ice request", "silent", "refuses", "does")
    assert rows[2][4:8] == ("unread",) * 4
    assert rows[1][4:8] == ("no policy",) * 4


def test_colours_stand_for_words_and_every_verdict_has_one(out: Path) -> None:
    assert set(exports.VERDICT_COLOURS) == {*BOOK.verdicts, "no policy", "no reply"}
    assert len(set(exports.VERDICT_COLOURS.values())) == len(exports.VERDICT_COLOURS)
    coloured = [
        c for s in ("Matrix", "Evidence") for c in cells(out / "findings.xlsx", s) if c.fill.fill_type == "solid"
    ]
    assert len(coloured) == 4 * len(BOOK.practices) + 4
    for cell in coloured:
        word = cell.value.split(":")[0]
        assert cell.fill.start_color.rgb == "00" + exports.VERDICT_COLOURS[word]


def test_the_evidence_is_quoted_with_its_place(out: Path) -> None:
    head, *rows = openpyxl.load_workbook(out / "findings.xlsx")["Evidence"].values
    found = {row[2]: dict(zip(head, row, strict=True)) for row in rows}
    assert list(found) == [
        "Notifies ICE on release",
        "Honors detainers",
        "Cites Lunn",
        "Shares other information with ICE",
    ]
    assert found["Honors detainers"] == {
        "Department": "Oxbow Falls PD", "Document": "order, no. 7.pdf", "Practice": "Honors detainers", "Verdict": "refuses",
        "Probability": 0.72, "Conditions": None, "Quote": "Members shall: hold no person on a detainer;", "Page": 1, "Clause": "id01",
    }  # fmt: skip


def test_the_coverage_sheet_says_what_documents_csv_says(out: Path) -> None:
    head, *rows = openpyxl.load_workbook(out / "findings.xlsx")["Coverage"].values
    listed = [{k: v for k, v in row.items() if k != "seconds"} for row in table(out / "documents.csv")]
    assert [h.lower().replace(" ", "_") for h in head] == list(listed[0])
    assert [["" if v is None else str(v) for v in row] for row in rows] == [list(row.values()) for row in listed]


# --- text that means something to a spreadsheet ------------------------------------------------------------------

SLY = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "\x00=1", "\t=1", "#N/A", "{=1}"]


@pytest.mark.parametrize("text", SLY)
def test_no_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    who = Department(text, text, text, text, text, text)
    entry = Entry(document(text, clause(1, text, ("honors_detainers", "requires")), status="partial", reason=text), who)
    write_results([entry], [(Department(text + "x"), "no reply")], tmp_path, "7")
    for sheet in ("Matrix", "Evidence", "Coverage"):
        assert {cell.data_type for cell in cells(tmp_path / "findings.xlsx", sheet)} <= {"s", "n", "inlineStr"}
    kept = legible(text)
    assert openpyxl.load_workbook(tmp_path / "findings.xlsx")["Evidence"]["G2"].value.strip() == kept.strip()
    for name in ("documents.csv", "findings.csv"):
        for row in table(tmp_path / name):
            assert not any(value.startswith(("=", "+", "-", "@", "\t")) for value in row.values())
    row = json.loads((tmp_path / "clauses.jsonl").read_text(encoding="utf-8"))
    assert row["text"] == text


@given(st.text())
def test_a_plain_cell_is_the_text_or_the_text_behind_an_apostrophe(text: str) -> None:
    cell = plain_cell(text)
    clean = legible(text)
    assert cell in (clean, "'" + clean)
    assert not is_formula(cell)


def test_numbers_stay_numbers() -> None:
    assert [plain_cell(v) for v in (-1, 0.5, None)] == [-1, 0.5, None]


AWKWARD = 'Oxbow, "Falls"\nPD; ünïcode 警察 🚓'


def test_commas_quotes_and_newlines_survive(tmp_path: Path) -> None:
    entry = Entry(document(AWKWARD, clause(1, AWKWARD, ("honors_detainers", "requires"))), Department(AWKWARD))
    write_results([entry], [], tmp_path, "7")
    assert {(r["document"], r["department"]) for r in table(tmp_path / "findings.csv")} == {(AWKWARD, AWKWARD)}
    assert len((tmp_path / "clauses.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert openpyxl.load_workbook(tmp_path / "findings.xlsx")["Evidence"]["G2"].value == AWKWARD


@pytest.mark.parametrize(
    "odd", [chr(0xD800), chr(0xDCE9), "\ufffe", "\uffff", "\x1b[31m", "\x00", "\x0b", "\x7f", "\x9b31m"]
)
def test_what_no_table_can_hold_does_not_stop_it(tmp_path: Path, odd: str) -> None:
    """Names and text layers bring lone surrogates, noncharacters and terminal commands."""
    entry = Entry(
        document("a.pdf", clause(1, f"Hold{odd} him.", ("honors_detainers", "requires"))), Department(f"Ox{odd}bow")
    )
    write_results([entry], [], tmp_path, "7")
    clean = legible(f"Hold{odd} him.")
    assert odd not in clean
    assert openpyxl.load_workbook(tmp_path / "findings.xlsx")["Evidence"]["G2"].value == clean
    (row,) = [r for r in table(tmp_path / "findings.csv") if r["practice"] == "honors_detainers"]
    assert row["quote"] == clean
    assert json.loads((tmp_path / "clauses.jsonl").read_text(encoding="utf-8"))["text"] == f"Hold{odd} him."


def test_a_very_long_clause_fits_a_cell(tmp_path: Path) -> None:
    entry = Entry(document("a.pdf", clause(1, "word " * 20_000, ("honors_detainers", "requires"))), OXBOW)
    write_results([entry], [], tmp_path, "7")
    assert len(openpyxl.load_workbook(tmp_path / "findings.xlsx")["Evidence"]["G2"].value) == 32_000
    assert max(len(r["quote"]) for r in table(tmp_path / "findings.csv")) > 99_000


# --- whole or not at all -----------------------------------------------------------------------------------------


def test_a_file_takes_its_name_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with Replacing(path) as target:
        target.write("new")
        target.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("fresh", [True, False])
def test_an_exception_on_the_way_leaves_the_old_file(tmp_path: Path, fresh: bool) -> None:
    path = tmp_path / "a.csv"
    if not fresh:
        path.write_text("old")

    def write_half() -> None:
        with Replacing(path) as target:
            target.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == ([] if fresh else [("a.csv", "old")])


@pytest.mark.parametrize(
    ("stage", "table_name"),
    [
        ("clause_rows", "clauses.jsonl"),
        ("document_row", "documents.csv"),
        ("finding_rows", "findings.csv"),
        ("new_sheet", "findings.xlsx"),
    ],
)
def test_a_failure_in_any_table_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, table_name: str
) -> None:
    write_results(ENTRIES, MISSING, tmp_path, "7")
    before = (tmp_path / table_name).read_bytes()
    real, calls = getattr(exports, stage), 0

    def fails_late(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError
        return real(*arguments)

    monkeypatch.setattr(exports, stage, fails_late)
    with pytest.raises(RuntimeError):
        write_results(ENTRIES, MISSING, tmp_path, "8")
    gc.collect()  # what was left half-open complains now, not in a later test
    assert (tmp_path / table_name).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(exports.TABLES)


def test_a_workbook_that_cannot_be_saved_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "findings.xlsx"
    path.write_bytes(b"old")

    def fails(target: Path) -> None:
        target.write_bytes(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        exports.save_beside(path, fails)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("findings.xlsx", b"old")]


def test_a_full_disk_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "save_beside", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_results(ENTRIES, MISSING, tmp_path, "7")
    gc.collect()


def test_a_folder_that_cannot_be_made_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        for call in (lambda f=folder: make_folder(f), lambda f=folder: write_results(ENTRIES, [], f, "7")):
            with pytest.raises(UsageError, match="can't be written"):
                call()


def test_writing_twice_gives_the_same_tables(out: Path, tmp_path: Path) -> None:
    write_results(ENTRIES, MISSING, tmp_path, "7")
    for name in exports.TABLES:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()
