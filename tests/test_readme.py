"""The README's commands are run as they stand, and print what it says they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """The fenced block after `<!-- name -->`."""
    match = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```", README, re.S)
    assert match, f"README has no block {name}"
    return match[1]


def run(*command: str, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "", **extra}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_score_command_prints_what_the_readme_shows(tmp_path: Path) -> None:
    command = block("score").strip().splitlines()[-1]
    assert command.startswith(".venv/bin/clauses score ")
    words = command.split(" || ")[0].split()[1:]
    words[words.index("results")] = str(tmp_path / "results")
    # the command installs no OCR; here there may be one
    done = run(sys.executable, "-m", "classifier", *words, "--ocr", "never", cwd=ROOT)
    assert done.returncode == 1, done.stderr
    shown = [line.rstrip() for line in done.stdout.splitlines() if not line.endswith("results/")]
    assert shown == [line.rstrip() for line in block("run").splitlines()]
    made = {p.name for p in (tmp_path / "results").iterdir()}
    assert made == {"clauses.jsonl", "documents.csv", "findings.csv", "findings.xlsx", "score.log", ".finished"}


def test_the_python_lines_run() -> None:
    done = run(sys.executable, "-c", block("python"), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("notifies_ice_on_release ")


def test_the_lines_with_frames_answer_the_question() -> None:
    done = run(sys.executable, "-c", block("frames"), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert {"department", "stance", "page", "text"} == set(done.stdout.split("\n", 1)[0].split())
    assert "Merrowfield Police Department" in done.stdout


def test_a_wheel_does_the_main_job_away_from_the_checkout(tmp_path: Path) -> None:
    built = run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), ".", cwd=ROOT
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "policy.txt").write_text("1. Members shall not hold any person on an ICE detainer.\n")
    done = run(
        sys.executable, "-m", "classifier", "score", "policy.txt", "--out", "out", cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "honors_detainers,refuses" in (tmp_path / "out" / "findings.csv").read_text()
    where = run(
        sys.executable, "-c", "import classifier; print(classifier.__file__)", cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")
    )  # fmt: skip
    assert where.stdout.startswith(str(tmp_path))


@pytest.mark.parametrize("name", ["score", "tests"])
def test_the_two_commands_need_pip_and_venv_only(name: str) -> None:
    tools = {line.split()[0] for line in block(name).strip().splitlines()}
    assert tools <= {"python3", ".venv/bin/pip", ".venv/bin/clauses", ".venv/bin/python"}
