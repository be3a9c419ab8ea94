"""Two versions: changed answers first, changed words second, and nothing unread is ever said to be removed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from comparison_cases import CALL, CALL_IF, CITES, HOLD, KEYS, LUNN, NO_HOLD, NOTIFY, SHARE, entry
from hypothesis import given
from hypothesis import strategies as st
from review_stores import Unit

from classifier.errors import UsageError
from classifier.evidence import Evidence
from classifier.versions_compared import AnswerChange, VersionsCompared, as_text, compare_versions, table, timeline
from classifier.wording import marked

DEPARTMENT = "Oxbow Falls PD"
POOL = [
    NO_HOLD,
    CALL,
    CALL_IF,
    CITES,
    KEYS,
    Unit("Records sends ICE the booking log each day.", ((SHARE, "requires"),)),
]
UNITS = st.lists(st.sampled_from(POOL), max_size=6)
STATUS = st.sampled_from(["ok", "partial", "failed"])


def versions(old: Sequence[Unit], new: Sequence[Unit], before: str = "ok", after: str = "ok") -> VersionsCompared:
    return compare_versions(both(old, new, before, after), "2017.pdf", "2020.pdf")


def both(old: Sequence[Unit], new: Sequence[Unit], before: str = "ok", after: str = "ok") -> Evidence:
    return Evidence.of_entries(
        [
            entry(DEPARTMENT, new, "2020.pdf", after, effective_date="2020-03"),
            entry(DEPARTMENT, old, "2017.pdf", before, effective_date="2017-10-30"),
        ]
    )


def answer(compared: VersionsCompared, practice: str) -> AnswerChange:
    return next(a for a in compared.answers if a.practice == practice)


def test_changed_answers_come_first() -> None:
    compared = versions([NO_HOLD, CALL, CITES], [NO_HOLD, CALL_IF, CITES])
    changed = compared.answers[0]
    assert (changed.practice, changed.change) == (NOTIFY, "changed")
    assert changed.old.words == "does [requires]"
    assert changed.new.words == "conditional [limits; approval]"
    assert [a.change for a in compared.answers[1:]] == ["same"] * 16


def test_conditions_alone_are_a_change() -> None:
    bare = Unit(CALL_IF.text, CALL_IF.labels)
    assert answer(versions([CALL_IF], [bare]), NOTIFY).change == "changed"


def test_texts_are_the_same_reworded_added_or_removed() -> None:
    reworded = Unit("Members shall keep no person on a detainer past release.", NO_HOLD.labels)
    compared = versions([KEYS, NO_HOLD, CITES], [reworded, KEYS, CALL])
    assert [(t.kind, t.old, t.new) for t in compared.texts] == [
        ("reworded", "2017.pdf/1", "2020.pdf/0"),
        ("removed", "2017.pdf/2", ""),
        ("added", "", "2020.pdf/2"),
    ]
    assert marked(compared.texts[0].pieces) == "Members shall [-hold-] {+keep+} no person on a detainer past release."
    assert compared.same == 1


def test_a_clause_that_stands_twice_and_then_once_was_removed_once() -> None:
    compared = versions([KEYS, KEYS], [KEYS])
    assert [t.kind for t in compared.texts] == ["removed"]


def test_what_is_missing_from_an_unread_page_is_not_compared() -> None:
    compared = versions([NO_HOLD, CALL, CITES], [CITES], after="partial")
    assert [t.kind for t in compared.texts] == ["not compared", "not compared"]
    assert answer(compared, NOTIFY).change == "not compared"
    assert answer(compared, LUNN).change == "same"
    assert not compared.new.fully_read


def test_what_is_new_on_a_page_that_was_read_is_a_change_all_the_same() -> None:
    compared = versions([NO_HOLD], [CALL], after="partial")
    assert answer(compared, NOTIFY).change == "changed"
    assert answer(compared, HOLD).change == "not compared"


def test_an_old_version_that_was_not_read_shows_nothing_as_added() -> None:
    compared = versions([], [CALL], before="failed")
    assert [t.kind for t in compared.texts] == ["not compared"]
    assert {a.change for a in compared.answers} == {"not compared"}


@given(UNITS, UNITS, STATUS, STATUS)
def test_unread_is_never_removed_or_added(old: list[Unit], new: list[Unit], before: str, after: str) -> None:
    compared = versions([] if before == "failed" else old, [] if after == "failed" else new, before, after)
    kinds = {t.kind for t in compared.texts}
    assert after == "ok" or "removed" not in kinds
    assert before == "ok" or "added" not in kinds
    for a in compared.answers:
        assert "unread" not in (a.old.verdict, a.new.verdict) or a.change != "same"
        if after != "ok" and not set(a.new.stances) - set(a.old.stances) and not a.new.clauses:
            assert a.change != "changed"


@given(UNITS)
def test_a_version_is_the_same_as_itself(units: list[Unit]) -> None:
    compared = versions(units, units)
    assert {a.change for a in compared.answers} == {"same"}
    assert compared.texts == ()
    assert compared.same == len(units)


@given(UNITS, UNITS)
def test_every_clause_is_accounted_for_once(old: list[Unit], new: list[Unit]) -> None:
    compared = versions(old, new)
    assert compared.same + sum(bool(t.old) for t in compared.texts) == len(old)
    assert compared.same + sum(bool(t.new) for t in compared.texts) == len(new)


def test_the_timeline_goes_by_effective_date() -> None:
    evidence = Evidence.of_entries(
        [
            entry(DEPARTMENT, [CALL], "b", effective_date="2020-03"),
            entry(DEPARTMENT, [CALL], "a", effective_date="2021"),
            entry(DEPARTMENT, [NO_HOLD], "c", effective_date="2017-10-30"),
            entry(DEPARTMENT, [NO_HOLD], "d", effective_date="spring 2015"),
        ]
    )
    found = timeline(evidence, DEPARTMENT)
    calls = found[found["practice"] == NOTIFY]
    assert list(zip(calls["document"], calls["verdict"], calls["change"], strict=True)) == [
        ("c", "silent", "first"), ("b", "does", "changed"), ("a", "does", "same"), ("d", "silent", "undated"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="did you mean"):
        timeline(evidence, "Oxbow PD")


def test_documents_are_found_by_id_beginning_and_name() -> None:
    evidence = both([KEYS], [KEYS])
    stored = evidence.documents.assign(document=["1234567890", "1234567899"])
    by_id = Evidence(
        stored, evidence.departments, evidence.clauses, evidence.labels, evidence.conditions, evidence.findings
    )
    with pytest.raises(UsageError, match="2 documents"):
        compare_versions(by_id, "12345678", "2020.pdf")
    assert compare_versions(by_id, "1234567890", "2020.pdf").old.name == "2017.pdf"


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="no document 'x'"):
        compare_versions(both([], []), "x", "2020.pdf")
    with pytest.raises(UsageError, match="the same document"):
        compare_versions(both([], []), "2020.pdf", "2020.pdf")


def test_text_and_table_say_answers_first() -> None:
    compared = versions([NO_HOLD, CALL], [NO_HOLD, CITES], after="partial")
    lines = list(as_text(compared))
    assert lines[1].endswith("2020-03; not read: page 9: scanned image without a text layer")
    assert lines[3:5] == [
        "  changed: Cites Lunn: silent → does",
        "  not compared: Notifies ICE on release: does [requires] → unread",
    ]
    assert lines[-1] == "  1 clauses the same, 1 added, 1 not compared"
    found = table(compared)
    assert list(found["what"]) == sorted(found["what"])
    assert pd.isna(found["old_page"].iloc[-1])
    assert set(found["change"]) == {"changed", "not compared", "added"}
