"""The review store on both databases: documents, queues, decisions, undo, roles, blind second annotators, adjudication."""

from __future__ import annotations

import random
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review_stores import HOLD, HOLD_LIMITED, PostgresServer, Unit, add, policy_units, postgres_server, scored
from sklearn.metrics import cohen_kappa_score

from classifier.agreement import kappa_of
from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.corrections import SLOTS, decide, flag, history, skip, undo, view_clause
from classifier.departments import Department
from classifier.double_annotation import (
    adjudicate,
    agreement,
    assign,
    disputes,
    double_decisions,
    final_labels,
)
from classifier.labellings import Labelling, LabellingError
from classifier.queues import EVERYTHING, Filters, duplicates_of, next_after, progress, queue, queue_length
from classifier.reliability import Answers, agreement_of, alpha_of
from classifier.store import Annotator, NotAllowed, Store, list_annotators, open_store, register
from classifier.store_documents import add_document, list_departments, list_documents
from classifier.store_tables import MIGRATIONS, StoreError, clauses, events, metadata, migrate, standing

NONE = Labelling()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer | str]:
    """A PostgreSQL server, or why there is none."""
    try:
        with postgres_server() as running:
            yield running
    except (OSError, LookupError, subprocess.CalledProcessError) as error:
        yield f"no PostgreSQL server can be started here: {error}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, server: PostgresServer | str) -> Iterator[Store]:
    """An empty store with the annotators ann and bob, the adjudicator judge and the viewer vic."""
    if request.param == "sqlite":
        opened = open_store(tmp_path / "review" / "store.sqlite")
    elif isinstance(server, str):
        pytest.skip(server)
    else:
        opened = open_store(server.new_database(), tmp_path / "files")
    for name in ("ann", "bob"):
        register(opened, name)
    register(opened, "judge", "adjudicator")
    register(opened, "vic", "viewer")
    yield opened
    opened.close()


@pytest.fixture
def ids(store: Store) -> list[str]:
    """The clauses of a document with thirty of them, in reading order."""
    add(store, "general-order.txt", policy_units(30))
    return queue(store, "ann", "document", EVERYTHING)


def reopened(store: Store) -> Store:
    return open_store(store.engine.url.render_as_string(hide_password=False), store.files)


# ---- opening


def test_a_store_is_made_once_and_opened_again(store: Store) -> None:
    again = reopened(store)
    assert list_annotators(again) == [
        Annotator("ann", "annotator"),
        Annotator("bob", "annotator"),
        Annotator("judge", "adjudicator"),
        Annotator("vic", "viewer"),
    ]
    again.close()


def test_the_tables_are_what_the_code_asks_for(store: Store) -> None:
    found = sa.inspect(store.engine)
    for table in metadata.tables.values():
        assert {c["name"] for c in found.get_columns(table.name)} == {c.name for c in table.columns}


def test_a_store_of_a_newer_program_is_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(StoreError, match=r"newer version.*update the program"):
        reopened(store)


def test_an_old_store_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.sqlite")
    store.close()
    old = replace(store, engine=sa.create_engine(f"sqlite:///{tmp_path}/old.sqlite"))
    with old.engine.begin() as connection:
        migrate(connection, MIGRATIONS[:1])
        connection.exec_driver_sql("INSERT INTO annotators VALUES ('ann', 'annotator')")
    old.engine.dispose()
    store = open_store(tmp_path / "old.sqlite")
    assert list_annotators(store) == [Annotator("ann", "annotator")]
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar() == len(MIGRATIONS)
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").scalar() == 2
    store.close()


