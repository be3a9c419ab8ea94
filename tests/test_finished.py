"""Records of finished documents: what goes in comes out, under any name; and the messages that carry them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import messages
from classifier.finished import DamagedRecord, Finished, failed_document, read_record, record_of
from classifier.pipeline import score_file
from classifier.predictions import Model
from classifier.scored import Clause, clause_id, occurrences, summary_of

TEXT = """ORDER 7

I. RELEASE

Members shall not:
(a) hold any person on an ICE detainer;
(b) tell ICE when a person is released unless the Chief agrees.
Members shall not hold any person on an ICE detainer.
Members shall not hold any person on an ICE detainer.
See Lunn v. Commonwealth, 477 Mass. 517 (2017).
"""
NAMES = ("order.txt", "elm/another \u201corder\u201d.txt", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_record_gives_the_document_under_any_name(tmp_path: Path, model: Model, name: str) -> None:
    path = tmp_path / "order.txt"
    path.write_text(TEXT, encoding="utf-8")
    kept = score_file(path, "kept under this name", model)
    finished = Finished(tmp_path)
    finished.keep("key", record_of(kept))
    wanted = replace(score_file(path, name, model), seconds=kept.seconds)
    assert any(wanted.findings[0].clauses)
    assert finished.document("key", name) == wanted
    assert finished.summary("key", name) == summary_of(wanted)
    assert read_record(record_of(kept), name) == summary_of(wanted)
    assert list(finished.units("key", name)) == list(zip(wanted.clauses, wanted.predictions, strict=True))


def test_the_same_document_gives_the_same_bytes(tmp_path: Path, model: Model) -> None:
    (tmp_path / "order.txt").write_text(TEXT, encoding="utf-8")
    one, other = (score_file(tmp_path / "order.txt", name, model) for name in ("one", "other"))
    assert record_of(one) == record_of(replace(other, seconds=one.seconds))


def test_a_failed_document_is_all_unread(tmp_path: Path) -> None:
    finished = Finished(tmp_path)
    finished.keep("key", record_of(failed_document("it is locked; ask for another", 1.5)))
    document = finished.document("key", "locked.pdf")
    assert document == failed_document("it is locked; ask for another", 1.5, "locked.pdf")
    assert {f.verdict for f in document.findings} == {"unread"}


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    finished = Finished(tmp_path)
    assert not finished.holds("key")
    for read in (finished.summary, finished.document, lambda key, name: list(finished.units(key, name))):
        with pytest.raises(DamagedRecord):
            read("key", "order.txt")


def test_a_record_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        Finished(tmp_path).keep("key", b"record")
    assert list(tmp_path.iterdir()) == []


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["x", "y", "x\ny"])), max_size=12), st.text()
)
def test_an_id_says_the_how_manyth_its_words_are(words: list[tuple[str, str]], name: str) -> None:
    seen: dict[tuple[str, str], int] = {}
    clauses = []
    for context, text in words:
        n = seen[context, text] = seen.get((context, text), 0) + 1
        clauses.append(Clause(clause_id(name, context, text, n), "clause", 1, "", context, text, ()))
    clauses.reverse()  # whatever order they are numbered in
    again = [clause_id(name, c.context, c.text, n) for c, n in zip(clauses, occurrences(clauses, name), strict=True)]
    assert again == [c.id for c in clauses]


# --- messages ----------------------------------------------------------------------------------------------------

HEADS = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=4)


def through_a_pipe(data: bytes) -> Any:
    """What is received of these bytes, after which the other side ends."""
    near, far = os.pipe()

    def write() -> None:
        with os.fdopen(far, "wb") as target:
            target.write(data)

    writer = Thread(target=write)
    writer.start()
    try:
        return messages.receive(near)
    finally:
        writer.join()
        os.close(near)


def as_sent(head: dict[str, Any], body: bytes) -> bytes:
    near, far = os.pipe()
    messages.send(far, head, body)
    os.close(far)
    with os.fdopen(near, "rb") as source:
        return source.read()


@given(HEADS, st.binary(max_size=2000))
def test_a_message_arrives_as_it_was_sent(head: dict[str, Any], body: bytes) -> None:
    assert through_a_pipe(as_sent(head, body)) == (head, body)


@given(HEADS, st.binary(max_size=50), st.data())
def test_half_a_message_is_none(head: dict[str, Any], body: bytes, data: st.DataObject) -> None:
    whole = as_sent(head, body)
    assert through_a_pipe(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


def test_a_long_message_arrives(tmp_path: Path) -> None:
    """Longer than a pipe holds at once; a name of bytes that are no UTF-8 passes too."""
    head, body = {"path": os.fsdecode(bytes(tmp_path / "x") + b"\xe9")}, os.urandom(3_000_000)
    near, far = os.pipe()
    writer = Thread(target=messages.send, args=(far, head, body))
    writer.start()
    assert messages.receive(near) == (head, body)
    writer.join()
    os.close(far)
    assert messages.receive(near) is None
    os.close(near)
