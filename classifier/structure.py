"""Lines of a policy → blocks: headings, list items and paragraphs, each with its depth, heading path and lead-ins.

Structure comes first, sentences second: a list mark, a heading or a gap between lines decides more about where a clause
begins than any full stop does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Literal

from classifier.sentences import CLOSED, inside_brackets, sentence_starts

BlockKind = Literal["heading", "item", "paragraph", "contents", "signature"]

MODAL = re.compile(r"\b(?:shall|must|may|will|should|cannot|can|would|is|are|was|were|has|have|does|do)\b", re.I)
TERMINAL = re.compile(r"[.?!][\"”’')\]]*$")
LEAD_IN = re.compile(r"(?:[:—–]|\s-|--)[\"”]?$")
# A lead-in without a colon: it breaks off at a word that wants more, or points at "the following".
OPEN_END = re.compile(
    r"\b(?:shall|must|may|will|should|to|if|when|who|that|is|are|not|be|either|by)$|\bfollowing\b[^.]*\.$", re.I
)
BULLETS = "•▪●○■◦‣·*➢►✓❖o"
ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
# Words after which "(b)" or "4." is a reference that happens to begin a line, and no list mark.
REFERENCE = re.compile(
    r"(?:\b(?:sub)?(?:section|sec|paragraph|par|division|clause|chapter|ch|c|item|article|art|title|part|no|nos|rule|"
    r"form|step|policy|order|page|exhibit|appendix|level|code|u\.s\.c|c\.f\.r|usc|cfr|s|ss)s?\.?|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty-five|sixty|ninety|"
    r"§+|\b\d[\w.\-]*(?:\([\w]+\))*|\([\w]{1,4}\))"
    r"(?:,)?(?:\s+(?:and|or|to|through|under|by))?$",
    re.I,
)
SECTION = re.compile(
    r"(?:(?:SECTION|Section|SEC\.|Sec\.|ARTICLE|Article|CHAPTER|Chapter|PART|Part|RULE|Rule|APPENDIX|Appendix|"
    r"EXHIBIT|Exhibit)\s+(?:\d[\w.\-]*|[IVXLC]+|[A-Z])\b[.:]?|§+\s*\d[\w.\-]*)(?=\s|$)"
)
MARK = re.compile(
    r"(?P<decimal>\d{1,4}(?:\.\d{1,3})+[A-Z]?[.)]?)(?=\s|$)"
    r"|(?P<paren>\((?:\d{1,3}|[a-zA-Z]|[ivxl]{2,6}|[IVXL]{2,6}|([a-z])\3)\))(?=\s*[^\s).,;]|\s*$)"
    r"|(?P<dotted>(?:\d{1,3}|[ivxl]{2,6}|[IVXL]{2,6}|[a-zA-Z])[.)])"
    r"(?=\s|$|[A-Z“\"][a-z]|(?<=\d[.)])[a-zA-Z]|(?<=[a-z][.)])[a-z]{2}(?!\.))"
    rf"|(?P<bullet>[{re.escape(BULLETS)}]|[–—-])(?=\s|$)"
    # a step number alone on its line, as the first cell of a table's row holds it
    r"|(?P<step>(?:(?:Step|Task|Item|STEP|TASK|ITEM)\s+)?\d{1,3}[.:]?)(?=[ \t]*\n)"
)
MARK_CELL = re.compile(r"(?:(?:Step|Task|Item|STEP|TASK|ITEM)\s+)?\d{1,3}[.:]?")
QUESTION = re.compile(
    r"(?:Q(?:uestion)?\s*\d*[.:)]|\d{1,2}[.)]\s+(?:What|Who|Why|When|Where|How|Do|Does|Did|Is|Are|Can|Will|May|Should)\b)"
)
CONTENTS = re.compile(r"(?:(?:\.\s?){4,}|…[….\s]*)\s*[\divxlc\-]*$")
SIGNATURE = re.compile(
    r"_{4,}|^/s/|^(?:By order of|Authenticated by|Approved by|Issued by|Signed|Digitally signed)\b[^.]*$", re.I
)
# A field of a memo's or an order's head: "FROM: Office of the Clerk", "Effective Date: May 2, 2019".
FIELD = re.compile(
    r"(?P<dated>(?:date )?(?:of )?(?:last |next |original )?(?:effective|issued?|revis(?:ed|ion)|reviewed|amend(?:ed|s)|"
    r"rescind(?:ed|s)|supersedes|replaces|expires|termination|original|approved|adopted)(?: date| by| on)?)\s*:(?=\s|$)|"
    r"(?:to|from|via|cc|date|re|subject|title|topics?|attention|distribution|reference[\w /]*|index(?: as)?|pages?|"
    r"(?:policy|order|general order|directive|procedure|memo|document|section|chapter|series|bulletin) "
    r"(?:number|no\.?|title|code|#)|section|chapter|general order|directive|number|no\.?|accreditation[\w ]*|"
    r"(?:calea|ileap|mpac|ialep)[\w ]*|appendices|attachments?|issuing authority|applies to)\s*:(?=\s+\S)",
    re.I,
)
DATED = re.compile(
    r"(?:rev(?:ised|\.)?|effective|issued|amended|adopted|updated)(?: date)?:? (?:\w+ )?[\d/.,\- ]*\d", re.I
)
# A section of a code by its number alone: "35-8-63.", "9A-5", "3-E."
CODE_NUMBER = re.compile(r"(?:§+\s*)?\d+[A-Z]?(?:[-–.][\dA-Z][\w.]*)+\.?(?:\s+|$)")
# fmt: off
SMALL_WORDS = frozenset([
    "a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "into", "of", "on", "or", "nor", "the", "to",
    "with", "within", "without", "upon", "via", "per", "vs", "v",
])
# fmt: on


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


@dataclass(frozen=True, slots=True)
class Mark:
    """A list mark: its kind ("(a)", "1.", "•", "1.1", …), its ordinal (0 for bullets), its length in characters."""

    kind: str
    value: int
    length: int


@dataclass(slots=True)
class Block:
    """A stretch of text that is one heading, list item or paragraph.

    start, end: offsets into the text; blocks are contiguous. body: where the text begins after a title that runs into
    it ("A. Release. Officers shall …"), else start. depth: 0 outside any list. headings: titles above, outermost first.
    lead_ins: the opening words that govern this item, outermost first; empty for a paragraph.
    """

    kind: BlockKind
    start: int
    end: int
    body: int = 0
    depth: int = 0
    headings: tuple[str, ...] = ()
    lead_ins: tuple[str, ...] = ()
    mark: Mark | None = None


def roman_value(letters: str) -> int:
    """The value of a lower-case roman numeral; 0 if it is none."""
    total = 0
    for i, letter in enumerate(letters):
        value = ROMAN.get(letter, 0)
        if not value:
            return 0
        total += -value if i + 1 < len(letters) and ROMAN.get(letters[i + 1], 0) > value else value
    return total


def readings(token: str, shape: str) -> list[tuple[str, int]]:
    """All ways to read a mark's inside: "i" is the letter 9 or the roman 1. Returns (kind, ordinal) pairs."""
    if token.isdigit():
        return [(shape.replace("x", "1"), int(token))]
    case = "A" if token.isupper() else "a"
    found = []
    lower = token.lower()
    if len(set(lower)) == 1 and len(lower) <= 2 and lower not in ("ii", "xx"):
        found.append((shape.replace("x", case), ord(lower[0]) - 96 + 26 * (len(lower) - 1)))
    if value := roman_value(lower):
        found.append((shape.replace("x", "I" if case == "A" else "i"), value))
    return found