def test_a_migration_that_fails_leaves_nothing_behind(store: Store) -> None:
    def fails(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (done INTEGER)")
        raise StoreError("stop")

    with pytest.raises(StoreError, match="stop"), store.writing() as connection:
        migrate(connection, (*MIGRATIONS, fails))
    assert "half" not in sa.inspect(store.engine).get_table_names()


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.sqlite").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_store(tmp_path / "letter.sqlite")
    for where, message in [
        (":memory:", "in memory"),
        ("sqlite://", "in memory"),
        ("mysql://x/y", "no support for mysql"),
        ("://", "not a database URL"),
        ("postgresql://nobody@/x", "no folder"),
        (str(tmp_path / "letter.sqlite" / "below"), "can't be made"),
    ]:
        with pytest.raises(StoreError, match=message):
            open_store(where)


def test_a_database_server_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="database server"):
        open_store(f"postgresql://nobody@/x?host={tmp_path}", tmp_path / "files")


def test_sqlite_is_set_up_for_several_writers(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.sqlite")
    with store.reading() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 2, 1, 30000]
    store.close()


def test_names_and_roles_are_checked(store: Store) -> None:
    register(store, "bob", "adjudicator")
    assert Annotator("bob", "adjudicator") in list_annotators(store)
    for name, role in [(" ", "annotator"), ("a\nb", "annotator"), ("eve", "root")]:
        with pytest.raises(StoreError):
            register(store, name, role)  # type: ignore[arg-type]
    with pytest.raises(StoreError), store.writing() as connection:
        connection.exec_driver_sql("INSERT INTO annotators VALUES ('eve', 'root')")


# ---- documents


def test_a_document_is_added_once(store: Store) -> None:
    first = add(store, "a.txt", policy_units(12))
    assert add(store, "a.txt", policy_units(12)) == first
    (found,) = list_documents(store)
    assert (found.document.clauses, found.document.coverage) == (12, 1.0)
    assert (found.document.department.name, found.document.department.kind) == ("Oxbow Falls PD", "municipal police")
    assert found.document.kept.read_text() == "a.txt"


