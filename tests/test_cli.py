"""The command: what a user types, what he finds in the folder, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from conftest import HEADER, Run, run_command
from pdf_files import body, page_of, scan, write_objects, write_pdf

from classifier.codebook import load_codebook, project_data
from classifier.exports import TABLES
from classifier.finished import failed_document
from classifier.printed import ProgressBar
from classifier.scored import summary_of
from classifier.terminal import printable

Command = Callable[..., Run]
REFUSAL = "Members shall not hold any person on an ICE detainer."
AWKWARD = [
    '=cmd|"x".txt',
    "a, b.txt",
    'said "no".txt',
    "two\nlines.txt",
    "\x1b[31mred.txt",
    "@home.txt",
    "-rf.txt",
    "+1.txt",
]
BAD = {
    "bad/cut.pdf": "damaged",
    "bad/empty.pdf": "empty (0 bytes)",
    "bad/locked.pdf": "password",
    "bad/looped.pdf": "no pages",
    "bad/memo.doc": "old Office file",
    "bad/no extension": "nameless",
    "bad/picture.png": "PNG image",
    "bad/scan.pdf": "scanned image",
    "bad/text.pdf": "not a PDF",
}


def spelled(name: str) -> str:
    """An awkward name as tables show it."""
    return name.replace("\x1b", "\\x1b").replace("\n", "\\n")


def fill(folder: Path) -> Path:
    """A folder as it comes back from ninety requests."""
    bad = folder / "bad"
    bad.mkdir(parents=True)
    (bad / "empty.pdf").touch()
    write_pdf(bad / "locked.pdf", [page_of(body(3))], encrypt="secret")
    whole = write_pdf(folder / "whole.pdf", [page_of(["Oxbow Falls Police Department", *body(3), REFUSAL])])
    (bad / "cut.pdf").write_bytes(whole.read_bytes()[:300])
    write_objects(bad / "looped.pdf", b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[2 0 R]>>")
    (bad / "text.pdf").write_text("Dear records officer,")
    (bad / "picture.png").write_bytes(b"\x89PNG\r\n")
    (bad / "memo.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    (bad / "no extension").write_text("text")
    write_pdf(bad / "scan.pdf", [scan])
    write_pdf(folder / "half.pdf", [page_of([REFUSAL]), scan])
    (folder / "names").mkdir()
    for name in AWKWARD:
        (folder / "names" / name).write_text(f"{REFUSAL}\n", encoding="utf-8")
    rows = ["document,department,note", "half.pdf,=Half PD,", ",Ashby PD,no policy", ",Zion PD,no reply"]
    (folder / "departments.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("requests") / "in")


@pytest.fixture(scope="module")
def scored(folder: Path) -> tuple[Run, Path]:
    out = folder.parent / "out"
    return run_command("score", folder, "--out", out, "--jobs", 1, "--ocr", "never"), out


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def one_file(tmp_path: Path, text: str = f"{REFUSAL}\n") -> Path:
    path = tmp_path / "order.txt"
    path.write_text(text, encoding="utf-8")
    return path


# --- score: a folder with everything in it -----------------------------------------------------------------------


def test_every_file_has_its_row_and_only_one(folder: Path, scored: tuple[Run, Path]) -> None:
    """Against the folder itself, not against what the program lists."""
    below = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "departments.csv"}
    rows = [row["document"] for row in table(scored[1] / "documents.csv")]
    shown = {f"'{n}" if n[0] in "=+-@" else n for n in map(spelled, below)}
    assert sorted(rows) == sorted(shown)
    assert len(below) == len(AWKWARD) + len(BAD) + 2


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_read_is_failed_with_the_reason(scored: tuple[Run, Path], name: str) -> None:
    (row,) = [row for row in table(scored[1] / "documents.csv") if row["document"] == name]
    assert row["status"] == "failed"
    assert BAD[name] in row["reason"]
    assert (row["pages_read"], row["clauses"]) == ("0", "0")
    assert (row["department"], row["department_from"]) == ("bad", "folder")


def test_what_was_read_is_ok_or_partial(scored: tuple[Run, Path]) -> None:
    rows = {
        row["document"]: row for row in table(scored[1] / "documents.csv") if not row["document"].startswith("bad/")
    }
    assert {name: row["status"] for name, row in rows.items() if row["status"] != "ok"} == {"half.pdf": "partial"}
    assert rows["half.pdf"]["reason"] == "page 2: scanned image without a text layer"
    assert (rows["whole.pdf"]["department"], rows["whole.pdf"]["department_from"]) == (
        "Oxbow Falls Police Department",
        "first page",
    )
    assert rows["half.pdf"]["department"] == "'=Half PD"


def test_every_document_has_all_findings(scored: tuple[Run, Path]) -> None:
    documents = [row["document"] for row in table(scored[1] / "documents.csv")]
    findings = table(scored[1] / "findings.csv")
    practices = load_codebook().practice_ids
    assert [(f["document"], f["practice"]) for f in findings] == [(d, p) for d in documents for p in practices]
    held = {f["document"]: f["verdict"] for f in findings if f["practice"] == "honors_detainers"}
    assert {v for d, v in held.items() if d.startswith("bad/")} == {"unread"}
    assert {v for d, v in held.items() if not d.startswith("bad/")} == {"refuses"}


def test_clauses_are_written_by_document_with_distinct_ids(scored: tuple[Run, Path]) -> None:
    rows = [json.loads(line) for line in (scored[1] / "clauses.jsonl").read_text(encoding="utf-8").split("\n") if line]
    expected = "document department clause kind page heading context text boxes labels conditions review model".split()
    assert all(list(row) == expected for row in rows)
    assert len({row["clause"] for row in rows}) == len(rows)
    assert {row["document"] for row in rows} == {
        "half.pdf",
        "whole.pdf",
        *(f"names/{spelled(name)}" for name in AWKWARD),
    }
    codebook = load_codebook()
    for row in rows:
        assert row["kind"] in ("clause", "heading", "contents", "signature")
        assert not (row["labels"] and row["kind"] != "clause")
        assert {label["practice"] for label in row["labels"]} <= set(codebook.practice_ids)
        assert {label["stance"] for label in row["labels"]} <= {*codebook.stances, None}
        assert {c["type"] for c in row["conditions"]} <= set(codebook.conditions)
        assert type(row["review"]) is bool
        assert all(len(box) == 5 and box[0] >= row["page"] for box in row["boxes"])
    assert {row["model"] for row in rows} == {(project_data("models") / "current").read_text().strip()}


def test_the_workbook_shows_the_same_departments(scored: tuple[Run, Path]) -> None:
    book = openpyxl.load_workbook(scored[1] / "findings.xlsx")
    departments = [row[0] for row in book["Matrix"].values][1:]
    assert set(departments) == {"=Half PD", "Ashby PD", "Oxbow Falls Police Department", "Zion PD", "bad", "names"}
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_the_terminal_shows_departments_failures_and_totals(scored: tuple[Run, Path]) -> None:
    run, out = scored
    assert run.status == 1
    lines = run.out.splitlines()
    assert lines[0].split("  ")[0] == "Department"
    assert len(lines) == 1 + 6 + 1
    assert [line.split("  ")[-1].strip() for line in lines if line.startswith(("Ashby", "Zion"))] == [
        "no policy",
        "no reply",
    ]
    assert lines[-1].endswith(f"tables in {out}/")
    assert lines[-1].startswith(f"{len(AWKWARD) + len(BAD) + 2} files, ")
    failures = run.err.splitlines()
    assert len(failures) == len(BAD) + 1
    for name, said in BAD.items():
        (line,) = [line for line in failures if line.startswith(f"failed: {name}: ")]
        assert said in line
        assert line.count(Path(name).name) == 1


def test_no_command_reaches_the_terminal(tmp_path: Path, clauses: Command) -> None:
    """Names of folders and files, and names read off a page, are printed without what a terminal would obey."""
    below = tmp_path / "in" / "\x1b[31mOxbow\x9b2J\u202e"
    below.mkdir(parents=True)
    (below / "\x1b]0;title\x07.pdf").touch()
    run = clauses("score", tmp_path / "in", "--out", tmp_path / "out", "--jobs", 1)
    assert run.status == 1
    assert "Oxbow" in run.out
    assert "title" in run.err
    assert all(c == "\n" or c.isprintable() for c in run.out + run.err)


def test_a_second_run_gives_the_same_tables(folder: Path, scored: tuple[Run, Path], clauses: Command) -> None:
    """Into a folder inside the input: its tables are no policies."""
    _, first = scored
    inside = folder / "out"
    for _ in range(2):
        assert clauses("score", folder, "--out", inside, "--jobs", 1, "--ocr", "never", "--quiet").status == 1
        for name in ("clauses.jsonl", "findings.csv"):
            assert (inside / name).read_bytes() == (first / name).read_bytes()
        rows = zip(table(inside / "documents.csv"), table(first / "documents.csv"), strict=True)
        assert all({**one, "seconds": ""} == {**other, "seconds": ""} for one, other in rows)
    shutil.rmtree(inside)


# --- score: small things -----------------------------------------------------------------------------------------


def test_a_clean_run_ends_with_zero(tmp_path: Path, clauses: Command) -> None:
    run = clauses("score", one_file(tmp_path), "--out", tmp_path / "out", "--jobs", 1)
    assert (run.status, run.err) == (0, "")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([*TABLES, ".finished", "score.log"])
    assert table(tmp_path / "out" / "documents.csv")[0]["document"] == "order.txt"


def test_quiet_says_little(tmp_path: Path, clauses: Command) -> None:
    run = clauses("score", one_file(tmp_path), "--out", tmp_path / "out", "--jobs", 1, "--quiet")
    assert run.out == f"1 files, 1 pages; tables in {tmp_path / 'out'}/\n"


class Terminal(io.StringIO):
    """Standard error that a person sees."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("quiet", "shown"), [(False, ["2/2", "pages/s", "1 failed"]), (True, [])])
