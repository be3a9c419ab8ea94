"""All pages of a PDF at a glance, by pdfium: their words and how much they draw. A twentieth of the price of careful reading."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
from pypdfium2 import raw

# A word cut at the line end: pdfium puts U+FFFE or U+0002 for the hyphen, unless it takes it for a drawn one.
_CUT = re.compile("(?:[-\u00ad\u2010]\\s*\n|\ufffe|\x02)\\s*")

_FULL = 1_000  # characters; a page with more has its text as text


@dataclass(frozen=True, slots=True)
class Glance:
    """One page as pdfium sees it. text: its words, those cut at a line end rejoined; empty if it is `overfull`.

    characters, objects: what it draws, counted. pictured: beside little text an image stands on it, or enough shapes to be
    letters.
    """

    text: str
    characters: int
    objects: int
    pictured: bool

    @property
    def overfull(self) -> bool:
        """Whether it draws more than any page that a person reads; to go through it would take minutes and gigabytes."""
        return self.characters > 60_000 or self.objects > 100_000


def glance_at(data: bytes) -> list[Glance]:
    """One Glance a page, in order; none where pdfium can't open the file."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError:
        return []
    with document:
        return [_glance(document, i) for i in range(len(document))]


def _glance(document: pdfium.PdfDocument, index: int) -> Glance:
    try:
        page = document[index]
    except pdfium.PdfiumError:
        return Glance("", 0, 0, False)
    try:
        words = page.get_textpage()
        try:
            glance = Glance("", words.count_chars(), raw.FPDFPage_CountObjects(page), False)
            if glance.overfull:
                return glance
            text = _CUT.sub("", words.get_text_range())
            return replace(glance, text=text, pictured=glance.characters < _FULL and _pictured(page, glance.objects))
        finally:
            words.close()
    except pdfium.PdfiumError:
        return Glance("", 0, 0, False)
    finally:
        page.close()


def _pictured(page: pdfium.PdfPage, objects: int) -> bool:
    kinds = (raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, i)) for i in range(objects))
    return objects >= 200 or any(kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM) for kind in kinds)
