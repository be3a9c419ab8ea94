"""The pages around the review: each empty, filled, and before a role that may not use it."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from review_stores import HOLD, HOLD_LIMITED, Unit, add, fill, policy_units
from streamlit.testing.v1 import AppTest

from classifier.codebook import project_data
from classifier.corrections import decide, flag
from classifier.double_annotation import assign, disputes, final_labels
from classifier.errors import UsageError
from classifier.interchange import export_records
from classifier.labellings import Labelling
from classifier.people import change_role, check_sight, doubled_pairs, list_assignments, list_people
from classifier.questions import matter, open_questions
from classifier.queues import EVERYTHING, queue
from classifier.store import NotAllowed, Store, list_annotators, open_store, register
from classifier.store_documents import list_documents
from classifier.store_tables import StoreError
from classifier.ui import adjudication, agreement, exchange, versions_page
from classifier.ui.exchange import policy_files
from classifier.versions import PromotionRefused, promotions, version_in_use

ALL_PAGES = ("double", "agreement", "adjudication", "exchange", "versions_page", "people")
NASTY = "Eve <b>*x*</b>"  # a name that Markdown or HTML would change


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store that the pages open."""
    where = tmp_path / "store.sqlite"
    monkeypatch.setenv("CLAUSES_STORE", str(where))
    monkeypatch.delenv("CLAUSES_FILES", raising=False)
    st.cache_resource.clear()
    opened = open_store(where)
    yield opened
    opened.close()
    from classifier.ui.session import store as of_pages

    of_pages().close()
    st.cache_resource.clear()


@pytest.fixture
def disputed(store: Store) -> Store:
    """Two documents; "ann" and NASTY decided the same four clauses, one of them differently; one question is open."""
    fill(store, 2, 6)
    for name in ("ann", NASTY):
        register(store, name)
    ids = queue(store, "ann", "document", EVERYTHING)
    for n, id_ in enumerate(ids[:4]):
        decide(store, "ann", [id_], HOLD)
        decide(store, NASTY, [id_], HOLD_LIMITED if n == 0 else HOLD, note="**because** <i>x</i>")
    flag(store, "ann", ids[5], "Is *this* a trigger?")
    return store


def show(page: str, name: str = "") -> AppTest:
    """A page as this person sees it."""
    script = f"""
import streamlit as st
from classifier.ui import {page}
from classifier.ui.session import errors_as_words
with errors_as_words():
    {page}.page()
"""
    app = AppTest.from_string(script, default_timeout=30)
    if name:
        app.session_state["annotator"] = name
    return ran(app.run())