def test_the_kept_copy_has_a_name_of_its_own_and_is_private(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "..%2f<b>evil.PDF"
    file.write_bytes(b"%PDF-1.7")
    add_document(store, scored("../../etc/passwd\x00", [Unit("Members shall.")]), Department("X"), "1", file)
    (found,) = list_documents(store)
    assert found.document.kept == store.files / f"{found.document.id}.pdf"
    assert stat.S_IMODE(found.document.kept.stat().st_mode) == 0o600
    assert found.document.name == "../../etc/passwd\ufffd"
    with pytest.raises(StoreError, match="can't be kept"):
        add_document(store, scored("x", []), Department("X"), "1", tmp_path / "gone.pdf")


def test_a_new_model_version_keeps_decisions_and_clauses_that_are_still_cut(store: Store) -> None:
    add(
        store, "a.txt", [Unit("One stays.", (("honors_detainers", "limits"),)), Unit("Two goes."), Unit("Three stays.")]
    )
    one, two, three = queue(store, "ann", "document", EVERYTHING)
    for clause in (one, two):
        decide(store, "ann", [clause], HOLD)
    add(store, "a.txt", [Unit("New."), Unit("Three stays."), Unit("One stays.", (("cites_lunn", None),))], model="2")
    now = queue(store, "ann", "document", EVERYTHING)
    assert now[1:] == [three, one]
    view = view_clause(store, "ann", one)
    assert view.prediction is not None
    assert [label.practice for label in view.prediction.labels] == ["cites_lunn"]
    assert view.decision is not None
    assert (view.decision.new, view.decision.model, view.document.model) == (HOLD, "1", "2")
    assert [event.new for event in history(store, "ann", two)] == [HOLD]
    assert queue_length(store, "ann", Filters(practice="honors_detainers", state="any")) == 0
    add(store, "a.txt", [Unit("One stays.")], model="1")  # back to the version before
    assert view_clause(store, "ann", one).document.model == "1"


def test_departments_and_progress_are_counted(store: Store) -> None:
    add(store, "a.txt", policy_units(5), "Alford")
    add(store, "b.txt", policy_units(7, 1), "Becket")
    add(store, "c.txt", [], "Becket")
    assert [(d.name, d.documents, d.clauses) for d in list_departments(store)] == [("Alford", 1, 5), ("Becket", 2, 7)]
    ids = queue(store, "ann", "document")
    decide(store, "ann", ids[:2], HOLD)
    skip(store, "ann", ids[1])
    skip(store, "ann", ids[2])
    flag(store, "ann", ids[3], "Is this a limit?")
    assert [(d.document.name, d.decided, d.skipped, d.flagged) for d in list_documents(store, "ann")] == [
        ("a.txt", 2, 1, 1),
        ("b.txt", 0, 0, 0),
        ("c.txt", 0, 0, 0),
    ]
    seen = progress(store, "ann")
    assert (seen.clauses, seen.decided, seen.skipped, seen.flagged, seen.assigned) == (12, 2, 1, 1, 0)
    assert progress(store, "bob").decided == 0


# ---- queues


def test_a_queue_can_be_read_in_three_orders(store: Store) -> None:
    add(store, "b.txt", [Unit("B one.", doubt=0.2), Unit("TITLE", kind="heading"), Unit("B two.", doubt=0.9)])
    add(store, "a.txt", [Unit("A one.", doubt=0.5)])
    text = {id_: view_clause(store, "ann", id_).clause.text for id_ in queue(store, "ann")}
    assert [text[i] for i in queue(store, "ann")] == ["B two.", "A one.", "B one."]
    assert [text[i] for i in queue(store, "ann", "document")] == ["A one.", "B one.", "B two."]
    assert sorted(queue(store, "ann", "audit", seed=3)) == sorted(text)


def test_an_audit_sample_is_fair_and_the_same_for_a_seed(store: Store, ids: list[str]) -> None:
    assert queue(store, "ann", "audit", seed=7) == queue(store, "bob", "audit", seed=7)
    counts = dict.fromkeys(ids, 0)
    for seed in range(200):
        for id_ in queue(store, "ann", "audit", EVERYTHING, limit=6, seed=seed):
            counts[id_] += 1
    assert sum(counts.values()) == 1200
    assert min(counts.values()) > 15
    assert max(counts.values()) < 70  # 40 on average, standard deviation 5.7


@pytest.mark.parametrize("order", ["uncertain", "document", "audit"])
def test_next_walks_the_queue_both_ways(store: Store, ids: list[str], order: str) -> None:
    whole = queue(store, "ann", order, seed=4)  # type: ignore[arg-type]
    assert sorted(whole) == sorted(ids)
    walked = [whole[0]]
    while (after := next_after(store, "ann", walked[-1], order, seed=4)) is not None:  # type: ignore[arg-type]
        decide(store, "ann", [walked[-1]], HOLD)  # what is decided leaves the queue, not its place in it
        walked.append(after)
    assert walked == whole
    back = next_after(store, "ann", whole[9], order, EVERYTHING, backwards=True, seed=4)  # type: ignore[arg-type]
    assert back == whole[8]
    assert next_after(store, "ann", whole[0], order, EVERYTHING, backwards=True, seed=4) is None  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="no clause"):
        next_after(store, "ann", "gone")