def read_mark(text: str) -> tuple[list[tuple[str, int]], int] | None:
    """The list mark that a text begins with: its possible (kind, ordinal) readings and its length, or None."""
    if section := SECTION.match(text):
        digits = re.search(r"(\d+)[^\d]*$", section[0])
        return [("section", int(digits[1]) if digits else 0)], section.end()
    match = MARK.match(text)
    if not match:
        return None
    if match["decimal"]:
        if margin := re.match(r"[\d.]+\s+(?=\d{1,3}(?:\.\d{1,3})+\.?\s+[A-Z])", text):
            # a standard's number in the margin, beside the item's own mark
            inner = MARK.match(text, margin.end())
            match = inner or match
        parts = match["decimal"].rstrip(".)").split(".")
        last = re.sub(r"\D", "", parts[-1])
        return [("1" + ".1" * (len(parts) - 1), int(last or 0))], match.end()
    if match["bullet"]:
        return [(match["bullet"], 0)], match.end()
    if match["step"]:
        return [("step", int(re.sub(r"\D", "", match["step"])))], match.end()
    raw = match["paren"] or match["dotted"]
    inside = raw.strip("().")
    shape = "(x)" if raw.startswith("(") else "x" + raw[-1]
    found = readings(inside, shape)
    return (found, match.end()) if found else None


