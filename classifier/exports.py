"""Scored documents → clauses.jsonl, documents.csv, findings.csv, findings.xlsx; each file written whole or not at all."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from classifier.findings import Finding, find, has_lunn_gap
from classifier.pipeline import ScoredDocument, highest_scores, rules
from classifier.plain_text import is_formula, json_text, legible, plain_cell

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
TABLES = ("clauses.jsonl", "documents.csv", "findings.csv", "findings.xlsx")


@dataclass(frozen=True, slots=True)
class Entry:
    """A scored document with the department that it belongs to."""

    document: ScoredDocument
    department: Department


@dataclass(frozen=True, slots=True)
class DepartmentFindings:
    """What all documents of one department say together. missing: "no policy" or "no reply" where there is no document."""

    department: Department
    findings: tuple[Finding, ...]
    documents: tuple[ScoredDocument, ...]
    missing: str = ""

    @property
    def lunn_gap(self) -> bool:
        return has_lunn_gap(self.findings)

    def word(self, practice: str) -> str:
        """The verdict on a practice as a word, or why there is none."""
        return self.missing or next(f.verdict for f in self.findings if f.practice == practice)


def by_department(entries: Sequence[Entry], missing: Iterable[tuple[Department, str]] = ()) -> list[DepartmentFindings]:
    """One row a department, by name; its documents judged together, as one text."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.department.name, []).append(entry)
    rows = []
    for group in groups.values():
        documents = tuple(e.document for e in group)
        found = [r for d in documents for r in rules(d.clauses, d.predictions)]
        highest = highest_scores([p for d in documents for p in d.predictions])
        findings = find(found, all(d.fully_read for d in documents), highest)
        rows.append(DepartmentFindings(group[0].department, tuple(findings), documents))
    rows += [DepartmentFindings(d, (), (), why) for d, why in missing if d.name not in groups]
    return sorted(rows, key=lambda r: r.department.name.casefold())


def clause_rows(entry: Entry, model_version: str) -> Iterable[dict[str, Any]]:
    """The objects of clauses.jsonl: every unit read, in reading order. `kind` tells clauses from headings and the like."""
    document = entry.document
    for clause, prediction in zip(document.clauses, document.predictions, strict=True):
        labels = prediction.labels if prediction else ()
        yield {
            "document": document.name,
            "department": entry.department.name,
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


def document_row(entry: Entry) -> list[Any]:
    """The row of documents.csv: whose it is, how far it was read, and why not further."""
    d, who = entry.document, entry.department
    clauses = sum(c.kind == "clause" for c in d.clauses)
    return [
        d.name, who.name, who.named_by, who.kind, who.county, who.state, who.effective_date, who.source,
        d.status, d.pages, d.pages_read, d.pages_ocr, d.pages_skimmed, clauses, round(d.seconds, 2), d.reason,
        ", ".join(f"{page}: {sure:.2f}" for page, sure in d.ocr_confidence), "", d.note,
    ]  # fmt: skip


def finding_rows(entry: Entry) -> Iterable[list[Any]]:
    """One row a practice: verdict, the strongest clauses, the first one's words and page."""
    by_id = {c.id: c for c in entry.document.clauses}
    for finding in entry.document.findings:
        first = by_id.get(finding.clauses[0]) if finding.clauses else None
        quote = f"{first.context} {first.text}".strip() if first else ""
        yield [
            entry.document.name,
            entry.department.name,
            finding.practice,
            finding.verdict,
            round(finding.probability, 3) if finding.verdict != "unread" else "",
            " ".join(finding.conditions),
            " ".join(finding.clauses[:5]),
            quote,
            first.page if first else "",
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
    """Write all tables into a folder. Raises UsageError if it can't be written."""
    departments = by_department(entries, missing)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Replacing(folder / "clauses.jsonl") as target:
            for entry in entries:
                for row in clause_rows(entry, model_version):
                    target.write(json_text(row) + "\n")
        write_csv(folder / "documents.csv", DOCUMENT_COLUMNS, (document_row(e) for e in entries))
        write_csv(folder / "findings.csv", FINDING_COLUMNS, (r for e in entries for r in finding_rows(e)))
        write_workbook(folder / "findings.xlsx", entries, departments)
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


def write_workbook(path: Path, entries: Sequence[Entry], departments: Sequence[DepartmentFindings]) -> None:
    """findings.xlsx: the matrix, the evidence behind it, and what could be read."""
    book = Workbook(write_only=True)
    try:
        fill_workbook(book, entries, departments)
        save_beside(path, book.save)
    except BaseException:
        for sheet in book:  # openpyxl streams into sheets left open, and complains when they are collected
            with suppress(Exception):
                sheet.close()
        raise


def fill_workbook(book: Workbook, entries: Sequence[Entry], departments: Sequence[DepartmentFindings]) -> None:
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
    for entry in entries:
        for document, department, practice, verdict, probability, conditions, clauses, quote, page in finding_rows(
            entry
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
        [c.replace("_", " ").capitalize() for c in DOCUMENT_COLUMNS],
        [30, 28, 15, 14, 12, 8, 13, 30, 9, 7, 7, 7, 8, 8, 9, 70, 30, 30, 40],
    )
    for entry in entries:
        add_row(coverage, [text_cell(coverage, v) for v in document_row(entry)])


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
    sheet.row_dimensions[len(sheet.row_dimensions) + 1].height = min(LINE_HEIGHT * lines + 3, 400)
    sheet.append(cells)


def text_cell(sheet: Sheet, value: Any) -> Cell:
    """A wrapped cell; text stays text, whatever it begins with."""
    if isinstance(value, str):
        value = legible(value).encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
    cell: Cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str) and value:
        cell.data_type = "s"
        cell.quotePrefix = is_formula(value)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def verdict_cell(sheet: Sheet, word: str, conditions: str = "") -> Cell:
    """A verdict as a word on its colour, with the conditions that it turns on."""
    cell = text_cell(sheet, f"{word}: {conditions}" if conditions else word)
    cell.fill = PatternFill("solid", start_color=VERDICT_COLOURS[word])
    return cell
