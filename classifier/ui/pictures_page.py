"""Pictures and report: charts with their data, the report as HTML and Word file, and tables for research."""

from __future__ import annotations

import streamlit as st

from classifier.ui.comparisons import Seen, download_table, seen
from classifier.ui.session import errors_as_words


def page() -> None:
    """The page of pictures and files to take home."""
    st.subheader("Pictures and report", anchor=False)
    looking = seen()
    if looking is None:
        return
    with errors_as_words():
        show_pictures(looking)


def show_pictures(looking: Seen) -> None:
    """Each chart with its files. Raises UsageError where matplotlib is not installed."""
    from classifier.charts import draw_charts  # needs matplotlib, which the extra `pictures` brings

    st.caption("They show what the policies say, not what is done.")
    for chart in looking.kept("charts", lambda: draw_charts(looking.evidence)):
        with st.container(border=True):
            st.image(chart.png, width=1100)
            with st.container(horizontal=True):
                for label, content, kind in (("PNG", chart.png, "image/png"), ("SVG", chart.svg, "image/svg+xml")):
                    st.download_button(
                        label, content, f"{chart.name}.{label.lower()}", kind, key=f"{label}_{chart.name}", on_click="ignore"
                    )
                download_table("Data (CSV)", chart.data, chart.name)
