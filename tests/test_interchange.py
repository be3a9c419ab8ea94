"""Annotation files of five kinds, there and back without loss; imports that refuse record by record; `.policy` files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_stores import HOLD, HOLD_LIMITED, Unit, add, policy_units

from classifier.annotation_formats import FORMATS, InterchangeError, Record, read_records, write_records
from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.corrections import decide, history
from classifier.double_annotation import adjudicate, final_labels
from classifier.interchange import export_records, import_records, reviewed_document, to_policy
from classifier.labelled import LabelledDocument, read_policies, read_policy
from classifier.labellings import Labelling
from classifier.queues import EVERYTHING, queue
from classifier.store import NotAllowed, Store, list_annotators, open_store, register
from classifier.store_tables import StoreError

BOOK = load_codebook()
DATA = Path(__file__).parent.parent / "training_data" / "documents"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
WORDS = TEXT.map(lambda text: text if text.strip() else f"{text}x")  # not blank
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORD = Record(
    "c1", "a.pdf", "III. CUSTODY", "Members shall not:", "(a) hold anyone.", "ann", HOLD, NOON, "clear", 2.5
)


@st.composite
def labellings(draw: st.DrawFn, text: str, context: str) -> Labelling:
    """Any labels of the codebook, with conditions in words of the clause or its lead-in."""
    labels = {
        practice: None if BOOK.practice(practice).stanceless else draw(st.sampled_from(sorted(BOOK.stances)))
        for practice in draw(st.lists(st.sampled_from(BOOK.practice_ids), unique=True, max_size=4))
    }
    sources = [source for source in (text, context) if source.strip()]
    conditions = []
    for kind in draw(st.lists(st.sampled_from(sorted(BOOK.conditions)), max_size=3)) if labels else ():
        source = draw(st.sampled_from(sources))
        start = draw(st.integers(0, len(source) - 1))
        words = source[start : start + draw(st.integers(1, 20))]
        if words.strip():
            conditions.append(Condition(kind, words))
    return Labelling(labels, tuple(conditions))


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record that a store could hold."""
    text = draw(WORDS)
    context = draw(TEXT)
    kind = draw(st.sampled_from(["decision", "adjudication"]))
    return Record(
        draw(st.text("0123456789abcdef", min_size=16, max_size=16)),
        draw(TEXT),
        draw(TEXT),
        context,
        text,
        draw(NAMES),
        draw(labellings(text, context)),
        draw(st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),
        draw(WORDS if kind == "adjudication" else TEXT),
        draw(st.none() | st.floats(0, 1e6)),
        kind,  # type: ignore[arg-type]
    )


def same(some: list[Record], others: list[Record]) -> bool:
    """The same records, in any order: Label Studio keeps the annotations of a clause together."""
    left = list(others)
    for record in some:
        if record not in left:
            return False
        left.remove(record)
    return not left


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.lists(records(), max_size=4))
def test_a_round_trip_loses_nothing(form: str, data: list[Record]) -> None:
    reading = read_records(write_records(data, form), form)
    assert reading.refused == ()
    assert same(data, [record for _, record in reading.records])


@pytest.mark.parametrize("form", FORMATS)
def test_disagreeing_labels_are_kept_as_data(form: str) -> None:
    both = [RECORD, replace(RECORD, annotator="bob", labelling=HOLD_LIMITED), replace(RECORD, annotator="cy")]
    reading = read_records(write_records(both, form), form)
    assert [record for _, record in reading.records] == both


def test_label_studio_has_one_task_a_clause() -> None:
    (task,) = json.loads(write_records([RECORD, replace(RECORD, annotator="bob")], "label-studio"))
    assert [a["completed_by"]["email"] for a in task["annotations"]] == ["ann", "bob"]
    assert task["data"]["text"] == "(a) hold anyone."
    assert task["annotations"][0]["lead_time"] == 2.5


def test_conditions_are_spans_where_their_words_stand() -> None:
    said = (Condition("approval", "hold anyone"), Condition("consent", "Members"), Condition("ice_request", "HOLD"))
    record = replace(RECORD, labelling=Labelling({"honors_detainers": "limits"}, said))
    row = json.loads(write_records([record], "doccano"))
    assert row["entities"] == [[4, 15, "approval"]]
    assert row["other_conditions"] == [{"type": "consent", "text": "Members"}, {"type": "ice_request", "text": "HOLD"}]


