"""Records of decisions ↔ Label Studio JSON, Prodigy JSONL, doccano JSONL, W3C Web Annotation JSON-LD, CSV.

Every format holds the same Records and loses nothing: what a tool has no field for stands in fields that it passes
through. Several annotators' labels of one clause are several records; that they differ is data. What another program wrote
is checked against the codebook; a record that breaks it is refused with its reason, the others are kept.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from classifier.conditions import Condition
from classifier.errors import ClassifierError
from classifier.labellings import Labelling, check_labelling
from classifier.plain_text import as_text, as_written, json_text

Json = dict[str, Any]
Entries = Iterator[tuple[str, Callable[[], "Record"]]]  # (place in the file, how to read the record there)
CLAUSE_FIELDS = ("clause", "document", "heading", "context", "text")


class InterchangeError(ClassifierError):
    """A file of annotations, or one record of it, that is not in the format it was said to be."""


@dataclass(frozen=True, slots=True)
class Record:
    """One person's labels of one clause, complete in itself.

    clause: its id in the store. document: name of the document. annotator: who decided. time: when (UTC), None if unknown.
    seconds: taken, None if not measured. kind: `adjudication` settles what decisions differ on; its note says why.
    """

    clause: str
    document: str
    heading: str
    context: str
    text: str
    annotator: str
    labelling: Labelling
    time: datetime | None = None
    note: str = ""
    seconds: float | None = None
    kind: Literal["decision", "adjudication"] = "decision"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not taken. where: its place in the file ("line 7", "task 3, annotation 2")."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held. records: (place in the file, record)."""

    records: tuple[tuple[str, Record], ...]
    refused: tuple[Refusal, ...]


def write_records(records: Iterable[Record], form: str) -> str:
    """The content of a file in one of FORMATS. Raises InterchangeError for another name."""
    return _format(form)[0](list(records))


def read_records(content: str, form: str) -> Reading:
    """The records of such a file. Raises InterchangeError where the file as a whole is in another format."""
    taken: list[tuple[str, Record]] = []
    refused: list[Refusal] = []
    for where, read in _format(form)[1](content):
        try:
            record = read()
            _check(record)
            taken.append((where, record))
        except ClassifierError as error:
            refused.append(Refusal(where, str(error)))
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            refused.append(Refusal(where, f"not a record of this format ({type(error).__name__}: {error})"))
    return Reading(tuple(taken), tuple(refused))


def _format(name: str) -> tuple[Callable[[Sequence[Record]], str], Callable[[str], Entries]]:
    if name not in FORMATS:
        raise InterchangeError(f"unknown format {name!r}", f"use {', '.join(FORMATS)}")
    return FORMATS[name]


def _check(record: Record) -> None:
    """Raises ClassifierError for a record that breaks the codebook or that no store can hold."""
    texts = [getattr(record, field) for field in CLAUSE_FIELDS] + [record.annotator, record.note]
    texts += [c.text for c in record.labelling.conditions]
    if not all(isinstance(text, str) for text in texts):
        raise InterchangeError("a text is missing or no text", "each record needs the fields of the clause")
    if any(re.search("[\x00\ud800-\udfff]", text) for text in texts):
        raise InterchangeError("characters that no database holds", "remove null characters and lone surrogates")
    if not record.clause or not record.text:
        raise InterchangeError("no clause", "each record needs the clause's id and text")
    if not record.annotator.strip() or not record.annotator.isprintable():
        raise InterchangeError("no annotator", "say who decided")
    if record.seconds is not None and not 0 <= record.seconds < float("inf"):
        raise InterchangeError(f"{record.seconds} is no time taken", "give seconds from 0")
    if record.kind not in ("decision", "adjudication"):
        raise InterchangeError(f"unknown kind {record.kind!r}", "use decision or adjudication")
    if record.kind == "adjudication" and not record.note.strip():
        raise InterchangeError("an adjudication without its reason", "give it as the note")
    check_labelling(record.labelling, record.text, record.context)


# What the formats share: labels as tags, conditions as spans of the text, times as ISO 8601.


def _tags(labelling: Labelling) -> list[str]:
    """["cites_lunn", "honors_detainers:limits"]."""
    return sorted(f"{practice}:{stance}" if stance else practice for practice, stance in labelling.labels.items())


def _labelling(tags: Iterable[str], conditions: Iterable[Condition]) -> Labelling:
    """The inverse of _tags, with conditions. Raises InterchangeError for a practice given twice."""
    labels: dict[str, str | None] = {}
    for tag in tags:
        practice, _, stance = tag.partition(":")
        if practice in labels:
            raise InterchangeError(f"{practice} twice", "give each practice one stance")
        labels[practice] = stance or None
    return Labelling(labels, tuple(conditions))


