"""Which words spoke for a label and which against it: a linear model's own sums, mapped back to the clause.

A decision value is a sum over features of weight times TF-IDF. Each feature's part is shared equally among the words that
made it, wherever they stand (clause, lead-in, heading, clause before); what no word made (that the clause has no lead-in, the
practice itself) and the model's bias stay in `rest`. Words and rest add up to the decision value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from classifier.concepts import fold_words
from classifier.features import (
    EXCEPTION,
    LEAD,
    NEGATION,
    PHRASES,
    STOP,
    Surroundings,
    practice_features,
    stance_features,
)
from classifier.predictions import LinearPart, Model

Field = Literal["text", "context", "heading", "before"]


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of characters of one field of a clause: start included, end not."""

    field: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """How much the words at a place add to a decision value; negative speaks against."""

    place: Place
    words: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Contributions, strongest first, and the rest: contributions and rest sum to the decision value."""

    decision: float
    rest: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The folded words of one field, in order, with their places."""

    words: tuple[str, ...]
    places: tuple[Place, ...]

    @classmethod
    def of(cls, field: Field, text: str, last: int | None = None) -> Words:
        """The words of a text, or its last ones."""
        folded = fold_words(text)
        first = 0 if last is None else max(0, len(folded.words) - last)
        places = tuple(Place(field, start, end) for start, end in folded.spans[first:])
        return cls(folded.words[first:], places)

    def __add__(self, other: Words) -> Words:
        return Words(self.words + other.words, self.places + other.places)

    def runs(self, run: str) -> list[Place]:
        """Places of every word in every occurrence of a run of words."""
        wanted = tuple(run.split(" "))
        size = len(wanted)
        starts = (i for i in range(len(self.words) - size + 1) if self.words[i : i + size] == wanted)
        return [self.places[i + k] for i in starts for k in range(size)]

    def among(self, words: Set[str]) -> list[Place]:
        """Places of the words that are among some."""
        return [p for w, p in zip(self.words, self.places, strict=True) if w in words]


def explain_practice(clause: Surroundings, practice: str, model: Model) -> Explanation:
    """Why a clause is, or isn't, about a practice. The decision value is the one before calibration."""
    own, lead = Words.of("text", clause.text), Words.of("context", clause.context, LEAD)
    rule, fields = lead + own, other_fields(clause)

    def places(feature: str) -> list[Place]:
        kind, _, name = feature.partition("=")
        if not name or kind not in ("e", "cv", "z", "h", "b"):
            return rule.runs(feature)
        if kind == "e":
            return stem_places(rule, name)
        if kind == "cv":
            concept, _, word = name.partition("&")
            return rule.among({concept}) + own.among({word})
        if kind == "z":
            phrase, _, concept = name.partition("&")
            found = PHRASES[phrase][1].search(clause.text)
            return ([Place("text", *found.span())] if found else []) + rule.among({concept})
        return fields[kind].among({name})

    column = model.practices.index(practice)
    return explain(clause, practice_features(clause), model.practice_part, column, places)


def explain_stance(clause: Surroundings, practice: str, stance: str, model: Model) -> Explanation:
    """Why a clause takes, or doesn't take, a stance on a practice."""
    own, lead, fields = Words.of("text", clause.text), Words.of("context", clause.context), other_fields(clause)

    def places(feature: str) -> list[Place]:
        kind, _, name = feature.partition("=")
        if kind == "p":
            _, crossed, name = name.partition("|")
            if not crossed:
                return []
            return places(name) if name[:2] in ("m=", "x=") else own.among({name})
        if kind == "t":
            return own.runs(name)
        if kind == "l":
            return lead.among(set(name.split(" ")) - {"_"})
        if kind == "h":
            return fields[kind].among({name})
        words = frozenset({name.rstrip("+-?")})  # m=, x=: the modal or the limiting word, and what negates or limits it
        words |= (NEGATION if "-" in name else frozenset()) | (EXCEPTION if "?" in name else frozenset())
        return own.among(words) + lead.among(words)

    column = model.stances.index(stance)
    return explain(clause, stance_features(clause, practice), model.stance_part, column, places)


def other_fields(clause: Surroundings) -> dict[str, Words]:
    """Heading (h) and the clause before (b)."""
    return {"h": Words.of("heading", clause.heading), "b": Words.of("before", clause.before)}


def stem_places(rule: Words, name: str) -> list[Place]:
    """Places of the words behind a stem or a pair of neighbouring stems."""
    content = [i for i, w in enumerate(rule.words) if w not in STOP]
    stems = [rule.words[i][:5] for i in content]
    wanted = name.split("~")
    starts = (k for k in range(len(stems) - len(wanted) + 1) if stems[k : k + len(wanted)] == wanted)
    return [rule.places[content[k + n]] for k in starts for n in range(len(wanted))]


def explain(
    clause: Surroundings,
    features: Sequence[str],
    part: LinearPart,
    column: int,
    places: Callable[[str], list[Place]],
) -> Explanation:
    """Share each feature's part of a decision value among the words that made it."""
    row = part.transform([features])
    shares: dict[Place, float] = defaultdict(float)
    rest = float(part.bias[column])
    for index, value in zip(row.indices, row.data, strict=True):
        weight = float(value) * float(part.weights[index, column])
        found = places(part.vocabulary[index])
        for place in found:
            shares[place] += weight / len(found)
        if not found:
            rest += weight
    texts = {"text": clause.text, "context": clause.context, "heading": clause.heading, "before": clause.before}
    contributions = [Contribution(p, texts[p.field][p.start : p.end], w) for p, w in shares.items()]
    contributions.sort(key=lambda c: (-abs(c.weight), c.place.start))
    return Explanation(rest + sum(shares.values()), rest, tuple(contributions))