def test_a_span_marked_in_label_studio_has_its_words_from_the_text() -> None:
    (task,) = json.loads(write_records([RECORD], "label-studio"))
    task["annotations"][0]["completed_by"] = 7
    task["annotations"][0]["result"].append(
        {"from_name": "conditions", "to_name": "text", "value": {"start": 4, "end": 8, "labels": ["approval"]}}
    )
    ((_, record),) = read_records(json.dumps([task]), "label-studio").records
    assert (record.annotator, record.labelling.conditions) == ("7", (Condition("approval", "hold"),))


def test_what_was_decided_again_in_prodigy_has_prodigys_time() -> None:
    row = json.loads(write_records([RECORD], "prodigy")) | {"_timestamp": 1_800_000_000}
    ((_, record),) = read_records(json.dumps(row), "prodigy").records
    assert record.time == datetime.fromtimestamp(1_800_000_000, UTC)


def test_no_cell_is_a_formula() -> None:
    formula = replace(RECORD, text="=HYPERLINK(1)", note="'quoted", heading="-x")
    content = write_records([formula], "csv")
    assert not [
        cell for row in csv.reader(io.StringIO(content)) for cell in row if cell.startswith(("=", "-", "+", "@"))
    ]
    ((_, record),) = read_records(content, "csv").records
    assert record == formula


def test_a_time_with_another_zone_or_none_is_utc() -> None:
    east = replace(RECORD, time=NOON.astimezone(timezone(timedelta(hours=5))))
    row = json.loads(write_records([east], "doccano"))
    assert row["time"] == "2026-11-20T12:00:00+00:00"
    ((_, record),) = read_records(json.dumps(row | {"time": "2026-11-20T12:00:00"}), "doccano").records
    assert record.time == NOON


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cats": ["honours:limits"]}, "unknown practice"),
        ({"cats": ["honors_detainers:maybe"]}, "unknown stance"),
        ({"cats": ["honors_detainers:limits", "honors_detainers:permits"]}, "honors_detainers twice"),
        ({"cats": ["cites_lunn:states"]}, "carries no stance"),
        ({"cats": 7}, "not a record of this format"),
        ({"entities": [[0, 3, "mood"]]}, "unknown condition"),
        ({"other_conditions": [{"type": "approval", "text": "the Chief"}]}, "not in the clause"),
        ({"text": ""}, "no clause"),
        ({"text": 12}, "no text"),
        ({"clause": None}, "no text"),
        ({"annotator": " "}, "no annotator"),
        ({"time": "yesterday"}, "isoformat"),
        ({"seconds": -1}, "no time taken"),
        ({"seconds": float("nan")}, "no time taken"),
        ({"record": "guess"}, "unknown kind"),
        ({"record": "adjudication", "note": ""}, "without its reason"),
        ({"note": "a\x00b"}, "no database holds"),
    ],
)
def test_a_bad_record_is_refused_with_its_reason_and_the_others_are_kept(change: dict[str, Any], reason: str) -> None:
    good = write_records([RECORD], "doccano")
    reading = read_records(good + json.dumps(json.loads(good) | change) + "\n{]\n" + good, "doccano")
    assert [where for where, _ in reading.records] == ["line 1", "line 4"]
    assert [refusal.where for refusal in reading.refused] == ["line 2", "line 3"]
    assert reason in reading.refused[0].reason


@pytest.mark.parametrize(
    ("form", "content", "message"),
    [
        ("word", "", "unknown format"),
        ("label-studio", "{", "not JSON"),
        ("label-studio", "{}", "not a list"),
        ("label-studio", "[" * 100_000, "not JSON"),
        ("web-annotation", '"a"', "no annotations"),
        ("csv", "a,b\n1,2\n", "no column annotator, clause, labels, text"),
        ("csv", "clause,text,labels,annotator\n" + "x" * 200_000, "not CSV"),
    ],
)
def test_a_file_in_another_format_is_an_error(form: str, content: str, message: str) -> None:
    with pytest.raises(InterchangeError, match=message):
        read_records(content, form)


