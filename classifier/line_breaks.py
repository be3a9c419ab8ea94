"""Lines of a page → the lines at which a heading, list item or paragraph begins, and the header rows of tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from classifier.headings import MODAL, QUESTION, TERMINAL, is_field
from classifier.list_marks import BULLETS, LEAD_IN, is_mark_cell, read_mark
from classifier.sentences import CLOSED, inside_brackets

# Characters. No paragraph comes near; a text without any stop or gap must not become one block, which would take hours.
LONGEST_BLOCK = 10_000
CONTENTS = re.compile(r"(?:(?<!\.)(?<!\.\s)(?:\.\s?){4,}|(?<!…)…[….\s]*)\s*[\divxlc\-]*$")
SIGNATURE = re.compile(
    r"_{4,}|^/s/|^(?:By order of|Authenticated by|Approved by|Issued by|Signed|Digitally signed)\b[^.]*$", re.I
)
# Words after which "(b)" or "4." is a reference that happens to begin a line, and no list mark.
REFERENCE = re.compile(
    r"(?:\b(?:sub)?(?:section|sec|paragraph|par|division|clause|chapter|ch|c|item|article|art|title|part|no|nos|rule|"
    r"form|step|policy|order|page|exhibit|appendix|level|code|u\.s\.c|c\.f\.r|usc|cfr|s|ss)s?\.?|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty-five|sixty|ninety|"
    r"§+|\b\d[\w.\-]*(?:\([\w]+\))*|\([\w]{1,4}\))"
    r"(?:,)?(?:\s+(?:and|or|to|through|under|by))?$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class LineLayout:
    """Where a line stands.

    start, end: offsets into the text. left, right in points; gap above in points (None: unknown).
    """

    start: int
    end: int
    left: float = 0.0
    right: float = 0.0
    gap: float | None = None
    size: float = 0.0
    bold: bool = False
    cell: tuple[int, int] | None = None
    own_block: bool = False


def block_starts(text: str, lines: Sequence[LineLayout]) -> list[int]:
    """Indexes of the lines at which a new block begins."""
    if not lines:
        return []
    gaps = [line.gap for line in lines if line.gap is not None and line.gap > -2]
    usual_gap = median(gaps) if gaps else 0.0
    starts = [0]
    for i in range(1, len(lines)):
        too_long = lines[i].end - lines[starts[-1]].start > LONGEST_BLOCK
        if too_long or begins_block(text, lines, i, usual_gap):
            starts.append(i)
    return starts


def begins_block(text: str, lines: Sequence[LineLayout], i: int, usual_gap: float) -> bool:
    """Does line i begin a new heading, item or paragraph, or go on with the one before?"""
    line, before = lines[i], lines[i - 1]
    here, there = text[line.start : line.end].strip(), text[before.start : before.end].strip()
    if line.cell != before.cell:
        # a row's number cell is the list mark of the cell beside it
        lone = is_mark_cell(there) and (i < 2 or lines[i - 2].cell != before.cell)
        return not (line.cell and before.cell and lone and line.left >= before.left and not is_mark_cell(here))
    if (alone := read_mark(there)) and not there[alone[1] :].strip() and alone[0][0][0] != "section":
        return bool(read_mark(here))  # the mark stands on a line of its own, its text on the next
    if line.own_block:
        broken = here[:1].islower() and re.search(r"[\w-]$", there) and not re.search(r"[;,]\s*(?:and|or)$", there)
        return not (broken and not read_mark(here) and not heading_line(there, before))
    if SIGNATURE.search(here) or CONTENTS.search(here) or CONTENTS.search(there):
        return True
    full = wraps(text, lines, i)
    tight = line.gap is not None and line.gap <= usual_gap + 2.5
    ended = bool(
        (TERMINAL.search(there) and not (full and CLOSED.search(there)))
        or (LEAD_IN.search(there) and not (full and inside_brackets(there)))
        or there.endswith(";")
    )
    if is_field(here) and (is_field(there) or not (full and tight)):
        return True
    if found := read_mark(here):
        options, length = found
        bullet = options[0][0] in BULLETS + "–—-"
        if bullet and options[0][0] not in "–—-o":
            return True
        if REFERENCE.search(there) and not ended and full:
            return False
        rest = here[length:].lstrip()
        reference = rest[:1].islower() and re.match(r"(?:of|and|or|to|through|above|below|shall|may|is|are)\b", rest)
        if outline_follows(text, lines, i, options) and not (reference and not ended):
            return True
        if ended or there.endswith(",") or re.search(r"\b(?:and|or)$", there):
            return not reference or ended
        if line.gap is not None and line.gap > usual_gap + 2.5:
            return True
        return heading_line(there, before)
    if full and not ended and before.bold == line.bold and not heading_line(there, before):
        if tight or (line.gap is None and " " not in here):
            return False  # a wrapped sentence goes on, in capitals or not
    elif full and tight and LEAD_IN.search(there) and here[:1].islower() and not here.endswith(";"):
        return False  # "Gate closed:" at a line end, and what to do then
    if heading_line(there, before) != heading_line(here, line) and (before.bold != line.bold or not here[:1].islower()):
        return not (there[-1:] in ",-" or here[:1].islower())
    if QUESTION.match(here):
        return True
    if line.gap is None:
        return ended and not here[:1].islower()
    if line.gap > usual_gap + max(2.5, 0.25 * (line.size or 10)):
        return ended or not here[:1].islower()
    short = before.right < lines_right(lines, i) - 60
    if not full and here[:1].isupper() and not heading_line(here, line):
        if short and line.left < before.left - 8:
            return True  # back to the margin, behind an item without a stop
        if read_mark(there) and before.right < 0.6 * lines_right(lines, i) and there[-1].isalnum():
            return True  # a title that fills half a line, then its text
    if ended and (short or line.left > before.left + 8):
        return True
    return short and not here[:1].islower() and there[-1:] not in ",-" and before.bold != line.bold


def wraps(text: str, lines: Sequence[LineLayout], i: int) -> bool:
    """Was line i - 1 full: would the first word of line i not have fitted in?"""
    line, before = lines[i], lines[i - 1]
    letters = max(1, len(text[before.start : before.end].strip()))
    word = text[line.start : line.end].split()[:1]
    needed = (len(word[0]) + 1 if word else 1) * (before.right - before.left) / letters
    return before.right + needed > lines_right(lines, i) - 6


def header_lines(text: str, lines: Sequence[LineLayout]) -> set[int]:
    """Indexes of the lines that stand in the header row of a table: its first row, of short cells side by side."""
    found: set[int] = set()
    for i, line in enumerate(lines):
        above = lines[i - 1].cell if i else None
        if line.cell is None or (above is not None and above[0] == line.cell[0]):
            continue
        row = [i]
        while (n := row[-1] + 1) < len(lines) and (cell := lines[n].cell) is not None:
            if cell != lines[n - 1].cell and lines[n].left <= lines[n - 1].left:
                break
            row.append(n)
        below = next((n for n in range(row[-1] + 1, len(lines)) if lines[n].cell is None), len(lines)) - row[-1] - 1
        if below and len({lines[n].cell for n in row}) > 1 and all(_names_column(text, lines[n]) for n in row):
            found.update(row)
    return found


def _names_column(text: str, line: LineLayout) -> bool:
    words = text[line.start : line.end].strip()
    plain = words[:1].isupper() and not re.search(r"[.:;?,]$", words) and not MODAL.search(words)
    return plain and len(words.split()) <= 4 and not is_mark_cell(words) and read_mark(words) is None


def lines_right(lines: Sequence[LineLayout], i: int) -> float:
    """The right margin near line i: the farthest right end among its neighbours."""
    return max(line.right for line in lines[max(0, i - 12) : i + 12])


def heading_line(text: str, line: LineLayout) -> bool:
    """Does a line look like (part of) a heading: short, in bold or in capitals?"""
    letters = [c for c in text if c.isalpha()]
    capitals = len(letters) > 3 and sum(c.isupper() for c in letters) >= 0.9 * len(letters)
    return (capitals or line.bold) and len(text.split()) <= 14


def outline_follows(text: str, lines: Sequence[LineLayout], i: int, options: Sequence[tuple[str, int]]) -> bool:
    """Does the mark at line i begin a list, or follow on a mark that began one of the 60 lines before?"""
    if any(value in (0, 1) for _, value in options):
        return True
    for j in range(i - 1, max(-1, i - 60), -1):
        found = read_mark(text[lines[j].start : lines[j].end].strip())
        if found and any((k, v - 1) in found[0] for k, v in options):
            return True
    return False
