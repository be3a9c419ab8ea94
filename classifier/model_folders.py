"""The folder of a model: which one is in use, and what it says of itself, without loading it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from classifier.codebook import project_data
from classifier.errors import ModelError


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk. digest: SHA-256 of its description, which has the digests of its other files."""

    path: Path
    version: str
    digest: str


def latest_model() -> Path:
    """The folder of the model in use: the one that `models/current` names. Raises ModelError if there is none."""
    models = project_data("models")
    try:
        name = (models / "current").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ModelError(f"no model in {models}", "run `clauses train` to make one") from error
    return models / name


def model_folder(folder: Path | None = None) -> ModelFolder:
    """What a folder (by default that of the model in use) says of its model. Raises ModelError if it says nothing.

    That its files are whole and fit this program is found when the model is loaded.
    """
    path = folder or latest_model()
    try:
        described = (path / "model.json").read_bytes()
        version = json.loads(described)["version"]
        if not isinstance(version, str):
            raise TypeError("its version is no text")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: not a model of this project ({error})", "name a folder made by `clauses train`"
        ) from error
    return ModelFolder(path, version, hashlib.sha256(described).hexdigest())
