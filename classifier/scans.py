"""A page of a PDF file as a grey picture made ready for OCR: drawn, turned, straightened, its strokes measured.

Places in this module are pixels from the top left of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import pi, radians, tan
from typing import Any

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from classifier.document import Box

DPI = 200
MOST_PIXELS = 12_000_000  # a tabloid page at 200 dots an inch has 7.5 million
_LEAST_SIDE = 1700  # dots of the longer side: small pages are often letters whose size was set down wrong
_MOST_SIDE = 30_000  # tesseract refuses more than 32767
_MOST_TILT = 5.0  # degrees; what stands more askew than a feeder can make it, is no page of running text
_LEAST_TILT = 0.15
_STANDS_OUT = 12  # of 256 shades; the faintest ink that a person can make out
_LOOKED_AT = 1000  # dots of the longer side of the small picture in which the tilt is measured

Grey = NDArray[np.uint8]
Ink = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scan:
    """One page as a picture. grey: (rows, columns), 0 black. scale: pixels a point. width, height: points.

    turn: degrees by which its text stood turned counter-clockwise on the sheet, before the picture was turned upright.
    """

    grey: Grey
    scale: float
    width: float
    height: float
    turn: float = 0.0

    @property
    def picture(self) -> Image.Image:
        return Image.fromarray(self.grey)

    @property
    def inked(self) -> float:
        """The share of pixels that stand out from the paper, but for the outer twentieth, where scanners leave shadows."""
        smooth = np.asarray(self.picture.filter(ImageFilter.GaussianBlur(2)), dtype=np.int16)
        rows, columns = smooth.shape
        inner = smooth[rows // 20 : rows - rows // 20, columns // 20 : columns - columns // 20]
        return float((inner < np.median(inner) - _STANDS_OUT).mean()) if inner.size else 0.0

    def upright(self, quarters: int) -> Scan:
        """The picture turned clockwise by quarter turns."""
        width, height = (self.height, self.width) if quarters % 2 else (self.width, self.height)
        turned = np.ascontiguousarray(np.rot90(self.grey, -quarters))
        return Scan(turned, self.scale, width, height, self.turn + 90 * quarters)

    def straight(self) -> Scan:
        """The picture turned about its middle so that its lines run level."""
        tilt = tilt_of(self.grey)
        if abs(tilt) < _LEAST_TILT:
            return self
        paper = int(np.median(self.grey))
        turned = self.picture.rotate(-tilt, Image.Resampling.BICUBIC, fillcolor=paper)
        return replace(self, grey=np.asarray(turned), turn=self.turn + tilt)

    def cleaned(self, specks: bool) -> Scan:
        """The picture with its grain smoothed and its ink made dark. specks: take single dots off first."""
        picture = self.picture.filter(ImageFilter.MedianFilter(3)) if specks else self.picture
        picture = picture.filter(ImageFilter.GaussianBlur(0.7 if specks else 1))
        dark = np.asarray(ImageOps.autocontrast(picture, cutoff=(0.5, 50)))  # half of a page is paper at least
        return replace(self, grey=dark)

    def without(self, boxes: Sequence[Box]) -> Scan:
        """The picture with these boxes as blank as its paper, which are points from the top left."""
        grey = self.grey.copy()
        for rows, columns in map(self._pixels, boxes):
            grey[rows, columns] = int(np.median(self.grey))
        return replace(self, grey=grey)

    def _pixels(self, box: Box) -> tuple[slice, slice]:
        x0, top, x1, bottom = (max(0, round(v * self.scale)) for v in box)
        return slice(top, bottom), slice(x0, x1)

    def only(self, boxes: Sequence[Box]) -> Scan:
        """The picture with all white but these boxes, which are points from the top left."""
        grey = np.full_like(self.grey, 255)
        for rows, columns in map(self._pixels, boxes):
            grey[rows, columns] = self.grey[rows, columns]
        return replace(self, grey=grey)


def draw_scan(data: bytes, number: int) -> Scan:
    """Page `number` (from 1) of a PDF file as people see it. Raises what pdfium raises where it can't be drawn."""
    with closing(pypdfium2.PdfDocument(data)) as pdf:
        sheet = pdf[number - 1]
        width, height = sheet.get_size()
        grey: Any = sheet.render(scale=_scale(width, height), grayscale=True).to_numpy()
    grey = np.ascontiguousarray(grey.reshape(grey.shape[:2]))
    return Scan(grey, grey.shape[1] / width, width, height)


