"""Small PDF files made for tests. Places are points from the top left of a letter page, as the reader reports them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 612.0, 792.0
Draw = Callable[[Canvas], None]

SENTENCES = (
    "The shift supervisor reviews each booking sheet before the end of the watch.",
    "No member of the department may keep a copy of the visitor register at home.",
    "Keys to the evidence room are held by the property clerk and by no one else.",
    "A request from another agency is answered in writing within five working days.",
    "Officers who find a damaged radio report it to the equipment desk on the same day.",
    "The records unit stores each form for the time that the retention table gives.",
    "When the lobby is closed the duty sergeant takes calls at the front telephone.",
)


def body(count: int, start: int = 0) -> list[str]:
    """So many different lines of plausible text."""
    return [f"Line {start + i} {SENTENCES[(start + i) % len(SENTENCES)]}" for i in range(count)]


def write_pdf(path: Path, pages: Sequence[Draw], **options: object) -> Path:
    """One page for each drawing function. options: those of reportlab's Canvas, such as `encrypt`."""
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def text(
    canvas: Canvas, x: float, top: float, line: str, size: float = 11, font: str = "Helvetica", right: bool = False
) -> None:
    """One line of text. top: of the letters' box. right: x is its right end."""
    canvas.setFont(font, size)
    baseline = HEIGHT - top - 0.8 * size
    (canvas.drawRightString if right else canvas.drawString)(x, baseline, line)


def block(
    canvas: Canvas, lines: Sequence[str], x: float = 72, top: float = 90, leading: float = 14, size: float = 10
) -> None:
    """Lines one under the other."""
    for i, line in enumerate(lines):
        text(canvas, x, top + i * leading, line, size)


def page_of(lines: Sequence[str], *more: Draw) -> Draw:
    """A page with a block of lines and whatever else is drawn."""

    def draw(canvas: Canvas) -> None:
        block(canvas, lines)
        for other in more:
            other(canvas)

    return draw


def at(x: float, top: float, line: str, size: float = 11, font: str = "Helvetica") -> Draw:
    """A line of text as something to draw."""
    return lambda canvas: text(canvas, x, top, line, size, font)


def grid(canvas: Canvas, xs: Sequence[float], tops: Sequence[float]) -> None:
    """Ruling lines of a table."""
    canvas.grid(list(xs), [HEIGHT - top for top in tops])


def scan(canvas: Canvas) -> None:
    """A grey picture over the whole page."""
    picture = io.BytesIO()
    Image.new("L", (60, 80), 200).save(picture, "PNG")
    picture.seek(0)
    canvas.drawImage(ImageReader(picture), 0, 0, WIDTH, HEIGHT)


def use_vera() -> str:
    """A TrueType font with a character map of its own, and its name."""
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    return "Vera"


def write_objects(path: Path, *objects: bytes) -> Path:
    """A PDF of raw objects, numbered from 1, the catalog first; it has no cross-reference table, as damaged ones."""
    numbered = (b"%d 0 obj%s endobj\n" % (i, content) for i, content in enumerate(objects, start=1))
    path.write_bytes(
        b"%PDF-1.4\n" + b"".join(numbered) + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF\n" % (len(objects) + 1)
    )
    return path


def write_unmapped(path: Path) -> Path:
    """A page in a font whose glyph numbers stand for no known characters."""
    shown = b"BT /F 12 Tf 72 700 Td <" + b"002000210022" * 30 + b"> Tj ET"
    return write_objects(
        path,
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown),
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        b"/Supplement 0>>/FontDescriptor 7 0 R>>",
        b"<</Type/FontDescriptor/FontName/X/Flags 4/Ascent 800/Descent -200/FontBBox[0 -200 1000 800]>>",
    )


IMMIGRATION = (
    "No person shall be held past the time of release on an immigration detainer alone.",
    "The shift commander may tell ICE the release date of a person who was convicted of a serious violent felony.",
    "Members shall not ask a person about citizenship or immigration status.",
    "ICE officers may enter the secure part of the station only with a judicial warrant.",
    "The booking unit shall not send the daily intake log to federal immigration authorities.",
)


def manual(path: Path, pages: int, matter: Sequence[int], lines: int = 40) -> Path:
    """A policy manual, twenty pages a chapter, running header and page number. matter: numbers of the pages on immigration."""

    def page(number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            text(canvas, 72, 40, "Quabbin Reach Police Department Policy Manual", 9)
            text(canvas, 300, 760, str(number), 9)
            chapter = "Immigration Matters" if number in matter else f"Duties of the Watch, Part {1 + number // 20}"
            text(canvas, 72, 70, f"{number}.1 {chapter.upper()}", 12, "Helvetica-Bold")
            own = [f"({chr(97 + i)}) {line}" for i, line in enumerate(IMMIGRATION)] if number in matter else []
            block(canvas, [*own, *body(lines - len(own), number)], top=100)

        return draw

    return write_pdf(path, [page(number) for number in range(1, pages + 1)])
