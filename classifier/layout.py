"""Words of one PDF page → rows in reading order: line numbers, columns, ruled tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from pdfplumber import table as ruled

from classifier.document import Box
from classifier.drawing import FUNCTION_WORDS, Block, Drawing, Row, Word, enclosing, rows_of, words_of

_GUTTER = 7.0  # points; narrower white strips are word spaces and tabs
_CROSSINGS = 20_000  # of ruling lines; more are a plan or a chart, and finding cells takes squared time
_NUMBERED_ROWS = 8  # so many counted rows make a column of line numbers


# --- reading order -----------------------------------------------------------------------------------------------


def reading_order(drawn: Drawing, gutter: float | None = None) -> tuple[list[Row], float | None]:
    """All rows of a page as a person reads them, and the middle of its column gutter, if it has one.

    gutter: that of the page before; a page that goes on with the same columns needs less evidence.
    """
    words = words_of(drawn.glyphs)
    tables = _tables(drawn, words)
    celled = {id(word) for table in tables for cell in table.cells for word in cell}
    rows, numbers = _without_line_numbers(rows_of(w for w in words if id(w) not in celled))
    blocks = [Block(enclosing(s), s) for row in rows for s in _segments(row)] + tables
    columns, found = _columns(blocks, drawn.width, gutter)
    out: list[Row] = []
    for column in columns:
        out += _column_rows(column, first_cell=1 + max((r.cell or 0 for r in out), default=0))
    aside = [Row(tuple(row), margin=_beside(row, words)) for row in drawn.aside]
    return out + aside + [Row((word,), margin=True) for word in numbers], found


def _beside(row: list[Word], body: list[Word]) -> bool:
    """Whether sideways text stands in the margin rather than, say, in the head of a table column."""
    if not body:
        return False
    x0, _, x1, _ = enclosing(body)
    left, _, right, _ = enclosing(row)
    return right <= x0 or left >= x1


def _segments(row: list[Word]) -> Iterator[list[Word]]:
    start = 0
    for i in range(1, len(row)):
        if row[i].x0 - row[i - 1].x1 > max(_GUTTER, 0.9 * row[i].size):
            yield row[start:i]
            start = i
    yield row[start:]


def _column_rows(column: list[Block], first_cell: int) -> Iterator[Row]:
    """The rows of one column from top to bottom, tables cell by cell in their place."""
    above: float | None = None
    parts: list[tuple[float, list[Word] | Block]] = [(b.box[1], b) for b in column if b.cells]
    parts += [(enclosing(row)[1], row) for row in rows_of(w for b in column for w in b.words)]
    for top, part in sorted(parts, key=lambda p: p[0]):
        if isinstance(part, Block):
            for cell in part.cells:
                yield from _cell_rows(cell, first_cell)
                first_cell += 1
            above = part.box[3]
        else:
            yield Row(tuple(part), None if above is None else max(0.0, top - above))
            above = enclosing(part)[3]


def _cell_rows(words: list[Word], cell: int) -> Iterator[Row]:
    above: float | None = None
    for row in rows_of(words):
        _, top, _, bottom = enclosing(row)
        yield Row(tuple(row), None if above is None else max(0.0, top - above), cell)
        above = bottom


def _without_line_numbers(rows: list[list[Word]]) -> tuple[list[list[Word]], list[Word]]:
    """Take a column of line numbers off the left margin, as bills have it: rows without them, and the numbers."""
    numbered = [row for row in rows if re.fullmatch(r"\d{1,4}", row[0].text) and _stands_off(row)]
    edge = median(row[0].x1 for row in numbered) if numbered else 0.0
    numbers = {id(row[0]): row[0] for row in numbered if abs(row[0].x1 - edge) < 4}
    body = [row[1:] if id(row[0]) in numbers else row for row in rows]
    if len(numbers) < _NUMBERED_ROWS or not _counts_lines(rows, numbers):
        return rows, []
    if sum(bool(row) and row[0].x0 < edge for row in body) > 0.2 * len(rows):
        return rows, []
    return [row for row in body if row], list(numbers.values())


def _stands_off(row: list[Word]) -> bool:
    return len(row) == 1 or row[1].x0 > row[0].x1 + 3


def _counts_lines(rows: list[list[Word]], numbers: dict[int, Word]) -> bool:
    """Whether numbers at the head of rows count the lines, rather than the items of a list or a table of contents."""
    places = [i for i, row in enumerate(rows) if id(row[0]) in numbers]
    steps = Counter(int(b.text) - int(a.text) for a, b in pairwise(numbers.values()))
    # List items have lines without a number; lines of a table of contents end in a page number.
    dense = len(places) >= 0.7 * (places[-1] - places[0] + 1)
    referring = sum(len(rows[i]) > 1 and rows[i][-1].text.isdigit() for i in places)
    return dense and steps[1] >= 0.8 * (len(numbers) - 1) and referring < 0.5 * len(places)


# --- columns -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Band:
    """A stretch of the page: its left and right column, then the row across both that ends it."""

    left: list[Block] = field(default_factory=list)
    right: list[Block] = field(default_factory=list)
    across: list[Block] = field(default_factory=list)


def _columns(blocks: list[Block], width: float, hint: float | None = None) -> tuple[list[list[Block]], float | None]:
    """Blocks column by column in reading order, and the gutter's middle."""
    gutter = _gutter(blocks, width, hint)
    if gutter is None:
        return ([blocks] if blocks else []), None
    out: list[list[Block]] = []
    joined = False
    for band in _bands(blocks, gutter):
        sides = _columns(band.left, width)[0] + _columns(band.right, width)[0]
        out += sides
        if joined and not sides:
            out[-1] += band.across  # rows across the page that follow one another are one column
        elif band.across:
            out.append(list(band.across))
        joined = bool(band.across)
    return out, gutter


