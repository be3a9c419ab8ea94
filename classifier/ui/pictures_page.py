"""Pictures and report: charts with their data, the report as HTML and Word file, and tables for research."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from classifier.evidence import Evidence
from classifier.ui.comparisons import Seen, download_table, seen
from classifier.ui.session import errors_as_words


@dataclass(frozen=True, slots=True)
class Kind:
    """A file to take home. name: its name. what: what it is, in a sentence."""

    label: str
    name: str
    mime: str
    what: str


KINDS = (
    Kind(
        "report (HTML)", "report.html", "text/html", "One file that opens in any browser, without the net, and prints."
    ),
    Kind(
        "report (Word)",
        "report.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "The same, to be edited.",
    ),
    Kind(
        "research tables",
        "research-tables.zip",
        "application/zip",
        "Tidy tables with stable ids, a data dictionary and datapackage.json.",
    ),
)


def page() -> None:
    """The page of pictures and files to take home."""
    looking = seen("Pictures and report")
    if looking is None:
        return
    st.caption("Everything here shows what written policies say, not what is done.")
    show_files(looking)
    with errors_as_words():
        show_pictures(looking)


@st.fragment
def show_files(looking: Seen) -> None:
    """The report and the tables: made when asked for, kept until the store changes."""
    for column, kind in zip(st.columns(len(KINDS)), KINDS, strict=True):
        with column.container(border=True, height="stretch"), errors_as_words():
            st.caption(kind.what)
            asked_for = f"made {kind.name} {looking.key}"
            if st.button(f"Make the {kind.label}", key=f"make_{kind.name}", width="stretch"):
                st.session_state[asked_for] = True
            if not st.session_state.get(asked_for):
                continue
            with st.spinner("This takes up to a minute for hundreds of departments"):
                content = looking.kept(kind.name, partial(made_file, looking.evidence, kind.name))
            st.download_button(
                f"Download {kind.name}", content, kind.name, kind.mime, key=f"take_{kind.name}", type="primary",
                width="stretch", on_click="ignore",
            )  # fmt: skip


def made_file(evidence: Evidence, name: str) -> bytes:
    """The content of one of KINDS. Raises UsageError where something that it needs is not installed."""
    from classifier.report_files import write_report  # needs what the extras `pictures` and `app` bring

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not name.endswith(".zip"):
            list(write_report(evidence, folder / name, None))
            return (folder / name).read_bytes()
        list(write_report(evidence, None, folder))
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                # a fixed date: equal tables give an equal file
                archive.writestr(
                    zipfile.ZipInfo(str(file.relative_to(folder))), file.read_bytes(), zipfile.ZIP_DEFLATED
                )
        return target.getvalue()


def show_pictures(looking: Seen) -> None:
    """Each chart with its files. Raises UsageError where matplotlib is not installed."""
    from classifier.charts import draw_charts  # needs matplotlib, which the extra `pictures` brings

    for chart in looking.kept("charts", lambda: draw_charts(looking.evidence)):
        with st.container(border=True):
            st.image(chart.png, width=1100)
            with st.container(horizontal=True):
                for label, content, kind in (("PNG", chart.png, "image/png"), ("SVG", chart.svg, "image/svg+xml")):
                    name = f"{chart.name}.{label.lower()}"
                    st.download_button(label, content, name, kind, key=f"{label}_{chart.name}", on_click="ignore")
                download_table("Data (CSV)", chart.data, chart.name)
