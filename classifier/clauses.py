"""Document → [Clause]: spaCy components that cut a policy into its smallest norms, facts and citations.

    policy_blocks      headings, list items, paragraphs        doc.spans["blocks"]
    policy_sentences   sentences inside each block              doc.sents
    policy_clauses     coordinated rules; lead-ins and headings doc.spans["clauses"], span._.heading, span._.lead_in

Any spaCy pipeline can have them: `spacy.blank("en").add_pipe("policy_blocks")`, and so on in this order. Without layout
(plain text) the structure is read from line feeds and indents.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, Span

from classifier.citations import find_lunn
from classifier.line_breaks import LineLayout
from classifier.list_marks import read_mark
from classifier.pages import Document, Line, Page
from classifier.scored import Clause as Clause
from classifier.scored import UnitKind, clause_id
from classifier.sentences import CLOSED, coordinated_starts, sentence_starts
from classifier.structure import Block, find_blocks

PageBox = tuple[int, float, float, float, float]

# fmt: off
COMPOUND = frozenset([
    "self", "cross", "well", "long", "half", "full", "part", "post", "law", "non", "anti", "ex", "co", "time",
    "state", "federal", "court", "non-",
])
# fmt: on
for _name in ("heading", "lead_in"):
    if not Span.has_extension(_name):
        Span.set_extension(_name, default="")


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of a document's text, [start, end) in characters. Units are contiguous and in order."""

    kind: UnitKind
    start: int
    end: int
    heading: str = ""
    context: str = ""
    depth: int = 0


def plain_layout(text: str) -> list[LineLayout]:
    """Line layout of a bare text: one line a line feed, indents at 5 points a space, blank lines as gaps."""
    layout, at, blank = [], 0, False
    wrapped = is_hard_wrapped(text)
    for raw in text.split("\n"):
        body = raw.strip()
        if body:
            left = 5.0 * (len(raw) - len(raw.lstrip()))
            layout.append(
                LineLayout(
                    at, at + len(raw), left, left + 5.0 * len(body), 14.0 if blank else 2.0, own_block=not wrapped
                )
            )
        blank = not body
        at += len(raw) + 1
    return layout


