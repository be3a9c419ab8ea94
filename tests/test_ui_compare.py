"""The comparison pages without a browser: what stands on them, what an empty store says, who may see what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from comparison_cases import CALL, CALL_IF, CITES, HOLD, KEYS, LUNN, NO_HOLD, NOTIFY
from review_stores import Unit, add
from streamlit.testing.v1 import AppTest

from classifier.codebook import load_codebook
from classifier.corrections import decide
from classifier.double_annotation import assign
from classifier.errors import UsageError
from classifier.evidence import Evidence
from classifier.labellings import Labelling
from classifier.store import Store, open_store, register
from classifier.store_sources import keep_list, kept_list
from classifier.ui.comparisons import as_csv, difference_pieces, state_of
from classifier.ui.matrix_page import flat, pale
from classifier.wording import difference

NAMES = {p.id: p.name for p in load_codebook().practices}
PAGES = ("matrix_page", "pair_page", "gap_page", "templates_page", "versions_compare_page", "pictures_page")
HOLD_IT = Unit("Members may hold a person on a detainer for two hours past release.", ((HOLD, "permits"),))
HOSTILE = "**Bold** <img src=x onerror=alert(1)> [l](javascript:1) PD"


def alone(module: str) -> Callable[[], None]:
    """What app.py does, with one page alone: AppTest can't turn pages."""
    source = (
        "from classifier.ui import {0}\n"
        "from classifier.ui.session import errors_as_words, pick_annotator\n"
        "with errors_as_words():\n    pick_annotator()\n    {0}.page()\n"
    )
    return source.format(module)  # type: ignore[return-value]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store that the app opens too."""
    monkeypatch.setenv("CLAUSES_STORE", str(tmp_path / "store.sqlite"))
    st.cache_resource.clear()
    opened = open_store(tmp_path / "store.sqlite")
    register(opened, "ann")
    register(opened, "vic", "viewer")
    register(opened, "boss", "adjudicator")
    return opened


@pytest.fixture
def filled(store: Store) -> Store:
    add(store, "alder.txt", [CITES, CALL, NO_HOLD, KEYS], "Alder PD")
    add(store, "birch.txt", [CITES, CALL_IF, NO_HOLD, HOLD_IT], "Birch SO")
    add(store, "birch-2.txt", [CITES, CALL, NO_HOLD], "Birch SO")
    add(store, "cedar.txt", [KEYS], HOSTILE)
    return store


def opened(page: str, name: str = "ann", **query: str) -> AppTest:
    app = AppTest.from_string(alone(page), default_timeout=60)  # type: ignore[arg-type]
    if name:
        app.session_state["annotator"] = name
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """Every line of text on the page, and what is in the boxes for news."""
    shown = [*app.text, *app.caption, *app.info, *app.success, *app.markdown, *app.subheader]
    plain = "\n".join(str(element.value) for element in shown)
    return plain + "\n" + "\n".join(str(e.proto.body) for e in app.get("html"))


def quoted(app: AppTest) -> str:
    """What stands in the components that show text of documents."""
    return "\n".join(str(e.proto) for e in app.get("bidi_component"))


def matrix_of(app: AppTest) -> pd.DataFrame:
    """The matrix on the page, its words as text. What went through Arrow has arrays for lists."""
    table = app.dataframe[0].value.map(lambda value: list(value) if isinstance(value, np.ndarray) else value)
    return flat(table).set_index("department")


@pytest.mark.parametrize("page", PAGES)
def test_without_a_name_and_with_an_empty_store_a_page_says_what_to_do(store: Store, page: str) -> None:
    assert "Pick your name" in words(opened(page, ""))
    assert "Score some policies first" in words(opened(page))
    register(store, "vic", "viewer")
    assert "Score some policies first" in words(opened(page, "vic"))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["ann", "vic", "boss"])
def test_every_role_sees_every_page(page: str, name: str) -> None:
    app = opened(page, name)
    assert not app.error
    assert HOSTILE not in "\n".join(str(m.value) for m in app.markdown)


@pytest.mark.usefixtures("filled")
def test_the_matrix_has_core_practices_first_and_conditions_in_its_cells() -> None:
    table = matrix_of(opened("matrix_page"))
    assert list(table.index) == [HOSTILE, "Alder PD", "Birch SO"]
    core = [NAMES[p] for p in load_codebook().core_ids]
    assert list(table.columns) == ["Lunn gap", *core, "coverage", "kind", "county"]
    assert table.loc["Alder PD", NAMES[NOTIFY]] == "does"
    assert table.loc["Birch SO", NAMES[NOTIFY]] == "conditional: approval"
    assert table.loc["Birch SO", NAMES[HOLD]] == "mixed"
    assert table.loc[HOSTILE, NAMES[NOTIFY]] == "silent"
    assert list(table["Lunn gap"]) == ["", "Lunn gap", "Lunn gap"]
    assert table.loc["Alder PD", "coverage"] == "1 of 1 pages"


