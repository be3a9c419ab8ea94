"""A clause with its surroundings → named features, each traceable to the words that made it.

Fields are kept apart by a prefix, for the same word means another thing in a heading than in a rule:

    (none)  the rule as read, lead-in and clause: words and pairs of words
    e=      content words by their stems, alone and by neighbours      cv=  concepts with the clause's content words
    h=      headings      b=  the clause before      z=  turns of phrase

and for the stance: t= runs of the clause, l= shape of the lead-in, m= x= mood and limits, p= the practice, alone and with
mood and words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from classifier.concepts import ORDINARY, fold_words

# Turns of phrase that several words make together; seen beside the words, which keep their own features. Each is looked for
# only where one of its stems stands: the patterns are slow.
PHRASES: dict[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    name: (tuple(stems.split()), re.compile(pattern, re.I))
    for name, stems, pattern in (
        (
            "handover",
            "custody over hand-o transfer",
            r"\b(?:transfer|relinquish|surrender|deliver|turn|hand|releas)\w*\s+(?:\S+\s+){0,6}?(?:over\s+to|custody)\b"
            r"|\bhand-?(?:over|off)|\b(?:tak|assum)\w+\s+(?:\S+\s+){0,2}?custody\b|\btransfer\s+requests?\b",
        ),
        (
            "release",
            "releas discharg notification",
            r"\b(?:release|discharge)\s+(?:dates?|times?|information)\b|\b(?:dates?|times?|hours?)\s+(?:\S+\s+){0,3}?of\s+(?:\S+\s+){0,3}?(?:release|discharge)\b"
            r"|\bnotification\s+requests?\b|\bbe\s+(?:released|discharged)\b|\b(?:anticipated|pending|impending|expected|scheduled|projected)\s+(?:release|discharge)\b",
        ),
        (
            "logs",
            "log list roster sheet register feed report management",
            r"\b(?:daily|booking|intake|arrest|jail|custody|inmate|commitment|prisoner|admission)s?\s+(?:\S+\s+)?(?:logs?|lists?|rosters?|sheets?|registers?|feeds?|reports?)\b"
            r"|\brosters?\b|\bmanagement\s+(?:\S+\s+){0,2}?systems?\b",
        ),
        (
            "beyond",
            "beyond past after longer 48 forty-eight",
            r"\b(?:beyond|past|after|longer\s+than)\s+(?:\S+\s+){0,6}?(?:releas\w+|time|bail|discharge\w*|48|hours)\b|\b(?:48|forty-eight)\s*(?:\(48\)\s*)?hours\b",
        ),
    )
}

NEGATION = frozenset(
    "not no nor neither never none nobody nothing cannot without refuse refuses decline declines declined refrain forbidden prohibited barred unlawful".split()
)
MODALS = frozenset("shall must may will should can cannot need might would could".split())
EXCEPTION = frozenset(
    "unless except only if when where provided until absent solely otherwise notwithstanding however but".split()
)
FUNCTION = (
    NEGATION
    | MODALS
    | EXCEPTION
    | frozenset(
        "a an the to of is are be been was were has have had do does did by for in on at with from that this these those any all "
        "such it its as or and upon before after within under prior authorized authorised permitted allowed required directed "
        "responsible practice policy preclude precludes prevent prevents prohibit prohibits restrict restricts limit limits "
        "construed authority authorizes requires means includes defined term refers provides discretion encouraged expected "
        "because basis based alone mere we our you us they he she who which section article part".split()
    )
)
STOP = frozenset(
    "the a an of to and or in on for by with at as that this it is be its his her their any such from".split()
)


# Where immigration is spoken of, nearest to the clause first: in it, its lead-in, its headings, a clause or two away,
# elsewhere in a document that is about it, or nowhere near.
SIGNALS = ("own", "lead-in", "heading", "near", "document", "none")
ABOUT = 4.0  # immigration concepts in a thousand words from which a document is about it
LEAD = 40  # words of a lead-in that are read with the clause: its end, which governs


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A clause as the model sees it. before: text of the clause before it. signal: index into SIGNALS."""

    text: str
    context: str = ""
    heading: str = ""
    before: str = ""
    signal: int = 0


class Readable(Protocol):
    """What a clause must have to be seen: predicted clauses and labelled ones do."""

    @property
    def text(self) -> str: ...
    @property
    def context(self) -> str: ...
    @property
    def heading(self) -> str: ...


