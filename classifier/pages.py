"""Document files → Document(Page, Line): text in reading order, with its place on the page."""

from __future__ import annotations

import io
import logging
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

import docx
from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from pdfminer.pdfdocument import PDFEncryptionError
from pdfminer.pdfpage import PDFPage
from pdfplumber.page import Page as PlumberPage
from pdfplumber.pdf import PDF

from classifier import layout
from classifier.errors import UnreadableDocument

# pdfminer reports every oddity of a file at warning level; what matters to a reader is told in `Page.reason`.
logging.getLogger("pdfminer").setLevel(logging.CRITICAL)

Box = tuple[float, float, float, float]
Format = Literal["pdf", "docx", "html", "txt"]

ACCEPTED = ".pdf, .docx, .html, .htm, .txt"
_AGAIN = "download it again, or open it in a PDF viewer and save a copy"
_LETTER = (612.0, 792.0)
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Office file (.doc, .xls)",
    b"{\\rtf": "a rich text file (.rtf)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
}


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
    """One page. status `unread`: it holds something that could not be read (a scan, rubbish text), told in `reason`."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    status: Literal["read", "blank", "unread"] = "read"
    method: Literal["pdfplumber", "ocr", "text"] = "pdfplumber"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read, all pages in order."""

    path: Path
    format: Literal["pdf", "docx", "html", "txt"]
    pages: tuple[Page, ...]
    title: str = ""

    @property
    def lines(self) -> list[Line]:
        """Body lines in reading order, furniture left out."""
        return [line for page in self.pages for line in page.lines if not line.furniture]


OcrReader = Callable[[PlumberPage], Sequence[Line]]
"""The door for OCR: it is handed a page that could not be read and returns its lines, or none."""


def read_document(path: Path, ocr: OcrReader | None = None) -> Document:
    """Read one file. Its type is decided by what is in it, then by its name.

    ocr: asked for the lines of every PDF page that can't be read otherwise.
    Raises UnreadableDocument, with what to do next, where nothing of the file can be read; pages of a PDF that fail
    alone are `unread` instead.
    """
    data = _content(path)
    kind = _format(path, data)
    if kind == "pdf":
        return _read_pdf(path, data, ocr)
    if kind == "docx":
        return _read_docx(path, data)
    return _read_html(path, data) if kind == "html" else _read_txt(path, data)


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UnreadableDocument(f"{path}: there is no such file", "check the path") from None
    except IsADirectoryError:
        raise UnreadableDocument(f"{path}: this is a folder", "name a file in it") from None
    except PermissionError:
        raise UnreadableDocument(
            f"{path}: no permission to read it", "change the file's permissions or copy it"
        ) from None
    except OSError as error:
        raise UnreadableDocument(f"{path}: {error.strerror or error}", "check the path and the disk") from error
    if not data:
        raise UnreadableDocument(f"{path}: the file is empty (0 bytes)", "download or request it again")
    return data


def _format(path: Path, data: bytes) -> Format:
    """The file's format, by its first bytes, then by its name."""
    suffix = path.suffix.lower()
    head = data[:1024].lstrip()
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK") and (inside := _zip_names(data)) is not None:
        if "word/document.xml" in inside:
            return "docx"
        raise _refused(path, "a zip archive or an Office file other than Word")
    foreign = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)
    if foreign:
        raise _refused(path, foreign)
    if suffix in (".pdf", ".docx"):
        name = suffix[1:].upper()
        raise UnreadableDocument(f"{path}: not a {name} file though it is named so", "download or request it again")
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b", head, re.IGNORECASE) or suffix in (
        ".html",
        ".htm",
    ):
        return "html"
    if suffix == ".txt":
        return "txt"
    raise _refused(path, f"a {suffix or 'nameless'} file")


def _refused(path: Path, what: str) -> UnreadableDocument:
    return UnreadableDocument(f"{path}: {what} can't be read", f"save it as one of {ACCEPTED}")


def _zip_names(data: bytes) -> list[str] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return None


# --- PDF ---------------------------------------------------------------------------------------------------------


