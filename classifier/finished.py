"""Documents that are done, one file each, so that a run goes on where it was stopped: ScoredDocument ⇄ record.

A record is compressed JSON lines: a summary first, then a row for each clause. It knows the document by its content, not
by its name, and takes ids of clauses for whatever name it is asked for. What is read from disk is checked: a damaged
record counts as none.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.errors import ClassifierError
from classifier.findings import Finding, Rule, find
from classifier.scored import (
    Clause,
    Label,
    Prediction,
    Quote,
    ScoredDocument,
    Summary,
    clause_id,
    highest_scores,
    occurrences,
    rules,
    summary_of,
)

Unit = tuple[Clause, Prediction | None]
FOLDER = ".finished"  # beside the tables
FORMAT = 1
_SUFFIX = ".jsonl.gz"
BEING_WRITTEN = ".part"
_STATUSES = ("ok", "partial", "failed")
_VERDICTS = ("does", "conditional", "refuses", "mixed", "mentions", "silent", "unread")
_DAMAGE = (
    OSError, EOFError, zlib.error, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError,
)  # fmt: skip


class DamagedRecord(ClassifierError):
    """A record that is gone, or not as it was written. key: which."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the record {key} of a finished document is damaged", "run it again")
        self.key = key


# --- writing -----------------------------------------------------------------------------------------------------


def record_of(document: ScoredDocument) -> bytes:
    """A document as a record; the same document gives the same bytes."""
    counted = occurrences(document.clauses, document.name)
    lines: list[Any] = [_summary_line(document, counted)]
    lines += [
        _row(clause, n, prediction)
        for clause, n, prediction in zip(document.clauses, counted, document.predictions, strict=True)
    ]
    text = "\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
    return gzip.compress(text.encode("ascii"), 6, mtime=0)  # without the clock


def failed_document(reason: str, seconds: float, name: str = "") -> ScoredDocument:
    """A document of which nothing was read."""
    return ScoredDocument(name, "failed", reason, 0, 0, 0, (), (), tuple(find([], fully_read=False)), (), seconds)


def _summary_line(document: ScoredDocument, counted: Sequence[int]) -> dict[str, Any]:
    brief = summary_of(document)
    words = {c.id: (c.context, c.text, n) for c, n in zip(document.clauses, counted, strict=True)}
    return {
        "format": FORMAT,
        "status": brief.status,
        "reason": brief.reason,
        "note": brief.note,
        "pages": [brief.pages, brief.pages_read, brief.pages_ocr, brief.pages_skimmed],
        "ocr_confidence": brief.ocr_confidence,
        "clauses": brief.clauses,
        "seconds": brief.seconds,
        "first_lines": brief.first_lines,
        "findings": [
            [
                *(q.finding.practice, q.finding.verdict, q.finding.probability, q.finding.conditions, q.page),
                [words[c] for c in q.clauses],
            ]
            for q in brief.quotes
        ],
        "rules": [[r.practice, r.stance, sorted(r.conditions), r.probability] for r in brief.rules],
        "highest": brief.highest,
    }


def _row(clause: Clause, occurrence: int, prediction: Prediction | None) -> list[Any]:
    said = prediction and [
        [[x.practice, x.probability, x.stance, x.stance_probability] for x in prediction.labels],
        [[c.type, c.text] for c in prediction.conditions],
        prediction.scores,
        prediction.doubt,
        prediction.review,
    ]
    where = [clause.page, clause.heading, clause.context, clause.text, clause.depth, clause.boxes]
    return [clause.kind, occurrence, *where, said]


def read_record(record: bytes, name: str) -> Summary:
    """The summary of a record that has just been made."""
    with gzip.open(io.BytesIO(record)) as source:
        return _read_summary(json.loads(source.readline()), name)


# --- reading -----------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _one_of(value: Any, known: Collection[Any]) -> Any:
    if value not in known:
        raise ValueError
    return value


