"""The list of pages and the frame around them."""

from __future__ import annotations

import streamlit as st

from classifier.ui import adjudication, agreement, double, exchange, matrix_page, people, review, score, versions_page
from classifier.ui.session import errors_as_words, pick_annotator

# Our own style alone: less air than Streamlit leaves, so that a clause, its page and all its keys fit on one screen.
STYLE = """<style>
.stMainBlockContainer { padding: 3.6rem 1.6rem 1rem 1.6rem; max-width: 1900px; }
.stMainBlockContainer [data-testid="stVerticalBlock"] { gap: .45rem; }
.stMainBlockContainer .stButton button { min-height: 2rem; padding: .1rem .6rem; }
</style>"""


def run() -> None:
    """Show the page that was chosen."""
    pages = {
        "Policies": [st.Page(score.page, title="Score", icon=":material/upload_file:", url_path="score", default=True)],
        "Compare": [
            st.Page(matrix_page.page, title="Who does what", icon=":material/grid_on:", url_path="matrix"),
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
    chosen = st.navigation(pages)
    st.html(STYLE)
    with errors_as_words():
        pick_annotator()
        chosen.run()
