"""What several test files share: the model in use, the command as a user runs it, and policies made on the spot."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from unittest.mock import patch

import pytest

from classifier.cli import main
from classifier.labelled import LabelledDocument, read_policy
from classifier.predictions import Model, load_model

HEADER = "title: Order\nagency: Oxbow Falls PD\nkind: municipal police\nfamily: order\nstate: MA\nhand: t1\n---\n"


@dataclass(frozen=True)
class Run:
    """How the command ended, and what it said."""

    status: int
    out: str
    err: str


def run_command(*arguments: object) -> Run:
    """`clauses ARGUMENTS` in this process. An exception that the command lets through fails the test."""
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with patch.object(sys, "argv", ["clauses", *map(str, arguments)]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
    assert isinstance(status, int)
    return Run(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def clauses() -> Callable[..., Run]:
    return run_command


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model()


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., LabelledDocument]:
    """A `.policy` file with this body, written and read."""

    def read(body: str, name: str = "order") -> LabelledDocument:
        path = tmp_path / f"{name}.policy"
        path.write_text(HEADER + dedent(body).lstrip("\n"), encoding="utf-8")
        return read_policy(path)

    return read