@pytest.mark.parametrize(
    ("form", "content", "reason"),
    [
        ("label-studio", '[3, {"data": {}}]', "not a record"),
        ("label-studio", '[{"data": {}, "annotations": [{"was_cancelled": true}]}]', "skipped"),
        ("prodigy", '{"answer": "ignore"}', "answered 'ignore'"),
        ("web-annotation", '{"type": "Collection"}', "no Annotation"),
        ("web-annotation", '[{"type": "Annotation", "body": [], "target": {"source": "http://x"}}]', "no clause"),
    ],
)
def test_what_holds_no_decision_is_refused(form: str, content: str, reason: str) -> None:
    reading = read_records(content, form)
    assert reading.records == ()
    assert reason in reading.refused[-1].reason


# ---- in and out of a store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with decisions of two annotators on a document, one of them adjudicated."""
    opened = open_store(tmp_path / "store.sqlite")
    for name in ("ann", "bob"):
        register(opened, name)
    register(opened, "judge", "adjudicator")
    register(opened, "vic", "viewer")
    add(opened, "a.txt", policy_units(6))
    one, two, *_ = queue(opened, "ann", "document")
    decide(opened, "ann", [one, two], HOLD, seconds=3.25, note="plain")
    decide(opened, "bob", [one], HOLD_LIMITED)
    adjudicate(opened, "judge", one, HOLD, "no exception")
    yield opened
    opened.close()


def second_store(folder: Path) -> Store:
    """Another store with the same document."""
    other = open_store(folder / "other.sqlite")
    register(other, "judge", "adjudicator")
    add(other, "a.txt", policy_units(6))
    return other


@pytest.mark.parametrize("form", FORMATS)
def test_decisions_move_to_another_store_and_back(store: Store, tmp_path: Path, form: str) -> None:
    before = export_records(store)
    other = second_store(tmp_path)
    came = import_records(other, "judge", write_records(before, form), form)
    assert (came.added, came.known, came.refused) == (4, 0, ())
    assert same(export_records(other), before)
    assert final_labels(other) == final_labels(store)
    assert {a.name: a.role for a in list_annotators(other)} == {
        "ann": "annotator",
        "bob": "annotator",
        "judge": "adjudicator",
    }
    for target in (store, other):  # again: nothing new
        assert import_records(target, "judge", write_records(before, form), form).known == 4
    kinds = {event.kind for event in history(other, "judge", before[0].clause)}
    assert kinds == {"import", "adjudicate"}
    other.close()


def test_an_import_takes_what_it_can(store: Store) -> None:
    records = export_records(store)
    good = records[0]
    bad = [
        replace(good, clause="gone"),
        replace(good, text="Other words."),
        replace(good, annotator="vic"),
        replace(good, annotator="ann", kind="adjudication"),
        replace(good, annotator="new", labelling=HOLD_LIMITED),
    ]
    came = import_records(store, "judge", write_records(bad, "prodigy"), "prodigy")
    assert (came.added, came.known) == (1, 0)
    assert [refusal.where for refusal in came.refused] == ["line 1", "line 2", "line 3", "line 4"]
    for refusal, reason in zip(
        came.refused, ["no clause", "reads otherwise", "vic is viewer", "ann is no adjudicator"], strict=True
    ):
        assert reason in refusal.reason
    with pytest.raises(NotAllowed):
        import_records(store, "ann", write_records(records, "csv"), "csv")


# ---- .policy files


def bare(document: LabelledDocument) -> LabelledDocument:
    """Without where it was read."""
    return replace(document, id="", path="", items=tuple(replace(item, line=0) for item in document.items))


def written_and_read(document: LabelledDocument, folder: Path) -> LabelledDocument:
    path = folder / "written.policy"
    path.write_text(to_policy(document), encoding="utf-8")
    return read_policy(path)


def test_every_training_document_is_written_as_it_was_read(tmp_path: Path) -> None:
    for document in read_policies(DATA):
        assert bare(written_and_read(document, tmp_path)) == bare(document), document.id