@dataclass(slots=True)
class Entry:
    """One open list level: the mark that opened it, where it stands, the words that govern its children, its title."""

    kind: str
    value: int
    left: float
    lead_in: str = ""
    title: str = ""


@dataclass(slots=True)
class Outline:
    """The open list levels while reading down a document."""

    entries: list[Entry] = field(default_factory=list)
    lead_in: str = ""

    def expects(self, options: Sequence[tuple[str, int]]) -> bool:
        """Does one of the readings begin a list, or follow on one that is open?"""
        return any(
            value in (0, 1) or any(e.kind == kind and value == e.value + 1 for e in self.entries)
            for kind, value in options
        )

    def place(self, options: Sequence[tuple[str, int]], left: float) -> Mark:
        """Choose the reading that fits the open levels, close the deeper ones, and open its own."""
        kind, value, depth = self._fit(options, left)
        del self.entries[depth:]
        self.entries.append(Entry(kind, value, left))
        return Mark(kind, value, 0)

    def _fit(self, options: Sequence[tuple[str, int]], left: float) -> tuple[str, int, int]:
        for kind, value in options:
            for depth in range(len(self.entries) - 1, -1, -1):
                entry = self.entries[depth]
                deeper_bullet = value == 0 and left > entry.left + 6 and depth == len(self.entries) - 1
                if entry.kind == kind and (value == entry.value + 1 or value == 0) and not deeper_bullet:
                    return kind, value, depth
        if self.entries and self.entries[-1].lead_in:
            for kind, value in options:
                if value == 1:
                    return kind, value, len(self.entries)
        for kind, value in options:
            if value in (0, 1) and all(e.kind != kind or value == 0 for e in self.entries):
                return kind, value, len(self.entries)
        for kind, value in options:
            for depth in range(len(self.entries) - 1, -1, -1):
                if self.entries[depth].kind == kind:
                    return kind, value, depth
        kind, value = options[-1] if options[-1][1] == 1 else options[0]
        depth = kind.count(".1") if kind.startswith("1.1") else len(self.entries)
        return kind, value, min(depth, len(self.entries))

    def lead_ins(self) -> tuple[str, ...]:
        """Lead-ins above the innermost open level."""
        return tuple(t for t in (self.lead_in, *(e.lead_in for e in self.entries[:-1])) if t)

    def hear(self, last_sentence: str, expects_items: bool) -> None:
        """Take note of the words that a block ends with: they govern the items below if they are a lead-in."""
        lead = last_sentence if LEAD_IN.search(last_sentence) or expects_items else ""
        if self.entries:
            self.entries[-1].lead_in = lead
        else:
            self.lead_in = lead

    def close(self) -> None:
        self.entries.clear()
        self.lead_in = ""


def title_case(text: str) -> bool:
    """Most of its weighty words begin with a capital."""
    weighty = [w for w in re.findall(r"[A-Za-z][\w'’\-]*", text) if w.lower() not in SMALL_WORDS]
    return bool(weighty) and sum(w[0].isupper() for w in weighty) >= 0.75 * len(weighty)


