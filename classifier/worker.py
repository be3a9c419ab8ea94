"""`python -m classifier.worker`: reads documents for a Slot, each in a child of its own and within its limits.

The worker loads the program and the model once. Each document is read by a fork of it: all begin in the same state, what
one takes is given back, and what kills its process kills nothing else. Where the system can't fork, the worker reads the
document itself and its Slot watches the clock.

Messages come on standard input and leave where standard output was. {"model": folder, "scratch": folder for what a document
needs for a moment} is answered by {"ready": true} or an error; a job by {"seconds": allowed} as soon as its pages are counted, and {"end": "done", "changed" or "killed"} with the
record.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier import limits, messages
from classifier.errors import ClassifierError
from classifier.finished import BEING_WRITTEN, failed_document, record_of
from classifier.limits import DEFAULT, Limits, Options

if TYPE_CHECKING:
    from classifier.predictions import Model

_PDEATHSIG = 1  # prctl: the signal that a process gets when its parent ends


@dataclass(frozen=True, slots=True)
class Job:
    """One document to read. path: where it stands, or its name where `content` holds its bytes.

    digest: SHA-256 of the content that is expected there.
    """

    path: Path
    digest: str
    options: Options = DEFAULT
    content: bytes | None = None

    def head(self) -> dict[str, Any]:
        """The job as the head of a message; the content is its body."""
        o = self.options
        return {
            "path": str(self.path.absolute()),
            "digest": self.digest,
            "ocr": o.ocr,
            "thorough": o.thorough,
            "limits": [o.limits.memory, o.limits.seconds],
            "shipped": self.content is not None,
        }

    @classmethod
    def of(cls, head: dict[str, Any], content: bytes) -> Job:
        """The job of a message."""
        options = Options(head["ocr"], head["thorough"], Limits(*head["limits"]))
        return cls(Path(head["path"]), head["digest"], options, content if head["shipped"] else None)


def main() -> None:
    """Serve until standard input ends."""
    answers = os.dup(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # whatever a library prints must not get between the messages
    first = messages.receive(0)
    if first is None:
        return
    try:
        model = _prepared(first[0]["model"])
        scratch = first[0]["scratch"]
    except ClassifierError as error:
        messages.send(answers, {"error": error.message, "next": error.next_step, "kind": type(error).__name__})
        return
    messages.send(answers, {"ready": True})
    with suppress(BrokenPipeError):
        while (message := messages.receive(0)) is not None:
            _serve(Job.of(*message), model, scratch, answers)


def _prepared(folder: str | None) -> Model:
    """The model, with everything loaded and made that each document would have to make anew."""
    import classifier.pipeline  # noqa: F401 - with all that the children take from it
    from classifier.clauses import units_of_text
    from classifier.predictions import load_model, predict_clauses
    from classifier.scored import Clause

    model = load_model(Path(folder) if folder else None)
    units_of_text("1. Members shall not hold any person on a detainer. Keys hang by the door.\n")
    predict_clauses([Clause("", "clause", 1, "", "", "Members shall not hold any person on a detainer.", ())], model)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, all that it shares with the worker
    return model


def _serve(job: Job, model: Model, scratch: str | None, answers: int) -> None:
    """Read one document and answer."""
    # a folder of its own: what a killed document leaves there goes with it
    folder = Path(tempfile.mkdtemp(BEING_WRITTEN, dir=scratch))
    try:
        if job.content is not None:
            shipped = folder / f"document{job.path.suffix}"
            shipped.write_bytes(job.content)
            job = Job(shipped, job.digest, job.options)
        _load_readers(job.path)
        if hasattr(os, "fork"):
            _in_child(job, model, folder, answers)
        else:
            _read(job, model, answers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _load_readers(path: Path) -> None:
    """Load here what the child needs: what it loads itself is gone with it."""
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        import classifier.pdf_pages
    elif suffix == ".docx":
        import classifier.word_files
    elif suffix in (".html", ".htm"):
        import classifier.web_pages  # noqa: F401


def _in_child(job: Job, model: Model, folder: Path, answers: int) -> None:
    """Fork a child for the document, hand on what it says, and say how it ended."""
    began = time.monotonic()
    mine, its = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(mine)
            os.close(answers)
            _settle(parent, folder)
            limits.enclose(job.options.limits)
            _read(job, model, its)
            status = 0
        finally:
            os._exit(status)
    os.close(its)
    with suppress(OSError):  # as the child does: whichever comes first
        os.setpgid(child, child)
    seconds = job.options.limits.allowed(0)
    said: tuple[dict[str, Any], bytes] | None = None
    late = orphan = False
    try:
        while not (late or orphan):
            left = began + limits.by_the_clock(seconds) - time.monotonic()
            ready, _, _ = select.select([mine, 0], [], [], max(0.0, left))
            late, orphan = not ready, mine not in ready and bool(ready)
            if mine in ready:
                message = messages.receive(mine)
                if message is None:
                    break
                if "end" in message[0]:
                    said = message
                    break
                seconds = int(message[0]["seconds"])
                messages.send(answers, message[0])
    finally:
        os.close(mine)
        status, megabytes = _end(child, kill=said is None)
    if orphan:
        sys.exit()
    if said is None:
        reason = limits.too_slow(seconds) if late else limits.reason_of(status, job.options.limits, seconds, megabytes)
        said = _failed(reason or "", time.monotonic() - began, "done" if reason else "killed")
    messages.send(answers, *said)
    if said[0].get("scans"):
        _load_ocr()


def _load_ocr() -> None:
    """Load here what reads scans, now that there are some: each child would have to do it anew."""
    import scipy.ndimage  # noqa: F401

    from classifier.ocr import missing

    missing()


def _settle(parent: int, folder: Path) -> None:
    """Make a fork a process group of its own, that dies with the worker and has nothing of its pipes."""
    os.setpgid(0, 0)
    with suppress(OSError, AttributeError):  # Linux alone; elsewhere the limits end it
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)


def _end(child: int, kill: bool) -> tuple[int, float]:
    """Wait for a child's end and take with it what it started; returns its exit code and its peak in megabytes."""
    import resource

    # it may still be on its way out; what it started is ended while its number can't be another's yet
    if not kill:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    elif os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        time.sleep(0.01)  # its pipe ends a moment before it does
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    unit = 1024 if sys.platform == "linux" else 1
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # a fork begins with what it shares
    return os.waitstatus_to_exitcode(status), (usage.ru_maxrss - own) * unit / limits.MEGABYTE