@pytest.mark.usefixtures("filled")
def test_the_matrix_is_filtered_and_ordered() -> None:
    app = opened("matrix_page")
    app.toggle(key="matrix_gap").set_value(True).run()
    assert list(matrix_of(app).index) == ["Alder PD", "Birch SO"]
    assert "2 of 3 departments" in words(app)
    app.toggle(key="matrix_differing").set_value(True).run()
    assert NAMES[LUNN] not in matrix_of(app)
    app.toggle(key="matrix_sure").set_value(True).run()
    assert matrix_of(app).loc["Alder PD", NAMES[NOTIFY]] == "does: 72%"
    app.multiselect(key="matrix_verdict").set_value(["no reply"]).run()
    assert "No department passes these filters" in words(app)
    app.multiselect(key="matrix_verdict").set_value([]).run()
    app.toggle(key="matrix_gap").set_value(False).run()
    app.selectbox(key="matrix_order").select(HOLD).run()
    assert list(matrix_of(app).index) == ["Birch SO", "Alder PD", HOSTILE]
    app.selectbox(key="matrix_group").select("agreements").run()
    assert "No practice differs" in words(app)
    assert not app.exception


def test_a_deep_link_opens_a_cell_with_its_clauses(filled: Store) -> None:
    link = opened("matrix_page", department="Birch SO", practice=HOLD)
    shown = words(link)
    assert "<b>mixed</b>" in shown
    assert "permits · 72% · machine only" in shown
    assert "prohibits · 72% · machine only" in shown
    assert HOLD_IT.text in quoted(link)
    assert NO_HOLD.text in quoted(link)
    assert "No page picture: this is not a PDF file" in shown
    clause = Evidence.from_store(filled).findings.query("department == 'Birch SO' and practice == @HOLD")
    links = [e.proto.url for e in link.get("link_button")]
    assert f"review?clause={clause['clauses'].iloc[0][0]}&name=ann" in links
    link.button(key="close_cell").click().run()
    assert "department" not in link.query_params
    assert not link.exception


@pytest.mark.usefixtures("filled")
def test_a_silent_cell_and_a_department_say_what_was_read() -> None:
    silent = opened("matrix_page", department=HOSTILE, practice=HOLD)
    assert "All of its documents were read" in words(silent)
    assert HOSTILE in [t.value for t in silent.text]
    assert list(silent.dataframe[1].value["name"]) == ["cedar.txt"]
    assert list(opened("matrix_page", department="Birch SO").dataframe[1].value["name"]) == ["birch-2.txt", "birch.txt"]
    lost = opened("matrix_page", department="Nobody PD")
    assert "the address names a department that is not here: Nobody PD" in words(lost)


def test_a_decision_changes_the_matrix_and_its_mark(filled: Store) -> None:
    app = opened("matrix_page")
    evidence = Evidence.from_store(filled)
    clauses = evidence.clauses
    ids = list(clauses.loc[(clauses["department"] == "Alder PD"), "clause"])
    before = state_of(filled)
    decide(filled, "ann", [ids[2]], Labelling({HOLD: "permits"}))
    assert state_of(filled) != before
    app.run()
    assert matrix_of(app).loc["Alder PD", NAMES[HOLD]] == "does: ✓"


def test_a_clause_that_is_labelled_blind_is_withheld(filled: Store) -> None:
    assign(filled, "boss", "ann", 1.0, blind=True)
    blind = opened("matrix_page", department="Alder PD", practice=NOTIFY)
    assert "labels blind" not in quoted(blind)
    assert "A clause that you label blind is withheld" in words(blind)
    assert CALL.text not in quoted(blind)
    assert CALL.text in quoted(opened("matrix_page", "boss", department="Alder PD", practice=NOTIFY))


def test_a_list_gives_departments_without_a_document_and_a_bad_one_is_refused(filled: Store) -> None:
    keep_list(
        filled,
        b"document,department,kind,county,state,effective_date,source,note\n"
        b",Elm PD,police,Merrow,MA,,,no policy\n,Fir SO,sheriff,Merrow,MA,,,no reply\n"
        b"birch.txt,Birch SO,sheriff,Merrow,MA,2019-01-02,,\nbirch-2.txt,Birch SO,sheriff,Merrow,MA,2023-01-02,,\n",
    )
    table = matrix_of(opened("matrix_page"))
    assert list(table[NAMES[HOLD]]) == ["silent", "refuses", "mixed", "no policy", "no reply"]
    assert table.loc["Elm PD", "coverage"] == "no document"
    none = opened("matrix_page", department="Elm PD", practice=HOLD)
    assert "has no policy" in words(none)
    assert "There is no document of this department" in words(none)
    with pytest.raises(UsageError, match=r"^departments\.csv"):
        keep_list(filled, b"name\nElm PD\n")
    assert len(kept_list(filled).without_document) == 2
    assert "2019-01-02" in str(opened("versions_compare_page").dataframe[-1].value.columns)