def _read_pdf(path: Path, data: bytes, ocr: OcrReader | None) -> Document:
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
    marked = _with_furniture(pages)
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
            drawn = layout.read_drawing(plumbed.layout, _visible_box(page_object))
            rows, gutter = layout.reading_order(drawn, gutter)
            page = _judged(_page(drawn, rows, number), drawn)
            if page.status == "unread" and ocr is not None and (lines := tuple(ocr(plumbed))):
                page = replace(page, lines=lines, status="read", method="ocr", reason="")
            return page, gutter
        finally:
            plumbed.close()
    except Exception as error:  # pdfminer raises what it likes on damaged pages
        reason = f"the page is damaged ({type(error).__name__})"
        return Page(number, *_LETTER, (), "unread", reason=reason), gutter


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


def _page(drawn: layout.Drawing, rows: Sequence[layout.Row], number: int) -> Page:
    lines = (_line(row, number) for row in rows)
    return Page(number, drawn.width, drawn.height, tuple(line for line in lines if line.text))


def _line(row: layout.Row, page: int) -> Line:
    words = [(w.text.replace("\u00ad", ""), w) for w in row.words]
    if row.words[-1].text.endswith("\u00ad"):  # at the line end a soft hyphen is a drawn one
        words[-1] = (words[-1][0] + "-", words[-1][1])
    if len(words) > 1 and (words[0][0] == layout.UNKNOWN):
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
        box=layout.enclosing(w for _, w in kept),
        words=tuple((w.x0, w.x1) for _, w in kept),
        size=sizes.most_common(1)[0][0],
        bold=2 * sum(w.bold for _, w in kept) > sum(len(text) for text, _ in kept),
        gap=row.gap,
        cell=row.cell,
        furniture=row.margin,
    )


# --- is the text layer text? -------------------------------------------------------------------------------------

def _judged(page: Page, drawn: layout.Drawing) -> Page:
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


def _without_text(page: Page, drawn: layout.Drawing) -> Page:
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
    function = sum(w.lower() in layout.FUNCTION_WORDS for w in words) / len(words)
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


# --- furniture ---------------------------------------------------------------------------------------------------

_ZONE = 0.2  # share of the page height at its top and bottom in which running headers and footers stand
_DEPTH = 10  # rows that a running header or footer may have
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"(?:page|pg\.?|p\.)?\s*[-–—|(\[]*\s*(?:\d{1,4}|(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3}))\s*[-–—|)\]]*"
    r"(?:\s*(?:of|/)\s*\d{1,4})?|page \d{1,4}\b.*|.*\bpage:? \d{1,4}(?: of \d{1,4})?\W*",
    re.IGNORECASE,
)
_BATES = re.compile(r"[A-Z][A-Za-z ._-]{0,20}0\d{4,}")


class _EdgeRow(NamedTuple):
    """Lines side by side near one end of a page. edge: points between them and that end."""

    lines: list[Line]
    edge: float
    size: float

    def clear_of(self, inner: _EdgeRow) -> float:
        """White space to the next row inwards, in points."""
        return inner.edge - self.edge - max(line.box[3] - line.box[1] for line in self.lines)


def _with_furniture(pages: Sequence[Page]) -> list[Page]:
    """The pages with running headers, footers, page numbers and stamps marked, and gaps counted from the body only.

    A row is furniture where it stands at the outer edge of its page and comes again at the same place of a page
    near by (the next or the next but one: odd and even pages often differ), its numbers alike or counting pages.
    """
    ends = [[_edge_rows(page, top) for top in (True, False)] for page in pages]
    size = median([line.size for page in pages for line in page.lines] or [0.0])
    out = []
    for i, page in enumerate(pages):
        marked: set[int] = set()
        for side in (0, 1):
            near = {d: ends[i + d][side] for d in (-2, -1, 1, 2) if 0 <= i + d < len(pages)}
            running = _running(page, ends[i][side], near, size)
            for row, first in running:
                # A big letterhead is kept as body where the document begins: it carries the title.
                if not (first and i < 2 and side == 0 and row.size >= 1.25 * size):
                    marked |= {id(line) for line in row.lines}
            for row in _lone_furniture(ends[i][side][len(running) :], page, size):
                marked |= {id(line) for line in row.lines}
        out.append(replace(page, lines=tuple(_regapped(page.lines, marked))))
    return out