def test_progress_is_for_a_terminal(monkeypatch: pytest.MonkeyPatch, quiet: bool, shown: list[str]) -> None:
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    bar = ProgressBar(quiet)
    bar.stage("looking", 2)
    bar.step()
    bar.stage("reading", 2)
    bar.step(summary_of(failed_document("locked", 0.0)))
    bar.step(replace(summary_of(failed_document("", 0.0)), status="ok", pages=7))
    bar.close()
    assert all(words in seen.getvalue() for words in shown)
    assert bool(seen.getvalue()) == bool(shown)


def test_a_name_that_is_no_text_is_scored(tmp_path: Path, clauses: Command) -> None:
    (tmp_path / "in").mkdir()
    for name in (b"caf\xe9.txt", b"bad\xff.pdf"):
        Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name)).write_text(f"{REFUSAL}\n")
    run = clauses("score", tmp_path / "in", "--out", tmp_path / "out", "--jobs", 1)
    assert run.status == 1
    rows = {row["document"]: row["status"] for row in table(tmp_path / "out" / "documents.csv")}
    assert rows == {"bad\\xff.pdf": "failed", "caf\\xe9.txt": "ok"}


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, clauses: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored_too_early(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("classifier.batch.Batch.read", scored_too_early)
    source = one_file(tmp_path)
    run = clauses("score", source, "--out", source / "below", "--jobs", 1)
    assert_error(run, "can't be written")


# --- errors ------------------------------------------------------------------------------------------------------


def assert_error(run: Run, said: str, status: int = 2) -> None:
    """A message and a next step on standard error, and no traceback."""
    assert run.status == status
    first, *rest = run.err.splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert len(rest) == 1
    assert rest[0].startswith("  ")
    assert "Traceback" not in run.out + run.err


def test_paths_that_are_wrong(tmp_path: Path, clauses: Command) -> None:
    out = tmp_path / "out"
    assert_error(clauses("score", tmp_path / "none", "--out", out), "no such file or folder")
    assert_error(clauses("score", tmp_path, "--out", out), "no files in")
    assert not out.exists()
    assert_error(clauses("split", tmp_path / "none.pdf"), "no such file", status=1)


def test_a_registry_that_is_wrong(tmp_path: Path, clauses: Command) -> None:
    (tmp_path / "departments.csv").write_text("document,department\nx.pdf,\n")
    assert_error(clauses("score", one_file(tmp_path), "--out", tmp_path / "out"), "line 2: no department")


@pytest.mark.parametrize("content", [None, "{", '{"format": 999}', "[]", '{"format": 1}'])
def test_a_model_that_is_none(tmp_path: Path, clauses: Command, content: str | None) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if content is not None:
        (folder / "model.json").write_text(content)
    assert_error(clauses("score", one_file(tmp_path), "--out", tmp_path / "out", "--model", folder), str(folder))


def test_a_model_that_was_tampered_with(tmp_path: Path, clauses: Command) -> None:
    models = project_data("models")
    source = models / (models / "current").read_text().strip()
    folder = tmp_path / "model"
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    arrays = next(folder.glob("*.npz"))
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"\x01")
    assert_error(clauses("score", one_file(tmp_path), "--out", tmp_path / "out", "--model", folder), arrays.name)


