"""The pages of the app: thin Streamlit over plain functions of the package. Nothing outside this folder knows Streamlit."""
