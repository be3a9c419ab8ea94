"""The drawn content of one PDF page → glyphs, rules, images, words and rows of words.

Pure geometry over what pdfplumber's `page.layout` holds (pdfminer objects: half the price of `page.chars`).
Boxes that leave this module are PDF points from the top left of the visible, upright page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median
from typing import Any, NamedTuple

from pdfminer.layout import LTChar, LTComponent, LTCurve, LTFigure, LTImage, LTPage, LTRect

from classifier.document import Box, clean

UNKNOWN = "\ufffd"
_BAND = 12.0  # points, a line of text
_PIECES = 200  # images on a page; more are ornaments rather than a scan cut in strips
_CID = re.compile(r"\(cid:\d+\)")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_SYMBOL_FONT = re.compile(r"wingding|webding|dingbat|symbol", re.IGNORECASE)
_BOLD_FONT = re.compile(r"bold|black|heavy|demi", re.IGNORECASE)
FUNCTION_WORDS = frozenset(
    "the of and to in a an is are be been was were or for by on with that this not shall will may must any all at as "
    "from it its he she his her they their who which when if no such has have had other than under upon".split()
)


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
    images: share of the page that they cover, 0 to 1. shapes: number of drawn paths. pictures: where the images stand,
    pieces of one put together. turn: quarter turns counter-clockwise of the text on the sheet.
    """

    width: float
    height: float
    glyphs: list[Glyph]
    aside: list[list[Word]]
    rules: list[Box]
    images: float
    shapes: int
    pictures: list[Box] = field(default_factory=list)
    turn: int = 0

    @property
    def unknown(self) -> float:
        """Share of the visible glyphs that stand for no known character; 0 where there are too few to judge by."""
        seen = [g.text for g in self.glyphs if not g.text.isspace()]
        bad = sum(map(_is_unknown, seen))
        return bad / len(seen) if len(seen) >= 20 else 0.0

    def bare_pictures(self, share: float) -> list[Box]:
        """The images of at least that share of the page that hardly any text stands on."""
        big = [box for box in self.pictures if _visible_area(box, self.width, self.height) >= share * self.page_area]
        return [box for box in big if self._written_on(box) < 0.1]

    @property
    def page_area(self) -> float:
        """In square points."""
        return self.width * self.height

    def _written_on(self, box: Box) -> float:
        """The share of a box's height beside which there is text in it, measured in bands of a line each."""
        x0, top, x1, bottom = box
        middles = [(g.top + g.bottom) / 2 for g in self.glyphs if g.x1 > x0 and g.x0 < x1 and not g.text.isspace()]
        bands = {int((y - top) / _BAND) for y in middles if top <= y <= bottom}
        return len(bands) * _BAND / max(bottom - top, _BAND)


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
        _joined([box for box in images if _visible_area(box, width, height) > 0]),
        frame.turn,
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


def _joined(boxes: list[Box]) -> list[Box]:
    """Boxes with those put together that touch side by side or one under the other, as the strips of a scan do."""
    out: list[Box] = []
    for box in sorted(boxes, key=lambda b: (b[1], b[0])) if len(boxes) <= _PIECES else []:
        touching = [b for b in out if _continues(b, box)]
        parts = [*touching, box]
        out = [b for b in out if b not in touching]
        out.append(
            (min(b[0] for b in parts), min(b[1] for b in parts), max(b[2] for b in parts), max(b[3] for b in parts))
        )
    return out


def _continues(box: Box, other: Box) -> bool:
    """Whether two boxes touch or overlap and are as wide, or as high, as each other."""
    near = box[0] <= other[2] + 2 and other[0] <= box[2] + 2 and box[1] <= other[3] + 2 and other[1] <= box[3] + 2
    as_wide = abs(box[0] - other[0]) <= 3 and abs(box[2] - other[2]) <= 3
    as_high = abs(box[1] - other[1]) <= 3 and abs(box[3] - other[3]) <= 3
    return near and (as_wide or as_high)


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
        text = _shown(glyph.text, glyph.font)
        if not text.strip():
            if text and words:
                words[-1].loose = True
            continue
        if last is not None and _overprints(glyph, last):
            words[-1].bold = len(words[-1].text)
            continue
        bold = len(text) if _is_bold(glyph.font) else 0
        if words and not words[-1].loose and _adjoins(words[-1], glyph, tolerance):
            word = words[-1]
            word.text, word.x1, word.bold = word.text + text, max(word.x1, glyph.x1), word.bold + bold
            word.top, word.bottom = min(word.top, glyph.top), max(word.bottom, glyph.bottom)
        else:
            words.append(Word(text, *glyph[1:6], bold))
        last = glyph
    return _once(words)


# A page has thousands of glyphs, but few fonts and signs.
@lru_cache(maxsize=4096)
def _shown(text: str, font: str) -> str:
    """The text of one glyph; marks of symbol fonts become a bullet, unknown glyphs the replacement character."""
    if _PRIVATE.match(text) or (_SYMBOL_FONT.search(font) and text in "\u00b7\u00a7\u00d8\u00fcqunvolw"):
        return "•"
    return UNKNOWN if _CID.match(text) else clean(text)


@lru_cache(maxsize=1024)
def _is_bold(font: str) -> bool:
    return bool(_BOLD_FONT.search(font))


@lru_cache(maxsize=4096)
def _is_unknown(text: str) -> bool:
    return bool(text == UNKNOWN or _CID.match(text) or _PRIVATE.match(text))


def _overprints(glyph: Glyph, last: Glyph) -> bool:
    if glyph.text != last.text:
        return False
    near = 0.12 * (glyph.bottom - glyph.top)
    beside = abs(glyph.x0 - last.x0) < min(near, 0.6 * (glyph.x1 - glyph.x0))
    return beside and abs(glyph.top - last.top) < near


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
