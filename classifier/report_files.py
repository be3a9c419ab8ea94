"""The report and the research tables as files on a disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classifier.errors import UsageError
from classifier.evidence import Evidence
from classifier.exports import make_folder, write_file
from classifier.report_docx import docx_report
from classifier.report_html import html_report
from classifier.research_tables import write_tables

_KINDS = {".html": html_report, ".docx": docx_report}


def check_targets(out: Path | None, tables: Path | None) -> None:
    """Raises UsageError where nothing is asked for, or in a format that there is not, or where no file can be written."""
    if out is None and tables is None:
        raise UsageError("no report asked for", "name a file with --out, a folder with --tables, or both")
    if out is not None and out.suffix.lower() not in _KINDS:
        raise UsageError(f"{out}: neither .html nor .docx", "end the name of the report with one of them")
    if out is not None and not out.parent.is_dir():
        raise UsageError(f"{out.parent}: no such folder", "make it, or choose another --out file")
    if tables is not None:
        make_folder(tables)


def write_report(evidence: Evidence, out: Path | None, tables: Path | None) -> Iterator[str]:
    """Write what is asked for; yields a line on each. Raises UsageError."""
    if out is not None:
        write_file(out, _KINDS[out.suffix.lower()](evidence))
        yield f"report in {out}"
    if tables is not None:
        written = write_tables(evidence, tables)
        yield f"tables in {tables}/"
        if not any(name.endswith(".parquet") for name in written):
            yield "  as CSV alone; for Parquet too: pip install 'collaboration-clauses[tables]'"
