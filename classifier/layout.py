"""The drawn content of one PDF page → rows of words in reading order.

Pure geometry over what pdfplumber's `page.layout` holds (pdfminer objects: half the price of `page.chars`).
Boxes that leave this module are PDF points from the top left of the visible, upright page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from pdfminer.layout import LTChar, LTComponent, LTCurve, LTFigure, LTImage, LTPage, LTRect
from pdfplumber import table as ruled

from classifier.document import Box, clean

UNKNOWN = "\ufffd"
_CID = re.compile(r"\(cid:\d+\)")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_SYMBOL_FONT = re.compile(r"wingding|webding|dingbat|symbol", re.IGNORECASE)
_BOLD_FONT = re.compile(r"bold|black|heavy|demi", re.IGNORECASE)
FUNCTION_WORDS = frozenset(
    "the of and to in a an is are be been was were or for by on with that this not shall will may must any all at as "
    "from it its he she his her they their who which when if no such has have had other than under upon".split()
)
_GUTTER = 7.0  # points; narrower white strips are word spaces and tabs
_CROSSINGS = 20_000  # of ruling lines; more are a plan or a chart, and finding cells takes squared time
_NUMBERED_ROWS = 8  # so many counted rows make a column of line numbers


class Glyph(NamedTuple):
    """One drawn character, its box and baseline in the frame in which it reads from left to right."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    baseline: float
    font: str


@dataclass(slots=True)
class Word:
    """Letters without white space between. bold: how many of them are bold. loose: white space is drawn behind it."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    baseline: float
    bold: int = 0
    loose: bool = False

    @property
    def size(self) -> float:
        return self.bottom - self.top


@dataclass(slots=True)
class Block:
    """What stands in one column and moves as a whole: words side by side without a wide gap, or a table's cells."""

    box: Box
    words: list[Word] = field(default_factory=list)
    cells: list[list[Word]] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True)
class Row:
    """One line of text. gap: points to the row above in its column, None at the head. cell: number of its table cell.

    margin: a line number or sideways text beside the body, no part of the running text.
    """

    words: tuple[Word, ...]
    gap: float | None = None
    cell: int | None = None
    margin: bool = False


class Frame(NamedTuple):
    """How a page is looked at. crop: its visible box, y upwards. turn: quarter turns counter-clockwise of the text."""

    crop: Box
    turn: int

    def point(self, x: float, y: float) -> tuple[float, float]:
        x0, y0, x1, y1 = self.crop
        return ((x - x0, y1 - y), (y - y0, x - x0), (x1 - x, y - y0), (y1 - y, x1 - x))[self.turn]

    def source(self, x: float, y: float) -> tuple[float, float]:
        """The inverse of `point`."""
        x0, y0, x1, y1 = self.crop
        return ((x + x0, y1 - y), (y + x0, x + y0), (x1 - x, y + y0), (x1 - y, y1 - x))[self.turn]

    def box(self, item: LTComponent) -> Box:
        return _ordered(self.point(item.x0, item.y0), self.point(item.x1, item.y1))

    def seen_from(self, other: Frame, box: Box) -> Box:
        """A box of this frame in the coordinates of another one."""
        corners = (self.source(*box[:2]), self.source(*box[2:]))
        return _ordered(*(other.point(*corner) for corner in corners))

    @property
    def size(self) -> tuple[float, float]:
        x0, y0, x1, y1 = self.crop
        return (y1 - y0, x1 - x0) if self.turn % 2 else (x1 - x0, y1 - y0)


@dataclass(slots=True)
class Drawing:
    """What a page draws within its visible box.

    aside: rows of text that runs another way than most. rules: thin ruling lines, as boxes.
    images: share of the page that they cover, 0 to 1. shapes: number of drawn paths.
    """

    width: float
    height: float
    glyphs: list[Glyph]
    aside: list[list[Word]]
    rules: list[Box]
    images: float
    shapes: int

    @property
    def unknown(self) -> float:
        """Share of the visible glyphs that stand for no known character; 0 where there are too few to judge by."""
        seen = [g.text for g in self.glyphs if not g.text.isspace()]
        bad = sum(bool(t == UNKNOWN or _CID.match(t) or _PRIVATE.match(t)) for t in seen)
        return bad / len(seen) if len(seen) >= 20 else 0.0


