"""Plain text, Word and HTML files → Document. They have no places on a page, so these are made up."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import docx
from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from classifier.document import ACCEPTED, LETTER, Document, Line, Page, clean
from classifier.errors import UnreadableDocument
from classifier.furniture import with_furniture

LONGEST_LINE = 10_000  # characters; no paragraph comes near


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
    return Document(path, "txt", tuple(with_furniture(sheet.pages)))


def _decoded(path: Path, data: bytes, declared: str = "utf-8") -> str:
    """Text in the encoding that its byte order mark, its declaration or its bytes tell."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if data.count(0) > 0.02 * len(data):  # a few come from text taken out of PDF files
        raise UnreadableDocument(f"{path}: this is no text file, it holds binary data", f"save it as one of {ACCEPTED}")
    for encoding in (declared, "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", errors="replace")


def read_docx(path: Path, data: bytes) -> Document:
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
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "
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


def read_html(path: Path, data: bytes) -> Document:
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
