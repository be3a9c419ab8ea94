"""models/ → its versions: what each learnt from, how it did on the held-out documents, which is in use, and since when.

A version is a folder that is never written again. `current` names the one in use; `promotions.csv` keeps who changed that.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from classifier.errors import ClassifierError, ModelError, UsageError
from classifier.exports import Replacing
from classifier.plain_text import plain_cell
from classifier.predictions import file_digest, load_model

CURRENT = "current"
HISTORY = "promotions.csv"
COLUMNS = ("time", "action", "version", "by", "from_version", "core_f1_before", "core_f1_after", "forced")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TAKEN = (CURRENT, HISTORY)


class PromotionRefused(ClassifierError):
    """A version may not come into use: it does worse than the one in use, or nobody can say that it does not."""


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """What a version learnt from people's corrections, in counts; names of people are no part of a model.

    documents, clauses, annotators: that taught. Clauses left out: held_out repeat a held-out document, known stand in the
    training data already, repeated say what another corrected clause said. sha256: digest of what taught.
    """

    documents: int
    clauses: int
    annotators: int
    held_out: int
    known: int
    repeated: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Core F1 (0 to 1) of a version on the held-out documents, beside the version that was in use then.

    held_out: digest of those documents with their labels; figures compare only where it is the same.
    before_sha256: digest of that version's model.json, for a name may come to mean another model. Empty and None: there
    was no version in use that could be loaded.
    """

    core_f1: float
    documents: int
    held_out: str
    before_version: str = ""
    before_sha256: str = ""
    before_core_f1: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version as a list shows it. documents, clauses: all that it learnt from; learned: the corrections among them.

    core_f1: on the held-out documents of the last measurement, 0 to 1; None if it was not measured on those.
    problem: why its folder can't be read, or empty. (Whether its arrays are whole is seen when it is loaded.)
    """

    name: str
    in_use: bool
    documents: int = 0
    clauses: int = 0
    core_f1: float | None = None
    learned: LearnedFrom | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of the version in use. time: UTC. from_version: empty if there was none. forced: against a refusal.

    core_f1_before, core_f1_after: of the two versions on the same held-out documents, 0 to 1, where both were measured.
    """

    time: datetime
    action: Literal["promoted", "rolled back"]
    version: str
    by: str
    from_version: str
    core_f1_before: float | None
    core_f1_after: float | None
    forced: bool


@dataclass(frozen=True, slots=True)
class _Head:
    """What model.json says of a version, without its arrays. sha256: of model.json, which holds the digests of the rest."""

    name: str
    sha256: str
    card: dict[str, Any]
    measured: Measured | None
    learned: LearnedFrom | None


def version_folder(models: Path, version: str) -> Path:
    """Where a version stands, or would. Raises UsageError for what is no name of one."""
    if not _NAME.fullmatch(version) or version in _TAKEN:
        raise UsageError(f"{version!r} is no name for a version", "use letters, digits, dots and dashes")
    return models / version


def next_version(models: Path) -> str:
    """The next whole number that no version has."""
    numbers = [int(p.name) for p in models.iterdir() if _is_number(p.name)] if models.is_dir() else []
    return str(max(numbers, default=0) + 1)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def version_in_use(models: Path) -> str:
    """The name that models/current holds; empty if there is none."""
    try:
        return (models / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{models / CURRENT}: can't be read ({error})", "write the version's name into it") from error


def versions(models: Path) -> list[Version]:
    """All versions in a folder of models, numbers first, in their order."""
    now, heads = version_in_use(models), _heads(models)
    figures, held_out = _core_f1(heads), next((h.measured.held_out for h in reversed(heads) if h.measured), "")
    found = []
    for name in _names(models):
        try:
            head = _read_head(models / name)
            found.append(
                Version(
                    name,
                    name == now,
                    head.card["documents"],
                    head.card["clauses"],
                    figures.get((head.sha256, held_out)),
                    head.learned,
                )
            )
        except (ModelError, KeyError) as error:
            found.append(Version(name, name == now, problem=str(error)))
    return found


def _names(models: Path) -> list[str]:
    folders = (p.name for p in models.iterdir() if p.is_dir()) if models.is_dir() else iter(())
    found = [name for name in folders if _NAME.fullmatch(name)]
    return sorted(found, key=lambda name: (not _is_number(name), int(name) if _is_number(name) else 0, name))


def _read_head(folder: Path) -> _Head:
    """Raises ModelError."""
    path = folder / "model.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))["card"]
        measured = Measured(**card["measured"]) if "measured" in card else None
        learned = LearnedFrom(**card["learned_from"]) if "learned_from" in card else None
        return _Head(folder.name, file_digest(path), card, measured, learned)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder}: not a model of this project ({error})", "restore it or train again") from error


def _heads(models: Path) -> list[_Head]:
    heads = []
    for name in _names(models):
        with suppress(ModelError):  # one damaged version hides none of the others
            heads.append(_read_head(models / name))
    return heads


