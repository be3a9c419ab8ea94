"""A page of a PDF file as a picture, with the clause's boxes marked on it."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw

from classifier.errors import UnreadableDocument

PageBox = tuple[int, float, float, float, float]  # page from 1; x0, top, x1, bottom in points from the top left
DOTS = 96  # an inch at zoom 1: a letter page is 816 pixels wide
FILL, EDGE = (255, 196, 0, 70), (176, 98, 0, 255)
MOST_DOTS = 4000  # longest side of a picture in pixels, however large the page says it is
_ONE_AT_A_TIME = threading.Lock()  # pdfium fails when two threads use it, and each browser has a thread of its own


def draw_page(file: Path, page: int, boxes: Sequence[PageBox] = (), zoom: float = 1.0) -> bytes:
    """Page `page` (from 1) of a PDF file as PNG. boxes: as clauses have them; those of other pages are left out.

    Raises UnreadableDocument where the file or the page can't be drawn.
    """
    try:
        with _ONE_AT_A_TIME, closing(pypdfium2.PdfDocument(file)) as pdf:
            if not 1 <= page <= len(pdf):
                raise UnreadableDocument(f"{file}: no page {page}", "look at another page")
            sheet = pdf[page - 1]
            # the size of what is shown of the sheet, upright; clauses' boxes are measured from its corner too
            width, height = sheet.get_size()
            scale = min(DOTS * zoom / 72, MOST_DOTS / max(width, height, 1.0))
            picture = sheet.render(scale=scale).to_pil().convert("RGB")
    except UnreadableDocument:
        raise
    except Exception as error:  # the drawing library has as many errors as there are ways to break a PDF
        raise UnreadableDocument(f"{file}: page {page} can't be drawn ({error})", "read the text beside it") from error
    mark(picture, [[v * scale for v in box] for on, *box in boxes if on == page])
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=2)
    return target.getvalue()


def mark(picture: Image.Image, boxes: Sequence[Sequence[float]]) -> None:
    """Tint and frame boxes (x0, top, x1, bottom in pixels), as a marker pen would: what is dark stays dark."""
    draw = ImageDraw.Draw(picture, "RGBA")
    for x0, top, x1, bottom in boxes:
        if x0 <= x1 and top <= bottom:
            draw.rectangle((x0, top, x1, bottom), fill=FILL, outline=EDGE)
