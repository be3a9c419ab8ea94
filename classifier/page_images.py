"""A page of a PDF file as a picture, with the clause's boxes marked on it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pdfplumber

from classifier.errors import UnreadableDocument

PageBox = tuple[int, float, float, float, float]  # page from 1; x0, top, x1, bottom in points from the top left
DOTS = 96  # an inch at zoom 1: a letter page is 816 pixels wide
FILL, EDGE = (255, 196, 0, 70), (176, 98, 0, 255)
MOST_DOTS = 4000  # longest side of a picture in pixels, however large the page says it is


def draw_page(file: Path, page: int, boxes: Sequence[PageBox] = (), zoom: float = 1.0) -> bytes:
    """Page `page` (from 1) of a PDF file as PNG. boxes: as clauses have them; those of other pages are left out.

    Raises UnreadableDocument where the file or the page can't be drawn.
    """
    try:
        with pdfplumber.open(file, pages=[page]) as pdf:
            if not pdf.pages:
                raise UnreadableDocument(f"{file}: no page {page}", "look at another page")
            shown = pdf.pages[0]
            fitting = 72 * MOST_DOTS / max(float(shown.width), float(shown.height), 1.0)
            picture = shown.to_image(resolution=min(DOTS * zoom, fitting), antialias=True)
            for on, x0, top, x1, bottom in boxes:
                if on == page:
                    picture.draw_rect((x0, top, x1, bottom), fill=FILL, stroke=EDGE)
            target = io.BytesIO()
            picture.annotated.convert("RGB").save(target, "PNG", compress_level=2)
            return target.getvalue()
    except UnreadableDocument:
        raise
    except Exception as error:  # the drawing library has as many errors as there are ways to break a PDF
        raise UnreadableDocument(f"{file}: page {page} can't be drawn ({error})", "read the text beside it") from error
