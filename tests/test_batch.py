"""Many files: which are listed, by what names, and that the number of workers changes nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from pdf_files import body, page_of, write_pdf

from classifier.batch import score_files
from classifier.errors import UsageError
from classifier.input_files import InputFile, list_files


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Keys hang by the door.\n", encoding="utf-8")
    return folder


def names(*paths: Path) -> list[str]:
    return [f.name for f in list_files(paths)]


def test_files_of_all_depths_and_kinds_are_listed_by_name(tmp_path: Path) -> None:
    put(tmp_path, "b.pdf", "a/deep/z.txt", "a.docx", "c", "B.html", "x.exe")
    assert names(tmp_path) == ["B.html", "a.docx", "a/deep/z.txt", "b.pdf", "c", "x.exe"]


def test_hidden_files_and_the_registry_are_no_policies(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", ".DS_Store", ".git/config", "departments.csv", "deep/departments.csv", "Thumbs.db")
    assert names(tmp_path) == ["a.txt"]


def test_a_file_named_itself_counts_whatever_it_is_called(tmp_path: Path) -> None:
    put(tmp_path, ".hidden.txt")
    (file,) = list_files([tmp_path / ".hidden.txt"])
    assert (file.name, file.root) == (".hidden.txt", None)


def test_a_file_reached_twice_is_listed_once(tmp_path: Path) -> None:
    put(tmp_path, "in/a.txt", "in/deep/b.txt")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "in" / "a.txt")
    inside = tmp_path / "in"
    assert names(inside, inside, inside / "deep", inside / "a.txt", inside / ".." / "in") == ["a.txt", "deep/b.txt"]


def test_a_dangling_link_is_listed_so_that_it_is_reported(tmp_path: Path) -> None:
    (tmp_path / "gone.pdf").symlink_to(tmp_path / "nowhere.pdf")
    assert names(tmp_path) == ["gone.pdf"]


def test_tables_of_an_earlier_run_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "out/findings.csv", "findings.csv")
    listed = list_files([tmp_path], [tmp_path / "out" / "findings.csv"])
    assert [f.name for f in listed] == ["a.txt", "findings.csv"]


@pytest.mark.parametrize("missing", ["none.pdf", "none/"])
def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path, missing: str) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        list_files([tmp_path, tmp_path / missing])


def test_a_folder_without_files_is_wrong_use(tmp_path: Path) -> None:
    put(tmp_path, "departments.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no files in"):
        list_files([tmp_path])


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.txt", "locked/b.txt")
    scandir = os.scandir

    def denied(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(UsageError, match=r"locked: can't be listed"):
        list_files([tmp_path])


# --- names -------------------------------------------------------------------------------------------------------


def test_files_of_one_name_are_told_apart_by_the_folder_above(tmp_path: Path) -> None:
    put(tmp_path, "2018/order.txt", "2024/order.txt", "2024/memo.txt")
    assert names(tmp_path / "2018", tmp_path / "2024") == ["2018/order.txt", "2024/order.txt", "memo.txt"]
    assert names(tmp_path / "2018" / "order.txt", tmp_path / "2024" / "order.txt") == [
        "2018/order.txt",
        "2024/order.txt",
    ]


def test_by_as_many_folders_as_it_takes(tmp_path: Path) -> None:
    put(tmp_path, "merrow/in/order.txt", "oxbow/in/order.txt", "oxbow/other/order.txt")
    roots = [tmp_path / "merrow" / "in", tmp_path / "oxbow" / "in", tmp_path / "oxbow" / "other"]
    assert names(*roots) == ["merrow/in/order.txt", "other/order.txt", "oxbow/in/order.txt"]


def test_names_are_always_distinct_and_the_files_the_same(tmp_path: Path) -> None:
    put(tmp_path, "a/a/x.txt", "a/x.txt", "x.txt", "b/a/x.txt", "b/a/a/x.txt")
    listed = list_files([tmp_path / "a" / "a", tmp_path / "a", tmp_path / "b" / "a", tmp_path])
    assert len(listed) == 5 == len({f.name for f in listed}) == len({f.path.resolve() for f in listed})
    assert [f.name for f in listed] == sorted(f.name for f in listed)


def test_a_name_that_is_no_text_is_spelled_out(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("Keys hang by the door.\n")
    (file,) = list_files([tmp_path])
    assert file.name == "caf\\xe9.txt"
    assert file.path.read_text()


# --- scoring -----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> list[InputFile]:
    put(tmp_path, "d.txt")
    (tmp_path / "a.txt").write_text("Members shall not hold any person on an ICE detainer.\n", encoding="utf-8")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 rubbish")
    write_pdf(tmp_path / "c.pdf", [page_of(body(4))])
    return list_files([tmp_path])


def test_one_worker_and_two_give_the_same_in_the_same_order(files: list[InputFile]) -> None:
    one, two = ([replace(d, seconds=0.0) for d in score_files(files, jobs=jobs)] for jobs in (1, 2))
    assert one == two
    assert [d.name for d in one] == [f.name for f in files] == ["a.txt", "b.pdf", "c.pdf", "d.txt"]
    assert [d.status for d in one] == ["ok", "failed", "ok", "ok"]


def test_documents_come_as_they_are_scored(files: list[InputFile]) -> None:
    documents = score_files([*files, InputFile(Path("/none"), None, "none")], jobs=1)
    assert next(documents).name == "a.txt"
    assert [d.name for d in documents][-1] == "none"


def test_no_files_give_no_documents() -> None:
    assert list(score_files([])) == []
