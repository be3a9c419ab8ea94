"""Document → the pages that can matter: those that speak of immigration, and the pages beside them.

A rule on dealing with ICE stands within a page of a word that says so; what is farther off is about something else, however
much its words resemble one. So labels are given on these pages alone, and of a long manual only they need careful reading.
"""

from __future__ import annotations

import re

from classifier.clauses import fold
from classifier.concepts import ORDINARY, fold_words
from classifier.document import Document

REACH = 1  # pages; clauses go on over a page end, and what an order calls "such requests" was named on the page before
# Words that no concept holds when they stand alone, but that the codebook defines its practices by.
_STEMS = re.compile(
    r"\b(?:immigra|deport|non-?citizens?\b|aliens?\b|undocumented|asylum|refugee|foreign national|customs\b|visas?\b|lunn\b)",
    re.I,
)


def speaks_of_immigration(text: str) -> bool:
    """Whether a text names a concept of immigration that the model was trained with, or one of the codebook's own words."""
    if _STEMS.search(text):
        return True
    # without the cache of fold_words: whole pages would push the clauses out of it
    folded = fold_words.__wrapped__(text)
    return any(word.isupper() and word not in ORDINARY for word in folded.words)


def pages_that_matter(document: Document) -> frozenset[int]:
    """Numbers of the pages of a document that can carry a label; some of them may be none of its pages."""
    speaking = [
        page.number
        for page in document.pages
        if not page.aside and speaks_of_immigration(fold("\n".join(line.text for line in page.lines)))
    ]
    return frozenset(n for number in speaking for n in range(number - REACH, number + REACH + 1))
