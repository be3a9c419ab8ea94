"""The list of pages and the frame around them."""

from __future__ import annotations

import streamlit as st

from classifier.ui import (
    adjudication,
    agreement,
    double,
    exchange,
    gap_page,
    matrix_page,
    pair_page,
    people,
    pictures_page,
    review,
    score,
    templates_page,
    versions_compare_page,
    versions_page,
)
from classifier.ui.session import errors_as_words, pick_annotator

# Our own style alone: less air than Streamlit leaves, so that a clause, its page and all its keys fit on one screen.
STYLE = """<style>
.stMainBlockContainer { padding: 3.6rem 1.6rem 1rem 1.6rem; max-width: 1900px; }
.stMainBlockContainer [data-testid="stVerticalBlock"] { gap: .45rem; }
.stMainBlockContainer :is(.stButton, .stDownloadButton) button, .stMainBlockContainer .stLinkButton a { min-height: 2rem; padding: .1rem .6rem; }
</style>"""


def run() -> None:
    """Show the page that was chosen."""
    pages = {
        "Policies": [st.Page(score.page, title="Score", icon=":material/upload_file:", url_path="score", default=True)],
        "Compare": [
            st.Page(matrix_page.page, title="Who does what", icon=":material/grid_on:", url_path="matrix"),
            st.Page(pair_page.page, title="Side by side", icon=":material/view_column:", url_path="side-by-side"),
            st.Page(gap_page.page, title="Lunn gap", icon=":material/balance:", url_path="lunn-gap"),
            st.Page(
                templates_page.page, title="Shared templates", icon=":material/content_copy:", url_path="templates"
            ),
            st.Page(versions_compare_page.page, title="Versions", icon=":material/history:", url_path="versions"),
            st.Page(pictures_page.page, title="Pictures and report", icon=":material/bar_chart:", url_path="pictures"),
        ],
        "Labels": [
            st.Page(review.page, title="Review", icon=":material/rate_review:", url_path="review"),
            st.Page(adjudication.page, title="Adjudicate", icon=":material/gavel:", url_path="adjudicate"),
        ],
        "People": [
            st.Page(double.page, title="Second annotator", icon=":material/group_add:", url_path="second-annotator"),
            st.Page(agreement.page, title="Agreement", icon=":material/handshake:", url_path="agreement"),
            st.Page(people.page, title="People", icon=":material/groups:", url_path="people"),
        ],
        "Data": [
            st.Page(exchange.page, title="Exchange", icon=":material/swap_horiz:", url_path="exchange"),
            st.Page(versions_page.page, title="Models", icon=":material/model_training:", url_path="models"),
        ],
    }
    chosen = st.navigation(pages, expanded=True)
    st.html(STYLE)
    with errors_as_words():
        pick_annotator()
        chosen.run()
