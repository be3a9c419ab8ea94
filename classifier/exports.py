"""Scored documents → clauses.jsonl, documents.csv, findings.csv, findings.xlsx; each file written whole or not at all."""

from __future__ import annotations

import csv
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any, TextIO

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.errors import UsageError
from classifier.findings import Finding, Rule, find, has_lunn_gap
from classifier.finished import Unit
from classifier.plain_text import is_formula, json_text, legible, plain_cell
from classifier.scored import ScoredDocument, Summary, strongest, summary_of

# Colours that stay apart for colour-blind readers (after Okabe and Ito); a verdict's word always stands beside it.
VERDICT_COLOURS = {
    "does": "F4B183",
    "conditional": "FFE699",
    "mixed": "D9B3D9",
    "refuses": "9DC3E6",
    "mentions": "E2E2E2",
    "silent": "FFFFFF",
    "unread": "BFBFBF",
    "no policy": "D0CECE",
    "no reply": "AEAAAA",
}
Sheet = Any  # a write-only sheet; the stubs leave out what it inherits
LINE_HEIGHT = 14.0  # points
LONGEST_CELL = 32_000  # UTF-16 units; a workbook takes 32,767
_WRITTEN_ON = re.compile(rb"<dcterms:(created|modified)\b[^>]*>[^<]*</dcterms:\1>")
TABLES = ("clauses.jsonl", "documents.csv", "findings.csv", "findings.xlsx")


@dataclass(frozen=True, slots=True)
class Result:
    """What the tables say of a document, beside its clauses. duplicate_of: the first document with the same content."""

    summary: Summary
    department: Department
    duplicate_of: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A scored document in memory, with the department that it belongs to."""

    document: ScoredDocument
    department: Department

    @property
    def result(self) -> Result:
        """The document without its clauses."""
        return Result(summary_of(self.document), self.department)

    @property
    def units(self) -> Iterable[Unit]:
        """The clauses with their predictions."""
        return zip(self.document.clauses, self.document.predictions, strict=True)


@dataclass(frozen=True, slots=True)
class DepartmentFindings:
    """What all documents of one department say together, without ids of clauses. missing: "no policy" or "no reply" where there is no document."""

    department: Department
    findings: tuple[Finding, ...]
    missing: str = ""

    @property
    def lunn_gap(self) -> bool:
        return has_lunn_gap(self.findings)

    def word(self, practice: str) -> str:
        """The verdict on a practice as a word, or why there is none."""
        return self.missing or next(f.verdict for f in self.findings if f.practice == practice)


def by_department(
    results: Iterable[Result], missing: Iterable[tuple[Department, str]] = ()
) -> list[DepartmentFindings]:
    """One row a department, by name; its documents judged together, as one text."""
    groups: dict[str, _Group] = {}
    for result in results:
        groups.setdefault(result.department.name, _Group(result.department)).add(result.summary)
    rows = [DepartmentFindings(g.department, g.findings()) for g in groups.values()]
    rows += [DepartmentFindings(d, (), why) for d, why in missing if d.name not in groups]
    return sorted(rows, key=lambda r: r.department.name.casefold())


@dataclass(slots=True)
class _Group:
    """What decides the verdicts of a department: no more, however many documents it has."""

    department: Department
    rules: tuple[Rule, ...] = ()
    highest: dict[str, float] = field(default_factory=dict)
    fully_read: bool = True

    def add(self, summary: Summary) -> None:
        self.rules = strongest([*self.rules, *summary.rules])
        for practice, score in summary.highest.items():
            self.highest[practice] = max(score, self.highest.get(practice, 0.0))
        self.fully_read &= summary.fully_read

    def findings(self) -> tuple[Finding, ...]:
        """Without ids of clauses: they are in the rows of the documents."""
        return tuple(replace(f, clauses=()) for f in find(self.rules, self.fully_read, self.highest))


def clause_rows(result: Result, units: Iterable[Unit], model_version: str) -> Iterable[dict[str, Any]]:
    """The objects of clauses.jsonl: every unit read, in reading order. `kind` tells clauses from headings and the like."""
    for clause, prediction in units:
        labels = prediction.labels if prediction else ()
        yield {
            "document": result.summary.name,
            "department": result.department.name,
            "clause": clause.id,
            "kind": clause.kind,
            "page": clause.page,
            "heading": clause.heading,
            "context": clause.context,
            "text": clause.text,
            "boxes": [list(box) for box in clause.boxes],
            "labels": [
                {
                    "practice": label.practice,
                    "probability": round(label.probability, 4),
                    "stance": label.stance,
                    "stance_probability": round(label.stance_probability, 4),
                }
                for label in labels
            ],
            "conditions": [{"type": c.type, "text": c.text} for c in (prediction.conditions if prediction else ())],
            "review": bool(prediction and prediction.review),
            "model": model_version,
        }


DOCUMENT_COLUMNS = (
    "document department department_from kind county state effective_date source status pages pages_read pages_ocr "
    "pages_skimmed clauses seconds reason ocr_confidence duplicate_of note"
).split()
FINDING_COLUMNS = "document department practice verdict probability conditions clauses quote page".split()


def document_row(result: Result) -> list[Any]:
    """The row of documents.csv: whose it is, how far it was read, and why not further."""
    d, who = result.summary, result.department
    return [
        d.name, who.name, who.named_by, who.kind, who.county, who.state, who.effective_date, who.source,
        d.status, d.pages, d.pages_read, d.pages_ocr, d.pages_skimmed, d.clauses, round(d.seconds, 2), d.reason,
        ", ".join(f"{page}: {sure:.2f}" for page, sure in d.ocr_confidence), result.duplicate_of, d.note,
    ]  # fmt: skip


def finding_rows(result: Result) -> Iterable[list[Any]]:
    """One row a practice: verdict, the strongest clauses, the first one's words and page."""
    for quote in result.summary.quotes:
        finding = quote.finding
        yield [
            result.summary.name,
            result.department.name,
            finding.practice,
            finding.verdict,
            round(finding.probability, 3) if finding.verdict != "unread" else "",
            " ".join(finding.conditions),
            " ".join(quote.clauses),
            quote.text,
            quote.page or "",
        ]