def is_heading(text: str, bold: bool, large: bool, marked: str) -> bool:
    """Does this short block name what follows, rather than say something? `marked`: kind of its list mark, or empty."""
    rest = text
    if found := read_mark(text):
        rest = text[found[1] :].strip(" .:–—-")
    count = len(rest.split())
    if not rest or rest.startswith("["):
        return marked == "section" and not rest
    longest = 22 if marked == "section" and title_case(rest) and rest[-1].isalnum() else 14
    if count > longest or (marked and marked in BULLETS + "–—-"):
        return False
    letters = [c for c in rest if c.isalpha()]
    if marked != "section" and is_reference(rest):
        return False
    capitals = bool(letters) and len(letters) > 2 and sum(c.isupper() for c in letters) >= 0.9 * len(letters)
    ends = bool(re.search(r"[.;,:]$", text.strip()))
    if capitals:
        return not (MODAL.search(rest) and count > 6)
    if (
        marked == "section"
        and text.strip().endswith(".")
        and count <= 8
        and rest[0].isupper()
        and not MODAL.search(rest)
    ):
        return True  # "Sec. 2-17. Civil immigration detainers."
    if re.search(r"[;,]$", text.strip()) or (ends and MODAL.search(rest)):
        return False
    if text.strip().endswith("?"):
        return bool(QUESTION.match(text)) or bold
    if ends:
        return (
            count <= 6
            and title_case(rest)
            and (bold or marked in ("section", "1.1", "1.1.1", "I.", "A."))
            and not LEAD_IN.search(text)
        )
    if bold or large:
        return len(letters) > 1
    if marked in ("(a)", "(i)", "(1)", "(A)", "a.", "i.", "a)", "1)"):
        return False
    if MODAL.search(rest) or not title_case(rest):
        return False
    return count <= (longest if marked == "section" else 10)


def is_reference(text: str) -> bool:
    """Is it numbers rather than words: a date, a citation in brackets, a list of standards?"""
    letters, digits = sum(c.isalpha() for c in text), sum(c.isdigit() for c in text)
    return digits >= max(1, 0.7 * letters) or (digits > 0 and bool(re.fullmatch(r"\(.*\)\.?", text)))


def is_field(text: str) -> bool:
    """Is it a field of a memo's or an order's head? A label and what fills it in, which says nothing."""
    label = FIELD.match(text)
    if DATED.fullmatch(text):
        return True
    if not label or not text[0].isupper() or len(text.split()) > 40:
        return False
    value = text[label.end() :].strip()
    return not (TERMINAL.search(value) and not CLOSED.search(value) and len(value.split()) > 6) and not re.search(
        r"\b(?:shall|must|may|will)\b", value
    )


def is_prose(text: str) -> bool:
    """Does a block say something, in a sentence with a verb?"""
    return len(text.split()) >= 8 and bool(MODAL.search(text) or re.search(r"[a-z]{3}[.?!](?:\s|$)", text))


def is_plain_heading(text: str, marked: str) -> bool:
    """Is a paragraph of its own a heading in sentence case ("11.5 Release times in the public lookup")?

    It says nothing about itself: few words, no verb of a rule, no stop. `marked`: kind of its list mark, or empty.
    """
    found = read_mark(text)
    rest = text[found[1] :].strip() if found else CODE_NUMBER.sub("", text)
    if not rest:
        return not found  # "35-8-63." above the section that it numbers
    if (
        marked.startswith("(")
        or marked in ("a.", "i.", "a)", "i)", "1)", "hang")
        or (found and found[0][0][1] == 0 and marked != "section")
    ):
        return False
    return (
        rest[:1].isupper()
        and len(rest.split()) <= 9
        and rest[-1].isalnum()
        and not ((MODAL.search(rest) and not re.match(r"(?:What|How|Who|Why)\b", rest)) or OPEN_END.search(rest))
    )


def block_starts(text: str, lines: Sequence[LineLayout]) -> list[int]:
    """Indexes of the lines at which a new block begins."""
    if not lines:
        return []
    gaps = [line.gap for line in lines if line.gap is not None and line.gap > -2]
    usual_gap = median(gaps) if gaps else 0.0
    starts = [0]
    for i in range(1, len(lines)):
        if begins_block(text, lines, i, usual_gap):
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


def is_mark_cell(text: str) -> bool:
    """Does a table cell hold a list mark or step number alone?"""
    found = read_mark(text)
    return bool(MARK_CELL.fullmatch(text) or (found and found[1] == len(text)))


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


