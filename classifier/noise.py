"""Text → the same text as a poor scan would be read: seeded confusions, dropped and inserted letters, broken words.

For measuring how labels hold up; nothing here touches a document that is scored.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from classifier.clauses import Clause

# What character recognition takes for what; runs before single characters. A pair of different lengths counts two errors.
CONFUSIONS: dict[str, tuple[str, ...]] = {
    "rn": ("m",), "cl": ("d",), "vv": ("w",), "ii": ("u",), "li": ("h",),
    "m": ("rn",), "d": ("cl",), "w": ("vv",), "h": ("b", "li"), "u": ("n", "ii"), "n": ("u", "ri"),
    "l": ("1", "I", "i"), "I": ("l", "1"), "1": ("l", "I"), "i": ("l", "j"), "t": ("f", "l"), "f": ("t",),
    "O": ("0", "Q"), "o": ("0", "c"), "0": ("O", "o"), "S": ("5", "8"), "5": ("S",), "s": ("a", "5"), "B": ("8",),
    "8": ("B",), "E": ("F",), "e": ("c", "o"), "c": ("e", "o"), "a": ("o", "s"), "g": ("q", "9"), "q": ("g",),
    "C": ("G",), "G": ("C", "6"), "D": ("O",), "Z": ("2",), "2": ("Z",), "7": ("?",), ",": (".",), ".": (",",),
}  # fmt: skip
CONFUSED, DROPPED, INSERTED = 0.6, 0.15, 0.1  # shares of the errors inside words; the rest breaks a word in two
STRAY = "iltrn.,'"  # what specks on the paper are read as


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A text with errors in it. errors: characters that were replaced, dropped or put in."""

    text: str
    errors: int


def spoil(text: str, rate: float, seed: str) -> Spoiled:
    """The text with about `rate` errors a character (0 to 1); the same text, rate and seed give the same errors."""
    chance = random.Random(f"{seed}\n{rate}\n{text}")
    written: list[str] = []
    errors = owed = at = 0  # owed: second errors of pairs, to be made up for where an error falls next
    while at < len(text):
        if chance.random() >= rate:
            written.append(text[at])
            at += 1
        elif owed:
            owed -= 1
            written.append(text[at])
            at += 1
        else:
            wrong, used, cost = misread(text, at, chance)
            written.append(wrong)
            at, errors, owed = at + used, errors + cost, owed + cost - 1
    return Spoiled("".join(written), errors)


def misread(text: str, at: int, chance: random.Random) -> tuple[str, int, int]:
    """One error at a place: (what is read there, characters that it stands for, errors that it counts)."""
    here = text[at]
    if here.isspace():
        return "", 1, 1  # two words run together
    draw = chance.random()
    if draw < CONFUSED:
        run = next((r for r in (text[at : at + 2], here) if r in CONFUSIONS), "")
        if run:
            wrong = chance.choice(CONFUSIONS[run])
            return wrong, len(run), max(len(run), len(wrong))
        draw = CONFUSED + chance.random() * (1 - CONFUSED)
    if draw < CONFUSED + DROPPED:
        return "", 1, 1
    inside = text[at + 1 : at + 2].isalnum()
    if draw < CONFUSED + DROPPED + INSERTED or not inside:
        return here + chance.choice(STRAY), 1, 1
    return here + " ", 1, 1


def spoil_clause(clause: Clause, rate: float, seed: str) -> tuple[Clause, int]:
    """(the clause with errors in its text, lead-in and headings, the errors in its text).

    The same lead-in or heading is misread in the same way over all clauses that share it.
    """
    if not rate:
        return clause, 0
    text = spoil(clause.text, rate, seed)
    heading = " > ".join(spoil(h, rate, seed).text for h in clause.heading.split(" > "))
    spoiled = replace(clause, text=text.text, context=spoil(clause.context, rate, seed).text, heading=heading)
    return spoiled, text.errors
