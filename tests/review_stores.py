"""Review stores for tests: scored documents made on the spot, a PostgreSQL server of our own, writers in processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import sqlalchemy as sa

from classifier.clauses import Clause
from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.corrections import decide
from classifier.departments import Department
from classifier.findings import find
from classifier.labellings import Labelling
from classifier.pipeline import ScoredDocument, highest_scores, rules
from classifier.predictions import Label, Prediction
from classifier.queues import EVERYTHING, queue
from classifier.store import Store, open_store, register
from classifier.store_documents import add_document

PRACTICES = load_codebook().practice_ids
HOLD = Labelling({"honors_detainers": "prohibits"})
HOLD_LIMITED = Labelling({"honors_detainers": "limits"})


@dataclass(frozen=True)
class Unit:
    """What a test says of one clause. doubt: the machine's, 0 to 1."""

    text: str
    labels: tuple[tuple[str, str | None], ...] = ()
    doubt: float = 0.1
    context: str = ""
    heading: str = ""
    kind: str = "clause"
    conditions: tuple[Condition, ...] = ()


def scored(name: str, units: Sequence[Unit]) -> ScoredDocument:
    """A document of these units, one page for each ten of them."""
    clauses = tuple(
        Clause(
            f"{n:012x}", u.kind, n // 10 + 1, u.heading, u.context, u.text, ((n // 10 + 1, 72.0, 90.5, 500.0, 102.0),)
        )
        for n, u in enumerate(units)
    )
    predictions = tuple(
        Prediction(
            tuple(Label(p, 0.9, s, 0.8 if s else 1.0) for p, s in u.labels),
            u.conditions,
            {p: 0.9 if p in dict(u.labels) else 0.05 for p in PRACTICES},
            u.doubt,
            u.doubt > 0.5,
        )
        if u.kind == "clause"
        else None
        for u in units
    )
    findings = tuple(find(rules(clauses, predictions), highest=highest_scores(predictions)))
    return ScoredDocument(
        name, "ok", "", len(units) // 10 + 1, len(units) // 10 + 1, 0, clauses, predictions, findings, (), 0.1
    )


def add(store: Store, name: str, units: Sequence[Unit], department: str = "Oxbow Falls PD", model: str = "1") -> str:
    """Add such a document; its file holds its name, so that the same name is the same content. Returns its id."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policy.txt"
        file.write_text(name, encoding="utf-8")
        return add_document(store, scored(name, units), Department(department, "municipal police"), model, file)


def policy_units(count: int, seed: int = 0) -> list[Unit]:
    """Clauses with labels, different from one another; every tenth repeats in all documents."""
    stances = ("prohibits", "limits", "permits", "requires")
    return [
        Unit(
            f"({n}) Members shall hold no person on a detainer under rule {n if n % 10 == 0 else f'{seed}-{n}'}.",
            (("honors_detainers", stances[n % 4]),) if n % 3 else (("notifies_ice_on_release", stances[n % 4]),),
            doubt=(n * 37 % 101) / 101,
            heading="III. CUSTODY > A. Detainers",
        )
        for n in range(count)
    ]


def fill(store: Store, documents: int, clauses: int) -> None:
    """Documents with that many clauses each, an adjudicator "boss" and a viewer "vic"."""
    register(store, "boss", "adjudicator")
    register(store, "vic", "viewer")
    for n in range(documents):
        add(store, f"policy-{n:02}.pdf", policy_units(clauses, n), f"Department {n % 7}")


def write_decisions(where: str, files: Path, annotator: str, count: int, told: Connection | None = None) -> None:
    """What one process does: open the store, decide `count` clauses, tell each decided clause's id, close.

    Clauses are taken in an order of the annotator's own, so that writers meet on the same ones.
    """
    store = open_store(where, files)
    ids = queue(store, annotator, "audit", EVERYTHING, limit=count, seed=len(annotator))
    for n in range(count):
        (event,) = decide(store, annotator, [ids[n % len(ids)]], HOLD if n % 2 else HOLD_LIMITED, seconds=1.0)
        if told is not None:
            told.send((event.id, event.clause))
    store.close()


def _as_postgres() -> dict[str, object]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


def postgres_binaries() -> Path | None:
    """Where initdb and pg_ctl are, or None."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class PostgresServer:
    """A PostgreSQL server in a folder of its own, reached by a socket there; nothing else can see it."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries, self.folder = binaries, folder
        self.databases = 0
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-D", f"{folder}/data", "-U", "tester", "--auth=trust", "--encoding=UTF8")

    def start(self) -> None:
        """Start and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=60"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop; how: `immediate` is as if the machine had lost its power."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", how, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.binaries / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **_as_postgres(),  # type: ignore[call-overload]
        )

    def url(self, database: str) -> str:
        """The URL of a database on it."""
        return f"postgresql://tester@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        self.databases += 1
        name = f"store{self.databases}"
        engine = sa.create_engine(
            sa.make_url(self.url("postgres")).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self.url(name)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server that is gone afterwards. Raises OSError or CalledProcessError where none can be started."""
    binaries = postgres_binaries()
    if binaries is None:
        raise OSError("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    try:
        server = PostgresServer(binaries, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
