"""Documents read by the workers of a dask.distributed cluster, in place of slots of this machine: Job → Answer.

Each dask worker keeps a Slot for each of its threads, so that a document meets the same limits as on one machine and a
hostile one ends a child of a Slot, never the dask worker. A job is sent again when its worker went, is silent or late, or
when the scheduler was started anew; the first answer counts, the others are dropped.
"""

from __future__ import annotations

import atexit
import json
import logging
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar, cast
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, Worker, get_worker
from distributed.client import ClosedClientError
from distributed.versions import VersionMismatchWarning

from classifier import limits
from classifier.batch import program_digest
from classifier.errors import ClassifierError, UsageError
from classifier.finished import failed_document, record_of
from classifier.input_files import InputFile, look
from classifier.limits import MEGABYTE
from classifier.model_folders import model_folder
from classifier.slots import Answer, Slot, Slots
from classifier.worker import Job

T = TypeVar("T")

_AHEAD = 2  # jobs under way for each thread of the cluster: one that is read, one that waits there
_SHIPPED = 256 * MEGABYTE  # of files under way; a larger one goes alone
_TRIES = 4  # of a job whose worker is frozen or late
_RETRIES = 2  # of a task that raises an error: no document's fault
_MOST_PAGES = 1 << 20
_SLACK = 120.0  # seconds beyond a document's time: a slot may have to load first
_REPLY = 30.0  # seconds for the scheduler to say something, or to fetch a record
_TICK = 0.5  # seconds between looks at the connection
_SOON = 3.0  # seconds to wait without a word
_CLOSE = 5.0  # seconds to part from a scheduler
_GONE = (OSError, RuntimeError, ClosedClientError)  # what comes where the scheduler went: TimeoutError, CommClosedError

