"""How far two annotators agree beyond chance, by practice and by stance, and the raw table behind it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from classifier.codebook import load_codebook
from classifier.double_annotation import agreement, double_decisions
from classifier.errors import ClassifierError
from classifier.labellings import practices_of
from classifier.people import check_sight, doubled_pairs
from classifier.plain_text import plain_cell
from classifier.ui.session import errors_as_words, must_be, say_error, store

# Krippendorff's own bounds: data to build on, and data for tentative conclusions
RELIABLE, TENTATIVE = 0.8, 0.667
FEW = 5  # labels; below, neither measure says much
FIGURES = {
    "agree on": st.column_config.NumberColumn(format="%.0f %%"),
    "kappa": st.column_config.NumberColumn(format="%.2f"),
    "alpha": st.column_config.NumberColumn(format="%.2f"),
}


def page() -> None:
    """The agreement page."""
    st.title("Agreement")
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return
    pairs = doubled_pairs(store())
    if not pairs:
        st.info(
            "Nobody has decided a clause that somebody else decided too. Assign a share of the clauses to a second "
            "annotator (page “Second annotator”), let both decide them on the Review page, and come back."
        )
        return
    names = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    row = st.columns(4)
    first = row[0].selectbox("First annotator", names, names.index(pairs[0].first), key="first_annotator")
    second = row[1].selectbox("Second annotator", names, names.index(pairs[0].second), key="second_annotator")
    if first == second:
        st.info("Pick two different people.")
        return
    with errors_as_words():
        show_agreement(first, second)
    show_raw(person.name)


def show_agreement(first: str, second: str) -> None:
    """Both tables. Raises StoreError where the two share no clause."""
    measured = agreement(store(), first, second)
    st.caption(
        f"On {measured.clauses} clauses that both decided. Kappa is Cohen's, alpha Krippendorff's (nominal); 1 is full "
        "agreement, 0 what chance gives. The intervals hold 95 % of 1,000 resamples of the clauses. Alpha from 0.80 is "
        "reliable, from 0.67 tentative."
    )
    practices = measured.table[measured.table["by"] == "practice"].copy()
    book = load_codebook()
    one, two = given_counts(first, second)
    practices.insert(2, "first gave", [one.get(p, 0) for p in practices["name"]])
    practices.insert(3, "second gave", [two.get(p, 0) for p in practices["name"]])
    most = practices[["first gave", "second gave"]].max(axis="columns")
    practices["name"] = [book.practice(p).name for p in practices["name"]]
    st.subheader("By practice: does the clause carry it?")
    table = readable(practices, most)
    st.dataframe(table, hide_index=True, height="content", column_config=FIGURES, key="by_practice", placeholder="")
    st.subheader("By stance: on practices that both gave")
    stances = measured.table[measured.table["by"] == "stance"]
    stances = readable(stances, stances["items"])
    st.dataframe(stances, hide_index=True, height="content", column_config=FIGURES, key="by_stance", placeholder="")
    st.download_button(
        "These figures as CSV", as_csv(measured.table), "agreement.csv", key="figures_csv", on_click="ignore"
    )


def given_counts(first: str, second: str) -> tuple[dict[str, int], dict[str, int]]:
    """How many of the clauses that both decided got each practice, from the one and from the other."""
    both = double_decisions(store())[[first, second]].dropna()
    counts: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for name, of in zip((first, second), counts, strict=True):
        for answer in both[name]:
            for practice in practices_of(answer):
                of[practice] = of.get(practice, 0) + 1
    return counts


def readable(table: pd.DataFrame, labels: pd.Series[int]) -> pd.DataFrame:
    """The measures with their intervals as words. labels: how many each row rests on; with none it says nothing."""
    empty = labels == 0
    shown = table.drop(columns=["by", "share", *(c for c in table if str(c).startswith(("kappa", "alpha")))])
    shown["agree on"] = 100 * table["share"]
    for measure in ("kappa", "alpha"):
        shown[measure] = table[measure].mask(empty)
        shown[f"{measure}: 95 %"] = [
            "" if no else f"{low:.2f} to {high:.2f}"
            for no, low, high in zip(empty, table[f"{measure}_low"], table[f"{measure}_high"], strict=True)
        ]
    shown["which is"] = [reading(alpha, count) for alpha, count in zip(table["alpha"], labels, strict=True)]
    return shown.rename(columns={"name": str(table["by"].iloc[0])})


def reading(alpha: float, labels: int) -> str:
    """What an alpha that rests on so many labels allows, in Krippendorff's words."""
    if labels < FEW:
        return "too few to say" if labels else "never given"
    return "reliable" if alpha >= RELIABLE else "tentative" if alpha >= TENTATIVE else "unreliable"


def show_raw(name: str) -> None:
    """The raw table, for those who may see everybody's labels."""
    st.subheader("Clauses that several people decided")
    try:
        check_sight(store(), name)
    except ClassifierError as error:
        say_error(error)
        return
    raw = double_decisions(store())
    st.dataframe(raw, hide_index=True, key="raw", placeholder="")
    st.download_button("This table as CSV", as_csv(raw), "double-decisions.csv", key="raw_csv", on_click="ignore")


def as_csv(table: pd.DataFrame) -> bytes:
    """A table as CSV, of which a spreadsheet takes no cell for a formula."""
    plain = table.map(plain_cell).rename(columns=plain_cell)
    return plain.to_csv(index=False).encode("utf-8", "replace")
