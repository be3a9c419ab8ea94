"""Runs that are stopped, repeated, and find things changed: finished documents are not read again, and the tables the same."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import run_command

from classifier.departments import read_registry
from classifier.errors import UsageError
from classifier.exports import TABLES
from classifier.finished import FOLDER, Finished, record_of
from classifier.limits import DEFAULT, Limits, Options
from classifier.runs import LOG, Outcome, score_into
from classifier.slots import Slot, Slots

Score = Callable[..., Outcome]
COUNT = 24
PRACTICES = (
    "hold any person on an ICE detainer",
    "tell ICE when a person is released",
    "share the intake log with ICE",
)


def fill(folder: Path, count: int) -> Path:
    """Orders of several departments, no two alike."""
    for n in range(count):
        path = folder / f"pd {n % 4}" / f"order-{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        rules = [
            f"{i}. Members of unit {n} {'may' if (n + i) % 3 else 'shall not'} {PRACTICES[i % 3]}." for i in range(60)
        ]
        path.write_text("\n".join(rules) + "\n", encoding="utf-8")
    return folder


def start(folder: Path, out: Path) -> subprocess.Popen[str]:
    """The command in a process of its own, in a group as a terminal would put it."""
    command = [sys.executable, "-m", "classifier", "score", folder, "--out", out, "--jobs", 2]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )


def records(out: Path) -> dict[str, int]:
    """The records of finished documents, with the time at which each was written."""
    return {p.name: p.stat().st_mtime_ns for p in (out / FOLDER).glob("*.gz")}


def content(out: Path) -> dict[str, object]:
    """The tables of a run: bytes, but for the time that each document took."""
    tables: dict[str, object] = {name: (out / name).read_bytes() for name in TABLES}
    with (out / "documents.csv").open(encoding="utf-8", newline="") as source:
        tables["documents.csv"] = [{**row, "seconds": ""} for row in csv.DictReader(source)]
    return tables


def log(out: Path) -> list[list[str]]:
    return [line.split("\t") for line in (out / LOG).read_text(encoding="utf-8").splitlines()]


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("orders") / "in", COUNT)


@pytest.fixture(scope="module")
def score() -> Iterator[Callable[..., Outcome]]:
    """`clauses score` as a call, with workers that are loaded once for all tests."""
    with Slots(Slot, 2) as slots:

        def run(source: Path, out: Path, options: Options = DEFAULT) -> Outcome:
            return score_into(out, [source], options=options, readers=slots)

        yield run


@pytest.fixture(scope="module")
def undisturbed(folder: Path, score: Score) -> Path:
    out = folder.parent / "out"
    assert not score(folder, out).problems
    return out


@pytest.fixture
def copy(undisturbed: Path, tmp_path: Path) -> Path:
    """The folder of a run that is done, to do harm to."""
    return Path(shutil.copytree(undisturbed, tmp_path / "out"))


# --- stopped in the middle ---------------------------------------------------------------------------------------


def test_a_run_that_is_killed_goes_on_where_it_was(
    folder: Path, undisturbed: Path, tmp_path: Path, score: Score
) -> None:
    out = tmp_path / "out"
    chance = random.Random(7)
    kept: dict[str, int] = {}
    for _ in range(2):
        run = start(folder, out)
        enough = len(kept) + chance.randint(1, 8)
        wait_for(lambda enough=enough: len(records(out)) >= enough)
        run.kill()
        run.communicate()
        assert kept.items() <= records(out).items()
        kept = records(out)
    assert len(kept) < COUNT
    (out / FOLDER / "half.part").touch()
    (out / ".clauses.jsonl.x7").touch()
    (out / ".findings.xlsx.tmp").touch()
    score(folder, out)
    assert kept.items() <= records(out).items()
    assert content(out) == content(undisturbed)
    assert sorted(p.name for p in out.iterdir()) == sorted([*TABLES, FOLDER, LOG])
    assert not list((out / FOLDER).glob("*.part"))


def test_a_run_whose_workers_are_killed_loses_nothing(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Worker and child each, at random moments."""
    out = tmp_path / "out"
    chance = random.Random(5)
    run = start(folder, out)
    killed = 0
    for enough, deep in ((2, False), (7, True), (12, False)):
        wait_for(lambda enough=enough: len(records(out)) >= enough)  # type: ignore[misc]
        time.sleep(chance.random() / 20)
        workers = below(run.pid)
        targets = [child for worker in workers for child in below(worker)] if deep else workers
        for target in targets[:1]:
            os.kill(target, signal.SIGKILL)
            killed += 1
    said, errors = run.communicate(timeout=60)
    assert killed >= 2
    assert run.returncode == 0, said + errors
    assert content(out) == content(undisturbed)


