"""Pages of a PDF file that have no usable text layer → words with their places, read by tesseract.

Tesseract finds and spells the words; what order they stand in is left to `layout`, as for every other page.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import median
from typing import Any, Protocol

import numpy as np
from pypdfium2 import PdfiumError

from classifier.document import Box, clean
from classifier.drawing import Drawing, Glyph, Word
from classifier.errors import OcrMissing
from classifier.language_data import INSTALL, data_folder
from classifier.limits import OcrMode
from classifier.scans import Ink, Scan, bullet_in, draw_scan, ink_of, stroke_of

NONSENSE = 0.5
"""Mean confidence below which the words are no text: handwriting, drawings, a scan too poor to read.

Measured on damaged pages of known text (`tests/benchmarks/ocr.py`): at 0.92 and above about 1 % of the characters were
wrong, at 0.86 to 0.9 2 to 5 %, at 0.65 to 0.82 7 to 15 %, at 0.5 to 0.55 14 to 17 %, at 0.33 to 0.47 21 to 79 %; pages
upside down are at 0.38, scribble at 0.17.
"""
DOUBTFUL = 0.85
"""Mean confidence below which a person should compare the words with the page."""

_SURE = 0.9  # mean confidence from which a page isn't looked at again
_SURE_TURN = 1.0  # tesseract's measure of how sure it is which way is up
_EMPTY = 0.002  # share of dark pixels; a scan with fewer and without a word is an empty sheet
_TALL = 0.92  # height from descender to ascender, as a share of the size of the type
_BELOW = 0.21  # share of the size that lies below the baseline
_MISREAD_BULLETS = frozenset("¢©®@«»°*+~=¤§eoc0O.,•·")


@dataclass(frozen=True, slots=True)
class ReadWord:
    """One word. box: points on the upright, straightened page. confidence: 0 to 1. size: of the type, points."""

    text: str
    box: Box
    baseline: float
    size: float
    confidence: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What OCR made of one page. width, height: points of the page as it was read.

    turn: degrees by which its text stands turned counter-clockwise on the sheet. confidence: mean over the letters;
    None where there are no words. aside: words that run another way than most. empty: nothing is drawn on the page. problem: why there was no OCR, and what to do.
    """

    words: tuple[ReadWord, ...]
    width: float
    height: float
    turn: float = 0.0
    aside: tuple[ReadWord, ...] = ()
    empty: bool = False
    problem: str = ""

    @property
    def confidence(self) -> float | None:
        letters = sum(len(w.text) for w in self.words)
        return sum(len(w.text) * w.confidence for w in self.words) / letters if letters else None

    def glyphs(self) -> list[Glyph]:
        """The words as `layout` takes them: each as one glyph, with white space behind it."""
        out: list[Glyph] = []
        for word in self.words:
            x0, top, x1, bottom = word.box
            out.append(Glyph(word.text, x0, top, x1, bottom, word.baseline, "bold" if word.bold else ""))
            out.append(Glyph(" ", x1, top, x1, bottom, word.baseline, ""))
        return out

    @property
    def sure(self) -> float:
        """The confidence, 0 where there is nothing to be sure of."""
        return self.confidence or 0.0

    def beside(self, glyphs: Sequence[Glyph]) -> Reading:
        """The reading without the words that stand where these glyphs do."""
        places = np.array([((g.x0 + g.x1) / 2, (g.top + g.bottom) / 2) for g in glyphs if not g.text.isspace()])

        def is_new(word: ReadWord) -> bool:
            x0, top, x1, bottom = word.box
            inside = (places[:, 0] > x0) & (places[:, 0] < x1) & (places[:, 1] > top) & (places[:, 1] < bottom)
            return not inside.any()

        return replace(self, words=tuple(w for w in self.words if is_new(w))) if len(places) else self

    def drawing(self) -> Drawing:
        """The page as if its words had been drawn."""
        aside = [[Word(w.text, *w.box, w.baseline)] for w in self.aside]
        return Drawing(self.width, self.height, self.glyphs(), aside, [], 0.0, 0)