def _bands(blocks: list[Block], gutter: float) -> list[Band]:
    """The page parted at every row that stands across the gutter."""
    bands = [Band()]
    ordered = sorted(blocks, key=lambda b: b.middle)
    across = [b for b in ordered if b.box[0] < gutter < b.box[2]]
    for block in ordered:
        row = next((a for a in across if abs(a.middle - block.middle) < (2 if a.words else 0.5)), None)
        if row is None:
            if bands[-1].across:
                bands.append(Band())
            (bands[-1].left if block.box[0] < gutter else bands[-1].right).append(block)
        else:
            bands[-1].across.append(block)
    return bands


def _gutter(blocks: list[Block], width: float, hint: float | None) -> float | None:
    """The middle of a white strip between two columns of running text, or None."""
    text = [b for b in blocks if b.words]
    if hint is not None and _splits(text, hint, width, 1):
        return hint
    if len(text) < 8:
        return None
    x0, x1 = min(b.box[0] for b in text), max(b.box[2] for b in text)
    low, high = int(x0 + 0.2 * (x1 - x0)), int(x1 - 0.2 * (x1 - x0))
    cover = Counter(x for b in text for x in range(max(low, int(b.box[0])), min(high, int(b.box[2]) + 1)))
    strips = {strip for extra in (0, 1, 3, 6, 12) for strip in _strips(cover, low, high, extra)}
    for start, stop in sorted(strips, key=lambda s: s[0] - s[1]):
        if _splits(text, (start + stop) / 2, width, 5):
            return (start + stop) / 2
    return None


def _strips(cover: Counter[int], low: int, high: int, extra: int) -> Iterator[tuple[int, int]]:
    """Runs of x that are covered least, at least as wide as a gutter."""
    level = min((cover[x] for x in range(low, high)), default=0) + extra
    start: int | None = None
    for x in range(low, high + 1):
        if x < high and cover[x] <= level:
            start = x if start is None else start
        elif start is not None:
            if x - start >= _GUTTER:
                yield start, x
            start = None


def _splits(text: list[Block], gutter: float, width: float, least: int) -> bool:
    """Whether a strip parts running text on both sides. least: lines that each column must have beside the other."""
    bands = _bands(text, gutter)
    beside = [(_lines(band.left), _lines(band.right)) for band in bands if band.left and band.right]
    left, right = [line for side, _ in beside for line in side], [line for _, side in beside for line in side]
    if not beside:
        return False
    (x0, left_end), (right_start, x1) = _extent(left), _extent(right)
    # Columns are of a size; a narrow one beside a wide one holds list marks or side headings.
    if right_start - left_end < _GUTTER or not 0.4 < (gutter - x0) / (x1 - gutter) < 2.5:
        return False
    if sum(bool(band.across) for band in bands) > 0.25 * (len(left) + len(right)) + 2:
        return False
    shorter = min(len(left), len(right))
    if shorter < 5:
        # Few lines beside a column: the page before must have had this gutter, or a full first column stand there.
        full = len(left) >= 15 and _runs(left, gutter - x0, width)
        return len(bands) == 1 and (full or shorter >= least)
    tall = max(min(len(a), len(b)) for a, b in beside) >= 3
    return tall and _runs(left, gutter - x0, width) and _runs(right, x1 - gutter, width)