def _read_summary(line: Any, name: str) -> Summary:
    """The summary of a record, under a name. Whatever is wrong with it raises one of `_DAMAGE`."""
    book = load_codebook()
    _one_of(line["format"], (FORMAT,))
    quotes = []
    for practice, verdict, probability, conditions, page, clauses in line["findings"]:
        ids = tuple(clause_id(name, _text(context), _text(text), _count(n)) for context, text, n in clauses)
        kinds = tuple(_one_of(c, book.conditions) for c in conditions)
        finding = Finding(practice, _one_of(verdict, _VERDICTS), _number(probability), ids, kinds)
        words = f"{clauses[0][0]} {clauses[0][1]}".strip() if clauses else ""
        quotes.append(Quote(finding, ids, words, _count(page)))
    if tuple(q.finding.practice for q in quotes) != book.practice_ids:
        raise ValueError
    pages, read, ocr, skimmed = map(_count, line["pages"])
    return Summary(
        name, _one_of(line["status"], _STATUSES), _text(line["reason"]), pages, read, ocr, _count(line["clauses"]),
        tuple(quotes), tuple(_read_rule(rule) for rule in line["rules"]),
        {_one_of(p, book.practice_ids): _number(score) for p, score in line["highest"].items()},
        tuple(_text(words) for words in line["first_lines"]), _number(line["seconds"]), skimmed,
        tuple((_count(page), _number(sure)) for page, sure in line["ocr_confidence"]), _text(line["note"]),
    )  # fmt: skip


def _read_rule(rule: Any) -> Rule:
    book = load_codebook()
    practice, stance, kinds, sure = rule
    known = (_one_of(practice, book.practice_ids), _one_of(stance, (None, *book.stances)))
    return Rule(*known, frozenset(_one_of(kind, book.conditions) for kind in kinds), "", _number(sure))


def _read_row(row: Any, name: str) -> Unit:
    """A clause of a record with its prediction. Whatever is wrong with it raises one of `_DAMAGE`."""
    kind, occurrence, page, heading, context, text, depth, boxes, said = row
    clause = Clause(
        clause_id(name, _text(context), _text(text), _count(occurrence)),
        _one_of(kind, ("clause", "heading", "contents", "signature")), _count(page), _text(heading), context, text,
        tuple((_count(on), _number(x0), _number(top), _number(x1), _number(low)) for on, x0, top, x1, low in boxes),
        _count(depth),
    )  # fmt: skip
    if said is None:
        return clause, None
    book = load_codebook()
    labels, conditions, scores, doubt, review = said
    return clause, Prediction(
        tuple(
            Label(_one_of(p, book.practice_ids), _number(sure), _one_of(s, (None, *book.stances)), _number(of_stance))
            for p, sure, s, of_stance in labels
        ),
        tuple(Condition(_one_of(kind, book.conditions), _text(words)) for kind, words in conditions),
        {_one_of(p, book.practice_ids): _number(score) for p, score in scores.items()},
        _number(doubt),
        _one_of(review, (True, False)),
    )


class Finished:
    """A folder of records. key: names what was read and how; see `batch`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, key: str) -> bool:
        """Is there a record?"""
        return self._path(key).exists()

    def summary(self, key: str, name: str) -> Summary:
        """The summary of a record, for a document of this name. Raises DamagedRecord, also if there is none."""
        try:
            with gzip.open(self._path(key)) as source:
                return _read_summary(json.loads(source.readline()), name)
        except _DAMAGE as error:
            raise DamagedRecord(key) from error

    def units(self, key: str, name: str) -> Iterator[Unit]:
        """The clauses of a record with their predictions, in order, one at a time. Raises DamagedRecord."""
        try:
            with gzip.open(self._path(key)) as source:
                source.readline()
                for line in source:
                    yield _read_row(json.loads(line), name)
        except _DAMAGE as error:
            raise DamagedRecord(key) from error

    def document(self, key: str, name: str) -> ScoredDocument:
        """A record as the document that it was. Raises DamagedRecord."""
        brief = self.summary(key, name)
        units = list(self.units(key, name))
        clauses, predictions = tuple(c for c, _ in units), tuple(p for _, p in units)
        found = find(rules(clauses, predictions), brief.fully_read, highest_scores(predictions))
        return ScoredDocument(
            name, brief.status, brief.reason, brief.pages, brief.pages_read, brief.pages_ocr, clauses, predictions,
            tuple(found), brief.first_lines, brief.seconds, brief.pages_skimmed, brief.ocr_confidence, brief.note,
        )  # fmt: skip

    def keep(self, key: str, record: bytes) -> None:
        """Put a record into the folder, whole or not at all. Raises OSError."""
        handle, name = tempfile.mkstemp(BEING_WRITTEN, dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(record)
            Path(name).replace(self._path(key))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def discard(self, key: str) -> None:
        """Forget a record."""
        with suppress(OSError):
            self._path(key).unlink()

    def discard_others(self, keys: Collection[str]) -> None:
        """Forget all records but these."""
        for path in self.folder.glob(f"*{_SUFFIX}"):
            if path.name.removesuffix(_SUFFIX) not in keys:
                with suppress(OSError):
                    path.unlink()

    def clean(self) -> None:
        """Remove what a killed run left half-written. Nobody else may be writing here."""
        for path in self.folder.glob(f"*{BEING_WRITTEN}"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"
