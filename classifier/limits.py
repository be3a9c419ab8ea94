"""What one document may cost, memory, time and size, and in which words it ends that costs more."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Literal, get_args

MEGABYTE = 1 << 20
LARGEST = 500 * MEGABYTE  # of a file, in bytes
OcrMode = Literal["auto", "always", "never"]
OCR_MODES: tuple[OcrMode, ...] = get_args(OcrMode)

_SECONDS, _PER_PAGE, _MOST = 120, 10, 3600  # a bad scan takes a page up to 9 seconds
_WRITTEN = 1024 * MEGABYTE  # that a document may write: OCR keeps pictures for a moment
_CRASHES = frozenset({signal.SIGABRT, signal.SIGSEGV, signal.SIGFPE, signal.SIGILL})


@dataclass(frozen=True, slots=True)
class Limits:
    """memory: megabytes beside what the program itself takes. seconds: of computing, and twice that by the clock.

    seconds 0: 120, and 10 for each page, an hour at most.
    """

    memory: int = 1500
    seconds: int = 0

    def allowed(self, pages: int) -> int:
        """Seconds of computing for a document of so many pages."""
        return self.seconds or min(_SECONDS + _PER_PAGE * pages, _MOST)


@dataclass(frozen=True, slots=True)
class Options:
    """How a document is read, as far as a person chooses. thorough: every page of a long file with care."""

    ocr: OcrMode = "auto"
    thorough: bool = False
    limits: Limits = Limits()


DEFAULT = Options()


def by_the_clock(seconds: int) -> float:
    """Seconds on the wall clock for a document that may compute so many."""
    return 2.0 * seconds


def enclose(limits: Limits) -> None:
    """Set the limits of this process, the child that reads one document. Where the system knows none, the clock is left."""
    try:
        import resource
    except ModuleNotFoundError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, _WRITTEN)
    allow(limits.allowed(0))
    if (taken := _address_space()) is not None:
        _lower(resource.RLIMIT_AS, taken + limits.memory * MEGABYTE)


def allow(seconds: int) -> None:
    """Let this process compute for so many seconds in all."""
    try:
        import resource
    except ModuleNotFoundError:
        return
    _lower(resource.RLIMIT_CPU, seconds)


def _lower(what: int, to: int) -> None:
    """Set a soft limit, below a hard one that is there already."""
    import resource

    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (to if hard == resource.RLIM_INFINITY else min(to, hard), hard))


def _address_space() -> int | None:
    """What this process takes, in bytes; None where the system doesn't say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as source:  # noqa: PTH123 - read in every child: no Path for it
            return int(source.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


# how a document ends that ran into a limit: the reason, with the next thing to do


OUT_OF_MEMORY = "it takes more memory than it may (MemoryError); split it, or allow more with --memory"
KILLED = "its process was killed twice from outside; run again, with more memory free or fewer --jobs"
CHANGED = "it changed while it was read; run again"


def out_of_time(seconds: int) -> str:
    """It computed for longer than it was allowed."""
    return f"it takes more than {seconds:,} s of computing; split it, or allow more with --seconds"


def too_slow(seconds: int) -> str:
    """It took longer by the clock than it was allowed."""
    return f"it was not done after {by_the_clock(seconds):,.0f} s; try it alone, split it, or allow more with --seconds"


def crashed(how: str) -> str:
    """It ended its process by itself."""
    return f"it crashes the program that reads it ({how}); save a copy in another format"


def reason_of(status: int, limits: Limits, seconds: int, megabytes: float) -> str | None:
    """Why a document's process ended without a result; None if it was killed from outside.

    status: as `os.waitstatus_to_exitcode` has it. seconds: of computing, that it was allowed. megabytes: what it took.
    """
    if status >= 0:
        return crashed(f"exit status {status}")
    if -status in (getattr(signal, "SIGXCPU", None),):
        return out_of_time(seconds)
    if -status in (getattr(signal, "SIGXFSZ", None),):
        return crashed("it writes too much")
    if -status in {*_CRASHES, getattr(signal, "SIGBUS", 0), getattr(signal, "SIGTRAP", 0)}:
        # a library that gets no memory stops itself rather than say so
        return OUT_OF_MEMORY if megabytes > limits.memory / 2 else crashed(signal.Signals(-status).name)
    return None