# "shall (1) read it; (2) log it": a list right after the verb that its items share
SHARED_VERB = re.compile(
    r"\b(?:shall|must|may|will|should)(?:\s+not)?(\s+)(?=\((?:1\)(?=.*\(2\))|a\)(?=.*\(b\))|i\)(?=.*\(ii\))))", re.S
)
INLINE = re.compile(
    r"(?<=[:;,.—–])(\s+(?:and\s+|or\s+)?)"
    r"(?=\((?:\d{1,2}|[a-zA-Z]|[ivx]{2,4})\)\s*\S|(?:\d{1,2}|[a-zA-Z])[.)]\s?[A-Za-z“\"])|(\s+)(?=[•▪●○■◦‣]\s)"
)


def inline_cuts(text: str, outline: Outline) -> list[int]:
    """Offsets in a block's text at which an enumerated part begins ("…: (a) …; (b) …"): marks that count up only."""
    cuts: list[int] = []
    open_marks = [(e.kind, e.value) for e in outline.entries]
    for match in sorted([*INLINE.finditer(text), *SHARED_VERB.finditer(text)], key=lambda m: m.end()):
        found = read_mark(text[match.end() :])
        if not found:
            continue
        options, length = found
        before = text[max(0, match.start() - 80) : match.start()]
        if options[0][1] == 0:
            cuts.append(match.end())
            continue
        ended = before[-1:] in ":;—–" or (
            before[-1:] == "." and len(before) > 3 and not re.search(r"\b[A-Z]\.$", before)
        )
        rest = text[match.end() + length :].lstrip()
        if re.match(r"(?:of|and|or|to|through|above|below)\b", rest):
            continue
        chosen = next(((k, v) for k, v in options if (k, v - 1) in open_marks), None)
        if (before[-1:] == "," or (before[-1:] == "." and chosen is None)) and REFERENCE.search(before[:-1]):
            continue
        if chosen is None and (ended or match.re is SHARED_VERB) and before[-1:] != ".":
            chosen = next(((k, v) for k, v in options if v == 1), None)
        if chosen is None and before[-1:] == ".":
            chosen = next(((k, v) for k, v in options if v == 1 and (k in ("1.", "A.", "a."))), None)
        if chosen:
            open_marks = [m for m in open_marks if m[0] != chosen[0]] + [chosen]
            cuts.append(match.end())
    return cuts


def last_words(text: str) -> str:
    """The last sentence of a block: what could govern the items below it."""
    folded = " ".join(text.split())
    last = folded[sentence_starts(folded)[-1] :]
    cuts = [m.end() for m in re.finditer(r";\s+(?=[A-Z“\"])", last) if not inside_brackets(last[: m.start()])]
    return last[cuts[-1] if cuts else 0 :]


RUN_IN = re.compile(
    r"((?:[A-Z][\w'’/&-]*|of|and|or|for|the|to|in|by|on|with)"
    r"(?:[ ,]+(?:[A-Z][\w'’/&-]*|of|and|or|for|the|to|in|by|on|with|from)){0,6})"
    r"(?:[.:]|\s?[—–])(?:\s*[—–-])?\s+(?=[\"“(]?[A-Z])"
)


def run_in_title(raw: str) -> int:
    """How many characters of a marked block are a title run into its text ("A. Purpose. This order …"); 0 if none."""
    lead = len(raw) - len(raw.lstrip())
    found = read_mark(raw.lstrip())
    if not found or (found[0][0][1] == 0 and found[0][0][0] != "section"):
        return 0
    after = lead + found[1]
    after += len(raw[after:]) - len(raw[after:].lstrip())
    match = RUN_IN.match(raw[after:])
    if not match:
        return 0
    title = match[1]
    weighty = [w for w in title.split() if w[0].isupper()]
    abbreviated = CLOSED.search(title + ".") or re.search(r"\b[A-Z]$", title)
    return 0 if abbreviated or len(weighty) < 0.5 * len(title.split()) else after + match.end()


def breaks_off(sentence: str) -> bool:
    """Does a sentence without a colon want items below it? It points at "the following", or ends without a stop."""
    sentence = re.sub(r"(?<=\.)[*†‡]+$", "", sentence)  # a footnote's sign
    if OPEN_END.search(sentence) and not title_case(sentence):
        return True
    return not re.search(r"[.;:?!,”\"]$", sentence) and len(sentence.split()) >= 5 and bool(MODAL.search(sentence))


