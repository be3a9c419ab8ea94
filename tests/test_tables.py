"""Tables and forms: a row with its number is one list item, header rows and filled-in fields are no clauses."""

from __future__ import annotations

from pathlib import Path

import docx
import pdf_files as made
from pdf_files import Draw, write_pdf
from reportlab.pdfgen.canvas import Canvas

from classifier.clauses import Clause, split_document
from classifier.pages import read_document

STEPS = (72.0, 130.0, 480.0, 540.0)
Row = tuple[str, ...]


def table(rows: list[Row], xs: tuple[float, ...] = STEPS, top: float = 120, height: float = 24) -> Draw:
    """A ruled table with one line of text in each cell."""

    def draw(canvas: Canvas) -> None:
        made.text(canvas, 72, 80, "7.20 Returning the loaner radios", 12, "Helvetica-Bold")
        made.grid(canvas, xs, [top + i * height for i in range(len(rows) + 1)])
        for i, row in enumerate(rows):
            font = "Helvetica-Bold" if i == 0 else "Helvetica"
            for x, words in zip(xs, row, strict=False):
                made.text(canvas, x + 5, top + i * height + 6, words, 9, font)

    return draw


def clauses(path: Path, *pages: Draw) -> list[Clause]:
    return split_document(read_document(write_pdf(path / "table.pdf", pages)))


def rules(found: list[Clause]) -> list[tuple[int, str, str]]:
    return [(c.depth, c.context, c.text) for c in found if c.kind == "clause"]


HEAD = ("Step", "Action", "Initials")
LEAD = "Before the radio goes back on the shelf the clerk shall:"


def test_a_number_cell_is_the_mark_of_its_row(tmp_path: Path) -> None:
    found = clauses(
        tmp_path,
        table(
            [
                HEAD,
                ("7.20.1", "The clerk counts the radios at noon."),
                ("7.20.2", "A missing radio is reported to the armorer."),
            ]
        ),
    )
    assert rules(found) == [
        (1, "", "7.20.1 The clerk counts the radios at noon."),
        (1, "", "7.20.2 A missing radio is reported to the armorer."),
    ]


def test_a_header_row_is_no_clause_and_no_heading_of_its_rows(tmp_path: Path) -> None:
    found = clauses(tmp_path, table([HEAD, ("1.", "The clerk counts the radios at noon.", "")]))
    assert [c.text for c in found if c.kind == "heading"] == ["7.20 Returning the loaner radios", *HEAD]
    assert [c.heading for c in found if c.kind == "clause"] == ["7.20 Returning the loaner radios"]


def test_a_lead_in_row_governs_the_rows_below_it_over_the_page_break(tmp_path: Path) -> None:
    first = [HEAD, ("7.20.1", LEAD), ("a.", "wipe the handset;"), ("b.", "drain the battery;")]
    second = [HEAD, ("c.", "sign the card."), ("7.20.2", "The card is kept for a year.")]
    assert rules(clauses(tmp_path, table(first), table(second))) == [
        (1, "", f"7.20.1 {LEAD}"),
        (2, LEAD, "a. wipe the handset;"),
        (2, LEAD, "b. drain the battery;"),
        (2, LEAD, "c. sign the card."),
        (1, "", "7.20.2 The card is kept for a year."),
    ]


def test_bare_step_numbers_are_marks_too(tmp_path: Path) -> None:
    rows = [HEAD, ("1", "The clerk counts the radios at noon."), ("Step 2", "The armorer locks the cage.")]
    assert rules(clauses(tmp_path, table(rows))) == [
        (1, "", "1 The clerk counts the radios at noon."),
        (1, "", "Step 2 The armorer locks the cage."),
    ]


def test_a_row_without_a_number_keeps_its_cells_apart(tmp_path: Path) -> None:
    rows = [("Item", "Rule", ""), ("Radios", "The clerk shall count them at noon."), ("Keys", "They stay in the cage.")]
    found = clauses(tmp_path, table(rows))
    assert "The clerk shall count them at noon." in [c.text for c in found if c.kind == "clause"]
    assert "They stay in the cage." in [c.text for c in found if c.kind == "clause"]


def test_a_first_row_of_sentences_is_no_header(tmp_path: Path) -> None:
    rows = [("1.", "The clerk counts the radios at noon."), ("2.", "The armorer locks the cage.")]
    assert rules(clauses(tmp_path, table(rows))) == [
        (1, "", "1. The clerk counts the radios at noon."),
        (1, "", "2. The armorer locks the cage."),
    ]


