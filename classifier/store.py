"""The review store: a SQLite file by default, PostgreSQL by URL. Opening it, its transactions, and who may do what.

    store = open_store(Path("review/store.sqlite"))
    with store.writing() as connection: ...

Everything that a person decides is an event, and events are only ever added (`corrections`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from classifier.store_tables import StoreError, annotators, migrate

Role = Literal["annotator", "adjudicator", "viewer"]
ROLES: tuple[Role, ...] = ("annotator", "adjudicator", "viewer")
BUSY_SECONDS = 30.0  # how long a writer waits for the others before it gives up
# "This program's writers, one at a time": PostgreSQL's advisory locks are known by number.
_LOCK = 0x636C6175


class NotAllowed(StoreError):
    """This person's role does not allow what was asked for."""


@dataclass(frozen=True, slots=True)
class Annotator:
    """A person who reviews, by the name that they are known by in the store."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. files: the folder for copies of the documents; nothing may serve it."""

    engine: sa.Engine
    files: Path

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads; it sees one state of the store throughout. Raises StoreError."""
        with self._transaction({"begin": "BEGIN", "isolation_level": self._one_state}) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes. What it wrote is safe on the disk when the block ends without an error.

        On SQLite it begins as the only writer: nobody can write between what it reads and what it writes.
        Raises StoreError.
        """
        with self._transaction({"begin": "BEGIN IMMEDIATE"}) as connection:
            yield connection

    @property
    def _one_state(self) -> str:
        return "REPEATABLE READ" if self.engine.dialect.name == "postgresql" else "SERIALIZABLE"

    @contextmanager
    def _transaction(self, options: dict[str, str]) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                connection.execution_options(**options)
                with connection.begin():
                    yield connection
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"the review store did not do it ({str(cause).strip() or type(cause).__name__})",
                "nothing of this step was kept; try again, and check disk space or the database server if it goes on",
            ) from error

    def one_at_a_time(self, connection: sa.Connection) -> None:
        """Wait until no other transaction holds this lock, and hold it to the end of this one."""
        if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def close(self) -> None:
        """Close all connections. The store can be used again; it then opens new ones."""
        self.engine.dispose()


def open_store(where: str | Path, files: Path | None = None) -> Store:
    """Open the store at a path or a database URL, make it where there is none, and bring it up to date.

    files: where copies of documents are kept; by default `files/` beside a SQLite file, to be named for PostgreSQL.
    Raises StoreError if it can't be opened, is no store, or was made by a newer version.
    """
    url = _url(where)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        if not url.database or url.database == ":memory:":
            raise StoreError("a review store in memory would be lost", "name a file")
        path = Path(url.database).absolute()
        files = files or path.parent / "files"
        _make_folder(path.parent)
    elif files is None:
        raise StoreError(f"no folder for the documents of {url.render_as_string()}", "name one with files")
    _make_folder(files)
    engine = _engine(url, sqlite)
    store = Store(engine, files)
    try:
        with store.writing() as connection:
            store.one_at_a_time(connection)
            migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return store


def _url(where: str | Path) -> sa.URL:
    if isinstance(where, Path) or "://" not in where:
        return sa.URL.create("sqlite", database=str(where))
    try:
        url = sa.make_url(where)
    except sa.exc.ArgumentError as error:
        raise StoreError(f"not a database URL: {where!r}", "write postgresql://user@host/name or a path") from error
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise StoreError(f"no support for {url.get_backend_name()}", "use a SQLite path or a postgresql:// URL")
    return url


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{folder}: can't be made ({error.strerror or error})", "name another place") from error


def _engine(url: sa.URL, sqlite: bool) -> sa.Engine:
    try:
        if not sqlite:
            return _beginning(sa.create_engine(url, pool_pre_ping=True), sqlite)
        return _beginning(sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}), sqlite)
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs a driver that is not installed", "pip install 'collaboration-clauses[postgres]'"
        ) from error


def _beginning(engine: sa.Engine, sqlite: bool) -> sa.Engine:
    """On SQLite, transactions begin with the words asked for: the driver's own BEGIN would lock too late."""
    if not sqlite:
        return engine

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def register(store: Store, name: str, role: Role = "annotator") -> Annotator:
    """Enter a person, or change the role of one. Raises StoreError for an empty name or an unknown role."""
    if not name.strip() or not name.isprintable():
        raise StoreError(f"{name!r} is no name", "write the name that this person is known by")
    if role not in ROLES:
        raise StoreError(f"unknown role {role!r}", f"use {', '.join(ROLES)}")
    with store.writing() as connection:
        store.one_at_a_time(connection)
        known = sa.select(annotators.c.role).where(annotators.c.name == name)
        if connection.scalar(known) is None:
            connection.execute(annotators.insert().values(name=name, role=role))
        else:
            connection.execute(annotators.update().where(annotators.c.name == name).values(role=role))
    return Annotator(name, role)


def list_annotators(store: Store) -> list[Annotator]:
    """Everybody in the store, by name."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(annotators.c.name, annotators.c.role).order_by(annotators.c.name))
        return [Annotator(name, role) for name, role in rows]


def require_role(connection: sa.Connection, name: str, *allowed: Role) -> Annotator:
    """The person, whose row stays locked to the end of a writing transaction: one step of one person at a time.

    Raises NotAllowed where the name is unknown or the role is none of those allowed.
    """
    query = sa.select(annotators.c.role).where(annotators.c.name == name)
    role = connection.scalar(query.with_for_update(key_share=True))
    if role is None:
        raise NotAllowed(f"nobody is called {name!r} in this store", "register the name first")
    if role not in allowed:
        raise NotAllowed(f"{name} is {role}", f"ask somebody who is {' or '.join(allowed)}")
    return Annotator(name, role)