def _edge_rows(page: Page, top: bool) -> list[_EdgeRow]:
    """The outermost rows at one end of the page, from the edge inwards, one more than can be furniture."""
    lines = [line for line in page.lines if not line.furniture or page.status == "unread"]
    # Made-up pages end with their text.
    height = page.height if page.method != "text" else 36 + max((line.box[3] for line in lines), default=0.0)
    rows: list[_EdgeRow] = []
    placed = [(line.box[1] if top else height - line.box[3], line) for line in lines]
    for edge, line in sorted(placed, key=lambda place: place[0]):
        if rows and edge - rows[-1].edge < 0.5 * line.size:
            rows[-1].lines.append(line)
        elif len(rows) > _DEPTH:
            break
        else:
            rows.append(_EdgeRow([line], edge, line.size))
    return rows


def _running(
    page: Page, rows: list[_EdgeRow], near: dict[int, list[_EdgeRow]], size: float
) -> list[tuple[_EdgeRow, bool]]:
    """The rows that neighbouring pages repeat with the few outside of them, and whether it is for the first time."""
    zone = sum(row.edge <= _ZONE * page.height for row in rows[:_DEPTH])
    found = [{d for d, others in near.items() if _recurs(row, others, d)} for row in rows[:zone]]
    depth = 0
    for i, distances in enumerate(found):
        if distances and i - depth <= 2:
            depth = i + 1
    # Rows of the same small print go with them, such as a footer's line with the chapter's title.
    while 0 < depth < zone and rows[depth].size == rows[depth - 1].size < 0.9 * size:
        depth += 1
    if depth and not _stands_clear(page, rows, depth) and (depth == zone or len(found[depth - 1]) < 3):
        # Body text that repeats comes down to here: only a wide gap tells where a header ends.
        depth = max((i for i in range(1, depth) if _stands_clear(page, rows, i)), default=0)
    return [(row, bool(d) and min(d) > 0) for row, d in zip(rows[:depth], found, strict=False)]


def _recurs(row: _EdgeRow, others: Sequence[_EdgeRow], distance: int) -> bool:
    """Whether a row `distance` pages on is the same running line; it may stand a little higher or lower there."""
    near = [other for other in others if abs(other.edge - row.edge) <= 12]
    return any(_repeats(a, b, distance) or _overlaps(a, b) for other in near for a in row.lines for b in other.lines)


def _repeats(line: Line, other: Line, distance: int) -> bool:
    """Same text, aligned left, right or both, with the same numbers or such as count pages."""
    if _DIGITS.sub("#", line.text) != _DIGITS.sub("#", other.text):
        return False
    if min(abs(line.box[0] - other.box[0]), abs(line.box[2] - other.box[2])) > 24:
        return False
    pairs = zip(_DIGITS.findall(line.text), _DIGITS.findall(other.text), strict=True)
    return all(int(b) - int(a) in (0, distance) for a, b in pairs)


def _overlaps(line: Line, other: Line) -> bool:
    """Most of the same words, or several at the same place: a running line that also holds the chapter's title."""
    places = {(text, round(x / 3)) for text, (x, _) in zip(other.text.split(), other.words, strict=True)}
    words = [(text, round(x / 3)) for text, (x, _) in zip(line.text.split(), line.words, strict=True) if text.isalpha()]
    same = sum(any((text, x + near) in places for near in (-1, 0, 1)) for text, x in words)
    if same >= 4 and same >= 0.4 * max(len(line.words), len(other.words)):
        return True
    shorter, longer = sorted((line.text, other.text), key=len)
    return 4 <= shorter.count(" ") + 1 >= 0.6 * (longer.count(" ") + 1) and f" {shorter} " in f" {longer} "


def _stands_clear(page: Page, rows: list[_EdgeRow], depth: int) -> bool:
    """Whether more white stands below the outermost rows than between the lines of the body."""
    if depth >= len(rows):
        return False
    body = median([line.gap for line in page.lines if line.gap is not None] or [0.0])
    return rows[depth - 1].clear_of(rows[depth]) >= max(0.5 * rows[depth - 1].size, 1.3 * body)


