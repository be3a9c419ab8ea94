"""What a person says of one clause: practices with stances and conditions, checked against the codebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from classifier.agreement import split_labels
from classifier.codebook import Codebook, load_codebook
from classifier.conditions import Condition
from classifier.errors import ClassifierError
from classifier.labelled import fold
from classifier.predictions import Prediction


class LabellingError(ClassifierError):
    """Labels that break the codebook."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """All labels of one clause. labels: practice → stance, None for a stanceless practice; empty: none applies.

    conditions: in the order of their types and words, each once, however they were given.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        ordered = sorted(set(self.conditions), key=lambda c: (c.type, c.text))
        object.__setattr__(self, "conditions", tuple(ordered))

    @property
    def answer(self) -> str:
        """The labels as one word that compares: practices with stances, then types of conditions.

        "cites_lunn|honors_detainers:limits;approval". The words of conditions are left out: people quote them differently.
        """
        practices = "|".join(f"{p}:{s}" if s else p for p, s in sorted(self.labels.items()))
        return f"{practices};{'|'.join(sorted({c.type for c in self.conditions}))}"


def practices_of(answer: str) -> dict[str, str | None]:
    """The practice → stance of an answer; see Labelling.answer."""
    return split_labels(answer.partition(";")[0])


def predicted(prediction: Prediction) -> Labelling:
    """The machine's labels in the form of a person's."""
    return Labelling({label.practice: label.stance for label in prediction.labels}, prediction.conditions)


def to_json(labelling: Labelling) -> dict[str, Any]:
    """As the store keeps it: {"labels": {practice: stance}, "conditions": [{"type", "text"}]}."""
    return {
        "labels": dict(labelling.labels),
        "conditions": [{"type": c.type, "text": c.text} for c in labelling.conditions],
    }


def from_json(stored: Mapping[str, Any]) -> Labelling:
    """The inverse of to_json."""
    return Labelling(dict(stored["labels"]), tuple(Condition(c["type"], c["text"]) for c in stored["conditions"]))


def check_labelling(labelling: Labelling, text: str, context: str = "", codebook: Codebook | None = None) -> None:
    """Raises LabellingError where a label is none of the codebook's or a condition's words are not in the clause."""
    codebook = codebook or load_codebook()
    for practice, stance in labelling.labels.items():
        if practice not in codebook.practice_ids:
            raise LabellingError(f"unknown practice {practice!r}", "use an id of the codebook")
        if codebook.practice(practice).stanceless:
            if stance is not None:
                raise LabellingError(f"{practice} carries no stance", "leave it out")
        elif stance not in codebook.stances:
            raise LabellingError(f"unknown stance {stance!r} for {practice}", "use a stance of the codebook")
    if labelling.conditions and not labelling.labels:
        raise LabellingError("a condition without a practice", "label the practice or drop the condition")
    said = fold(f"{context} {text}")
    for condition in labelling.conditions:
        if condition.type not in codebook.conditions:
            raise LabellingError(f"unknown condition {condition.type!r}", "use a condition id of the codebook")
        if not condition.text.strip() or fold(condition.text) not in said:
            raise LabellingError(f"condition words {condition.text!r} are not in the clause", "quote them verbatim")