# --- from pdfminer objects to glyphs, rules and images -----------------------------------------------------------


def read_drawing(page: LTPage, crop: Box) -> Drawing:
    """Read a page's objects once. crop: its visible box (x0, y0, x1, y1) in the frame of `page`, y upwards."""
    objects = list(_flat(page))
    by_turn: dict[int, list[LTChar]] = {}
    for item in objects:
        if isinstance(item, LTChar):
            by_turn.setdefault(_turn(item), []).append(item)
    # Most text drawn sideways on an upright page: the page itself lies on its side, so the frame turns with it.
    frame = Frame(crop, max(by_turn, key=lambda turn: len(by_turn[turn]), default=0))
    width, height = frame.size
    images = [frame.box(i) for i in objects if isinstance(i, LTImage)]
    curves = [i for i in objects if isinstance(i, LTCurve)]
    return Drawing(
        width,
        height,
        list(_glyphs(by_turn.pop(frame.turn, []), frame)),
        [row for turn, chars in by_turn.items() for row in _turned_rows(chars, Frame(crop, turn), frame)],
        [rule for curve in curves for rule in _rules(curve, frame.box(curve))],
        min(1.0, sum(_visible_area(box, width, height) for box in images) / (width * height)),
        len(curves),
    )


def _flat(container: Iterable[LTComponent]) -> Iterator[LTComponent]:
    for item in container:
        if isinstance(item, LTFigure):
            yield from _flat(item)
        else:
            yield item


def _turn(char: LTChar) -> int:
    a, b = char.matrix[0], char.matrix[1]
    if abs(a) >= abs(b):
        return 0 if a >= 0 else 2
    return 1 if b > 0 else 3


def _glyphs(chars: Iterable[LTChar], frame: Frame) -> Iterator[Glyph]:
    """Characters inside the visible box; what lies wholly outside was never meant to be read."""
    width, height = frame.size
    for char in chars:
        x0, top, x1, bottom = frame.box(char)
        if x1 > 0 and bottom > 0 and x0 < width and top < height:
            baseline = frame.point(char.matrix[4], char.matrix[5])[1]
            yield Glyph(char.get_text(), x0, top, x1, bottom, baseline, char.fontname)


def _turned_rows(chars: list[LTChar], frame: Frame, page: Frame) -> Iterator[list[Word]]:
    """Text that runs another way than the page, row by row, its boxes in the page's frame."""
    for row in rows_of(words_of(list(_glyphs(chars, frame)))):
        for word in row:
            word.x0, word.top, word.x1, word.bottom = frame.seen_from(page, (word.x0, word.top, word.x1, word.bottom))
        yield row


def _rules(curve: LTCurve, box: Box) -> list[Box]:
    """The visible ruling lines of a path: itself where it is thin, its four sides where it is a stroked rectangle."""
    x0, top, x1, bottom = box
    colour = curve.stroking_color if curve.stroke else curve.non_stroking_color
    if _is_white(colour):
        return []
    if min(x1 - x0, bottom - top) <= 3:
        return [box]
    if isinstance(curve, LTRect) and curve.stroke:
        return [(x0, top, x1, top), (x0, bottom, x1, bottom), (x0, top, x0, bottom), (x1, top, x1, bottom)]
    return []


def _is_white(colour: Any) -> bool:
    parts = colour if isinstance(colour, tuple) else (colour,)
    return len(parts) in (1, 3) and all(isinstance(part, int | float) and part >= 0.99 for part in parts)


def _visible_area(box: Box, width: float, height: float) -> float:
    x0, top, x1, bottom = box
    return max(0.0, min(x1, width) - max(x0, 0.0)) * max(0.0, min(bottom, height) - max(top, 0.0))


def _ordered(a: tuple[float, float], b: tuple[float, float]) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def enclosing(words: Iterable[Word]) -> Box:
    """The smallest box round all of them."""
    x0, top, x1, bottom = zip(*((w.x0, w.top, w.x1, w.bottom) for w in words), strict=True)
    return min(x0), min(top), max(x1), max(bottom)


# --- from glyphs to words and rows -------------------------------------------------------------------------------


