"""Web pages → Document, their visible text on one page."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString

from classifier.document import Document
from classifier.errors import UnreadableDocument
from classifier.text_formats import Sheet, decoded, formatted

_MOST_TAGS = 300_000  # a manual of 700 pages has 20,000
_HIDDEN = {"script", "style", "nav", "noscript", "template", "head", "title", "svg", "button", "select", "iframe"}
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "
    "strong sub sup time tt u var wbr".split()
)
_BOLD_TAGS = {"b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"}


@dataclass(slots=True)
class _Place:
    """What the text inside a tag inherits, and how many list items were met there."""

    size: float = 11.0
    bold: bool = False
    furniture: bool = False
    cell: int | None = None
    items: int = 0


class _HtmlText:
    """Collects the visible text of an HTML tree, one line a block."""

    def __init__(self) -> None:
        self.sheet = Sheet()
        self.text: list[str] = []
        self.mark = ""
        self.bold = 0
        self.cells = 0

    def read(self, root: Tag) -> None:
        """Go through a tree without recursion: pages from hostile hands are 100,000 tags deep."""
        stack: list[tuple[Tag, _Place, Iterator[Any]]] = [(root, _Place(), iter(root.children))]
        while stack:
            tag, place, children = stack[-1]
            child = next(children, None)
            if child is None:
                self._leave(tag, place)
                stack.pop()
            elif isinstance(child, Tag):
                place.items += child.name == "li"
                if child.name == "br":
                    self._flush(place)
                elif child.name not in _HIDDEN and not _is_hidden(child):
                    stack.append((child, self._enter(child, tag, place), iter(child.children)))
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self._hear(child, tag, place)
        self._flush(_Place())

    def _enter(self, tag: Tag, parent: Tag, around: _Place) -> _Place:
        place = replace(around, items=0, bold=around.bold or tag.name in _BOLD_TAGS)
        if tag.name not in _INLINE:
            self._flush(around)
            if tag.name in ("td", "th"):
                self.cells += 1
                place.cell = self.cells
            place.size = 14.0 if re.fullmatch("h[1-6]", tag.name) else place.size
            place.furniture = place.furniture or tag.name == "footer"
        if tag.name == "li":
            self.mark = _html_mark(parent, around.items - 1)
        return place

    def _leave(self, tag: Tag, place: _Place) -> None:
        if tag.name not in _INLINE:
            self._flush(place)
        if tag.name == "li":
            self.mark = ""

    def _hear(self, text: str, parent: Tag, place: _Place) -> None:
        if place.bold:
            self.bold += len(text.strip())
        for i, part in enumerate(text.split("\n") if parent.name == "pre" else [str(text)]):
            if i:
                self._flush(place)
            self.text.append(part)

    def _flush(self, place: _Place) -> None:
        """End the line."""
        text = "".join(self.text)
        if text.strip():
            bold = 2 * self.bold > len(text.strip())
            self.sheet.add(
                self.mark + text, gap=1, size=place.size, bold=bold, cell=place.cell, furniture=place.furniture
            )
            self.mark = ""
        self.text, self.bold = [], 0


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style") or "").replace(" ", "").lower()
    return tag.has_attr("hidden") or "display:none" in style or "visibility:hidden" in style


def _html_mark(parent: Tag, before: int) -> str:
    """The list mark that a browser draws before an item. before: how many items of its list stand before it."""
    if parent.name != "ol":
        return "• "
    first = str(parent.get("start") or "1")
    number = before + (int(first) if re.fullmatch(r"-?[0-9]{1,6}", first) else 1)
    return f"{formatted(number, str(parent.get('type') or '1'))}. "


def read_html(path: Path, data: bytes) -> Document:
    """The visible text of a web page, on one page."""
    declared = re.search(rb"charset=[\"']?([\w-]+)", data[:2048], re.IGNORECASE)
    text = decoded(path, data, declared[1].decode() if declared else "utf-8")
    if (tags := text.count("<")) > _MOST_TAGS:
        raise UnreadableDocument(f"{path}: it has {tags:,} tags, more than {_MOST_TAGS:,}", "save its text as .txt")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML is read as HTML on purpose
            soup = BeautifulSoup(text, "html.parser")
        reader = _HtmlText()
        reader.read(soup)
        title = soup.title.get_text(" ", strip=True) if soup.title else ""
    except MemoryError:
        raise
    except Exception as error:  # the parser raises what it likes on damaged pages
        raise UnreadableDocument(f"{path}: the web page is damaged", "save it anew, or its text as .txt") from error
    reader.sheet.end_page()
    return Document(path, "html", tuple(reader.sheet.pages), title)
