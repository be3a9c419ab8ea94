"""Where evidence comes from: `clauses score`'s tables or scored documents → [Source], documents with their labelled units."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.errors import ClassifierError
from classifier.exports import DOCUMENT_COLUMNS, FINDING_COLUMNS, Entry
from classifier.pipeline import highest_scores
from classifier.plain_text import as_written, legible, whole

State = Literal["machine", "reviewed", "adjudicated"]
STATES: tuple[State, ...] = ("machine", "reviewed", "adjudicated")  # the weakest first
_WHOSE = "document department kind county state effective_date source".split()


class EvidenceError(ClassifierError):
    """Results that are missing, damaged, or made with another codebook."""


@dataclass(slots=True)
class SourceUnit:
    """A clause with its labels: (practice, stance, probability) and (type, words) of conditions."""

    id: str
    place: int
    kind: str
    page: int
    heading: str
    context: str
    text: str
    boxes: tuple[tuple[int, float, float, float, float], ...]
    labels: tuple[tuple[str, str | None, float], ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    state: State = "machine"
    reviewer: str = ""

    def __post_init__(self) -> None:
        self.id = whole(self.id)  # tables join by it


@dataclass(slots=True)
class Source:
    """A document on its way into the tables. highest: practice → highest probability that any clause was given."""

    document: str
    name: str
    department: Department
    status: str
    reason: str
    pages: int
    pages_read: int
    pages_ocr: int | None
    model: str
    units: list[SourceUnit] = field(default_factory=list)
    highest: dict[str, float] = field(default_factory=dict)


def of_entry(entry: Entry, version: str) -> Source:
    """A scored document in memory. version: the model's."""
    d, name = entry.document, legible(entry.document.name)
    who = entry.department
    whose = Department(
        legible(who.name), legible(who.kind), legible(who.county), legible(who.state), legible(who.effective_date),
        legible(who.source),
    )  # fmt: skip
    source = Source(name, name, whose, d.status, legible(d.reason), d.pages, d.pages_read, d.pages_ocr, version)
    source.highest = highest_scores(d.predictions)
    for place, (c, prediction) in enumerate(zip(d.clauses, d.predictions, strict=True)):
        unit = SourceUnit(c.id, place, c.kind, c.page, c.heading, c.context, c.text, c.boxes)
        if prediction:
            unit.labels = tuple((p.practice, p.stance, p.probability * p.stance_probability) for p in prediction.labels)
            unit.conditions = tuple((x.type, x.text) for x in prediction.conditions)
        source.units.append(unit)
    return source


def read_results(folder: Path) -> list[Source]:
    """The documents of a folder that `clauses score` wrote. Raises EvidenceError."""
    sources: dict[str, Source] = {}
    expected: dict[str, int] = {}
    for where, row in _csv_rows(folder / "documents.csv", DOCUMENT_COLUMNS):
        with _Damage(where):
            name, department, kind, county, state, effective, origin = (row[key] for key in _WHOSE)
            counts = (int(row["pages"]), int(row["pages_read"]), int(row["pages_ocr"]))
            whose = Department(department, kind, county, state, effective, origin)
            sources[name] = Source(name, name, whose, row["status"], row["reason"], *counts, "")
            expected[name] = int(row["clauses"])
    versions = _read_clauses(folder / "clauses.jsonl", sources)
    for name, source in sources.items():
        source.model = versions.get(name) or next(iter(versions.values()), "")
        if (count := sum(u.kind == "clause" for u in source.units)) != expected[name]:
            raise EvidenceError(
                f"{folder / 'clauses.jsonl'}: {count} clauses of {name}, where documents.csv counts {expected[name]}",
                "score the files again",
            )
    for where, row in _csv_rows(folder / "findings.csv", FINDING_COLUMNS):
        with _Damage(where):
            if row["verdict"] == "silent":  # how sure that is, only this table says
                sources[row["document"]].highest[row["practice"]] = 1.0 - float(row["probability"])
    return list(sources.values())


def _read_clauses(path: Path, sources: Mapping[str, Source]) -> dict[str, str]:
    """Read clauses.jsonl into the documents; returns document → model version."""
    codebook = load_codebook()
    seen: set[str] = set()
    versions: dict[str, str] = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line:
            continue
        with _Damage(f"{path}, line {number}"):
            row = json.loads(line)
            source = sources[legible(row["document"])]
            boxes = tuple((int(page), x0, top, x1, bottom) for page, x0, top, x1, bottom in row["boxes"])
            unit = SourceUnit(
                str(row["clause"]), len(source.units), str(row["kind"]), int(row["page"]), str(row["heading"]),
                str(row["context"]), str(row["text"]), boxes,
            )  # fmt: skip
            for label in row["labels"]:
                practice, stance = codebook.practice(label["practice"]), label["stance"]
                if stance not in (*codebook.stances, None) or (stance is None) != practice.stanceless:
                    raise ValueError(f"{practice.id} with stance {stance}")
                probability = float(label["probability"]) * float(label["stance_probability"])
                unit.labels += ((practice.id, stance, probability),)
            unit.conditions = tuple((str(c["type"]), str(c["text"])) for c in row["conditions"])
            if unit.id in seen:
                raise ValueError(f"clause {unit.id} a second time")
            seen.add(unit.id)
            source.units.append(unit)
            versions[source.document] = str(row["model"])
    return versions


class _Damage:
    """Whatever a damaged row provokes is an EvidenceError that says where it stands."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, (ValueError, KeyError, TypeError, AttributeError)):
            raise EvidenceError(
                f"{self.where}: not as `clauses score` writes it ({type(error).__name__}: {error})",
                "score the files again",
            ) from error


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as source:
            return source.read()
    except FileNotFoundError as error:
        raise EvidenceError(
            f"{path}: no such file", "name a folder that `clauses score` wrote, or a review store"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: can't be read ({error})", "score the files again") from error


def _csv_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a table of ours as they were before `plain_cell`, each with where it stands."""
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    if (head := next(reader, [])) != list(columns):
        raise EvidenceError(f"{path}: columns {','.join(head)}", "score the files again: this is not its table")
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        with _Damage(where):
            yield where, dict(zip(columns, map(as_written, row), strict=True))
