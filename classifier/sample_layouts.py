"""How samples look: the layouts of departments, courts, vendors and records officers, drawn with reportlab."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from typing import Any
from xml.sax.saxutils import escape

from classifier.errors import ClassifierError
from classifier.labelled import LabelledDocument

WIDTH, HEIGHT = 612.0, 792.0
_PAGE_OF = re.compile(r"\bpage \d|\bp\. \d", re.IGNORECASE)
_MARK = re.compile(r"(?:\((?:\d+[A-Z]?|\w|[ivx]+)\)|•|\d+(?:\.\d+)+|(?:\d+|[A-Za-z]|[ivx]+)\.)\s+")
_SERIF = ("Times-Roman", "Times-Bold", "Times-Italic")
_SANS = ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique")
_TYPED = ("Courier", "Courier-Bold", "Courier-Oblique")


def library(module: str) -> Any:
    """A module of the extra `samples`, loaded when the first sample is drawn."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ClassifierError(
            f"samples can't be drawn: {error.name} is not installed", "pip install 'collaboration-clauses[samples]'"
        ) from error


@dataclass(frozen=True, slots=True)
class Layout:
    """What one kind of document looks like.

    fonts: regular, bold, italic. margins: left, top, right, bottom of the text, in points. top: margin of page 1.
    leading: line height as a multiple of `size`. opening: what stands above the text. running: draws header and
    footer of a page. run_in: list marks begin the first, indented line. tabled: the sections set as ruled tables.
    turned: the last section stands on a page on its side.
    """

    opening: Callable[[Setter], list[Any]]
    running: Callable[[Page], None]
    fonts: tuple[str, str, str] = _SERIF
    size: float = 11
    leading: float = 1.2
    space: float = 5
    margins: tuple[float, float, float, float] = (72, 86, 72, 72)
    top: float = 72
    columns: int = 1
    justified: bool = False
    heading_sizes: tuple[float, float, float] = (1.15, 1.0, 1.0)
    small_caps: bool = False
    centred: bool = False
    run_in: bool = False
    tabled: slice | None = None
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One heading, list item, paragraph or furniture line of a policy. mark: its list mark, taken off `text`."""

    kind: str
    level: int
    mark: str
    text: str


class Page:
    """One page to draw running lines on. number: 1-based."""

    def __init__(self, canvas: Any, policy: LabelledDocument, layout: Layout, number: int, total: int) -> None:
        self.canvas, self.policy, self.layout, self.number, self.total = canvas, policy, layout, number, total
        self.width, self.height = canvas._pagesize

    def row(self, y: float, left: str = "", middle: str = "", right: str = "", size: float = 9, font: int = 0) -> None:
        """Up to three texts at height y from the bottom (negative: from the top) between the margins."""
        base = y if y > 0 else self.height + y
        edge, _, end, _ = self.layout.margins
        self.canvas.setFont(self.layout.fonts[font], size)
        self.canvas.drawString(edge, base, left)
        self.canvas.drawCentredString(self.width / 2, base, middle)
        self.canvas.drawRightString(self.width - end, base, right)

    def rule(self, y: float, weight: float = 0.6) -> None:
        base = y if y > 0 else self.height + y
        self.canvas.setLineWidth(weight)
        self.canvas.line(self.layout.margins[0], base, self.width - self.layout.margins[2], base)


class Setter:
    """Turns a policy into reportlab's flowables in one layout."""

    def __init__(self, policy: LabelledDocument, layout: Layout, total: int) -> None:
        self.policy, self.layout, self.total = policy, layout, total
        self.platypus, self.styles = library("reportlab.platypus"), library("reportlab.lib.styles")
        self.width = WIDTH - layout.margins[0] - layout.margins[2]
        paragraphs = list(paragraphs_of(policy))
        first = next((i for i, p in enumerate(paragraphs) if p.kind != "furniture"), 0)
        self.opening_lines = [p.text for p in paragraphs[:first]]
        self.furniture = [p.text for p in paragraphs if p.kind == "furniture"]
        self.body = paragraphs[first:]

    @property
    def subject(self) -> str:
        return self.policy.title.partition(": ")[2] or self.policy.title

    @property
    def number(self) -> str:
        """The order's name and number, as "General Order 18-04"."""
        return self.policy.title.partition(": ")[0]

    def text(self, text: str, font: int = 0, size: float = 1.0, mark: str = "", **style: Any) -> Any:
        """A paragraph. size: as a multiple of the layout's. mark: hangs before it. style: reportlab's own names."""
        points = self.layout.size * size
        known: dict[str, Any] = {
            "fontName": self.layout.fonts[font],
            "fontSize": points,
            "leading": self.layout.leading * points,
            "alignment": 4 if self.layout.justified and not font else 0,
        }
        known |= style
        known |= {"bulletFontName": known["fontName"], "bulletFontSize": points}
        markup = style.pop("markup", None) or escape(text)
        known.pop("markup", None)
        return self.platypus.Paragraph(markup, self.styles.ParagraphStyle("p", **known), bulletText=mark or None)

    def story(self) -> list[Any]:
        layout, out = self.layout, self.layout.opening(self)
        sections = list(self.sections())
        tabled = sections[layout.tabled] if layout.tabled else []
        for i, section in enumerate(sections):
            last = layout.turned and i == len(sections) - 1
            if last:
                out += [self.platypus.NextPageTemplate("turned"), self.platypus.PageBreak()]
            if last or any(section is t for t in tabled):
                out += self.table(section, HEIGHT - 144 if last else self.width)
            else:
                out += [self.flowable(p, section) for p in section]
        return out

    def sections(self) -> Iterator[list[Paragraph]]:
        """Stretches of the body from one heading to the next."""
        section: list[Paragraph] = []
        for paragraph in self.body:
            if paragraph.kind == "heading" and section:
                yield section
                section = []
            section.append(paragraph)
        yield section

    def flowable(self, paragraph: Paragraph, section: Sequence[Paragraph]) -> Any:
        layout = self.layout
        if paragraph.kind == "heading":
            return self.heading(paragraph)
        if paragraph.kind == "furniture" and not layout.run_in:
            closing = paragraph is self.body[-1]
            return self.text(paragraph.text, 0 if closing else 2, 0.95, spaceBefore=18 if closing else 0, spaceAfter=4)
        if layout.run_in:
            return self.text(f"{paragraph.mark} {paragraph.text}".strip(), firstLineIndent=36)
        hang = self.hang(paragraph.level, section)
        indent = sum(self.hang(level, section) for level in range(paragraph.level))
        return self.text(
            paragraph.text,
            mark=paragraph.mark,
            bulletIndent=indent,
            leftIndent=indent + (hang if paragraph.mark else 0),
            spaceAfter=layout.space,
        )

    def hang(self, level: int, section: Sequence[Paragraph]) -> float:
        """Room for the longest list mark of a level in its section."""
        measure = library("reportlab.pdfbase.pdfmetrics").stringWidth
        widths = [measure(p.mark, self.layout.fonts[0], self.layout.size) for p in section if p.level == level]
        return max(18.0, max(widths, default=0) + 0.6 * self.layout.size)

    def heading(self, paragraph: Paragraph, alone: bool = False) -> Any:
        """A heading. alone: what follows may begin on the next page."""
        size = self.layout.heading_sizes[min(paragraph.level, 3) - 1]
        markup = small_caps(paragraph.text, size * self.layout.size) if self.layout.small_caps else None
        space = self.layout.space
        return self.text(
            paragraph.text,
            2 if paragraph.level == 3 and not self.layout.small_caps else 1,
            size,
            markup=markup,
            alignment=1 if self.layout.centred and paragraph.level == 1 else 0,
            spaceBefore=1.6 * space,
            spaceAfter=0.8 * space,
            keepWithNext=int(not alone),
        )

    def table(self, section: Sequence[Paragraph], width: float) -> list[Any]:
        """A section as a ruled table: number, action, and a column to initial."""
        head = [self.text(t, 1, 0.9) for t in ("Step", "Action", "Initials")]
        rows = [head]
        for p in section[1:]:
            if p.kind != "clause":
                continue
            rows.append([self.text(p.mark, size=0.95), self.text(p.text, leftIndent=14 * p.level, size=0.95), ""])
        first = max(40.0, *(self.hang(level, section) + 10 for level in (0, 1)))
        widths = (first, width - first - 52, 52)
        grid = [("GRID", (0, 0), (-1, -1), 0.7, "black"), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        shade = [("BACKGROUND", (0, 0), (-1, 0), library("reportlab.lib.colors").Color(0.88, 0.88, 0.88))]
        style = self.platypus.TableStyle([*grid, *shade, ("BOTTOMPADDING", (0, 0), (-1, -1), 5)])
        table = self.platypus.Table(rows, widths, repeatRows=1, style=style, spaceAfter=8)
        rest = [self.flowable(p, section) for p in section[1:] if p.kind == "furniture"]
        return [self.platypus.CondPageBreak(110), self.heading(section[0], alone=True), table, *rest]


def paragraphs_of(policy: LabelledDocument) -> Iterator[Paragraph]:
    """The paragraphs of a policy with their list marks taken off; furniture that counts pages is left out."""
    texts: list[Paragraph] = []
    for item in policy.items:
        if item.kind == "furniture" and _PAGE_OF.search(item.text):
            continue
        if item.joined:
            texts[-1] = replace(texts[-1], text=f"{texts[-1].text} {item.text}")
            continue
        mark = _MARK.match(item.text) if item.kind == "clause" else None
        cut = mark.end() if mark else 0
        texts.append(Paragraph(item.kind, item.level, item.text[:cut].strip(), item.text[cut:].strip()))
    return iter(texts)


def small_caps(text: str, size: float) -> str:
    """Markup that shows words in capitals, all but the first letter of each smaller."""
    words = re.split(r"(\b[A-Za-z]\w+)", text.upper())
    smaller = f'<font size="{0.8 * size:.1f}">'
    return "".join(
        f"{word[0]}{smaller}{escape(word[1:])}</font>" if re.match(r"[A-Z]\w", word) else escape(word) for word in words
    )


def draw(policy: LabelledDocument, layout: Layout) -> bytes:
    """A policy in a layout as a PDF file. It is set twice, since the first pages name the number of the last."""
    total = 0
    for _ in range(2):
        written, total = _set(policy, layout, total)
    return written


def _set(policy: LabelledDocument, layout: Layout, total: int) -> tuple[bytes, int]:
    platypus, written = library("reportlab.platypus"), io.BytesIO()

    def running(canvas: Any, document: Any) -> None:
        page = Page(canvas, policy, layout, document.page, total)
        canvas.saveState()
        layout.running(page)
        canvas.restoreState()

    def turned(canvas: Any, document: Any) -> None:
        """A page on its side: its sheet stands upright, drawn sideways and turned when shown."""
        canvas.setPageSize((HEIGHT, WIDTH))
        canvas.translate(WIDTH, 0)
        canvas.rotate(90)
        running(canvas, document)

    left, top, _, bottom = layout.margins
    setter = Setter(policy, layout, total)
    story = setter.story()
    opening = story.pop(0) if layout.columns > 1 else None
    taken = opening.wrap(setter.width, HEIGHT)[1] + 14 if opening else 0.0

    def frames(top: float) -> list[Any]:
        gap = 24.0
        width = (setter.width - gap * (layout.columns - 1)) / layout.columns
        places = [left + i * (width + gap) for i in range(layout.columns)]
        return [platypus.Frame(x, bottom, width, HEIGHT - top - bottom, 0, 0, 0, 0) for x in places]

    def first(canvas: Any, document: Any) -> None:
        running(canvas, document)
        if opening:
            opening.drawOn(canvas, left, HEIGHT - layout.top - taken + 14)

    landscape = platypus.Frame(72, 60, HEIGHT - 144, WIDTH - 140, 0, 0, 0, 0)
    templates = [
        platypus.PageTemplate("first", frames(layout.top + taken), first, autoNextPageTemplate="later"),
        platypus.PageTemplate("later", frames(top), running),
        platypus.PageTemplate("turned", [landscape], turned, pagesize=(HEIGHT, WIDTH)),
    ]
    templates[-1].rotation = 90
    facts = {"title": policy.title, "author": policy.agency, "invariant": 1}
    document = platypus.BaseDocTemplate(written, pagesize=(WIDTH, HEIGHT), pageTemplates=templates, **facts)
    document.build(story)
    return written.getvalue(), document.page


def day(policy: LabelledDocument) -> str:
    """The policy's date as letters write it: "January 15, 2018"."""
    when = date.fromisoformat(policy.date)
    return f"{when:%B} {when.day}, {when.year}"


# --- what stands above the text ----------------------------------------------------------------------------------


def _plain_title(setter: Setter) -> list[Any]:
    return [
        setter.text(setter.policy.agency.upper(), 1, 1.1, alignment=1, spaceAfter=4),
        setter.text(setter.policy.title, 1, 1.35, alignment=1, leading=1.6 * setter.layout.size, spaceAfter=4),
        setter.text(f"Effective {day(setter.policy)}", 2, alignment=1, spaceAfter=14),
        *(setter.text(line, 2, 0.95, alignment=1, spaceAfter=10) for line in setter.opening_lines),
    ]


def _wide_title(setter: Setter) -> list[Any]:
    """The title of a page in columns: one block across them."""
    rows = [[part] for part in _plain_title(setter)]
    return [setter.platypus.Table(rows, [setter.width], style=[("TOPPADDING", (0, 0), (-1, -1), 0)])]


def _order_table(setter: Setter) -> list[Any]:
    """The department's name over a ruled table with number, date, subject and distribution."""
    p = setter.policy
    signed = next((line.partition(": ")[2] for line in setter.furniture if ": " in line), "Chief of Police")

    def field(name: str, value: str) -> list[Any]:
        return [setter.text(name.upper(), 1, 0.72, spaceAfter=1), setter.text(value, 0, 0.95)]

    number = setter.number.split()[-1]
    cells = [
        [field("Order no.", number), field("Effective date", day(p)), field("Pages", str(setter.total))],
        [field("Subject", setter.subject), "", field("Distribution", "All sworn and civilian personnel")],
        [field("Issued by", signed), "", field("Accreditation", "1.2.5, 72.7.1, 74.3.1")],
    ]
    style = [("GRID", (0, 0), (-1, -1), 0.9, "black"), ("SPAN", (0, 1), (1, 1)), ("SPAN", (0, 2), (1, 2))]
    style += [("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)]
    widths = [0.25 * setter.width, 0.37 * setter.width, 0.38 * setter.width]
    return [
        setter.text(p.agency.upper(), 1, 1.6, alignment=1, spaceAfter=12),
        setter.platypus.Table(cells, widths, style=style, spaceAfter=14),
    ]


def _letterhead(setter: Setter) -> list[Any]:
    p, rows = setter.policy, []
    to = next((line.partition(": ")[2] for line in setter.opening_lines if ": " in line), "All personnel")
    for name, value in (
        ("TO:", to),
        ("FROM:", "Office of the Superintendent"),
        ("DATE:", day(p)),
        ("RE:", p.title),
    ):
        rows.append([setter.text(name, 1), setter.text(value)])

    def rule(weight: float) -> Any:
        return setter.platypus.HRFlowable(width="100%", thickness=weight, color="black", spaceBefore=6, spaceAfter=10)

    return [
        setter.text(p.agency, 1, 1.7, alignment=1, spaceAfter=5),
        setter.text("Jail and House of Correction", 2, alignment=1),
        setter.text("500 Old Turnpike Road", alignment=1),
        rule(1.2),
        setter.text("MEMORANDUM", 1, 1.2, alignment=1, spaceAfter=8),
        setter.platypus.Table(rows, [58, setter.width - 58], style=[("VALIGN", (0, 0), (-1, -1), "TOP")]),
        rule(0.6),
    ]


def _draft_title(setter: Setter) -> list[Any]:
    """The head of a draft ordinance, on the grid of its numbered lines."""
    lines = [setter.policy.agency.partition(" (")[0].upper(), "IN CITY COUNCIL"]
    title = [setter.text(line, 1, alignment=1) for line in lines]
    return [*title, setter.text(setter.policy.title, 1, alignment=1), *map(setter.text, setter.opening_lines)]


def _questions(setter: Setter) -> list[Any]:
    title, *lines = setter.opening_lines or [setter.policy.title]
    return [
        setter.text(setter.policy.agency, 0, 1.0, spaceAfter=2),
        setter.text(setter.policy.title, 1, 1.5, leading=1.8 * setter.layout.size, spaceAfter=4),
        *(setter.text(" ".join(line.split()), 2, spaceAfter=6) for line in (title.partition("   ")[2], *lines) if line),
    ]


def _nothing(setter: Setter) -> list[Any]:
    return [setter.text(line, 2, 0.95, spaceAfter=10) for line in setter.opening_lines]


def _typed_title(setter: Setter) -> list[Any]:
    return [
        setter.text(setter.policy.agency.upper(), 1, alignment=1),
        setter.text(setter.policy.title.upper(), 1, alignment=1, spaceAfter=8),
        setter.text(f"DATE ISSUED: {day(setter.policy)}", spaceAfter=10),
    ]


# --- running headers and footers ---------------------------------------------------------------------------------


def _plain_running(page: Page) -> None:
    if page.number > 1:
        page.row(-50, page.policy.agency, right=page.policy.title.partition(": ")[0], font=2)
        page.rule(-56)
    page.row(40, middle=f"Page {page.number} of {page.total}")


def _order_running(page: Page) -> None:
    number, _, subject = page.policy.title.partition(": ")
    page.rule(52)
    page.row(40, f"{number} {subject}", right=f"Page {page.number} of {page.total}", size=8.5)


def _column_running(page: Page) -> None:
    page.row(-46, "Internal: attorney work product", right=page.policy.agency, size=8.5, font=2)
    page.row(38, page.policy.title.partition(": ")[0], right=str(page.number), size=8.5)


def _draft_running(page: Page) -> None:
    """Numbers beside the lines, as drafting offices print them."""
    page.row(40, middle=f"- {page.number} -", size=11)
    leading = page.layout.size * page.layout.leading
    page.canvas.setFont(page.layout.fonts[0], 10)
    top = page.height - (page.layout.top if page.number == 1 else page.layout.margins[1])
    rows = int((top - page.layout.margins[3]) / leading)
    for i in range(rows):
        page.canvas.drawRightString(page.layout.margins[0] - 24, top - i * leading - page.layout.size, str(i + 1))


def _memo_running(page: Page) -> None:
    if page.number > 1:
        page.row(-50, page.policy.title.partition(": ")[0], day(page.policy), f"Page {page.number}", 10)
    else:
        page.row(36, middle="A nationally accredited correctional facility", size=8, font=2)


def _question_running(page: Page) -> None:
    page.row(36, page.policy.title.partition(":")[0], right=str(page.number), size=8)


def _manual_running(page: Page) -> None:
    agency, chapter = page.policy.agency, re.sub(r"^Policy \d+ ", "", page.policy.title)
    page.row(-44, agency, size=9)
    page.row(-55, f"{agency.removesuffix(' Department')} Policy Manual", size=9)
    if page.number > 1:
        page.canvas.setFont(page.layout.fonts[2], 12)
        page.canvas.drawString(page.layout.margins[0], page.height - 80, chapter)
    page.rule(54, 0.4)
    legal = f"Copyright Ridgeline Policy Systems, LLC {page.policy.date.replace('-', '/')}, All Rights Reserved."
    page.row(44, legal, right=f"{chapter} - {page.number}", size=7)
    page.row(35, f"Published with permission by {agency}", size=7)


def _released_running(page: Page) -> None:
    """A policy page as a records officer releases it: stamped with a Bates number and, up the margin, the release."""
    page.row(-44, page.policy.agency, right=page.policy.title, size=9)
    page.rule(-49, 0.4)
    page.row(48, middle=f"{page.number}", size=9)
    page.canvas.setFont("Courier-Bold", 10)
    page.canvas.drawRightString(page.width - 30, 22, f"DPPD-PRR-{page.number + 411:06d}")
    page.canvas.translate(24, 250)
    page.canvas.rotate(90)
    page.canvas.setFont("Helvetica", 8)
    page.canvas.drawString(0, 0, "Produced in response to public records request R-2023-0117")


def _procedure_running(page: Page) -> None:
    number, _, subject = page.policy.title.partition(": ")
    page.row(-44, page.policy.agency, right=number, size=9, font=1)
    page.row(-55, subject, right=f"Effective {day(page.policy)}", size=9)
    page.rule(-60)
    page.row(36, "For official use", right=f"Page {page.number} of {page.total}", size=8)


def _typed_running(page: Page) -> None:
    page.row(40, middle=f"{page.number}", size=11)


LAYOUTS = {
    "single": Layout(_plain_title, _plain_running, justified=True),
    "columns": Layout(
        _wide_title, _column_running, size=9.5, space=4, margins=(54, 66, 54, 60), top=64, columns=2, justified=True
    ),
    "order": Layout(
        _order_table, _order_running, _SANS, 10, 1.25, margins=(64, 60, 64, 70), top=50, heading_sizes=(1.2, 1.05, 1)
    ),
    "lines": Layout(
        _draft_title,
        _draft_running,
        size=12,
        leading=2,
        space=0,
        margins=(108, 72, 72, 64),
        heading_sizes=(1, 1, 1),
        centred=True,
        run_in=True,
    ),
    "memo": Layout(_letterhead, _memo_running, size=11.5, margins=(80, 84, 80, 72), top=54),
    "faq": Layout(
        _questions, _question_running, _SANS, 10, 1.25, 3.5, margins=(66, 52, 66, 48), top=46, heading_sizes=(1.2, 1, 1)
    ),
    "manual": Layout(
        _nothing,
        _manual_running,
        _SANS,
        10,
        1.25,
        6,
        margins=(72, 100, 72, 78),
        top=84,
        heading_sizes=(1.9, 1.2, 1.05),
        small_caps=True,
    ),
    "bates": Layout(_nothing, _released_running, size=11, margins=(72, 72, 72, 78), heading_sizes=(1.5, 1.1, 1)),
    "table": Layout(
        _nothing, _procedure_running, _SANS, 9.5, 1.2, 4, margins=(60, 78, 60, 58), top=78, tabled=slice(2, -2)
    ),
    "landscape": Layout(_nothing, _procedure_running, _SANS, 10, 1.25, margins=(66, 82, 66, 64), top=82, turned=True),
    "typed": Layout(
        _typed_title, _typed_running, _TYPED, 10.5, 1.15, 6, margins=(80, 66, 66, 70), top=56, heading_sizes=(1, 1, 1)
    ),
}
"""layout name → Layout; the layout `scan` is `typed` without its text layer."""
