"""The near end of a worker: a Slot takes one document at a time and always has an answer, whatever the document does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Timer
from typing import IO, TypeVar

from classifier import errors, limits, messages
from classifier.errors import ClassifierError
from classifier.finished import failed_document, record_of
from classifier.worker import Job

_SLACK = 30.0  # seconds that a worker has, beyond its document's time, to end the document itself
_START = 120.0  # seconds for a worker to load
_TRIES = 2  # of a document whose process is killed from outside
_STARTS = 5  # of a worker that is killed while it loads
# One thread a worker: there is one worker a core. The same order of sets in each.
_ENVIRONMENT = dict.fromkeys("OMP_NUM_THREADS OMP_THREAD_LIMIT OPENBLAS_NUM_THREADS MKL_NUM_THREADS".split(), "1") | {
    "PYTHONHASHSEED": "0"
}


T = TypeVar("T")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerError(ClassifierError):
    """A worker can't be started."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a document. record: see `finished`. lasting: another try would give the same."""

    record: bytes
    lasting: bool


class _Killed(Exception):
    """The document's process, or the worker, was killed by somebody else."""


class Slot:
    """A worker process that reads documents one after the other; one thread at a time may use it.

    The process is started at once, and loads while the caller does something else. model: a model folder, None for the one
    in use. scratch: a folder for what a document needs for a moment. program: arguments of the interpreter.
    """

    def __init__(
        self,
        model: Path | None = None,
        scratch: Path | None = None,
        program: Sequence[str] = ("-m", "classifier.worker"),
    ) -> None:
        self.program = program
        self.model = model
        self.scratch = scratch
        self.closed = False
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the slot
        self._process = self._start()
        self._ready = False

    def run(self, job: Job) -> Answer:
        """Read one document. Raises ModelError or WorkerError where no worker can be had for it."""
        for _ in range(_TRIES):
            with suppress(_Killed):
                return self._once(job)
        return Answer(record_of(failed_document(limits.KILLED, 0.0)), lasting=False)

    def close(self) -> None:
        """End the worker, and with it what it is reading."""
        self.closed = True
        self._stop()
        self._errors.close()

    def __enter__(self) -> Slot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, job: Job) -> Answer:
        if not self._ready:
            self._await_ready()
        seconds = job.options.limits.allowed(0)
        watch = _Watch(self._process, seconds)
        try:
            messages.send(self._to, job.head(), job.content or b"")
            while (message := messages.receive(self._from)) is not None:
                head, record = message
                if "end" not in head:
                    seconds = int(head["seconds"])
                    watch.allow(seconds)
                elif head["end"] == "killed":
                    raise _Killed
                else:
                    return Answer(record, lasting=head["end"] == "done")
        except (BrokenPipeError, ConnectionResetError):
            pass  # as if it had ended before
        finally:
            watch.end()
        self._restart()
        if watch.rang:
            return Answer(record_of(failed_document(limits.too_slow(seconds), limits.by_the_clock(seconds))), True)
        raise _Killed

    @property
    def _to(self) -> int:
        assert self._process.stdin
        return self._process.stdin.fileno()

    @property
    def _from(self) -> int:
        assert self._process.stdout
        return self._process.stdout.fileno()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env=os.environ | _ENVIRONMENT,
            cwd=_home(),
            start_new_session=True,  # a Ctrl-C at the terminal is for the command alone, which then ends its workers
        )
        assert process.stdin
        with suppress(BrokenPipeError):
            folders = {"model": self.model, "scratch": self.scratch}
            messages.send(
                process.stdin.fileno(), {what: str(path.absolute()) if path else None for what, path in folders.items()}
            )
        return process

    def _await_ready(self) -> None:
        """Wait until the worker has loaded."""
        for _ in range(_STARTS):
            watch = Timer(_START, self._process.kill)
            watch.start()
            try:
                message = messages.receive(self._from)
            finally:
                watch.cancel()
            if message is None:
                self._restart()  # killed while it loaded, or it can't load at all
                continue
            head, _ = message
            if "error" in head:
                raise getattr(errors, head["kind"], WorkerError)(head["error"], head["next"])
            self._ready = True
            return
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise WorkerError(f"no worker process can be started ({said or 'it is killed at once'})", "free some memory")

    def _restart(self) -> None:
        self._stop()
        if self.closed:
            raise WorkerError("the run was stopped")
        self._process = self._start()

    def _stop(self) -> None:
        self._ready = False
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


class Slots:
    """As many Slots as `count`, 0 for one a core, made when they are needed; the first at once, so that it loads in time."""

    def __init__(self, make: Callable[[], Slot], count: int = 0) -> None:
        self.make = make
        self.count = count or cores()
        self._all = [make()]
        self._idle: SimpleQueue[Slot] = SimpleQueue()
        self._idle.put(self._all[0])
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def taken(self) -> Iterator[Slot]:
        """A slot for this thread alone; waits for one where `count` are taken."""
        with self._lock:
            if self._closed:
                raise WorkerError("the run was stopped")
            if self._idle.empty() and len(self._all) < self.count:
                self._all.append(self.make())
                self._idle.put(self._all[-1])
        slot = self._idle.get()
        try:
            yield slot
        finally:
            self._idle.put(slot)

    def answers(self, jobs: Iterable[tuple[T, Job]]) -> Iterator[tuple[T, Answer]]:
        """Read jobs, each given with what it is for; yields that with its answer, in the order in which they get done."""
        # loaded while the first worker loads
        from joblib import Parallel, delayed

        threads = Parallel(self.count, backend="threading", return_as="generator_unordered", batch_size=1)
        answers = threads(delayed(self._answer)(what, job) for what, job in jobs)
        try:
            for answer in answers:  # noqa: UP028 - `yield from` would pass an end from outside on at once
                yield answer
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib speaks of answers that nobody takes any more
                answers.close()

    def _answer(self, what: T, job: Job) -> tuple[T, Answer]:
        with self.taken() as slot:
            return what, slot.run(job)

    def close(self) -> None:
        """End all workers, and what they are reading."""
        with self._lock:
            self._closed = True
            for slot in self._all:
                slot.close()

    def __enter__(self) -> Slots:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Watch:
    """Kills a worker that outstays its document's time and the slack. rang: it had to."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: int) -> None:
        self.process = process
        self.rang = False
        self.timer = Timer(0, self._ring)
        self.allow(seconds)

    def allow(self, seconds: int) -> None:
        """Begin anew with so many seconds of computing."""
        self.timer.cancel()
        self.timer = Timer(limits.by_the_clock(seconds) + _SLACK, self._ring)
        self.timer.daemon = True
        self.timer.start()

    def end(self) -> None:
        """Stop watching."""
        self.timer.cancel()

    def _ring(self) -> None:
        self.rang = True
        self.process.kill()


def _home() -> Path | None:
    """Where the package is found if it is not installed."""
    return Path(__file__).resolve().parent.parent
