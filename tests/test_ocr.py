"""OCR: image-only pages made here are read again, and their words found where they were drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pdf_files as made
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdf_files import block, body, page_of, write_pdf
from PIL import Image, ImageDraw
from rapidfuzz.distance import Levenshtein
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from classifier import language_data, ocr, scans
from classifier.document import Box, Document, Page
from classifier.ocr import Reading, ReadWord, reader
from classifier.pages import read_document
from classifier.pipeline import score_file
from classifier.predictions import Model

LACKING = ocr.missing()
needs_tesseract = pytest.mark.skipif(bool(LACKING), reason=LACKING or "tesseract is there")

Damage = Callable[[Image.Image], Image.Image]


def picture_of(draw: made.Draw, folder: Path) -> Image.Image:
    """What a scanner sees of a letter page at 200 dots an inch."""
    with pypdfium2.PdfDocument(write_pdf(folder / "drawn.pdf", [draw])) as pdf:
        return pdf[0].render(scale=200 / 72, grayscale=True).to_pil().convert("L")


def shows(picture: Image.Image, box: Box = (0, 0, made.WIDTH, made.HEIGHT)) -> made.Draw:
    """The picture as something to draw. box: points from the top left."""
    x0, top, x1, bottom = box
    return lambda canvas: canvas.drawImage(ImageReader(picture), x0, made.HEIGHT - bottom, x1 - x0, bottom - top)


def scan_of(draw: made.Draw, folder: Path, damage: Damage = lambda picture: picture) -> made.Draw:
    """A page that shows a picture of what is drawn, and has no text."""
    return shows(damage(picture_of(draw, folder)))


def read(path: Path, *draws: made.Draw, mode: ocr.OcrMode = "auto") -> Document:
    return read_document(write_pdf(path / "scan.pdf", draws), ocr=reader(mode))


def text(page: Page) -> str:
    return "\n".join(line.text for line in page.lines if not line.furniture)


def errors(page: Page, lines: Sequence[str]) -> float:
    """The share of characters that were read wrong."""
    wanted = "\n".join(lines)
    return Levenshtein.distance(wanted, text(page)) / len(wanted)


@dataclass(frozen=True)
class Told:
    """A reader that was told what to say of each page, and remembers what it was asked."""

    readings: dict[int, Reading] = field(default_factory=dict)
    always: bool = False
    asked: list[int] = field(default_factory=list)

    def __call__(self, data: bytes, number: int, only: Sequence[Box] = ()) -> Reading:
        assert data.startswith(b"%PDF")
        assert not only
        self.asked.append(number)
        return self.readings.get(number, Reading((), 612, 792))


def said(*lines: str, confidence: float = 0.95) -> Reading:
    """A reading of these lines, a hundred points apart."""
    words = [
        ReadWord(word, (72 + 60 * i, 92 + 100 * n, 122 + 60 * i, 104 + 100 * n), 101.5 + 100 * n, 12, confidence)
        for n, line in enumerate(lines)
        for i, word in enumerate(line.split())
    ]
    return Reading(tuple(words), 612, 792)


# --- which pages -------------------------------------------------------------------------------------------------


def test_only_pages_that_cannot_be_read_otherwise_are_asked_for(tmp_path: Path) -> None:
    told = Told({2: said("Read by machine", "and again")})
    path = write_pdf(tmp_path / "a.pdf", [page_of(body(5)), made.scan, made.scan, lambda _: None])
    text_page, scan, nothing, blank = read_document(path, ocr=told).pages
    assert told.asked == [2, 3]
    assert (text_page.method, text_page.confidence, len(text_page.lines)) == ("pdfplumber", None, 5)
    assert (scan.status, scan.method, scan.reason) == ("read", "ocr", "")
    assert scan.confidence == pytest.approx(0.95)
    assert text(scan) == "Read by machine\nand again"
    assert scan.lines[1].gap == pytest.approx(88)
    assert (nothing.status, blank.status) == ("unread", "blank")
    assert nothing.reason == "scanned image without a text layer; OCR found no words on it"


def test_always_asks_for_every_page_and_keeps_text_where_it_finds_none(tmp_path: Path) -> None:
    told = Told({1: said("Read by machine")}, always=True)
    pages = read_document(write_pdf(tmp_path / "a.pdf", [page_of(body(5))] * 2 + [lambda _: None]), ocr=told).pages
    assert told.asked == [1, 2, 3]
    assert [page.method for page in pages] == ["ocr", "pdfplumber", "pdfplumber"]
    assert (pages[1].status, len(pages[1].lines)) == ("read", 5)
    assert pages[1].reason == "OCR found no words on it"
    assert (pages[2].status, pages[2].reason) == ("blank", "")


def test_never_is_no_reader(tmp_path: Path) -> None:
    assert reader("never") is None
    (page,) = read(tmp_path, made.scan, mode="never").pages
    assert (page.status, page.reason) == ("unread", "scanned image without a text layer")


def test_a_header_drawn_over_a_scan_does_not_make_it_text(tmp_path: Path) -> None:
    header = [
        "Case 1:20-cv-04711 Document 31-2 Filed 05/03/20 Page 3 of 41 Norfolk, ss. Superior Court Department of the"
    ]
    header += [
        "Trial Court, Exhibit C to the Affidavit of the Keeper of the Records of the Town, produced under order 17"
    ]

    def under(lines: Sequence[str]) -> made.Draw:
        scan = scan_of(lambda canvas: block(canvas, lines, size=8), tmp_path)
        return page_of([], scan, lambda canvas: block(canvas, header, top=90, size=8))

    path = write_pdf(tmp_path / "a.pdf", [under([*header, *body(20)]), under([*header, "Signed"])])
    unread, searchable = read_document(path).pages
    assert (unread.status, [line.furniture for line in unread.lines]) == ("unread", [True, True])
    assert (searchable.status, len(searchable.lines)) == ("read", 2)
    page, searchable = read_document(path, ocr=Told({1: said("Read by machine")})).pages
    assert (text(page), searchable.method) == ("Read by machine", "pdfplumber")


def test_text_over_a_background_picture_stays_text(tmp_path: Path) -> None:
    told = Told()
    path = write_pdf(tmp_path / "a.pdf", [page_of([], made.scan, page_of(body(40)))])
    (page,) = read_document(path, ocr=told).pages
    assert (page.status, page.method, told.asked) == ("read", "pdfplumber", [])


@pytest.mark.parametrize("shift", [1, 3, 13])
@pytest.mark.parametrize("count", [4, 30])
def test_a_text_layer_of_other_letters_is_replaced(tmp_path: Path, shift: int, count: int) -> None:
    def moved(c: str) -> str:
        base = ord("a") if c.islower() else ord("A")
        return chr((ord(c) - base + shift) % 26 + base) if c.isalpha() else c

    lines = ["".join(map(moved, line)) for line in body(count)]
    told = Told({1: said("Read by machine")})
    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [page_of(lines)]), ocr=told).pages
    assert text(page) == "Read by machine"


# --- how sure ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "status", "reason"),
    [
        (ocr.DOUBTFUL, "read", ""),
        (ocr.DOUBTFUL - 0.01, "read", "OCR is unsure of its words; compare them with the page"),
        (
            ocr.NONSENSE - 0.01,
            "unread",
            "scanned image without a text layer; OCR could not make sense of it; read it on the page",
        ),
    ],
)
def test_confidence_decides_what_a_page_counts_as(tmp_path: Path, confidence: float, status: str, reason: str) -> None:
    told = Told({1: said("Each visitor signs the register", confidence=confidence)})
    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [made.scan]), ocr=told).pages
    assert (page.status, page.reason, bool(page.lines)) == (status, reason, status == "read")
    assert page.confidence == pytest.approx(confidence)


def test_confidence_is_the_mean_over_the_letters() -> None:
    words = [ReadWord("ab", (0, 0, 1, 1), 1, 1, 1.0), ReadWord("abcdef", (0, 0, 1, 1), 1, 1, 0.6)]
    assert Reading(tuple(words), 612, 792).confidence == pytest.approx(0.7)
    assert Reading((), 612, 792).confidence is None


def test_clauses_that_ocr_is_unsure_of_go_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Model
) -> None:
    sure, unsure = said("The lobby is closed."), said("The desk is open.", confidence=0.7)
    monkeypatch.setattr("classifier.pipeline.reader", lambda _: Told({1: sure, 2: unsure, 3: unsure}))
    scored = score_file(write_pdf(tmp_path / "a.pdf", [made.scan] * 3), "a", model)
    assert scored.note == "pages 2-3: OCR is unsure of its words; compare them with the page"
    assert (scored.status, scored.pages_ocr) == ("ok", 3)
    assert [round(sure, 2) for _, sure in scored.ocr_confidence] == [0.95, 0.7, 0.7]
    reviews = [(c.page, p.review) for c, p in zip(scored.clauses, scored.predictions, strict=True) if p]
    assert reviews == [(1, False), (2, True), (3, True)]


# --- what is missing ---------------------------------------------------------------------------------------------


@pytest.fixture
def anew() -> object:
    """The engine is loaded again in the test, and again after it."""
    ocr._engine.cache_clear()
    yield
    ocr._engine.cache_clear()


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("mode", ["auto", "always"])
@pytest.mark.parametrize("lack", ["library", "data"])
def test_without_tesseract_scans_stay_unread_with_an_instruction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: ocr.OcrMode, lack: str
) -> None:
    if lack == "library":
        monkeypatch.setitem(sys.modules, "tesserocr", None)
    else:
        pytest.importorskip("tesserocr", reason="pip install 'collaboration-clauses[ocr]'")
        monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
        monkeypatch.setattr(language_data, "_DATA_FOLDERS", ())
    written, scan = read(tmp_path, page_of(body(5)), made.scan, mode=mode).pages
    assert (written.status, len(written.lines), scan.status) == ("read", 5, "unread")
    assert scan.reason.startswith("scanned image without a text layer; ")
    assert "not installed; pip install" in scan.reason
    assert "apt-get install tesseract-ocr" in scan.reason
    assert ("not installed" in written.reason) == (mode == "always")
    assert ocr.missing() in scan.reason


@needs_tesseract
@pytest.mark.usefixtures("anew")
def test_data_that_cannot_be_loaded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("eng", "osd"):
        (tmp_path / f"{name}.traineddata").write_bytes(b"nothing")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert "can't load its language data" in ocr.missing()


# --- real pictures -----------------------------------------------------------------------------------------------


def tilted(degrees: float) -> Damage:
    return lambda picture: picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def grainy(picture: Image.Image) -> Image.Image:
    random = np.random.default_rng(5)
    grey = np.asarray(picture, dtype=float) * 0.8 + 40 + random.normal(0, 15, picture.size[::-1])
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def turned(quarters: int) -> Damage:
    return lambda picture: Image.fromarray(np.ascontiguousarray(np.rot90(np.asarray(picture), quarters)))


LINES = body(24)


@needs_tesseract
@pytest.mark.parametrize("damage", [lambda picture: picture, lambda p: grainy(tilted(2.5)(p)), turned(2)])
def test_words_are_found_where_they_were_drawn(tmp_path: Path, damage: Damage) -> None:
    (page,) = read(tmp_path, scan_of(page_of(LINES), tmp_path, damage)).pages
    assert (page.status, page.method, page.reason) == ("read", "ocr", "")
    assert errors(page, LINES) < 0.01
    assert page.confidence is not None
    assert page.confidence > ocr.DOUBTFUL
    picture = np.asarray(damage(picture_of(page_of(LINES), tmp_path))) < 100
    for line in page.lines:  # the box on the sheet holds the line's ink, and little beside
        x0, top, x1, bottom = page.on_sheet(line.box)
        assert covers(picture, (x0, top, x1, bottom)) > 0.02
    left = np.zeros_like(picture)
    for line in page.lines:
        x0, top, x1, bottom = (round(v * 200 / 72) for v in page.on_sheet(line.box))
        left[top:bottom, x0:x1] = True
    assert picture[~left].sum() < 0.01 * picture.sum()
    assert left.mean() < 0.35


def covers(picture: np.ndarray, box: Box) -> float:
    """The share of dark pixels in a box of points."""
    x0, top, x1, bottom = (round(v * 200 / 72) for v in box)
    return float(picture[top:bottom, x0:x1].mean())


@needs_tesseract
def test_lines_stand_as_those_of_a_text_layer_do(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.text(canvas, 72, 80, "Visitors and their keys", 14, "Helvetica-Bold")
        block(canvas, body(6), top=110)
        block(
            canvas, ["(a) a visitor without a card is shown to the desk;", "(b) a visitor with one walks in."], 108, 210
        )
        for i, line in enumerate(("the clerk keeps the register", "the sergeant reads it")):
            canvas.circle(112, made.HEIGHT - 255 - 14 * i, 2, fill=1)
            made.text(canvas, 122, 250 + 14 * i, line, 10)

    (written,), (scanned,) = read(tmp_path, draw).pages, read(tmp_path, scan_of(draw, tmp_path)).pages
    bullets = [line.text for line in scanned.lines if line.text.startswith("•")]
    assert bullets == ["• the clerk keeps the register", "• the sergeant reads it"]
    pairs = list(zip(written.lines, scanned.lines, strict=True))
    for a, b in pairs[:-2]:
        assert a.text == b.text
        assert a.box == pytest.approx(b.box, abs=2.5)
        assert len(b.words) == len(b.text.split())
        assert [x for word in a.words for x in word] == pytest.approx([x for word in b.words for x in word], abs=4)
        assert a.bold == b.bold
        assert (a.gap is None) == (b.gap is None)
        assert a.gap is None or a.gap == pytest.approx(b.gap, abs=3)
    assert scanned.lines[0].size > 1.2 * scanned.lines[1].size
    assert len({line.size for line in scanned.lines[1:]}) == 1


@needs_tesseract
@pytest.mark.parametrize("quarters", [1, 3])
def test_a_page_on_its_side_is_read_upright(tmp_path: Path, quarters: int) -> None:
    picture = turned(quarters)(picture_of(page_of(LINES), tmp_path))
    path = tmp_path / "scan.pdf"
    canvas = Canvas(str(path), pagesize=(made.HEIGHT, made.WIDTH))
    canvas.drawImage(ImageReader(picture), 0, 0, made.HEIGHT, made.WIDTH)
    canvas.save()
    (page,) = read_document(path, ocr=reader("auto")).pages
    assert (page.width, page.height) == pytest.approx((made.WIDTH, made.HEIGHT))
    assert errors(page, LINES) < 0.01
    dark = np.asarray(picture) < 100
    assert min(covers(dark, page.on_sheet(line.box)) for line in page.lines) > 0.05


@needs_tesseract
def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = [line[:44].rsplit(" ", 1)[0] for line in body(22)]
    right = [line[:44].rsplit(" ", 1)[0] for line in body(22, start=40)]

    def draw(canvas: Canvas) -> None:
        block(canvas, left, x=60, size=10)
        block(canvas, right, x=320, size=10)

    (page,) = read(tmp_path, scan_of(draw, tmp_path, tilted(1))).pages
    assert errors(page, left + right) < 0.02


@needs_tesseract
def test_pages_without_text_in_a_document_that_has_text(tmp_path: Path) -> None:
    stray = scan_of(page_of(LINES), tmp_path)

    def stamped(canvas: Canvas) -> None:
        stray(canvas)
        made.text(canvas, 300, 700, "x", 6)

    first, second = read(tmp_path, page_of(body(5)), stamped).pages
    assert (first.method, second.method) == ("pdfplumber", "ocr")
    assert errors(second, LINES) < 0.01


@needs_tesseract
def test_a_scan_in_half_of_a_page_is_added_to_its_text(tmp_path: Path) -> None:
    picture = picture_of(page_of(body(12, start=50)), tmp_path).crop((0, 200, 1700, 750))
    half = shows(picture, (0, 400, 612, 400 + 550 * 72 / 200))
    (page,) = read(tmp_path, page_of(body(12), half)).pages
    assert (page.status, page.method) == ("read", "ocr")
    assert [line.text for line in page.lines[:12]] == body(12)
    assert errors(page, body(12) + body(12, start=50)) < 0.01


@needs_tesseract
def test_a_photograph_adds_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(3).integers(0, 255, (20, 30), dtype=np.uint8)
    photograph = shows(Image.fromarray(random).resize((900, 600), Image.Resampling.BICUBIC), (72, 400, 540, 720))
    (page,) = read(tmp_path, page_of(body(12), photograph)).pages
    assert (page.method, page.confidence, [line.text for line in page.lines]) == ("pdfplumber", None, body(12))


@needs_tesseract
def test_scribble_is_unread_and_an_empty_sheet_blank(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    sheet = Image.new("L", (1700, 2200), 255)
    pen = ImageDraw.Draw(sheet)
    for y in range(250, 900, 80):
        for x in range(150, 1400, 240):
            points = [(x + 6 * i + random.normal(0, 4), y + random.normal(0, 11)) for i in range(32)]
            pen.line(points, fill=40, width=4, joint="curve")
    scribbled, empty = read(tmp_path, shows(sheet), shows(grainy(Image.new("L", (850, 1100), 255)))).pages
    assert scribbled.status == "unread"
    assert scribbled.reason.startswith("scanned image without a text layer; OCR ")
    assert (scribbled.confidence or 0.0) < ocr.NONSENSE
    assert (empty.status, empty.method) == ("blank", "ocr")


@needs_tesseract
def test_the_same_page_reads_the_same_whatever_was_read_before(tmp_path: Path) -> None:
    scan = scan_of(page_of(body(6)), tmp_path, grainy)
    other = scan_of(page_of(body(6, start=70)), tmp_path)
    first, _, again = read(tmp_path, scan, other, scan).pages
    assert [line.text for line in first.lines] == [line.text for line in again.lines]
    assert (first.confidence, [line.box for line in first.lines]) == (
        again.confidence,
        [line.box for line in again.lines],
    )


@needs_tesseract
def test_always_reads_what_is_seen_not_the_text_layer(tmp_path: Path) -> None:
    (page,) = read(tmp_path, page_of(body(6)), mode="always").pages
    assert page.method == "ocr"
    assert errors(page, body(6)) < 0.02


# --- geometry ----------------------------------------------------------------------------------------------------


@given(st.floats(1, 5000), st.floats(1, 5000))
def test_no_page_is_drawn_bigger_than_memory_allows(width: float, height: float) -> None:
    scale = scans._scale(width, height)
    assert width * height * scale**2 <= scans.MOST_PIXELS * 1.001
    assert max(width, height) * scale <= 30_001
    assert scale > 0


@given(st.sampled_from([0, 90, 180, 270]), st.floats(-5, 5), st.floats(0, 500), st.floats(0, 700))
def test_a_box_and_its_place_on_the_sheet_share_their_middle(turn: int, tilt: float, x: float, y: float) -> None:
    page = Page(1, 612, 792, (), turn=turn + tilt)
    box = page.on_sheet((x, y, x + 80, y + 10))
    back = Page(1, *((792, 612) if turn % 180 else (612, 792)), (), turn=-turn - tilt)
    (u0, v0, u1, v1) = back.on_sheet(box)
    assert ((u0 + u1) / 2, (v0 + v1) / 2) == pytest.approx((x + 40, y + 5), abs=0.01)
    assert min(u0, x) == pytest.approx(u0)


def test_clauses_of_a_page_drawn_sideways_are_marked_on_its_sheet(tmp_path: Path) -> None:
    from classifier.clauses import split_document

    def draw(canvas: Canvas) -> None:
        canvas.translate(612, 0)
        canvas.rotate(90)
        for i, line in enumerate(body(8)):
            canvas.drawString(72, 400 - 20 * i, line)

    path = write_pdf(tmp_path / "a.pdf", [draw])
    first = split_document(read_document(path))[0]
    (_, x0, top, x1, bottom) = first.boxes[0]
    assert bottom == pytest.approx(792 - 72, abs=2)
    assert (x0, x1) == pytest.approx((612 - 400 - 9, 612 - 400 + 3), abs=3)
    assert bottom - top > 200
