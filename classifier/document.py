"""What reading gives: Document(Page, Line), text in reading order with its place on the page."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import groupby
from math import cos, radians, sin
from pathlib import Path
from typing import Literal

Box = tuple[float, float, float, float]
Format = Literal["pdf", "docx", "html", "txt"]

ACCEPTED = ".pdf, .docx, .html, .htm, .txt"
LETTER = (612.0, 792.0)
_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text as it stands on a page.

    text: verbatim, single spaces, hyphens at the line end kept. page: 1-based.
    box: (x0, top, x1, bottom) in PDF points, origin at the top left of the upright page.
    words: (x0, x1) for each white-space separated word of `text`, in order.
    size: font size in points. bold: most of its letters are bold.
    gap: white space above in points, to the line before it in the same column; None where a page or column begins.
    cell: number of the table cell that it stands in on this page, None in running text.
    furniture: running header or footer, page or line number, Bates stamp: no policy text.
    """

    text: str
    page: int
    box: Box
    words: tuple[tuple[float, float], ...]
    size: float = 0.0
    bold: bool = False
    gap: float | None = None
    cell: int | None = None
    furniture: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page. status `unread`: it holds something that could not be read (a scan, rubbish text), told in `reason`.

    aside: a page of a long file that can't matter; `words` is how many it has, by a look at it. method `pdfium`: it was
    only looked at, and has no lines.
    confidence: how sure OCR is of its words, 0 to 1; None where no OCR was needed.
    turn: degrees by which its text stands turned counter-clockwise on the sheet as viewers show it: the boxes of lines
    are measured on the page turned upright. A `read` page may have a `reason` too: why a person should look at it.
    """

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    status: Literal["read", "blank", "unread"] = "read"
    method: Literal["pdfplumber", "pdfium", "ocr", "text"] = "pdfplumber"
    reason: str = ""
    confidence: float | None = None
    turn: float = 0.0
    aside: bool = False
    words: int = 0

    def on_sheet(self, box: Box) -> Box:
        """A box of this page as it lies on the sheet that viewers show, which text may stand sideways or askew on."""
        if not self.turn:
            return box
        lying = round(self.turn / 90) % 2
        sheet = (self.height, self.width) if lying else (self.width, self.height)
        cosine, sine = cos(radians(self.turn)), sin(radians(self.turn))
        corners = [(x - self.width / 2, y - self.height / 2) for x in box[::2] for y in box[1::2]]
        xs = [sheet[0] / 2 + u * cosine + v * sine for u, v in corners]
        ys = [sheet[1] / 2 - u * sine + v * cosine for u, v in corners]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read, all pages in order. note: what a reader should know of it that kept no page from being read."""

    path: Path
    format: Format
    pages: tuple[Page, ...]
    title: str = ""
    note: str = ""

    @property
    def stretches(self) -> list[tuple[Page, ...]]:
        """Runs of pages that are read as one text, in order: the whole document, but for pages set aside."""
        return [tuple(pages) for _, pages in groupby(self.pages, key=lambda page: page.aside)]

    @property
    def lines(self) -> list[Line]:
        """Body lines in reading order, furniture left out."""
        return [line for page in self.pages for line in page.lines if not line.furniture]


def clean(text: str) -> str:
    """Text as people read it: ligatures spelled out, white space as spaces, control and zero-width characters gone."""
    if text.isascii() and text.isprintable():
        return text
    text = "".join(" " if c.isspace() else c for c in text.translate(_LIGATURES))
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf") or c == "\u00ad")
