"""All pages of a PDF at a glance, by pdfium: their words and how much they draw. A twentieth of the price of careful reading."""

from __future__ import annotations

import re
from contextlib import closing
from ctypes import c_float
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
    letters. covered: beside little text, the share of the page that images cover.
    """

    text: str
    characters: int
    objects: int
    pictured: bool = False
    covered: float = 0.0

    @property
    def overfull(self) -> bool:
        """Whether it draws more than any page that a person reads; to go through it would take minutes and gigabytes.

        Of one string of any length pdfium counts 32,767 characters.
        """
        return self.characters > 32_000 or self.objects > 100_000


def glance_at(data: bytes) -> list[Glance | None]:
    """One Glance a page, in order, None for a page that pdfium can't load; nothing where it can't open the file."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError:
        return []
    with document:
        return [_glance(document, i) for i in range(len(document))]


def _glance(document: pdfium.PdfDocument, index: int) -> Glance | None:
    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as words:
            glance = Glance("", words.count_chars(), raw.FPDFPage_CountObjects(page))
            if glance.overfull:
                return glance
            text = _CUT.sub("", words.get_text_range())
            if glance.characters >= _FULL:
                return replace(glance, text=text)
            return replace(glance, text=text, pictured=_pictured(page, glance.objects), covered=_covered(page))
    except pdfium.PdfiumError:
        return None


def _pictured(page: pdfium.PdfPage, objects: int) -> bool:
    kinds = (raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, i)) for i in range(objects))
    return objects >= 200 or any(kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM) for kind in kinds)


def _covered(page: pdfium.PdfPage) -> float:
    width, height = page.get_size()
    area = 0.0
    for image in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]):
        x0, y0, x1, y1 = (c_float() for _ in range(4))
        if raw.FPDFPageObj_GetBounds(image.raw, x0, y0, x1, y1):
            area += max(0.0, min(x1.value, width) - max(x0.value, 0)) * max(
                0.0, min(y1.value, height) - max(y0.value, 0)
            )
    return area / (width * height) if width * height else 0.0
