"""Evidence made on the spot for tests: departments with the units of their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from review_stores import Unit, scored

from classifier.conditions import Condition
from classifier.departments import Department
from classifier.evidence import Evidence
from classifier.exports import Entry
from classifier.pipeline import ScoredDocument

NOTIFY, SHARE, HOLD, LUNN = "notifies_ice_on_release", "shares_intake_logs", "honors_detainers", "cites_lunn"
CHIEF = (Condition("approval", "unless the Chief agrees"),)
NO_HOLD = Unit("Members shall hold no person on a detainer past release.", ((HOLD, "prohibits"),))
CALL = Unit("The desk officer shall call ICE before a person is released.", ((NOTIFY, "requires"),))
CALL_IF = Unit(
    "The desk officer shall not call ICE before a release unless the Chief agrees.",
    ((NOTIFY, "limits"),),
    conditions=CHIEF,
)
CITES = Unit("Lunn v. Commonwealth, 477 Mass. 517 (2017), governs every hold.", ((LUNN, None),))
KEYS = Unit("Keys hang by the door of the booking room at all hours.")


def document(name: str, units: Sequence[Unit], status: str = "ok") -> ScoredDocument:
    """A scored document whose clause ids are "name/0", "name/1", … status: as ScoredDocument has it."""
    made = scored(name, units)
    clauses = tuple(replace(c, id=f"{name}/{n}") for n, c in enumerate(made.clauses))
    reason = "" if status == "ok" else "page 9: scanned image without a text layer"
    unread = 0 if status == "ok" else 1
    pages_read = 0 if status == "failed" else made.pages
    return replace(
        made, clauses=clauses, status=status, reason=reason, pages=made.pages + unread, pages_read=pages_read
    )


def entry(department: str, units: Sequence[Unit], name: str = "", status: str = "ok", **known: str) -> Entry:
    """A document with its department. name: of the document, by default the department's. known: kind, county, …"""
    return Entry(document(name or department, units, status), Department(department, **known))  # type: ignore[arg-type]


def evidence_of(policies: Mapping[str, Sequence[Unit]]) -> Evidence:
    """Evidence of departments with one document each, wholly read."""
    return Evidence.of_entries([entry(name, units) for name, units in policies.items()], version="1")
