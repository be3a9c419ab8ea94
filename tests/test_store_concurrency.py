"""Several processes on one store, and writers and servers killed in the middle: no acknowledged decision is lost.

The full run, 8 processes × 500 decisions, is benchmarks/store_writers.py.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from review_stores import HOLD, HOLD_LIMITED, PostgresServer, add, policy_units, postgres_server, write_decisions

from classifier.corrections import undo, view_clause
from classifier.queues import EVERYTHING, queue
from classifier.store import Store, open_store, register
from classifier.store_documents import list_documents
from classifier.store_tables import events, standing

WRITERS, DECISIONS = 4, 40
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["review_stores"])


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as running:
            yield running
    except (OSError, LookupError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no PostgreSQL server can be started here: {error}")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite")
    made: PostgresServer = request.getfixturevalue("server")
    return made.new_database()


def filled(where: str, files: Path) -> Store:
    store = open_store(where, files)
    for n in range(WRITERS):
        register(store, f"annotator {n}")
    add(store, "a.txt", policy_units(25))
    return store


def stored(store: Store) -> list[tuple[int, str]]:
    with store.reading() as connection:
        rows = connection.execute(sa.select(events.c.id, events.c.clause).order_by(events.c.id))
        return [(row.id, row.clause) for row in rows]


def open_at_once(where: str, files: Path) -> None:
    """What a process does that meets others at a new database: make it, and add the same document."""
    store = open_store(where, files)
    register(store, "ann")
    add(store, "a.txt", policy_units(25))
    store.close()


def undo_all(where: str, files: Path, annotator: str) -> None:
    """One of several sessions of the same annotator that undo as long as there is something."""
    store = open_store(where, files)
    while undo(store, annotator) is not None:
        pass
    store.close()


def run(target: object, arguments: list[tuple[object, ...]]) -> None:
    processes = [CONTEXT.Process(target=target, args=its) for its in arguments]  # type: ignore[arg-type]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def test_processes_that_make_the_store_at_once_make_one(where: str, tmp_path: Path) -> None:
    run(open_at_once, [(where, tmp_path / "files")] * WRITERS)
    store = open_store(where, tmp_path / "files")
    assert [(d.document.name, d.document.clauses) for d in list_documents(store)] == [("a.txt", 25)]
    store.close()


def test_no_writer_overwrites_another(where: str, tmp_path: Path) -> None:
    store = filled(where, tmp_path / "files")
    names = [f"annotator {n}" for n in range(WRITERS)]
    run(write_decisions, [(where, tmp_path / "files", name, DECISIONS) for name in names])
    with store.reading() as connection:
        assert Counter(connection.scalars(sa.select(events.c.annotator))) == dict.fromkeys(names, DECISIONS)
        # each annotator went over the 25 clauses, and has one decision standing on each: the last
        assert Counter(connection.scalars(sa.select(standing.c.annotator))) == dict.fromkeys(names, 25)
        last = sa.select(sa.func.max(events.c.id)).group_by(events.c.annotator, events.c.clause)
        assert set(connection.scalars(sa.select(standing.c.event))) == set(connection.scalars(last))
    store.close()


def test_sessions_of_one_annotator_undo_each_step_once(where: str, tmp_path: Path) -> None:
    store = filled(where, tmp_path / "files")
    write_decisions(where, tmp_path / "files", "annotator 0", 30)
    run(undo_all, [(where, tmp_path / "files", "annotator 0")] * 3)
    with store.reading() as connection:
        kinds = Counter(connection.scalars(sa.select(events.c.kind)))
        assert kinds["undo"] == 30
        assert connection.scalar(sa.select(sa.func.count()).select_from(standing)) == 0
    store.close()


def test_a_killed_writer_loses_nothing_that_it_was_told_is_stored(where: str, tmp_path: Path) -> None:
    store = filled(where, tmp_path / "files")
    heard, told = CONTEXT.Pipe(duplex=False)
    writer = CONTEXT.Process(target=write_decisions, args=(where, tmp_path / "files", "annotator 0", 100_000, told))
    writer.start()
    told.close()
    acknowledged = [heard.recv() for _ in range(60)]
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(60)
    while True:
        try:
            acknowledged.append(heard.recv())
        except EOFError:
            break
    heard.close()
    found = stored(store)
    assert set(acknowledged) <= set(found)
    assert len(found) <= len(acknowledged) + 1  # at most the one that was being told
    write_decisions(where, tmp_path / "files", "annotator 0", 5)  # nothing stays locked
    assert len(stored(store)) == len(found) + 5
    store.close()


def test_a_killed_postgresql_server_keeps_what_it_acknowledged(server: PostgresServer, tmp_path: Path) -> None:
    where = server.new_database()
    store = filled(where, tmp_path / "files")
    heard, told = CONTEXT.Pipe(duplex=False)
    writer = CONTEXT.Process(target=write_decisions, args=(where, tmp_path / "files", "annotator 0", 100_000, told))
    writer.start()
    told.close()
    acknowledged = [heard.recv() for _ in range(60)]
    server.stop("immediate")
    writer.join(60)
    assert writer.exitcode == 1  # an error in words, not a decision silently gone
    while heard.poll():
        try:
            acknowledged.append(heard.recv())
        except EOFError:
            break
    heard.close()
    server.start()
    assert set(acknowledged) <= set(stored(store))  # the open store finds its way back by itself
    (first, *_) = queue(store, "annotator 0", "audit", EVERYTHING, seed=len("annotator 0"))
    decision = view_clause(store, "annotator 0", first).decision
    assert decision is not None
    assert decision.new in (HOLD, HOLD_LIMITED)
    store.close()