def below(process: int) -> list[int]:
    """The children of a process and of its threads, where the system tells."""
    if not Path("/proc/self/task").exists():
        pytest.skip("only Linux tells the children of a process")
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(n) for text in lists for n in text.read_text().split()]


def test_an_interrupt_says_how_to_go_on(folder: Path, undisturbed: Path, tmp_path: Path, score: Score) -> None:
    out = tmp_path / "out"
    run = start(folder, out)
    wait_for(lambda: len(records(out)) >= 2)
    os.killpg(run.pid, signal.SIGINT)
    said, errors = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "the same command goes on" in errors
    assert "Traceback" not in said + errors
    assert log(out)[-1][1:3] == ["stopped", "KeyboardInterrupt"]
    kept = records(out)
    assert 2 <= len(kept) < COUNT
    score(folder, out)
    assert kept.items() <= records(out).items()
    assert content(out) == content(undisturbed)


def test_two_runs_never_write_to_one_folder(folder: Path, tmp_path: Path) -> None:
    run = start(folder, tmp_path)
    wait_for(lambda: (tmp_path / LOG).exists())
    second = run_command("score", folder, "--out", tmp_path)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=20)
    assert second.status == 2
    assert "another run is writing there" in second.err


# --- run again ---------------------------------------------------------------------------------------------------


def test_nothing_is_done_twice(folder: Path, copy: Path, score: Score) -> None:
    written = {name: (copy / name).stat().st_mtime_ns for name in TABLES}
    before = content(copy), records(copy)
    outcome = score(folder, copy)
    assert (outcome.files, outcome.pages, outcome.read) == (COUNT, COUNT, 0)
    assert (content(copy), records(copy)) == before
    assert {name: (copy / name).stat().st_mtime_ns for name in TABLES} == written


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_was_touched_is_written_again(
    folder: Path, copy: Path, undisturbed: Path, name: str, score: Score
) -> None:
    (copy / name).write_bytes(b"another")
    score(folder, copy)
    assert content(copy) == content(undisturbed)
    assert records(copy).keys() == records(undisturbed).keys()


def test_a_changed_file_alone_is_read_again(folder: Path, copy: Path, tmp_path: Path, score: Score) -> None:
    changed = Path(shutil.copytree(folder, tmp_path / "in"))
    with (changed / "pd 1" / "order-5.txt").open("a") as target:
        target.write("Keys hang by the door.\n")
    before = records(copy)
    score(changed, copy)
    after = records(copy)
    assert len(after.keys() & before.keys()) == COUNT - 1
    assert len(after) == COUNT  # what the old file gave is forgotten
    assert [line[4] for line in log(copy)[-2:-1]] == ["pd 1/order-5.txt"]
    assert "Keys hang by the door." in (copy / "clauses.jsonl").read_text()


def test_another_name_is_no_reason_to_read_a_file_again(folder: Path, copy: Path, tmp_path: Path, score: Score) -> None:
    """And its clauses have the ids of the new name."""
    changed = Path(shutil.copytree(folder, tmp_path / "in"))
    (changed / "pd 1" / "order-5.txt").rename(changed / "pd 1" / "renamed.txt")
    before = records(copy)
    score(changed, copy)
    assert records(copy) == before
    fresh = tmp_path / "fresh"
    score(changed, fresh)
    assert content(copy) == content(fresh)


@pytest.mark.parametrize("options", [Options(thorough=True), Options(limits=Limits(memory=1400)), Options("never")])
def test_other_options_are_another_way_to_read(folder: Path, tmp_path: Path, options: Options, score: Score) -> None:
    one = folder / "pd 0" / "order-0.txt"
    score(one, tmp_path)
    before = records(tmp_path)
    assert score(one, tmp_path, options).read == 1
    assert len(before) == len(records(tmp_path)) == 1
    assert not records(tmp_path).keys() & before.keys()


