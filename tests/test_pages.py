"""Reading documents: made files for every layout, every format and every way to be broken."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import docx
import pdf_files as made
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pdf_files import at, block, body, page_of, write_pdf
from reportlab.pdfgen.canvas import Canvas

from classifier import drawing
from classifier.errors import UnreadableDocument
from classifier.pages import Document, read_document


def body_text(document: Document) -> list[str]:
    return [line.text for line in document.lines]


def furniture(document: Document) -> list[str]:
    return [line.text for page in document.pages for line in page.lines if line.furniture]


# --- lines -------------------------------------------------------------------------------------------------------


def test_a_line_knows_its_text_place_type_and_gap(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.text(canvas, 72, 100, "Visitor  register", 14, "Helvetica-Bold")
        made.text(canvas, 72, 130, "Each visitor signs.", 10)
        made.text(canvas, 72, 142, "The clerk keeps it.", 10)

    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [draw])).pages
    head, first, second = page.lines
    assert (page.number, page.width, page.height, page.status, page.method) == (1, 612, 792, "read", "pdfplumber")
    assert (head.text, head.bold, head.size, head.gap) == ("Visitor register", True, 14, None)
    assert (first.text, first.bold, first.size) == ("Each visitor signs.", False, 10)
    assert first.gap == pytest.approx(16, abs=2)
    assert second.gap == pytest.approx(2, abs=1)
    assert second.box[0] == pytest.approx(72, abs=1)
    assert second.box[1] == pytest.approx(142, abs=2)
    assert [len(line.words) == len(line.text.split()) for line in page.lines] == [True] * 3
    assert second.words[0][0] == second.box[0]
    assert second.words[-1][1] == pytest.approx(second.box[2])


def test_words_are_parted_by_distance_where_no_space_is_drawn(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        x = 72.0
        for word in ["Keys", "are", "held", "by", "the", "clerk"]:
            made.text(canvas, x, 100, word, 10)
            x += canvas.stringWidth(word, "Helvetica", 10) + 2.5

    assert body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw]))) == ["Keys are held by the clerk"]


def test_a_word_drawn_in_pieces_and_a_raised_mark_stay_on_their_line(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        width = canvas.stringWidth("regis", "Helvetica", 10)
        made.text(canvas, 72 + width, 100, "ter is kept", 10)
        made.text(canvas, 72, 100, "regis", 10)
        end = 72 + width + canvas.stringWidth("ter is kept", "Helvetica", 10)
        made.text(canvas, end + 1, 98, "2", 6)

    (line,) = body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw])))
    assert line.startswith("register is kept")


def test_fake_bold_is_read_once(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for offset in (0, 0.3):
            made.text(canvas, 72 + offset, 100, "ALL BOOKING SHEETS", 12)
        made.text(canvas, 72, 130, "Plain text below", 12)

    head, plain = read_document(write_pdf(tmp_path / "a.pdf", [draw])).lines
    assert (head.text, head.bold) == ("ALL BOOKING SHEETS", True)
    assert (plain.text, plain.bold) == ("Plain text below", False)


def test_text_outside_the_visible_box_is_left_out_and_boxes_start_at_it(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setCropBox((50, 50, 562, 742))
        made.text(canvas, 10, 20, "off")
        made.text(canvas, 150, 150, "Seen by everyone")

    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [draw])).pages
    assert (page.width, page.height) == (512, 692)
    assert [line.text for line in page.lines] == ["Seen by everyone"]
    assert page.lines[0].box[:2] == pytest.approx((100, 100), abs=2)


def glyphs(*texts: str, font: str = "Helvetica") -> list[drawing.Glyph]:
    return [drawing.Glyph(t, 6.0 * i, 0, 6.0 * i + 6, 10, 8, font) for i, t in enumerate(texts)]


@pytest.mark.parametrize(
    ("drawn", "font", "read"),
    [
        (["\uf0b7", " ", "a"], "Helvetica", ["•", "a"]),
        (["\uf0a7", " ", "a"], "ABCDEF+Wingdings-Regular", ["•", "a"]),
        (["§", " "], "Wingdings", ["•"]),
        (["§", " ", "4"], "Helvetica", ["§", "4"]),
        (["o", "ﬃ", "c", "e", "r"], "Helvetica", ["officer"]),
        (["a\x00", "\x07b"], "Helvetica", ["ab"]),
        (["a", "\u00a0", "b"], "Helvetica", ["a", "b"]),
        (["a", "(cid:12)"], "Helvetica", ["a\ufffd"]),
    ],
)
def test_glyphs_are_read_as_people_read_them(drawn: list[str], font: str, read: list[str]) -> None:
    assert [word.text for word in drawing.words_of(glyphs(*drawn, font=font))] == read


def test_soft_hyphens_go_but_hyphens_at_the_line_end_stay(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for i, line in enumerate(
            ["A co\u00adpy of each regis-", "ter is kept by the de\u00ad", "partment for a year."]
        ):
            made.text(canvas, 72, 90 + 14 * i, line, 10, made.use_vera())

    assert body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw]))) == [
        "A copy of each regis-",
        "ter is kept by the de-",
        "partment for a year.",
    ]


WORDS = st.sampled_from(
    [
        "the",
        "officer",
        "records",
        "of",
        "each",
        "sheet",
        "shall",
        "be",
        "kept",
        "and",
        "no",
        "copy",
        "is",
        "made",
        "by",
        "clerk",
    ]
)
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=9).map(" ".join), min_size=1, max_size=20)
MARKS = st.sampled_from(["", "1. ", "(a) ", "• ", "A.     ", "12.4 "])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(MARKS, st.integers(0, 3), LINES), min_size=1, max_size=3), min_size=1, max_size=3))
def test_nothing_of_a_single_column_is_lost_or_doubled(
    tmp_path: Path, content: list[list[tuple[str, int, list[str]]]]
) -> None:
    expected: list[str] = []

    def page(paragraphs: list[tuple[str, int, list[str]]]) -> made.Draw:
        rows = []
        for mark, indent, lines in paragraphs:
            rows += [(72 + 24 * indent, (mark if not i else "") + line) for i, line in enumerate(lines[:12])]
        expected.extend(" ".join(line.split()) for _, line in rows)

        def draw(canvas: Canvas) -> None:
            for i, (x, line) in enumerate(rows):
                made.text(canvas, x, 90 + 15 * i, line, 10)

        return draw

    path = write_pdf(tmp_path / "a.pdf", [page(paragraphs) for paragraphs in content])
    assert body_text(read_document(path)) == expected


# --- columns -----------------------------------------------------------------------------------------------------

NARROW = [
    "The clerk of the records unit",
    "files each booking sheet under",
    "the number of the case and the",
    "date on which it was received.",
    "No sheet may leave the building",
    "without a note in the register.",
    "A copy is made for the court if",
    "the judge has asked for one.",
]


def columns(left: list[str], right: list[str], top: float = 90, shift: float = 0) -> made.Draw:
    def draw(canvas: Canvas) -> None:
        block(canvas, left, 60, top)
        block(canvas, right, 320, top + shift)

    return draw


@pytest.mark.parametrize("shift", [0, 5])
def test_columns_are_read_one_after_the_other(tmp_path: Path, shift: float) -> None:
    left = [f"{line} L{i}" for i, line in enumerate(NARROW)]
    right = [f"{line} R{i}" for i, line in enumerate(NARROW)]
    document = read_document(write_pdf(tmp_path / "a.pdf", [columns(left, right, shift=shift)]))
    assert body_text(document) == left + right
    assert [line.gap is None for line in document.lines] == [True, *[False] * 7] * 2


def test_headings_across_the_columns_keep_their_place(tmp_path: Path) -> None:
    wide = "A heading that runs across the whole page and well over the white gutter in between"
    tail = "The last words of this page once more stand below both of the columns, from side to side"

    def draw(canvas: Canvas) -> None:
        made.text(canvas, 60, 80, wide + " one", 11)
        columns(NARROW, NARROW[::-1], 110)(canvas)
        made.text(canvas, 60, 240, wide + " two", 11)
        columns(NARROW[2:], NARROW[:5], 270)(canvas)
        made.text(canvas, 60, 400, tail, 11)

    lines = body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw])))
    parts = [[wide + " one"], NARROW, NARROW[::-1], [wide + " two"], NARROW[2:], NARROW[:5], [tail]]
    assert lines == [line for part in parts for line in part]


def test_the_last_page_keeps_the_columns_of_the_page_before(tmp_path: Path) -> None:
    left = [f"{line} L{i}" for i, line in enumerate(NARROW)]
    right = [f"{line} R{i}" for i, line in enumerate(NARROW)]
    last = columns(["the fourth copy of this", "form is green."], ["End of it."])
    lines = body_text(read_document(write_pdf(tmp_path / "a.pdf", [columns(left, right), last])))
    assert lines[16:] == ["the fourth copy of this", "form is green.", "End of it."]


def test_three_columns(tmp_path: Path) -> None:
    sides = [[f"{' '.join(line.split()[:4])} {side}{i}" for i, line in enumerate(NARROW)] for side in "abc"]

    def draw(canvas: Canvas) -> None:
        for x, side in zip((50, 230, 410), sides, strict=True):
            block(canvas, side, x)

    assert body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw]))) == [line for side in sides for line in side]


def test_hanging_numbers_and_side_headings_are_no_columns(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for i, sentence in enumerate(made.SENTENCES * 2):
            made.text(canvas, 60, 90 + 28 * i, f"{i + 1}.0" if i % 4 else "Scope", 10)
            made.text(canvas, 200, 90 + 28 * i, sentence[:60], 10)
            made.text(canvas, 200, 102 + 28 * i, "and so on for every shift of the week.", 10)

    lines = body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw])))
    assert lines[0] == "Scope " + made.SENTENCES[0][:60]
    assert lines[2] == "2.0 " + made.SENTENCES[1][:60]


def test_a_table_of_contents_is_read_line_by_line(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for i in range(20):
            made.text(canvas, 72, 90 + 16 * i, f"Chapter {i} Duties of the watch " + "." * (40 if i % 2 else 0), 10)
            made.text(canvas, 540, 90 + 16 * i, str(3 * i + 1), 10, right=True)

    lines = body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw])))
    assert len(lines) == 20
    assert lines[4] == "Chapter 4 Duties of the watch 13"


def test_signature_blocks_are_read_line_by_line(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, body(12))
        rows = [
            ("For the county:", "For the town:"),
            ("A. Example", "B. Sample"),
            ("Sheriff", "Chief of Police"),
            ("Date:", "Date:"),
        ]
        for i, (left, right) in enumerate(rows):
            made.text(canvas, 72, 400 + 20 * i, left, 10)
            made.text(canvas, 330, 400 + 20 * i, right, 10)

    lines = body_text(read_document(write_pdf(tmp_path / "a.pdf", [draw])))
    assert lines[-4:] == [
        "For the county: For the town:",
        "A. Example B. Sample",
        "Sheriff Chief of Police",
        "Date: Date:",
    ]


# --- furniture ---------------------------------------------------------------------------------------------------


def numbered(count: int, *running: str, odd: str = "", even: str = "") -> list[made.Draw]:
    """Pages of different body text with running lines at the head and a page number at the foot."""

    def page(n: int) -> made.Draw:
        marks = [at(72, 30 + 12 * i, line.format(n=n), 9) for i, line in enumerate(running)]
        if odd:
            marks.append(at(72, 30, odd, 9) if n % 2 else at(300, 30, even, 9))
        return page_of(body(30, 40 * n), *marks, at(300, 750, f"Page {n} of {count}", 9))

    return [page(n) for n in range(1, count + 1)]


def test_running_headers_and_page_numbers_are_furniture(tmp_path: Path) -> None:
    drawn = numbered(4, "Example Police Department", "General Order 7 page {n}")
    document = read_document(write_pdf(tmp_path / "a.pdf", drawn))
    assert body_text(document) == [line for n in range(1, 5) for line in body(30, 40 * n)]
    assert len(furniture(document)) == 12
    assert [page.lines[2].gap for page in document.pages] == [None] * 4


def test_headers_may_differ_on_odd_and_even_pages(tmp_path: Path) -> None:
    drawn = numbered(4, odd="Example Police Department", even="Policy Manual")
    document = read_document(write_pdf(tmp_path / "a.pdf", drawn))
    assert furniture(document)[:4:2] == ["Example Police Department", "Policy Manual"]
    assert len(furniture(document)) == 8


@pytest.mark.parametrize("number", ["3", "- 3 -", "Page 3 of 9", "3 of 9", "iv", "Records copy Page 3"])
def test_a_page_number_needs_no_second_page(tmp_path: Path, number: str) -> None:
    document = read_document(write_pdf(tmp_path / "a.pdf", [page_of(body(20), at(300, 750, number, 10))]))
    assert furniture(document) == [number]
    assert body_text(document) == body(20)


def test_stamps_and_copy_notes_are_furniture(tmp_path: Path) -> None:
    drawn = [
        page_of(body(20, 30 * n), at(450, 20, f"EXPD 00012{n}", 9), at(72, 755, "Public records copy", 9))
        for n in range(3)
    ]
    document = read_document(write_pdf(tmp_path / "a.pdf", drawn))
    assert len(furniture(document)) == 6
    assert len(body_text(document)) == 60


def test_body_text_that_repeats_is_no_furniture(tmp_path: Path) -> None:
    pages_alike = [page_of(body(45)) for _ in range(5)]
    assert len(body_text(read_document(write_pdf(tmp_path / "a.pdf", pages_alike)))) == 225
    one_line_alike = [page_of(["Each officer signs here.", *body(30, 40 * n)]) for n in range(2)]
    assert furniture(read_document(write_pdf(tmp_path / "b.pdf", one_line_alike))) == []


def test_numbered_headings_on_successive_pages_are_no_furniture(tmp_path: Path) -> None:
    for i, heading in enumerate(["ARTICLE {}", "10{}.1 Purpose", "{}. Purpose"]):
        drawn = [page_of([heading.format(n), *body(30, 40 * n)]) for n in range(1, 6)]
        assert furniture(read_document(write_pdf(tmp_path / f"{i}.pdf", drawn))) == []


def test_a_big_letterhead_is_body_at_its_first_appearance(tmp_path: Path) -> None:
    drawn = [page_of(body(20, 30 * n), at(72, 40, "EXAMPLE POLICE DEPARTMENT", 18)) for n in range(3)]
    document = read_document(write_pdf(tmp_path / "a.pdf", drawn))
    assert body_text(document).count("EXAMPLE POLICE DEPARTMENT") == 1
    assert len(furniture(document)) == 2
    assert document.title == "EXAMPLE POLICE DEPARTMENT"


def test_line_numbers_of_a_bill_are_taken_off(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for i, line in enumerate(body(25)):
            made.text(canvas, 60, 90 + 24 * i, str(i + 1), 10, right=True)
            made.text(canvas, 90, 90 + 24 * i, line, 10)

    document = read_document(write_pdf(tmp_path / "a.pdf", [draw]))
    assert body_text(document) == body(25)
    assert sorted(furniture(document), key=int) == [str(n) for n in range(1, 26)]


def test_lists_and_tables_of_contents_keep_their_numbers(tmp_path: Path) -> None:
    def listed(canvas: Canvas) -> None:
        for i, line in enumerate(body(15)):
            made.text(canvas, 60, 90 + 42 * i, str(i + 1), 10, right=True)
            for row in range(3):
                made.text(canvas, 90, 90 + 42 * i + 14 * row, line, 10)

    def contents(canvas: Canvas) -> None:
        for i in range(15):
            made.text(canvas, 60, 90 + 14 * i, str(320 + i), 10, right=True)
            made.text(canvas, 90, 90 + 14 * i, f"Duties of the watch . . . . . {17 + i}", 10)

    first, second = read_document(write_pdf(tmp_path / "a.pdf", [listed, contents])).pages
    assert first.lines[0].text.startswith("1 Line 0")
    assert second.lines[3].text == "323 Duties of the watch . . . . . 20"


def test_a_chapter_title_in_the_running_lines_is_furniture(tmp_path: Path) -> None:
    def page(n: int) -> made.Draw:
        head = at(72, 30, f"{n} Policy Manual of the Example Police Department", 9)
        foot = [at(72, 745 + 9 * i, line, 7) for i, line in enumerate([f"About {'abc'[n]}", "All rights reserved"])]
        return page_of(body(30 - 5 * n, 40 * n), head, *foot)

    document = read_document(write_pdf(tmp_path / "a.pdf", [page(n) for n in range(3)]))
    assert body_text(document) == body(30) + body(25, 40) + body(20, 80)


# --- tables ------------------------------------------------------------------------------------------------------


def test_a_ruled_table_is_read_cell_by_cell_in_its_place(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.text(canvas, 72, 90, "Text above the table", 10)
        made.grid(canvas, [72, 220, 400, 540], [120, 170, 220])
        for column, x in enumerate((80, 230, 410)):
            for row, top in enumerate((125, 175)):
                made.text(canvas, x, top, f"cell {row} {column}", 10)
                made.text(canvas, x, top + 14, "second line", 10)
        made.text(canvas, 72, 240, "Text below the table", 10)

    lines = read_document(write_pdf(tmp_path / "a.pdf", [draw])).lines
    cells = [text for row in range(2) for column in range(3) for text in (f"cell {row} {column}", "second line")]
    assert [line.text for line in lines] == ["Text above the table", *cells, "Text below the table"]
    assert [line.cell for line in lines] == [None, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, None]
    assert lines[1].gap is None
    assert lines[-1].gap == pytest.approx(20, abs=2)


def test_a_frame_is_no_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(40, 40, 532, 712)
        canvas.rect(60, 600, 300, 120)
        block(canvas, body(20), 72, 80)

    lines = read_document(write_pdf(tmp_path / "a.pdf", [draw])).lines
    assert [line.text for line in lines] == body(20)
    assert {line.cell for line in lines} == {None}


def test_a_chart_of_many_lines_is_read_without_cells(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.grid(canvas, [50 + 3.2 * i for i in range(160)], [100 + 3.2 * i for i in range(160)])
        block(canvas, body(10), top=640)

    document = read_document(write_pdf(tmp_path / "a.pdf", [draw]))
    assert body_text(document) == body(10)


def test_underlines_and_shading_make_no_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillGray(0.9)
        for i in range(10):
            canvas.rect(70, 792 - 102 - 28 * i, 200, 14, stroke=0, fill=1)
            canvas.line(72, 792 - 116 - 28 * i, 400, 792 - 116 - 28 * i)
        canvas.setFillGray(0)
        block(canvas, body(20))

    assert {line.cell for line in read_document(write_pdf(tmp_path / "a.pdf", [draw])).lines} == {None}


def test_a_heading_between_a_running_header_and_a_repeated_table_head_is_body(tmp_path: Path) -> None:
    def sheet(number: int, heading: str) -> made.Draw:
        def draw(canvas: Canvas) -> None:
            made.text(canvas, 60, 30, "Example County Sheriff, Release Procedure", 9)
            made.text(canvas, 60, 70, heading, 11, "Helvetica-Bold")
            made.grid(canvas, (60, 120, 500), (90, 110, 130, 150))
            made.text(canvas, 64, 94, "Step")
            made.text(canvas, 124, 94, "Action")
            for row in (1, 2):
                made.text(canvas, 64, 94 + 20 * row, f"{number}.{row}")
                made.text(canvas, 124, 94 + 20 * row, body(1, 2 * number + row)[0][:60])
            block(canvas, body(10, 20 * number), 60, 180)

        return draw

    drawn = [sheet(1, "4.01 Same-day releases"), sheet(2, "4.02 Other claims"), sheet(3, "4.03 Property")]
    document = read_document(write_pdf(tmp_path / "a.pdf", drawn))
    assert set(furniture(document)) == {"Example County Sheriff, Release Procedure"}
    assert [t for t in body_text(document) if t.startswith("4.0")] == [
        "4.01 Same-day releases",
        "4.02 Other claims",
        "4.03 Property",
    ]


# --- turned pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_pages_are_read_upright(tmp_path: Path, turn: int) -> None:
    # reportlab swaps the sides of a sheet that it turns by 90 or 270 degrees, so all are 612 x 792 when read.
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(turn)
        canvas.translate(*{90: (792, 0), 180: (612, 792), 270: (0, 612)}[turn])
        canvas.rotate({90: 90, 180: 180, 270: -90}[turn])
        canvas.drawString(72, 400, "The first line of the page")
        canvas.drawString(72, 380, "The second line of the page")

    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [draw])).pages
    assert (page.width, page.height) == (612, 792)
    assert [line.text for line in page.lines] == ["The first line of the page", "The second line of the page"]
    assert page.lines[0].box[0] == pytest.approx(72, abs=1)
    assert page.lines[0].box[1] == pytest.approx(792 - 400 - 9, abs=4)


@pytest.mark.parametrize("angle", [90, -90, 180])
def test_text_drawn_sideways_on_an_upright_page_is_read_upright(tmp_path: Path, angle: int) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.translate(*{90: (612, 0), -90: (0, 792), 180: (612, 792)}[angle])
        canvas.rotate(angle)
        for i, line in enumerate(body(8)):
            canvas.drawString(72, 400 - 20 * i, line)

    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [draw])).pages
    assert (page.width, page.height) == ((612, 792) if angle == 180 else (792, 612))
    assert [line.text for line in page.lines] == body(8)
    assert page.lines[0].box[0] == pytest.approx(72, abs=1)


def test_a_stamp_up_the_margin_is_kept_apart(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, body(20))
        canvas.rotate(90)
        canvas.drawString(300, -30, "Filed with the town clerk")

    document = read_document(write_pdf(tmp_path / "a.pdf", [draw]))
    assert body_text(document) == body(20)
    (stamp,) = [line for line in document.pages[0].lines if line.furniture]
    assert stamp.text == "Filed with the town clerk"
    assert stamp.box[3] == pytest.approx(492, abs=1)


# --- pages that can't be read ------------------------------------------------------------------------------------


def test_scans_and_empty_pages(tmp_path: Path) -> None:
    def stamped(canvas: Canvas) -> None:
        made.scan(canvas)
        made.text(canvas, 400, 20, "Received 3 May")

    def searchable(canvas: Canvas) -> None:
        made.scan(canvas)
        block(canvas, body(20))

    drawn = [made.scan, stamped, searchable, lambda _: None]
    scan, stamp, text, blank = read_document(write_pdf(tmp_path / "a.pdf", drawn)).pages
    assert [page.status for page in (scan, stamp, text, blank)] == ["unread", "unread", "read", "blank"]
    assert scan.reason == stamp.reason == "scanned image without a text layer"
    assert [line.furniture for line in stamp.lines] == [True]
    assert len(text.lines) == 20


def test_a_text_layer_of_wrong_letters_is_unread(tmp_path: Path) -> None:
    shifted = ["".join(chr((ord(c) - 36) % 94 + 33) if c != " " else c for c in line) for line in body(20)]
    (page,) = read_document(write_pdf(tmp_path / "a.pdf", [page_of(shifted)])).pages
    assert (page.status, page.lines) == ("unread", ())
    assert "unreadable" in page.reason


def test_a_text_layer_of_unknown_glyphs_is_unread(tmp_path: Path) -> None:
    (page,) = read_document(made.write_unmapped(tmp_path / "a.pdf")).pages
    assert (page.status, page.lines) == ("unread", ())
    assert page.reason == "text layer is unreadable (unknown glyphs)"


def test_lists_of_names_and_figures_are_plausible(tmp_path: Path) -> None:
    rows = [
        f"{name} {i}-{i * 7} ${i * 31}.50"
        for i, name in enumerate(["Ng", "Kowalczyk", "Smith", "Oyelaran", "Schwartz"] * 6)
    ]
    assert read_document(write_pdf(tmp_path / "a.pdf", [page_of(rows)])).pages[0].status == "read"


def test_a_page_that_fails_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pdf(tmp_path / "a.pdf", [page_of(body(5)), page_of(body(6)), page_of(body(7))])
    read = drawing.read_drawing

    def failing(page: drawing.LTPage, crop: drawing.Box) -> drawing.Drawing:
        if page.pageid == 2:
            raise RecursionError
        return read(page, crop)

    monkeypatch.setattr(drawing, "read_drawing", failing)
    document = read_document(path)
    assert [page.status for page in document.pages] == ["read", "unread", "read"]
    assert "RecursionError" in document.pages[1].reason
    assert len(document.lines) == 12


# --- files that can't be read ------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(UnreadableDocument) as caught:
        read_document(path)
    assert caught.value.next_step
    return caught.value.message


def test_missing_files_folders_and_empty_files(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.pdf")
    assert "folder" in refused(tmp_path)
    (tmp_path / "empty.pdf").touch()
    assert "empty" in refused(tmp_path / "empty.pdf")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bytes:
        raise PermissionError(13, "denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "permission" in refused(tmp_path / "a.pdf")


def test_locked_cut_and_looped_pdfs(tmp_path: Path) -> None:
    locked = write_pdf(tmp_path / "locked.pdf", [page_of(body(5))], encrypt="secret")
    assert "password" in refused(locked)
    whole = write_pdf(tmp_path / "whole.pdf", [page_of(body(5))]).read_bytes()
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(whole[:300])
    assert "damaged" in refused(cut)
    catalog, loop = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[2 0 R]>>"
    looped = made.write_objects(tmp_path / "looped.pdf", catalog, loop)
    assert "no pages" in refused(looped)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"Dear records officer, here is the policy.", "not a PDF"),
        ("a.docx", b"Dear records officer, here is the policy.", "not a DOCX"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office file"),
        ("a.rtf", b"{\\rtf1 text}", "rich text"),
        ("a.png", b"\x89PNG\r\n", "PNG image"),
        ("a.csv", b"a,b\n", ".csv"),
        ("a", b"text", "nameless"),
        ("a.txt", b"\x01\x00\x02\x00binary", "binary"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refused(tmp_path / name)


def test_zip_files_that_are_no_word_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    assert "other than Word" in refused(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "damaged" in refused(tmp_path / "a.docx")


def test_content_decides_before_the_name(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.txt", [page_of(body(5))])
    assert read_document(path).format == "pdf"


def test_pdf_noise_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_pdf(tmp_path / "a.pdf", [page_of(body(5))])
    path.write_bytes(path.read_bytes().replace(b"/MediaBox", b"/MediaBix"))
    with caplog.at_level(logging.WARNING):
        assert len(read_document(path).lines) == 5
    assert caplog.records == []


# --- text, Word, HTML --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_files_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("“Café” policy\r\n\r\n  (a) § 4".encode(encoding))
    document = read_document(path)
    first, second = document.lines
    assert (document.format, first.text, second.text) == ("txt", "“Café” policy", "(a) § 4")
    assert (first.gap, second.gap) == (None, 12)
    assert second.box[0] == first.box[0] + 12
    assert (document.pages[0].width, document.pages[0].height, document.pages[0].method) == (612, 792, "text")


def test_a_stray_nul_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The clerk\0 keeps the \x07register.\n" + "\n".join(body(3)), encoding="utf-8")
    assert read_document(path).lines[0].text == "The clerk keeps the register."


def test_form_feeds_are_page_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n\f\fthree\n\f", encoding="utf-8")
    document = read_document(path)
    assert [(page.number, page.status) for page in document.pages] == [(1, "read"), (2, "blank"), (3, "read")]
    assert [line.page for line in document.lines] == [1, 3]


def test_running_lines_of_text_files(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    sheets = ["Example PD\n\n\n" + "\n".join(body(20 + n, 30 * n)) + f"\n\n\nPage {n}\n" for n in (1, 2, 3)]
    path.write_text("\f".join(sheets), encoding="utf-8")
    assert furniture(read_document(path)) == ["Example PD", "Page 1", "Example PD", "Page 2", "Example PD", "Page 3"]


def list_item(document: docx.document.Document, text: str, number: int, level: int) -> None:
    properties = document.add_paragraph(text)._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = level
    properties.get_or_add_numId().val = number


def add_list(document: docx.document.Document, number: int, *levels: tuple[str, str]) -> None:
    root = document.part.numbering_part.element
    abstract = OxmlElement("w:abstractNum")
    abstract.set(qn("w:abstractNumId"), str(number))
    for i, (style, mark) in enumerate(levels):
        level = OxmlElement("w:lvl")
        level.set(qn("w:ilvl"), str(i))
        for tag, value in (("w:start", "1"), ("w:numFmt", style), ("w:lvlText", mark)):
            child = OxmlElement(tag)
            child.set(qn("w:val"), value)
            level.append(child)
        abstract.append(level)
    root.insert(0, abstract)
    root.add_num(number).numId = number


def test_word_files_in_document_order_with_list_marks(tmp_path: Path) -> None:
    word = docx.Document()
    word.core_properties.title = "Visitor policy"
    word.sections[0].header.paragraphs[0].text = "Example PD"
    word.add_heading("Visitors", 1)
    word.add_paragraph("Each visitor signs.")
    add_list(word, 90, ("decimal", "%1."), ("lowerLetter", "(%2)"), ("lowerRoman", "%1.%3"))
    add_list(word, 91, ("bullet", "\uf0b7"))
    for text, level in (("first", 0), ("under", 1), ("under too", 1), ("second", 0), ("under it", 1), ("deep", 2)):
        list_item(word, text, 90, level)
    list_item(word, "dotted", 91, 0)
    word.add_paragraph("By style", style="List Number")
    table = word.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 0).text, table.cell(1, 1).text = "left", "right"
    word.add_paragraph("After the table").add_run().bold = True
    word.add_page_break()
    word.add_paragraph().add_run("Bold end").bold = True
    word.save(str(tmp_path / "a.docx"))

    document = read_document(tmp_path / "a.docx")
    texts = body_text(document)
    assert (document.format, document.title) == ("docx", "Visitor policy")
    assert texts[:2] == ["Visitors", "Each visitor signs."]
    assert texts[2:9] == ["1. first", "(a) under", "(b) under too", "2. second", "(a) under it", "2.i deep", "• dotted"]
    assert texts[9:] == ["1. By style", "wide", "left", "right", "After the table", "Bold end"]
    assert [line.cell for line in document.lines][10:13] == [1, 2, 3]
    assert [line.bold for line in document.lines if line.text in ("Visitors", "Each visitor signs.", "Bold end")] == [
        True,
        False,
        True,
    ]
    assert document.lines[-1].page == 2


def test_html_gives_its_visible_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        """<!DOCTYPE html><html><head><title>Visitor policy</title><style>p {}</style></head><body>
        <nav><a href="/">Home</a></nav><script>var x;</script><!-- note --><h2>Visitors</h2>
        <p>Each <b>visitor</b>
        signs.<br>Twice.</p><p hidden>no</p><p style="display: none">no</p>
        <ol type="a"><li>first</li><li>second<ul><li>inner</li></ul></li></ol><ol start="4"><li><p>fourth</p></li></ol>
        <table><tr><th>Key</th><td>Holder</td></tr></table><pre>one
two</pre>loose text<footer>Web desk</footer></body></html>""",
        encoding="utf-8",
    )
    document = read_document(path)
    assert (document.format, document.title) == ("html", "Visitor policy")
    assert body_text(document) == [
        *("Visitors", "Each visitor signs.", "Twice.", "a. first", "b. second", "• inner", "4. fourth"),
        *("Key", "Holder", "one", "two", "loose text"),
    ]
    assert furniture(document) == ["Web desk"]
    assert document.lines[0].bold
    assert not document.lines[1].bold
    assert [line.cell for line in document.lines if line.text in ("Key", "Holder")] == [1, 2]


def test_html_in_its_declared_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.htm"
    path.write_bytes('<html><meta charset="iso-8859-1"><p>Café</p></html>'.encode("iso-8859-1"))
    assert body_text(read_document(path)) == ["Café"]
