"""The tables of the review store: what SQLAlchemy asks of them, and the numbered migrations that make them.

Migrations are SQL of their own, never derived from the table objects below: what was applied to a database that is in use
must not change when the code does. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from classifier.errors import ClassifierError


class StoreError(ClassifierError):
    """The review store can't be opened, read or written, or was asked for something that is not in it."""


class UtcTime(sa.TypeDecorator[datetime]):
    """A moment as text of fixed width in UTC ("2026-11-30T12:00:00.000000Z"): sorts as it should on any database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """A time with its zone → text."""
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value else None

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Text → a time in UTC."""
        return datetime.fromisoformat(value) if value else None


metadata = sa.MetaData()


def _columns(names: str, kind: Any) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names.split()]


schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer))
annotators = sa.Table("annotators", metadata, *_columns("name role", sa.Text))
documents = sa.Table(
    "documents",
    metadata,
    *_columns("id name kept status reason department kind county state model", sa.Text),
    *_columns("pages pages_read", sa.Integer),
    sa.Column("scored_at", UtcTime),
)
findings = sa.Table(
    "findings", metadata, *_columns("document practice verdict", sa.Text), sa.Column("probability", sa.Float)
)
clauses = sa.Table(
    "clauses",
    metadata,
    *_columns("id document kind heading context text folded twin", sa.Text),
    *_columns("place page depth draw", sa.Integer),
    sa.Column("boxes", sa.JSON),
    sa.Column("active", sa.Boolean),
)
predictions = sa.Table(
    "predictions",
    metadata,
    *_columns("clause model", sa.Text),
    *_columns("scores conditions", sa.JSON),
    sa.Column("doubt", sa.Float),
    sa.Column("review", sa.Boolean),
)
predicted_labels = sa.Table(
    "predicted_labels",
    metadata,
    *_columns("clause model practice stance", sa.Text),
    *_columns("probability stance_probability", sa.Float),
    sa.Column("rank", sa.Integer),
)
assignments = sa.Table(
    "assignments",
    metadata,
    *_columns("annotator clause assigned_by", sa.Text),
    sa.Column("blind", sa.Boolean),
    sa.Column("time", UtcTime),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *_columns("annotator clause kind batch model answer note", sa.Text),
    *_columns("time decided_at", UtcTime),
    *_columns("old new machine", sa.JSON(none_as_null=True)),
    sa.Column("seconds", sa.Float),
    sa.Column("undoes", sa.Integer),
)
standing = sa.Table(
    "standing",
    metadata,
    *_columns("clause annotator slot answer", sa.Text),
    sa.Column("event", sa.Integer),
)

