"""A PDF file → Document, page by page; what fails on one page leaves the others."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple, cast

from pdfminer.pdfdocument import PDFEncryptionError, PDFXRefFallback
from pdfminer.pdfpage import PDFPage
from pdfminer.pdftypes import resolve1
from pdfplumber.page import Page as PlumberPage
from pdfplumber.pdf import PDF
from pypdfium2 import PdfiumError

from classifier import drawing, layout
from classifier.document import LETTER, Box, Document, Line, Page, clean
from classifier.errors import UnreadableDocument
from classifier.furniture import with_furniture
from classifier.ocr import DOUBTFUL, NONSENSE, OcrReader, Reading
from classifier.repair import repaired
from classifier.scans import draw_scan
from classifier.skim import Glance, glance_at

# pdfminer reports every oddity of a file at warning level; what matters to a reader is told in `Page.reason`.
logging.getLogger("pdfminer").setLevel(logging.CRITICAL)

LONG = 40  # pages from which a file is skimmed first; a shorter one is read in the time that it takes to look at it
# Pages before and after one that matters: it is read by the headings above it, and its clauses run on.
_BEFORE, _AFTER = 2, 1
_MOST_LOST = 5_000
_MOST_PAGES = 50_000
_WHOLE = 0.8  # share of the page from which a picture without text on it is a scan
_PART = 0.25  # share from which it may be a scan in part of a page
_MORE = 0.01  # share of dark pixels, as ten lines of text have
_FEW_WORDS = 12
_COMMON_PAIRS = frozenset(
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne "
    "ea ra ce li ch ll be ma si om ur".split()
)
_STRANGE = re.compile(f"[{drawing.UNKNOWN}\ue000-\uf8ff]")
_AGAIN = "download it again, or open it in a PDF viewer and save a copy"


def read_pdf(
    path: Path,
    data: bytes,
    ocr: OcrReader | None = None,
    matters: Callable[[str], bool] | None = None,
    thorough: bool = False,
) -> Document:
    """Read a PDF file page by page, running headers and footers marked; `ocr` is asked for pages without text.

    matters: whether a page with these words can matter; of a long file, the others are set aside. thorough: read them
    all the same.
    """
    opened = _open(path, data)
    if len(opened.pages) > _MOST_PAGES:
        raise UnreadableDocument(f"{path}: it has more than {_MOST_PAGES:,} pages", "split it")
    glances = glance_at(opened.data)
    if len(glances) != len(opened.pages):
        glances = [None] * len(opened.pages)  # the two libraries disagree on what the file holds
    aside = set() if matters is None or (ocr and ocr.always) else _set_aside(glances, matters)
    pages: list[Page] = []
    gutter: float | None = None
    for number, (page_object, glance) in enumerate(zip(opened.pages, glances, strict=True), start=1):
        if (number - 1 in aside) != (number in aside):
            gutter = None  # another stretch begins
        if glance and (glance.overfull or (number in aside and not thorough)):
            page = _looked_at(page_object, number, glance)
        else:
            page, gutter = _read_page(opened.pdf, page_object, number, gutter, ocr)
        if glance and number in aside:
            page = replace(page, aside=True, words=len(glance.text.split()))
        pages.append(_of_damaged(page) if opened.damaged else page)
    pages += _lost(opened)
    note = "the file was damaged and read as far as it could be repaired" if opened.damaged else ""
    stretches = Document(path, "pdf", tuple(pages)).stretches
    marked = [page for stretch in stretches for page in with_furniture(stretch)]
    return Document(path, "pdf", tuple(marked), _title(opened.pdf.metadata.get("Title"), marked), note)


# --- opening, and what is left of a damaged file -----------------------------------------------------------------


class _Opened(NamedTuple):
    """A file that pdfminer could open. data: its bytes, written anew where it was damaged."""

    pdf: PDF
    pages: list[PDFPage]
    data: bytes
    damaged: bool


def _open(path: Path, data: bytes) -> _Opened:
    try:
        opened = _parsed(data)
    except Exception as error:  # pdfminer raises what it likes on damaged files
        refused = _pdf_error(path, error)
    else:
        if opened.pages:
            return opened
        refused = UnreadableDocument(f"{path}: the PDF has no pages, its page tree is damaged", _AGAIN)
    mended = repaired(data)
    try:
        opened = _parsed(mended or b"")._replace(damaged=True)
    except Exception as error:  # as above
        raise refused from error
    if not opened.pages:
        raise refused
    return opened


def _parsed(data: bytes) -> _Opened:
    pdf = PDF(io.BytesIO(data))
    # pdfminer looks through the whole file for objects where the table that should list them is broken
    damaged = any(isinstance(table, PDFXRefFallback) for table in pdf.doc.xrefs)
    pages = list(islice(PDFPage.create_pages(pdf.doc), _MOST_PAGES + 1))
    for page in pages:  # its corners may stand in any order
        page.mediabox, page.cropbox = _upright(page.mediabox), _upright(page.cropbox)
    return _Opened(pdf, pages, data, damaged)


def _upright(box: Box) -> Box:
    x0, y0, x1, y1 = box
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _pdf_error(path: Path, error: Exception) -> UnreadableDocument:
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(cause, MemoryError):
        raise cause
    if isinstance(cause, PDFEncryptionError):
        return UnreadableDocument(f"{path}: the PDF is locked with a password", "ask the agency for an unlocked copy")
    return UnreadableDocument(f"{path}: the PDF is cut off or damaged", _AGAIN)


def _of_damaged(page: Page) -> Page:
    """A page of a damaged file: one without anything on it may have had its text where the file is cut."""
    if page.status != "blank":
        return page
    return replace(page, status="unread", reason="the file is damaged, and nothing is left of the page")


def _lost(opened: _Opened) -> list[Page]:
    """The pages that a damaged file says it has, but that are not there."""
    declared = resolve1(opened.pdf.doc.catalog.get("Pages")) if opened.damaged else None
    count = resolve1(declared.get("Count")) if isinstance(declared, dict) else 0
    last = len(opened.pages)
    if not isinstance(count, int) or count > last + _MOST_LOST:  # rubbish, rather than a count
        return []
    reason = "the file is damaged, and the page is missing"
    return [Page(n, *LETTER, (), "unread", reason=reason) for n in range(last + 1, count + 1)]


# --- which pages to read carefully -------------------------------------------------------------------------------


def _set_aside(glances: Sequence[Glance | None], matters: Callable[[str], bool]) -> set[int]:
    """Numbers of the pages of a long file that can't matter, far from any that can or that can't be judged."""
    if len(glances) < LONG:
        return set()
    kept = [n for n, g in enumerate(glances, start=1) if g is None or not _clear(g) or matters(g.text)]
    careful = {n for page in kept for n in range(page - _BEFORE, page + _AFTER + 1)}
    return set(range(2, len(glances) + 1)) - careful  # the first page tells whose the file is


def _clear(glance: Glance) -> bool:
    """Whether the words that pdfium found are all that stands on the page, and are words."""
    if glance.covered >= _WHOLE or (glance.pictured and sum(c.isalnum() for c in glance.text) < 150):
        return False
    if len(_STRANGE.findall(glance.text)) > 0.1 * glance.characters:
        return False
    words = glance.text.lower().split()
    # so many function words make language; only what has fewer is worth the slow look
    return sum(map(drawing.FUNCTION_WORDS.__contains__, words)) > 0.1 * len(words) or _plausible(glance.text)


def _looked_at(page_object: PDFPage, number: int, glance: Glance) -> Page:
    """The page as the glance left it: without lines, refused where it is overfull."""
    x0, y0, x1, y1 = page_object.mediabox
    size = (x1 - x0, y1 - y0)
    if glance.overfull:
        drawn = max(glance.characters, glance.objects)
        return Page(
            number, *size, (), "unread", reason=f"it draws {drawn:,} signs and shapes, more than a page can hold"
        )
    return Page(number, *size, (), "read" if glance.text.strip() else "blank", "pdfium")


# --- careful reading ---------------------------------------------------------------------------------------------


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
            rows, found = layout.reading_order(drawn, gutter)
            data = cast(io.BytesIO, pdf.stream).getvalue()
            page = _judged(_page(drawn, rows, number), drawn, data)
            if ocr is not None:
                return _by_ocr(page, drawn, (gutter, found), data, ocr)
            return page, found
        finally:
            plumbed.close()
    except MemoryError:  # the file takes more than it may; the next page would fare no better
        raise
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
    kept = tuple(line for line in lines if line.text)
    return Page(number, drawn.width, drawn.height, kept, turn=90.0 * drawn.turn)


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


# --- OCR ---------------------------------------------------------------------------------------------------------


def _by_ocr(
    page: Page, drawn: drawing.Drawing, gutters: tuple[float | None, float | None], data: bytes, ocr: OcrReader
) -> tuple[Page, float | None]:
    """The page with what OCR reads on it. gutters: of the page before, and of this one by its text layer."""
    before, found = gutters
    if ocr.always or page.status == "unread":
        return _replaced(page, ocr(data, page.number), gutters)
    pictures = drawn.bare_pictures(_PART) if page.status == "read" and not drawn.turn else []
    if not pictures:
        return page, found
    reading = ocr(data, page.number, pictures)
    if reading.problem:
        return replace(page, reason=f"a picture on it may hold text; {reading.problem}"), found
    if (reading.confidence or 0.0) < DOUBTFUL or len(reading.words) < _FEW_WORDS:
        return page, found  # a photograph, a map, a seal
    merged = replace(drawn, glyphs=[*drawn.glyphs, *reading.beside(drawn.glyphs).glyphs()])
    rows, found = layout.reading_order(merged, before)
    lines = _page(merged, rows, page.number).lines
    return replace(page, lines=lines, method="ocr", confidence=reading.confidence), found


def _replaced(page: Page, reading: Reading, gutters: tuple[float | None, float | None]) -> tuple[Page, float | None]:
    """The page as OCR reads it, whatever its text layer says; as it was where OCR makes no sense of it."""
    before, found = gutters
    sure = reading.confidence
    if reading.empty and page.status != "read":
        return replace(page, lines=(), status="blank", method="ocr", reason=""), found
    problem = reading.problem or ("" if reading.words else "OCR found no words on it")
    if not problem and (sure or 0.0) < NONSENSE:
        problem = "OCR could not make sense of it; read it on the page"
    if problem:
        # A blank page has nothing to tell, and a text layer that can be read stays.
        reason = page.reason if page.status == "blank" else "; ".join(filter(None, (page.reason, problem)))
        return replace(page, reason=reason, confidence=sure), found
    drawn = reading.drawing()
    rows, found = layout.reading_order(drawn, before)
    reason = "OCR is unsure of its words; compare them with the page" if (sure or 0.0) < DOUBTFUL else ""
    read = _page(drawn, rows, page.number)
    return replace(read, method="ocr", confidence=sure, reason=reason, turn=reading.turn), found


# --- is the text layer text? -------------------------------------------------------------------------------------


def _judged(page: Page, drawn: drawing.Drawing, data: bytes) -> Page:
    """The page with its status: whether its text layer can be trusted to hold what a person sees."""
    text = " ".join(line.text for line in page.lines)
    letters = sum(c.isalnum() for c in text)
    if (letters < 150 and drawn.images >= 0.5) or (drawn.bare_pictures(_WHOLE) and _shows_more(page, data)):
        # A stamp, a court's header or a stray letter on a scan. Its words are kept, but they are no policy text.
        lines = tuple(replace(line, furniture=True) for line in page.lines)
        return replace(page, lines=lines, status="unread", reason="scanned image without a text layer")
    if drawn.unknown > 0.3:
        return replace(page, lines=(), status="unread", reason="text layer is unreadable (unknown glyphs)")
    if not page.lines:
        return _without_text(page, drawn)
    if not _plausible(text):
        return replace(page, lines=(), status="unread", reason="text layer is unreadable (no plausible words)")
    return page


def _shows_more(page: Page, data: bytes) -> bool:
    """Whether much ink stands on the page where its text layer has no line."""
    try:
        scan = draw_scan(data, page.number)
    except (PdfiumError, IndexError):
        return True
    lines = (page.on_sheet(line.box) for line in page.lines)
    around = [(x0 - 6, top - 4, x1 + 6, bottom + 4) for x0, top, x1, bottom in lines]
    return scan.without(around).inked > _MORE


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
    pairs = [a + b for w in words if len(w) > 3 and w.isascii() and w.isalpha() for a, b in pairwise(w.lower())]
    if len(pairs) >= 60 and sum(pair in _COMMON_PAIRS for pair in pairs) < 0.28 * len(pairs):
        return (
            False  # in a thousand pages of policies the lowest share is 0.36, with letters exchanged the highest 0.21
        )
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
