"""Document → the pages that can matter: those that speak of immigration, and the pages beside them.

A rule on dealing with ICE stands within a page of a word that says so; what is farther off is about something else, however
much its words resemble one. So labels are given on these pages alone, and of a long manual only they need careful reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from classifier.clauses import fold
from classifier.concepts import OPENERS, ORDINARY, SINGLE
from classifier.document import Document

REACH = 1  # pages; clauses go on over a page end, and what an order calls "such requests" was named on the page before
# Words that no concept holds when they stand alone, but that the codebook defines its practices by.
_STEMS = re.compile(
    r"\b(?:immigra|deport|non-?citizens?\b|aliens?\b|undocumented|asylum|refugee|foreign national|customs\b|visas?\b|lunn\b)",
    re.I,
)


# Words that can open a concept of immigration, each with the patterns to try from there. To fold all words of a page would
# take as long as pdfium takes to find them.
_OPENERS = {
    opener: found
    for opener, patterns in OPENERS.items()
    if (found := [pattern for name, pattern in patterns if name not in ORDINARY])
}
_ALWAYS = frozenset(word for word, concept in SINGLE.items() if concept not in ORDINARY)
_PIECE = re.compile("[a-z]+|[0-9]+|§")


def speaks_of_immigration(text: str) -> bool:
    """Whether a text names a concept of immigration that the model was trained with, or one of the codebook's own words."""
    if _STEMS.search(text):
        return True
    lower = text.lower()
    words = set(_PIECE.findall(lower))
    if not words.isdisjoint(_ALWAYS) or len(lower) != len(text):
        return True  # letters that are longer in lower case are no policy's; a look at the page costs little
    return any(
        pattern.match(text, place)
        for word in words & _OPENERS.keys()
        for place in _places(word, lower)
        for pattern in _OPENERS[word]
    )


def _places(word: str, text: str) -> Iterator[int]:
    """Where a word begins in a text, whatever it ends in."""
    place = text.find(word)
    while place >= 0:
        if not text[place - 1 : place].isalpha():
            yield place
        place = text.find(word, place + len(word))


def pages_that_matter(document: Document) -> frozenset[int]:
    """Numbers of the pages of a document that can carry a label; some of them may be none of its pages."""
    speaking = [
        page.number
        for page in document.pages
        if not page.aside and speaks_of_immigration(fold("\n".join(line.text for line in page.lines)))
    ]
    return frozenset(n for number in speaking for n in range(number - REACH, number + REACH + 1))