def make_folder(folder: Path) -> None:
    """Make the folder that the tables go to. Raises UsageError if they can't be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder}: can't be written ({error.strerror or error})", "choose another --out folder"
        ) from error


def write_results(
    entries: Sequence[Entry], missing: Sequence[tuple[Department, str]], folder: Path, model_version: str
) -> None:
    """Write all tables of documents in memory into a folder. Raises UsageError if it can't be written."""
    results = [entry.result for entry in entries]
    units = {id(result): entry.units for result, entry in zip(results, entries, strict=True)}
    write_tables(results, lambda r: units[id(r)], by_department(results, missing), folder, model_version)


def write_tables(
    results: Iterable[Result],
    units: Callable[[Result], Iterable[Unit]],
    departments: Sequence[DepartmentFindings],
    folder: Path,
    model_version: str,
) -> None:
    """Write all tables into a folder. Raises UsageError if it can't be written.

    results: gone through several times, so that not all have to be in memory at once. units: gives a result's clauses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Replacing(folder / "clauses.jsonl") as target:
            for result in results:
                for row in clause_rows(result, units(result), model_version):
                    target.write(json_text(row) + "\n")
        write_csv(folder / "documents.csv", DOCUMENT_COLUMNS, (document_row(r) for r in results))
        write_csv(folder / "findings.csv", FINDING_COLUMNS, (row for r in results for row in finding_rows(r)))
        write_workbook(folder / "findings.xlsx", results, departments)
    except OSError as error:
        raise UsageError(
            f"{folder}: can't be written ({error.strerror or error})", "choose another --out folder or free some space"
        ) from error


class Replacing:
    """A text file that takes its name only when it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> TextIO:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        self.temporary = Path(name)
        self.file = os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="")
        return self.file

    def __exit__(self, kind: object, *_: object) -> None:
        self.file.close()
        if kind is None:
            self.temporary.chmod(0o644)
            self.temporary.replace(self.path)
        else:
            self.temporary.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raises UsageError if it can't be written."""
    try:
        save_beside(path, lambda beside: beside.write_bytes(content))
    except OSError as error:
        raise UsageError(f"{path}: can't be written ({error.strerror or error})", "choose another file") from error


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table, whole or not at all; no cell is a formula."""
    with Replacing(path) as target:
        writer = csv.writer(target)
        writer.writerow(columns)
        writer.writerows([plain_cell(v) for v in row] for row in rows)


def write_workbook(path: Path, results: Iterable[Result], departments: Sequence[DepartmentFindings]) -> None:
    """findings.xlsx: the matrix, the evidence behind it, and what could be read. The same contents give the same bytes."""
    book = Workbook(write_only=True)
    try:
        fill_workbook(book, results, departments)
        save_beside(path, lambda beside: _save_without_clock(book, beside))
    except BaseException:
        for sheet in book:  # openpyxl streams into sheets left open, and complains when they are collected
            with suppress(Exception):
                sheet.close()
        raise


def _save_without_clock(book: Workbook, path: Path) -> None:
    """Save a workbook that doesn't say when it was written."""
    with tempfile.TemporaryFile(dir=path.parent) as dated:
        book.save(dated)
        with zipfile.ZipFile(dated) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                entry = zipfile.ZipInfo(name)  # of 1980
                entry.compress_type = zipfile.ZIP_DEFLATED
                with old.open(name) as source, new.open(entry, "w", force_zip64=True) as target:
                    if name == "docProps/core.xml":
                        target.write(_WRITTEN_ON.sub(b"", source.read()))
                    else:
                        shutil.copyfileobj(source, target)