def test_number_cells_of_a_word_table_are_marks(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_paragraph("The clerk keeps the radios.")
    grid = word.add_table(rows=2, cols=2)
    for row, words in zip(grid.rows, [("1.", "Count them at noon."), ("2.", "Lock the cage.")], strict=True):
        for cell, text in zip(row.cells, words, strict=True):
            cell.text = text
    word.save(str(tmp_path / "table.docx"))
    found = split_document(read_document(tmp_path / "table.docx"))
    assert [c.text for c in found if c.kind == "clause"][1:] == ["1. Count them at noon.", "2. Lock the cage."]


def test_the_form_at_the_head_of_an_order_is_no_clause_and_no_heading(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.grid(canvas, (72, 250, 420, 540), (60, 90, 120))
        fields = [("ORDER NO.", "22-09"), ("EFFECTIVE", "May 4, 2022"), ("PAGES", "6")]
        for x, (label, value) in zip((77, 255, 425), fields, strict=True):
            made.text(canvas, x, 63, label, 7, "Helvetica-Bold")
            made.text(canvas, x, 75, value, 9)
        for x, value in zip((77, 255, 425), ("Loaner radios", "All clerks", "1.4.2, 9.1.1"), strict=True):
            made.text(canvas, x, 98, value, 9)
        made.text(canvas, 72, 150, "1. Counting", 11, "Helvetica-Bold")
        made.text(canvas, 72, 170, "1.1 The clerk shall count the loaner radios at noon on each day.", 10)

    found = clauses(tmp_path, draw)
    assert [(c.heading, c.text) for c in found if c.kind == "clause"] == [
        ("1. Counting", "1.1 The clerk shall count the loaner radios at noon on each day.")
    ]


def test_a_memo_head_is_no_clause(tmp_path: Path) -> None:
    lines = [
        "TO: Clerks; Armorers; Dispatch",
        "FROM: Office of the Quartermaster",
        "DATE: May 4, 2022",
        "RE: Bulletin 22-09: Counting and Storing of the Loaner Radios",
        "",
        "The clerk shall count the loaner radios at noon and sign the card.",
    ]
    found = clauses(tmp_path, made.page_of(lines))
    assert [c.text for c in found if c.kind != "clause"] == lines[:4]
    assert rules(found) == [(0, "", lines[5])]
    assert found[-1].heading == ""


def test_a_paragraph_back_at_the_margin_ends_an_item_without_a_stop(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.block(canvas, ["When a radio is lost the clerk shall:"], 72, 90)
        made.block(canvas, ["(a) Call the armorer", "(b) Note the loss on the card"], 90, 108, 18)
        full = "The clerk shall not, to save time at the end of the watch, send out a second radio before the armorer"
        made.block(canvas, [full, "has answered the call."], 72, 144, 12)

    assert rules(clauses(tmp_path, draw))[-2:] == [
        (1, "When a radio is lost the clerk shall:", "(b) Note the loss on the card"),
        (
            0,
            "",
            "The clerk shall not, to save time at the end of the watch, send out a second radio before the armorer "
            "has answered the call.",
        ),
    ]


def test_a_colon_at_a_line_end_in_the_middle_of_an_item_is_no_lead_in(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        made.block(
            canvas,
            ["4. The bag is opened by the owner, in sight of two clerks; nobody else looks."],
            72,
            90,
        )
        made.block(
            canvas, ["5. No bag is opened if the owner has to wait for it. Owners not at the door by noon:"], 72, 106
        )
        made.block(canvas, ["bag goes back to the clerk."], 86, 118)
        made.block(canvas, ["6. The clerk signs the card."], 72, 134)

    assert rules(clauses(tmp_path, draw))[1:] == [
        (1, "", "5. No bag is opened if the owner has to wait for it."),
        (1, "", "Owners not at the door by noon: bag goes back to the clerk."),
        (1, "", "6. The clerk signs the card."),
    ]


def test_a_paragraph_below_an_item_leads_into_the_list_below_it(tmp_path: Path) -> None:
    lead = "Clerks may skip the count on days such as:"

    def draw(canvas: Canvas) -> None:
        made.block(canvas, [f"D. {made.SENTENCES[0]}", "E. Exceptions to counting"], 108, 90, 20)
        made.block(canvas, [lead, "1. Town meeting day.", "2. Snow days."], 144, 130, 20)

    assert rules(clauses(tmp_path, draw))[2:] == [
        (1, "", lead),
        (2, lead, "1. Town meeting day."),
        (2, lead, "2. Snow days."),
    ]


def test_a_page_number_takes_the_running_title_beside_it_along(tmp_path: Path) -> None:
    """Two pages only: the second one's header has nothing to be compared with."""

    def second(canvas: Canvas) -> None:
        made.block(canvas, ["Order 22-09, Loaner Radios", "Page 2"], 72, 36, 11, 9)
        made.block(canvas, ["8. The armorer shall lock the cage at six."], 72, 80)

    first = [f"{i}. {made.SENTENCES[i - 1]}" for i in range(1, 8)]
    found = clauses(tmp_path, made.page_of(first), second)
    assert [c.text for c in found if c.page == 2] == ["8. The armorer shall lock the cage at six."]