def _lines(blocks: list[Block]) -> list[list[Word]]:
    return rows_of(w for b in blocks for w in b.words)


def _extent(lines: list[list[Word]]) -> tuple[float, float]:
    return min(line[0].x0 for line in lines), max(w.x1 for line in lines for w in line)


def _runs(lines: list[list[Word]], column: float, page: float) -> bool:
    """Whether lines are running text in a column of that width: most of them filled, one under the other, in prose.

    This keeps apart what also stands beside a white strip: the page numbers of a table of contents, fields of a
    form, signature blocks.
    """
    boxes = [enclosing(line) for line in lines]
    if column < 0.16 * page or median(len(line) for line in lines) < 3:
        return False
    if median(b[2] - b[0] for b in boxes) < 0.5 * column:
        return False
    words = [w.text.lower() for line in lines for w in line]
    prose = sum(w in FUNCTION_WORDS for w in words) >= 0.12 * len(words)
    steps = [b[1] - a[1] for a, b in pairwise(boxes)]
    return (prose or len(lines) >= 25) and sum(step > 2.5 * median(steps) for step in steps) <= 0.3 * len(steps)


# --- ruled tables ------------------------------------------------------------------------------------------------


def _tables(drawn: Drawing, words: list[Word]) -> list[Block]:
    """Tables of at least two columns, with their words cell by cell. Frames and text boxes are no tables."""
    edges = [_edge(rule) for rule in drawn.rules]
    if len({round(e["top"]) for e in edges if e["orientation"] == "h"}) < 2:
        return []
    if len({round(e["x0"] / 3) for e in edges if e["orientation"] == "v"}) < 3:
        return []
    merged = ruled.merge_edges(edges, 3, 3, 3, 3)
    across = sum(e["orientation"] == "h" for e in merged)
    if across * (len(merged) - across) > _CROSSINGS:
        return []
    cells = ruled.intersections_to_cells(ruled.edges_to_intersections(merged, 3, 3))
    page = drawn.width * drawn.height
    # A cell that holds most of the page is a frame: its text is running text.
    small = [cell for cell in cells if (cell[2] - cell[0]) * (cell[3] - cell[1]) < 0.5 * page]
    tables = (_table(group, words) for group in ruled.cells_to_tables(small))
    return [table for table in tables if table is not None]


def _edge(rule: Box) -> dict[str, Any]:
    """A ruling line as pdfplumber's table functions take it."""
    x0, top, x1, bottom = rule
    if x1 - x0 >= bottom - top:
        top = bottom = (top + bottom) / 2
    else:
        x0 = x1 = (x0 + x1) / 2
    orientation = "h" if top == bottom else "v"
    size = {"width": x1 - x0, "height": bottom - top}
    return {"x0": x0, "top": top, "x1": x1, "bottom": bottom, "orientation": orientation, "object_type": "line", **size}


def _table(group: Sequence[tuple[float, ...]], words: list[Word]) -> Block | None:
    cells = sorted(((c[0], c[1], c[2], c[3]) for c in group), key=lambda c: (round(c[1]), c[0]))
    filled = [(cell, inside) for cell in cells if (inside := [w for w in words if _within(w, cell)])]
    if not any(round(a[0][1]) == round(b[0][1]) for a, b in pairwise(filled)):
        return None
    x0, top, x1, bottom = zip(*cells, strict=True)
    return Block((min(x0), min(top), max(x1), max(bottom)), cells=[inside for _, inside in filled])


def _within(word: Word, cell: Box) -> bool:
    return cell[0] <= (word.x0 + word.x1) / 2 < cell[2] and cell[1] <= (word.top + word.bottom) / 2 < cell[3]
