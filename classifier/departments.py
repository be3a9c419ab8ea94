"""Whose policy is it? `departments.csv`, the folder, the first page or the file name → Department."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from classifier.errors import UsageError
from classifier.folders import real_path, walk
from classifier.plain_text import legible

REGISTRY = "departments.csv"
Source = Literal["departments.csv", "folder", "first page", "file name"]
NAME_LINE = 400  # characters of a line that can hold a name; a file without line breaks is one line
NO_DOCUMENT = ("no policy", "no reply")

_PLACE = r"(?:[A-Z][\w.'’&-]*\s+(?:(?:of|and|the|at|for)\s+)?){1,5}?"
_AGENCY = (
    r"(?:Police(?:\s+Department)?|Sheriff['’]?s?['’]?s?\s+(?:Office|Department)|Department\s+of\s+Corrections?|Probation\s+(?:Service|Department)|"
    r"District\s+Attorney(?:['’]s\s+Office)?|Highway\s+Patrol|Trial\s+Court|District\s+Court|Department\s+of\s+(?:Public\s+Safety|Police))"
)
_NAMES = re.compile(
    r"(Office\s+of\s+the\s+(?:Sheriff|District\s+Attorney)(?:,|\s+of|\s+for)\s+(?:the\s+)?[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*){0,2}"
    rf"|(?:{_PLACE})(?:(?:University|College|Transit|Campus|State|County|Metropolitan|Regional|Housing|School|Airport|Port)\s+)*{_AGENCY}"
    r"|Office\s+of\s+the\s+(?:[A-Z][\w'’-]*\s+){1,4}(?:Sheriff|District\s+Attorney|Attorney)"
    r"|(?:City|Town|County|Village|Borough)\s+of\s+[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*){0,2})",
)
# Words before a name that are no part of it, and names that say an office but not whose.
_BEFORE = re.compile(
    r"^(?:(?:The|Of|And|Policy|Manual|General|Special|Orders?|Directive|Members|Officers)\s+(?:of\s+)?(?:the\s+)?)+"
)
_NOBODY = re.compile(
    r"(?:.*\s)?(?:Chief|Commissioner|Superintendent|Director|Captain)s?\s+of\s+(?:the\s+)?Police.*"
    r"|(?:Board|Commission)\s+of\s+(?:Fire\s+and\s+)?Police.*"
    r"|(?:(?:State|Municipal|Campus|Local|Federal|County|City|Town|Transit|University)\s+)?Police(?:\s+Department)?"
    r"|Office\s+of\s+the\s+(?:Sheriff|District\s+Attorney)"
)
_CAPITALS = re.compile(r"[A-Z]+(?:['’]S\b)?")
_SMALL_WORDS = frozenset({"OF", "AND", "THE", "AT", "FOR", "TO"})


@dataclass(frozen=True, slots=True)
class Department:
    """A department and what is known of it. dates as written in the registry. named_by: where the name was found."""

    name: str
    kind: str = ""
    county: str = ""
    state: str = ""
    effective_date: str = ""
    source: str = ""
    note: str = ""
    named_by: Source = "file name"


@dataclass(frozen=True, slots=True)
class Registry:
    """What the departments.csv files say. by_file: resolved path → Department. without_document: (department, why)."""

    by_file: dict[Path, Department] = field(default_factory=dict)
    without_document: tuple[tuple[Department, str], ...] = ()


def read_registry(paths: Sequence[Path]) -> Registry:
    """Read each departments.csv of the folders given and those below them. Raises UsageError naming file and line."""
    by_file: dict[Path, Department] = {}
    without: list[tuple[Department, str]] = []
    for table in dict.fromkeys(_tables(paths)):
        for line, row in _rows(table):
            known = {key: row.get(key, "") for key in ("kind", "county", "state", "effective_date", "source", "note")}
            department = Department(row["department"], **known, named_by="departments.csv")
            if not department.name:
                raise UsageError(f"{table}, line {line}: no department", "fill the department column")
            if row.get("document"):
                by_file[real_path(table.parent / row["document"])] = department
                continue
            why = next((w for w in NO_DOCUMENT if w in department.note.lower()), "")
            if not why:
                raise UsageError(
                    f"{table}, line {line}: no document for {department.name}",
                    'write "no policy" or "no reply" in the note column',
                )
            without.append((department, why))
    return Registry(by_file, tuple(without))


def _tables(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(folder / REGISTRY for folder, names in walk(path) if REGISTRY in names)
        elif (beside := path.parent / REGISTRY).is_file():
            yield beside


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source)
            if not reader.fieldnames or "department" not in reader.fieldnames:
                raise UsageError(f"{table}: no column 'department'", "begin the file with document,department,kind,…")
            for row in reader:
                yield reader.line_num, {k: _cell(k, v) for k, v in row.items() if k and isinstance(v, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: can't be read ({error})", "save it as CSV in UTF-8") from error


def _cell(column: str, value: str) -> str:
    """A file may be named as it likes; every other cell is for people to read."""
    return value.strip().replace("\0", "") if column == "document" else legible(value).strip()


def department_of(path: Path, root: Path | None, registry: Registry, first_page: Sequence[str] = ()) -> Department:
    """The department of a file: registry, else the folder that it lies in below `root`, else first page, else file name."""
    if known := registry.by_file.get(real_path(path)):
        return known
    if root is not None and path.parent.resolve() != root.resolve():
        return Department(_words(path.parent.name), named_by="folder")
    if name := name_on_page(first_page):
        return Department(name, named_by="first page")
    return Department(_words(path.stem), named_by="file name")


def name_on_page(lines: Sequence[str]) -> str:
    """The name of a department on the first lines of a document, or empty. A letterhead may set it in two lines."""
    shown = [_as_title(line[:NAME_LINE]) for line in lines[:25]]
    for line, below in zip(shown, [*shown[1:], ""], strict=False):
        for text in (f"{line} {below}" if re.match(_AGENCY, below) else "", line):
            for match in _NAMES.finditer(text):
                name = _BEFORE.sub("", match[1]).strip()
                if len(name.split()) > 1 and not _NOBODY.fullmatch(name):
                    return name
    return ""


def _as_title(line: str) -> str:
    """A line in capitals as a title: "TOWN OF HARWICK" → "Town of Harwick"; others as they are, white space folded."""
    line = " ".join(line.split())
    if line.upper() != line:
        return line
    title = _CAPITALS.sub(lambda m: m[0].lower() if m[0] in _SMALL_WORDS else m[0].capitalize(), line)
    return title[:1].upper() + title[1:]


def _words(name: str) -> str:
    """A file or folder name as words: "merrow_county-so" → "merrow county so"."""
    shown = legible(os.fsencode(name).decode("utf-8", "replace"))
    return re.sub(r"[_\s]+", " ", shown).strip() or shown or "unnamed"
