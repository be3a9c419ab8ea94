"""The review page without a browser: who may see what, what stands on the screen, what is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from review_stores import Unit, add
from streamlit.testing.v1 import AppTest

from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.corrections import history, view_clause
from classifier.double_annotation import assign
from classifier.labellings import Labelling
from classifier.queues import EVERYTHING, queue
from classifier.store import Store, open_store, register

UNITS = [
    Unit("1. Members hold nobody on a civil detainer.", (("honors_detainers", "prohibits"),), 0.9),
    Unit(
        "2. Members may call ICE if the Chief agrees.",
        (("notifies_ice_on_release", "limits"),),
        0.8,
        conditions=(Condition("approval", "if the Chief agrees"),),
    ),
    Unit("3. Keys hang in the office.", (), 0.2, heading="KEYS"),
]
BOOK = load_codebook()
OTHER = next(c for c in BOOK.conditions if c != "approval")


def review_alone() -> None:
    """What app.py does, with the review page alone: AppTest can't turn pages."""
    from classifier.ui import review
    from classifier.ui.session import errors_as_words, pick_annotator

    with errors_as_words():
        pick_annotator()
        review.page()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store that the app opens too."""
    monkeypatch.setenv("CLAUSES_STORE", str(tmp_path / "store.sqlite"))
    st.cache_resource.clear()
    opened = open_store(tmp_path / "store.sqlite")
    for name in ("ann", "bea"):
        register(opened, name)
    register(opened, "vic", "viewer")
    return opened


@pytest.fixture
def filled(store: Store) -> Store:
    add(store, "order.pdf", UNITS, "Oxbow Falls PD")
    add(store, "memo.pdf", [Unit("9. The memo speaks of nothing.", (), 0.1), UNITS[0]], "Ram Hill PD")
    return store


def opened(name: str = "", **query: str) -> AppTest:
    app = AppTest.from_function(review_alone, default_timeout=60)
    if name:
        app.session_state["annotator"] = name
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """Every line of text on the page, and what is in the boxes for news."""
    shown = [*app.text, *app.caption, *app.info, *app.success, *app.markdown]
    return "\n".join(str(element.value) for element in shown)


def press(app: AppTest, label: str) -> None:
    """Press the button whose label begins so."""
    (button,) = [b for b in app.button if b.label.removeprefix("▸ ").startswith(label)]
    button.click().run()
    assert not app.exception


def labels(app: AppTest) -> list[str]:
    return [b.label for b in app.button]


def clause_in_hand(store: Store, app: AppTest) -> str:
    return view_clause(store, "ann", app.session_state["clause"]).clause.text


@pytest.mark.usefixtures("filled")
def test_without_a_name_nothing_is_shown() -> None:
    app = opened()
    assert "Pick your name" in words(app)
    assert "Accept" not in labels(app)


@pytest.mark.usefixtures("filled")
def test_a_viewer_is_told_who_may_review() -> None:
    app = opened("vic")
    assert "viewer is your role" in words(app)
    assert "Accept" not in labels(app)
    assert "clause" not in app.session_state


@pytest.mark.usefixtures("filled")
def test_a_new_name_is_entered_and_a_bad_one_refused_in_words() -> None:
    app = opened()
    app.text_input(key="new_name").set_value("  ")
    press(app, "Enter the name")
    assert "is no name" in words(app)
    app.text_input(key="new_name").set_value("cyd")
    press(app, "Enter the name")
    assert app.session_state["annotator"] == "cyd"
    assert "Accept" in labels(app)


@pytest.mark.usefixtures("store")
def test_an_empty_store_says_what_to_do() -> None:
    app = opened("ann")
    assert "Score some policies first" in words(app)
    press(app, "Undo")


@pytest.mark.usefixtures("filled")
def test_an_empty_queue_and_a_finished_store_say_so() -> None:
    app = opened("ann")
    app.selectbox(key="state").select("flagged").run()
    assert "Nothing is left in this queue" in words(app)
    app.selectbox(key="state").select("undecided").run()
    for _ in range(5):
        press(app, "Accept")
    assert "All 5 clauses are decided" in words(app)
    press(app, "Undo")
    assert "4 of 5 decided" in words(app)


def test_the_queue_begins_with_the_least_certain_clause(filled: Store) -> None:
    app = opened("ann")
    assert clause_in_hand(filled, app) == UNITS[0].text
    assert "0 of 5 decided, 5 in this queue" in words(app)
    assert "Honors detainers: prohibits" in words(app)


@pytest.mark.parametrize(
    ("key", "value", "first", "count"),
    [
        ("department", "Ram Hill PD", UNITS[0].text, 2),
        ("practice", "notifies_ice_on_release", UNITS[1].text, 1),
        ("search", "KEYS hang", UNITS[2].text, 1),
    ],
)
def test_filters_narrow_the_queue(filled: Store, key: str, value: str, first: str, count: int) -> None:
    app = opened("ann")
    (app.text_input(key=key).set_value if key == "search" else app.selectbox(key=key).select)(value).run()
    assert f"{count} in this queue" in words(app)
    assert clause_in_hand(filled, app) == first


def test_reading_order(filled: Store) -> None:
    app = opened("ann")
    app.selectbox(key="order").select("document").run()
    assert clause_in_hand(filled, app).startswith("9. The memo")


def test_accepting_and_correcting_are_recorded(filled: Store) -> None:
    app = opened("ann")
    first = app.session_state["clause"]
    press(app, "Accept")
    (event,) = history(filled, "ann", first)
    assert (event.kind, event.new) == ("accept", Labelling({"honors_detainers": "prohibits"}))
    third = queue(filled, "ann", "document", EVERYTHING)[-1]
    app = opened("ann", clause=third)
    press(app, "Cites Lunn")
    press(app, "Accept")
    (event,) = history(filled, "ann", third)
    assert (event.kind, event.new) == ("correct", Labelling({"cites_lunn": None}))


def test_accepting_is_accepting_where_the_machine_gave_conditions_without_a_label(store: Store) -> None:
    add(store, "odd.pdf", [Unit("Held if a judge agrees.", conditions=(Condition("approval", "if a judge agrees"),))])
    app = opened("ann")
    clause = app.session_state["clause"]
    press(app, "Accept")
    assert not app.exception
    (event,) = history(store, "ann", clause)
    assert event.new == Labelling()


@pytest.mark.usefixtures("filled")
def test_a_label_is_taken_off_by_its_key_and_a_stance_changed() -> None:
    app = opened("ann")
    press(app, "requires")
    assert "Honors detainers: requires" in words(app)
    press(app, "Honors detainers")
    assert "None of the practices" in words(app)
    assert next(b for b in app.button if b.label == "requires").disabled


def test_conditions_are_added_refused_and_taken_off(filled: Store) -> None:
    second = queue(filled, "ann", "uncertain", EVERYTHING)[2]
    app = opened("ann", clause=second)
    assert clause_in_hand(filled, app) == UNITS[1].text
    assert "approval: “if the Chief agrees”" in words(app)
    app.selectbox(key="condition_type").select(OTHER)
    app.text_input(key="condition_words").set_value("with a warrant")
    press(app, "Add")
    assert "these words are not in the clause" in words(app)
    app.text_input(key="condition_words").set_value("may call ICE")
    press(app, "Add")
    assert f"{OTHER}: “may call ICE”" in words(app)
    app.button(key="drop_0").click().run()
    press(app, "Accept")
    (event,) = history(filled, "ann", second)
    assert event.new is not None
    assert event.new.conditions == (Condition(OTHER, "may call ICE"),)


@pytest.mark.usefixtures("filled")
def test_the_codebook_panel_opens_and_closes() -> None:
    app = opened("ann")
    practice = BOOK.practice("honors_detainers")
    assert practice.definition not in words(app)
    press(app, "Codebook")
    assert practice.definition in words(app)
    assert len(practice.examples) >= 2
    assert all(f"Example: {e}" in words(app) for e in practice.examples)
    press(app, "Codebook")
    assert practice.definition not in words(app)


@pytest.mark.usefixtures("filled")
def test_a_question_goes_to_the_adjudicator_and_stays_on_the_clause() -> None:
    app = opened("ann")
    clause = app.session_state["clause"]
    press(app, "Question")
    press(app, "Ask")
    assert "a flag without a question" in words(app)
    app.text_input(key="question").set_value("Is **custody** a hold?")
    press(app, "Ask")
    assert app.session_state["clause"] == clause
    assert "Open question: Is **custody** a hold?" in words(app)


def test_clauses_that_read_alike_are_decided_together_when_asked(filled: Store) -> None:
    app = opened("ann")
    press(app, "+ 1 alike")
    press(app, "Accept 2")
    assert "2 of 5 decided" in words(app)
    events = [e for c in queue(filled, "ann", "document", EVERYTHING) for e in history(filled, "ann", c)]
    assert len({e.batch for e in events}) == 1
    assert all("read alike" in e.note for e in events)


def test_a_blind_clause_shows_neither_probabilities_nor_words_nor_labels(filled: Store) -> None:
    register(filled, "boss", "adjudicator")
    assert assign(filled, "boss", "ann", 1.0) == 5
    app = opened("ann", clause=queue(filled, "bea", "document", EVERYTHING)[-3])
    assert "You label this clause blind" in words(app)
    assert not [label for label in labels(app) if "%" in label]
    assert "None of the practices" in words(app)
    assert next(b for b in app.button if b.label.startswith("Why")).disabled
    press(app, "Honors detainers")
    assert "speaks for" not in words(app)
    assert not [label for label in labels(app) if "%" in label]


def test_another_person_on_the_same_screen_begins_with_their_own_view(filled: Store) -> None:
    app = opened("ann")
    press(app, "Grants ICE access")
    assert "Grants ICE access:" in words(app)
    app.selectbox(key="annotator").select("bea").run()
    assert "Grants ICE access:" not in words(app)
    press(app, "Accept")
    assert [e.kind for c in queue(filled, "bea", "document", EVERYTHING) for e in history(filled, "bea", c)] == [
        "accept"
    ]


def test_a_deep_link_to_what_is_not_there_leads_back_to_the_queue(filled: Store) -> None:
    app = opened("ann", clause="0" * 16)
    assert "no clause" in words(app)
    press(app, "Go to the queue")
    assert clause_in_hand(filled, app) == UNITS[0].text


@pytest.mark.usefixtures("filled")
def test_progress_by_document() -> None:
    app = opened("ann")
    press(app, "Skip")
    app.run()
    assert "memo.pdf: 0 of 2," in words(app)
    assert "1 skipped" in words(app)


@pytest.mark.usefixtures("filled")
def test_every_key_is_used_once() -> None:
    app = opened("ann")
    keys: list[str] = [b.proto.shortcut for b in app.button if b.proto.shortcut]
    assert len(keys) == len(set(keys))
    assert not {"C", "R"} & set(keys)
    assert len(keys) >= 17 + 5 + 8


@pytest.mark.usefixtures("filled")
def test_what_the_store_refuses_is_said_and_the_draft_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from classifier.store_tables import StoreError
    from classifier.ui import review

    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full", "make room")

    app = opened("ann")
    press(app, "Grants ICE access")
    decide: Callable[..., object] = review.decide
    monkeypatch.setattr(review, "decide", full)
    press(app, "Accept")
    assert "the disk is full" in words(app)
    assert "make room" in words(app)
    assert "Grants ICE access:" in words(app)
    monkeypatch.setattr(review, "decide", decide)
    press(app, "Accept")
    assert "1 of 5 decided" in words(app)
