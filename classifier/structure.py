"""Lines of a policy → blocks: headings, list items and paragraphs, each with its depth, heading path and lead-ins.

Structure comes first, sentences second: a list mark, a heading or a gap between lines decides more about where a clause
begins than any full stop does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Literal

from classifier.headings import (
    MODAL,
    OPEN_END,
    HeadingPath,
    heading_style,
    heading_title,
    is_field,
    is_heading,
    is_plain_heading,
    is_prose,
    run_in_title,
    title_case,
)
from classifier.line_breaks import CONTENTS, REFERENCE, SIGNATURE, LineLayout, block_starts, header_lines
from classifier.list_marks import LEAD_IN, Entry, Mark, Outline, read_mark
from classifier.sentences import inside_brackets, sentence_starts

LONGEST_HEADING = 600  # characters
BlockKind = Literal["heading", "item", "paragraph", "contents", "signature"]


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


def breaks_off(sentence: str) -> bool:
    """Does a sentence without a colon want items below it? It points at "the following", or ends without a stop."""
    sentence = re.sub(r"(?<=\.)[*†‡]+$", "", sentence)  # a footnote's sign
    if OPEN_END.search(sentence) and not title_case(sentence):
        return True
    return not re.search(r"[.;:?!,”\"]$", sentence) and len(sentence.split()) >= 5 and bool(MODAL.search(sentence))


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
        if len(stripped) > LONGEST_HEADING:
            return False
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
        self.headings.open(
            heading_title(stripped), heading_style(stripped, layout.bold, layout.size, mark), mark.value if mark else 0
        )
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
