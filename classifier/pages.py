"""Document files → Document(Page, Line). The one door for every format.

The readers behind it load when a file asks for them: their libraries take a quarter of a second to import.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.document import ACCEPTED, Document, Format, Line, Page
from classifier.errors import UnreadableDocument
from classifier.limits import LARGEST, MEGABYTE

if TYPE_CHECKING:
    from classifier.ocr import OcrReader

__all__ = ["Document", "Line", "Page", "read_document"]

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Office file (.doc, .xls)",
    b"{\\rtf": "a rich text file (.rtf)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
}

_LOCKED = "EncryptedPackage".encode("utf-16-le")  # the name of the stream in which Office locks a file


def read_document(
    path: Path, ocr: OcrReader | None = None, matters: Callable[[str], bool] | None = None, thorough: bool = False
) -> Document:
    """Read one file. Its type is decided by what is in it, then by its name.

    ocr: asked for the lines of every PDF page that can't be read otherwise.
    matters: whether a page with these words can matter; of a long PDF file, the others are set aside, with their words
    counted. None: all do. thorough: read with care what is set aside, too.
    Raises UnreadableDocument, with what to do next, where nothing of the file can be read; pages of a PDF that fail
    alone are `unread` instead.
    """
    data = _content(path)
    kind = _format(path, data)
    if kind == "pdf":
        from classifier.pdf_pages import read_pdf

        return read_pdf(path, data, ocr, matters, thorough)
    if kind == "docx":
        from classifier.word_files import read_docx

        return read_docx(path, data)
    if kind == "html":
        from classifier.web_pages import read_html

        return read_html(path, data)
    from classifier.text_formats import read_txt

    return read_txt(path, data)


@contextmanager
def open_file(path: Path) -> Iterator[io.BufferedReader]:
    """A file to read from. Raises UnreadableDocument where there is none, where it is too large, or no file but a device."""
    try:
        with open(path, "rb", opener=_without_waiting) as source:
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _no_file(path)
            if status.st_size > LARGEST:
                size = f"{status.st_size / MEGABYTE:,.0f} MB, more than {LARGEST // MEGABYTE}"
                raise UnreadableDocument(f"{path}: the file has {size}", "split it, or save it without pictures")
            yield source
    except FileNotFoundError:
        raise UnreadableDocument(f"{path}: there is no such file", "check the path") from None
    except IsADirectoryError:
        raise UnreadableDocument(f"{path}: this is a folder", "name a file in it") from None
    except PermissionError:
        raise UnreadableDocument(
            f"{path}: no permission to read it", "change the file's permissions or copy it"
        ) from None
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise _no_file(path) from None
        raise UnreadableDocument(f"{path}: {error.strerror or error}", "check the path and the disk") from error


def _no_file(path: Path) -> UnreadableDocument:
    return UnreadableDocument(f"{path}: this is a pipe or a device, not a file", "save what it gives as a file")


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe without a writer at once, where it would wait for one."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _content(path: Path) -> bytes:
    with open_file(path) as source:
        # no more, of a file that grows; and of a small one no more memory than it has
        data = source.read(os.fstat(source.fileno()).st_size)
    if not data:
        raise UnreadableDocument(f"{path}: the file is empty (0 bytes)", "download or request it again")
    return data


def _format(path: Path, data: bytes) -> Format:
    """The file's format, by its first bytes, then by its name."""
    suffix = path.suffix.lower()
    head = data[:1024].lstrip()
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK") and (inside := _zip_names(data)) is not None:
        if "word/document.xml" in inside:
            return "docx"
        raise _refused(path, "a zip archive or an Office file other than Word")
    foreign = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)
    if foreign and _LOCKED in data:
        raise UnreadableDocument(f"{path}: the Office file is locked with a password", "ask for an unlocked copy")
    if foreign:
        raise _refused(path, foreign)
    if suffix in (".pdf", ".docx"):
        name = suffix[1:].upper()
        raise UnreadableDocument(f"{path}: not a {name} file though it is named so", "download or request it again")
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b", head, re.IGNORECASE) or suffix in (
        ".html",
        ".htm",
    ):
        return "html"
    if suffix == ".txt":
        return "txt"
    raise _refused(path, f"a {suffix or 'nameless'} file")


def _refused(path: Path, what: str) -> UnreadableDocument:
    return UnreadableDocument(f"{path}: {what} can't be read", f"save it as one of {ACCEPTED}")


def _zip_names(data: bytes) -> list[str] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except Exception:  # zipfile raises what it likes on damaged archives
        return None
