"""A clause with its surroundings → named features, each traceable to the words that made it.

Fields are kept apart by a prefix, for the same word means another thing in a heading than in a rule:

    (none)  the rule as read: lead-in and clause, words and runs of two and three, agency names and forms folded
    t=      the clause alone, without its lead-in
    h=      headings          b=  the clause before          d=  what the document is about
    k=, e=  content words by neighbours, and by their stems      c=, cv=  concepts together, and with content words

and for the stance: m=, x= mood and limits, l= L= lead-in, o= opening, cd= cl= conditions, p= the practice with each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from classifier.conditions import find_conditions

# Many names, one thing. Order matters: the first that matches at a place wins. Case-insensitive unless marked (?-i:…).
CONCEPTS: tuple[tuple[str, str], ...] = (
    (
        "LUNN",
        r"lunn\s+v[s.]*\s*\.?\s*comm\w*|commonwealth\s+v\.?\s+lunn|477\s+mass[.,]?\s*(?:at\s+)?\d{3}|sjc[\s-]*12276",
    ),
    ("AGREEMENT287", r"(?:section\s+|§+\s*|ina\s+(?:section\s+|§\s*)?)?287\s?\(\s?g\s?\)|1357\s?\(\s?g\s?\)"),
    ("STATUTE1373", r"(?:8\s*u\.?\s?s\.?\s?c\.?(?:\s*(?:§+|sections?))?\s*|sections?\s+|§+\s*)?(?:1373|1644)\b"),
    ("CRIMINALENTRY", r"(?:§+\s*|sections?\s+)?132[56]\b"),
    (
        "ICE",
        r"(?:u\.?\s?s\.?\s+|united states\s+)?(?:bureau of\s+)?immigration\s+(?:and|&)\s+customs\s+enforcement|immigration\s+and\s+naturali[sz]ation\s+service"
        r"|(?:u\.?\s?s\.?\s+)?customs\s+and\s+border\s+(?:protection|patrol)|border\s+patrol|(?:united states\s+|u\.?\s?s\.?\s+)?department\s+of\s+homeland\s+security|homeland\s+security(?:\s+investigations)?"
        r"|enforcement\s+and\s+removal(?:\s+operations)?|law\s+enforcement\s+support\s+cent(?:er|re)"
        r"|(?:federal\s+)?(?:civil\s+)?immigration\s+(?:enforcement\s+)?(?:authorit(?:y|ies)|agents?|officers?|officials?|agenc(?:y|ies)|service)|federal\s+agents?"
        r"|i\.\s?c\.\s?e\.|d\.\s?h\.\s?s\.|i\.\s?n\.\s?s\.|(?-i:\b(?:ICE|ERO|INS|DHS|CBP|HSI|LESC|DRO|PERC|USBP|BICE)(?:/(?:ICE|ERO|HSI|DRO))?\b)",
    ),
    (
        "ADMINWARRANT",
        r"(?:administrative|civil|civil\s+immigration|immigration|ice)\s+(?:arrest\s+)?warrants?|warrants?\s+of\s+(?:removal|deportation)|(?:form\s+)?(?:dhs\s+)?i-?(?:200|205)\b|(?:final\s+)?orders?\s+of\s+(?:removal|deportation)|removal\s+orders?",
    ),
    (
        "JUDICIALWARRANT",
        r"judicial\s+(?:warrants?|orders?)|criminal\s+(?:arrest\s+)?warrants?|(?:warrants?|orders?)\s+(?:\w+\s+){0,3}(?:signed|issued)\s+by\s+an?\s+(?:\w+\s+)?(?:judge|magistrate|court)",
    ),
    (
        "DETAINER",
        r"(?:(?:civil\s+)?immigration\s+|ice\s+|federal\s+)?(?:detainers?(?:\s+requests?)?|hold\s+requests?)|immigration\s+holds?|ice\s+holds?|(?:form\s+)?(?:dhs\s+)?i-?247[a-z]?\b",
    ),
    ("VISA", r"(?:\bu|\bt)(?:\s+and\s+(?:u|t))?[\s-]+(?:non-?immigrant\s+)?(?:visas?|status)|i-?918\b|i-?914\b"),
    (
        "STATUS",
        r"(?:citizenship\s+(?:and|or)\s+)?immigration\s+(?:or\s+citizenship\s+)?status|citizenship(?:\s+status)?|alienage|place\s+of\s+birth|country\s+of\s+(?:birth|origin|citizenship)|nationality|lawful\s+presence",
    ),
    (
        "ENFORCEMENT",
        r"(?:federal\s+)?(?:civil\s+)?immigration\s+(?:law\s+)?enforcement|enforc\w+\s+(?:of\s+)?(?:the\s+)?(?:federal\s+)?(?:civil\s+)?immigration\s+laws?|(?:federal\s+|civil\s+)*immigration\s+laws?",
    ),
    (
        "VIOLATION",
        r"immigration\s+(?:violations?|offen[cs]es?|matters?|purposes?)|unlawful(?:ly)?\s+presen(?:ce|t)|undocumented|illegal(?:ly)?\s+(?:alien|present|in)",
    ),
    ("ALIEN", r"aliens?|non-?citizens?|foreign[\s-](?:born|nationals?)(?:\s+(?:persons?|inmates?|arrestees?))?"),
    ("PERSON", r"inmates?|prisoners?|detainees?|arrestees?|individuals?|persons?|defendants?|people|subjects?"),
    ("OFFICER", r"officers?|deput(?:y|ies)|members?|employees?|personnel|troopers?|staff|agents?"),
    (
        "AGENCY",
        r"departments?|sheriff(?:'s|’s)?\s+office|the\s+office|agenc(?:y|ies)|(?-i:\bLEA\b)|(?:local|state|county|municipal)\s+(?:\w+\s+)?(?:entit(?:y|ies)|government)",
    ),
    ("NUM", r"\d+(?:[.,:]\d+)*"),
)
TOKEN = re.compile(
    "|".join(rf"(?P<{name}>(?<![\w]){pattern}(?!\w))" for name, pattern in CONCEPTS)
    + r"|(?P<word>[a-z]+(?:['’][a-z]+)?)|(?P<mark>[:;?])",
    re.I,
)

# Turns of phrase that several words make together; seen beside the words, which keep their own features.
PHRASES = {
    name: re.compile(pattern, re.I)
    for name, pattern in {
        "handover": r"\b(?:transfer|relinquish|surrender|deliver|turn|hand|releas)\w*\s+(?:\S+\s+){0,6}?(?:over\s+to|custody)\b"
        r"|\bhand-?(?:over|off)|\b(?:tak|assum)\w+\s+(?:\S+\s+){0,2}?custody\b|\btransfer\s+requests?\b",
        "release": r"\b(?:release|discharge)\s+(?:dates?|times?|information)\b|\b(?:dates?|times?|hours?)\s+(?:\S+\s+){0,3}?of\s+(?:\S+\s+){0,3}?(?:release|discharge)\b"
        r"|\bnotification\s+requests?\b|\bbe\s+(?:released|discharged)\b|\b(?:anticipated|pending|impending|expected|scheduled|projected)\s+(?:release|discharge)\b",
        "logs": r"\b(?:daily|booking|intake|arrest|jail|custody|inmate|commitment|prisoner|admission)s?\s+(?:\S+\s+)?(?:logs?|lists?|rosters?|sheets?|registers?|feeds?|reports?)\b"
        r"|\brosters?\b|\bmanagement\s+(?:\S+\s+){0,2}?systems?\b",
        "beyond": r"\b(?:beyond|past|after|longer\s+than)\s+(?:\S+\s+){0,6}?(?:releas\w+|time|bail|discharge\w*|48|hours)\b|\b(?:48|forty-eight)\s*(?:\(48\)\s*)?hours\b",
    }.items()
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


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word and where it stands in its field's text."""

    text: str
    start: int
    end: int


