"""Reading on a dask cluster of real processes: the same tables as here, whatever happens to schedulers and workers."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pdf_files import body, page_of, write_pdf

from classifier.errors import UsageError
from classifier.exports import TABLES
from classifier.finished import read_record
from classifier.limits import CHANGED
from classifier.runs import score_into
from classifier.slots import Slot, Slots
from classifier.worker import Job

pytest.importorskip("distributed", reason="a cluster needs the extra `cluster`")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="documents get no process of their own without fork")

from classifier.cluster import ENDED, Cluster, NoScheduler, Patience  # noqa: E402 - only where distributed is

HASTY = Patience(connect=20, workers=40, lost=60, silent=3, look=0.5)

# A reading process whose documents misbehave as their first word says.
MISBEHAVING = """
import os, time
from classifier import pipeline, worker

read_as_usual = pipeline.read_document

def read(path, *rest):
    what = path.read_bytes().split()[0]
    if what == b"slow":
        time.sleep(0.7)
    elif what == b"abort":
        os.abort()
    return read_as_usual(path, *rest)

pipeline.read_document = read
worker.main()
"""

# What the dask workers of these tests load first.
PRELOADED = """
import os
from functools import partial
from classifier import cluster, input_files, slots

class Falling(slots.Slot):
    def run(self, job):
        if job.path.name == "fatal.txt":
            os._exit(1)  # the dask worker itself
        return super().run(job)

def look(file):
    return input_files.look(file) if file.path.name != "elsewhere.txt" else input_files.Content("", "not here")

cluster.Slot = partial(Falling, program=[{program!r}])
cluster.look = look
if {other}:
    cluster.installed = lambda model: ("another program", "")
