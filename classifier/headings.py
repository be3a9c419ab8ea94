"""What names the text below it rather than say something: headings, run-in titles, fields of a form's head.

The path of open headings is told from their style and the count of their marks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from classifier.list_marks import BULLETS, LEAD_IN, Mark, read_mark
from classifier.sentences import CLOSED

MODAL = re.compile(r"\b(?:shall|must|may|will|should|cannot|can|would|is|are|was|were|has|have|does|do)\b", re.I)
TERMINAL = re.compile(r"[.?!][\"”’')\]]*$")
# A lead-in without a colon: it breaks off at a word that wants more, or points at "the following".
OPEN_END = re.compile(
    r"\b(?:shall|must|may|will|should|to|if|when|who|that|is|are|not|be|either|by)$|\bfollowing\b[^.]*\.$", re.I
)
QUESTION = re.compile(
    r"(?:Q(?:uestion)?\s*\d*[.:)]|\d{1,2}[.)]\s+(?:What|Who|Why|When|Where|How|Do|Does|Did|Is|Are|Can|Will|May|Should)\b)"
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


def heading_title(text: str) -> str:
    """A heading's words without its closing colon or dash."""
    return " ".join(text.split()).strip(" :–—-")


def heading_style(text: str, bold: bool, size: float, mark: Mark | None) -> tuple[str, bool, bool, int]:
    """What headings of one level share: kind of mark, capitals, bold, size."""
    letters = [c for c in text if c.isalpha()]
    if mark and mark.kind == "section":
        return (text.split()[0].lower().rstrip("."), False, False, 0)
    return (
        mark.kind if mark else "",
        bool(letters) and all(c.isupper() for c in letters),
        bold,
        round(size),
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
