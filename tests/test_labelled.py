"""The format of labelled documents, and the reader of evaluation files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import HEADER
from hypothesis import given
from hypothesis import strategies as st

from classifier.codebook import load_codebook
from classifier.errors import LabelledDataError
from classifier.labelled import (
    Condition,
    LabelledDocument,
    near_duplicates,
    parse_labels,
    read_evaluation,
    read_policies,
    read_policy,
    words,
)

BOOK = load_codebook()
Reader = Callable[..., LabelledDocument]

ORDER = """
    ~ Page 1 of 2
    # III. PROCEDURE
    ## A. Release
    1. Officers shall not:
      (a) hold a person on a detainer; {honors_detainers:prohibits}
      (b) call ICE unless the Chief agrees. {notifies_ice_on_release:limits; approval="unless the Chief agrees"}
    | The log shows the call. {records_and_reports_contacts:requires}
    ## B. Lockup
    The lockup is swept at six. {hard}
    Members read Lunn v. Commonwealth. {cites_lunn}
    """


# --- what a file says --------------------------------------------------------------------------------------------


def test_a_document_is_named_by_its_file_and_described_by_its_header(policy: Reader) -> None:
    document = policy(ORDER, "oxbow-falls-detainers")
    assert document.id == "oxbow-falls-detainers"
    assert Path(document.path).name == "oxbow-falls-detainers.policy"
    assert (document.title, document.agency, document.kind) == ("Order", "Oxbow Falls PD", "municipal police")
    assert (document.family, document.state, document.hand, document.date, document.county) == (
        "order",
        "MA",
        "t1",
        "",
        "",
    )


def test_date_and_county_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.policy"
    path.write_text(HEADER.replace("---", "date: 2018-01-15\ncounty: Merrow\nweather: fair\n---") + "A rule.\n")
    assert (read_policy(path).date, read_policy(path).county) == ("2018-01-15", "Merrow")


def test_lines_are_clauses_headings_or_furniture(policy: Reader) -> None:
    kinds = [(i.kind, i.text.split(" ")[0]) for i in policy(ORDER).items]
    assert kinds == [
        ("furniture", "Page"), ("heading", "III."), ("heading", "A."), ("clause", "1."), ("clause", "(a)"), ("clause", "(b)"),
        ("clause", "The"), ("heading", "B."), ("clause", "The"), ("clause", "Members"),
    ]  # fmt: skip
    assert len(policy(ORDER).clauses) == 6


def test_labels_and_conditions_stand_at_the_end_of_the_line(policy: Reader) -> None:
    lead, hold, call, log, sweep, cite = policy(ORDER).clauses
    assert (hold.text, hold.labels) == ("(a) hold a person on a detainer;", {"honors_detainers": "prohibits"})
    assert call.labels == {"notifies_ice_on_release": "limits"}
    assert call.conditions == (Condition("approval", "unless the Chief agrees"),)
    assert log.labels == {"records_and_reports_contacts": "requires"}
    assert lead.labels == {}
    assert cite.labels == {"cites_lunn": None}
    assert [c.hard for c in (lead, hold, call, log, sweep, cite)] == [False, False, False, False, True, False]


def test_items_know_their_line_in_the_file(policy: Reader) -> None:
    document = policy(ORDER)
    lines = Path(document.path).read_text(encoding="utf-8").split("\n")
    assert all(item.text in lines[item.line - 1] for item in document.items)


def test_headings_form_a_path(policy: Reader) -> None:
    document = policy(ORDER)
    assert [i.heading for i in document.items if i.kind == "heading"] == ["", "III. PROCEDURE", "III. PROCEDURE"]
    assert {c.heading for c in document.clauses} == {"III. PROCEDURE > A. Release", "III. PROCEDURE > B. Lockup"}


def test_empty_braces_and_no_braces_are_the_same(policy: Reader) -> None:
    with_braces, without = policy("Keys hang by the door. {}\nKeys hang by the door.\n").clauses
    assert (with_braces.text, with_braces.labels) == (without.text, without.labels) == ("Keys hang by the door.", {})


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    unix, windows = tmp_path / "unix.policy", tmp_path / "windows.policy"
    unix.write_bytes((HEADER + "A rule. {}\n").encode())
    windows.write_bytes((HEADER + "A rule. {}\n").replace("\n", "\r\n").encode())
    assert read_policy(unix).items == read_policy(windows).items


# --- lead-ins ----------------------------------------------------------------------------------------------------


def contexts(document: LabelledDocument) -> list[str]:
    return [c.context for c in document.clauses]


def test_a_lead_in_governs_what_is_deeper(policy: Reader) -> None:
    body = "Officers shall not:\n  (a) hold anyone;\n  (b) search:\n    (i) cells;\n  (c) drive.\nThe log is kept.\n"
    both = "Officers shall not: (b) search:"
    one = "Officers shall not:"
    assert contexts(policy(body)) == ["", one, one, both, one, ""]


def test_only_a_line_that_breaks_off_is_a_lead_in(policy: Reader) -> None:
    assert contexts(policy("Officers may rest.\n  (a) at noon;\n")) == ["", ""]
    assert contexts(policy("Officers may —\n  (a) rest;\n")) == ["", "Officers may —"]


def test_a_heading_ends_a_lead_in(policy: Reader) -> None:
    assert contexts(policy("Officers shall not:\n# B. REST\n  (a) sleep;\n")) == ["", ""]


def test_a_further_sentence_of_an_item_is_not_governed(policy: Reader) -> None:
    body = "Officers shall not:\n  (a) hold anyone.\n  | The log shows it.\n  (b) search,\n  | or seize.\n"
    lead = "Officers shall not:"
    assert contexts(policy(body)) == ["", lead, "", lead, lead]


def test_a_condition_may_stand_in_the_lead_in(policy: Reader) -> None:
    body = (
        'Unless a judge signed:\n  (a) no holds. {honors_detainers:limits; judicial_warrant="Unless a judge signed"}\n'
    )
    assert policy(body).clauses[1].conditions == (Condition("judicial_warrant", "Unless a judge signed"),)


# --- what breaks the format --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Rest. {sleeps:requires}", "unknown practice 'sleeps'"),
        ("Hold. {honors_detainers:shall}", "unknown stance 'shall'"),
        ("Hold. {honors_detainers}", "unknown stance ''"),
        ("Lunn. {cites_lunn:states}", "carries no stance"),
        ("Hold. {honors_detainers:requires, honors_detainers:permits}", "honors_detainers twice"),
        ('Hold if asked. {honors_detainers:limits; weather="if asked"}', "unknown condition 'weather'"),
        ("Hold if asked. {honors_detainers:limits; approval=if asked}", "can't read condition"),
        ('Hold if asked. {honors_detainers:limits; approval="if told"}', "'if told' are not in the clause"),
        ('Hold if asked. {honors_detainers:limits; approval=""}', "'' are not in the clause"),
        ('Hold if asked. {; approval="if asked"}', "a condition without a practice"),
        ("Hold {honors_detainers:requires} the person.", "braces inside the text"),
        ("Hold the person. {honors_detainers:requires", "braces inside the text"),
        ("{honors_detainers:requires}", "labels without a clause"),
        ("   Hold the person.", "indent of 3 spaces"),
    ],
)
def test_an_error_names_file_and_line(policy: Reader, line: str, said: str) -> None:
    with pytest.raises(LabelledDataError) as caught:
        policy("A first rule.\n\n" + line + "\n")
    assert "order.policy:10: " in caught.value.message
    assert said in caught.value.message
    assert caught.value.next_step


def test_a_continuation_needs_something_to_go_on_from(policy: Reader) -> None:
    with pytest.raises(LabelledDataError, match=r"order\.policy:8: nothing above"):
        policy("| and so on.\n")


def test_condition_words_may_break_and_shout(policy: Reader) -> None:
    body = 'Hold IF  ASKED by the Chief. {honors_detainers:limits; approval="if asked by the chief"}\n'
    assert policy(body).clauses[0].conditions[0].text == "if asked by the chief"


def test_several_conditions(policy: Reader) -> None:
    body = (
        'Hold if asked, or if charged. {honors_detainers:limits; approval="if asked", criminal_history="if charged"}\n'
    )
    assert [c.type for c in policy(body).clauses[0].conditions] == ["approval", "criminal_history"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A rule without a header.\n", "no line '---'"),
        ("title: A\nagency: B\n---\nA rule.\n", "header lacks kind, family, state, hand"),
        (HEADER.replace("hand: t1", "hand:") + "A rule.\n", "header lacks hand"),
    ],
)
def test_a_header_must_be_whole(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.policy"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelledDataError, match=said):
        read_policy(path)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    latin = tmp_path / "latin.policy"
    latin.write_bytes(HEADER.encode() + b"caf\xe9\n")
    for path in (latin, tmp_path / "none.policy", tmp_path):
        with pytest.raises(LabelledDataError, match="can't be read"):
            read_policy(path)


@given(st.text(alphabet='abc:;,="{} \n_', max_size=40))
def test_any_label_text_is_read_or_refused(raw: str) -> None:
    """None of these letters makes a practice, so nothing but blanks may pass."""
    refusal = ""
    try:
        assert parse_labels(raw, "here", BOOK) == ({}, (), False)
    except LabelledDataError as error:
        refusal = error.message
    assert bool(refusal) == bool(set(raw) - set(" ,;\n") or raw.count(";") > 1 or "," in raw.partition(";")[2])
    assert refusal.startswith("here: " if refusal else "")


# --- folders and plain text --------------------------------------------------------------------------------------


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    for name in ("b/one", "a/two", "a/deep/three"):
        path = tmp_path / f"{name}.policy"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + "A rule.\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no policy")
    assert [d.id for d in read_policies(tmp_path)] == ["three", "two", "one"]


def test_a_folder_without_documents_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(LabelledDataError, match=r"no \.policy files"):
            read_policies(folder)


def test_two_documents_of_one_name_are_an_error(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "order.policy").write_text(HEADER + "A rule.\n", encoding="utf-8")
    with pytest.raises(LabelledDataError, match=r"b/order\.policy: same name as .*a/order\.policy"):
        read_policies(tmp_path)


def test_the_text_is_one_paragraph_a_line(policy: Reader) -> None:
    assert policy(ORDER).text.split("\n") == [
        "Page 1 of 2",
        "III. PROCEDURE",
        "A. Release",
        "1. Officers shall not:",
        "  (a) hold a person on a detainer;",
        "  (b) call ICE unless the Chief agrees. The log shows the call.",
        "B. Lockup",
        "The lockup is swept at six.",
        "Members read Lunn v. Commonwealth.",
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "  ", "    "]), st.sampled_from(["(a) ", "| ", ""]), st.sampled_from("xyz")),
        max_size=8,
    )
)
def test_the_text_holds_the_words_of_all_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "generated.policy"
    body = "\n".join(f"{indent}{mark}Rule {letter}{i}." for i, (indent, mark, letter) in enumerate(lines))
    path.write_text(f"{HEADER}# TOP\n{body}\n", encoding="utf-8")
    document = read_policy(path)
    assert words(document.text) == words("TOP\n" + body)
    assert len(document.clauses) == len(lines)


# --- near duplicates ---------------------------------------------------------------------------------------------

LONG = "Members shall write the hour of each telephone call in the lockup log before the end of the shift."


def pairs(policy: Reader, first: str, second: str) -> list[tuple[str, str, float]]:
    found = near_duplicates([policy(first + "\n", "first"), policy(second + "\n", "second")])
    return [(Path(a).name, Path(b).name, share) for a, b, share in found]


def test_the_same_clause_in_two_documents_is_found(policy: Reader) -> None:
    assert pairs(policy, LONG, "Another rule.\n" + LONG) == [("first.policy:8", "second.policy:9", 1.0)]


def test_case_and_punctuation_do_not_hide_it(policy: Reader) -> None:
    assert pairs(policy, LONG, LONG.upper().replace(" OF", ", OF"))


def test_a_clause_with_one_word_changed_is_found(policy: Reader) -> None:
    ((_, _, share),) = pairs(policy, LONG, LONG.replace("lockup log", "desk log"))
    assert 0.6 <= share < 1


def test_a_clause_inside_a_longer_one_is_found(policy: Reader) -> None:
    assert pairs(
        policy,
        LONG,
        "In the same manner and at the same desk, " + LONG + " The sergeant of that shift reads it on the next day.",
    )


@pytest.mark.parametrize(
    "other",
    [
        "The hour of every call is noted by the desk officer in a book that the sergeant reads at the end.",
        "Members shall write the hour down.",
    ],
)
def test_other_words_for_the_same_rule_are_none(policy: Reader, other: str) -> None:
    assert pairs(policy, LONG, other) == []


def test_short_rules_and_repeats_inside_a_document_are_none(policy: Reader) -> None:
    assert pairs(policy, "No member shall hold a person.", "No member shall hold a person.") == []
    assert list(near_duplicates([policy(f"{LONG}\n{LONG}\n")])) == []


# --- evaluation files --------------------------------------------------------------------------------------------

RECORD: dict[str, Any] = {
    "id": "oxbow",
    "agency": "Oxbow Falls PD",
    "state": "MA",
    "kind": "order",
    "title": "Order 9",
    "source": "made up",
    "text": "  Hold no one.\n\nCall ICE if the Chief agrees.  \n",
    "units": ["Hold no one.", "Call ICE if the Chief agrees."],
    "labels": [
        [["honors_detainers", "prohibits", []]],
        [["notifies_ice_on_release", "limits", ["approval"]], ["cites_lunn", None]],
    ],
}


def evaluation(tmp_path: Path, *lines: str) -> list[LabelledDocument]:
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_evaluation(path)


def test_an_evaluation_record_becomes_a_document(tmp_path: Path) -> None:
    (document,) = evaluation(tmp_path, json.dumps(RECORD))
    assert (document.id, document.agency, document.kind, document.family) == (
        "oxbow",
        "Oxbow Falls PD",
        "order",
        "order",
    )
    assert document.text == "Hold no one.\nCall ICE if the Chief agrees."
    hold, call = document.clauses
    assert (hold.text, hold.labels, hold.conditions) == ("Hold no one.", {"honors_detainers": "prohibits"}, ())
    assert call.labels == {"notifies_ice_on_release": "limits", "cites_lunn": None}
    assert call.conditions == (Condition("approval", ""),)


def test_blank_lines_are_passed_over_and_odd_line_breaks_inside_a_record_kept(tmp_path: Path) -> None:
    odd = {**RECORD, "title": "Order\u20289\x85"}
    found = evaluation(tmp_path, json.dumps(RECORD), "", json.dumps(odd, ensure_ascii=False), "")
    assert [d.title for d in found] == ["Order 9", "Order\u20289\x85"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        "null",
        json.dumps({"id": "a"}),
        json.dumps({**RECORD, "labels": []}),
        json.dumps({**RECORD, "text": None}),
        json.dumps({**RECORD, "labels": [[["sleeps", "requires", []]], []]}),
        json.dumps({**RECORD, "labels": [["honors_detainers"], []]}),
        json.dumps({k: v for k, v in RECORD.items() if k != "id"}),
    ],
)
def test_a_broken_record_names_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(LabelledDataError, match=r"gold\.jsonl:2: not a labelled document"):
        evaluation(tmp_path, json.dumps(RECORD), line)


def test_an_evaluation_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelledDataError, match="can't be read"):
        read_evaluation(tmp_path / "none.jsonl")