@pytest.mark.usefixtures("filled")
def test_departments_side_by_side() -> None:
    app = opened("pair_page")
    assert "Choose two to four departments" in words(app)
    app.multiselect(key="pair").set_value(["Alder PD", "Birch SO"]).run()
    assert app.query_params["department"] == ["Alder PD", "Birch SO"]
    shown = words(app)
    assert "<b>conditional: approval</b>" in shown
    assert "only here: approval" in shown
    assert "Nearest in Birch SO, page 1: 100% alike" in shown
    assert "removed" in quoted(app)
    assert "added" in quoted(app)
    app.toggle(key="pair_differing").set_value(True).run()
    assert NAMES[LUNN] not in [s.value for s in app.subheader]
    app.selectbox(key="pair_practices").select(LUNN).run()
    assert "They answer alike" in words(app)
    assert app.query_params["practice"] == LUNN
    app.multiselect(key="pair").set_value(["Alder PD", HOSTILE]).run()
    app.toggle(key="pair_differing").set_value(False).run()
    assert "Nothing on it, where another one has a rule" in words(app)
    assert not app.exception


@pytest.mark.usefixtures("filled")
def test_the_gap_shows_both_sentences_and_contradictions_both_clauses() -> None:
    app = opened("gap_page", practice=NOTIFY)
    assert "2 departments with the gap here; 2 of 3 cite Lunn" in words(app)
    assert CITES.text in quoted(app)
    assert CALL.text in quoted(app)
    assert "1 pairs of clauses in 1 documents" in words(app)
    assert HOLD_IT.text in quoted(app)
    app.selectbox(key="gap_department").select("Alder PD").run()
    assert "1 departments with the gap" in words(app)


def test_no_gap_and_no_template_say_so(store: Store) -> None:
    add(store, "cedar.txt", [KEYS], "Cedar PD")
    assert "0 departments cite Lunn, and none of them" in words(opened("gap_page"))
    assert "No document prohibits what it requires" in words(opened("gap_page"))
    assert "is a near-copy" in words(opened("templates_page"))
    assert "No policy shares most" in words(opened("templates_page"))
    assert "No department has two documents yet" in words(opened("versions_compare_page"))
    assert "one department only" in words(opened("pair_page"))


@pytest.mark.usefixtures("filled")
def test_templates_have_members_and_edits() -> None:
    app = opened("templates_page")
    texts = app.dataframe[0].value["text"]
    assert CITES.text in set(texts)
    assert "Word for word: Alder PD, Birch SO" in words(app)
    assert "Texts that Alder PD shares with others" in words(opened("templates_page", department="Alder PD"))


@pytest.mark.usefixtures("filled")
def test_versions_show_changed_answers_first() -> None:
    app = opened("versions_compare_page", department="Birch SO")
    answers = app.dataframe[0].value
    assert set(answers["change"]) == {"≠ changed"}
    assert NAMES[HOLD] in set(answers["practice"])
    assert "removed: only in the older one" in words(app) or "added: only in the newer one" in words(app)
    app.toggle(key="versions_same").set_value(True).run()
    assert len(app.dataframe[0].value) == len(NAMES)
    app.selectbox(key="versions_old").select(app.selectbox(key="versions_new").value).run()
    assert "Choose two different documents" in words(app)


@pytest.mark.usefixtures("filled")
def test_pictures_and_files_are_offered() -> None:
    app = opened("pictures_page")
    labels = [e.proto.label for e in app.get("download_button")]
    assert {"PNG", "SVG", "Data (CSV)"} <= set(labels)
    app.button(key="make_report.html").click().run()
    assert not app.exception
    assert "Download report.html" in [e.proto.label for e in app.get("download_button")]


def test_a_difference_rejoins_and_has_a_word_for_each_side() -> None:
    pieces = difference_pieces(difference("Staff shall call ICE.", "Staff may not call ICE."))
    assert [p["text"] for p in pieces if p.get("side") == "removed"] == ["shall "]
    assert [p["text"] for p in pieces if p.get("side") == "added"] == ["may not "]
    assert "".join(str(p["text"]) for p in pieces if p.get("side") != "added") == "Staff shall call ICE."


def test_colours_are_pale_enough_for_dark_words_and_tables_hold_no_formula() -> None:
    assert pale("#d55e00") == "#f1c9aa"
    assert as_csv(pd.DataFrame({"words": ["=1+1"]})).decode().splitlines()[1].startswith(("'=", "\"'="))