def test_another_department_needs_new_tables_and_no_reading(
    folder: Path, copy: Path, tmp_path: Path, score: Score
) -> None:
    named = Path(shutil.copytree(folder, tmp_path / "in"))
    rows = ["document,department,note", "pd 1/order-5.txt,Oxbow PD,", "pd 1/order-99.txt,Gone PD,"]
    (named / "departments.csv").write_text("\n".join(rows) + "\n")
    before = records(copy)
    outcome = score(named, copy)
    assert records(copy) == before
    assert "Oxbow PD" in {row.department.name for row in outcome.departments}
    assert "Oxbow PD" in (copy / "findings.csv").read_text()
    missing = str(next(p for p in read_registry([named]).by_file if not p.exists()))
    assert outcome.unknown == [missing]
    assert [line[2] for line in log(copy) if line[1] == "unknown"] == [missing]


# --- damage ------------------------------------------------------------------------------------------------------


def lines_of(record: bytes) -> list[str]:
    return gzip.decompress(record).decode().split("\n")


def spoilt(summary: dict[str, object], key: str, value: object) -> dict[str, object]:
    return {**summary, key: value}


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda record: record[: len(record) // 2],
    "cut at its end": lambda record: record[:-4],
    "rotten": lambda record: record[:200] + bytes([record[200] ^ 255]) + record[201:],
    "other bytes": lambda _: b"\x00" * 100,
    "no JSON": lambda _: gzip.compress(b"{"),
    "a list": lambda _: gzip.compress(b"[]"),
    "deep": lambda _: gzip.compress(b"[" * 100_000),
    "no clauses": lambda record: gzip.compress((lines_of(record)[0] + "\n{}").encode()),
    **{
        f"{key} {value!r}": lambda record, key=key, value=value: gzip.compress(
            "\n".join([json.dumps(spoilt(json.loads(lines_of(record)[0]), key, value)), *lines_of(record)[1:]]).encode()
        )
        for key, value in [
            ("format", 99), ("status", "fine"), ("pages", ["1", 1, 0, 0]), ("pages", [-1, 1, 0, 0]), ("findings", []),
            ("rules", [["honors_detainers", "forbids", [], 0.5]]), ("highest", {"sleeps": 0.5}), ("seconds", None),
            ("first_lines", [7]), ("note", None), ("clauses", 1.5),
        ]
    },
}  # fmt: skip


def test_damaged_records_are_none(folder: Path, undisturbed: Path, copy: Path, score: Score) -> None:
    """All at once: each document's record damaged in another way."""
    paths = sorted((copy / FOLDER).glob("*.gz"))
    assert len(DAMAGE) <= len(paths)
    for path, harm in zip(paths, DAMAGE.values(), strict=False):
        path.write_bytes(harm(path.read_bytes()))
    (copy / "clauses.jsonl").unlink()
    score(folder, copy)
    assert content(copy) == content(undisturbed)
    assert sum(line[1] == "damaged" for line in log(copy)) == len(DAMAGE)


@pytest.mark.parametrize("state", ["", "[]", "{", '{"made_of": 7}', "\xff"])
def test_a_damaged_state_is_none(folder: Path, undisturbed: Path, copy: Path, state: str, score: Score) -> None:
    (copy / FOLDER / "tables.json").write_bytes(state.encode("latin-1"))
    score(folder, copy)
    assert content(copy) == content(undisturbed)


def test_a_full_disk_is_told_and_what_is_finished_is_kept(
    folder: Path, undisturbed: Path, tmp_path: Path, score: Score
) -> None:
    """No file may grow beyond some kilobytes: the records fit, a table does not."""
    out = tmp_path / "out"
    program = [sys.executable, "-m", "classifier", "score", str(folder), "--out", str(out)]
    largest = max(p.stat().st_size for p in (undisturbed / FOLDER).glob("*.gz"))

    def fill_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 2000, largest + 2000))

    run = subprocess.run(program, preexec_fn=fill_disk, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert "can't be written" in run.stderr
    assert "free some space" in run.stderr
    assert "Traceback" not in run.stderr
    assert not [p for p in out.iterdir() if p.name in TABLES]
    kept = records(out)
    assert len(kept) == COUNT
    score(folder, out)
    assert records(out) == kept
    assert content(out) == content(undisturbed)


def test_a_disk_too_full_for_records_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: Score
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Finished, "keep", full)
    with pytest.raises(UsageError, match=r"No space left on device\); free some space and run the same command again"):
        score(folder, tmp_path / "out")


