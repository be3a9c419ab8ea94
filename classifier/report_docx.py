"""Evidence → the report as a Word file: the same words as the HTML, the same bytes from the same tables.

Word has no room for all practices beside one another: the matrix comes in parts, the core first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import count
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordFile
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import nsdecls
from docx.oxml.parser import parse_xml
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from classifier.codebook import load_codebook
from classifier.evidence import Evidence
from classifier.exports import VERDICT_COLOURS
from classifier.matrix import VERDICTS
from classifier.predictions import codebook_digest
from classifier.report_content import DISCLAIMER, METHOD, TITLE, Answer, Brief, Report, report_content

COLUMNS = 7  # practices in one part of the matrix, beside the departments
_WIDTH = 25.7  # centimetres between the margins of a landscape A4 page


def docx_report(evidence: Evidence) -> bytes:
    """The whole file."""
    report = report_content(evidence)
    made = _Writer()
    made.summary(report)
    made.matrix(report)
    made.pictures(report)
    made.contradictions(report)
    made.departments(report)
    made.method(report)
    return made.content()


class _Writer:
    """A Word file as it is written, from first to last."""

    def __init__(self) -> None:
        self.file: WordFile = Document()
        self.marks = count(1)
        self.file.core_properties.title = TITLE
        self.file.core_properties.author = "collaboration-clauses"
        self.file.core_properties.comments = DISCLAIMER
        page = self.file.sections[0]
        page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, Cm(29.7), Cm(21)
        page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(2)
        self.styles = {name: self.file.styles[name] for name in ("Normal", "List Bullet", "Quote", "Caption")}
        self.styles["Normal"].font.size = Pt(10)
        self.file.add_heading(TITLE, 0)
        self.line(DISCLAIMER).runs[0].bold = True

    def line(self, text: str, style: str = "Normal") -> Paragraph:
        """One paragraph."""
        paragraph = self.file.add_paragraph(style=self.styles[style])
        paragraph.add_run(text)
        return paragraph

    def lines(self, texts: Iterable[str], style: str = "Normal") -> None:
        """Paragraphs."""
        for text in texts:
            self.line(text, style)

    def quote(self, lead_in: str, text: str, source: str) -> None:
        """A clause with where it stands; the lead-in upright, the clause in the style's italics."""
        paragraph = self.file.add_paragraph(style=self.styles["Quote"])
        if lead_in:
            paragraph.add_run(f"{lead_in} ").italic = False
        paragraph.add_run(text)
        self.line(source, "Caption")

    def mark(self, paragraph: Paragraph, name: str) -> None:
        """Let links lead to a paragraph."""
        number = next(self.marks)
        start = f'<w:bookmarkStart {nsdecls("w")} w:id="{number}" w:name="{_bookmark(name)}"/>'
        paragraph._p.append(parse_xml(start))
        paragraph._p.append(parse_xml(f'<w:bookmarkEnd {nsdecls("w")} w:id="{number}"/>'))

    def table(self, rows: Iterable[Sequence[str]], columns: int) -> None:
        """A table of cells, as XML; the first row is repeated on each page. python-docx takes minutes for large ones."""
        borders = "".join(
            f'<w:{side} w:val="single" w:sz="4" w:color="BFBFBF"/>'
            for side in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        width = round(_WIDTH / columns * 567)  # twentieths of a point
        grid = f'<w:gridCol w:w="{width}"/>' * columns
        body = "".join(
            f"<w:tr><w:trPr><w:cantSplit/>{'' if n else '<w:tblHeader/>'}</w:trPr>{''.join(row)}</w:tr>"
            for n, row in enumerate(rows)
        )
        text = (
            f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{borders}</w:tblBorders></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>{body}</w:tbl>"
        )
        self.file.add_paragraph()._p.addprevious(parse_xml(text))

    def summary(self, report: Report) -> None:
        """Counts, the Lunn gap with its sentences, departments by verdict."""
        self.file.add_heading("Summary", 1)
        self.lines(report.counts, "List Bullet")
        self.file.add_heading("Lunn gap: the policy cites Lunn, and notifies, shares or holds all the same", 2)
        before = None
        for gap in report.gaps:
            if (gap.department, gap.cited) != before:
                self.file.add_heading(gap.department, 3)
                self.quote("", gap.cited, f"cites Lunn · page {gap.cited_page}")
                before = gap.department, gap.cited
            self.line(f"{gap.practice}: {gap.words}")
            self.quote("", gap.shown, f"{gap.stance} · page {gap.shown_page}")
        if not report.gaps:
            self.line("No department has it.")
        self.file.add_heading("Departments by verdict", 2)
        head = [_cell("Practice"), *map(_cell, VERDICTS)]
        rows = [[_cell(name), *(_cell(str(n)) for n in counts)] for name, counts in report.verdicts]
        self.table([head, *rows], len(head))

    def matrix(self, report: Report) -> None:
        """Departments × practices, in parts; each cell a link to its evidence."""
        self.file.add_heading("Matrix", 1)
        self.line("Each cell leads to the clauses that it rests on. Departments with the Lunn gap come first.")
        core = sum(p.core for p in report.practices)
        starts = [0, *range(core, len(report.practices), COLUMNS)]
        for start, end in zip(starts, [*starts[1:], len(report.practices)], strict=True):
            own = slice(start, end)
            head = [_cell("Department"), _cell("Lunn gap"), *(_cell(p.name) for p in report.practices[own])]
            rows = [
                [_cell(b.name, b.anchor), _cell("gap" if b.lunn_gap else ""), *map(_answer_cell, b.answers[own])]
                for b in report.briefs
            ]
            self.table([head, *rows], len(head))

    def pictures(self, report: Report) -> None:
        """The charts, where there are any."""
        if report.charts:
            self.file.add_heading("Pictures", 1)
        for chart in report.charts:
            self.file.add_picture(BytesIO(chart.png), height=Cm(14))
            self.line(f"{chart.title}. {chart.description}", "Caption")

    def contradictions(self, report: Report) -> None:
        """Both clauses of each."""
        self.file.add_heading("Contradictions inside one document", 1)
        for one in report.contradictions:
            self.file.add_heading(f"{one.department}: {one.practice}", 3)
            self.line(one.document)
            self.quote("", one.prohibiting, f"prohibits · page {one.prohibiting_page}")
            self.quote("", one.allowing, f"{one.stance} · page {one.allowing_page}")
        if not report.contradictions:
            self.line("None found.")

    def departments(self, report: Report) -> None:
        """A brief for each department."""
        self.file.add_heading("Departments", 1)
        for brief in report.briefs:
            self.brief(brief)

    def brief(self, brief: Brief) -> None:
        """One department: its documents, its answers with the clauses quoted, and where no clause is."""
        self.mark(self.file.add_heading(brief.name + (" (Lunn gap)" if brief.lunn_gap else ""), 2), brief.anchor)
        self.line(f"{brief.about or 'kind and county not given'} · {brief.standing}")
        self.lines(brief.documents, "List Bullet")
        for answer in (a for a in brief.answers if a.quotes):
            head = " · ".join([answer.words, answer.sureness, answer.review])
            self.mark(self.file.add_heading(f"{answer.practice.name}: {head}", 3), answer.anchor)
            for quote in answer.quotes:
                conditions = "".join(f" · condition: {c}" for c in quote.conditions)
                self.quote(quote.lead_in, quote.text, quote.source + conditions)
        for n, answer in enumerate(a for a in brief.answers if not a.quotes):
            if not n:
                self.file.add_heading("No clause on", 3)
            words = " · ".join(w for w in (answer.words, answer.sureness, answer.review) if w)
            self.mark(self.line(f"{answer.practice.name}: {words}", "List Bullet"), answer.anchor)

    def method(self, report: Report) -> None:
        """How it was done, with what, how well that was measured, and what it can't say."""
        self.file.add_heading("Method and limits", 1)
        self.lines(METHOD)
        self.line(f"Model: {', '.join(report.models) or 'none'}. Codebook: {codebook_digest(load_codebook())}.")
        self.file.add_heading("Limits", 2)
        self.lines(report.limits, "List Bullet")
        self.file.add_heading("Measured", 2)
        for on, figures in report.figures:
            self.line(f"{on}: " + ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures))
        if not report.figures:
            self.line("No figures are kept for this model.")

    def content(self) -> bytes:
        """The file, its parts dated alike."""
        written, dated = BytesIO(), BytesIO()
        self.file.save(written)
        with ZipFile(written) as source, ZipFile(dated, "w", ZIP_DEFLATED) as target:
            for name in source.namelist():
                part = ZipInfo(name)  # 1 January 1980
                part.compress_type = ZIP_DEFLATED
                target.writestr(part, source.read(name))
        return dated.getvalue()


def _bookmark(anchor: str) -> str:
    """An id as Word takes it: letters, digits and underscores, at most 40."""
    return anchor.replace("-", "_")[:40]


def _answer_cell(answer: Answer) -> str:
    sure = f" ({answer.sureness} · {answer.review})" if answer.sureness else ""
    return _cell(answer.words + sure, answer.anchor, VERDICT_COLOURS[answer.verdict])


def _cell(text: str, anchor: str = "", colour: str = "") -> str:
    """A cell's XML. anchor: what it links to."""
    shade = f'<w:tcPr><w:shd w:val="clear" w:color="auto" w:fill="{colour}"/></w:tcPr>' if colour else ""
    run = f'<w:r><w:rPr><w:sz w:val="14"/></w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    if anchor:
        run = f'<w:hyperlink w:anchor="{_bookmark(anchor)}">{run}</w:hyperlink>'
    return f"<w:tc>{shade}<w:p>{run}</w:p></w:tc>"
