"""Evidence → departments × practices: in each cell the verdict with its conditions, how sure it is, and who checked it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from classifier.codebook import load_codebook
from classifier.errors import UsageError
from classifier.evidence import Evidence

# What a cell can say, in the order that a column is sorted by: from collaboration to refusal, then what is not known.
VERDICTS = "does;conditional;mixed;refuses;mentions;silent;unread;no policy;no reply".split(";")
NO_ANSWER = frozenset({"unread", "no policy", "no reply"})
CORE = "core"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows and columns to show; an empty choice leaves everything in.

    kinds, counties: of departments. group: "core" or a practice group of the codebook. practices: ids. verdicts:
    departments with one of these on a practice that is shown. lunn_gap: only departments that have it. only_differences:
    only practices on which departments that are shown answer differently, conditions included.
    """

    kinds: frozenset[str] = frozenset()
    counties: frozenset[str] = frozenset()
    group: str = ""
    practices: frozenset[str] = frozenset()
    verdicts: frozenset[str] = frozenset()
    lunn_gap: bool = False
    only_differences: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Departments × practices. All tables but `departments` are indexed by department, with a column for each practice id.

    departments: as in Evidence, in the same order as the rows, with coverage (share of pages read, 0 to 1; missing where
    there is no page) and lunn_gap. cells: the words to show. verdicts: the first word of each. probabilities: 0 to 1,
    missing where nothing was read. states: "machine", "reviewed" or "adjudicated".
    """

    departments: pd.DataFrame
    cells: pd.DataFrame
    verdicts: pd.DataFrame
    probabilities: pd.DataFrame
    states: pd.DataFrame


def matrix(evidence: Evidence, only: Filter = Filter(), sort_by: str = "department") -> Matrix:
    """The matrix. sort_by: a column of `departments`, or a practice id, for the order of VERDICTS; ties by name.

    Raises UsageError for a group, a verdict or a column that there is not.
    """
    practices = _practices(only)
    if unknown := sorted(only.verdicts - set(VERDICTS)):
        raise UsageError(f"unknown verdict {', '.join(unknown)}", f"use {', '.join(VERDICTS)}")
    departments = evidence.departments.copy()
    every = load_codebook().practice_ids
    shape = (len(departments), len(every))

    def wide(values: pd.Series) -> pd.DataFrame:
        """A column of findings, which are complete and in order, as departments × practices."""
        table = values.to_numpy(dtype=object).reshape(shape)
        return pd.DataFrame(table, index=departments["department"], columns=list(every))[practices]

    findings = evidence.findings
    departments["coverage"] = departments["pages_read"] / departments["pages"].replace(0, np.nan)
    departments["lunn_gap"] = findings["lunn_gap"].to_numpy().reshape(shape)[:, 0]
    verdicts = wide(findings["verdict"])
    cells = wide(pd.Series(list(map(cell, findings["verdict"], findings["conditions"])), dtype=object))
    keep = pd.Series(True, index=departments.index)
    for column, wanted in (("kind", only.kinds), ("county", only.counties)):
        if wanted:
            keep &= departments[column].isin(wanted)
    if only.lunn_gap:
        keep &= departments["lunn_gap"]
    if only.verdicts:
        keep &= verdicts.isin(only.verdicts).any(axis=1).to_numpy()
    rows = _order(departments, verdicts, sort_by)
    rows = rows[keep.to_numpy()[rows]]
    shown = cells.iloc[rows]
    if only.only_differences:
        shown = shown[[p for p in practices if shown.loc[~verdicts.iloc[rows][p].isin(NO_ANSWER), p].nunique() > 1]]
    columns = list(shown.columns)
    return Matrix(
        departments.iloc[rows].reset_index(drop=True),
        shown,
        verdicts.iloc[rows][columns],
        wide(findings["probability"]).astype(float).iloc[rows][columns],
        wide(findings["state"]).iloc[rows][columns],
    )


def cell(verdict: str, conditions: Sequence[str]) -> str:
    """The words of a cell: the real policy is in the exemptions, so a conditional verdict names them."""
    if verdict != "conditional" or not conditions:
        return verdict
    return f"{verdict}: {', '.join(c.replace('_', ' ') for c in conditions)}"


def groups() -> tuple[str, ...]:
    """Names of the groups of practices: the core first, then the codebook's in its order."""
    return (CORE, *dict.fromkeys(p.group for p in load_codebook().practices))


def _practices(only: Filter) -> list[str]:
    """Ids of the practices to show, in the order of the codebook."""
    if only.group and only.group not in groups():
        raise UsageError(f"unknown group of practices {only.group!r}", f"use {', '.join(groups())}")
    if unknown := sorted(only.practices - set(load_codebook().practice_ids)):
        raise UsageError(f"unknown practice {', '.join(unknown)}", "use an id of the codebook")
    return [
        p.id
        for p in load_codebook().practices
        if (not only.group or p.group == only.group or (p.core and only.group == CORE))
        and (not only.practices or p.id in only.practices)
    ]


def _order(departments: pd.DataFrame, verdicts: pd.DataFrame, sort_by: str) -> np.ndarray:
    """Row numbers in the order to show; `departments` come by name."""
    if sort_by == "department":
        return np.arange(len(departments))
    if sort_by in verdicts.columns:
        keys = verdicts[sort_by].map(VERDICTS.index).to_numpy()
    elif sort_by in departments.columns:
        keys = departments[sort_by].to_numpy()
    else:
        raise UsageError(f"no column {sort_by!r} to sort by", "use a column that is shown")
    return np.argsort(keys, kind="stable")