class OcrReader(Protocol):
    """The door for OCR. always: it wants every page, not only those that can't be read otherwise."""

    @property
    def always(self) -> bool: ...

    def __call__(self, data: bytes, number: int, only: Sequence[Box] = ()) -> Reading:
        """Read page `number` (from 1) of a PDF file. only: boxes on the sheet, in points; all else is left out."""
        ...


def reader(mode: OcrMode) -> OcrReader | None:
    """What `read_document` takes as `ocr`. auto: pages that can't be read otherwise; always: every page of a PDF file."""
    return None if mode == "never" else Tesseract(always=mode == "always")


def missing() -> str:
    """What OCR lacks on this computer, and how to get it; empty if nothing."""
    try:
        _engine()
    except OcrMissing as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class Tesseract:
    """Reads pages one at a time, in this process. Never raises for what is missing or can't be drawn: `problem` tells."""

    always: bool = False

    def __call__(self, data: bytes, number: int, only: Sequence[Box] = ()) -> Reading:
        try:
            engine = _engine()
            scan = draw_scan(data, number)
        except OcrMissing as error:
            return Reading((), 0.0, 0.0, problem=str(error))
        except (PdfiumError, IndexError) as error:
            return Reading((), 0.0, 0.0, problem=f"the page can't be drawn for OCR ({error})")
        if only:
            return _recognised(engine, scan.only(only))
        return _read(engine, scan)


def _read(engine: Any, scan: Scan) -> Reading:
    """The surest of the readings of a page: as it is; if that reads badly turned upright, then cleaned."""
    upright = scan.straight()
    best = _recognised(engine, upright)
    if best.empty or best.sure >= _SURE:
        return best
    if quarters := _quarters(scan):
        upright = scan.upright(quarters).straight()
        best = max(best, _recognised(engine, upright), key=lambda reading: reading.sure)
    for specks in (False, True):
        if best.sure < _SURE:
            best = max(best, _recognised(engine, upright.cleaned(specks)), key=lambda reading: reading.sure)
    return best


# --- the engine --------------------------------------------------------------------------------------------------


@cache
def _engine() -> Any:
    """tesseract with its English data, loaded once a process. Raises OcrMissing."""
    tesserocr = _library()
    folder = data_folder()
    try:
        return tesserocr.PyTessBaseAPI(path=folder, lang="eng", psm=tesserocr.PSM.AUTO, oem=tesserocr.OEM.LSTM_ONLY)
    except RuntimeError as error:
        raise OcrMissing(f"tesseract can't load its language data in {folder}", INSTALL) from error


def _library() -> Any:
    # Read once, when the library loads. With a thread for every line tesseract takes five times as long.
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        import tesserocr
    except ImportError as error:
        raise OcrMissing("OCR is not installed", INSTALL) from error
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before
    return tesserocr


def _quarters(scan: Scan) -> int:
    """Quarter turns clockwise that bring the page upright; 0 where tesseract can't tell."""
    tesserocr = _library()
    with tesserocr.PyTessBaseAPI(path=data_folder(), lang="osd", psm=tesserocr.PSM.OSD_ONLY) as judge:
        judge.SetImage(scan.picture)
        found = judge.DetectOrientationScript()
    if not found or found["orient_conf"] < _SURE_TURN:
        return 0
    return -int(found["orient_deg"]) // 90 % 4


# --- words -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """One word as tesseract gives it, in pixels. row: number of its line."""

    text: str
    x0: int
    top: int
    x1: int
    bottom: int
    baseline: float
    size: float
    confidence: float
    row: int
    sideways: bool
    stroke: float = 0.0


