"""One document in a process of its own: whatever it does, its slot has an answer, and the next document is read."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest
from pdf_files import body, page_of, write_pdf

from classifier import limits
from classifier.errors import ModelError
from classifier.finished import read_record
from classifier.limits import Limits, Options
from classifier.scored import Summary
from classifier.slots import Answer, Slot, Slots, WorkerError
from classifier.worker import Job

REFUSAL = "Members shall not hold any person on an ICE detainer."
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="documents get no process of their own without fork")

# A worker whose documents misbehave as their first word says.
MISBEHAVING = dedent("""
    import ctypes, os, resource, signal, subprocess, sys, time
    from pathlib import Path
    from classifier import pipeline, worker

    read_as_usual = pipeline.read_document

    def once(path):
        mark = path.with_suffix(".seen")
        seen = mark.exists()
        mark.touch()
        return not seen

    def read(path, *rest):
        what = path.read_text().split()[0]
        if what == "allocate":
            held = [bytearray(10 << 20) for _ in range(10_000)]
        elif what == "abort":
            os.abort()
        elif what == "segfault":
            ctypes.string_at(0)
        elif what == "exit":
            os._exit(7)
        elif what == "spin":
            while True:
                pass
        elif what == "sleep":
            time.sleep(60)
        elif what == "bequeath":
            left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            path.with_suffix(".pid").write_text(str(left.pid))
            os.abort()
        elif what == "write":
            with open(path.with_suffix(".big"), "wb") as target:
                target.truncate(2000 << 20)
        elif what == "print":
            print("x" * 100_000, flush=True)
            os.write(1, b"y" * 100_000)
        elif what == "litter":
            (Path(__import__("tempfile").gettempdir()) / "litter").touch()
        elif what == "kill-child" or (what == "kill-child-once" and once(path)):
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "kill-worker" or (what == "kill-worker-once" and once(path)):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        elif what == "change":
            path.write_text("Another order.")
        elif what == "vanish":
            path.unlink()
        return read_as_usual(path, *rest)

    pipeline.read_document = read
    worker.main()