def _spans(record: Record) -> tuple[list[tuple[int, int, str]], list[Json]]:
    """Conditions as (start, end, type) in the clause's text, and those whose words don't stand there letter by letter."""
    spans, others = [], []
    for condition in record.labelling.conditions:
        start = record.text.find(condition.text)
        if start < 0:
            others.append({"type": condition.type, "text": condition.text})
        else:
            spans.append((start, start + len(condition.text), condition.type))
    return spans, others


def _conditions(pairs: Iterable[Json] | None) -> list[Condition]:
    return [Condition(pair["type"], pair["text"]) for pair in pairs or ()]


def _written(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def _time(written: str | None) -> datetime | None:
    """ISO 8601 → UTC; a time without a zone is taken for UTC, as these programs mean it."""
    if not written:
        return None
    time = datetime.fromisoformat(written)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _seconds(value: Any) -> float | None:
    return None if value is None or value == "" else float(value)


def _clause(record: Record) -> Json:
    return {field: getattr(record, field) for field in CLAUSE_FIELDS}


def _clause_fields(stored: Json) -> tuple[str, str, str, str, str]:
    """The fields of the clause in the order of CLAUSE_FIELDS; a missing heading, lead-in or document is empty."""
    return (
        stored["clause"],
        stored.get("document") or "",
        stored.get("heading") or "",
        stored.get("context") or "",
        stored["text"],
    )


def _write_lines(rows: Iterable[Json]) -> str:
    return "".join(json_text(row) + "\n" for row in rows)


def _read_lines(content: str, read: Callable[[Json], Record]) -> Entries:
    for number, line in enumerate(content.split("\n"), 1):  # not splitlines: texts hold other line separators
        if line.strip():
            yield f"line {number}", partial(_read_line, line, read)


def _read_line(line: str, read: Callable[[Json], Record]) -> Record:
    return read(json.loads(line))


def _read_json(content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InterchangeError(f"not JSON ({error})", "export the file again") from error


# Label Studio: one task a clause, one annotation a person.


def _write_label_studio(records: Sequence[Record]) -> str:
    tasks: dict[tuple[str, ...], Json] = {}
    for record in records:
        key = tuple(_clause(record).values())
        task = tasks.setdefault(key, {"data": _clause(record), "annotations": []})
        task["annotations"].append(_annotation(record))
    return json_text(list(tasks.values()), indent=1) + "\n"


def _annotation(record: Record) -> Json:
    spans, others = _spans(record)
    results: list[Json] = [_result("labels", "choices", {"choices": _tags(record.labelling)})]
    for start, end, kind in spans:
        place = {"start": start, "end": end, "text": record.text[start:end], "labels": [kind]}
        results.append(_result("conditions", "labels", place))
    if others:
        results.append(_result("other_conditions", "textarea", {"text": [json_text(o) for o in others]}))
    if record.note:
        results.append(_result("note", "textarea", {"text": [record.note]}))
    annotation: Json = {"completed_by": {"email": record.annotator}, "result": results}
    if record.time:
        annotation["created_at"] = _written(record.time)
    if record.seconds is not None:
        annotation["lead_time"] = record.seconds
    if record.kind == "adjudication":
        annotation["ground_truth"] = True
    return annotation


def _result(name: str, kind: str, value: Json) -> Json:
    return {"from_name": name, "to_name": "text", "type": kind, "value": value}


def _read_label_studio(content: str) -> Entries:
    tasks = _read_json(content)
    if not isinstance(tasks, list):
        raise InterchangeError("not a list of tasks", "export from Label Studio as JSON")
    for number, task in enumerate(tasks, 1):
        annotations = task.get("annotations") if isinstance(task, dict) else None
        if not isinstance(annotations, list):
            yield f"task {number}", partial(_label_studio_record, task, {})
            continue
        for place, annotation in enumerate(annotations, 1):
            yield f"task {number}, annotation {place}", partial(_label_studio_record, task, annotation)


def _label_studio_record(task: Json, annotation: Json) -> Record:
    if annotation.get("was_cancelled"):
        raise InterchangeError("skipped in Label Studio", "decide it there, or here")
    tags: list[str] = []
    conditions: list[Condition] = []
    note = ""
    for result in annotation["result"]:
        name, value = result["from_name"], result["value"]
        if name == "labels":
            tags += value["choices"]
        elif name == "conditions":
            words = value.get("text") or task["data"]["text"][value["start"] : value["end"]]
            conditions += [Condition(kind, words) for kind in value["labels"]]
        elif name == "other_conditions":
            conditions += _conditions(json.loads(text) for text in value["text"])
        elif name == "note":
            note = "\n".join(value["text"])
    by = annotation["completed_by"]
    return Record(
        *_clause_fields(task["data"]),
        annotator=by["email"] if isinstance(by, dict) else str(by),
        labelling=_labelling(tags, conditions),
        time=_time(annotation.get("created_at")),
        note=note,
        seconds=_seconds(annotation.get("lead_time")),
        kind="adjudication" if annotation.get("ground_truth") else "decision",
    )


# Prodigy: one line a decision, labels accepted from options.


def _write_prodigy(records: Sequence[Record]) -> str:
    options = [{"id": tag, "text": tag} for tag in sorted({tag for r in records for tag in _tags(r.labelling)})]
    return _write_lines(_prodigy_row(record, options) for record in records)


def _prodigy_row(record: Record, options: list[Json]) -> Json:
    spans, others = _spans(record)
    clause = _clause(record)
    row = {
        "text": clause.pop("text"),
        "meta": clause
        | {"note": record.note, "seconds": record.seconds, "time": _written(record.time), "kind": record.kind}
        | {"other_conditions": others},
        "spans": [{"start": start, "end": end, "label": kind} for start, end, kind in spans],
        "options": options,
        "accept": _tags(record.labelling),
        "answer": "accept",
        "_annotator_id": record.annotator,
    }
    if record.time:
        row["_timestamp"] = int(record.time.timestamp())
    return row


def _prodigy_record(row: Json) -> Record:
    if row["answer"] != "accept":
        raise InterchangeError(f"answered {row['answer']!r} in Prodigy", "accept it there, or decide it here")
    meta, text = row["meta"], row["text"]
    spans = [Condition(span["label"], text[span["start"] : span["end"]]) for span in row.get("spans") or ()]
    time = _time(meta.get("time"))
    stamp = row.get("_timestamp")
    if stamp is not None and (time is None or int(time.timestamp()) != stamp):  # decided again, in Prodigy
        time = datetime.fromtimestamp(stamp, UTC)
    return Record(
        *_clause_fields({**meta, "text": text}),
        annotator=row["_annotator_id"],
        labelling=_labelling(row["accept"], [*spans, *_conditions(meta.get("other_conditions"))]),
        time=time,
        note=meta.get("note") or "",
        seconds=_seconds(meta.get("seconds")),
        kind=meta.get("kind") or "decision",
    )


# doccano: one line a decision, in the format of its "intent detection and slot filling" projects.


def _doccano_row(record: Record) -> Json:
    spans, others = _spans(record)
    return _clause(record) | {
        "cats": _tags(record.labelling),
        "entities": [list(span) for span in spans],
        "other_conditions": others,
        "annotator": record.annotator,
        "time": _written(record.time),
        "note": record.note,
        "seconds": record.seconds,
        "record": record.kind,
    }


def _doccano_record(row: Json) -> Record:
    spans = [Condition(kind, row["text"][start:end]) for start, end, kind in row.get("entities") or ()]
    return Record(
        *_clause_fields(row),
        annotator=row["annotator"],
        labelling=_labelling(row["cats"], [*spans, *_conditions(row.get("other_conditions"))]),
        time=_time(row.get("time")),
        note=row.get("note") or "",
        seconds=_seconds(row.get("seconds")),
        kind=row.get("record") or "decision",
    )


# W3C Web Annotation: an AnnotationPage, one Annotation a decision; what the model has no word for is in our own namespace.

_OWN = "urn:collaboration-clauses:"
_CONTEXT = ["http://www.w3.org/ns/anno.jsonld", {"clauses": _OWN}]


def _write_web_annotation(records: Sequence[Record]) -> str:
    page = {
        "@context": _CONTEXT,
        "type": "AnnotationPage",
        "items": [_web_annotation(record) for record in records],
    }
    return json_text(page, indent=1) + "\n"


def _web_annotation(record: Record) -> Json:
    bodies: list[Json] = [
        {"type": "TextualBody", "purpose": "tagging", "value": tag} for tag in _tags(record.labelling)
    ]
    bodies += [
        {"type": "TextualBody", "purpose": "identifying", "value": c.text, "clauses:condition": c.type}
        for c in record.labelling.conditions
    ]
    if record.note:
        bodies.append({"type": "TextualBody", "purpose": "commenting", "value": record.note, "format": "text/plain"})
    annotation: Json = {
        "type": "Annotation",
        "motivation": "classifying",
        "creator": {"type": "Person", "name": record.annotator},
        "body": bodies,
        "target": {
            "source": f"{_OWN}{record.clause}",
            "selector": {"type": "TextQuoteSelector", "exact": record.text},
            "clauses:document": record.document,
            "clauses:heading": record.heading,
            "clauses:context": record.context,
        },
        "clauses:kind": record.kind,
    }
    if record.time:
        annotation["created"] = _written(record.time)
    if record.seconds is not None:
        annotation["clauses:seconds"] = record.seconds
    return annotation


def _read_web_annotation(content: str) -> Entries:
    page = _read_json(content)
    items = page.get("items", [page]) if isinstance(page, dict) else page
    if not isinstance(items, list):
        raise InterchangeError("no annotations", "give an AnnotationPage, an Annotation or a list of them")
    for number, item in enumerate(items, 1):
        yield f"annotation {number}", partial(_web_annotation_record, item)


def _web_annotation_record(item: Json) -> Record:
    if item["type"] != "Annotation":
        raise InterchangeError(f"a {item['type']}, no Annotation", "export annotations")
    bodies = item["body"] if isinstance(item["body"], list) else [item["body"]]
    target = item["target"]
    if not target["source"].startswith(_OWN):
        raise InterchangeError(f"{target['source']!r} is no clause", f"a target's source begins with {_OWN}")
    return Record(
        clause=target["source"].removeprefix(_OWN),
        document=target.get("clauses:document") or "",
        heading=target.get("clauses:heading") or "",
        context=target.get("clauses:context") or "",
        text=target["selector"]["exact"],
        annotator=item["creator"]["name"],
        labelling=_labelling(
            [body["value"] for body in bodies if body["purpose"] == "tagging"],
            [Condition(b["clauses:condition"], b["value"]) for b in bodies if b["purpose"] == "identifying"],
        ),
        time=_time(item.get("created")),
        note="\n".join(body["value"] for body in bodies if body["purpose"] == "commenting"),
        seconds=_seconds(item.get("clauses:seconds")),
        kind=item.get("clauses:kind") or "decision",
    )


# CSV: one row a decision. An apostrophe keeps a spreadsheet from taking a text for a formula, and is taken off again.

COLUMNS = (*CLAUSE_FIELDS, "labels", "conditions", "annotator", "time", "note", "seconds", "kind")


def _write_csv(records: Sequence[Record]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for record in records:
        conditions = [{"type": c.type, "text": c.text} for c in record.labelling.conditions]
        cells = [
            *_clause(record).values(),
            "|".join(_tags(record.labelling)),
            json_text(conditions) if conditions else "",
            record.annotator,
            _written(record.time) or "",
            record.note,
            "" if record.seconds is None else repr(record.seconds),
            record.kind,
        ]
        writer.writerow([as_text(cell) for cell in cells])
    return out.getvalue()


def _read_csv(content: str) -> Entries:
    reader = csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline=""))
    try:
        if missing := {"clause", "text", "labels", "annotator"} - set(reader.fieldnames or ()):
            raise InterchangeError(f"no column {', '.join(sorted(missing))}", f"use {', '.join(COLUMNS)}")
        for row in reader:
            yield f"line {reader.line_num}", partial(_csv_record, row)
    except csv.Error as error:
        raise InterchangeError(f"not CSV ({error})", "save it as CSV in UTF-8") from error


def _csv_record(row: Json) -> Record:
    cells = {name: as_written(row.get(name) or "") for name in COLUMNS}
    return Record(
        *_clause_fields(cells),
        annotator=cells["annotator"],
        labelling=_labelling(
            filter(None, cells["labels"].split("|")),
            _conditions(json.loads(cells["conditions"]) if cells["conditions"] else ()),
        ),
        time=_time(cells["time"]),
        note=cells["note"],
        seconds=_seconds(cells["seconds"]),
        kind=row.get("kind") or "decision",
    )


FORMATS: dict[str, tuple[Callable[[Sequence[Record]], str], Callable[[str], Entries]]] = {
    "label-studio": (_write_label_studio, _read_label_studio),
    "prodigy": (_write_prodigy, partial(_read_lines, read=_prodigy_record)),
    "doccano": (
        lambda records: _write_lines(_doccano_row(record) for record in records),
        partial(_read_lines, read=_doccano_record),
    ),
    "web-annotation": (_write_web_annotation, _read_web_annotation),
    "csv": (_write_csv, _read_csv),
}
