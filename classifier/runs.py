"""A run: files or folders → the tables of a folder, with what is finished beside them, so that it can go on when stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from classifier.batch import Batch, Task, look_at_all, program_digest, tasks_of, way_of_reading
from classifier.departments import Department, Registry, department_of, read_registry
from classifier.errors import UsageError
from classifier.exports import TABLES, DepartmentFindings, Result, by_department, make_folder, write_tables
from classifier.finished import FOLDER, DamagedRecord, Finished, Unit
from classifier.input_files import list_files
from classifier.limits import DEFAULT, Options
from classifier.model_folders import model_folder
from classifier.scored import Summary
from classifier.slots import Slot, Slots
from classifier.terminal import printable

if TYPE_CHECKING:
    from classifier.cluster import Cluster

LOG = "score.log"
_STATE = "tables.json"


class Watcher(Protocol):
    """Who is told how far a run is."""

    def stage(self, name: str, total: int) -> None:
        """A part of the run begins: "looking" at files or "reading" documents, so many of them."""

    def step(self, summary: Summary | None = None) -> None:
        """One more is done: a file looked at, or the document with this summary."""


class Unwatched:
    """Nobody."""

    def stage(self, name: str, total: int) -> None:
        """Nothing happens."""

    def step(self, summary: Summary | None = None) -> None:
        """Nothing happens."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A document that was not read, or not wholly."""

    status: str
    name: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """How a run ended. departments: as the tables judge them. read: documents that this run read itself.

    duplicates: documents with the same content as another. unknown: rows of departments.csv that name no file.
    """

    departments: list[DepartmentFindings] = field(default_factory=list)
    files: int = 0
    pages: int = 0
    read: int = 0
    duplicates: int = 0
    problems: list[Problem] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """The results of a batch, in order, read from its records whenever they are gone through. Raises DamagedRecord."""

    batch: Batch
    registry: Registry
    _departments: dict[str, Department] = field(default_factory=dict)
    _tasks: dict[str, Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tasks = {task.file.name: task for task in self.batch.tasks}

    def __iter__(self) -> Iterator[Result]:
        for task in self.batch.tasks:
            summary = self.batch.summary(task)
            yield Result(summary, self._department(task, summary), task.duplicate_of)

    def units(self, result: Result) -> Iterator[Unit]:
        """The clauses of a result, one at a time."""
        return self.batch.units(self._tasks[result.summary.name])

    def _department(self, task: Task, summary: Summary) -> Department:
        name = task.file.name
        if name not in self._departments:
            found = department_of(task.file.path, task.file.root, self.registry, summary.first_lines)
            self._departments[name] = found
        return self._departments[name]


class Log:
    """score.log: one line an event, with the time; nothing that a terminal would obey. Raises UsageError if it's full."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] = path.open("a", encoding="utf-8", errors="backslashreplace")

    def write(self, *parts: object) -> None:
        """Add a line: parts with tabs between them."""
        line = "\t".join(printable(str(part)) for part in parts)
        try:
            self.file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')}\t{line}\n")
            self.file.flush()
        except OSError as error:
            raise UsageError(
                f"{self.path}: can't be written ({error.strerror or error})",
                "free some space and run the same command again: what is finished is kept",
            ) from error

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.file.close()

    def document(self, summary: Summary) -> None:
        """The line of a document that was read."""
        pages = f"{summary.pages} pages"
        self.write(summary.status, f"{summary.seconds:.2f} s", pages, summary.name, summary.reason)


def score_into(
    out: Path,
    paths: Sequence[Path],
    model: Path | None = None,
    options: Options = DEFAULT,
    watcher: Watcher | None = None,
    readers: Slots | Cluster | None = None,
) -> Outcome:
    """Score files and folders into the tables of a folder. What an earlier run finished there is not read again.

    readers: the caller's own worker processes or cluster, left open; by default a process for each core. Raises UsageError,
    ModelError and WorkerError. Stopped at any moment, the same call goes on where it was, to the same tables.
    """
    watcher = watcher or Unwatched()
    registry = read_registry(paths)
    files = list_files(paths, [out / name for name in (*TABLES, LOG)])
    version = model_folder(model).version
    make_folder(out)
    with ExitStack() as stack:
        finished = stack.enter_context(_claimed(out))
        readers = readers or stack.enter_context(Slots(lambda: Slot(model, out / FOLDER)))
        log = stack.enter_context(Log(out / LOG))
        if not isinstance(readers, Slots):
            readers.listeners.append(partial(log.write, "cluster"))
        log.write("start", f"{len(files)} files", f"model {version}", options)
        try:
            unknown = [str(path) for path in registry.by_file if not path.exists()]
            for path in unknown:
                log.write("unknown", path, "departments.csv names it, but there is no such file")
            watcher.stage("looking", len(files))
            contents = look_at_all(files, watcher.step)
            batch = Batch(tasks_of(files, contents, way_of_reading(model, options)), finished, options)
            outcome = _carried_out(batch, Results(batch, registry), readers, watcher, log, out, version)
            outcome.unknown = unknown
        except BaseException as error:
            with suppress(UsageError):
                log.write("stopped", type(error).__name__, error)
            raise
        finished.discard_others({task.key for task in batch.tasks})
        log.write("end", f"{outcome.files} files", f"{outcome.pages} pages", f"{len(outcome.problems)} with problems")
    return outcome


def _carried_out(
    batch: Batch, results: Results, readers: Slots | Cluster, watcher: Watcher, log: Log, out: Path, version: str
) -> Outcome:
    """Read what is not finished, and conclude; what turns out damaged is read again."""
    for _ in range(1 + len(batch.tasks)):
        try:
            read = _read(batch, readers, watcher, log)
            outcome = _concluded(results, out, version)
            outcome.read = read
            return outcome
        except DamagedRecord as damaged:
            log.write("damaged", damaged.key, "this record of a finished document is damaged; it is read again")
            batch.finished.discard(damaged.key)
    raise UsageError(f"{batch.finished.folder}: what is written there is damaged", "check the disk")


def _read(batch: Batch, readers: Slots | Cluster, watcher: Watcher, log: Log) -> int:
    """Read what is not finished; returns how many documents."""
    todo = batch.unread()
    watcher.stage("reading", len(todo))
    for summary in batch.read(todo, readers):
        log.document(summary)
        watcher.step(summary)
    return len(todo)


def _concluded(results: Results, out: Path, version: str) -> Outcome:
    """Judge the departments and write the tables, unless they are there already."""
    outcome = Outcome()
    missing = results.registry.without_document
    made_of = hashlib.sha256(f"{program_digest()}\n{version}\n{missing}".encode())

    def counted() -> Iterator[Result]:
        tasks = results.batch.tasks
        for task, result in zip(tasks, results, strict=True):
            s = result.summary
            row = f"\n{task.key} {s.name} {s.reason} {result.duplicate_of} {result.department}"
            made_of.update(row.encode(errors="backslashreplace"))
            outcome.files += 1
            outcome.pages += s.pages
            outcome.duplicates += bool(result.duplicate_of)
            if not s.fully_read:
                outcome.problems.append(Problem(s.status, s.name, s.reason))
            yield result

    outcome.departments = by_department(counted(), missing)
    state = out / FOLDER / _STATE
    if not _as_written(out, state, made_of.hexdigest()):
        write_tables(results, results.units, outcome.departments, out, version)
        _remember(out, state, made_of.hexdigest())
    return outcome


def _digests(out: Path) -> dict[str, str]:
    digests = {}
    for name in TABLES:
        with (out / name).open("rb") as source:
            digests[name] = hashlib.file_digest(source, "sha256").hexdigest()
    return digests


def _as_written(out: Path, state: Path, made_of: str) -> bool:
    """Are the tables there, made of the same results and untouched since?"""
    try:
        return bool(json.loads(state.read_text(encoding="ascii")) == {"made_of": made_of, "tables": _digests(out)})
    except (OSError, ValueError):
        return False


def _remember(out: Path, state: Path, made_of: str) -> None:
    with suppress(OSError):  # the tables are written again next time
        state.write_text(json.dumps({"made_of": made_of, "tables": _digests(out)}), encoding="ascii")


@contextmanager
def _claimed(out: Path) -> Iterator[Finished]:
    """The records beside the tables, for this run alone, and without what a killed one left. Raises UsageError."""
    folder = out / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise UsageError(
            f"{folder}: can't be written ({error.strerror or error})", "choose another --out folder or free some space"
        ) from error
    with lock:
        if not _locked(lock):
            raise UsageError(f"{out}: another run is writing there", "wait for it or choose another --out folder")
        finished = Finished(folder)
        finished.clean()
        for name in TABLES:
            for left in out.glob(f".{name}.*"):
                left.unlink(missing_ok=True)
        yield finished


def _locked(lock: IO[str]) -> bool:
    """Lock a file until it is closed or this process ends. Where the system has no such locks, nobody is kept out."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network drive without locks
        pass
    return True