"""


class Machines:
    """A scheduler and its workers on this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.all: list[subprocess.Popen[bytes]] = []

    def schedule(self, failures: int = 3) -> subprocess.Popen[bytes]:
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--dashboard-address", "127.0.0.1:0"]
        setting = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(failures)}
        return self._start("dask_scheduler", *where, "--no-dashboard", **setting)

    def work(self, other: bool = False) -> subprocess.Popen[bytes]:
        misbehaving, preloaded = self.folder / "misbehaving.py", self.folder / f"preloaded_{other}.py"
        misbehaving.write_text(MISBEHAVING)
        preloaded.write_text(PRELOADED.format(program=str(misbehaving), other=other))
        lone = ["--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--death-timeout", "60"]
        where = ["--local-directory", str(self.folder), "--dashboard-address", "127.0.0.1:0"]
        return self._start("dask_worker", self.address, *lone, *where, "--preload", str(preloaded))

    def stop(self) -> None:
        for process in self.all:
            process.kill()
            process.wait()

    def _start(self, what: str, *arguments: str, **setting: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{what}", *arguments]
        with (self.folder / f"{what}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=os.environ | setting)
        self.all.append(process)
        return process


@contextmanager
def machines_in(folder: Path) -> Iterator[Machines]:
    machines = Machines(folder)
    try:
        yield machines
    finally:
        machines.stop()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    (tmp_path / "machines").mkdir()
    with machines_in(tmp_path / "machines") as made:
        yield made


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler and two workers that no test harms."""
    with machines_in(tmp_path_factory.mktemp("pair")) as made:
        made.schedule()
        made.work()
        made.work()
        yield made


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten slow orders, a PDF file, a damaged one, a duplicate, one that ends its process and one for --shared."""
    folder = tmp_path_factory.mktemp("policies")
    for i in range(10):
        (folder / f"order-{i}.txt").write_text(f"slow order {i}.\n\nMembers shall not hold any person on a detainer.\n")
    write_pdf(folder / "manual.pdf", [page_of(body(4))])
    (folder / "damaged.pdf").write_bytes(b"%PDF-1.4 rubbish")
    (folder / "same.txt").write_bytes((folder / "order-3.txt").read_bytes())
    (folder / "crash.txt").write_text("abort")
    (folder / "elsewhere.txt").write_text("Members shall notify ICE of a release.\n")
    return folder


@pytest.fixture(scope="module")
def local(policies: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of a run on this machine."""
    folder = tmp_path_factory.mktemp("local")
    program = folder / "misbehaving.py"
    program.write_text(MISBEHAVING)
    with Slots(lambda: Slot(program=[str(program)])) as slots:
        score_into(folder / "out", [policies], readers=slots)
    return tables(folder / "out")


def tables(out: Path) -> dict[str, bytes]:
    """All tables without the seconds that each document took."""
    found = {name: (out / name).read_bytes() for name in TABLES}
    return found | {"documents.csv": re.sub(rb"\b\d+\.\d+\b", b"", found["documents.csv"])}


def orders(folder: Path, count: int, first: str = "slow") -> list[tuple[int, Job]]:
    jobs = []
    for i in range(count):
        path = folder / f"numbered-{i}.txt"
        path.write_text(f"{first} order {i}.\n\nMembers shall not hold any person on a detainer.\n")
        jobs.append((i, Job(path, hashlib.sha256(path.read_bytes()).hexdigest())))
    return jobs


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)


class Disturbance:
    """A watcher of a run that does something once, when two documents are done."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.done = 0

    def stage(self, *_: object) -> None:
        self.done = 0

    def step(self, summary: object = None) -> None:
        self.done += summary is not None
        if summary is not None and self.done == 2:
            self.act()


# --- the same as here --------------------------------------------------------------------------------------------


def test_shipped_files_give_the_tables_of_a_local_run(
    pair: Machines, policies: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    with Cluster(pair.address, patience=HASTY) as cluster:
        outcome = score_into(tmp_path, [policies], readers=cluster)
    assert tables(tmp_path) == local
    assert [(p.name, p.status) for p in outcome.problems] == [("crash.txt", "failed"), ("damaged.pdf", "failed")]
    assert "crashes the program" in outcome.problems[0].reason


def test_shared_files_are_read_where_the_workers_find_them(
    pair: Machines, policies: Path, local: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = []
    read_bytes = Path.read_bytes

    def noted(path: Path) -> bytes:
        shipped.append(path.name)
        return read_bytes(path)

    with Cluster(pair.address, shared=True, patience=HASTY) as cluster, monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", noted)
        score_into(tmp_path, [policies], readers=cluster)
    assert tables(tmp_path) == local
    assert [name for name in shipped if (policies / name).exists()] == ["elsewhere.txt"]


def test_jobs_are_taken_as_there_is_room(pair: Machines, tmp_path: Path) -> None:
    taken = 0

    def jobs() -> Iterator[tuple[int, Job]]:
        nonlocal taken
        for job in orders(tmp_path, 12, "Quick"):
            taken += 1
            yield job

    with Cluster(pair.address, patience=HASTY) as cluster:
        wait_until(lambda: len(cluster._client.nthreads()) == 2)
        answers = cluster.answers(jobs())
        first = next(answers)
        assert taken <= 6  # two for each of two threads, and those in whose place they came
        assert sorted([first[0], *(n for n, _ in answers)]) == list(range(12))


def test_a_file_that_is_gone_or_changed_is_no_answer_that_lasts(pair: Machines, tmp_path: Path) -> None:
    (gone, a), (changed, b) = orders(tmp_path, 2, "Quick")
    a.path.unlink()
    b.path.write_text("Another order.")
    with Cluster(pair.address, patience=HASTY) as cluster:
        answers = dict(cluster.answers([(gone, a), (changed, b)]))
    assert [read_record(answers[n].record, "").reason for n in (gone, changed)] == [CHANGED, CHANGED]
    assert not any(answer.lasting for answer in answers.values())


# --- what may happen ---------------------------------------------------------------------------------------------


def test_a_killed_worker_costs_nothing_but_time(
    machines: Machines, policies: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    machines.schedule()
    victim, _ = machines.work(), machines.work()
    with Cluster(machines.address, patience=HASTY) as cluster:
        wait_until(lambda: len(cluster._client.nthreads()) == 2)
        score_into(tmp_path / "out", [policies], watcher=Disturbance(victim.kill), readers=cluster)
    assert victim.poll() == -signal.SIGKILL
    assert tables(tmp_path / "out") == local


def test_a_frozen_worker_is_not_waited_for(
    machines: Machines, policies: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    machines.schedule()
    victim, _ = machines.work(), machines.work()
    with Cluster(machines.address, patience=HASTY) as cluster:
        wait_until(lambda: len(cluster._client.nthreads()) == 2)
        freeze = Disturbance(lambda: victim.send_signal(signal.SIGSTOP))
        score_into(tmp_path / "out", [policies], watcher=freeze, readers=cluster)
    assert tables(tmp_path / "out") == local
    assert len((tmp_path / "out" / "score.log").read_text().splitlines()) == 16  # 14 contents, each once; start and end


def test_a_scheduler_that_starts_anew_is_found_again(
    machines: Machines, policies: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    before = [machines.schedule(), machines.work()]
    said: list[str] = []

    def restart() -> None:
        before[0].kill()
        before[0].wait()
        before[1].wait(30)  # a worker ends with its scheduler
        machines.schedule()
        machines.work()

    with Cluster(machines.address, listeners=[said.append], patience=HASTY) as cluster:
        score_into(tmp_path / "out", [policies], watcher=Disturbance(restart), readers=cluster)
    assert tables(tmp_path / "out") == local
    assert [line.split(" at ")[0] for line in said if "scheduler" in line] == ["the dask scheduler"] * 2


def test_a_scheduler_that_stays_away_ends_the_run_and_what_is_finished_stays(
    machines: Machines, tmp_path: Path
) -> None:
    scheduler = machines.schedule()
    machines.work()
    patience = Patience(connect=20, workers=40, lost=1)
    with Cluster(machines.address, patience=patience) as cluster:
        answers = cluster.answers(orders(tmp_path, 6))
        next(answers)
        scheduler.kill()
        with pytest.raises(UsageError, match=r"the dask scheduler is gone; start it again.*what is finished is kept"):
            list(answers)


def test_a_document_that_ends_dask_workers_fails_alone(machines: Machines, tmp_path: Path) -> None:
    machines.schedule(failures=0)
    machines.work()
    fatal = tmp_path / "fatal.txt"
    fatal.write_text("An order.")
    job = Job(fatal, hashlib.sha256(fatal.read_bytes()).hexdigest())
    with Cluster(machines.address, patience=HASTY) as cluster:
        ((_, answer),) = cluster.answers([(0, job)])
        assert (read_record(answer.record, "").reason, answer.lasting) == (ENDED, False)
        machines.work()  # joins later
        ((_, answer),) = cluster.answers(orders(tmp_path, 1))
    assert read_record(answer.record, "").status == "ok"


def test_ctrl_c_ends_the_command_and_the_same_command_goes_on(
    pair: Machines, policies: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    command = [sys.executable, "-W", "error", "-m", "classifier", "score", str(policies), "--out", str(tmp_path)]
    command += ["--cluster", pair.address]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "score.log"
    wait_until(lambda: log.exists() and "\tok\t" in log.read_text())
    run.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = run.communicate(timeout=20)
    assert (run.returncode, errors) == (130, "interrupted; the same command goes on where this one stopped\n")
    assert time.monotonic() - began < 8
    assert log.read_text().count("\tok\t") < 12
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert again.returncode == 1
    assert [line.split(":")[0] for line in again.stderr.splitlines()] == ["failed", "failed"]  # and nothing else
    assert tables(tmp_path) == local


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_worker_with_another_program_is_refused_by_name(machines: Machines) -> None:
    machines.schedule()
    machines.work(other=True)
    with pytest.raises(UsageError, match=r"dask worker tcp://127\.0\.0\.1:\d+: another program .* restart its dask"):
        Cluster(machines.address, patience=HASTY)


def test_and_so_is_one_that_joins_later(machines: Machines, tmp_path: Path) -> None:
    machines.schedule()
    good = machines.work()
    with Cluster(machines.address, patience=HASTY) as cluster:
        good.send_signal(signal.SIGTERM)
        good.wait(30)
        machines.work(other=True)
        with pytest.raises(UsageError, match=r"dask worker tcp://127\.0\.0\.1:\d+: another program"):
            list(cluster.answers(orders(tmp_path, 1)))


def test_a_scheduler_without_workers_is_told(machines: Machines) -> None:
    machines.schedule()
    said: list[str] = []
    with pytest.raises(UsageError, match=r"the scheduler has no workers; start some.*dask worker tcp://127"):
        Cluster(machines.address, listeners=[said.append], patience=Patience(connect=20, workers=4))
    assert said == [f"no dask worker at {machines.address} yet; waiting for one"]


@pytest.mark.parametrize("address", ["nonsense", "", "foo://127.0.0.1:1", "tls://127.0.0.1:1", "tcp://127.0.0.1"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(NoScheduler, match=r"no dask scheduler answers there.*check the address"):
        Cluster(address, patience=Patience(connect=1))


def test_a_server_that_is_no_scheduler_is_not_waited_for(
    clauses: Callable[..., object], tmp_path: Path, policies: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        run = clauses("score", policies, "--out", tmp_path, "--cluster", f"tcp://127.0.0.1:{mute.getsockname()[1]}")
    assert time.monotonic() - began < 12
    assert (run.status, "no dask scheduler answers there" in run.err) == (2, True)


def test_options_that_contradict_the_cluster_are_wrong_use(clauses: Callable[..., object], policies: Path) -> None:
    assert clauses("score", policies, "--out", "out", "--shared").status == 2
    assert clauses("score", policies, "--out", "out", "--cluster", "tcp://127.0.0.1:1", "--jobs", "2").status == 2
