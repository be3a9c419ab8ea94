"""A PDF file → Document, page by page; what fails on one page leaves the others."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from pdfminer.pdfdocument import PDFEncryptionError
from pdfminer.pdfpage import PDFPage
from pdfplumber.page import Page as PlumberPage
from pdfplumber.pdf import PDF

from classifier import drawing, layout
from classifier.document import LETTER, Box, Document, Line, Page, clean
from classifier.errors import UnreadableDocument
from classifier.furniture import with_furniture

# pdfminer reports every oddity of a file at warning level; what matters to a reader is told in `Page.reason`.
logging.getLogger("pdfminer").setLevel(logging.CRITICAL)

_AGAIN = "download it again, or open it in a PDF viewer and save a copy"

OcrReader = Callable[[PlumberPage], Sequence[Line]]
"""The door for OCR: it is handed a page that could not be read and returns its lines, or none."""


def read_pdf(path: Path, data: bytes, ocr: OcrReader | None) -> Document:
    """Read a PDF file page by page, running headers and footers marked; `ocr` is asked for pages without text."""
    try:
        pdf = PDF(io.BytesIO(data))
        found = list(PDFPage.create_pages(pdf.doc))
    except Exception as error:  # pdfminer raises what it likes on damaged files
        raise _pdf_error(path, error) from error
    if not found:
        raise UnreadableDocument(f"{path}: the PDF has no pages, its page tree is damaged", _AGAIN)
    pages: list[Page] = []
    gutter: float | None = None
    for number, page_object in enumerate(found, start=1):
        page, gutter = _read_page(pdf, page_object, number, gutter, ocr)
        pages.append(page)
    marked = with_furniture(pages)
    return Document(path, "pdf", tuple(marked), _title(pdf.metadata.get("Title"), marked))


def _pdf_error(path: Path, error: Exception) -> UnreadableDocument:
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(cause, PDFEncryptionError):
        return UnreadableDocument(f"{path}: the PDF is locked with a password", "ask the agency for an unlocked copy")
    return UnreadableDocument(f"{path}: the PDF is cut off or damaged", _AGAIN)


def _read_page(
    pdf: PDF, page_object: PDFPage, number: int, gutter: float | None, ocr: OcrReader | None
) -> tuple[Page, float | None]:
    """One page, and the middle of its column gutter for the next one. What fails here fails for this page alone."""
    try:
        # What pdfminer made of the page's boxes, since pdfplumber reads the raw ones and fails where they are wrong.
        page_object.attrs |= {"MediaBox": list(page_object.mediabox), "Rotate": page_object.rotate}
        plumbed = PlumberPage(pdf, page_object, number)
        try:
            drawn = drawing.read_drawing(plumbed.layout, _visible_box(page_object))
            rows, gutter = layout.reading_order(drawn, gutter)
            page = _judged(_page(drawn, rows, number), drawn)
            if page.status == "unread" and ocr is not None and (lines := tuple(ocr(plumbed))):
                page = replace(page, lines=lines, status="read", method="ocr", reason="")
            return page, gutter
        finally:
            plumbed.close()
    except Exception as error:  # pdfminer raises what it likes on damaged pages
        reason = f"the page is damaged ({type(error).__name__})"
        return Page(number, *LETTER, (), "unread", reason=reason), gutter


def _visible_box(page: PDFPage) -> Box:
    """The page's crop box in pdfminer's upright frame, y upwards."""
    mx0, my0, mx1, my1 = page.mediabox
    x0, y0, x1, y1 = page.cropbox
    x0, y0, x1, y1 = max(min(x0, x1), mx0), max(min(y0, y1), my0), min(max(x0, x1), mx1), min(max(y0, y1), my1)
    if x1 <= x0 or y1 <= y0:
        x0, y0, x1, y1 = mx0, my0, mx1, my1
    if page.rotate == 90:
        return (y0 - my0, mx1 - x1, y1 - my0, mx1 - x0)
    if page.rotate == 180:
        return (mx1 - x1, my1 - y1, mx1 - x0, my1 - y0)
    if page.rotate == 270:
        return (my1 - y1, x0 - mx0, my1 - y0, x1 - mx0)
    return (x0 - mx0, y0 - my0, x1 - mx0, y1 - my0)


def _page(drawn: drawing.Drawing, rows: Sequence[drawing.Row], number: int) -> Page:
    lines = (_line(row, number) for row in rows)
    return Page(number, drawn.width, drawn.height, tuple(line for line in lines if line.text))


def _line(row: drawing.Row, page: int) -> Line:
    words = [(w.text.replace("\u00ad", ""), w) for w in row.words]
    if row.words[-1].text.endswith("\u00ad"):  # at the line end a soft hyphen is a drawn one
        words[-1] = (words[-1][0] + "-", words[-1][1])
    if len(words) > 1 and (words[0][0] == drawing.UNKNOWN):
        words[0] = ("•", words[0][1])  # an unknown glyph at the head of a line is a list mark
    kept = [(text, w) for text, w in words if text]
    if not kept:
        return Line("", page, (0.0, 0.0, 0.0, 0.0), ())
    sizes = Counter[float]()
    for text, word in kept:
        sizes[round(word.size, 1)] += len(text)
    return Line(
        text=" ".join(text for text, _ in kept),
        page=page,
        box=drawing.enclosing(w for _, w in kept),
        words=tuple((w.x0, w.x1) for _, w in kept),
        size=sizes.most_common(1)[0][0],
        bold=2 * sum(w.bold for _, w in kept) > sum(len(text) for text, _ in kept),
        gap=row.gap,
        cell=row.cell,
        furniture=row.margin,
    )


# --- is the text layer text? -------------------------------------------------------------------------------------


def _judged(page: Page, drawn: drawing.Drawing) -> Page:
    """The page with its status: whether its text layer can be trusted to hold what a person sees."""
    text = " ".join(line.text for line in page.lines)
    letters = sum(c.isalnum() for c in text)
    if letters < 150 and drawn.images >= 0.5:
        # A stamp or a stray letter on a scan. Its words are kept, but they are no policy text.
        lines = tuple(replace(line, furniture=True) for line in page.lines)
        return replace(page, lines=lines, status="unread", reason="scanned image without a text layer")
    if drawn.unknown > 0.3:
        return replace(page, lines=(), status="unread", reason="text layer is unreadable (unknown glyphs)")
    if not page.lines:
        return _without_text(page, drawn)
    if not _plausible(text):
        return replace(page, lines=(), status="unread", reason="text layer is unreadable (no plausible words)")
    return page


def _without_text(page: Page, drawn: drawing.Drawing) -> Page:
    if drawn.images >= 0.1:
        return replace(page, status="unread", reason="scanned image without a text layer")
    if drawn.shapes >= 200:  # letters as outlines; fewer are ruling lines and ornaments
        return replace(page, status="unread", reason="text drawn as shapes, without a text layer")
    return replace(page, status="blank")


def _plausible(text: str) -> bool:
    """Whether text reads like language. Short texts get the benefit of the doubt: there is too little to judge by.

    Running English has 35 to 45 % function words, lists of names and tables of contents 5 % or more; texts in fonts
    with a wrong character map have none, and few words of ordinary shape.
    """
    words = [
        w for w in (token.strip(".,;:()[]\"'“”‘’-–—_•/") for token in text.split()) if len(w) > 1 and not w.isdigit()
    ]
    if len(words) < 20:
        return True
    function = sum(w.lower() in drawing.FUNCTION_WORDS for w in words) / len(words)
    shaped = sum(_is_wordlike(w) for w in words) / len(words)
    return shaped >= 0.5 and (function >= 0.02 or shaped >= 0.8 or len(words) < 60)


def _is_wordlike(word: str) -> bool:
    """Letters with as many vowels as words have, no long run of consonants, capitals at the head or throughout."""
    letters = sum(c.isalpha() for c in word)
    if letters < 0.6 * len(word):
        return bool(re.fullmatch(r"[\d.,:/()$%§-]+", word))
    vowels = sum(c in "aeiouyáéíóúüAEIOUY" for c in word)
    cased = word.isupper() or word[1:] == word[1:].lower() or "-" in word or "/" in word
    long_run = re.search(r"[bcdfghjklmnpqrstvwxz]{6}", word, re.IGNORECASE)
    return cased and not long_run and (0.15 <= vowels / letters <= 0.75 or len(word) < 5)


def _title(metadata: object, pages: Sequence[Page]) -> str:
    """The document's own title, or the biggest type in the upper half of its first page."""
    title = re.sub(
        r"^Microsoft (Word|PowerPoint) - |\.(docx?|pdf|wpd|rtf|indd)$", "", clean(str(metadata or ""))
    ).strip()
    if title and " " in title:
        return title
    lines = [line for page in pages[:1] for line in page.lines if line.box[1] < page.height / 2 and len(line.text) > 3]
    biggest = max((line.size for line in lines), default=0.0)
    if lines and biggest > 1.15 * median(line.size for line in pages[0].lines):
        return " ".join(line.text for line in lines if line.size >= 0.95 * biggest)[:200]
    return ""