def fill_workbook(book: Workbook, results: Iterable[Result], departments: Sequence[DepartmentFindings]) -> None:
    """The sheets Matrix, Evidence and Coverage."""
    practices = load_codebook().practices
    sheet = new_sheet(
        book,
        "Matrix",
        ["Department", "Kind", "County", "Lunn gap", *(p.name for p in practices)],
        [34, 16, 14, 9, *[15] * 17],
    )
    for row in departments:
        head = [row.department.name, row.department.kind, row.department.county, "gap" if row.lunn_gap else ""]
        cells = [text_cell(sheet, value) for value in head]
        cells += [verdict_cell(sheet, row.word(p.id), conditions_of(row, p.id)) for p in practices]
        add_row(sheet, cells)
    evidence = new_sheet(
        book,
        "Evidence",
        ["Department", "Document", "Practice", "Verdict", "Probability", "Conditions", "Quote", "Page", "Clause"],
        [28, 28, 26, 13, 11, 20, 90, 7, 15],
    )
    names = {p.id: p.name for p in practices}
    for result in results:
        for document, department, practice, verdict, probability, conditions, clauses, quote, page in finding_rows(
            result
        ):
            if quote:
                values = [
                    department,
                    document,
                    names[practice],
                    None,
                    probability,
                    conditions,
                    quote,
                    page,
                    clauses.split(" ")[0],
                ]
                cells = [text_cell(evidence, v) for v in values]
                cells[3] = verdict_cell(evidence, verdict)
                add_row(evidence, cells)
    coverage = new_sheet(
        book,
        "Coverage",
        [c.replace("_", " ").capitalize() for c in DOCUMENT_COLUMNS if c != "seconds"],
        [30, 28, 15, 14, 12, 8, 13, 30, 9, 7, 7, 7, 8, 8, 70, 30, 30, 40],
    )
    for result in results:  # how long it took is for documents.csv: the workbook is the same whenever it is made
        cells_of = zip(DOCUMENT_COLUMNS, document_row(result), strict=True)
        add_row(coverage, [text_cell(coverage, v) for c, v in cells_of if c != "seconds"])


def save_beside(path: Path, save: Callable[[Path], object]) -> None:
    """Save beside the path, then take its name: the old file stays if saving fails."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        save(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def conditions_of(row: DepartmentFindings, practice: str) -> str:
    """The condition types of a conditional verdict, for the matrix cell: the real policy is in the exemptions."""
    finding = next((f for f in row.findings if f.practice == practice), None)
    if finding is None or finding.verdict != "conditional":
        return ""
    return ", ".join(c.replace("_", " ") for c in finding.conditions)


def new_sheet(book: Workbook, title: str, columns: Sequence[str], widths: Sequence[int]) -> Sheet:
    """A sheet with a bold header; header and first column stay in view."""
    sheet: Sheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    sheet.wrapped = WriteOnlyCell(sheet)
    sheet.wrapped.alignment = Alignment(wrap_text=True, vertical="top")
    for i, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(i)].width = width
    head = [text_cell(sheet, c) for c in columns]
    for cell in head:
        cell.font = Font(bold=True)
    add_row(sheet, head)
    return sheet


def add_row(sheet: Sheet, cells: Sequence[Cell]) -> None:
    """Append a row as high as its longest wrapped text: not every program measures that when it opens the file."""
    lines = 1
    for i, cell in enumerate(cells, 1):
        width = sheet.column_dimensions[get_column_letter(i)].width
        lines = max(lines, ceil(1.1 * len(str(cell.value or "")) / width))
    number = max(sheet.row_dimensions, default=0) + 1
    sheet.row_dimensions[number].height = min(LINE_HEIGHT * lines + 3, 400)
    sheet.append(cells)
    sheet.row_dimensions.pop(number - 1, None)  # it is written: nothing is kept but the last row's number


def text_cell(sheet: Sheet, value: Any) -> Cell:
    """A wrapped cell; text stays text, whatever it begins with."""
    if isinstance(value, str):
        value = legible(value).encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
    cell: Cell = WriteOnlyCell(sheet, value=value)
    styled: Any = cell  # the stubs leave this out; to set the alignment anew takes openpyxl four times as long
    styled._style = copy(sheet.wrapped._style)
    if isinstance(value, str) and value:
        cell.data_type = "s"
        cell.quotePrefix = is_formula(value)
    return cell


def verdict_cell(sheet: Sheet, word: str, conditions: str = "") -> Cell:
    """A verdict as a word on its colour, with the conditions that it turns on."""
    cell = text_cell(sheet, f"{word}: {conditions}" if conditions else word)
    cell.fill = PatternFill("solid", start_color=VERDICT_COLOURS[word])
    return cell
