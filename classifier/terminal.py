"""Foreign text where a terminal or a log shows it."""

from __future__ import annotations

import sys


def printable(text: str) -> str:
    """Text from a document without the control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def say(*lines: str, err: bool = False) -> None:
    """Print lines of a command, each one line whatever stands in it. err: on standard error."""
    for line in lines:
        print(printable(line), file=sys.stderr if err else sys.stdout, flush=True)