ENDED = "the dask workers that read it ended, one after the other; run again, or read it without --cluster"
UNANSWERED = f"{_TRIES} dask workers gave no answer in time; run again, or read it without --cluster"
_SAME = "install the same version of the program there, with the same model, and restart its dask workers"
_KEPT = "run the same command again: what is finished is kept"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait. connect: for a scheduler at the start. workers: for the first of them.

    lost: for a scheduler, or all workers, gone in mid-run. silent: until a worker without a heartbeat counts as frozen.
    look: between looks at the workers.
    """

    connect: float = 7.0
    workers: float = 60.0
    lost: float = 600.0
    silent: float = 60.0
    look: float = 5.0


PATIENCE = Patience()


# --- on a dask worker --------------------------------------------------------------------------------------------

_SLOTS: dict[str | None, Slots] = {}  # by model, as many as this worker has threads
_MAKING = Lock()


@cache
def installed(model: str | None) -> tuple[str, str]:
    """Names the program and the model in a folder, None for the one in use, as this process found them at first."""
    return program_digest(), model_folder(Path(model) if model else None).digest


def ready(model: str | None, dask_worker: Worker) -> tuple[str, str]:
    """What is `installed` on this dask worker, whose first slot begins to load. Raises ModelError."""
    found = installed(model)
    _slots(model, dask_worker)
    return found


def read_on_worker(head: str, content: bytes, model: str | None, expected: tuple[str, str]) -> Answer | None:
    """Read a job on this dask worker; None where it is to read the file at its path, and there is none, or another.

    head: of the job, as JSON. Raises UsageError if what is installed here is not as expected.
    """
    job = Job.of(json.loads(head), content)
    worker = get_worker()
    if installed(model) != expected:
        raise UsageError(f"dask worker {worker.address}: another program or model than here", _SAME)
    if job.content is None and look(InputFile(job.path, None, "")).digest != job.digest:
        return None
    with _slots(model, worker).taken() as slot:
        return slot.run(job)


def _slots(model: str | None, worker: Worker) -> Slots:
    with _MAKING:
        if model not in _SLOTS:
            scratch = Path(worker.local_directory).absolute()  # what a killed process leaves there, dask clears away
            _SLOTS[model] = Slots(lambda: Slot(Path(model) if model else None, scratch), worker.state.nthreads)
            atexit.register(_SLOTS[model].close)
        return _SLOTS[model]


# --- here --------------------------------------------------------------------------------------------------------


class NoScheduler(UsageError):
    """Nobody answers at the address, or nobody that is a dask scheduler."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A job without an answer. item: what it is for. size: of the bytes that were shipped. tasks: its keys on the cluster.

    sent: how often; since: when last.
    """

    item: Any
    job: Job
    shipped: bool
    size: int = 0
    tasks: set[str] = field(default_factory=set)
    sent: int = 0
    since: float = 0.0

    @property
    def late(self) -> bool:
        """Is its last task overdue, even if it had to wait behind others?"""
        seconds = limits.by_the_clock(self.job.options.limits.allowed(_MOST_PAGES))
        return time.monotonic() - self.since > (_AHEAD + 1) * seconds + _SLACK


@dataclass(slots=True)
class _Workers:
    """The workers of a cluster. threads: of each address. signs: when its heart beat last, by its clock and by ours."""

    threads: dict[str, int] = field(default_factory=dict)
    signs: dict[str, tuple[float, float]] = field(default_factory=dict)

    def see(self, workers: dict[str, Any]) -> None:
        """Take in what the scheduler says of them now."""
        now = time.monotonic()
        self.threads = {address: known["nthreads"] for address, known in workers.items()}
        beats = {address: (known["last_seen"], now) for address, known in workers.items()}
        old = self.signs
        self.signs = {a: old[a] if a in old and old[a][0] == beat[0] else beat for a, beat in beats.items()}

    def silent(self, seconds: float) -> set[str]:
        """Those that gave no sign of life for so long."""
        now = time.monotonic()
        return {address for address, (_, since) in self.signs.items() if now - since > seconds}


class Cluster:
    """A connection to a dask scheduler whose workers have the same program and model as this machine.

    address: like tcp://host:8786 or tls://host:8786. model: a model folder, None for the one in use; it must stand at the
    same path on each machine. shared: the workers look for files at the same paths; what is not there is shipped.
    listeners: take a line for the person who waits. Raises NoScheduler, and UsageError where no worker comes or one has
    another program or model.
    """

    def __init__(
        self,
        address: str,
        model: Path | None = None,
        shared: bool = False,
        listeners: Sequence[Callable[[str], object]] = (),
        patience: Patience = PATIENCE,
    ) -> None:
        self.address = address
        self.shared = shared
        self.listeners = list(listeners)
        self.patience = patience
        self._model = str(model.resolve()) if model else None
        self._expected = installed(self._model)
        self._name = f"clauses-{uuid4().hex}"
        self._numbers = count()
        self._waiting: set[_Waiting] = set()
        self._answered: list[tuple[Any, Answer]] = []
        self._tasks: dict[str, tuple[Future[Any], _Waiting]] = {}
        self._done: SimpleQueue[str] = SimpleQueue()
        self._workers = _Workers()
        self._looked = self._alone = 0.0
        self._lost = False
        self._client = self._connected(patience.connect)
        try:
            self._await_workers(patience.workers)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop what is under way, and the connection. What is being read there is read to its end."""
        self._tasks.clear()
        with suppress(*_GONE):
            self._client.close(timeout=_CLOSE)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answers(self, jobs: Iterable[tuple[T, Job]]) -> Iterator[tuple[T, Answer]]:
        """Read jobs, each given with what it is for; yields that with the answer, in the order in which they get done.

        A job is taken when there is room for it. Raises UsageError where the cluster is lost, ModelError and WorkerError
        where no process can be started on it.
        """
        source = iter(jobs)
        try:
            while self._fill(source) or self._waiting or self._answered:
                self._step()
                answered, self._answered = self._answered, []
                yield from answered
        finally:
            self._waiting.clear()
            self._answered.clear()
            self._tasks.clear()  # a future that nobody holds is cancelled

    def _tell(self, line: str) -> None:
        for listener in self.listeners:
            listener(line)

    def _fill(self, jobs: Iterator[tuple[Any, Job]]) -> bool:
        """Send jobs as long as there is room. False where none is left."""
        room = _AHEAD * sum(self._workers.threads.values())
        while len(self._waiting) < max(room, 1) and sum(one.size for one in self._waiting) < _SHIPPED:
            if (taken := next(jobs, None)) is None:
                return False
            one = _Waiting(*taken, shipped=not self.shared)
            self._waiting.add(one)
            self._send(one)
        return True

    def _send(self, one: _Waiting, workers: Collection[str] = ()) -> None:
        """Put a job on the cluster, once more if it is there. workers: those that are preferred."""
        content = None
        if one.shipped:
            try:
                content = one.job.path.read_bytes()
            except OSError:
                return self._settle(one, _failed(limits.CHANGED))
        one.size = len(content or b"")
        one.sent, one.since = one.sent + 1, time.monotonic()
        key = f"{self._name}-{next(self._numbers)}"
        head = json.dumps(replace(one.job, content=content).head())
        try:
            future = self._client.submit(
                read_on_worker, head, content or b"", self._model, self._expected,
                key=key, retries=_RETRIES, workers=list(workers) or None, allow_other_workers=bool(workers), pure=False,
            )  # fmt: skip
            future.add_done_callback(partial(_told, self._done, key))
        except _GONE:
            self._lost = True  # and when it is back, this is sent again
            return None
        one.tasks.add(key)
        self._tasks[key] = future, one
        return None

    def _settle(self, one: _Waiting, answer: Answer) -> None:
        """A job has its answer: whatever else is under way for it is dropped."""
        self._waiting.discard(one)
        for key in one.tasks:
            self._tasks.pop(key, None)
        self._answered.append((one.item, answer))

    def _step(self) -> None:
        """Wait a moment for tasks to end, take their answers, and look after the others."""
        if self._lost or self._client.status != "running":
            self._reconnect()
        with suppress(Empty):
            self._take(self._done.get(timeout=0 if self._answered else _TICK))
            while True:
                self._take(self._done.get_nowait())
        if time.monotonic() - self._looked > self.patience.look:
            try:
                self._look_after()
            except _GONE:
                self._lost = True

    def _take(self, key: str) -> None:
        """Take what a task has to say that has ended."""
        if key not in self._tasks:
            return None
        future, one = self._tasks.pop(key)
        one.tasks.discard(key)
        try:
            if future.status == "error":
                error = future.exception(timeout=_REPLY)
                if not isinstance(error, KilledWorker):
                    raise _refusal(self.address, error)
                return self._settle(one, _failed(ENDED))
            if future.status == "finished":
                if answer := future.result(timeout=_REPLY):
                    return self._settle(one, answer)
                one.shipped = True  # the file was not there
        except (*_GONE, CancelledError):
            pass  # its worker, or the scheduler, went before it could be fetched
        if not one.tasks:
            self._send(one)
        return None

    # what is not as it should be

    def _look_after(self) -> None:
        """See which workers there are; send again what is late or lies with one that is frozen."""
        self._looked = time.monotonic()
        self._see()
        silent = self._workers.silent(self.patience.silent)
        lively = self._workers.threads.keys() - silent
        if not lively:
            return self._wait_alone()
        self._alone = 0.0
        processing = _within(_REPLY, partial(self._client.processing, list(silent))) if silent else {}
        frozen = {key for keys in processing.values() for key in keys}
        for one in [one for one in self._waiting if one.late or (one.tasks and one.tasks <= frozen)]:
            if one.sent < _TRIES:
                self._send(one, lively)
            elif one.late:
                self._settle(one, _failed(UNANSWERED))
        return None

    def _wait_alone(self) -> None:
        """No worker is left: say so, and give up in the end."""
        if not self._alone:
            self._alone = time.monotonic()
            self._tell(f"no dask worker is left at {self.address}; waiting for one")
        elif time.monotonic() - self._alone > self.patience.lost:
            raise UsageError(f"{self.address}: no dask worker is left", f"{_start(self.address)}; {_KEPT}")

    def _connected(self, seconds: float) -> Client:
        for name in ("distributed", "distributed.client", "tornado.application", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters to a person is told in a sentence
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", VersionMismatchWarning)  # `installed` is what decides
                # a server that speaks something else keeps dask waiting beyond its own timeout
                made = partial(Client, self.address, timeout=seconds, set_as_default=False)
                return cast(Client, _within(seconds + 1, made))
        except (*_GONE, ValueError, TypeError, ImportError) as error:
            raise NoScheduler(
                f"{self.address}: no dask scheduler answers there ({error})",
                "check the address, which the scheduler prints when it starts, and that this machine may reach it",
            ) from error

    def _await_workers(self, seconds: float) -> None:
        """Wait until there is a worker, and check that all are as they should be."""
        began = time.monotonic()
        told = False
        while not self._workers.threads:
            if not told and time.monotonic() - began > _SOON:
                told = True
                self._tell(f"no dask worker at {self.address} yet; waiting for one")
            if time.monotonic() - began > seconds:
                raise UsageError(f"{self.address}: the scheduler has no workers", _start(self.address))
            self._see()
            time.sleep(_TICK if told else 0.05)
        try:
            replies = _within(_REPLY, partial(self._client.run, ready, self._model, on_error="return"))
        except TimeoutError:
            replies = {}  # one is frozen; each that reads checks for itself, too
        for worker, found in replies.items():
            if isinstance(found, Exception):
                raise _refusal(worker, found)
            if found != self._expected:
                raise UsageError(f"dask worker {worker}: another program or model than here", _SAME)

    def _see(self) -> None:
        self._workers.see(_within(_REPLY, self._client.scheduler_info)["workers"])

    def _reconnect(self) -> None:
        """Find the scheduler again and send once more what has no answer. Raises UsageError when patience ends."""
        self._tell(f"the dask scheduler at {self.address} is gone; waiting for it")
        until = time.monotonic() + self.patience.lost
        while True:
            self.close()
            try:
                self._client = self._connected(max(1.0, min(self.patience.connect, until - time.monotonic())))
                self._workers = _Workers()
                self._await_workers(max(until - time.monotonic(), self.patience.workers))
                break
            except (NoScheduler, *_GONE) as error:
                if time.monotonic() > until:
                    raise UsageError(
                        f"{self.address}: the dask scheduler is gone", f"start it again, and its workers; {_KEPT}"
                    ) from error
                time.sleep(1)
        self._tell(f"the dask scheduler at {self.address} is back")
        self._done = SimpleQueue()
        self._lost = False
        for one in list(self._waiting):
            one.tasks.clear()
            self._send(one)


def _within(seconds: float, ask: Callable[[], Any]) -> Any:
    """What a call returns or raises; TimeoutError if it hasn't after so many seconds: dask waits for ever for some."""
    replies: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def call() -> None:
        try:
            replies.put((ask(), None))
        except BaseException as error:
            replies.put((None, error))

    Thread(target=call, daemon=True).start()
    try:
        reply, error = replies.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer after {seconds:.0f} s") from None
    if error:
        raise error
    return reply


def _told(queue: SimpleQueue[str], key: str, _: Future[Any]) -> None:
    queue.put(key)


def _failed(reason: str) -> Answer:
    return Answer(record_of(failed_document(reason, 0.0)), lasting=False)


def _refusal(where: str, error: BaseException) -> ClassifierError:
    """What to tell of an error that is no document's."""
    if isinstance(error, ClassifierError):
        return error
    return UsageError(f"{where}: this program doesn't run there ({type(error).__name__}: {error})", _SAME)


def _start(address: str) -> str:
    return f"start some on the machines that shall read: dask worker {address} --memory-limit 0"
