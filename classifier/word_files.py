"""Word files → Document, on pages made up line by line."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docx
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from classifier.document import Document
from classifier.errors import UnreadableDocument
from classifier.text_formats import Sheet, formatted

_MOST_INFLATED = 300  # megabytes of all parts together
_MOST_TEXT = 60  # megabytes of one part that is no picture; a manual of 700 pages has 5
_COPY = "open it in Word and save a copy"
# Around paragraphs and tables: content controls, and what was inserted with changes tracked.
_AROUND = {qn(f"w:{name}") for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo")}


def read_docx(path: Path, data: bytes) -> Document:
    """A Word file in document order. Pages end where Word last broke them; headers and footers are left out."""
    _weigh(path, data)
    try:
        return _read(path, docx.Document(io.BytesIO(data)))
    except MemoryError:
        raise
    except Exception as error:  # python-docx raises what zipfile, lxml and itself like
        raise UnreadableDocument(f"{path}: the Word file is damaged", _COPY) from error


def _weigh(path: Path, data: bytes) -> None:
    """Refuse an archive before it is unpacked: one that grows beyond any document, or that is locked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except Exception as error:  # zipfile raises what it likes on damaged archives
        raise UnreadableDocument(f"{path}: the Word file is damaged", _COPY) from error
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableDocument(f"{path}: the Word file is locked with a password", "ask for an unlocked copy")
    # no part gives more than it declares: zipfile stops there
    inflated = sum(part.file_size for part in parts) / 1e6
    text = max((part.file_size for part in parts if part.filename.endswith((".xml", ".rels"))), default=0) / 1e6
    for size, most in ((inflated, _MOST_INFLATED), (text, _MOST_TEXT)):
        if size > most:
            raise UnreadableDocument(
                f"{path}: unpacked, the Word file has {size:,.0f} MB, more than {most}",
                "save it without pictures, or split it",
            )


def _read(path: Path, word: Any) -> Document:
    numbering, styles, sheet = _Numbering(word), _Styles(), Sheet()
    for paragraph, cell in _paragraphs(word.element.body, word._body):
        style = styles.of(paragraph)
        mark = numbering.mark(_list_place(paragraph._p.pPr) or style.list_place)
        _add_paragraph(sheet, paragraph, mark, style.is_heading, cell)
    sheet.end_page()
    return Document(path, "docx", tuple(sheet.pages), (word.core_properties.title or "").strip())


def _paragraphs(body: Any, parent: Any) -> Iterator[tuple[Paragraph, int | None]]:
    """Every paragraph in document order, with the number of the table cell that it stands in."""
    cells = 0
    stack: list[tuple[Iterator[Any], int | None]] = [(iter(body), None)]
    while stack:
        children, cell = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
        elif child.tag == qn("w:p"):
            yield Paragraph(child, parent), cell
        elif child.tag == qn("w:tc"):
            cells += 1
            stack.append((iter(child), cells))
        elif child.tag in _AROUND or child.tag in (qn("w:tbl"), qn("w:tr")):
            stack.append((iter(child), cell))


def _add_paragraph(sheet: Sheet, paragraph: Paragraph, mark: str, heading: bool, cell: int | None) -> None:
    letters = sum(len(run.text) for run in paragraph.runs)
    bold = heading or 2 * sum(len(run.text) for run in paragraph.runs if run.bold) > letters
    breaks = paragraph._p.xpath(".//w:br[@w:type='page'] | .//w:lastRenderedPageBreak")
    if breaks and cell is None and sheet.lines and _precedes_text(breaks[0], paragraph._p):
        sheet.end_page()
        breaks = breaks[1:]
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

    def mark(self, place: tuple[str, int] | None) -> str:
        """The next list mark at this list and level, such as "1.", "(a)" or "•"; empty where it has none."""
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
        return "" if level is None else formatted(self._counts[abstract].get(n, level.start), level.format)


def _level(element: Any) -> _Level:
    start = _value(element, "w:start")
    return _Level(_value(element, "w:numFmt"), _value(element, "w:lvlText"), int(start) if start.isdigit() else 1)


def _value(element: Any, tag: str) -> str:
    child = element.find(qn(tag))
    return "" if child is None else child.get(qn("w:val")) or ""


def _list_place(properties: Any) -> tuple[str, int] | None:
    """The list and level that the properties of a paragraph or style name."""
    numbering = None if properties is None else properties.find(qn("w:numPr"))
    return None if numbering is None else (_value(numbering, "w:numId"), int(_value(numbering, "w:ilvl") or 0))


class _Style(NamedTuple):
    """What a paragraph has from its style: whether it is a heading, the list and level that it counts in."""

    is_heading: bool
    list_place: tuple[str, int] | None


class _Styles:
    """The styles of a Word file, each looked up once: python-docx goes through all of them for every paragraph."""

    def __init__(self) -> None:
        self._known: dict[str | None, _Style] = {}

    def of(self, paragraph: Paragraph) -> _Style:
        """The style of a paragraph; its list is that of the nearest ancestor that names one."""
        name = paragraph._p.style
        if name not in self._known:
            style: Any = paragraph.style
            heading = bool(style) and (style.name or "").startswith(("Heading", "Title"))
            places: list[tuple[str, int] | None] = []
            while style is not None and len(places) < 9:  # styles may go round in a circle
                places.append(_list_place(style.element.pPr))
                style = style.base_style
            self._known[name] = _Style(heading, next((place for place in places if place), None))
        return self._known[name]