def _lone_furniture(rows: list[_EdgeRow], page: Page, size: float) -> Iterator[_EdgeRow]:
    """Page numbers, Bates stamps and small print at the very edge, which need no repetition to be known."""
    for row, inner in zip(rows[:2], [*rows[1:], None], strict=False):
        white = row.clear_of(inner) if inner else 99.0
        if row.edge > 0.1 * page.height or white < 0.5 * row.size:
            return
        known = any(_PAGE_NUMBER.fullmatch(line.text) or _BATES.fullmatch(line.text) for line in row.lines)
        small = max(line.size for line in row.lines) <= 0.95 * size and row.edge <= 50 and white >= row.size
        if known or (small and not row.lines[-1].text.endswith((".", ";", ","))):
            yield row


def _regapped(lines: Sequence[Line], marked: set[int]) -> Iterator[Line]:
    """Mark furniture; the body line behind it begins the page's text, so it has no gap."""
    after = False
    for line in lines:
        furniture = line.furniture or id(line) in marked
        gap = None if after and not furniture else line.gap
        yield replace(line, furniture=furniture, gap=gap)
        after = furniture


def _title(metadata: object, pages: Sequence[Page]) -> str:
    """The document's own title, or the biggest type in the upper half of its first page."""
    title = re.sub(
        r"^Microsoft (Word|PowerPoint) - |\.(docx?|pdf|wpd|rtf|indd)$", "", layout.clean(str(metadata or ""))
    ).strip()
    if title and " " in title:
        return title
    lines = [line for page in pages[:1] for line in page.lines if line.box[1] < page.height / 2 and len(line.text) > 3]
    biggest = max((line.size for line in lines), default=0.0)
    if lines and biggest > 1.15 * median(line.size for line in pages[0].lines):
        return " ".join(line.text for line in lines if line.size >= 0.95 * biggest)[:200]
    return ""


# --- text, Word and HTML -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sheet:
    """Collects lines of a format without places.

    The places are made up: each line 12 points high, 6 points a character, from (72, 36) on letter-size pages, which
    grow downwards where more than 60 lines stand between two page breaks.
    """

    pages: list[Page] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    row: int = 0

    def add(self, text: str, *, gap: int = 0, indent: int = 0, size: float = 11.0, **marks: Any) -> None:
        """One line below the last one. gap: empty lines above it. marks: `bold`, `cell`, `furniture` of the line."""
        text = " ".join(layout.clean(text).replace("\u00ad", "").split())
        if not text:
            return
        self.row += gap if self.lines else 0
        top, x = 36 + 12.0 * self.row, 72 + 6.0 * indent
        words = tuple((x + 6 * m.start(), x + 6 * m.end()) for m in re.finditer(r"\S+", text))
        box = (x, top, words[-1][1], top + 12)
        above = 12.0 * gap if self.lines and self.lines[-1].cell == marks.get("cell") else None
        self.lines.append(Line(text, len(self.pages) + 1, box, words, size, gap=above, **marks))
        self.row += 1

    def end_page(self) -> None:
        height = max(_LETTER[1], 72.0 + 12 * self.row)
        status: Literal["read", "blank"] = "read" if self.lines else "blank"
        self.pages.append(Page(len(self.pages) + 1, _LETTER[0], height, tuple(self.lines), status, "text"))
        self.lines, self.row = [], 0


def _read_txt(path: Path, data: bytes) -> Document:
    """Plain text; form feeds are page breaks."""
    text = _decoded(path, data)
    sheet = _Sheet()
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
    return Document(path, "txt", tuple(_with_furniture(sheet.pages)))