# --- duplicates --------------------------------------------------------------------------------------------------


def test_equal_files_are_read_once_and_each_keeps_its_rows(tmp_path: Path, score: Score) -> None:
    text = (
        "Members shall not hold any person on an ICE detainer.\nMembers shall not hold any person on an ICE detainer.\n"
    )
    for name in ("elm/a.txt", "ash/b.txt", "ash/c.TXT", "ash/d.html"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
    (tmp_path / "in" / "empty").mkdir()
    outcome = score(tmp_path / "in", tmp_path / "out")
    assert (outcome.files, outcome.pages, outcome.read, outcome.duplicates) == (4, 4, 2, 2)
    with (tmp_path / "out" / "documents.csv").open(newline="") as source:
        rows = {row["document"]: row for row in csv.DictReader(source)}
    of = {name: row["duplicate_of"] for name, row in rows.items()}
    assert of == {"ash/b.txt": "", "ash/c.TXT": "ash/b.txt", "ash/d.html": "", "elm/a.txt": "ash/b.txt"}
    assert [row["department"] for row in rows.values()] == ["ash", "ash", "ash", "elm"]
    assert len(records(tmp_path / "out")) == 2  # another suffix, another format
    units = [json.loads(line) for line in (tmp_path / "out" / "clauses.jsonl").read_text().splitlines()]
    assert len({unit["clause"] for unit in units}) == len(units)
    score(tmp_path / "in" / "elm", tmp_path / "alone")
    of_a = [json.loads(line)["text"] for line in (tmp_path / "alone" / "clauses.jsonl").read_text().splitlines()]
    assert [unit["text"] for unit in units if unit["document"] == "elm/a.txt"] == of_a


# --- the log, and what it costs ----------------------------------------------------------------------------------


def test_the_log_has_a_line_for_each_document_and_no_commands(tmp_path: Path, score: Score) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "\x1b[31mred.txt").write_text("Keys hang by the door.\n")
    (tmp_path / "in" / "empty.pdf").touch()
    assert len(score(tmp_path / "in", tmp_path / "out").problems) == 1
    (tmp_path / "in" / "new.txt").write_text("Keys hang by the window.\n")
    score(tmp_path / "in", tmp_path / "out")
    written = (tmp_path / "out" / LOG).read_text()
    assert all(c in "\n\t" or c.isprintable() for c in written)
    kinds = [line[1] for line in log(tmp_path / "out")]
    assert sorted(kinds[:4]) == ["end", "failed", "ok", "start"]
    assert kinds[4:] == ["start", "ok", "end"]
    (failed,) = [line for line in log(tmp_path / "out") if line[1] == "failed"]
    assert failed[4] == "empty.pdf"
    assert "0 bytes" in failed[5]


def test_the_parent_needs_no_more_for_more_documents(tmp_path: Path) -> None:
    """Records of ten long documents under many names: what is kept of each is a few kilobytes."""
    from classifier.batch import Batch, Task
    from classifier.departments import Registry
    from classifier.exports import by_department, write_tables
    from classifier.input_files import InputFile
    from classifier.pipeline import score_file
    from classifier.predictions import load_model
    from classifier.runs import Results

    document = score_file(fill(tmp_path / "in", 1) / "pd 0" / "order-0.txt", "", load_model())
    record = record_of(document)
    finished = Finished(tmp_path)

    def peak(count: int) -> int:
        tasks = [Task(InputFile(tmp_path / f"{n}.txt", tmp_path, f"{n}.txt"), "", str(n)) for n in range(count)]
        for task in tasks:
            finished.keep(task.key, record)
        tracemalloc.start()
        results = Results(Batch(tasks, finished), Registry())
        write_tables(results, results.units, by_department(results), tmp_path / "out", "1")
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(3)
    few, many = peak(10), peak(30)
    assert (many - few) / 20 < 8_000
    assert len(json.dumps(document.first_lines)) > 2_000  # what must not stay in memory is larger
