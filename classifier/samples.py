"""Authored policies → sample PDF files that look like what departments send; the same bytes every time.

`training_data/samples.csv` says which document becomes which file in which layout; `sample_layouts.py` draws them:

    make_samples(Path("training_data/samples.csv"), sorted(Path("training_data/documents").rglob("*.policy")), out)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import LabelledDataError
from classifier.labelled import LabelledDocument, read_policy
from classifier.sample_layouts import LAYOUTS, draw, library

REGISTRY_COLUMNS = ("document", "department", "kind", "county", "state", "effective_date", "source", "note")


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the table: the file to make, the document (a policy's id) that it shows, the layout's name."""

    file: str
    document: str
    layout: str


def read_samples(table: Path) -> list[Sample]:
    """Read the table of samples. Raises LabelledDataError where a column is missing."""
    with table.open(encoding="utf-8", newline="") as source:
        try:
            return [Sample(row["file"], row["document"], row["layout"]) for row in csv.DictReader(source)]
        except KeyError as error:
            raise LabelledDataError(f"{table}: no column {error}", "begin the file with file,document,layout") from None


def make_samples(table: Path, policies: Sequence[Path], out: Path) -> list[Path]:
    """Write every sample that the table names into the folder `out`. policies: the `.policy` files to choose from."""
    by_id = {path.stem: path for path in policies}
    made = []
    for sample in read_samples(table):
        if sample.document not in by_id:
            raise LabelledDataError(f"{table}: no document {sample.document!r}", "name the stem of a .policy file")
        content = draw_sample(read_policy(by_id[sample.document]), sample.layout)
        out.mkdir(parents=True, exist_ok=True)
        made.append(out / sample.file)
        made[-1].write_bytes(content)
    return made


def draw_sample(policy: LabelledDocument, layout: str) -> bytes:
    """One policy as a PDF file. Raises LabelledDataError for a layout that there isn't."""

    if layout == "scan":
        return scanned(draw(policy, LAYOUTS["typed"]))
    if layout not in LAYOUTS:
        raise LabelledDataError(f"no layout {layout!r}", f"use one of {', '.join([*LAYOUTS, 'scan'])}")
    return draw(policy, LAYOUTS[layout])


def registry_rows(samples: Iterable[Sample], policies: Sequence[Path]) -> list[dict[str, str]]:
    """The rows of departments.csv for samples, as the headers of their policies tell; source and note empty."""
    by_id = {path.stem: path for path in policies}
    rows = []
    for sample in samples:
        policy = read_policy(by_id[sample.document])
        known = (sample.file, policy.agency, policy.kind, policy.county, policy.state, policy.date, "", "")
        rows.append(dict(zip(REGISTRY_COLUMNS, known, strict=True)))
    return rows


# --- scans -------------------------------------------------------------------------------------------------------

_DPI = 150
_TILTS = (0.6, -0.4, 0.9, -0.7, 0.3)  # degrees, page after page


def scanned(pdf: bytes) -> bytes:
    """The same pages as grey pictures: tilted, speckled, a little blurred, without a text layer."""
    canvas_module, readers = library("reportlab.pdfgen.canvas"), library("reportlab.lib.utils")
    written = io.BytesIO()
    canvas = canvas_module.Canvas(written, invariant=1)
    source = library("pypdfium2").PdfDocument(pdf)
    for number, page in enumerate(source):
        picture = io.BytesIO()
        _aged(page.render(scale=_DPI / 72, grayscale=True).to_pil().convert("L"), number).save(
            picture, "JPEG", quality=38, dpi=(_DPI, _DPI)
        )
        width, height = page.get_size()
        canvas.setPageSize((width, height))
        canvas.drawImage(readers.ImageReader(picture), 0, 0, width, height)
        canvas.showPage()
    source.close()
    canvas.save()
    return written.getvalue()


def _aged(picture: Any, number: int) -> Any:
    """A clean page picture as a worn office scanner would give it. number: 0-based page, the seed of its noise."""
    import numpy as np

    image, filters = library("PIL.Image"), library("PIL.ImageFilter")
    noise = np.random.default_rng(1000 + number)
    tilt = _TILTS[number % len(_TILTS)]
    turned = picture.rotate(tilt, image.Resampling.BICUBIC, fillcolor=255).filter(filters.GaussianBlur(0.6))
    grey = np.asarray(turned, dtype=np.float32) * 0.83 + 36  # paper is not white, toner not black
    rows, columns = grey.shape
    grey -= 22 * np.linspace(1, 0, columns)[None, :] ** 6  # the shadow of the lid along the left edge
    grey += noise.normal(0, 5, grey.shape)
    for y, x, size in zip(
        noise.integers(0, rows, 90), noise.integers(0, columns, 90), noise.integers(1, 4, 90), strict=True
    ):
        grey[y : y + size, x : x + size] -= 90
    return image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