def _decoded(path: Path, data: bytes, declared: str = "utf-8") -> str:
    """Text in the encoding that its byte order mark, its declaration or its bytes tell."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise UnreadableDocument(f"{path}: this is no text file, it holds binary data", f"save it as one of {ACCEPTED}")
    for encoding in (declared, "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", errors="replace")


def _read_docx(path: Path, data: bytes) -> Document:
    """A Word file in document order. Pages end where Word last broke them; headers and footers are left out."""
    try:
        word = docx.Document(io.BytesIO(data))
    except Exception as error:  # python-docx raises what zipfile, lxml and itself like
        raise UnreadableDocument(f"{path}: the Word file is damaged", "open it in Word and save a copy") from error
    numbering, sheet, cells = _Numbering(word), _Sheet(), 0
    for item in word.iter_inner_content():
        if isinstance(item, Paragraph):
            _add_paragraph(sheet, item, numbering)
            continue
        for row in item.rows:
            for cell in _own_cells(row.cells):
                cells += 1
                for paragraph in cell.paragraphs:
                    _add_paragraph(sheet, paragraph, numbering, cells)
    sheet.end_page()
    return Document(path, "docx", tuple(sheet.pages), (word.core_properties.title or "").strip())


def _own_cells(cells: Iterable[Any]) -> Iterator[Any]:
    """Each cell once: python-docx gives merged ones for every column that they cover."""
    last = None
    for cell in cells:
        if cell._tc is not last:
            yield cell
        last = cell._tc


def _add_paragraph(sheet: _Sheet, paragraph: Paragraph, numbering: _Numbering, cell: int | None = None) -> None:
    style = (paragraph.style.name if paragraph.style else "") or ""
    heading = style.startswith(("Heading", "Title"))
    letters = sum(len(run.text) for run in paragraph.runs)
    bold = heading or 2 * sum(len(run.text) for run in paragraph.runs if run.bold) > letters
    breaks = paragraph._p.xpath(".//w:br[@w:type='page'] | .//w:lastRenderedPageBreak")
    if breaks and cell is None and sheet.lines and _precedes_text(breaks[0], paragraph._p):
        sheet.end_page()
        breaks = breaks[1:]
    mark = numbering.mark(paragraph)
    for i, part in enumerate(paragraph.text.split("\n")):
        text = f"{mark} {part}" if mark and not i else part
        sheet.add(text, gap=0 if i else 1, size=14.0 if heading else 11.0, bold=bold, cell=cell)
    if breaks and cell is None and sheet.lines:
        sheet.end_page()


def _precedes_text(mark: Any, paragraph: Any) -> bool:
    """Whether a page break stands before all text of its paragraph."""
    for node in paragraph.iter():
        if node is mark:
            return True
        if node.tag == qn("w:t") and (node.text or "").strip():
            return False
    return True


class _Level(NamedTuple):
    """One level of a Word list: number format, text with %1, %2 for the numbers of the levels, first number."""

    format: str
    text: str
    start: int


class _Numbering:
    """Word's automatic list numbers, which are not in the text, counted as Word does."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):  # a file without lists has no such part
            return
        for item in root.findall(qn("w:abstractNum")):
            levels = {int(level.get(qn("w:ilvl"))): _level(level) for level in item.findall(qn("w:lvl"))}
            self._levels[item.get(qn("w:abstractNumId"))] = levels
        for item in root.findall(qn("w:num")):
            self._abstract[item.get(qn("w:numId"))] = _value(item, "w:abstractNumId")

    def mark(self, paragraph: Paragraph) -> str:
        """The list mark of a paragraph, such as "1.", "(a)" or "•"; empty where it has none."""
        place = _list_place(paragraph)
        abstract = self._abstract.get(place[0]) if place else None
        level = self._levels.get(abstract or "", {}).get(place[1]) if place else None
        if place is None or abstract is None or level is None:
            return ""
        if level.format in ("bullet", "none"):
            return "•" if level.format == "bullet" else ""
        counts = self._counts.setdefault(abstract, {})
        counts[place[1]] = counts.get(place[1], level.start - 1) + 1
        for deeper in [n for n in counts if n > place[1]]:
            del counts[deeper]
        return re.sub(r"%(\d)", lambda m: self._number(abstract, int(m[1]) - 1), level.text)

    def _number(self, abstract: str, n: int) -> str:
        level = self._levels[abstract].get(n)
        return "" if level is None else _formatted(self._counts[abstract].get(n, level.start), level.format)


def _level(element: Any) -> _Level:
    start = _value(element, "w:start")
    return _Level(_value(element, "w:numFmt"), _value(element, "w:lvlText"), int(start) if start.isdigit() else 1)


