"""Messages over a pipe: a head of plain JSON and a body of bytes, each with its length before it. Nothing in them is run."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

_LENGTHS = struct.Struct(">IQ")  # of head and body


def send(pipe: int, head: dict[str, Any], body: bytes = b"") -> None:
    """Write one message to a file descriptor. Raises OSError, BrokenPipeError if nobody reads it any more."""
    text = json.dumps(head).encode("ascii")
    for part in (_LENGTHS.pack(len(text), len(body)) + text, body):
        left = memoryview(part)
        while left:
            left = left[os.write(pipe, left) :]


def receive(pipe: int) -> tuple[dict[str, Any], bytes] | None:
    """The next message from a file descriptor; None where the other side has ended, even amid a message."""
    lengths = _exactly(pipe, _LENGTHS.size)
    if lengths is None:
        return None
    of_head, of_body = _LENGTHS.unpack(lengths)
    text = _exactly(pipe, of_head)
    body = _exactly(pipe, of_body)
    if text is None or body is None:
        return None
    head: dict[str, Any] = json.loads(text)
    return head, body


def _exactly(pipe: int, size: int) -> bytes | None:
    read = bytearray()
    while len(read) < size:
        part = os.read(pipe, min(size - len(read), 1 << 20))
        if not part:
            return None
        read += part
    return bytes(read)