def heading_title(text: str) -> str:
    return " ".join(text.split()).strip(" :–—-")


def heading_style(text: str, layout: LineLayout, mark: Mark | None) -> tuple[str, bool, bool, int]:
    """What headings of one level share: kind of mark, capitals, bold, size."""
    letters = [c for c in text if c.isalpha()]
    if mark and mark.kind == "section":
        return (text.split()[0].lower().rstrip("."), False, False, 0)
    return (
        mark.kind if mark else "",
        bool(letters) and all(c.isupper() for c in letters),
        layout.bold,
        round(layout.size),
    )


class HeadingPath:
    """The headings that are open while reading down a document, told apart by their style."""

    def __init__(self, deepest: int = 4) -> None:
        self.stack: list[tuple[tuple[str, bool, bool, int], str, int]] = []
        self.deepest = deepest

    def reading(self, options: Sequence[tuple[str, int]]) -> tuple[str, int]:
        """The reading of a heading's mark that counts on from an open one ("V." after "IV."), or the likeliest."""
        for kind, value in options:
            if any(style[0] == kind and value == last + 1 for style, _, last in self.stack):
                return kind, value
        return options[-1 if options[-1][1] == 1 else 0]

    def open(self, title: str, style: tuple[str, bool, bool, int], value: int = 0) -> None:
        """A heading of a style that is open closes down to it; a new style goes one level deeper."""
        alike = [n for n, (other, _, _) in enumerate(self.stack) if other == style]
        counted = [n for n, (other, _, last) in enumerate(self.stack) if other[0] == style[0] and 1 < value == last + 1]
        if alike or (style[0] and counted):
            del self.stack[(alike[:1] or counted[-1:])[0] :]
        elif style[0].startswith("1.1"):
            dots = style[0].count(".1")
            self.stack = [e for e in self.stack if not e[0][0].startswith("1.1") or e[0][0].count(".1") < dots]
        self.stack = [*self.stack[: self.deepest - 1], (style, title, value)]

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(title for _, title, _ in self.stack)


def find_blocks(text: str, lines: Sequence[LineLayout]) -> list[Block]:
    """Cut a text into blocks. Blocks are contiguous and in order: joined, they give the text again.

    text: lines joined by line feeds. lines: one LineLayout for each, in reading order.
    """
    sizes = [line.size for line in lines if line.size]
    body_size = median(sizes) if sizes else 0.0
    starts = block_starts(text, lines)
    bounds = [0, *(lines[first].start for first in starts[1:]), len(text)]
    header = header_lines(text, lines)
    raw = [text[a:b].strip() for a, b in pairwise(bounds)]
    prose = next((n for n, words in enumerate(raw) if is_prose(words)), 0)
    untitled = untitled_items(raw)
    builder = BlockBuilder(text, body_size)
    for n, first in enumerate(starts):
        last = starts[n + 1] if n + 1 < len(starts) else len(lines)
        builder.form = first in header or (n < prose and fills_in(raw[n], lines[first]))
        builder.untitled = n in untitled
        builder.add(bounds[n], bounds[n + 1], lines[first], last - first)
    return signed(text, builder.blocks)


def fills_in(text: str, layout: LineLayout) -> bool:
    """Above the first sentence: is it part of a form or letterhead that fills the head of a page?"""
    if layout.cell is not None:
        return True
    words = re.findall(r"[A-Za-z]\S*|\d\S*", text)
    label = text.endswith(":") and len(words) <= 5
    low = sum(w[0].islower() for w in words)
    return (
        layout.size > 0 and not read_mark(text) and (label or (low <= 0.35 * len(words) and not LEAD_IN.search(text)))
    )


def untitled_items(raw: Sequence[str]) -> frozenset[int]:
    """Numbers of the blocks that begin like a title run into a text, but are items among items without one."""
    marks = [read_mark(words) for words in raw]
    titled = [bool(mark) and run_in_title(words) > 0 for mark, words in zip(marks, raw, strict=True)]
    out = set()
    for n, found in enumerate(marks):
        if not (titled[n] and found and re.fullmatch(r"\(?[1ai]\)|[1ai][.)]", found[0][0][0])):
            continue
        near = [m for m in range(max(0, n - 12), min(len(raw), n + 12)) if _beside(found, marks[m])]
        if near and not any(titled[m] for m in near):
            out.add(n)
    return frozenset(out)