def is_hard_wrapped(text: str) -> bool:
    """Do the lines of a bare text break at a column? Then a paragraph is several lines; else a line is a paragraph."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    longest = max(map(len, lines), default=0)
    if not 55 < longest <= 130:
        return False
    full = [line for line in lines if len(line) > 0.8 * longest]
    # a wrapped text breaks off somewhere in the middle of a sentence
    broken = any(len(line) > 0.65 * longest and (line[-1] not in ".:;?!" or CLOSED.search(line)) for line in lines[:-1])
    return broken and len(full) >= 0.3 * len(lines)


@Language.component("policy_blocks")
def policy_blocks(doc: Doc) -> Doc:
    """Set doc.spans["blocks"]: contiguous blocks, labelled heading, item, paragraph, contents or signature."""
    text = doc.text
    lines = doc.user_data.get("policy_lines") or plain_layout(text)
    blocks = find_blocks(text, lines)
    doc.user_data["policy_blocks"] = blocks
    doc.spans["blocks"] = [_span(doc, text, b.start, b.end, b.kind) for b in blocks]
    return doc


@Language.component("policy_sentences")
def policy_sentences(doc: Doc) -> Doc:
    """Set sentence starts: one at the beginning of each block and of each sentence inside it."""
    text = doc.text
    starts: set[int] = set()
    sentences: list[list[int]] = []
    for block in _blocks(doc):
        inside = sentence_starts(text[block.start : block.end]) if block.kind in ("item", "paragraph") else [0]
        sentences.append([block.start + s for s in inside])
        starts.update(sentences[-1])
    doc.user_data["policy_sentences"] = sentences
    # one array for all tokens: setting `token.is_sent_start` looks through the whole document each time
    flags: Any = np.where(np.isin(doc.to_array("IDX"), list(starts)), 1, -1)
    return doc.from_array(["SENT_START"], flags.astype(np.int64).view(np.uint64))


@Language.component("policy_clauses")
def policy_clauses(doc: Doc) -> Doc:
    """Set doc.spans["clauses"]; each span carries its heading path and lead-in."""
    text = doc.text
    units = [
        unit
        for block, sentences in zip(_blocks(doc), _made_by("policy_sentences", doc), strict=True)
        for unit in block_units(text, block, sentences)
    ]
    doc.user_data["policy_units"] = units
    spans = []
    for unit in units:
        if unit.kind == "clause":
            span = _span(doc, text, unit.start, unit.end, "clause")
            span._.heading, span._.lead_in = unit.heading, unit.context
            spans.append(span)
    doc.spans["clauses"] = spans
    return doc


def _blocks(doc: Doc) -> list[Block]:
    blocks: list[Block] = _made_by("policy_blocks", doc)
    return blocks


def _made_by(component: str, doc: Doc) -> Any:
    """What an earlier component left on the document; ValueError if it has not run."""
    if component not in doc.user_data:
        raise ValueError(f"{component} must run before this component; add the three components in order")
    return doc.user_data[component]


def _span(doc: Doc, text: str, start: int, end: int, label: str) -> Span:
    """The span of [start, end) without the white space around it. `text`: doc.text, which is slow to ask for."""
    text = text[start:end]
    left = len(text) - len(text.lstrip())
    span = doc.char_span(start + left, start + len(text.rstrip()), label=label, alignment_mode="expand")
    return span if span is not None else doc[0:0]


def block_units(text: str, block: Block, sentences: list[int]) -> list[Unit]:
    """The units of one block: a heading, or clauses; contiguous over the block."""
    heading = " > ".join(block.headings)
    if block.kind in ("heading", "contents", "signature"):
        # by the codebook a line that names Lunn is a clause, wherever it stands ("References: …; 477 Mass. 517")
        named = find_lunn(text[block.start : block.end])
        return [Unit("clause" if named else block.kind, block.start, block.end, heading, depth=block.depth)]
    context = fold(" ".join(block.lead_ins))
    units: list[Unit] = []
    body = block.body
    if body > block.start:
        units.append(Unit("heading", block.start, body, " > ".join(block.headings[:-1])))
    bounds = [s for s in sentences if s > body]
    for start, end in zip([body, *bounds], [*bounds, block.end], strict=True):
        cuts = [start, *(start + c for c in coordinated_starts(text[start:end])), end]
        for a, b in pairwise(cuts):
            # only the words right below a lead-in are governed by it, not the sentences that follow in the same item
            units.append(Unit("clause", a, b, heading, context if start == body else "", block.depth))
    return join_fragments(text, units)


def join_fragments(text: str, units: list[Unit]) -> list[Unit]:
    """A clause of marks or punctuation alone ("(b)", "•") goes with the clause after it, or before it at the end."""
    joined: list[Unit] = []
    held: Unit | None = None
    for unit in units:
        body = text[unit.start : unit.end].strip()
        found = read_mark(body)
        bare = unit.kind == "clause" and not re.search(r"\w{2}", body[found[1] :] if found else body)
        if held is not None:
            unit = Unit(unit.kind, held.start, unit.end, unit.heading, held.context or unit.context, unit.depth)
            held = None
        if bare:
            held = unit
        else:
            joined.append(unit)
    if held is not None and joined and joined[-1].kind == "clause":
        last = joined.pop()
        held = Unit(last.kind, last.start, held.end, last.heading, last.context, last.depth)
    return [*joined, held] if held is not None else joined


def fold(text: str) -> str:
    """White space folded; a word cut at a line end rejoined ("immigra-↵tion" → "immigration")."""

    def rejoin(match: re.Match[str]) -> str:
        return match[1] + "-" if match[1].lower() in COMPOUND else match[1]

    text = re.sub(r"\b([A-Za-z]+)-\s*\n\s*(?=[a-z])", rejoin, text)
    return re.sub(r"\s+", " ", text).strip()


@cache
def pipeline() -> Language:
    """`spacy.blank("en")` with the three components.

    Its words are what stands between white space: the components look at characters alone, and the rules that part
    English words from their punctuation take minutes over a line of brackets.
    """
    nlp = spacy.blank("en")
    nlp.tokenizer = Tokenizer(nlp.vocab)
    nlp.max_length = 50_000_000  # the limit guards parser memory; these components need none
    for name in ("policy_blocks", "policy_sentences", "policy_clauses"):
        nlp.add_pipe(name)
    return nlp


def units_of_text(text: str, layout: list[LineLayout] | None = None) -> list[Unit]:
    """Contiguous units of a text, in order; joined, they give the text again."""
    nlp = pipeline()
    doc = nlp.make_doc(text)
    if layout is not None:
        doc.user_data["policy_lines"] = layout
    for _, component in nlp.pipeline:
        doc = component(doc)
    units: list[Unit] = doc.user_data["policy_units"]
    return units


def document_text(document: Document) -> tuple[str, list[LineLayout], list[Line]]:
    """The body text of a document, one line a line feed, with each line's layout and the lines themselves."""
    lines = [line for line in document.lines if line.text.strip()]
    text = "\n".join(line.text for line in lines)
    paragraphs = document.format in ("docx", "html") or (document.format == "txt" and not is_hard_wrapped(text))
    layout, at = [], 0
    for line in lines:
        x0, _, x1, _ = line.box
        cell = (line.page, line.cell) if line.cell is not None else None
        layout.append(LineLayout(at, at + len(line.text), x0, x1, line.gap, line.size, line.bold, cell, paragraphs))
        at += len(line.text) + 1
    return text, layout, lines


