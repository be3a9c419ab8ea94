"""How many characters OCR gets wrong on pages of known text, by kind of damage, and how sure it says it is.

    OMP_THREAD_LIMIT=1 python tests/benchmarks/ocr.py [PAGES]

The pages are those of the sample policies that hold text; each is drawn, damaged and read again as an image-only PDF.
What the two confidences in `classifier/ocr.py` mean was chosen from this table.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFilter
from rapidfuzz.distance import Levenshtein
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from classifier.ocr import reader
from classifier.pages import Page, read_document

SAMPLES = Path(__file__).parents[2] / "training_data/samples"
Picture = Image.Image
Damage = Callable[[Picture], Picture]


def noisy(strength: float) -> Damage:
    """Grain in the paper and specks of dust."""

    def damage(picture: Picture) -> Picture:
        random = np.random.default_rng(1)
        grey = np.asarray(picture, dtype=float) * 0.8 + 40 + random.normal(0, strength, picture.size[::-1])
        grey[random.random(grey.shape) < strength / 20_000] = 0
        return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))

    return damage


def tilted(degrees: float) -> Damage:
    """Askew by so many degrees."""
    return lambda picture: picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def coarse(dots: int) -> Damage:
    """Scanned at so many dots an inch."""
    return lambda picture: picture.resize(
        (picture.width * dots // 200, picture.height * dots // 200), Image.Resampling.BOX
    )


def faint(ink: float) -> Damage:
    """Little toner, and grain in the paper."""
    return lambda picture: noisy(12)(picture.point(lambda v: int(255 - (255 - v) * ink)))


def copied(times: int) -> Damage:
    """A copy of a copy: blurred, then black and white."""

    def damage(picture: Picture) -> Picture:
        for _ in range(times):
            picture = noisy(14)(picture.filter(ImageFilter.GaussianBlur(1.1))).point(lambda v: 255 if v > 150 else 0)
        return picture

    return damage


def scribbled(picture: Picture) -> Picture:
    """Lines of loops and strokes as long as words, in place of the text."""
    random = np.random.default_rng(2)
    sheet = Image.new("L", picture.size, 255)
    pen = ImageDraw.Draw(sheet)
    for y in range(200, picture.height - 200, 70):
        x = 150.0
        while x < picture.width - 250:
            steps = int(random.integers(8, 30))
            points = [(x + 6 * i + random.normal(0, 4), y + random.normal(0, 11)) for i in range(steps)]
            pen.line(points, fill=40, width=4, joint="curve")
            x += 6 * steps + 30
    return sheet


def photographed(picture: Picture) -> Picture:
    """Light and shade without any text."""
    small = np.random.default_rng(3).integers(0, 255, (44, 34), dtype=np.uint8)
    return Image.fromarray(small).resize(picture.size, Image.Resampling.BICUBIC)


KINDS: dict[str, Damage] = {
    "clean": lambda picture: picture,
    "grain and dust": noisy(20),
    "much grain and dust": noisy(45),
    "tilted by 1 degree": tilted(1),
    "tilted by 3 degrees": tilted(-3),
    "tilted by 3, grainy": lambda picture: noisy(20)(tilted(3)(picture)),
    "on its side": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "upside down": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
    "100 dots an inch": coarse(100),
    "75 dots an inch": coarse(75),
    "60 dots an inch": coarse(60),
    "50 dots an inch": coarse(50),
    "faint": faint(0.3),
    "very faint": faint(0.12),
    "hardly there": faint(0.06),
    "copy of a copy": copied(2),
    "fifth copy": copied(5),
    "handwriting": scribbled,
    "photograph": photographed,
}


def known_pages(most: int) -> Iterator[tuple[Picture, str]]:
    """Pictures of pages with their text."""
    for path in sorted(SAMPLES.glob("*.pdf")):
        pages = read_document(path).pages
        for page, sheet in zip(pages[:2], pypdfium2.PdfDocument(path), strict=False):
            if page.method == "pdfplumber" and len(words := text_of(page)) > 1000 and not page.turn and most:
                yield sheet.render(scale=200 / 72, grayscale=True).to_pil().convert("L"), words
                most -= 1


def text_of(page: Page) -> str:
    """All lines, one behind the other."""
    return " ".join(line.text for line in page.lines)


def scanned(picture: Picture) -> bytes:
    """An image-only PDF file, of the size of the picture at 200 dots an inch."""
    written = io.BytesIO()
    longer = 792 / max(picture.size)
    size = (picture.width * longer, picture.height * longer)
    canvas = Canvas(written, pagesize=size)
    canvas.drawImage(ImageReader(picture), 0, 0, *size)
    canvas.save()
    return written.getvalue()


def main(most: int) -> None:
    """Print a row for each kind of damage: means over the pages."""
    ocr = reader("auto")
    known = list(known_pages(most))
    print(f"{len(known)} pages\n{'':24} errors  confidence (lowest)  read  seconds")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scan.pdf")
        for name, damage in KINDS.items():
            errors, sure, read, seconds = [], [], 0, []
            for picture, text in known:
                file.write_bytes(scanned(damage(picture)))
                began = time.perf_counter()
                (page,) = read_document(file, ocr=ocr).pages
                seconds.append(time.perf_counter() - began)
                errors.append(min(1.0, Levenshtein.distance(text, text_of(page)) / len(text)))
                sure.append(page.confidence or 0.0)
                read += page.status == "read"
            print(
                f"{name:24} {mean(errors):6.1%}  {mean(sure):.2f} ({min(sure):.2f})"
                f"          {read:4}  {mean(seconds):7.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
