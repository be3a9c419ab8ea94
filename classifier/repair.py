"""A damaged PDF file → one that can be read, as far as qpdf finds its parts again."""

from __future__ import annotations

import io
import logging

import pikepdf

# What qpdf finds wrong is told to the reader as one note, not as a list of object numbers.
logging.getLogger("pikepdf").setLevel(logging.CRITICAL)


def repaired(data: bytes) -> bytes | None:
    """The file written anew with every object that could be found; None where no pages were."""
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if not pdf.pages:
                return None
            target = io.BytesIO()
            pdf.save(target)
            return target.getvalue()
    except Exception:  # it raises what its C++ library likes on damaged files, and passwords are no PdfError
        return None