def _scale(width: float, height: float) -> float:
    """Pixels a point: 200 dots an inch where the page has an ordinary size."""
    longer = max(width, height)
    most: float = min((MOST_PIXELS / (width * height)) ** 0.5, _MOST_SIDE / longer)
    return min(max(DPI / 72, _LEAST_SIDE / longer), most)


def ink_of(grey: Grey) -> Ink:
    """Which pixels are dark, by Otsu's threshold."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(float)
    below = np.cumsum(counts)
    mass = np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / below[-1] - mass) ** 2 / (below * (below[-1] - below))
    return np.asarray(grey <= int(np.argmax(np.nan_to_num(between, posinf=0.0))))


def tilt_of(grey: Grey) -> float:
    """Degrees by which lines of text run up to the right; 0 where no angle stands out.

    At the right angle the upper edges of letters fall on few levels, with empty ones between: the sum of the squared
    counts a level is highest.
    """
    picture = Image.fromarray(grey).filter(ImageFilter.GaussianBlur(2))  # grain has edges too
    picture = picture.reduce(max(1, max(picture.size) // _LOOKED_AT))
    dark = ink_of(np.asarray(picture))
    y, x = np.nonzero(dark[1:] & ~dark[:-1])
    if len(y) < 200:
        return 0.0
    step = len(y) // 60_000 + 1
    y, x = y[::step], x[::step]

    def sharpness(angle: float) -> float:
        level = np.rint(y + x * tan(radians(angle))).astype(np.int64)
        return float((np.bincount(level - level.min()) ** 2).sum())

    coarse = max(np.arange(-_MOST_TILT, _MOST_TILT + 0.1, 0.25), key=sharpness)
    best = float(max(np.arange(coarse - 0.25, coarse + 0.26, 0.05), key=sharpness))
    return best if sharpness(best) > 1.05 * sharpness(0.0) and abs(best) <= _MOST_TILT else 0.0


def stroke_of(ink: Ink) -> float:
    """The usual width of the strokes in a cut-out of letters, in pixels; 0 where it is empty."""
    area = int(ink.sum())
    edges = int((ink[1:] != ink[:-1]).sum()) + int((ink[:, 1:] != ink[:, :-1]).sum())
    return 2 * area / (edges * pi / 4) if area and edges else 0.0


def bullet_in(ink: Ink, size: float) -> tuple[int, int] | None:
    """The first and last column of a bullet that stands alone in a cut-out beside a line of text, or None.

    ink: from the height of the capitals to the baseline. size: of the line's type, in pixels.
    """
    from scipy import ndimage  # takes as long to load as all the rest

    labels, _ = ndimage.label(ink, np.ones((3, 3)))
    blobs = [
        (place, float((labels[place] == i).mean()))
        for i, place in enumerate(ndimage.find_objects(labels), start=1)
        if max(place[0].stop - place[0].start, place[1].stop - place[1].start) >= 0.14 * size
    ]
    if len(blobs) != 1:
        return None
    (rows, columns), filled = blobs[0]
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    middle = (rows.start + rows.stop) / 2 / len(ink)
    # A disc fills 0.79 of its box, a square all of it, a ring or a letter less than 0.6.
    round_ = filled >= 0.65 and 0.7 <= wide / high <= 1.4 and max(high, wide) <= 0.65 * size
    free = columns.start > 0 and columns.stop < ink.shape[1]
    return (columns.start, columns.stop) if round_ and free and 0.2 <= middle <= 0.85 else None
