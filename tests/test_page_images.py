"""Page pictures: the boxes that the reader reports are marked over the words that they belong to, however the page lies."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pdf_files import HEIGHT, WIDTH, at, page_of, write_pdf
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from classifier.errors import UnreadableDocument
from classifier.page_images import DOTS, MOST_DOTS, PageBox, draw_page
from classifier.pages import read_document

SCALE = DOTS / 72


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def tinted(image: Image.Image) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is marked, in points: white paper turned yellow, or the frame around it."""
    pixels = image.load()
    assert pixels is not None
    found = [
        (x, y)
        for x in range(image.width)
        for y in range(image.height)
        if pixels[x, y][0] - pixels[x, y][2] > 40  # type: ignore[index,operator]
    ]
    xs, ys = [x for x, _ in found], [y for _, y in found]
    return min(xs) / SCALE, min(ys) / SCALE, (max(xs) + 1) / SCALE, (max(ys) + 1) / SCALE


def box_of_line(file: Path, starts: str) -> PageBox:
    """The box that the reader gives for a line."""
    line, page = next((li, p) for p in read_document(file).pages for li in p.lines if li.text.startswith(starts))
    return page.number, *line.box


def test_the_box_is_at_the_points_that_it_names(tmp_path: Path) -> None:
    file = write_pdf(tmp_path / "plain.pdf", [page_of([]), page_of([])])
    image = picture(draw_page(file, 2, [(2, 100.0, 200.0, 300.0, 220.0), (1, 10.0, 10.0, 90.0, 90.0)]))
    assert image.size == (round(WIDTH * SCALE), round(HEIGHT * SCALE))
    assert tinted(image) == pytest.approx((100, 200, 300, 220), abs=1.5)
    assert picture(draw_page(file, 1)).getextrema() == ((255, 255),) * 3


def test_zoom_enlarges_picture_and_box(tmp_path: Path) -> None:
    file = write_pdf(tmp_path / "plain.pdf", [page_of([])])
    box = (1, 100.0, 200.0, 300.0, 220.0)
    image = picture(draw_page(file, 1, [box], zoom=2.0))
    assert image.size == (round(WIDTH * SCALE * 2), round(HEIGHT * SCALE * 2))
    assert tinted(image) == pytest.approx([2 * v for v in box[1:]], abs=1.5)


def turned(canvas: Canvas) -> None:
    """Drawn sideways on an upright sheet that says it is to be shown turned."""
    canvas.translate(WIDTH, 0)
    canvas.rotate(90)
    canvas.drawString(72, 400, "1. Members hold nobody on a detainer.")
    canvas.setPageRotation(90)


def cropped(canvas: Canvas) -> None:
    at(150, 190, "1. Members hold nobody on a detainer.")(canvas)
    canvas.setCropBox((100, 100, WIDTH - 60, HEIGHT - 120))


@pytest.mark.parametrize("draw", [at(72, 90, "1. Members hold nobody on a detainer."), turned, cropped])
def test_the_marked_box_lies_over_the_words_that_were_read(tmp_path: Path, draw: object) -> None:
    """Ink is where the reader says that the line is: the mark covers all of it and little else."""
    file = write_pdf(tmp_path / "page.pdf", [draw])  # type: ignore[list-item]
    box = box_of_line(file, "1. Members")
    plain = picture(draw_page(file, 1))
    ink = plain.convert("L").point(lambda v: 255 if v < 128 else 0).getbbox()
    assert ink is not None
    left, top, right, bottom = (v / SCALE for v in ink)
    marked = tinted(picture(draw_page(file, 1, [box])))
    assert marked[0] - 1 <= left <= marked[0] + 6
    assert marked[1] - 1 <= top <= marked[1] + 6
    assert marked[2] - 6 <= right <= marked[2] + 1
    assert marked[3] - 8 <= bottom <= marked[3] + 1


def test_words_stay_legible_under_the_mark(tmp_path: Path) -> None:
    file = write_pdf(tmp_path / "page.pdf", [at(72, 90, "1. Members hold nobody on a detainer.", size=24)])
    image = picture(draw_page(file, 1, [box_of_line(file, "1. Members")]))
    darkest, _ = image.convert("L").getextrema()
    assert isinstance(darkest, int)
    assert darkest < 90


def test_a_page_that_is_not_there_says_so(tmp_path: Path) -> None:
    file = write_pdf(tmp_path / "one.pdf", [page_of([])])
    for number in (2, 0, -1):
        with pytest.raises(UnreadableDocument, match="page"):
            draw_page(file, number)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4 and no more", b"plain text"])
def test_a_broken_file_says_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.pdf"
    file.write_bytes(content)
    with pytest.raises(UnreadableDocument, match="broken"):
        draw_page(file, 1)
    with pytest.raises(UnreadableDocument, match="gone"):
        draw_page(tmp_path / "gone.pdf", 1)


def test_a_box_outside_the_page_or_inside_out_does_not_hide_the_page(tmp_path: Path) -> None:
    file = write_pdf(tmp_path / "plain.pdf", [page_of(["Some words."])])
    image = picture(draw_page(file, 1, [(1, 500.0, 700.0, 900.0, 900.0), (1, 200.0, 200.0, 100.0, 100.0)]))
    assert image.size == (round(WIDTH * SCALE), round(HEIGHT * SCALE))


@pytest.mark.parametrize("size", [(14_400.0, 14_400.0), (14_000.0, 20.0), (300.0, 13_000.0)])
def test_an_absurd_page_stays_a_picture_of_bounded_size(tmp_path: Path, size: tuple[float, float]) -> None:
    file = tmp_path / "huge.pdf"
    canvas = Canvas(str(file), pagesize=size)
    canvas.showPage()
    canvas.save()
    image = picture(draw_page(file, 1, zoom=2.0))
    assert max(image.size) <= MOST_DOTS + 1
