"""Where a policy does not do what it says: the Lunn gap with its sentences, and clauses of one document at odds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pandas as pd

from classifier.codebook import load_codebook
from classifier.evidence import Evidence, rows_of
from classifier.findings import GAP_PRACTICES, GAP_VERDICTS
from classifier.wording import full_words

_LUNN = "cites_lunn"
_ALLOWING = ("requires", "permits", "limits")


def lunn_gap(evidence: Evidence) -> pd.DataFrame:
    """Departments that cite Lunn and notify, share or hold all the same: one row a practice, by department.

    Columns: department, practice, verdict, conditions (types), state (of the finding); lunn_document, lunn_page,
    lunn_clause, lunn_words: the citation; document, page, clause, stance, words: the strongest clause that requires,
    permits or limits it. A document's id; words with the lead-in.
    """
    findings = evidence.findings[evidence.findings["lunn_gap"]]
    citing = {f.department: f.clauses[0] for f in rows_of(findings[findings["practice"] == _LUNN])}
    stances = {(label.clause, label.practice): label.stance for label in rows_of(evidence.labels)}
    clauses = _by_id(evidence)
    rows: list[tuple[Any, ...]] = []
    for f in rows_of(findings):
        if f.practice not in GAP_PRACTICES or f.verdict not in GAP_VERDICTS:
            continue
        cited = clauses[citing[f.department]]
        shown = clauses[next(c for c in f.clauses if stances[c, f.practice] in _ALLOWING)]
        rows.append(
            (f.department, f.practice, f.verdict, f.conditions, f.state,
             cited.document, cited.page, cited.clause, cited.words,
             shown.document, shown.page, shown.clause, stances[shown.clause, f.practice], shown.words)
        )  # fmt: skip
    columns = (
        "department practice verdict conditions state lunn_document lunn_page lunn_clause lunn_words "
        "document page clause stance words"
    )
    return pd.DataFrame(rows, columns=columns.split())


def contradictions(evidence: Evidence) -> pd.DataFrame:
    """Clauses of one document that prohibit a practice, beside clauses that require or permit it without a condition.

    ICE's own request is no condition, as in verdicts. Each such clause stands in at least one row, beside the strongest of
    the other side; by document and practice, the strongest first. Columns: department, document, practice;
    prohibiting_clause, prohibiting_page, prohibiting_words; allowing_clause, allowing_page, allowing_words, stance.
    """
    types: dict[str, set[str]] = defaultdict(set)
    for condition in rows_of(evidence.conditions):
        types[condition.clause].add(condition.type)
    clauses = _by_id(evidence)
    sides: dict[tuple[str, str], tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for label in rows_of(evidence.labels.sort_values("probability", ascending=False, kind="stable")):
        prohibiting, allowing = sides[clauses[label.clause].document, label.practice]
        if label.stance == "prohibits":
            prohibiting.append(label)
        elif label.stance in ("requires", "permits") and not types[label.clause] - {"ice_request"}:
            allowing.append(label)
    rows: list[tuple[Any, ...]] = []
    for document in evidence.documents["document"]:
        for practice in load_codebook().practice_ids:
            prohibiting, allowing = sides.get((document, practice), ([], []))
            if not prohibiting or not allowing:
                continue
            pairs = [*((prohibiting[0], a) for a in allowing), *((p, allowing[0]) for p in prohibiting[1:])]
            for one, other in pairs:
                p, a = clauses[one.clause], clauses[other.clause]
                rows.append(
                    (
                        p.department,
                        document,
                        practice,
                        p.clause,
                        p.page,
                        p.words,
                        a.clause,
                        a.page,
                        a.words,
                        other.stance,
                    )
                )
    columns = (
        "department document practice prohibiting_clause prohibiting_page prohibiting_words "
        "allowing_clause allowing_page allowing_words stance"
    )
    return pd.DataFrame(rows, columns=columns.split())


def _by_id(evidence: Evidence) -> dict[str, Any]:
    """clause → its row, with `words`, of all clauses that have labels."""
    labelled = evidence.clauses[evidence.clauses["clause"].isin(evidence.labels["clause"])]
    return {c.clause: c for c in rows_of(labelled.assign(words=full_words))}