UNITS = [
    Unit("GENERAL ORDER 14", kind="heading"),
    Unit("# 1 rule {draft}: be kind.", heading="GENERAL ORDER 14"),
    Unit("1. Officers shall not:", heading="GENERAL ORDER 14 > Release"),
    Unit("(a) hold a person on a detainer.", context="Officers shall not:", heading="GENERAL ORDER 14 > Release"),
    Unit("That is firm.", heading="GENERAL ORDER 14 > Release"),
    Unit("(b) call ICE.", context="Officers shall not:", heading="GENERAL ORDER 14 > Release"),
    Unit('Hold only on a "judicial warrant" signed by a judge.', heading="GENERAL ORDER 14"),
    Unit("of the warrant.", context="A copy is kept by the holder", heading="GENERAL ORDER 14"),
    Unit("Chief of Police", kind="signature", heading="GENERAL ORDER 14"),
]


def test_a_reviewed_document_becomes_training_data(store: Store, tmp_path: Path) -> None:
    document = add(store, "General Order 14.pdf", UNITS, "Oxbow Falls PD")
    labels = Labelling({"honors_detainers": "prohibits"})
    words = Condition("judicial_warrant", 'only on a "judicial warrant" signed')
    clauses = queue(store, "ann", "document", EVERYTHING)
    ids = [c for c in clauses if any(f.clause == c for f in final_labels(store, document))]
    with pytest.raises(InterchangeError, match="no reviewed clause"):
        reviewed_document(store, document)
    for id_ in ids:
        decide(store, "ann", [id_], labels)
    decide(store, "ann", [ids[5]], Labelling({"honors_detainers": "limits"}, (words,)))
    made = reviewed_document(store, document)
    read = written_and_read(made, tmp_path)
    assert bare(read) == bare(made)
    assert (read.title, read.agency, read.kind, read.family) == (
        "General Order 14.pdf", "Oxbow Falls PD", "municipal police", "Oxbow Falls PD",
    )  # fmt: skip
    assert [(c.text, c.context, c.heading) for c in read.clauses] == [
        ("1 rule (draft): be kind.", "", "GENERAL ORDER 14"),
        ("1. Officers shall not:", "", "GENERAL ORDER 14 > Release"),
        ("(a) hold a person on a detainer.", "1. Officers shall not:", "GENERAL ORDER 14 > Release"),
        ("That is firm.", "", "GENERAL ORDER 14 > Release"),
        ("(b) call ICE.", "1. Officers shall not:", "GENERAL ORDER 14 > Release"),
        ('Hold only on a "judicial warrant" signed by a judge.', "", "GENERAL ORDER 14"),
        ("A copy is kept by the holder of the warrant.", "", "GENERAL ORDER 14"),
    ]
    assert read.clauses[5].conditions == (Condition("judicial_warrant", "judicial warrant"),)
    assert [item.text for item in read.items if item.kind == "furniture"] == ["Chief of Police"]


def test_nobody_learns_from_what_nobody_reviewed(store: Store, tmp_path: Path) -> None:
    document = add(store, "order.pdf", UNITS)
    items = [
        c for c in queue(store, "ann", "document", EVERYTHING) if c in {f.clause for f in final_labels(store, document)}
    ]
    decide(store, "ann", [items[2], items[3]], HOLD)
    decide(store, "bob", [items[3]], HOLD_LIMITED)  # disputed: not reviewed either
    read = written_and_read(reviewed_document(store, document, family="orders", hand="team"), tmp_path)
    assert [c.text for c in read.clauses] == ["Officers shall not: (a) hold a person on a detainer."]
    assert (read.family, read.hand) == ("orders", "team")
    with pytest.raises(StoreError, match="no document"):
        reviewed_document(store, "gone")


def test_a_clause_without_a_heading_stays_below_the_last_one(store: Store) -> None:
    units = [Unit("One is logged.", heading="H"), Unit("Two is logged.")]
    document = add(store, "loose.txt", units)
    for clause in queue(store, "ann", "document", EVERYTHING):
        decide(store, "ann", [clause], HOLD)
    assert [i.heading for i in reviewed_document(store, document).clauses] == ["H", "H"]