def test_filters(store: Store) -> None:
    a = add(
        store,
        "a.txt",
        [
            Unit("Members shall not hold anyone.", (("honors_detainers", "prohibits"),)),
            Unit("Lunn v. Commonwealth says so.", (("cites_lunn", None),)),
            Unit("Use 100% of the form_2.", context="When ASKED:"),
        ],
        "Alford",
    )
    add(store, "b.txt", [Unit("Hold 1000 people.", (("honors_detainers", "requires"),))], "Becket")
    one, two, three, four = queue(store, "ann", "document")

    def passing(**filters: object) -> list[str]:
        return queue(store, "ann", "document", Filters(**filters))  # type: ignore[arg-type]

    assert passing(practice="honors_detainers") == [one, four]
    assert passing(practice="honors_detainers", verdict="refuses") == [one]
    assert passing(verdict="does") == [two, four]
    assert passing(practice="cites_lunn", verdict="refuses") == []
    assert passing(department="Becket") == [four]
    assert passing(document=a) == [one, two, three]
    assert passing(search="100% OF") == [three]
    assert passing(search="when asked: use") == [three]
    assert passing(search="form_2") == [three]
    assert passing(search="0_") == []
    decide(store, "ann", [one], HOLD)
    skip(store, "ann", two)
    flag(store, "ann", three, "What form?")
    assert passing() == [three, four]
    assert passing(state="decided") == [one]
    assert passing(state="skipped") == [two]
    assert passing(state="flagged") == [three]
    decide(store, "ann", [two], NONE)
    assert passing(state="skipped") == []
    decide(store, "bob", [one], HOLD_LIMITED)
    assert passing(state="any", disagreement=True) == [one]
    adjudicate(store, "judge", one, HOLD, "it says not")
    adjudicate(store, "judge", three, NONE, "no practice")
    assert passing(state="any", disagreement=True) == []
    assert passing(state="flagged") == []
    assert queue_length(store, "ann", Filters(state="decided")) == 2


def test_exact_duplicates_in_other_documents_are_decided_together(store: Store) -> None:
    same = Unit("shall not hold  anyone.", (("honors_detainers", "prohibits"),), context="Members:")
    add(store, "a.txt", [same, same])
    add(store, "b.txt", [replace(same, text="Shall not hold anyone."), replace(same, context="Officers:")])
    add(store, "c.txt", [same])
    one, one_again, two, other, three = queue(store, "ann", "document")
    assert duplicates_of(store, "ann", one) == [two, three]
    assert duplicates_of(store, "ann", other) == []
    decide(store, "ann", [one, two], HOLD)
    assert duplicates_of(store, "ann", one) == [three]
    assert duplicates_of(store, "bob", two) == [one, one_again, three]
    (first,), (second,) = history(store, "ann", one), history(store, "ann", two)
    assert first.batch == second.batch
    undone = undo(store, "ann")
    assert undone is not None
    assert undone.clauses == (one, two)
    with pytest.raises(StoreError, match="no clause"):
        duplicates_of(store, "ann", "gone")


# ---- one clause


def test_a_clause_is_shown_with_its_surroundings(store: Store, ids: list[str]) -> None:
    view = view_clause(store, "ann", ids[5])
    assert [c.id for c in (*view.before, view.clause, *view.after)] == ids[3:8]
    assert view.prediction is not None
    assert view.prediction.labels[0].practice == "honors_detainers"
    assert view.clause.boxes == ((1, 72.0, 90.5, 500.0, 102.0),)
    assert (view.place, view.decision, view.flag, view.blind, view.document.clauses) == (5, None, "", False, 30)
    assert [c.id for c in view_clause(store, "ann", ids[0]).after] == ids[1:3]
    with pytest.raises(StoreError, match="no clause"):
        view_clause(store, "ann", "gone")


def test_what_the_machine_said_is_kept_with_the_decision(store: Store) -> None:
    said = Condition("approval", "unless the Chief agrees")
    add(store, "a.txt", [Unit("Hold, unless the Chief agrees.", (("honors_detainers", "limits"),), conditions=(said,))])
    (id_,) = queue(store, "ann")
    (accepted,) = decide(store, "ann", [id_], seconds=2.5, note="clear")
    assert (accepted.kind, accepted.new) == ("accept", Labelling({"honors_detainers": "limits"}, (said,)))
    (corrected,) = decide(store, "ann", [id_], HOLD_LIMITED)
    assert (corrected.kind, corrected.old, corrected.new) == ("correct", accepted.new, HOLD_LIMITED)
    first, second = history(store, "ann", id_)
    assert first == accepted
    assert second == corrected
    assert first.machine is not None
    assert first.machine["labels"] == [
        {"practice": "honors_detainers", "probability": 0.9, "stance": "limits", "stance_probability": 0.8}
    ]
    assert (first.model, first.seconds, first.note, first.machine["doubt"]) == ("1", 2.5, "clear", 0.1)
    assert first.time.tzinfo is not None


