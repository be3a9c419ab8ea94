"""Labels of clauses → what a document or a department says about each practice, by section 5 of the codebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from classifier.codebook import Codebook, load_codebook

Verdict = Literal["does", "conditional", "refuses", "mixed", "mentions", "silent", "unread"]
RULING_STANCES = frozenset({"requires", "permits", "limits", "prohibits"})
GAP_PRACTICES = ("notifies_ice_on_release", "shares_intake_logs", "honors_detainers")
GAP_VERDICTS = frozenset({"does", "conditional", "mixed"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One label of one clause. stance: None for a stanceless practice. probability: of label and stance together, 0 to 1."""

    practice: str
    stance: str | None
    conditions: frozenset[str] = frozenset()
    clause: str = ""
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a text says about one practice.

    probability: of the strongest clause that the verdict rests on; for `silent`, that no clause is about the practice.
    clauses: ids of the clauses that it rests on, strongest first. conditions: types that those clauses name, sorted.
    """

    practice: str
    verdict: Verdict
    probability: float
    clauses: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


def verdict(rules: Sequence[Rule], fully_read: bool = True) -> Verdict:
    """The verdict on one practice. rules: all labels of that practice in the text. fully_read: no page went unread."""
    if not rules:
        return "silent" if fully_read else "unread"
    if all(rule.stance is None for rule in rules):
        return "does"
    stances = {rule.stance for rule in rules if rule.stance in RULING_STANCES}
    if not stances:
        return "mentions"
    if "limits" in stances:
        return "conditional"
    if "prohibits" not in stances:
        return "does"
    if stances == {"prohibits"}:
        return "refuses"
    allowed = [rule for rule in rules if rule.stance in ("requires", "permits")]
    return "conditional" if all(rule.conditions - {"ice_request"} for rule in allowed) else "mixed"


def resting_on(rules: Sequence[Rule], outcome: Verdict) -> list[Rule]:
    """The rules that bear a verdict, strongest first. A conditional one shows its limits before the rest."""
    bearing = [rule for rule in rules if rule.stance in RULING_STANCES] or list(rules)
    if outcome == "conditional":
        return sorted(bearing, key=lambda r: (r.stance != "limits", -r.probability))
    return sorted(bearing, key=lambda r: -r.probability)


def find(
    rules: Iterable[Rule],
    fully_read: bool = True,
    highest: Mapping[str, float] | None = None,
    codebook: Codebook | None = None,
) -> list[Finding]:
    """One Finding for each practice of the codebook, in its order.

    rules: all labels of a document, or of all documents of a department. highest: practice → highest probability that any
    clause was given, labelled or not; it says how sure a silence is.
    """
    by_practice: dict[str, list[Rule]] = {}
    for rule in rules:
        by_practice.setdefault(rule.practice, []).append(rule)
    findings = []
    for practice in (codebook or load_codebook()).practice_ids:
        own = by_practice.get(practice, [])
        outcome = verdict(own, fully_read)
        bearing = resting_on(own, outcome)
        probability = bearing[0].probability if bearing else 1.0 - (highest or {}).get(practice, 0.0)
        conditions = sorted({c for rule in bearing for c in rule.conditions})
        clauses = tuple(dict.fromkeys(rule.clause for rule in bearing))
        findings.append(
            Finding(practice, outcome, 0.0 if outcome == "unread" else probability, clauses, tuple(conditions))
        )
    return findings


def has_lunn_gap(findings: Iterable[Finding]) -> bool:
    """Does the text cite Lunn and notify, share or hold all the same?"""
    verdicts = {f.practice: f.verdict for f in findings}
    return verdicts.get("cites_lunn") == "does" and any(verdicts.get(p) in GAP_VERDICTS for p in GAP_PRACTICES)
