"""How far annotators agree beyond chance: Cohen's kappa and Krippendorff's alpha, with bootstrap intervals.

Both follow from tables of counts, so that a thousand resamples are one matrix product:
kappa from a contingency table, alpha (nominal) from a matrix of coincidences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from classifier.agreement import Floats, beyond_chance, kappa_of
from classifier.codebook import load_codebook
from classifier.labellings import practices_of

Pairs = Sequence[Sequence[tuple[object, object]]]  # for each clause, the pairs of values to compare
LEVEL = 0.95  # of the intervals


@dataclass(frozen=True, slots=True)
class Answers:
    """What two annotators said of one clause: practice → stance, None for a stanceless practice."""

    first: dict[str, str | None]
    second: dict[str, str | None]

    @classmethod
    def of(cls, first: str, second: str) -> Answers:
        """From two answers as the store compares them ("cites_lunn|honors_detainers:limits;approval")."""
        return cls(practices_of(first), practices_of(second))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two annotators. clauses: how many both decided.

    table: one row for each practice (does the clause carry it?), for `any stance` (which of the stances, on practices that
    both gave) and for each stance (this one or another). Columns: by, name, items, share (of items on which they agree),
    kappa, kappa_low, kappa_high, alpha, alpha_low, alpha_high; NaN where there is nothing to compare.
    """

    clauses: int
    table: pd.DataFrame


def alpha_of(coincidences: Floats) -> Floats:
    """Krippendorff's nominal alpha of coincidence matrices, (…, categories, categories) → (…); 1 where nothing varies."""
    by_category = coincidences.sum(axis=-1)
    total = by_category.sum(axis=-1)
    observed = total - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = total**2 - (by_category**2).sum(axis=-1)
    return beyond_chance((total - 1) * observed, expected)


def agreement_of(clauses: Sequence[Answers], *, resamples: int = 1000, seed: int = 0) -> Agreement:
    """Agreement by practice and by stance. Intervals are of the bootstrap over clauses, seeded: whole clauses are redrawn."""
    codebook = load_codebook()
    drawn = _weights(len(clauses), resamples, seed)
    rows: list[tuple[str, str, Pairs, Sequence[object]]] = [
        ("practice", p, [[(p in c.first, p in c.second)] for c in clauses], (False, True))
        for p in codebook.practice_ids
    ]
    stances = [
        [(c.first[p], c.second[p]) for p in c.first if p in c.second and c.first[p] is not None] for c in clauses
    ]
    rows.append(("stance", "any stance", stances, tuple(codebook.stances)))
    for stance in codebook.stances:
        is_it = [[(a == stance, b == stance) for a, b in pairs] for pairs in stances]
        rows.append(("stance", stance, is_it, (False, True)))
    table = pd.DataFrame(
        [{"by": by, "name": name, **_measures(pairs, kinds, drawn)} for by, name, pairs, kinds in rows]
    )
    return Agreement(len(clauses), table)


def _weights(clauses: int, resamples: int, seed: int) -> Floats:
    """How often each clause is drawn in each resample, (resamples, clauses)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(clauses, np.full(clauses, 1 / clauses), size=resamples).astype(np.float64)


def _measures(items: Pairs, categories: Sequence[object], drawn: Floats) -> dict[str, float]:
    """Share of agreement, kappa and alpha with their intervals."""
    k = len(categories)
    places = {category: i for i, category in enumerate(categories)}
    tables = np.zeros((len(items), k, k))
    for row, pairs in enumerate(items):
        for a, b in pairs:
            tables[row, places[a], places[b]] += 1
    whole = tables.sum(axis=0)
    count = int(whole.sum())
    if not count:
        return {"items": 0, "share": np.nan} | {
            f"{measure}{end}": np.nan for measure in ("kappa", "alpha") for end in ("", "_low", "_high")
        }
    resampled = (drawn @ tables.reshape(len(items), k * k)).reshape(-1, k, k)
    resampled = resampled[resampled.sum(axis=(1, 2)) > 0]  # a resample may hold none of the clauses with a pair
    result = {"items": count, "share": float(np.trace(whole)) / count}
    for measure, of in (("kappa", kappa_of), ("alpha", lambda t: alpha_of(t + np.swapaxes(t, -2, -1)))):
        ends = np.quantile(of(resampled), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(resampled) else [np.nan, np.nan]
        result |= {measure: float(of(whole)), f"{measure}_low": float(ends[0]), f"{measure}_high": float(ends[1])}
    return result
