"""Foreign text where a terminal or a log shows it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text from a document without the control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)
