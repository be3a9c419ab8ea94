"""Two texts → how near they are, and where they differ, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import Indel, Levenshtein

from classifier.labelled import words

# Two clauses that share this much are related. Measured on the training documents, whose authors wrote independently:
# the nearest clause of another policy shares 0.22 (median), 0.36 (99 %), 0.45 (99.9 %), 0.55 (99.99 %).
RELATED = 0.5
# The same text but for local edits. Nothing written independently comes near, save formulas of statutes ("takes effect on").
NEAR_COPY = 0.75
_TOKEN = re.compile(r"\w+(?:['’.-]\w+)*\s*|[^\w\s]\s*|\s+")
Kind = Literal["same", "changed", "removed", "added"]
_FIRST_SIGN = 0x10000  # beyond the surrogates, which no string should hold


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words in the old and in the new text. The pieces of a difference rejoin to both, sign for sign.

    kind: "same" (white space apart), "changed", or "removed" and "added", where the other side is empty.
    """

    kind: Kind
    old: str
    new: str


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Where two texts differ, in words and marks of punctuation; no two pieces that differ stand side by side."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    steps = Levenshtein.opcodes([t.strip() for t in before], [t.strip() for t in after])
    pieces = []
    for equal, run in groupby(steps, key=lambda step: step.tag == "equal"):
        steps_of = list(run)
        gone = "".join(before[steps_of[0].src_start : steps_of[-1].src_end])
        came = "".join(after[steps_of[0].dest_start : steps_of[-1].dest_end])
        kind: Kind = "same" if equal else "changed" if gone and came else "removed" if gone else "added"
        pieces.append(Piece(kind, gone, came))
    return tuple(pieces)


def marked(pieces: Iterable[Piece]) -> str:
    """A difference as plain text: what is gone in [-…-], what is new in {+…+}."""
    return "".join(map(_marked, pieces)).strip()


def _marked(piece: Piece) -> str:
    longer = max(piece.old, piece.new, key=len)
    if piece.kind == "same":
        return longer  # the two differ in white space at most, and a space parts it from a mark
    gone, came = piece.old.strip(), piece.new.strip()
    marks = [f"[-{gone}-]"] * bool(gone) + [f"{{+{came}+}}"] * bool(came)
    spaced = (piece.new or piece.old)[-1:].isspace()
    return " ".join(marks) + " " * spaced


def full_words(clauses: pd.DataFrame) -> list[str]:
    """The words of clauses with the lead-in that governs each. clauses: rows of Evidence.clauses."""
    return [f"{context} {text}".strip() for context, text in zip(clauses["context"], clauses["text"], strict=True)]


class Folded:
    """Texts with one sign for each word, so that programs that compare signs compare words. Case and punctuation are left out."""

    def __init__(self) -> None:
        self._signs: dict[str, str] = {}

    def fold(self, text: str) -> str:
        """The text in signs; the same word has the same sign in all texts of this object."""
        signs = self._signs
        return "".join(signs.setdefault(word, chr(_FIRST_SIGN + len(signs))) for word in words(text))


def shares(ones: Sequence[str], others: Sequence[str]) -> npt.NDArray[np.float32]:
    """What each text shares with each other one, (len(ones), len(others)): common words in order, of all words, 0 to 1.

    Below RELATED it is 0. Texts as `Folded.fold` gives them.
    """
    return process.cdist(ones, others, scorer=Indel.normalized_similarity, score_cutoff=RELATED, dtype=np.float32)
