"""What tesseract needs to know of English: where it lies on this computer, found without loading OCR itself."""

from __future__ import annotations

import os
from pathlib import Path

from classifier.errors import OcrMissing

INSTALL = (
    "pip install 'collaboration-clauses[ocr]', and tesseract's language data: apt-get install tesseract-ocr "
    "(brew install tesseract; elsewhere set TESSDATA_PREFIX to the folder of eng.traineddata and osd.traineddata)"
)
_DATA_FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "/Program Files/Tesseract-OCR/tessdata",
)


def data_folder() -> str:
    """The folder that holds what tesseract knows of English and of the ways a page can lie. Raises OcrMissing."""
    named = os.environ.get("TESSDATA_PREFIX", "")
    root = Path(Path.cwd().anchor)
    folders = [Path(named), Path(named) / "tessdata"] if named else []
    folders += [found for pattern in _DATA_FOLDERS for found in sorted(root.glob(pattern.lstrip("/")), reverse=True)]
    for folder in folders:
        if all((folder / f"{name}.traineddata").is_file() for name in ("eng", "osd")):
            return str(folder)
    raise OcrMissing("tesseract's language data is not installed", INSTALL)


def language_data() -> str:
    """Names the language data of this computer: another word where it is installed or replaced; empty without it."""
    try:
        folder = Path(data_folder())
        return " ".join(f"{path.name} {path.stat().st_size}" for path in sorted(folder.glob("*.traineddata")))
    except (OcrMissing, OSError):
        return ""
