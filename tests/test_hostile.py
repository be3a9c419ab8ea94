"""Files that nobody would send in good faith: a batch of them ends in time, with a row and a reason for each.

The command is run once over the whole collection, in processes that write down whatever they open to write, start and
connect to, while a server listens at the address that the files name.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hostile_files
import pytest
from hostile_files import COLLECTION, READ, RULE, Hostile

from classifier.clauses import split_document
from classifier.departments import read_registry
from classifier.errors import UnreadableDocument
from classifier.input_files import InputFile, list_files, look
from classifier.pages import read_document
from classifier.pipeline import score_file
from classifier.plain_text import as_written, spelled_out
from classifier.predictions import Model

SECONDS, MEGABYTES, WHOLE = 8, 1000, 240

# What a process does to the world, a line each. Python runs a module of this name when it starts.
AUDIT = """
import json, os, sys

log = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
started = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile"}
changed = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate"}

def heard(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if not isinstance(path, int) and (flags & writing or set(mode or "") & set("wax+")):
            note("written", path)
    elif event in changed:
        note("written", arguments[0])
    elif event in started:
        note("started", arguments)
    elif event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        note("asked", arguments)

def note(what, about):
    about = os.fsdecode(about) if isinstance(about, (str, bytes, os.PathLike)) else repr(about)
    os.write(log, (json.dumps([what, os.path.abspath(about) if what == "written" else about]) + "\\n").encode())

sys.addaudithook(heard)
"""


@dataclass(frozen=True)
class Batch:
    """How the command over the collection ended. rows: of documents.csv, by the document's name. did: what was noted."""

    folder: Path
    out: Path
    status: int
    said: str
    seconds: float
    rows: dict[str, dict[str, str]]
    did: list[tuple[str, str]]
    visitors: int


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    root = tmp_path_factory.mktemp("hostile")
    folder = root / "in"
    folder.mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    made = {"here": hostile_files.URL.format(port=listener.getsockname()[1])}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hostile_files, "URL", made["here"])
        for one in COLLECTION:
            one.make(folder / one.name)
    (folder / "a folder.pdf").mkdir()
    (folder / "round").symlink_to(".")
    with listener, growing(folder / "growing.txt"):
        yield scored(root, folder, listener)


class growing:
    """A file that somebody goes on writing to."""

    def __init__(self, path: Path) -> None:
        self.path, self.stop = path, threading.Event()
        self.path.write_text("The desk keeps the log.\n")
        self.writer = threading.Thread(target=self.write)

    def write(self) -> None:
        while not self.stop.wait(0.002):
            with self.path.open("a") as target:
                target.write("The desk keeps the log.\n")

    def __enter__(self) -> None:
        self.writer.start()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.writer.join()


