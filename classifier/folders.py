"""Folders of any depth, and links that lead anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from classifier.errors import UsageError


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder from `root` down with the names of its files, in order; hidden folders and links to folders left out.

    `os.walk` and `Path.rglob` call themselves, and fail 1,000 folders down. Raises UsageError for a folder that can't be
    listed, which they pass over.
    """
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise UsageError(
                f"{folder}: can't be listed ({error.strerror})", "change its permissions or name other folders"
            ) from error
        waiting += [
            folder / entry.name
            for entry in reversed(listed)
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]
        yield folder, [entry.name for entry in listed if not _is_folder(entry)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def real_path(path: Path) -> Path:
    """The path without links, or as it is where a link leads to itself: `Path.resolve` fails there."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()