def _recognised(engine: Any, scan: Scan) -> Reading:
    engine.SetImage(scan.picture)
    engine.SetSourceResolution(round(72 * scan.scale))
    engine.Recognize()
    everything = list(_found(engine))
    engine.Clear()
    found = [word for word in everything if not word.sideways]
    aside = tuple(_aside(word, scan.scale) for word in everything if word.sideways)
    if len(aside) > len(found):  # the page lies on its side
        return Reading((), scan.width, scan.height, scan.turn, aside)
    _settle(found)
    ink = ink_of(scan.grey)
    for word in found:
        word.stroke = stroke_of(ink[word.top : word.bottom, word.x0 : word.x1]) / word.size
    usual = median([w.stroke for w in found for _ in w.text] or [0.0])
    words = tuple(_word(w, scan.scale, usual) for w in _with_bullets(found, ink))
    return Reading(words, scan.width, scan.height, scan.turn, aside, not words and scan.inked < _EMPTY)


def _aside(found: _Found, scale: float) -> ReadWord:
    """A word that runs up or down the page, in the box of its ink."""
    box = (found.x0 / scale, found.top / scale, found.x1 / scale, found.bottom / scale)
    return ReadWord(found.text, box, box[3], box[2] - box[0], found.confidence)


def _found(engine: Any) -> Iterator[_Found]:
    tesserocr = _library()
    level, line = tesserocr.RIL.WORD, tesserocr.RIL.TEXTLINE
    if (results := engine.GetIterator()) is None:
        return
    row = 0
    for item in tesserocr.iterate_level(results, level):
        row += item.IsAtBeginningOf(line)
        if item.Empty(level) or not (text := clean(item.GetUTF8Text(level)).strip()):
            continue
        confidence = item.Confidence(level) / 100
        if confidence < 0.5 and not any(c.isalnum() for c in text):
            continue  # dust
        (start, left), (end, right) = item.Baseline(level)
        size = item.RowAttributes()["row_height"] / _TALL
        x0, top, x1, bottom = item.BoundingBox(level)
        sideways = abs(right - left) > end - start
        yield _Found(text, x0, top, x1, bottom, (left + right) / 2, size, confidence, row, sideways)


def _settle(found: Sequence[_Found]) -> None:
    """Give lines of nearly the same size the same one: tesseract measures each line by its own letters."""
    usual = median([w.size for w in found for _ in w.text] or [0.0])
    letters = Counter[int]()
    for word in found:
        letters[word.row] += len(word.text)
    for word in found:
        if abs(word.size - usual) <= (0.12 if letters[word.row] >= 20 else 0.2) * usual:
            word.size = usual


def _with_bullets(found: Sequence[_Found], ink: Ink) -> Iterator[_Found]:
    """The words with the bullets that tesseract leaves out, or takes for a letter, at the head of lines."""
    row = 0
    for i, word in enumerate(found):
        first, row = word.row != row, word.row
        after = found[i + 1] if i + 1 < len(found) and found[i + 1].row == row else None
        if not first:
            yield word
        elif word.text in _MISREAD_BULLETS and after is not None:
            bullet = _bullet(ink, word, word.x0 - round(0.3 * word.size), after.x0 - 1)
            yield bullet or word
        else:
            bullet = _bullet(ink, word, word.x0 - round(3 * word.size), word.x0 - round(0.15 * word.size))
            yield from (bullet, word) if bullet else (word,)


def _bullet(ink: Ink, word: _Found, start: int, stop: int) -> _Found | None:
    """The bullet between two columns on the line of a word."""
    start = max(0, start)
    top, bottom = max(0, round(word.baseline - 0.75 * word.size)), round(word.baseline)
    place = bullet_in(ink[top:bottom, start:stop], word.size) if stop > start and bottom > top else None
    if place is None:
        return None
    x0, x1 = start + place[0], start + place[1]
    return _Found("•", x0, top, x1, bottom, word.baseline, word.size, 1.0, word.row, False)


def _word(found: _Found, scale: float, usual: float) -> ReadWord:
    """The word in points, in a box as high as its type: letters without ascenders stand on the line as others do."""
    size, baseline = found.size / scale, found.baseline / scale
    box = (found.x0 / scale, baseline - (1 - _BELOW) * size, found.x1 / scale, baseline + _BELOW * size)
    return ReadWord(found.text, box, baseline, round(size, 1), found.confidence, found.stroke > 1.25 * usual)
