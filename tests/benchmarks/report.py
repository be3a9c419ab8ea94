"""How long the report and the research tables of 400 departments take.

    python tests/benchmarks/report.py [--store FOLDER]

Prints seconds and sizes, beside the target. --store keeps the store of matrix_page.py for the next run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parent))
from matrix_page import make_store

from classifier.evidence import Evidence
from classifier.report_docx import docx_report
from classifier.report_html import html_report
from classifier.research_tables import table_files
from classifier.store import open_store

TARGET = 60  # seconds


def main(
    folder: Annotated[Path | None, typer.Option("--store", help="Folder of the store, kept for the next run.")] = None,
) -> None:
    """Measure each, from evidence to bytes."""
    with tempfile.TemporaryDirectory() as temporary:
        kept = folder or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        store = open_store(make_store(kept))
        evidence = Evidence.from_store(store)
        store.close()
    print(f"{len(evidence.departments)} departments, {len(evidence.clauses)} clauses, {len(evidence.labels)} labels")
    for what, make in (
        ("HTML", lambda: len(html_report(evidence))),
        ("Word", lambda: len(docx_report(evidence))),
        ("tables", lambda: sum(map(len, table_files(evidence).values()))),
    ):
        began = time.perf_counter()
        size = make()
        took = time.perf_counter() - began
        reached = "reached" if took <= TARGET else "MISSED"
        print(f"{what:8} {took:5.1f} s  {size / 1e6:5.1f} MB  (≤ {TARGET} s) {reached}", flush=True)


if __name__ == "__main__":
    typer.run(main)