def _read(job: Job, model: Model, answers: int) -> None:
    """Read the document in this process and answer with its record."""
    from classifier.pipeline import score_file

    began = time.monotonic()
    seconds = job.options.limits.allowed(_pages(job.path))
    limits.allow(seconds)
    messages.send(answers, {"seconds": seconds})
    try:
        scored = score_file(job.path, "", model, job.options.thorough, job.options.ocr)
        if _digest(job.path) != job.digest:
            answer = _failed(limits.CHANGED, scored.seconds, "changed")
        else:
            answer = {"end": "done", "scans": bool(scored.pages_ocr)}, record_of(scored)
    except MemoryError:
        answer = _failed(limits.OUT_OF_MEMORY, time.monotonic() - began, "done")
    messages.send(answers, *answer)


def _failed(reason: str, seconds: float, end: str) -> tuple[dict[str, Any], bytes]:
    return {"end": end}, record_of(failed_document(reason, seconds))


def _pages(path: Path) -> int:
    """How many pages a PDF file says it has; 0 for what is none."""
    import pypdfium2

    try:
        with path.open("rb") as source:
            if b"%PDF-" not in source.read(1024):
                return 0
        with pypdfium2.PdfDocument(path) as opened:
            return len(opened)
    except (OSError, ValueError, pypdfium2.PdfiumError):
        return 0


def _digest(path: Path) -> str:
    """SHA-256 of what a path holds now, as hexadecimal digits; empty if it can't be read."""
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
