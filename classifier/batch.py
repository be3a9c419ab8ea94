"""Many files → ScoredDocuments, in the order of their names, over all cores."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from joblib import Parallel, delayed

from classifier.departments import REGISTRY
from classifier.errors import UsageError
from classifier.pipeline import ScoredDocument, score_file
from classifier.predictions import Model, load_model


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to score. root: the folder that was named on the command line, None for a file named itself.

    name: its path below the root, with forward slashes: what `document` says in every table.
    """

    path: Path
    root: Path | None
    name: str


def list_files(paths: Sequence[Path]) -> list[InputFile]:
    """Every file below the paths, sorted by name; hidden files and departments.csv left out. Raises UsageError."""
    found: dict[Path, InputFile] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder", "check the path")
        if path.is_dir():
            for folder, subfolders, names in os.walk(path):
                subfolders[:] = sorted(s for s in subfolders if not s.startswith("."))
                for name in sorted(names):
                    if not name.startswith(".") and name not in (REGISTRY, "Thumbs.db"):
                        file = Path(folder) / name
                        found.setdefault(file.resolve(), InputFile(file, path, file.relative_to(path).as_posix()))
        else:
            found.setdefault(path.resolve(), InputFile(path, None, path.name))
    if not found:
        raise UsageError(f"no files in {', '.join(map(str, paths))}", "name a folder with PDF, Word, HTML or text files")
    return distinct_names(sorted(found.values(), key=lambda f: f.name))


def distinct_names(files: Sequence[InputFile]) -> list[InputFile]:
    """Files of one name from two roots keep apart by their root's name."""
    names = [f.name for f in files]
    return [
        InputFile(f.path, f.root, f"{(f.root or f.path.parent).resolve().name}/{f.name}") if names.count(f.name) > 1 else f for f in files
    ]


@cache
def _model(folder: Path | None) -> Model:
    """One model a worker process."""
    return load_model(folder)


def _score(file: InputFile, model: Path | None) -> ScoredDocument:
    return score_file(file.path, file.name, _model(model))


def score_files(files: Sequence[InputFile], model: Path | None = None, jobs: int = 0) -> Iterator[ScoredDocument]:
    """Scored documents in the order of `files`, as they come. jobs: worker processes, 0 for one a core."""
    workers = min(jobs or os.cpu_count() or 1, len(files))
    if workers <= 1:
        yield from (_score(file, model) for file in files)
    else:
        yield from Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs")(delayed(_score)(f, model) for f in files)