def words_of(glyphs: Sequence[Glyph]) -> list[Word]:
    """Words in the order in which they were drawn; what is drawn twice on one spot (fake bold) once."""
    spaces = sum(g.text.isspace() for g in glyphs)
    # Pages without space characters tell words apart by distance alone, so the distance must count earlier.
    tolerance = 0.25 if spaces * 50 > len(glyphs) else 0.15
    words: list[Word] = []
    last: Glyph | None = None
    for glyph in glyphs:
        text = _shown(glyph)
        if not text.strip():
            if text and words:
                words[-1].loose = True
            continue
        if last is not None and _overprints(glyph, last):
            words[-1].bold = len(words[-1].text)
            continue
        bold = len(text) if _BOLD_FONT.search(glyph.font) else 0
        if words and not words[-1].loose and _adjoins(words[-1], glyph, tolerance):
            word = words[-1]
            word.text, word.x1, word.bold = word.text + text, max(word.x1, glyph.x1), word.bold + bold
            word.top, word.bottom = min(word.top, glyph.top), max(word.bottom, glyph.bottom)
        else:
            words.append(Word(text, *glyph[1:6], bold))
        last = glyph
    return _once(words)


def _shown(glyph: Glyph) -> str:
    """The text of one glyph; marks of symbol fonts become a bullet, unknown glyphs the replacement character."""
    text = glyph.text
    if _PRIVATE.match(text) or (_SYMBOL_FONT.search(glyph.font) and text in "\u00b7\u00a7\u00d8\u00fcqunvolw"):
        return "•"
    return UNKNOWN if _CID.match(text) else clean(text)


def _overprints(glyph: Glyph, last: Glyph) -> bool:
    near = 0.12 * (glyph.bottom - glyph.top)
    same = glyph.text == last.text and abs(glyph.x0 - last.x0) < min(near, 0.6 * (glyph.x1 - glyph.x0))
    return same and abs(glyph.top - last.top) < near


def _adjoins(word: Word, glyph: Glyph, tolerance: float) -> bool:
    size = max(word.size, glyph.bottom - glyph.top)
    return abs(glyph.baseline - word.baseline) <= 0.4 * size and -0.4 * size <= glyph.x0 - word.x1 <= tolerance * size


def _once(words: list[Word]) -> list[Word]:
    """Drop words that are drawn on top of themselves. Looked up by place, since a page may hold thousands of dots."""
    seen: dict[tuple[str, int, int], Word] = {}
    kept = []
    for word in words:
        near = 0.12 * word.size
        x, y = round(word.x0 / 4), round(word.top / 4)
        around = (seen.get((word.text, x + i, y + j)) for i in (0, -1, 1) for j in (0, -1, 1))
        twin = next((t for t in around if t and abs(t.x0 - word.x0) < near and abs(t.top - word.top) < near), None)
        if twin is None:
            seen[word.text, x, y] = word
            kept.append(word)
        else:
            twin.bold = len(twin.text)
    return kept


def rows_of(words: Iterable[Word]) -> list[list[Word]]:
    """Words that stand on one baseline, from left to right; rows from top to bottom."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.baseline):
        if rows and word.baseline - median(w.baseline for w in rows[-1][-9:]) <= 0.3 * min(
            word.size, rows[-1][-1].size
        ):
            rows[-1].append(word)
        else:
            rows.append([word])
    joined: list[list[Word]] = []
    for row in rows:
        if joined and _interlocks(joined[-1], row):
            joined[-1] += row
        else:
            joined.append(row)
    return [_mended(sorted(row, key=lambda w: w.x0)) for row in joined]


def _interlocks(upper: list[Word], lower: list[Word]) -> bool:
    """Whether two rows are one line of text: raised or lowered marks, a taller heading number."""
    a, b = enclosing(upper), enclosing(lower)
    shared = min(a[3], b[3]) - max(a[1], b[1])
    if shared < 0.55 * min(a[3] - a[1], b[3] - b[1]):
        return False
    return not any(u.x0 < w.x1 - 0.5 and w.x0 < u.x1 - 0.5 for u in upper for w in lower)


def _mended(row: list[Word]) -> list[Word]:
    """Put words together that were drawn in pieces."""
    out = row[:1]
    for word in row[1:]:
        last = out[-1]
        if not last.loose and abs(word.x0 - last.x1) <= 0.1 * min(last.size, word.size):
            box = enclosing((last, word))
            out[-1] = Word(last.text + word.text, *box, word.baseline, last.bold + word.bold, word.loose)
        else:
            out.append(word)
    return out


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