def _value(element: Any, tag: str) -> str:
    child = element.find(qn(tag))
    return "" if child is None else child.get(qn("w:val")) or ""


def _list_place(paragraph: Paragraph) -> tuple[str, int] | None:
    """The list and level of a paragraph: its own, or that of its style or the style's ancestors."""
    sources = [paragraph._p.pPr]
    style: Any = paragraph.style
    while style is not None and len(sources) < 10:
        sources.append(style.element.pPr)
        style = style.base_style
    for properties in sources:
        numbering = None if properties is None else properties.find(qn("w:numPr"))
        if numbering is not None:
            return _value(numbering, "w:numId"), int(_value(numbering, "w:ilvl") or 0)
    return None


def _formatted(number: int, style: str) -> str:
    """A list number in one of Word's or HTML's styles."""
    if style in ("lowerLetter", "a"):
        return chr(96 + (number - 1) % 26 + 1) * ((number - 1) // 26 + 1)
    if style in ("upperLetter", "A"):
        return _formatted(number, "a").upper()
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


_HIDDEN = {"script", "style", "nav", "noscript", "template", "head", "title", "svg", "button", "select", "iframe"}
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "  # noqa: SIM905
    "strong sub sup time tt u var wbr".split()
)
_BOLD_TAGS = {"b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"}


class _HtmlText:
    """Collects the visible text of an HTML tree, one line a block."""

    def __init__(self) -> None:
        self.sheet = _Sheet()
        self.text = ""
        self.mark = ""
        self.bold = 0
        self.cells = 0

    def walk(self, tag: Tag, **marks: Any) -> None:
        """Add a tag's text. marks: what its lines inherit, as `_Sheet.add` takes it."""
        block = tag.name not in _INLINE
        if block:
            self.flush(**marks)
            if tag.name in ("td", "th"):
                self.cells += 1
                marks["cell"] = self.cells
            marks["size"] = 14.0 if re.fullmatch("h[1-6]", tag.name) else marks.get("size", 11.0)
            marks["furniture"] = tag.name == "footer" or marks.get("furniture", False)
        if tag.name == "li":
            self.mark = _html_mark(tag)
        for child in tag.children:
            self._child(child, tag, marks)
        if block:
            self.flush(**marks)
        if tag.name == "li":
            self.mark = ""

    def _child(self, child: Any, parent: Tag, marks: dict[str, Any]) -> None:
        if isinstance(child, Tag):
            if child.name == "br":
                self.flush(**marks)
            elif child.name not in _HIDDEN and not _is_hidden(child):
                self.walk(child, **dict(marks))
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            if any(p.name in _BOLD_TAGS for p in (parent, *parent.parents)):
                self.bold += len(child.strip())
            for i, part in enumerate(child.split("\n") if parent.name == "pre" else [str(child)]):
                if i:
                    self.flush(**marks)
                self.text += part

    def flush(self, **marks: Any) -> None:
        """End the line."""
        if self.text.strip():
            self.sheet.add(self.mark + self.text, gap=1, bold=2 * self.bold > len(self.text.strip()), **marks)
            self.mark = ""
        self.text, self.bold = "", 0


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style") or "").replace(" ", "").lower()
    return tag.has_attr("hidden") or "display:none" in style or "visibility:hidden" in style


def _html_mark(tag: Tag) -> str:
    """The list mark that a browser draws before an item."""
    parent = tag.parent
    if parent is None or parent.name != "ol":
        return "• "
    first = str(parent.get("start") or "1")
    place = len(tag.find_previous_siblings("li"))
    number = int(first) + place if first.lstrip("-").isdigit() else place + 1
    return f"{_formatted(number, str(parent.get('type') or '1'))}. "


def _read_html(path: Path, data: bytes) -> Document:
    """The visible text of a web page, on one page."""
    declared = re.search(rb"charset=[\"']?([\w-]+)", data[:2048], re.IGNORECASE)
    text = _decoded(path, data, declared[1].decode() if declared else "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML is read as HTML on purpose
        soup = BeautifulSoup(text, "html.parser")
    reader = _HtmlText()
    reader.walk(soup)
    reader.flush()
    reader.sheet.end_page()
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    return Document(path, "html", tuple(reader.sheet.pages), title)