def ran(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    """All that is said on a page outside its tables."""
    kinds = (app.title, app.subheader, app.caption, app.info, app.success, app.warning, app.text, app.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def formatted(app: AppTest) -> str:
    """What the browser reads as Markdown or HTML, labels of buttons too."""
    said = [e.value for kind in (app.caption, app.info, app.success, app.warning, app.markdown) for e in kind]
    return "\n".join([*map(str, said), *(b.label for b in app.button), *(e.label for e in app.expander)])


def press(app: AppTest, key: str) -> AppTest:
    return ran(app.button(key=key).click().run())


def table(app: AppTest, columns: str) -> pd.DataFrame:
    """The table with these columns among its own."""
    return next(t.value for t in app.dataframe if set(columns.split(",")) <= set(t.value.columns))


@pytest.mark.parametrize("page", ALL_PAGES)
@pytest.mark.usefixtures("store")
def test_without_a_name_a_page_asks_for_one(page: str) -> None:
    assert "Pick your name on the left" in words(show(page))


@pytest.mark.parametrize(
    ("page", "what_to_do"),
    [
        ("double", "the Score page offers the samples"),
        ("agreement", "page “Second annotator”"),
        ("adjudication", "Nothing waits for you"),
        ("exchange", "Decide some clauses on the Review page"),
        ("versions_page", "Decide some clauses on the Review page"),
        ("people", "the Score page offers the samples"),
    ],
)
def test_an_empty_page_says_what_to_do(store: Store, page: str, what_to_do: str) -> None:
    register(store, "boss", "adjudicator")
    assert what_to_do in words(show(page, "boss"))


@pytest.mark.parametrize(
    ("page", "refusal"),
    [
        ("double", "Adjudicators assign clauses"),
        ("adjudication", "This page is for adjudicator; viewer is your role"),
        ("exchange", "Imports are for adjudicators"),
        ("versions_page", "Adjudicators train new versions"),
        ("people", "Adjudicators change roles"),
    ],
)
@pytest.mark.usefixtures("disputed")
def test_a_viewer_is_told_whose_page_it_is(page: str, refusal: str) -> None:
    app = show(page, "vic")
    assert refusal in words(app)
    assert not {b.key for b in app.button} & {"assign", "import", "retrain", "promote", "change_role"}


@pytest.mark.parametrize("page", ALL_PAGES)
@pytest.mark.usefixtures("disputed")
def test_names_and_notes_are_never_formatted(page: str) -> None:
    said = formatted(show(page, "boss"))
    assert not any(part in said for part in (NASTY, "**because**", "*this*", "policy-00", "hold no person"))


# second annotator


def test_a_share_is_assigned_and_shown(disputed: Store) -> None:
    app = show("double", "boss")
    app.selectbox(key="assign_to").select("ann")
    app.number_input(key="assign_share").set_value(50)
    ran(app.run())
    assert "6 of 12 single clauses" in words(app)
    press(app, "assign")
    assert "clauses are assigned" in words(app)
    given = table(app, "annotator,labels,clauses,decided")
    # of the six drawn, those that ann decided before can't be blind any more
    assert given["labels"].tolist() == ["blind"]
    assert given["clauses"].sum() == len(set_of_assigned(disputed)) <= 6
    press(app, "assign")
    assert "Nothing new" in words(app)


def set_of_assigned(store: Store) -> list[str]:
    return queue(store, "ann", "document", replace(EVERYTHING, assigned=True))


@pytest.mark.usefixtures("disputed")
def test_nobody_picked_is_said() -> None:
    assert "pick who gets the clauses" in words(press(show("double", "boss"), "assign"))


def test_assigned_clauses_are_counted_by_person_document_and_way(disputed: Store) -> None:
    assign(disputed, "boss", NASTY, 1.0, blind=False)
    decide(disputed, NASTY, queue(disputed, NASTY)[:1], HOLD)
    found = list_assignments(disputed)
    assert found["document"].tolist() == ["policy-00.pdf", "policy-01.pdf"]
    assert found["clauses"].tolist() == [6, 6]
    assert (found["decided"].sum(), found["blind"].any()) == (5, False)
    of = next(p for p in list_people(disputed) if p.name == NASTY)
    assert (of.assigned, of.assigned_decided, of.decided) == (12, 5, 5)


# agreement


@pytest.mark.usefixtures("disputed")
def test_agreement_by_practice_and_stance() -> None:
    app = show("agreement", "boss")
    assert "On 4 clauses that both decided" in words(app)
    practices = table(app, "practice,kappa,alpha").set_index("practice")
    assert practices.loc["Honors detainers", "first gave"] == 4
    assert practices.loc["Honors detainers", "which is"] == "too few to say"
    assert practices.loc["Cites Lunn", "which is"] == "never given"
    assert pd.isna(practices.loc["Cites Lunn", "kappa"])
    stances = table(app, "stance,kappa").set_index("stance")
    assert stances.loc["any stance", "agree on"] == 75
    assert stances.loc["requires", "items"] == 4
    raw = table(app, "clause,ann,adjudicated")
    assert len(raw) == 4
    assert raw[NASTY].iloc[0] == "honors_detainers:limits;"


@pytest.mark.usefixtures("disputed")
def test_one_person_is_no_pair() -> None:
    app = show("agreement", "boss")
    app.selectbox(key="second_annotator").select(app.selectbox(key="first_annotator").value)
    assert "Pick two different people" in words(ran(app.run()))


def test_two_without_a_common_clause(disputed: Store) -> None:
    ids = queue(disputed, "ann", "document", EVERYTHING)
    for name in ("bob", "cid"):
        register(disputed, name)
        decide(disputed, name, [ids[8]], HOLD)
    assert [(p.first, p.second, p.clauses) for p in doubled_pairs(disputed)] == [(NASTY, "ann", 4), ("bob", "cid", 1)]
    app = show("agreement", "boss")
    app.selectbox(key="second_annotator").select("bob")
    assert "assign a share of clauses to the second" in words(ran(app.run()))


def test_a_reading_of_alpha() -> None:
    assert [agreement.reading(a, 9) for a in (0.9, 0.7, 0.2)] == ["reliable", "tentative", "unreliable"]


def test_a_raw_table_holds_no_formula() -> None:
    assert agreement.as_csv(pd.DataFrame({"=a": ["=1+1", "b"]})).decode() == "'=a\n'=1+1\nb\n"


# who may see whose labels


def test_blind_labels_are_for_adjudicators(disputed: Store) -> None:
    check_sight(disputed, "vic")
    assign(disputed, "boss", "ann", 1.0)
    with pytest.raises(NotAllowed, match="label blind"):
        check_sight(disputed, "ann")
    with pytest.raises(NotAllowed, match="being labelled blind"):
        check_sight(disputed, "vic")
    check_sight(disputed, "boss")
    assert "being labelled blind" in words(show("agreement", "vic"))
    app = show("exchange", "vic")
    assert "being labelled blind" in words(app)
    assert not [b for b in app.button if b.key == "make_policies"]


def test_an_adjudicator_who_labels_blind_sees_nothing_before(disputed: Store) -> None:
    assign(disputed, "boss", "boss", 1.0)
    with pytest.raises(NotAllowed, match="12 clauses to label blind"):
        check_sight(disputed, "boss")
    assert open_questions(disputed, "boss") == disputes(disputed, "boss") == []
    decide(disputed, "boss", queue(disputed, "boss", "document", EVERYTHING), HOLD)
    check_sight(disputed, "boss")
    assert len(open_questions(disputed, "boss")) == len(disputes(disputed, "boss")) == 1


# adjudication


def waits(app: AppTest) -> int:
    return int(next(c.value for c in app.caption if " wait: " in c.value).split()[0])


def test_both_decisions_side_by_side_one_is_taken(disputed: Store) -> None:
    (dispute,) = disputes(disputed, "boss")
    app = show("adjudication", "boss")
    assert waits(app) == 2
    said = [t.value for t in app.text]
    assert {"ann", NASTY, "≠ Honors detainers · prohibits", "≠ Honors detainers · limits"} <= set(said)
    assert "Note: **because** <i>x</i>" in said
    press(app, "adj_key_Enter")
    assert "nothing is chosen yet" in words(app)
    press(app, "adj_key_2")
    assert "To be saved, decision 2: Honors detainers · limits" in words(app)
    press(app, "adj_key_Enter")
    assert "no reason for the adjudication" in words(app)
    press(app, "adj_key_O")
    press(app, "adj_key_Enter")
    final = next(f for f in final_labels(disputed) if f.clause == dispute.clause)
    assert (final.state, final.labelling, final.annotators) == ("adjudicated", HOLD_LIMITED, ("boss",))
    assert matter(disputed, "boss", dispute.clause).decisions == dispute.decisions
    assert waits(app) == 1
    assert "Question of ann: Is *this* a trigger?" in words(app)


def test_a_third_decision_answers_a_question_and_can_be_undone(disputed: Store) -> None:
    (asked,) = open_questions(disputed, "boss")
    app = press(show("adjudication", "boss"), "adj_key_X")
    assert app.session_state["adj_clause"] == asked
    press(app, "adj_key_N")
    press(app, "adj_key_G")
    ran(app.multiselect(key="adj_practices").set_value(["cites_lunn", "honors_detainers"]).run())
    press(app, "adj_key_Enter")
    assert "Honors detainers has no stance yet" in words(app)
    ran(app.selectbox(key="adj_stance_honors_detainers").select("permits").run())
    app.selectbox(key="adj_condition_type").select("approval")
    app.text_input(key="adj_condition_words").input("words of another clause")
    press(app, "adj_add")
    assert "these words are not in the clause" in words(app)
    app.text_input(key="adj_condition_words").input("under rule")
    press(app, "adj_add")
    assert "approval: “under rule”" in words(app)
    app.text_input(key=f"adj_reason_{asked}").input("so it reads")
    press(app, "adj_key_Enter")
    final = next(f for f in final_labels(disputed) if f.clause == asked)
    assert final.labelling.answer == "cites_lunn|honors_detainers:permits;approval"
    assert open_questions(disputed, "boss") == []
    assert waits(app) == 1
    press(app, "adj_key_Z")
    assert open_questions(disputed, "boss") == [asked]
    assert app.session_state["adj_clause"] == asked


def test_a_key_struck_twice_does_nothing_to_the_next_clause() -> None:
    done: list[int] = []
    st.session_state["adj_clause"] = "next"
    try:
        adjudication.guarded(lambda: done.append(1), "the one before")
        adjudication.guarded(lambda: done.append(2), "next")
    finally:
        st.session_state.clear()
    assert done == [2]


def test_what_comes_after_a_matter() -> None:
    assert adjudication.next_in(["a", "b", "c"], 0) == "b"
    assert adjudication.next_in(["a", "b", "c"], 2) == "a"
    assert adjudication.next_in(["a"], 0) is None
    assert adjudication.next_in(["a", "b"], -1) == "a"


def test_only_adjudicators_see_matters(disputed: Store) -> None:
    for ask in (open_questions, lambda s, n: matter(s, n, "x")):
        with pytest.raises(NotAllowed):
            ask(disputed, "ann")


# exchange


def test_every_form_of_export_comes_back(disputed: Store) -> None:
    for form in exchange.NAMES:
        assert exchange_back(disputed, form) == (0, 5 + 3)


def exchange_back(store: Store, form: str) -> tuple[int, int]:
    from classifier.annotation_formats import write_records
    from classifier.interchange import import_records

    done = import_records(store, "boss", write_records(export_records(store), form), form)
    return done.added, done.known


def test_an_import_lists_what_it_refuses(disputed: Store) -> None:
    from classifier.annotation_formats import write_records

    records = export_records(disputed)
    content = write_records([records[0], replace(records[0], clause="gone")], "csv")
    app = show("exchange", "boss")
    app.selectbox(key="import_form").select("csv")
    app.file_uploader(key="import_file").upload("decisions.csv", content.encode(), "text/csv")
    press(ran(app.run()), "import")
    assert "0 decisions are new, 1 stood in the store already" in words(app)
    assert "1 records were refused" in words(app)
    assert "no clause 'gone'" in table(app, "record,reason")["reason"].iloc[0]


@pytest.mark.parametrize(("content", "said"), [(b"\xff\xfe\x00", "not in UTF-8"), (b"nonsense", "not JSON")])
@pytest.mark.usefixtures("disputed")
def test_a_file_of_another_kind_is_said(content: bytes, said: str) -> None:
    app = show("exchange", "boss")
    app.file_uploader(key="import_file").upload("x.json", content, "application/json")
    press(ran(app.run()), "import")
    assert said in words(app)
    assert not app.success


@pytest.mark.usefixtures("disputed")
def test_reviewed_documents_as_policy_files() -> None:
    app = press(show("exchange", "boss"), "make_policies")
    made = app.session_state["policies"]
    assert made.count == 1
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert archive.namelist() == ["policy-00.policy"]
        assert "{honors_detainers:prohibits}" in archive.read("policy-00.policy").decode()
    assert table(app, "document,reason")["document"].tolist() == ["policy-01.pdf"]


def test_two_documents_of_one_name_are_two_files(disputed: Store) -> None:
    add(disputed, "policy 00!.pdf", [*policy_units(1), Unit("Another one.")])
    (other,) = (d.document for d in list_documents(disputed) if d.document.name == "policy 00!.pdf")
    decide(disputed, "ann", queue(disputed, "ann", "document", replace(EVERYTHING, document=other.id)), HOLD)
    from classifier.ui import session

    assert session.store().engine.url == disputed.engine.url
    with zipfile.ZipFile(io.BytesIO(policy_files([d.document for d in list_documents(disputed)]).content)) as archive:
        assert sorted(archive.namelist()) == sorted({"policy-00.policy", *archive.namelist()})
        assert len(archive.namelist()) == 2


# people


def test_roles_are_changed_by_adjudicators(disputed: Store) -> None:
    app = show("people", "boss")
    shown = table(app, "name,role,decided").set_index("name")
    assert shown.loc[NASTY, "decided"] == 4
    assert shown.loc["ann", "questions"] == 1
    press(app, "change_role")
    assert "pick whose role changes" in words(app)
    app.selectbox(key="person").select("vic")
    app.selectbox(key="role").select("annotator")
    press(app, "change_role")
    assert "The role is changed" in words(app)
    assert {a.name: a.role for a in list_annotators(disputed)}["vic"] == "annotator"


def test_one_adjudicator_stays(disputed: Store) -> None:
    with pytest.raises(NotAllowed, match="ann is annotator"):
        change_role(disputed, "ann", "ann", "adjudicator")
    with pytest.raises(NotAllowed, match="nobody is called"):
        change_role(disputed, "boss", "nobody", "viewer")
    with pytest.raises(StoreError, match="the only adjudicator"):
        change_role(disputed, "boss", "boss", "viewer")
    change_role(disputed, "boss", "ann", "adjudicator")
    change_role(disputed, "ann", "boss", "viewer")
    app = show("people", "ann")
    app.selectbox(key="person").select("ann")
    app.selectbox(key="role").select("viewer")
    assert "make somebody else adjudicator first" in words(press(app, "change_role"))


@pytest.mark.usefixtures("disputed")
def test_with_single_sign_on_roles_come_from_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.ui.people.signs_in", lambda: True)
    app = show("people", "boss")
    assert "secrets" in words(app)
    assert not [b for b in app.button if b.key == "change_role"]


# models


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with version 1, in which the page works."""
    folder = tmp_path / "models"
    shutil.copytree(project_data("models/1"), folder / "1")
    (folder / "current").write_text("1\n", encoding="utf-8")
    monkeypatch.setattr(versions_page, "project_data", lambda name: folder if name == "models" else project_data(name))
    return folder


class Made:
    """What the page reads of a comparison."""

    version = "2"

    class learned:
        documents, clauses, annotators, held_out, known, repeated = 1, 4, 2, 0, 0, 0


def made(models: Path) -> Callable[..., Made]:
    """A training that takes no time: version 2 is version 1 under another name."""

    def retrain(*_: object, report: Callable[[str, float], None]) -> Made:
        report("fitting", 0.5)
        shutil.copytree(models / "1", models / "2")
        rows = [("overall", "core_f1", None, 0.7, 0.6, -0.1)]
        rows += [("honors_detainers", m, 9, 0.7, 0.7, 0.0) for m in ("f1", "f1_with_stance")]
        columns = ["practice", "measure", "support", "before", "after", "change"]
        pd.DataFrame(rows, columns=columns).to_csv(models / "2" / "comparison.csv", index=False)
        return Made()

    return retrain


@pytest.fixture
def instant(disputed: Store, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Reading and training that take no time, beside a store with decisions."""
    assert list_people(disputed)
    monkeypatch.setattr(versions_page, "training_documents", lambda _: [])
    monkeypatch.setattr(versions_page, "held_out_documents", lambda _: [])
    monkeypatch.setattr(versions_page, "retrain", made(models))
    return models


def test_a_new_version_is_measured_and_offered(instant: Path) -> None:
    app = show("versions_page", "boss")
    assert table(app, "version,state")["state"].tolist() == ["in use"]
    press(app, "retrain")
    assert "Version 2 is offered. It learnt from 4 corrected clauses" in words(app)
    assert version_in_use(instant) == "1"
    assert table(app, "measure,before,after")["so"].tolist() == ["worse"]
    assert table(app, "practice,F1 before")["so"].tolist() == ["same"]


def test_a_refused_version_is_promoted_deliberately_and_rolled_back(
    instant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifier.versions import Promotion, promote

    def refuse(models: Path, version: str, by: str, force: bool = False) -> Promotion:
        if version == "2" and not force and version_in_use(models) == "1":
            raise PromotionRefused("core F1 falls from 0.700 to 0.600", "correct more clauses")
        monkeypatch.setattr("classifier.versions.load_model", lambda _: type("M", (), {"version": version}))
        return promote(models, version, by, True)

    monkeypatch.setattr(versions_page, "promote", refuse)
    app = press(show("versions_page", "boss"), "retrain")
    press(app, "promote")
    assert "core F1 falls from 0.700 to 0.600" in words(app)
    assert app.button(key="force").disabled
    ran(app.checkbox(key="sure").check().run())
    press(app, "force")
    assert version_in_use(instant) == "2"
    assert "Version 2 is in use" in words(app)
    assert promotions(instant)[-1].by == "boss"
    assert app.button(key="promote").label == "Roll back to it"
    press(app, "promote")
    assert version_in_use(instant) == "1"


@pytest.mark.usefixtures("instant")
def test_a_training_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise UsageError("no correction to learn from", "review clauses of other documents")

    monkeypatch.setattr(versions_page, "retrain", fails)
    app = press(show("versions_page", "boss"), "retrain")
    assert "review clauses of other documents" in words(app)
    assert app.status[0].state == "error"
    press(app, "retrain")
    assert "somebody is training" not in words(app)  # the lock was given back


@pytest.mark.usefixtures("instant")
def test_two_do_not_train_at_once() -> None:
    app = show("versions_page", "boss")
    with versions_page.training():
        press(app, "retrain")
    assert "somebody is training a version already" in words(app)


def test_a_demoted_adjudicator_promotes_nothing(instant: Path, disputed: Store) -> None:
    app = press(show("versions_page", "boss"), "retrain")
    change_role(disputed, "boss", "ann", "adjudicator")
    change_role(disputed, "ann", "boss", "annotator")
    press(app, "promote")
    assert version_in_use(instant) == "1"


def test_a_folder_that_cannot_be_written_is_said(instant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions_page.os, "access", lambda *_: False)
    app = show("versions_page", "boss")
    assert "can't be written" in words(app)
    assert str(instant) in words(app)
    assert not app.button


def test_no_labels_means_none_of_the_practices() -> None:
    assert adjudication.lines_of(Labelling()) == []