def _beside(found: tuple[list[tuple[str, int]], int], other: tuple[list[tuple[str, int]], int] | None) -> bool:
    """Do two marks stand next to one another in a list?"""
    return other is not None and any(k == kind and abs(v - value) == 1 for k, v in found[0] for kind, value in other[0])


RANK = re.compile(
    r"(?:(?:acting|interim|deputy|assistant|chief|sheriff|colonel|captain|lieutenant|commissioner|director|mayor|"
    r"superintendent|secretary|administrator|executive|of|the|police|corrections?|public|safety|department|county)"
    r"[\s,]*){1,6}",
    re.I,
)


def signed(text: str, blocks: list[Block]) -> list[Block]:
    """The blocks, with a name and rank at the end of the document as its signature."""
    for n in range(max(1, len(blocks) - 4), len(blocks)):
        name, rank = (" ".join(text[b.start : b.end].split()) for b in blocks[n - 1 : n + 1])
        if RANK.fullmatch(rank) and re.fullmatch(r"(?:[A-Z][\w.'’-]*,?\s*){2,5}", name):
            for m in (n - 1, n):
                blocks[m] = replace(blocks[m], kind="signature", body=blocks[m].start)
    return blocks


class BlockBuilder:
    """Reads raw blocks in order and keeps the open headings and list levels."""

    def __init__(self, text: str, body_size: float) -> None:
        self.text, self.body_size = text, body_size
        self.form = False  # the block at hand belongs to a form's or a table's head
        self.untitled = False  # it is an item whose first words are no title
        self.blocks: list[Block] = []
        self.outline = Outline()
        self.headings = HeadingPath()
        self.interrupted: Outline | None = None
        self.parent_left = 0.0

    def add(self, start: int, end: int, layout: LineLayout, line_count: int) -> None:
        raw = self.text[start:end]
        stripped = raw.strip()
        found = read_mark(stripped)
        kind = found[0][0][0] if found else ""
        if CONTENTS.search(stripped):
            self._append("contents", start, end)
        elif SIGNATURE.search(stripped) and len(stripped.split()) <= 25:
            self._append("signature", start, end)
        elif (self.form and layout.cell) or is_field(stripped):
            self._append("heading", start, end)  # no heading of what follows
        elif self._heading(stripped, layout, kind, line_count):
            self._add_heading(start, end, stripped, layout, found)
        elif self.form:
            self._append("heading", start, end)
        else:
            self._add_text(start, end, layout)

    def _heading(self, stripped: str, layout: LineLayout, kind: str, line_count: int) -> bool:
        large = bool(self.body_size) and layout.size > 1.15 * self.body_size
        numbered = kind.startswith("1.1") and any(e[0][0] == kind for e in self.headings.stack)
        plain = (layout.own_block or numbered) and line_count == 1 and is_plain_heading(stripped, kind)
        if line_count > 3 or not (plain or is_heading(stripped, layout.bold, large, kind)):
            return False
        # below a lead-in, a short capitalised line is an item ("• Booking photographs"), unless its looks say heading
        awaiting = bool(self.outline.lead_in) or any(e.lead_in for e in self.outline.entries)
        return (
            not awaiting
            or layout.bold
            or large
            or stripped.upper() == stripped
            or kind in ("section", "I.")
            or kind.startswith("1.1")
        )

    def _append(self, kind: BlockKind, start: int, end: int) -> None:
        self.blocks.append(Block(kind, start, end, start, headings=self.headings.titles))

    def _add_heading(
        self, start: int, end: int, stripped: str, layout: LineLayout, found: tuple[list[tuple[str, int]], int] | None
    ) -> None:
        mark = Mark(*self.headings.reading(found[0]), found[1]) if found else None
        above = self.headings.titles
        self.headings.open(heading_title(stripped), heading_style(stripped, layout, mark), mark.value if mark else 0)
        self.outline.close()
        self.interrupted = None
        self.blocks.append(Block("heading", start, end, start, headings=above, mark=mark))

    def _add_text(self, start: int, end: int, layout: LineLayout) -> None:
        """A paragraph or item, cut further at the enumeration inside it."""
        raw = self.text[start:end]
        first = len(raw) - len(raw.lstrip())
        found = read_mark(raw.lstrip())
        if found:
            self._resume_list(found[0])
        elif not self._hanging(raw.strip(), layout):
            self._interrupt_list(layout)
        probe = replace_entries(self.outline, found, layout.left)
        cuts = [0, *(first + c for c in inline_cuts(raw[first:], probe)), len(raw)]
        for a, b in pairwise(cuts):
            self._add_part(start + a, start + b, layout, inline=a > 0)

    def _interrupt_list(self, layout: LineLayout) -> None:
        """A paragraph at the margin ends the list below its lead-in, unless the list's next mark follows."""
        if not self.outline.entries or layout.left <= self.outline.entries[-1].left + 4:
            if self.outline.entries:
                self.interrupted = self.outline
            self.outline = Outline()

    def _resume_list(self, options: Sequence[tuple[str, int]]) -> None:
        """The next mark of a list that a paragraph interrupted: its levels and lead-ins hold again."""
        waiting, self.interrupted = self.interrupted, None
        if (
            waiting is not None
            and not self.outline.entries
            and any(
                value > 1 and e.kind == kind and value == e.value + 1
                for kind, value in options
                for e in waiting.entries
            )
        ):
            self.outline = waiting

    def _hanging(self, text: str, layout: LineLayout) -> bool:
        """An item without a mark: below a lead-in and indented, begun in lower case, or ended by a semicolon."""
        top = self.outline.entries[-1] if self.outline.entries else None
        if top and top.kind == "hang":
            sibling = abs(layout.left - top.left) <= 3
            if sibling and (
                layout.left > 0
                or text[:1].islower()
                or re.search(r"(?:;|,)(?:\s*(?:and|or))?$", text)
                or self._runs_on()
            ):
                return True
        lead = top.lead_in if top else self.outline.lead_in
        if not lead or not self.blocks:
            return False
        parent_left = top.left if top else self.parent_left
        return layout.left > parent_left + 8 or text[:1].islower() or bool(re.search(r";(?:\s*(?:and|or))?$", text))

    def _runs_on(self) -> bool:
        last = self.blocks[-1]
        return bool(re.search(r"(?:;|,)(?:\s*(?:and|or))?$", self.text[last.start : last.end].strip()))

    def _add_part(self, start: int, end: int, layout: LineLayout, inline: bool) -> None:
        raw = self.text[start:end]
        body = raw.strip()
        found = read_mark(body)
        left = layout.left + (6.5 if inline else 0.0)
        mark: Mark | None = None
        if found:
            mark = replace(self.outline.place(found[0], left), length=found[1])
        elif self._hanging(body, layout):
            top = self.outline.entries[-1] if self.outline.entries else None
            if top and top.kind == "hang" and abs(top.left - left) <= 3:
                top.value += 1
                top.lead_in = ""
            else:
                self.outline.entries.append(Entry("hang", 1, left))
            mark = Mark("hang", self.outline.entries[-1].value, 0)
        title = run_in_title(raw) if found and (inline or not self.untitled) else 0
        if title:
            self.outline.entries[-1].title = heading_title(raw[:title]).rstrip(".")
        kind: BlockKind = "item" if mark else "paragraph"
        lead_ins = self.outline.lead_ins() if mark else ()
        titles = (*self.headings.titles, *(e.title for e in self.outline.entries if e.title))
        self.blocks.append(Block(kind, start, end, start + title, len(self.outline.entries), titles, lead_ins, mark))
        if not mark:
            self.parent_left = layout.left
        words = last_words(raw[title:] if title else body[mark.length :] if mark else body)
        opens = breaks_off(words)
        if mark or not self.outline.entries or LEAD_IN.search(words) or opens:
            self.outline.hear(words, opens)


def replace_entries(outline: Outline, found: tuple[list[tuple[str, int]], int] | None, left: float) -> Outline:
    """A copy of the outline as it will stand once the block's own mark is placed; the original stays as it is."""
    copy = Outline([replace(e) for e in outline.entries], outline.lead_in)
    if found:
        copy.place(found[0], left)
    return copy
