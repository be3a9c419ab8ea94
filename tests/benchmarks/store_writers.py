"""8 processes × 500 decisions on SQLite and on PostgreSQL, and how long each step of a review takes.

    python tests/benchmarks/store_writers.py

Prints how many decisions are stored, and the 50th and 95th percentile of each function with 5,000 clauses in 20 documents.
"""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent.parent))
from review_stores import HOLD, fill, postgres_server, write_decisions

from classifier.corrections import decide, flag, history, skip, undo, view_clause
from classifier.double_annotation import adjudicate, agreement, assign, disputes, double_decisions, final_labels
from classifier.interchange import export_records
from classifier.queues import EVERYTHING, Filters, duplicates_of, next_after, progress, queue, queue_length
from classifier.store import Store, open_store, register
from classifier.store_documents import list_departments, list_documents
from classifier.store_tables import events, standing

WRITERS, DECISIONS = 8, 500
DOCUMENTS, CLAUSES = 20, 250


def concurrent_writers(where: str, files: Path) -> None:
    """Run the writers and count what the store holds."""
    names = [f"annotator {n}" for n in range(WRITERS)]
    store = open_store(where, files)
    for name in names:
        register(store, name)
    store.close()
    context = multiprocessing.get_context("forkserver")
    began = time.perf_counter()
    workers = [context.Process(target=write_decisions, args=(where, files, name, DECISIONS)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - began
    with store.reading() as connection:
        stored = connection.scalar(sa.select(sa.func.count()).select_from(events))
        stands = connection.scalar(sa.select(sa.func.count()).select_from(standing))
    print(f"  {WRITERS} processes x {DECISIONS}: {stored} stored, {stands} stand, {seconds:.1f} s with start-up")
    store.close()


def latencies(store: Store) -> None:
    """Milliseconds of each function, as an annotator would call it over the whole store."""
    register(store, "ann")
    ids = queue(store, "ann", "document", EVERYTHING, limit=DOCUMENTS * CLAUSES)
    for id_ in ids[::2]:
        decide(store, "ann", [id_])
    assign(store, "boss", "annotator 0", 0.2, seed=1)
    first = list_documents(store)[0].document.id
    turns = iter(ids * 40)
    verdict = Filters(practice="honors_detainers", verdict="conditional")
    calls: dict[str, Callable[[], object]] = {
        "queue uncertain": lambda: queue(store, "ann"),
        "queue document": lambda: queue(store, "ann", "document", EVERYTHING),
        "queue audit": lambda: queue(store, "ann", "audit", EVERYTHING, seed=5),
        "queue practice + verdict": lambda: queue(store, "ann", filters=verdict),
        "queue disagreement": lambda: queue(store, "ann", filters=Filters(disagreement=True, state="any")),
        "queue search": lambda: queue(store, "ann", filters=Filters(search="rule 7-1")),
        "queue of a blind annotator": lambda: queue(store, "annotator 0"),
        "queue_length": lambda: queue_length(store, "ann"),
        "next_after": lambda: next_after(store, "ann", next(turns)),
        "view_clause": lambda: view_clause(store, "ann", next(turns)),
        "duplicates_of": lambda: duplicates_of(store, "ann", next(turns)),
        "decide": lambda: decide(store, "ann", [next(turns)], HOLD, seconds=1.0),
        "undo": lambda: undo(store, "ann"),
        "decide 20 at once": lambda: decide(store, "ann", [next(turns) for _ in range(20)], HOLD),
        "skip": lambda: skip(store, "ann", next(turns)),
        "flag": lambda: flag(store, "ann", next(turns), "is this a limit?"),
        "history": lambda: history(store, "ann", next(turns)),
        "progress": lambda: progress(store, "ann"),
        "list_documents": lambda: list_documents(store, "ann"),
        "list_departments": lambda: list_departments(store),
        "disputes": lambda: disputes(store, "boss"),
        "adjudicate": lambda: adjudicate(store, "boss", next(turns), HOLD, "plain words"),
        "final_labels, a document": lambda: final_labels(store, first),
    }
    for name, call in calls.items():
        _time(name, call, 100)
    _time("agreement (1000 resamples)", lambda: agreement(store, "ann", "annotator 1"), 3)
    _time("double_decisions", lambda: double_decisions(store), 3)
    _time("final_labels, everything", lambda: final_labels(store), 3)
    _time("export_records", lambda: export_records(store), 3)


def _time(name: str, call: Callable[[], object], times: int) -> None:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    taken.sort()
    print(f"  {name:<28} p50 {statistics.median(taken):7.1f} ms   p95 {taken[int(0.95 * (times - 1))]:7.1f} ms")


def measure(where: str, files: Path) -> None:
    """Both measures on one database."""
    store = open_store(where, files)
    fill(store, DOCUMENTS, CLAUSES)
    concurrent_writers(where, files)
    latencies(store)
    store.close()


def main() -> None:
    """Measure on SQLite, and on PostgreSQL where a server can be started."""
    with tempfile.TemporaryDirectory() as folder:
        print("SQLite")
        measure(f"{folder}/store.sqlite", Path(folder) / "files")
        try:
            with postgres_server() as server:
                print("PostgreSQL")
                measure(server.new_database(), Path(folder) / "files")
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"PostgreSQL: not measured ({error})")


if __name__ == "__main__":
    main()