@pytest.mark.parametrize(
    ("labelling", "message"),
    [
        (Labelling({"honours": "limits"}), "unknown practice"),
        (Labelling({"honors_detainers": None}), "unknown stance"),
        (Labelling({"honors_detainers": "maybe"}), "unknown stance"),
        (Labelling({"cites_lunn": "states"}), "carries no stance"),
        (Labelling({}, (Condition("approval", "Members"),)), "without a practice"),
        (Labelling({"honors_detainers": "limits"}, (Condition("mood", "Members"),)), "unknown condition"),
        (Labelling({"honors_detainers": "limits"}, (Condition("approval", "the Chief"),)), "not in the clause"),
        (Labelling({"honors_detainers": "limits"}, (Condition("approval", " "),)), "not in the clause"),
    ],
)
def test_labels_that_break_the_codebook_are_refused_whole(tmp_path: Path, labelling: Labelling, message: str) -> None:
    store = open_store(tmp_path / "store.sqlite")
    register(store, "ann")
    add(store, "a.txt", policy_units(3))
    ids = queue(store, "ann")
    with pytest.raises(LabellingError, match=message):
        decide(store, "ann", ids, labelling)
    with pytest.raises(StoreError, match="no clause"):
        decide(store, "ann", [ids[0], "gone"], HOLD)
    with pytest.raises(StoreError, match="no time taken"):
        decide(store, "ann", ids, HOLD, seconds=-1)
    assert progress(store, "ann").decided == 0
    store.close()


def test_a_heading_is_nothing_to_decide(store: Store) -> None:
    add(store, "a.txt", [Unit("III. CUSTODY", kind="heading"), Unit("Members shall.")])
    (clause,) = queue(store, "ann")
    (heading,) = view_clause(store, "ann", clause).before
    with pytest.raises(StoreError, match="no clause"):
        decide(store, "ann", [heading.id], HOLD)


# ---- undo


def test_undo_goes_back_step_by_step_also_after_a_restart(store: Store, ids: list[str]) -> None:
    decide(store, "ann", [ids[0]], HOLD)
    decide(store, "ann", [ids[0]], HOLD_LIMITED)
    skip(store, "ann", ids[1])
    flag(store, "ann", ids[2], "who is the Chief?")
    decide(store, "bob", [ids[0]], NONE)
    again = reopened(store)
    kinds = []
    for _ in range(3):
        undone = undo(again, "ann")
        assert undone is not None
        kinds.append((undone.kind, undone.restored))
    assert kinds == [("flag", None), ("skip", None), ("correct", HOLD)]
    decision = view_clause(again, "ann", ids[0]).decision
    assert decision is not None
    assert decision.new == HOLD
    assert undo(again, "ann") is not None
    assert undo(again, "ann") is None
    assert view_clause(again, "ann", ids[0]).decision is None
    assert queue(again, "ann", "document") == ids
    kept = view_clause(again, "bob", ids[0]).decision
    assert kept is not None
    assert kept.new == NONE
    assert [e.kind for e in history(again, "ann", ids[0])] == ["correct", "correct", "correct", "undo", "undo"]
    again.close()


def test_events_can_only_be_added(store: Store, ids: list[str]) -> None:
    decide(store, "ann", [ids[0]], HOLD)
    for change in (events.update().values(note="changed"), events.delete()):
        with pytest.raises(StoreError, match="append-only"), store.writing() as connection:
            connection.execute(change)
    assert [event.note for event in history(store, "ann", ids[0])] == [""]


