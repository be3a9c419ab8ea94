"""Pages → pages with their running headers and footers, page numbers and stamps marked as furniture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from classifier.document import Line, Page

_ZONE = 0.2  # share of the page height at its top and bottom in which running headers and footers stand
_DEPTH = 10  # rows that a running header or footer may have
_COUNTER = re.compile(r"([A-Z]*[-–—_]?)(\d+)[-–—]?")
_HEADING = re.compile(r"(?:article|section|chapter|part|title|appendix|exhibit|attachment|rule|§)\b", re.IGNORECASE)
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


def with_furniture(pages: Sequence[Page]) -> list[Page]:
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
        if distances and i - depth <= 2 and not _heads_table(rows[depth:i], rows[i]):
            depth = i + 1
    # Rows of the same small print go with them, such as a footer's line with the chapter's title.
    while 0 < depth < zone and rows[depth].size == rows[depth - 1].size < 0.9 * size:
        depth += 1
    if depth and not _stands_clear(page, rows, depth) and (depth == zone or len(found[depth - 1]) < 3):
        # Body text that repeats comes down to here: only a wide gap tells where a header ends.
        depth = max((i for i in range(1, depth) if _stands_clear(page, rows, i)), default=0)
    return [(row, bool(d) and min(d) > 0) for row, d in zip(rows[:depth], found, strict=False)]


def _heads_table(between: Sequence[_EdgeRow], row: _EdgeRow) -> bool:
    """Whether a row is the repeated head of a table that goes on, below a heading of its own."""
    return bool(between) and row.lines[0].cell is not None and between[-1].lines[0].cell is None


def _recurs(row: _EdgeRow, others: Sequence[_EdgeRow], distance: int) -> bool:
    """Whether a row `distance` pages on is the same running line; it may stand a little higher or lower there."""
    near = [other for other in others if abs(other.edge - row.edge) <= 12]
    return any(_repeats(a, b, distance) or _overlaps(a, b) for other in near for a in row.lines for b in other.lines)


def _repeats(line: Line, other: Line, distance: int) -> bool:
    """Same words, aligned left, right or both; a number may count the pages, but not chapters or sections."""
    words, others = line.text.split(), other.text.split()
    if len(words) != len(others) or min(abs(line.box[0] - other.box[0]), abs(line.box[2] - other.box[2])) > 24:
        return False
    counting = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    return not counting or (not _HEADING.match(line.text) and all(_counts(a, b, distance) for a, b in counting))


def _counts(word: str, other: str, distance: int) -> bool:
    """Whether two words are page or stamp numbers, that many pages apart."""
    a, b = _COUNTER.fullmatch(word), _COUNTER.fullmatch(other)
    return a is not None and b is not None and a[1] == b[1] and int(b[2]) - int(a[2]) == distance


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
    if page.number > 1 and (head := _numbered_head(rows)) and head[-1].edge <= 0.1 * page.height:
        yield from head
        return
    for row, inner in zip(rows[:2], [*rows[1:], None], strict=False):
        white = row.clear_of(inner) if inner else 99.0
        if row.edge > 0.1 * page.height or white < 0.5 * row.size:
            return
        known = any(_PAGE_NUMBER.fullmatch(line.text) or _BATES.fullmatch(line.text) for line in row.lines)
        small = max(line.size for line in row.lines) <= 0.95 * size and row.edge <= 50 and white >= row.size
        if known or (small and not row.lines[-1].text.endswith((".", ";", ","))):
            yield row


def _numbered_head(rows: list[_EdgeRow]) -> list[_EdgeRow]:
    """Two or three rows close together, well apart from the body, of which the first or last is a page number."""
    clear = (i for i, (row, inner) in enumerate(pairwise(rows[:4])) if row.clear_of(inner) >= row.size)
    head = rows[: next(clear, 0) + 1]
    numbers = [line for row in (head[:1] + head[-1:]) for line in row.lines if _PAGE_NUMBER.fullmatch(line.text)]
    return head if len(head) > 1 and numbers else []


def _regapped(lines: Sequence[Line], marked: set[int]) -> Iterator[Line]:
    """Mark furniture; the body line behind it begins the page's text, so it has no gap."""
    after = False
    for line in lines:
        furniture = line.furniture or id(line) in marked
        gap = None if after and not furniture else line.gap
        yield replace(line, furniture=furniture, gap=gap)
        after = furniture
