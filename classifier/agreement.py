"""Two annotators' labels → Cohen's kappa by practice, stance agreement, and where they differ.

The second annotator's labels stand in `training_data/second_labels/<document>.labels`, one line for each clause that carries
a label: the clause's line number in the `.policy` file and its labels in braces.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.codebook import load_codebook
from classifier.errors import LabelledDataError
from classifier.labelled import LabelledDocument, parse_labels

Labels = dict[str, str | None]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Doubled:
    """One clause with both annotators' labels. first: as labelled before any adjudication."""

    document: str
    line: int
    first: Labels
    second: Labels


def read_second_labels(path: Path) -> dict[int, Labels]:
    """line number → labels. Raises LabelledDataError naming the line that can't be read."""
    found: dict[int, Labels] = {}
    codebook = load_codebook()
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not raw.strip():
            continue
        match = re.match(r"(\d+)\s*\{(.*)\}\s*$", raw.strip())
        if not match:
            raise LabelledDataError(f"{path}:{number}: no labels in braces", "write: line number, blank, {labels}")
        practices, *conditions = match[2].split(";")
        joined = f"{practices};{', '.join(c.strip() for c in conditions)}" if conditions else practices
        found[int(match[1])] = parse_labels(joined, f"{path}:{number}", codebook)[0]
    return found


def doubled_clauses(
    documents: Sequence[LabelledDocument], second: Path, before: dict[tuple[str, int], Labels]
) -> Iterator[Doubled]:
    """Every clause of the documents that were labelled twice. before: first labels of clauses that adjudication changed."""
    for document in documents:
        path = second / f"{document.id}.labels"
        if path.is_file():
            labels = read_second_labels(path)
            for clause in document.clauses:
                first = before.get((document.id, clause.line), clause.labels)
                yield Doubled(document.id, clause.line, first, labels.get(clause.line, {}))


def read_first_labels(adjudications: Path) -> dict[tuple[str, int], Labels]:
    """(document, line) → the first annotator's labels of every clause that was adjudicated; empty if there is no such file."""
    if not adjudications.is_file():
        return {}
    with adjudications.open(encoding="utf-8", newline="") as source:
        return {(row["document"], int(row["line"])): split_labels(row["first"]) for row in csv.DictReader(source)}


def split_labels(written: str) -> Labels:
    """`practice:stance|practice` → labels."""
    parts = (part.partition(":") for part in written.split("|") if part)
    return {practice: stance or None for practice, _, stance in parts}


def kappa(pairs: Sequence[tuple[object, object]]) -> float:
    """Cohen's kappa of two annotators' categories; 1.0 where both always agree on one category, 0.0 of no pairs."""
    places = {category: n for n, category in enumerate(dict.fromkeys(c for pair in pairs for c in pair))}
    table = np.zeros((len(places), len(places)))
    for first, second in pairs:
        table[places[first], places[second]] += 1
    return float(kappa_of(table)) if pairs else 0.0


def kappa_of(tables: Floats) -> Floats:
    """Cohen's kappa of contingency tables, (…, categories, categories) → (…); 1 where both always agree on one category."""
    total = tables.sum(axis=(-2, -1))
    observed = np.trace(tables, axis1=-2, axis2=-1)
    expected = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    return beyond_chance(total * (total - observed), total**2 - expected)


def beyond_chance(observed: Floats, expected: Floats) -> Floats:
    """1 - observed / expected disagreement; 1 where there is none of either."""
    result: Floats = np.ones_like(expected, dtype=np.float64)
    np.divide(observed, expected, out=result, where=expected > 0)
    return np.where(expected > 0, 1 - result, 1.0)


def practice_kappas(clauses: Sequence[Doubled]) -> dict[str, float]:
    """practice → kappa on whether the clause carries it."""
    return {p: kappa([(p in c.first, p in c.second) for c in clauses]) for p in load_codebook().practice_ids}


def stance_kappa(clauses: Sequence[Doubled]) -> tuple[float, float, int]:
    """(share that agrees, kappa, labels) over the stances of practices that both annotators gave."""
    pairs = [(c.first[p], c.second[p]) for c in clauses for p in c.first if p in c.second and c.first[p] is not None]
    return (sum(a == b for a, b in pairs) / max(1, len(pairs)), kappa(pairs), len(pairs))


def label_f1(clauses: Sequence[Doubled], with_stance: bool) -> float:
    """F1 of one annotator's labels against the other's, over all practices."""

    def items(labels: Labels) -> set[tuple[str, str | None]]:
        return {(p, s if with_stance else None) for p, s in labels.items()}

    both = sum(len(items(c.first) & items(c.second)) for c in clauses)
    total = sum(len(c.first) + len(c.second) for c in clauses)
    return 2 * both / max(1, total)