def test_an_event_is_undone_once(store: Store, ids: list[str]) -> None:
    (event,) = decide(store, "ann", [ids[0]], HOLD)
    undo(store, "ann")
    values = {"time": event.time, "annotator": "ann", "clause": ids[0], "kind": "undo", "batch": "b", "model": ""}
    with pytest.raises(StoreError, match=r"(?i)unique"), store.writing() as connection:
        connection.execute(events.insert().values(**values, undoes=event.id, note=""))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["ann", "bob", "judge"]),
            st.sampled_from("decide skip flag undo settle".split()),
            st.integers(0, 3),
        ),
        max_size=25,
    )
)
def test_what_stands_follows_from_the_events(tmp_path: Path, steps: list[tuple[str, str, int]]) -> None:
    """`standing` against its definition: the last event of each slot that no undo took back."""
    fresh = not (tmp_path / "store.sqlite").exists()
    store = open_store(tmp_path / "store.sqlite")
    if fresh:
        for name in ("ann", "bob"):
            register(store, name)
        register(store, "judge", "adjudicator")
        add(store, "a.txt", policy_units(4))
    ids = queue(store, "ann", "document", EVERYTHING)
    for annotator, step, number in steps:
        if step == "decide":
            decide(store, annotator, ids[number : number + 2], HOLD if number % 2 else HOLD_LIMITED)
        elif step == "skip":
            skip(store, annotator, ids[number])
        elif step == "flag":
            flag(store, annotator, ids[number], "?")
        elif step == "undo":
            undo(store, annotator)
        elif annotator == "judge":
            adjudicate(store, annotator, ids[number], HOLD, "so")
    with store.reading() as connection:
        rows = connection.execute(sa.select(events).order_by(events.c.id)).all()
        stands = {
            (row.clause, row.annotator, row.slot): (row.event, row.answer)
            for row in connection.execute(sa.select(standing)).all()
        }
    undone = {row.undoes for row in rows}
    expected = {
        (row.clause, row.annotator, SLOTS[row.kind]): (row.id, row.answer)
        for row in rows
        if row.kind != "undo" and row.id not in undone
    }
    assert stands == expected
    store.close()


# ---- roles


def test_roles_are_enforced_below_any_screen(store: Store, ids: list[str]) -> None:
    refused = [
        lambda: decide(store, "vic", [ids[0]], HOLD),
        lambda: decide(store, "nobody", [ids[0]], HOLD),
        lambda: skip(store, "vic", ids[0]),
        lambda: flag(store, "vic", ids[0], "?"),
        lambda: undo(store, "vic"),
        lambda: adjudicate(store, "ann", ids[0], HOLD, "because"),
        lambda: disputes(store, "ann"),
        lambda: assign(store, "ann", "bob", 0.5),
        lambda: assign(store, "judge", "vic", 0.5),
    ]
    for call in refused:
        with pytest.raises(NotAllowed):
            call()
    assert history(store, "judge", ids[0]) == []


# ---- a second annotator


def test_a_share_is_drawn_by_seed_and_only_once(store: Store, ids: list[str]) -> None:
    decide(store, "bob", [ids[0]], HOLD)
    given = assign(store, "judge", "bob", 0.5, seed=3)
    assert 14 <= given <= 15
    assert assign(store, "judge", "bob", 0.5, seed=3) == 0
    assigned = queue(store, "bob", "document", Filters(assigned=True))
    assert len(assigned) == given
    assert ids[0] not in assigned
    add(store, "other.txt", policy_units(5, 9))
    other = next(d.document.id for d in list_documents(store) if d.document.name == "other.txt")
    assert assign(store, "judge", "ann", 0.1, unit="document", within=[other]) == 5
    with pytest.raises(StoreError, match="share"):
        assign(store, "judge", "bob", 0)


