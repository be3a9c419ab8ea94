"""Plain text files → Document; and the pages made up for all formats that know no places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from classifier.document import ACCEPTED, LETTER, Document, Line, Page, clean
from classifier.errors import UnreadableDocument
from classifier.furniture import with_furniture

LONGEST_LINE = 10_000  # characters; no paragraph comes near
# More than any manual has: 2 million characters are 700 pages.
_MOST_CHARACTERS = 10_000_000
_MOST_PAGES = 5_000
_CHARSETS = re.compile(
    r"utf-?8|(?:us-)?ascii|(?:windows-|cp)125\d|iso-?8859-\d{1,2}|latin-?\d{1,2}|macintosh|mac-?roman", re.I
)


@dataclass(slots=True)
class Sheet:
    """Collects lines of a format without places.

    The places are made up: each line 12 points high, 6 points a character, from (72, 36) on letter-size pages, which
    grow downwards where more than 60 lines stand between two page breaks.
    """

    pages: list[Page] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    row: int = 0

    def add(self, text: str, *, gap: int = 0, indent: int = 0, size: float = 11.0, **marks: Any) -> None:
        """One line below the last one. gap: empty lines above it. marks: `bold`, `cell`, `furniture` of the line."""
        for part in _cut(" ".join(clean(text).replace("\u00ad", "").split())):
            self._add(part, gap, indent, size, marks)
            gap = 0

    def _add(self, text: str, gap: int, indent: int, size: float, marks: dict[str, Any]) -> None:
        self.row += gap if self.lines else 0
        top, x = 36 + 12.0 * self.row, 72 + 6.0 * indent
        words = tuple((x + 6 * m.start(), x + 6 * m.end()) for m in re.finditer(r"\S+", text))
        box = (x, top, words[-1][1], top + 12)
        above = 12.0 * gap if self.lines and self.lines[-1].cell == marks.get("cell") else None
        self.lines.append(Line(text, len(self.pages) + 1, box, words, size, gap=above, **marks))
        self.row += 1

    def end_page(self) -> None:
        height = max(LETTER[1], 72.0 + 12 * self.row)
        status: Literal["read", "blank"] = "read" if self.lines else "blank"
        self.pages.append(Page(len(self.pages) + 1, LETTER[0], height, tuple(self.lines), status, "text"))
        self.lines, self.row = [], 0


def _cut(text: str) -> Iterator[str]:
    """A line in parts that the stages behind can bear: cut behind a full stop, a space, or anywhere if need be."""
    at = 0
    while len(text) - at > LONGEST_LINE:
        middle, far = at + LONGEST_LINE // 2, at + LONGEST_LINE
        end = text.rfind(". ", middle, far) + 1 or text.rfind(" ", middle, far) + 1 or far
        yield text[at:end].strip()
        at = end
    if text[at:]:
        yield text[at:].strip()


def read_txt(path: Path, data: bytes) -> Document:
    """Plain text; form feeds are page breaks."""
    text = decoded(path, data)
    if (pages := text.count("\f") + 1) > _MOST_PAGES:
        raise UnreadableDocument(f"{path}: it has {pages:,} page breaks, more than {_MOST_PAGES:,}", "split it")
    sheet = Sheet()
    for page in text.split("\f"):
        gap = 0
        for line in re.split(r"\r\n|\r|\n", page):
            if not line.strip():
                gap += 1
                continue
            wide = line.expandtabs(4)
            sheet.add(line, gap=gap, indent=len(wide) - len(wide.lstrip()))
            gap = 0
        sheet.end_page()
    if len(sheet.pages) > 1 and not sheet.pages[-1].lines:  # a form feed at the end of the file ends a page
        sheet.pages.pop()
    return Document(path, "txt", tuple(with_furniture(sheet.pages)))


def decoded(path: Path, data: bytes, declared: str = "utf-8") -> str:
    """Text in the encoding that its byte order mark, its declaration or its bytes tell.

    Raises UnreadableDocument where it is binary, or longer than a policy can be.
    """
    text = _in_its_encoding(path, data, declared)
    if len(text) > _MOST_CHARACTERS:
        size = f"{len(text):,} characters, more than {_MOST_CHARACTERS:,}"
        raise UnreadableDocument(f"{path}: it holds {size}", "split it, or take out what is no policy")
    return text


def _in_its_encoding(path: Path, data: bytes, declared: str) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    even, odd = (data[i::2].count(0) / (len(data) // 2 or 1) for i in (0, 1))
    if max(even, odd) > 0.6 and min(even, odd) < 0.02:  # Latin letters in two bytes each, without the mark
        return data.decode("utf-16-be" if even > odd else "utf-16-le", errors="replace")
    if data.count(0) > 0.02 * len(data):  # a few come from text taken out of PDF files
        raise UnreadableDocument(f"{path}: this is no text file, it holds binary data", f"save it as one of {ACCEPTED}")
    # Python knows encodings that are none of text ("hex"), or slow ("idna"): a page may not choose among all
    for encoding in (declared if _CHARSETS.fullmatch(declared) else "utf-8", "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", errors="replace")


def formatted(number: int, style: str) -> str:
    """A list number in one of Word's or HTML's styles."""
    if not 0 < number < 1000:  # nobody counts on in letters or Roman numbers
        return str(number)
    if style in ("lowerLetter", "a"):
        return chr(96 + (number - 1) % 26 + 1) * ((number - 1) // 26 + 1)
    if style in ("upperLetter", "A"):
        return formatted(number, "a").upper()
    if style in ("lowerRoman", "i"):
        return _roman(number)
    if style in ("upperRoman", "I"):
        return _roman(number).upper()
    return str(number)


def _roman(number: int) -> str:
    out = ""
    signs = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
    for value, sign in signs:
        out += sign * (number // value)
        number %= value
    return out