# {id}: a number that the database counts up itself. JSON is checked by PostgreSQL; SQLite keeps it as text.
_FIRST = """
CREATE TABLE annotators (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    role TEXT NOT NULL CHECK (role IN ('annotator', 'adjudicator', 'viewer'))
);
CREATE TABLE documents (
    id TEXT PRIMARY KEY CHECK (length(id) = 64),
    name TEXT NOT NULL,
    kept TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'partial', 'failed')),
    reason TEXT NOT NULL,
    pages INTEGER NOT NULL CHECK (pages >= 0),
    pages_read INTEGER NOT NULL CHECK (pages_read BETWEEN 0 AND pages),
    department TEXT NOT NULL,
    kind TEXT NOT NULL,
    county TEXT NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    scored_at TEXT NOT NULL
);
CREATE INDEX documents_by_department ON documents (department);
CREATE TABLE findings (
    document TEXT NOT NULL REFERENCES documents (id),
    practice TEXT NOT NULL,
    verdict TEXT NOT NULL
        CHECK (verdict IN ('does', 'conditional', 'refuses', 'mixed', 'mentions', 'silent', 'unread')),
    probability DOUBLE PRECISION NOT NULL CHECK (probability BETWEEN 0 AND 1),
    PRIMARY KEY (document, practice)
);
CREATE TABLE clauses (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL REFERENCES documents (id),
    place INTEGER NOT NULL CHECK (place >= 0),
    page INTEGER NOT NULL CHECK (page >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('clause', 'heading', 'contents', 'signature')),
    depth INTEGER NOT NULL,
    heading TEXT NOT NULL,
    context TEXT NOT NULL,
    text TEXT NOT NULL CHECK (text <> ''),
    boxes JSON NOT NULL,
    folded TEXT NOT NULL,
    twin TEXT NOT NULL,
    draw INTEGER NOT NULL,
    active BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX clauses_in_order ON clauses (document, place) WHERE active;
CREATE INDEX clauses_by_twin ON clauses (twin);
CREATE TABLE predictions (
    clause TEXT NOT NULL REFERENCES clauses (id),
    model TEXT NOT NULL,
    scores JSON NOT NULL,
    conditions JSON NOT NULL,
    doubt DOUBLE PRECISION NOT NULL CHECK (doubt BETWEEN 0 AND 1),
    review BOOLEAN NOT NULL,
    PRIMARY KEY (clause, model)
);
CREATE TABLE predicted_labels (
    clause TEXT NOT NULL,
    model TEXT NOT NULL,
    practice TEXT NOT NULL,
    stance TEXT,
    probability DOUBLE PRECISION NOT NULL CHECK (probability BETWEEN 0 AND 1),
    stance_probability DOUBLE PRECISION NOT NULL CHECK (stance_probability BETWEEN 0 AND 1),
    rank INTEGER NOT NULL,
    PRIMARY KEY (clause, model, practice),
    FOREIGN KEY (clause, model) REFERENCES predictions (clause, model)
);
CREATE TABLE assignments (
    annotator TEXT NOT NULL REFERENCES annotators (name),
    clause TEXT NOT NULL REFERENCES clauses (id),
    blind BOOLEAN NOT NULL,
    assigned_by TEXT NOT NULL REFERENCES annotators (name),
    time TEXT NOT NULL,
    PRIMARY KEY (annotator, clause)
);
CREATE INDEX assignments_by_clause ON assignments (clause);
CREATE TABLE events (
    id {id},
    time TEXT NOT NULL,
    decided_at TEXT,
    annotator TEXT NOT NULL REFERENCES annotators (name),
    clause TEXT NOT NULL REFERENCES clauses (id),
    kind TEXT NOT NULL CHECK (kind IN ('accept', 'correct', 'skip', 'flag', 'undo', 'adjudicate', 'import')),
    batch TEXT NOT NULL,
    undoes INTEGER UNIQUE REFERENCES events (id),
    model TEXT NOT NULL,
    old JSON,
    new JSON,
    machine JSON,
    answer TEXT,
    seconds DOUBLE PRECISION CHECK (seconds >= 0),
    note TEXT NOT NULL,
    CHECK ((kind = 'undo') = (undoes IS NOT NULL)),
    CHECK ((kind IN ('accept', 'correct', 'adjudicate', 'import')) = (answer IS NOT NULL)),
    CHECK ((answer IS NULL) = (new IS NULL) OR kind = 'undo'),
    CHECK (kind NOT IN ('adjudicate', 'flag') OR note <> '')
);
CREATE INDEX events_by_clause ON events (clause, annotator);
CREATE INDEX events_by_annotator ON events (annotator, id);
CREATE TABLE standing (
    clause TEXT NOT NULL REFERENCES clauses (id),
    annotator TEXT NOT NULL REFERENCES annotators (name),
    slot TEXT NOT NULL CHECK (slot IN ('decision', 'adjudication', 'skip', 'flag')),
    event INTEGER NOT NULL REFERENCES events (id),
    answer TEXT,
    PRIMARY KEY (clause, slot, annotator)
);
CREATE INDEX standing_by_annotator ON standing (annotator, slot);
CREATE INDEX standing_answers ON standing (slot, clause, annotator, answer);
"""

_SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
    for verb in ("UPDATE", "DELETE")
)
_POSTGRESQL_GUARDS = (
    "CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$",
    "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
    "FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only()",
)


def _create_tables(connection: sa.Connection) -> None:
    counted = (
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        if connection.dialect.name == "postgresql"
        else "INTEGER PRIMARY KEY AUTOINCREMENT"
    )
    for statement in filter(str.strip, _FIRST.format(id=counted).split(";")):
        connection.exec_driver_sql(statement)


def _forbid_changes_to_events(connection: sa.Connection) -> None:
    for statement in _POSTGRESQL_GUARDS if connection.dialect.name == "postgresql" else _SQLITE_GUARDS:
        connection.exec_driver_sql(statement)


# The n-th function brings a database from version n - 1 to n. Append only.
MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (_create_tables, _forbid_changes_to_events)


def migrate(connection: sa.Connection, migrations: tuple[Callable[[sa.Connection], None], ...] = MIGRATIONS) -> None:
    """Bring the database to the version of this code, inside the transaction of `connection`.

    Raises StoreError where the database is newer than the code.
    """
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
    at = connection.scalar(sa.select(sa.func.max(schema_version.c.version))) or 0
    if at > len(migrations):
        raise StoreError(
            f"the store was made by a newer version of this program (schema {at}, known here: {len(migrations)})",
            "update the program",
        )
    for number, migration in enumerate(migrations[at:], at + 1):
        migration(connection)
        connection.execute(schema_version.insert().values(version=number))