def test_a_blind_annotator_sees_neither_machine_nor_others(store: Store, ids: list[str]) -> None:
    decide(store, "ann", ids[:4], HOLD)
    assign(store, "judge", "bob", 1.0)
    view = view_clause(store, "bob", ids[1])
    assert (view.blind, view.prediction, view.decision) == (True, None, None)
    assert history(store, "bob", ids[1]) == []
    assert queue(store, "bob", filters=Filters(practice="honors_detainers")) == []
    assert queue(store, "bob", filters=Filters(disagreement=True, state="any")) == []
    assert queue(store, "bob", "uncertain") == ids  # the order must not tell either
    with pytest.raises(StoreError, match="no labels of the machine"):
        decide(store, "bob", [ids[1]])
    (event,) = decide(store, "bob", [ids[1]], Labelling({"honors_detainers": "limits"}))
    assert (event.kind, event.old, event.machine, event.model) == ("correct", None, None, "")
    own = view_clause(store, "bob", ids[1]).decision
    assert own is not None
    assert own.machine is None
    assert history(store, "bob", ids[1]) == [own]
    assert [e.annotator for e in history(store, "ann", ids[1])] == ["ann"]  # nor the first what the second says
    assert len(history(store, "judge", ids[1])) == 2
    with store.reading() as connection:
        assert connection.scalar(sa.select(events.c.machine).where(events.c.id == event.id)) is not None
    adjudicate(store, "judge", ids[1], HOLD, "never")
    assert view_clause(store, "bob", ids[1]).prediction is not None
    assert len(history(store, "bob", ids[1])) == 3


def test_blind_clauses_are_not_decided_along_with_seen_ones(store: Store) -> None:
    add(store, "a.txt", [Unit("Members shall not hold anyone.")])
    add(store, "b.txt", [Unit("Members shall not hold anyone.")])
    add(store, "c.txt", [Unit("Members shall not hold anyone.")])
    one, two, three = queue(store, "ann", "document")
    seen = [d.document.id for d in list_documents(store)][:1]
    assign(store, "judge", "ann", 1.0, within=seen)
    assert duplicates_of(store, "ann", two) == [three]
    assert duplicates_of(store, "ann", one) == []
    assert duplicates_of(store, "bob", one) == [two, three]


def test_disputes_are_settled_with_a_reason(store: Store, ids: list[str]) -> None:
    decide(store, "ann", ids[:3], HOLD)
    decide(store, "bob", ids[:2], HOLD_LIMITED)
    decide(store, "bob", [ids[2]], HOLD)
    first, second = disputes(store, "judge")
    assert (first.clause, second.clause) == (ids[0], ids[1])
    assert [(e.annotator, e.new) for e in first.decisions] == [("ann", HOLD), ("bob", HOLD_LIMITED)]
    with pytest.raises(StoreError, match="no reason"):
        adjudicate(store, "judge", ids[0], HOLD, "  ")
    event = adjudicate(store, "judge", ids[0], HOLD_LIMITED, "the exception limits it")
    assert (event.kind, event.note) == ("adjudicate", "the exception limits it")
    assert [d.clause for d in disputes(store, "judge")] == [ids[1]]
    finals = {final.clause: final for final in final_labels(store)}
    assert [finals[i].state for i in ids[:4]] == ["adjudicated", "disputed", "reviewed", "machine only"]
    assert finals[ids[0]].labelling == HOLD_LIMITED
    assert finals[ids[0]].annotators == ("judge",)
    assert finals[ids[2]].annotators == ("ann", "bob")
    assert finals[ids[3]].labelling.labels == {"notifies_ice_on_release": "requires"}
    assert list(finals) == ids
    undo(store, "judge")
    assert [d.clause for d in disputes(store, "judge")] == ids[:2]


def test_an_adjudicator_who_labels_blind_decides_before_seeing_the_dispute(store: Store, ids: list[str]) -> None:
    assign(store, "judge", "judge", 1.0)
    decide(store, "ann", [ids[0]], HOLD)
    decide(store, "bob", [ids[0]], HOLD_LIMITED)
    assert disputes(store, "judge") == []
    decide(store, "judge", [ids[0]], HOLD)
    assert [d.clause for d in disputes(store, "judge")] == [ids[0]]


# ---- agreement


