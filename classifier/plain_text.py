"""Text that others wrote → text that the place it goes to shows and never obeys: a cell, JSON, Markdown, a name.

For terminals see `terminal`.
"""

from __future__ import annotations

import json
import re
from typing import Any

# What a file of ours must not hold: control characters, lone surrogates, signs that turn the direction of what follows
# (they make text read otherwise than it is), noncharacters, and the invisible tags. XML can't hold most of them at all.
_OBEYED = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f"
OBEYED = re.compile(f"[{_OBEYED}]")
_IN_JSON = re.compile(f"[{_OBEYED}\u2028\u2029]")  # the last two end a line for some readers
_IN_NAMES = re.compile(f"[{_OBEYED}\t\n\r\u2028\u2029\\\\]")
# The first sign of a formula, as spreadsheets of any country read it, behind white space.
_BEGINS = "(?:[\\s\u200b-\u200f\u2060\ufeff]*[=+\\-@＝＋－＠﹦﹢﹣﹫]|[\t\r\n])"
_FORMULA, _QUOTED = re.compile(_BEGINS), re.compile(f"'*{_BEGINS}")
_HALF = re.compile("[\ud800-\udfff]")
_MARKDOWN = re.compile(r"[\\`*{}\[\]<>|$~:&@#!]|(?<![^\W_])_|_(?![^\W_])")


def legible(text: str) -> str:
    """Text without what is no text: nothing in it is a command, or shows the words in another order. Lines stay lines."""
    return OBEYED.sub("", text)


def whole(text: str) -> str:
    """Text that every table and file can hold: half a character (a lone surrogate) becomes U+FFFD."""
    return _HALF.sub("\ufffd", text)


def spelled_out(name: str) -> str:
    r"""A file name with what does not print as its code ("\x1b", "\xe9" for a byte that is no UTF-8).

    Different names stay different, a backslash is doubled for it.
    """
    spelled = _IN_NAMES.sub(lambda found: _code(found[0]), name)
    return spelled.encode("utf-8", "backslashreplace").decode("utf-8")


def _code(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # how Python keeps a byte that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def as_text(cell: str) -> str:
    """A cell of a CSV file that no spreadsheet takes for a formula: an apostrophe before one. `as_written` takes it off."""
    return f"'{cell}" if _QUOTED.match(cell) else cell


def as_written(cell: str) -> str:
    """The inverse of `as_text`."""
    return cell[1:] if cell.startswith("'") and _QUOTED.match(cell[1:]) else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet could take a cell for a formula."""
    return _FORMULA.match(cell) is not None


def plain_cell(value: Any) -> Any:
    """A value for a CSV cell: text legible and no formula, anything else as it is."""
    return as_text(legible(value)) if isinstance(value, str) else value


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON that loses nothing, with everything that a terminal or an editor would obey as an escape."""
    written = json.dumps(value, ensure_ascii=False, indent=indent)
    return _IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], written)  # such characters stand in strings alone


def markdown_text(text: str) -> str:
    """Text within a paragraph or a table of Markdown: no markup, HTML, link, formula or icon of its own, one line."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(legible(text).split()))