# Where immigration is spoken of, nearest to the clause first: in it, its lead-in, its headings, a clause or two away,
# elsewhere in a document that is about it, or nowhere near.
SIGNALS = ("own", "lead-in", "heading", "near", "document", "none")
ORDINARY = frozenset({"NUM", "PERSON", "OFFICER", "AGENCY", "JUDICIALWARRANT", "ALIEN"})  # concepts of any policy
ABOUT = 4.0  # immigration concepts in a thousand words from which a document is about it


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A clause as the model sees it.

    before: text of the clause before it. topics: what the whole document is about. signal: index into SIGNALS.
    """

    text: str
    context: str = ""
    heading: str = ""
    before: str = ""
    topics: tuple[str, ...] = ()
    signal: int = 0


class Readable(Protocol):
    """What a clause must have to be seen: predicted clauses and labelled ones do."""

    @property
    def text(self) -> str: ...
    @property
    def context(self) -> str: ...
    @property
    def heading(self) -> str: ...


def surroundings(clauses: Sequence[Readable]) -> list[Surroundings]:
    """All clauses (and headings) of one document, in order, as the model sees them."""
    topics = document_topics([c.text for c in clauses])
    spoken = [immigration_words(c.text) for c in clauses]
    words = sum(len(tokens(c.text)) for c in clauses)
    about = 1000 * sum(spoken) / max(200, words) >= ABOUT
    found = []
    for i, clause in enumerate(clauses):
        places = (
            spoken[i],
            immigration_words(clause.context),
            immigration_words(clause.heading),
            sum(spoken[max(0, i - 3) : i + 2]),
            about,
        )
        signal = next((n for n, place in enumerate(places) if place), len(places))
        before = clauses[i - 1].text if i else ""
        found.append(Surroundings(clause.text, clause.context, clause.heading, before, topics, signal))
    return found


def immigration_words(text: str) -> int:
    """How many words of a text name something of immigration enforcement."""
    return sum(token.text.isupper() and token.text not in ORDINARY for token in tokens(text))


@lru_cache(maxsize=4096)  # a clause is read again as the one before, its heading and lead-in with every neighbour
def tokens(text: str) -> tuple[Token, ...]:
    """Words, lower case, with agency names, forms and numbers folded to concept names in capitals."""
    found = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or "word"
        word = match.group().lower().replace("’", "'") if kind in ("word", "mark") else kind
        found.append(Token(word, match.start(), match.end()))
    return tuple(found)


def document_topics(texts: Sequence[str]) -> tuple[str, ...]:
    """What a document is about: its concepts, graded by how much of it they take up."""
    total = 0
    counts: dict[str, int] = {}
    for text in texts:
        for token in tokens(text):
            total += 1
            if token.text.isupper() and token.text not in ("NUM", "PERSON", "OFFICER", "AGENCY"):
                counts[token.text] = counts.get(token.text, 0) + 1
    topics = []
    for name, count in sorted(counts.items()):
        rate = 1000 * count / max(total, 200)
        topics.append(name)
        topics.extend(f"{name}>{step}" for step in (3, 10, 25) if rate > step)
    return tuple(topics)


def runs(words: Sequence[str], longest: int) -> Iterator[str]:
    """All runs of one to `longest` words."""
    for size in range(1, longest + 1):
        for i in range(len(words) - size + 1):
            yield " ".join(words[i : i + size])


def practice_features(clause: Surroundings) -> list[str]:
    """Features that tell which practice a clause is about."""
    own = [t.text for t in tokens(clause.text)]
    lead = [t.text for t in tokens(clause.context)]
    features = list(runs(lead[-24:] + own, 2))
    features += [f"t={f}" for f in own if f not in STOP]
    content = [w for w in lead[-24:] + own if w not in STOP]
    features += [f"k={a}~{b}" for a, b in pairwise(content)]
    features += [f"k={a}~~{b}" for a, b in zip(content, content[2:], strict=False)]
    features += phrase_features(clause, {w for w in (*lead, *own) if w.isupper()})
    heading = [t.text for t in tokens(clause.heading)]
    features += [f"h={w}" for w in heading if w not in STOP]
    features += co_occurrences(own, lead)
    features += [f"e={a[:5]}" for a in content if len(a) > 5]
    stems = [w[:5] for w in content]
    features += [f"e={a}~{b}" for a, b in pairwise(stems)]
    features += [f"b={w}" for w in {t.text for t in tokens(clause.before)} if w not in STOP]
    features += [f"d={t}" for t in clause.topics]
    return features


def phrase_features(clause: Surroundings, concepts: set[str]) -> list[str]:
    """The phrases in a clause or its lead-in, alone and with each concept of the rule."""
    found = [n for n, pattern in PHRASES.items() if pattern.search(clause.text)]
    above = [f"{n}^" for n, pattern in PHRASES.items() if clause.context and pattern.search(clause.context)]
    return [f"z={n}" for n in (*found, *above)] + [f"z={n}&{c}" for n in (*found, *above) for c in sorted(concepts)]


def co_occurrences(own: Sequence[str], lead: Sequence[str]) -> list[str]:
    """Concepts of a rule by pairs, and each with the clause's content words: a practice is a verb done to a concept."""
    concepts = sorted({w for w in (*lead, *own) if w.isupper()})
    content = {w for w in own if w not in STOP and not w.isupper()}
    pairs = [f"c={a}&{b}" for i, a in enumerate(concepts) for b in concepts[i + 1 :]]
    return pairs + [f"cv={a}&{b}" for a in concepts if a != "NUM" for b in sorted(content)]