@pytest.mark.parametrize(
    "arguments",
    [
        ["scores"],
        ["score"],
        ["score", "x"],
        ["score", "x", "--out"],
        ["score", "x", "--out", "y", "--jobs", "-1"],
        ["split"],
        ["--nonsense"],
    ],
)
def test_wrong_use_ends_with_two(clauses: Command, arguments: list[str]) -> None:
    run = clauses(*arguments)
    assert run.status == 2
    assert "Error" in run.err
    assert "Traceback" not in run.err


def test_a_message_carries_no_commands_to_the_terminal(tmp_path: Path, clauses: Command) -> None:
    run = clauses("score", tmp_path / "none\x1b[31m", "--out", tmp_path / "out")
    assert run.status == 2
    assert "\x1b" not in run.err


def test_an_interrupt_is_no_traceback(tmp_path: Path, clauses: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("classifier.runs.list_files", interrupt)
    run = clauses("score", one_file(tmp_path), "--out", tmp_path / "out")
    assert run.status not in (0, 1, 2)
    assert "Traceback" not in run.err
    assert not (tmp_path / "out").exists()


# --- the other commands ------------------------------------------------------------------------------------------


def test_split_shows_pages_headings_and_lead_ins(tmp_path: Path, clauses: Command) -> None:
    text = "II. RELEASE\n\nMembers shall not:\n  (a) hold a person;\n  (b) call\x07 ICE.\n\fSigned copies are kept.\n"
    run = clauses("split", one_file(tmp_path, text))
    assert (run.status, run.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in run.out.splitlines()]
    assert ["1", "# II. RELEASE"] in lines
    assert ["1", "- [Members shall not:] (a) hold a person;"] in lines
    assert ["2", "- Signed copies are kept."] in lines
    assert "\x07" not in run.out


def test_check_counts_clauses_and_names_repeats(tmp_path: Path, clauses: Command) -> None:
    long = "Members shall write the hour of each telephone call in the lockup log before the end of the shift."
    for name, text in (
        ("one", f"{long}\nHold no one. {{honors_detainers:prohibits}}\n"),
        ("two", "Keys hang by the door.\n"),
    ):
        (tmp_path / f"{name}.policy").write_text(HEADER + text, encoding="utf-8")
    run = clauses("check", tmp_path)
    assert run.status == 0
    assert run.out.startswith("2 documents, 3 clauses, 1 with labels, ")
    assert run.out.endswith("0 near-duplicates\n")
    (tmp_path / "three.policy").write_text(HEADER + long + "\n", encoding="utf-8")
    run = clauses("check", tmp_path)
    assert run.status == 1
    assert "100%" in run.out.splitlines()[0]
    assert "one.policy:8 and" in run.out.splitlines()[0]


def test_check_names_a_wrong_line(tmp_path: Path, clauses: Command) -> None:
    (tmp_path / "one.policy").write_text(HEADER + "Hold. {sleeps:requires}\n", encoding="utf-8")
    assert_error(clauses("check", tmp_path), "one.policy:8: unknown practice 'sleeps'")
    assert_error(clauses("check", tmp_path / "none"), "no .policy files")


def test_the_module_is_the_command() -> None:
    """In a process of its own, as a user starts it; help needs no model and no heavy library."""
    program = [sys.executable, "-X", "importtime", "-m", "classifier", "--help"]
    run = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0
    assert all(name in run.stdout for name in ("score", "split", "train", "evaluate"))
    imported = {line.rsplit("|", 1)[-1].strip() for line in run.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"spacy", "sklearn", "pandas", "pdfplumber", "streamlit"}


def test_without_a_command_help_is_shown(clauses: Command) -> None:
    run = clauses()
    assert "Usage" in run.out + run.err
    assert "score" in run.out + run.err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – text", "plain – text"),
        ("\x1b]0;x\x07", " ]0;x "),
        ("a\nb\tc", "a b c"),
        ("\u202egnp.exe", " gnp.exe"),
        ("\udce9", " "),
    ],
)
def test_what_a_terminal_would_obey_becomes_a_space(text: str, shown: str) -> None:
    assert printable(text) == shown
