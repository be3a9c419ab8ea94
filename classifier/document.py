"""What reading gives: Document(Page, Line), text in reading order with its place on the page."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
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

    method: `pdfium` is a quick look at a page that can't matter: its words are known, their places are not, it has no lines.
    confidence: how sure OCR is of its words, 0 to 1; None where no OCR was needed.
    """

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    status: Literal["read", "blank", "unread"] = "read"
    method: Literal["pdfplumber", "pdfium", "ocr", "text"] = "pdfplumber"
    reason: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read, all pages in order. note: what a reader should know of it that kept no page from being read."""

    path: Path
    format: Format
    pages: tuple[Page, ...]
    title: str = ""
    note: str = ""

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