def scored(root: Path, folder: Path, listener: socket.socket) -> Batch:
    """Run the command over the collection."""
    out, log, scratch = root / "out", root / "audit.log", root / "scratch"
    (root / "audit").mkdir()
    scratch.mkdir()
    (root / "audit" / "sitecustomize.py").write_text(AUDIT)
    surroundings = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(root / "audit"), str(Path(__file__).parent.parent)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUDIT_LOG": str(log),
        "TMPDIR": str(scratch),
    }
    limits = ["--seconds", str(SECONDS), "--memory", str(MEGABYTES), "--ocr", "never", "--quiet"]
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "classifier", "score", str(folder), "--out", str(out), *limits],
        env=surroundings, cwd=scratch, capture_output=True, text=True, errors="replace", timeout=WHOLE, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - began
    assert (out / "documents.csv").exists(), ended.stderr
    with (out / "documents.csv").open(encoding="utf-8-sig", newline="") as source:
        rows = {as_written(row["document"]): row for row in csv.DictReader(source)}
    did = [tuple(json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]
    return Batch(folder, out, ended.returncode, ended.stderr, seconds, rows, did, visitors(listener))


def visitors(listener: socket.socket) -> int:
    """How many connections wait at the address."""
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except TimeoutError:
            return count
        count += 1


def test_the_collection_is_large_and_no_file_is_there_twice() -> None:
    assert len(COLLECTION) == len({one.name for one in COLLECTION}) >= 40


@pytest.mark.parametrize("one", COLLECTION, ids=lambda one: ascii(one.name))
def test_a_hostile_file_is_read_or_refused_by_name(batch: Batch, one: Hostile) -> None:
    row = batch.rows[spelled_out(one.name)]
    if one.ends == READ:
        assert (row["status"], row["reason"]) == ("ok", "")
    else:
        assert row["status"] in ("failed", "partial")
        assert any(words in row["reason"] for words in one.ends.split("|"))
        # what fails for a whole file names the next step; a page says what is wrong with it
        assert ";" in row["reason"] or row["reason"].startswith("page")


def test_every_file_has_its_row_and_nothing_else_has(batch: Batch) -> None:
    assert set(batch.rows) == {spelled_out(one.name) for one in COLLECTION} | {"growing.txt"}


def test_the_batch_goes_through(batch: Batch) -> None:
    assert batch.status == 1, batch.said
    assert "Traceback" not in batch.said
    assert batch.seconds < 120
    assert {p.name for p in batch.out.iterdir()} >= {"clauses.jsonl", "documents.csv", "findings.csv", "findings.xlsx"}


def test_a_file_that_grows_is_read_or_said_to_change(batch: Batch) -> None:
    row = batch.rows["growing.txt"]
    assert row["status"] == "ok" or "changed while it was read" in row["reason"]


def test_the_rule_is_found_where_it_can_be_read(batch: Batch) -> None:
    found = set()
    with (batch.out / "clauses.jsonl").open(encoding="utf-8") as source:
        for line in source:
            clause = json.loads(line)
            if RULE in clause["text"]:
                found.add(as_written(clause["document"]))
    assert {
        "locked-against-printing.pdf",
        "runs-javascript.pdf",
        "tables-50-deep.docx",
        "tags-100,000-deep.html",
    } <= found
    assert {"asks-for-more.html", "utf-16-without-mark.txt", "rotten-few-bits.pdf"} <= found


def test_no_secret_of_this_computer_comes_in(batch: Batch) -> None:
    assert "root:" not in (batch.out / "clauses.jsonl").read_text(encoding="utf-8")


def test_nothing_is_fetched(batch: Batch) -> None:
    assert [about for what, about in batch.did if what == "asked"] == []
    assert batch.visitors == 0


def test_nothing_is_started_but_workers(batch: Batch) -> None:
    started = [about for what, about in batch.did if what == "started"]
    assert started
    assert [about for about in started if "classifier.worker" not in about] == []


def test_nothing_is_written_elsewhere(batch: Batch) -> None:
    root = batch.folder.parent
    own = (str(batch.out), str(root / "scratch"), "/dev/null", "/dev/shm", "/proc/self")
    written = [about for what, about in batch.did if what == "written"]
    assert any(about.startswith(str(batch.out)) for about in written)  # or the log saw nothing
    assert [about for about in written if not about.startswith(own)] == []
    assert not list(root.rglob("climbed.txt"))
    assert not (root / "scratch" / "x").exists()


def test_the_folder_is_as_it_was(batch: Batch) -> None:
    assert {p.name for p in batch.folder.iterdir()} == {
        *(one.name for one in COLLECTION), "growing.txt", "a folder.pdf", "round"
    }  # fmt: skip


# --- one file in this process ------------------------------------------------------------------------------------


def refused(read: Callable[[], object]) -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as told:
        read()
    assert told.value.next_step
    return told.value


def test_a_file_that_vanishes_after_it_was_listed(tmp_path: Path, model: Model) -> None:
    (tmp_path / "here.txt").write_text(RULE)
    (file,) = list_files([tmp_path])
    file.path.unlink()
    assert look(file).reason == "there is no such file; check the path"
    assert score_file(file.path, file.name, model).reason == "there is no such file; check the path"


def test_folders_of_any_depth_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1_200):
        Path("d").mkdir()
        os.chdir("d")
    Path("deep.txt").write_text(RULE)
    os.chdir(tmp_path)
    assert [file.path.name for file in list_files([tmp_path])] == ["deep.txt"]
    assert read_registry([tmp_path]).by_file == {}
    subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)  # shutil, with which pytest would, calls itself too


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "locked.txt"
    path.write_text(RULE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    assert "no permission" in refused(lambda: read_document(path)).message


@pytest.mark.parametrize("name", ["pipe.pdf", "socket.pdf", "endless.txt", "link-to-itself.pdf", "5-GB.pdf"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (one,) = (one for one in COLLECTION if one.name == name)
    one.make(tmp_path / name)
    began = time.monotonic()
    assert one.ends in str(refused(lambda: read_document(tmp_path / name)))
    assert one.ends in look(InputFile(tmp_path / name, None, name)).reason
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("name", [one.name for one in COLLECTION if one.name.startswith("bomb-of")])
def test_a_bomb_is_told_before_it_is_unpacked(tmp_path: Path, name: str) -> None:
    (one,) = (one for one in COLLECTION if one.name == name)
    one.make(tmp_path / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert one.ends in str(refused(lambda: read_document(tmp_path / name)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_the_corners_of_a_page_may_stand_in_any_order(tmp_path: Path) -> None:
    (one,) = (one for one in COLLECTION if one.name == "page-of-negative-size.pdf")
    one.make(tmp_path / one.name)
    assert [line.text for line in read_document(tmp_path / one.name).lines] == [RULE]


@pytest.mark.parametrize(
    "text", ["word " * 9_000, "a" * 45_000, "Keys hang by the door. " * 2_000, "and so on\n" * 4_000]
)
def test_a_text_without_end_is_cut_and_kept_whole(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    document = read_document(tmp_path / "a.txt")
    assert max(len(line.text) for line in document.lines) <= 10_000
    assert "".join(line.text for line in document.lines).replace(" ", "") == "".join(text.split())
    clauses = split_document(document)
    assert "".join(clause.text for clause in clauses).replace(" ", "") == "".join(text.split())
    assert max(len(clause.text) for clause in clauses) <= 10_000


def test_a_table_in_a_table_is_read_in_order(tmp_path: Path) -> None:
    inner = "<w:tbl><w:tr><w:tc>" + hostile_files.paragraph("inside") + "</w:tc></w:tr></w:tbl>"
    row = "<w:tc>{}</w:tc><w:tc>{}</w:tc>".format(
        hostile_files.paragraph("before") + inner, hostile_files.paragraph("beside")
    )
    inserted = "<w:sdt><w:sdtContent>" + hostile_files.paragraph("controlled") + "</w:sdtContent></w:sdt>"
    (tmp_path / "a.docx").write_bytes(
        hostile_files.word(change=hostile_files.main_part(f"<w:tbl><w:tr>{row}</w:tr></w:tbl>{inserted}"))
    )
    lines = read_document(tmp_path / "a.docx").lines
    assert [(line.text, line.cell) for line in lines] == [
        ("before", 1), ("inside", 2), ("beside", 3), ("controlled", None)
    ]  # fmt: skip
