"""Paths → the files to score, by name, with what is in them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.departments import REGISTRY
from classifier.errors import UnreadableDocument, UsageError
from classifier.folders import real_path, walk
from classifier.pages import open_file
from classifier.plain_text import spelled_out


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to score. root: the folder that was named on the command line, None for a file named itself.

    name: its path below the root, with forward slashes: what `document` says in every table.
    """

    path: Path
    root: Path | None
    name: str


def list_files(paths: Sequence[Path], leave_out: Iterable[Path] = ()) -> list[InputFile]:
    """Every file below the paths, sorted by name; hidden files, departments.csv and the files in `leave_out` are none.

    Raises UsageError for a path that is not there, a folder that can't be listed, and where no file is left.
    """
    written = {path.resolve() for path in leave_out}
    found: dict[Path, InputFile] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder", "check the path")
        if path.is_dir():
            for folder, names in walk(path):
                for name in names:
                    file = folder / name
                    if (
                        not name.startswith(".")
                        and name not in (REGISTRY, "Thumbs.db")
                        and real_path(file) not in written
                    ):
                        found.setdefault(real_path(file), InputFile(file, path, _shown(file.relative_to(path))))
        else:
            found.setdefault(path.resolve(), InputFile(path, None, _shown(Path(path.name))))
    if not found:
        raise UsageError(
            f"no files in {', '.join(map(str, paths))}", "name a folder with PDF, Word, HTML or text files"
        )
    return sorted(distinct_names(list(found.values())), key=lambda f: f.name)


def _shown(path: Path) -> str:
    """A path with forward slashes, spelled out so that every table and terminal can hold it."""
    return spelled_out(path.as_posix())


def distinct_names(files: Sequence[InputFile]) -> list[InputFile]:
    """Files of one name from several roots keep apart by as many of the folders above as it takes."""
    above = [(f.root or f.path.parent).resolve().parts[1:] for f in files]
    names = [f.name for f in files]
    depth = 0
    while len(counts := Counter(names)) < len(names):
        depth += 1
        names = [
            _shown(Path(*folders[-depth:], f.name)) if counts[name] > 1 else name
            for f, folders, name in zip(files, above, names, strict=True)
        ]
    return [InputFile(f.path, f.root, name) for f, name in zip(files, names, strict=True)]


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a file. digest: SHA-256, as hexadecimal digits; empty where it is not to be read, for a `reason`."""

    digest: str
    reason: str = ""


def look(file: InputFile) -> Content:
    """Read a file once, for its digest. What is no file, too large or not there gets a reason with the next step."""
    try:
        with open_file(file.path) as source:
            return Content(hashlib.file_digest(source, "sha256").hexdigest())
    except UnreadableDocument as error:
        return Content("", str(error).removeprefix(f"{file.path}: "))
