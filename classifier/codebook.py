"""The codebook: every label with its definition, read from `training_data/codebook.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice that a clause can be about. `stanceless`: the label carries no stance (cites_lunn).

    examples: clauses as a policy might word them, each with its stance at the end.
    """

    id: str
    name: str
    group: str
    definition: str
    core: bool = False
    stanceless: bool = False
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Codebook:
    """All labels. Practices in display order, core first; stances, conditions and verdicts map id to definition."""

    practices: tuple[Practice, ...]
    stances: dict[str, str]
    conditions: dict[str, str]
    verdicts: dict[str, str]

    @cached_property
    def practice_ids(self) -> tuple[str, ...]:
        return tuple(p.id for p in self.practices)

    @cached_property
    def core_ids(self) -> tuple[str, ...]:
        return tuple(p.id for p in self.practices if p.core)

    def practice(self, practice_id: str) -> Practice:
        """The practice of that id. Raises KeyError for an id that the codebook does not have."""
        for practice in self.practices:
            if practice.id == practice_id:
                return practice
        raise KeyError(practice_id)


def project_data(name: str) -> Path:
    """Where `training_data/...` or `models/...` stands: inside an installed wheel, else beside the package in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_data" / name
    return installed if installed.exists() else package.parent / name


@cache
def load_codebook() -> Codebook:
    """The project's codebook; read once."""
    raw = tomllib.loads(project_data("training_data/codebook.toml").read_text(encoding="utf-8"))

    def definitions(table: str) -> dict[str, str]:
        return {row["id"]: row["definition"] for row in raw[table]}

    return Codebook(
        practices=tuple(Practice(**{**row, "examples": tuple(row["examples"])}) for row in raw["practice"]),
        stances=definitions("stance"),
        conditions=definitions("condition"),
        verdicts=definitions("verdict"),
    )
