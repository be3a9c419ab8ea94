"""List marks ("(a)", "1.", "421.02", "•") and the outline of open list levels while reading down a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

BULLETS = "•▪●○■◦‣·*➢►✓❖o"
ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
LEAD_IN = re.compile(r"(?:[:—–]|\s-|--)[\"”]?$")
SECTION = re.compile(
    r"(?:(?:SECTION|Section|SEC\.|Sec\.|ARTICLE|Article|CHAPTER|Chapter|PART|Part|RULE|Rule|APPENDIX|Appendix|"
    r"EXHIBIT|Exhibit)\s+(?:\d[\w.\-]*|[IVXLC]+|[A-Z])\b[.:]?|§+\s*\d[\w.\-]*)(?=\s|$)"
)
MARK = re.compile(
    r"(?P<decimal>\d{1,4}(?:\.\d{1,3})+[A-Z]?[.)]?)(?=\s|$)"
    r"|(?P<paren>\((?:\d{1,3}|[a-zA-Z]|[ivxl]{2,6}|[IVXL]{2,6}|([a-z])\3)\))(?=\s*[^\s).,;]|\s*$)"
    r"|(?P<dotted>(?:\d{1,3}|[ivxl]{2,6}|[IVXL]{2,6}|[a-zA-Z])[.)])"
    r"(?=\s|$|[A-Z“\"][a-z]|(?<=\d[.)])[a-zA-Z]|(?<=[a-z][.)])[a-z]{2}(?!\.))"
    rf"|(?P<bullet>[{re.escape(BULLETS)}]|[–—-])(?=\s|$)"
    # a step number alone on its line, as the first cell of a table's row holds it
    r"|(?P<step>(?:(?:Step|Task|Item|STEP|TASK|ITEM)\s+)?\d{1,3}[.:]?)(?=[ \t]*\n)"
)
MARK_CELL = re.compile(r"(?:(?:Step|Task|Item|STEP|TASK|ITEM)\s+)?\d{1,3}[.:]?")


@dataclass(frozen=True, slots=True)
class Mark:
    """A list mark: its kind ("(a)", "1.", "•", "1.1", …), its ordinal (0 for bullets), its length in characters."""

    kind: str
    value: int
    length: int


def roman_value(letters: str) -> int:
    """The value of a lower-case roman numeral; 0 if it is none."""
    total = 0
    for i, letter in enumerate(letters):
        value = ROMAN.get(letter, 0)
        if not value:
            return 0
        total += -value if i + 1 < len(letters) and ROMAN.get(letters[i + 1], 0) > value else value
    return total


def readings(token: str, shape: str) -> list[tuple[str, int]]:
    """All ways to read a mark's inside: "i" is the letter 9 or the roman 1. Returns (kind, ordinal) pairs."""
    if token.isdigit():
        return [(shape.replace("x", "1"), int(token))]
    case = "A" if token.isupper() else "a"
    found = []
    lower = token.lower()
    if len(set(lower)) == 1 and len(lower) <= 2 and lower not in ("ii", "xx"):
        found.append((shape.replace("x", case), ord(lower[0]) - 96 + 26 * (len(lower) - 1)))
    if value := roman_value(lower):
        found.append((shape.replace("x", "I" if case == "A" else "i"), value))
    return found


def read_mark(text: str) -> tuple[list[tuple[str, int]], int] | None:
    """The list mark that a text begins with: its possible (kind, ordinal) readings and its length, or None."""
    if section := SECTION.match(text):
        digits = re.search(r"(\d+)[^\d]*$", section[0])
        return [("section", int(digits[1]) if digits else 0)], section.end()
    match = MARK.match(text)
    if not match:
        return None
    if match["decimal"]:
        if margin := re.match(r"[\d.]+\s+(?=\d{1,3}(?:\.\d{1,3})+\.?\s+[A-Z])", text):
            # a standard's number in the margin, beside the item's own mark
            inner = MARK.match(text, margin.end())
            match = inner or match
        parts = match["decimal"].rstrip(".)").split(".")
        last = re.sub(r"\D", "", parts[-1])
        return [("1" + ".1" * (len(parts) - 1), int(last or 0))], match.end()
    if match["bullet"]:
        return [(match["bullet"], 0)], match.end()
    if match["step"]:
        return [("step", int(re.sub(r"\D", "", match["step"])))], match.end()
    raw = match["paren"] or match["dotted"]
    inside = raw.strip("().")
    shape = "(x)" if raw.startswith("(") else "x" + raw[-1]
    found = readings(inside, shape)
    return (found, match.end()) if found else None


def is_mark_cell(text: str) -> bool:
    """Does a table cell hold a list mark or step number alone?"""
    found = read_mark(text)
    return bool(MARK_CELL.fullmatch(text) or (found and found[1] == len(text)))


@dataclass(slots=True)
class Entry:
    """One open list level: the mark that opened it, where it stands, the words that govern its children, its title."""

    kind: str
    value: int
    left: float
    lead_in: str = ""
    title: str = ""


@dataclass(slots=True)
class Outline:
    """The open list levels while reading down a document."""

    entries: list[Entry] = field(default_factory=list)
    lead_in: str = ""

    def place(self, options: Sequence[tuple[str, int]], left: float) -> Mark:
        """Choose the reading that fits the open levels, close the deeper ones, and open its own."""
        kind, value, depth = self._fit(options, left)
        del self.entries[depth:]
        self.entries.append(Entry(kind, value, left))
        return Mark(kind, value, 0)

    def _fit(self, options: Sequence[tuple[str, int]], left: float) -> tuple[str, int, int]:
        for kind, value in options:
            for depth in range(len(self.entries) - 1, -1, -1):
                entry = self.entries[depth]
                deeper_bullet = value == 0 and left > entry.left + 6 and depth == len(self.entries) - 1
                if entry.kind == kind and (value == entry.value + 1 or value == 0) and not deeper_bullet:
                    return kind, value, depth
        if self.entries and self.entries[-1].lead_in:
            for kind, value in options:
                if value == 1:
                    return kind, value, len(self.entries)
        for kind, value in options:
            if value in (0, 1) and all(e.kind != kind or value == 0 for e in self.entries):
                return kind, value, len(self.entries)
        for kind, value in options:
            for depth in range(len(self.entries) - 1, -1, -1):
                if self.entries[depth].kind == kind:
                    return kind, value, depth
        kind, value = options[-1] if options[-1][1] == 1 else options[0]
        depth = kind.count(".1") if kind.startswith("1.1") else len(self.entries)
        return kind, value, min(depth, len(self.entries))

    def lead_ins(self) -> tuple[str, ...]:
        """Lead-ins above the innermost open level."""
        return tuple(t for t in (self.lead_in, *(e.lead_in for e in self.entries[:-1])) if t)

    def hear(self, last_sentence: str, expects_items: bool) -> None:
        """Take note of the words that a block ends with: they govern the items below if they are a lead-in."""
        lead = last_sentence if LEAD_IN.search(last_sentence) or expects_items else ""
        if self.entries:
            self.entries[-1].lead_in = lead
        else:
            self.lead_in = lead

    def close(self) -> None:
        self.entries.clear()
        self.lead_in = ""