def split_document(document: Document, name: str = "") -> list[Clause]:
    """Cut a document into units, in reading order: clauses, and the headings and other body text between them.

    name: the document's name in ids; the same name and words give the same ids.
    """
    seen: dict[str, int] = {}
    # ids count how often words occur: first where it matters, so that they are the same whether or not the rest is read
    by_first_page: dict[int, list[Clause]] = {}
    for stretch in sorted(document.stretches, key=lambda pages: pages[0].aside):
        by_first_page[stretch[0].number] = _split_stretch(replace(document, pages=stretch), name, seen)
    return [clause for _, clauses in sorted(by_first_page.items()) for clause in clauses]


def _split_stretch(document: Document, name: str, seen: dict[str, int]) -> list[Clause]:
    """The units of one text. seen: how often each has occurred before, by what its id is made of; counted on here."""
    text, layout, lines = document_text(document)
    if not text.strip():
        return []
    pages = {page.number: page for page in document.pages}
    clauses = []
    at = 0
    for unit in units_of_text(text, layout):
        while at + 1 < len(layout) and layout[at].end <= unit.start:
            at += 1
        folded = fold(text[unit.start : unit.end])
        if not folded:
            continue
        key = f"{name}\n{unit.context}\n{folded}"
        seen[key] = seen.get(key, 0) + 1
        digest = clause_id(name, unit.context, folded, seen[key])
        boxes = tuple(_on_sheet(pages, box) for box in unit_boxes(unit, layout, lines, at, text))
        page = boxes[0][0] if boxes else lines[at].page
        clauses.append(Clause(digest, unit.kind, page, unit.heading, unit.context, folded, boxes, unit.depth))
    return clauses


def _on_sheet(pages: dict[int, Page], box: PageBox) -> PageBox:
    """A box on its page as viewers show it: the text may stand sideways or askew there."""
    number, *upright = box
    x0, top, x1, bottom = pages[number].on_sheet((upright[0], upright[1], upright[2], upright[3]))
    return number, round(x0, 1), round(top, 1), round(x1, 1), round(bottom, 1)


@lru_cache(maxsize=16)  # a line may hold thousands of units
def word_places(line: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where the words of a line begin, and where they end."""
    places = [match.span() for match in re.finditer(r"\S+", line)]
    return tuple(start for start, _ in places), tuple(end for _, end in places)


def unit_boxes(unit: Unit, layout: list[LineLayout], lines: list[Line], first: int, text: str) -> Iterable[PageBox]:
    """One box for each line that the unit covers, cut at its words."""
    for i in range(first, len(lines)):
        if layout[i].start >= unit.end:
            return
        line, offset = lines[i], layout[i].start
        x0, top, x1, bottom = line.box
        starts, ends = word_places(line.text)
        inside = bisect_right(ends, unit.start - offset), bisect_left(starts, unit.end - offset) - 1
        if inside[0] > inside[1] or not text[max(unit.start, offset) : min(unit.end, layout[i].end)].strip():
            continue
        if len(line.words) == len(starts):
            x0, x1 = line.words[inside[0]][0], line.words[inside[1]][1]
        yield (line.page, round(x0, 1), round(top, 1), round(x1, 1), round(bottom, 1))
