"""What holds for any bytes: they are read or refused with a next step, and what is read is text that splitting keeps."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hostile_files import MAIN, RULE, archive, main_part, ordinary, paragraph, word
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.clauses import split_document
from classifier.document import Document
from classifier.errors import UnreadableDocument
from classifier.pages import read_document

SUFFIXES = (".pdf", ".docx", ".html", ".txt", ".htm", ".doc", "")
bounded = settings(
    max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
# pieces that steer the readers, more often than chance would bring them
PIECES = (
    b"%PDF-1.7\n", b"PK\x03\x04", b"PK\x05\x06", b"<html>", b"<li>", b"<ol start=x>", b"<table><tr><td>", b"</", b"<!--", b"&#",
    b"charset=", b"stream\n", b"endobj\n", b"1 0 obj\n", b"<<", b">>", b"[", b"]", b"/Kids", b"/Filter", b"-1", b"99999999999",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"\f", b"\x1b[31m", "\u202e".encode(), "\u2028".encode(), b"(a)", b"1.", b"....", b"\r",
)  # fmt: skip
piece = st.one_of(st.sampled_from(PIECES), st.binary(max_size=40))
change = st.tuples(st.sampled_from(("flip", "cut", "insert", "repeat", "end")), st.floats(0, 1), st.floats(0, 1), piece)


def pdf_seed() -> bytes:
    with TemporaryDirectory() as folder:
        return ordinary(Path(folder) / "a.pdf", pages=1).read_bytes()


def word_seed() -> bytes:
    return word(
        change=main_part(paragraph(RULE) + f"<w:tbl><w:tr><w:tc>{paragraph('(a) inside')}</w:tc></w:tr></w:tbl>")
    )


@cache
def seeds() -> dict[str, bytes]:
    """A valid file of each format, by its suffix."""
    page = f"<html><meta charset=utf-8><h1>Order</h1><ol><li>{RULE}<li>Keys<br>hang</ol><table><tr><td>a<td>b</table>"
    return {
        ".pdf": pdf_seed(),
        ".docx": word_seed(),
        ".html": page.encode(),
        ".txt": f"ORDER 7\n\n1. {RULE}\n   (a) the desk; or\n\f2. Keys hang by the door.\n".encode(),
    }


def mutated(data: bytes, changes: list[tuple[str, float, float, bytes]]) -> bytes:
    """The data after each change: bits turned, a part cut out, bytes put in, a part once more, the end cut off."""
    for kind, first, second, new in changes:
        a, b = sorted((int(first * len(data)), int(second * len(data))))
        b = min(b, a + 200)
        if kind == "flip" and a < len(data):
            data = data[:a] + bytes([data[a] ^ (1 << len(new) % 8)]) + data[a + 1 :]
        elif kind == "cut":
            data = data[:a] + data[b:]
        elif kind == "insert":
            data = data[:a] + new + data[a:]
        elif kind == "repeat":
            data = data[:b] + data[a:]
        elif kind == "end":
            data = data[: max(1, a)]
    return data


def outcome(path: Path) -> Document | UnreadableDocument:
    try:
        return read_document(path)
    except UnreadableDocument as error:
        return error


def assert_read_or_refused(data: bytes, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"document{suffix}"
        path.write_bytes(data)
        result = outcome(path)
    if isinstance(result, UnreadableDocument):
        assert result.message.startswith(f"{path}: ")
        assert result.next_step
    else:
        assert_sound(result)


def assert_sound(document: Document) -> None:
    """Pages are numbered, lines are text without a command in it, and splitting keeps every letter."""
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
    for page in document.pages:
        assert page.reason or page.status != "unread"
        for line in page.lines:
            assert line.text == " ".join(line.text.split()) != ""
            assert len(line.words) == len(line.text.split())
            assert not {unicodedata.category(c) for c in line.text} & {"Cc", "Cf", "Cs"}
    clauses = split_document(document)
    assert letters(" ".join(clause.text for clause in clauses)) == letters(" ".join(n.text for n in document.lines))


def letters(text: str) -> str:
    """Text without what folding takes: white space, and hyphens at line ends."""
    return re.sub(r"[\s-]", "", text)


@bounded
@given(st.lists(piece, max_size=12).map(b"".join), st.sampled_from(SUFFIXES))
def test_any_bytes_under_any_name(data: bytes, suffix: str) -> None:
    assert_read_or_refused(data, suffix)


@pytest.mark.parametrize("suffix", [".pdf", ".docx", ".html", ".txt"])
@bounded
@given(changes=st.lists(change, min_size=1, max_size=6))
def test_a_file_changed_at_places(suffix: str, changes: list[tuple[str, float, float, bytes]]) -> None:
    assert_read_or_refused(mutated(seeds()[suffix], changes), suffix)


@bounded
@given(
    st.sampled_from(
        [MAIN, "[Content_Types].xml", "word/styles.xml", "word/_rels/document.xml.rels", "docProps/core.xml"]
    ),
    st.lists(change, min_size=1, max_size=4),
)
def test_a_word_file_with_a_changed_part(name: str, changes: list[tuple[str, float, float, bytes]]) -> None:
    with zipfile.ZipFile(io.BytesIO(seeds()[".docx"])) as packed:
        parts = {part: packed.read(part) for part in packed.namelist()}
    assert_read_or_refused(archive(parts | {name: mutated(parts[name], changes)}), ".docx")


@bounded
@given(st.sampled_from(sorted(seeds())), st.sampled_from(sorted(seeds())), st.floats(0, 1), st.floats(0, 1))
def test_halves_of_two_files(first: str, second: str, end: float, start: float) -> None:
    one, other = seeds()[first], seeds()[second]
    assert_read_or_refused(one[: int(end * len(one))] + other[int(start * len(other)) :], first)


@pytest.mark.parametrize("suffix", [".pdf", ".docx", ".html", ".txt"])
def test_the_seeds_are_sound(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(seeds()[suffix])
    document = read_document(path)
    assert RULE in " ".join(line.text for line in document.lines)
    assert_sound(document)