def stance_features(clause: Surroundings, practice: str) -> list[str]:
    """Features that tell a clause's stance on one of its practices: modals, negation, limits; words with the practice."""
    own = [t.text for t in tokens(clause.text)]
    lead = [t.text for t in tokens(clause.context)]
    shape = masked(own)
    features = [f"t={f}" for f in runs(own, 3)]
    features += [f"o={f}" for f in runs(shape[:6], 3)]
    if lead:
        features += [f"l={f}" for f in runs(masked(lead), 3)]
        features += [f"L={f}" for f in runs(lead[-8:], 2)]
    else:
        features.append("l=none")
    mood = mood_features(own, lead)
    features += mood
    features += condition_features(clause, mood[1])
    features += [f"h={t.text}" for t in tokens(clause.heading)]
    features.append(f"p={practice}")
    features += [f"p={practice}|{f}" for f in (*mood, *runs(shape, 2), *sorted(set(own)))]
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


def condition_features(clause: Surroundings, mood: str) -> list[str]:
    """Condition types that the clause and its lead-in name, alone and with the mood."""
    own = [c.type for c in find_conditions(clause.text)]
    lead = [c.type for c in find_conditions(clause.context)] if clause.context else []
    features = [f"cd={c}" for c in own] or ["cd=none"]
    return features + [f"cl={c}" for c in lead] + [f"cd={c}|{mood}" for c in (*own, *lead)]


def masked(words: Sequence[str]) -> list[str]:
    """Function words and concepts kept, other runs of words folded to one "_"."""
    kept: list[str] = []
    for word in words:
        if word in FUNCTION or word.isupper():
            kept.append(word)
        elif not kept or kept[-1] != "_":
            kept.append("_")
    return kept
