"""The app: `clauses app`, or `streamlit run app.py`. Page settings and the list of pages; each page is in classifier/ui/."""

import streamlit as st

from classifier.ui.navigation import run

st.set_page_config(page_title="Clauses", page_icon="⚖️", layout="wide", initial_sidebar_state="expanded")
st.set_option("client.disableDataExport", True)  # as `clauses app` says
run()