""")


def job(tmp_path: Path, word: str, memory: int = 1500, seconds: int = 0) -> Job:
    path = tmp_path / f"{word}.txt"
    path.write_text(f"{word} keys. {REFUSAL}\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Job(path, digest, Options(limits=Limits(memory, seconds)))


def said(answer: Answer) -> Summary:
    return read_record(answer.record, "order.txt")


@pytest.fixture(scope="module")
def slot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slot]:
    """One slot for the whole module: each test finds it whole, whatever the one before did."""
    with Slot(scratch=tmp_path_factory.mktemp("scratch"), program=("-c", MISBEHAVING)) as made:
        yield made


def test_a_document_is_read(slot: Slot, tmp_path: Path) -> None:
    answer = slot.run(job(tmp_path, "Hang"))
    assert (said(answer).status, said(answer).name, answer.lasting) == ("ok", "order.txt", True)
    assert {q.finding.verdict for q in said(answer).quotes if q.finding.practice == "honors_detainers"} == {"refuses"}


def test_the_same_document_gives_the_same_record(slot: Slot, tmp_path: Path) -> None:
    one, other = (said(slot.run(job(tmp_path, "Hang"))) for _ in range(2))
    assert one.quotes == other.quotes
    assert one.rules == other.rules


def test_a_document_may_be_shipped(slot: Slot, tmp_path: Path) -> None:
    there = job(tmp_path, "Hang")
    content = there.path.read_bytes()
    there.path.unlink()
    assert said(slot.run(Job(there.path, there.digest, content=content))).status == "ok"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("allocate", limits.OUT_OF_MEMORY),
        ("spin", limits.out_of_time(1)),
        ("sleep", limits.too_slow(1)),
        ("abort", limits.crashed("SIGABRT")),
        ("segfault", limits.crashed("SIGSEGV")),
        ("exit", limits.crashed("exit status 7")),
    ],
)
def test_a_document_that_takes_too_much_fails_by_name(slot: Slot, tmp_path: Path, word: str, reason: str) -> None:
    began = time.monotonic()
    answer = slot.run(job(tmp_path, word, memory=300, seconds=1))
    assert (said(answer).status, said(answer).reason, answer.lasting) == ("failed", reason, True)
    assert "; " in reason  # with the next thing to do
    assert time.monotonic() - began < 10
    assert {q.finding.verdict for q in said(answer).quotes} == {"unread"}
    assert said(slot.run(job(tmp_path, "Hang"))).status == "ok"


def test_what_a_document_started_ends_with_it(slot: Slot, tmp_path: Path) -> None:
    assert said(slot.run(job(tmp_path, "bequeath"))).status == "failed"
    left = int((tmp_path / "bequeath.pid").read_text())
    assert not stays(left)


def test_a_document_can_neither_write_without_end_nor_leave_anything(slot: Slot, tmp_path: Path) -> None:
    assert said(slot.run(job(tmp_path, "write"))).status == "failed"
    assert said(slot.run(job(tmp_path, "litter"))).status == "ok"
    assert slot.scratch
    deadline = time.monotonic() + 5
    while list(slot.scratch.iterdir()) and time.monotonic() < deadline:  # the answer comes before the cleaning
        time.sleep(0.01)
    assert list(slot.scratch.iterdir()) == []


def test_what_a_library_prints_is_no_message(slot: Slot, tmp_path: Path) -> None:
    assert said(slot.run(job(tmp_path, "print"))).status == "ok"


@pytest.mark.parametrize("what", ["child", "worker"])
def test_a_document_whose_process_is_killed_from_outside_is_tried_once_more(
    slot: Slot, tmp_path: Path, what: str
) -> None:
    assert said(slot.run(job(tmp_path, f"kill-{what}-once"))).status == "ok"
    answer = slot.run(job(tmp_path, f"kill-{what}"))
    assert (said(answer).status, said(answer).reason, answer.lasting) == ("failed", limits.KILLED, False)
    assert said(slot.run(job(tmp_path, "Hang"))).status == "ok"


@pytest.mark.parametrize("word", ["change", "vanish"])
def test_a_document_that_changes_is_not_taken_for_what_it_was(slot: Slot, tmp_path: Path, word: str) -> None:
    answer = slot.run(job(tmp_path, word))
    assert (said(answer).status, said(answer).reason, answer.lasting) == ("failed", limits.CHANGED, False)


def test_more_pages_have_more_time() -> None:
    assert [Limits().allowed(pages) for pages in (0, 1, 100, 100_000)] == [120, 130, 1120, 3600]
    assert Limits(seconds=7).allowed(1000) == 7


def test_pages_are_counted_before_they_are_read(tmp_path: Path) -> None:
    """With one second for a document and as much for a page, 2 s by the clock, three pages have 8 s."""
    program = MISBEHAVING.replace("what = path.read_text().split()[0]", "what = ''; time.sleep(2.5)").replace(
        "read_as_usual = ", "worker.limits._SECONDS = worker.limits._PER_PAGE = 1; read_as_usual = "
    )
    path = write_pdf(tmp_path / "order.pdf", [page_of(body(3))] * 3)
    with Slot(program=("-c", program)) as slot:
        summary = said(slot.run(Job(path, hashlib.sha256(path.read_bytes()).hexdigest())))
    assert (summary.status, summary.reason) == ("ok", "")
    assert summary.seconds > 2.5


def test_a_model_that_is_none_is_told(tmp_path: Path) -> None:
    with Slot(model=tmp_path / "none") as slot, pytest.raises(ModelError, match="none"):
        slot.run(job(tmp_path, "Hang"))


def test_a_worker_that_does_not_start_is_told_in_its_last_words(tmp_path: Path) -> None:
    with (
        Slot(program=("-c", "raise SystemExit('no such library')")) as slot,
        pytest.raises(WorkerError, match="no such library"),
    ):
        slot.run(job(tmp_path, "Hang"))


def test_closing_a_slot_ends_what_it_reads(tmp_path: Path) -> None:
    slots = Slots(lambda: Slot(program=("-c", MISBEHAVING)))
    (slot,) = slots._all
    ended: list[str] = []

    def read() -> None:
        try:
            with slots.taken() as mine:
                mine.run(job(tmp_path, "sleep"))
        except WorkerError as error:
            ended.append(error.message)

    reader = Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 20
    while not (children := below(slot._process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    slots.close()
    reader.join(10)
    assert ended
    assert children
    assert not any(map(stays, children))


def test_a_worker_without_its_parent_ends_and_so_does_its_document(tmp_path: Path) -> None:
    """The parent is killed, and can't say good-bye."""
    program = f"""
from classifier.slots import Slot
from classifier.worker import Job
from pathlib import Path
slot = Slot(program=("-c", {MISBEHAVING!r}))
print(slot._process.pid, flush=True)
slot.run(Job(Path({str(job(tmp_path, "sleep").path)!r}), ""))
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    worker = int(parent.stdout.readline())
    deadline = time.monotonic() + 20
    while not (children := below(worker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert children
    assert not any(map(stays, [worker, *children]))


def below(process: int) -> list[int]:
    """The children of a process, where the system tells."""
    try:
        return [int(n) for n in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        pytest.skip("only Linux tells the children of a process")


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def stays(process: int) -> bool:
    """Is it still there after a while?"""
    deadline = time.monotonic() + 10
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive(process)