def test_alpha_of_published_examples() -> None:
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), A: binary data, B: nominal data, two observers
    binary = ("0100000010", "1110010000")
    nominal = ("aabbdcccedda", "babbbccceddd")
    for (first, second), alpha in ((binary, 0.095), (nominal, 0.692)):
        names = sorted({*first, *second})
        table = np.zeros((len(names), len(names)))
        for a, b in zip(first, second, strict=True):
            table[names.index(a), names.index(b)] += 1
        assert float(alpha_of(table + table.T)) == pytest.approx(alpha, abs=5e-4)


def test_kappa_is_that_of_scikit_learn() -> None:
    drawn = random.Random(2)
    for kinds in (2, 5):
        pairs = [(drawn.randrange(kinds), drawn.choice([0, drawn.randrange(kinds)])) for _ in range(60)]
        table = np.zeros((kinds, kinds))
        for a, b in pairs:
            table[a, b] += 1
        assert float(kappa_of(table)) == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
    assert float(kappa_of(np.array([[4.0, 0.0], [0.0, 0.0]]))) == 1.0
    assert float(alpha_of(np.array([[8.0, 0.0], [0.0, 0.0]]))) == 1.0


def test_intervals_hold_the_estimate_and_are_seeded() -> None:
    drawn = random.Random(1)
    answers = []
    for _ in range(150):
        first = {"honors_detainers": drawn.choice(["limits", "prohibits"])} if drawn.random() < 0.5 else {}
        second: dict[str, str | None] = dict(first) if drawn.random() < 0.8 else {"honors_detainers": "limits"}
        answers.append(Answers(dict(first), second))
    table = agreement_of(answers, seed=3).table
    assert table.equals(agreement_of(answers, seed=3).table)
    row = table.set_index("name").loc["honors_detainers"]
    assert row["kappa_low"] < row["kappa"] < row["kappa_high"]
    assert row["alpha_low"] < row["alpha"] < row["alpha_high"]
    assert row["items"] == 150
    book = load_codebook()
    assert list(table["name"]) == [*book.practice_ids, "any stance", *book.stances]
    assert table.set_index("name").loc["any stance", "items"] == sum(bool(a.first) and bool(a.second) for a in answers)


def test_agreement_of_two_annotators_and_the_raw_table(store: Store, ids: list[str]) -> None:
    with pytest.raises(StoreError, match="no clause that both"):
        agreement(store, "ann", "bob")
    for n, id_ in enumerate(ids[:10]):
        decide(store, "ann", [id_], HOLD)
        decide(store, "bob", [id_], HOLD if n < 8 else HOLD_LIMITED if n == 8 else NONE)
    adjudicate(store, "judge", ids[9], HOLD, "so it says")
    found = agreement(store, "ann", "bob", resamples=50)
    rows = found.table.set_index("name")
    assert found.clauses == 10
    assert rows.loc["honors_detainers", "share"] == pytest.approx(0.9)
    assert rows.loc["any stance", "share"] == pytest.approx(8 / 9)
    assert rows.loc["cites_lunn", "kappa"] == 1.0
    raw = double_decisions(store)
    assert list(raw.columns) == [
        "clause",
        "document",
        "page",
        "heading",
        "context",
        "text",
        "ann",
        "bob",
        "adjudicated",
    ]
    assert list(raw["clause"]) == ids[:10]
    last = raw.iloc[9]
    assert (last["ann"], last["bob"], last["adjudicated"]) == (
        "honors_detainers:prohibits;", ";", "honors_detainers:prohibits;",
    )  # fmt: skip


def test_clause_ids_do_not_depend_on_the_name_of_the_file(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("same bytes")
    units = [Unit("One."), Unit("One."), Unit("Two.")]
    add_document(store, scored("upload-1.txt", units), Department("X"), "1", file)
    before = queue(store, "ann", "document")
    assert len(set(before)) == 3
    add_document(store, scored("again.txt", units), Department("X"), "2", file)
    assert queue(store, "ann", "document") == before
    with store.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(clauses)) == 3