def surroundings(clauses: Sequence[Readable], words_elsewhere: int = 0) -> list[Surroundings]:
    """All clauses (and headings) of one document, in order, as the model sees them.

    words_elsewhere: how many words the document has beside them, none of which is about immigration.
    """
    spoken = [immigration_words(c.text) for c in clauses]
    words = words_elsewhere + sum(len(fold_words(c.text).words) for c in clauses)
    about = 1000 * sum(spoken) / max(200, words) >= ABOUT
    found = []
    for i, clause in enumerate(clauses):
        places = (
            spoken[i],
            clause.context and immigration_words(clause.context),
            clause.heading and immigration_words(clause.heading),
            any(spoken[max(0, i - 3) : i + 2]),
            about,
        )
        signal = next((n for n, place in enumerate(places) if place), len(places))
        before = clauses[i - 1].text if i else ""
        found.append(Surroundings(clause.text, clause.context, clause.heading, before, signal))
    return found


@lru_cache(maxsize=4096)
def immigration_words(text: str) -> int:
    """How many words of a text name something of immigration enforcement."""
    return sum(word.isupper() and word not in ORDINARY for word in fold_words(text).words)


def runs(words: Sequence[str], longest: int) -> Iterator[str]:
    """All runs of one to `longest` words."""
    for size in range(1, longest + 1):
        for i in range(len(words) - size + 1):
            yield " ".join(words[i : i + size])


def practice_features(clause: Surroundings) -> list[str]:
    """Features that tell which practice a clause is about."""
    own = fold_words(clause.text).words
    lead = fold_words(clause.context).words[-LEAD:] if clause.context else ()
    rule = lead + own
    features = [*rule, *[f"{a} {b}" for a, b in pairwise(rule)]]
    content = [w for w in rule if w not in STOP]
    stems = [w[:5] for w in content]
    features += [f"e={s}" for s, w in zip(stems, content, strict=True) if len(w) > 5]
    features += [f"e={a}~{b}" for a, b in pairwise(stems)]
    concepts = sorted({w for w in rule if w.isupper()})
    for phrase in phrases(clause.text):
        features += [f"z={phrase}", *(f"z={phrase}&{c}" for c in concepts)]
    things = sorted({w for w in own if w not in STOP and not w.isupper()})
    features += [f"cv={c}&{w}" for c in concepts if c != "NUM" for w in things]
    features += field_features("h", clause.heading)
    features += field_features("b", clause.before)
    return features


@lru_cache(maxsize=2048)  # many clauses under one heading
def field_features(field: str, text: str) -> tuple[str, ...]:
    """The different content words of a heading (h) or of the clause before (b)."""
    return tuple(f"{field}={w}" for w in dict.fromkeys(fold_words(text).words) if w not in STOP)


def phrases(text: str) -> list[str]:
    """Names of the phrases in a text."""
    lower = text.lower()
    return [
        name for name, (stems, pattern) in PHRASES.items() if any(s in lower for s in stems) and pattern.search(text)
    ]


def stance_features(clause: Surroundings, practice: str) -> list[str]:
    """Features that tell a clause's stance on one of its practices: modals, negation, limits; words with the practice."""
    own = fold_words(clause.text).words
    lead = fold_words(clause.context).words if clause.context else ()
    features = [f"t={f}" for f in runs(own, 3)]
    if lead:
        features += [f"l={f}" for f in runs(masked(lead), 3)]
    else:
        features.append("l=none")
    mood = mood_features(own, lead)
    features += mood
    features += field_features("h", clause.heading)
    features.append(f"p={practice}")
    features += [f"p={practice}|{f}" for f in (*mood, *sorted(set(own)))]
    return features


def mood_features(own: Sequence[str], lead: Sequence[str]) -> list[str]:
    """The governing modal, whether anything negates it, whether anything limits it. The second one is modal and sign."""
    whole = {*own, *lead}
    modal = next((w for w in own if w in MODALS), None) or next((w for w in reversed(lead) if w in MODALS), "none")
    sign = "-" if whole & NEGATION else "+"
    limits = sorted(whole & EXCEPTION)
    return [
        f"m={modal}",
        f"m={modal}{sign}",
        f"m={modal}{sign}{'?' if limits else ''}",
        *(f"x={w}{sign}" for w in limits),
    ]


def masked(words: Sequence[str]) -> list[str]:
    """Function words and concepts kept, other runs of words folded to one "_"."""
    kept: list[str] = []
    for word in words:
        if word in FUNCTION or word.isupper():
            kept.append(word)
        elif not kept or kept[-1] != "_":
            kept.append("_")
    return kept