def _core_f1(heads: Sequence[_Head]) -> dict[tuple[str, str], float]:
    """(digest of a version's model.json, digest of the held-out documents) → core F1, of all that was measured."""
    found: dict[tuple[str, str], float] = {}
    for head in heads:
        if of := head.measured:
            if of.before_core_f1 is not None:
                found[of.before_sha256, of.held_out] = of.before_core_f1
            found[head.sha256, of.held_out] = of.core_f1
    return found


def promote(models: Path, version: str, by: str, force: bool = False) -> Promotion:
    """Bring a version into use: write models/current and a line of models/promotions.csv. by: the person's name.

    Refused, unless forced, where it was not measured, or not on the same documents as the version in use, or its core F1
    there is lower. A version that was in use before comes back without such questions: rolling back must always work.
    Raises PromotionRefused, ModelError for a version that is missing or damaged (force changes nothing there), UsageError.
    """
    folder, now = version_folder(models, version), version_in_use(models)
    if not by.strip():
        raise UsageError("nobody is named who brings the version into use", "give a name")
    if version == now:
        raise UsageError(f"version {version} is in use already", "nothing is to be done")
    if not folder.is_dir():
        there = ", ".join(_names(models)) or "none"
        raise ModelError(f"no version {version} in {models} (there: {there})", "see `clauses models`")
    if (said := load_model(folder).version) != version:
        raise ModelError(f"{folder} says that it is version {said}", "give the folder its own name back")
    before, after, measured = _both_figures(models, folder, now)
    earlier = {name for p in promotions(models) for name in (p.version, p.from_version)}
    refusal = None if version in earlier else _refusal(version, now, before, after, measured)
    if refusal and not force:
        raise refusal
    action: Literal["promoted", "rolled back"] = "rolled back" if version in earlier else "promoted"
    promotion = Promotion(datetime.now(UTC), action, version, by, now, before, after, refusal is not None)
    try:
        # The history first: a line too many does less harm than a change that nobody can trace.
        _append(models / HISTORY, promotion)
        with Replacing(models / CURRENT) as current:
            current.write(version + "\n")
    except OSError as error:
        raise ModelError(f"{models}: can't be written ({error.strerror or error})", "check its permissions") from error
    return promotion


def _both_figures(models: Path, folder: Path, now: str) -> tuple[float | None, float | None, bool]:
    """Core F1 of the version in use and of another one on the same documents; and was the other one measured at all?"""
    heads, head = _heads(models), _read_head(folder)
    figures, in_use = _core_f1(heads), next((h.sha256 for h in heads if h.name == now), "")
    if head.measured:
        return figures.get((in_use, head.measured.held_out)), head.measured.core_f1, True
    # never measured for itself, as the first version; but later ones may have been measured beside it
    for (sha256, held_out), f1 in reversed(figures.items()):
        if sha256 == head.sha256:
            return figures.get((in_use, held_out)), f1, True
    return None, None, False


def _refusal(
    version: str, now: str, before: float | None, after: float | None, measured: bool
) -> PromotionRefused | None:
    again = "train again with `clauses train --offer`, which measures, or force it"
    if not measured or after is None:
        return PromotionRefused(f"version {version} was never measured on the held-out documents", again)
    if not now:
        return None
    if before is None:
        return PromotionRefused(f"version {now}, in use, was not measured on the documents of {version}", again)
    if after < before:
        return PromotionRefused(
            f"core F1 on the held-out documents falls from {before:.3f} (version {now}) to {after:.3f} (version {version})",
            "look at its comparison.csv, correct more clauses and train again, or force it",
        )
    return None


def _append(path: Path, promotion: Promotion) -> None:
    """Add a line, in one write, so that two people's lines don't mix."""
    line = io.StringIO()
    writer = csv.writer(line)
    with path.open("a", encoding="utf-8", newline="") as history:
        if not history.tell():
            writer.writerow(COLUMNS)
        row = {name: getattr(promotion, name) for name in COLUMNS}
        row["time"] = promotion.time.isoformat(timespec="seconds")
        writer.writerow(plain_cell(value) for value in row.values())
        history.write(line.getvalue())


def promotions(models: Path) -> list[Promotion]:
    """The changes of the version in use, oldest first. Raises ModelError where the history can't be read."""
    path = models / HISTORY
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as history:
            return [_promotion(row) for row in csv.DictReader(history)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ModelError(f"{path}: can't be read ({error})", "restore it from version control") from error


def _promotion(row: dict[str, str]) -> Promotion:
    before, after = (float(row[name]) if row[name] else None for name in ("core_f1_before", "core_f1_after"))
    return Promotion(
        datetime.fromisoformat(row["time"]),
        "rolled back" if row["action"] == "rolled back" else "promoted",
        row["version"],
        row["by"],
        row["from_version"],
        before,
        after,
        row["forced"] == "True",
    )
