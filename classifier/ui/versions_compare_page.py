"""Versions: two documents of one department, changed answers first, then changed words; and all of them by date."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from classifier.evidence import rows_of
from classifier.ui.comparisons import NAMES, Seen, asked, download_table, seen, show_quote, verdict_line
from classifier.ui.score import verdict_style
from classifier.ui.session import errors_as_words
from classifier.versions_compared import (
    AnswerChange,
    TextChange,
    Version,
    VersionsCompared,
    compare_versions,
    table,
    timeline,
)

AT_ONCE = 15  # changes of text on the screen
FEW = 3  # clauses of an answer on the screen
CHANGES = {"changed": "≠ changed", "not compared": "? not compared", "same": "= same"}


def page() -> None:
    """The page of versions."""
    looking = seen("Versions")
    if looking is not None:
        show(looking)


@st.fragment
def show(looking: Seen) -> None:
    """The choice of two versions, what changed, and the timeline."""
    with errors_as_words():
        documents = looking.evidence.documents
        several = documents["department"].value_counts()
        names = [d for d in looking.evidence.departments["department"] if several.get(d, 0) > 1]
        if not names:
            st.info(
                "No department has two documents yet. Score another version of a policy on the Score page, in a folder "
                "with a departments.csv that names the same department for both."
            )
            return
        state = st.session_state
        if state.get("versions_department") not in names:
            state["versions_department"] = asked("department", names) or names[0]
        row = st.columns(3)
        department = row[0].selectbox("Department", names, key="versions_department")
        st.query_params["department"] = department
        own = documents[documents["department"] == department].sort_values(
            "effective_date", key=lambda dates: dates.where(dates != "", "9999"), kind="stable"
        )
        of = {d.document: f"{d.name} {d.effective_date}".strip() for d in rows_of(own)}
        ids = list(of)
        for key, default in (("versions_old", ids[-2]), ("versions_new", ids[-1])):
            if state.get(key) not in of:
                state[key] = default
        old = row[1].selectbox("Older", ids, format_func=of.__getitem__, key="versions_old")
        new = row[2].selectbox("Newer", ids, format_func=of.__getitem__, key="versions_new")
        if old == new:
            st.info("Choose two different documents.")
        else:
            found = looking.kept(f"versions {old} {new}", lambda: compare_versions(looking.evidence, old, new))
            show_comparison(looking, found)
        show_timeline(looking, department)


def show_comparison(looking: Seen, found: VersionsCompared) -> None:
    """Answers, then words."""
    for label, version in (("older", found.old), ("newer", found.new)):
        warn_of(label, version)
    st.subheader("Answers", anchor=False)
    answers = pd.DataFrame(
        [
            {
                "change": CHANGES[a.change],
                "practice": NAMES[a.practice],
                "older": a.old.words,
                "newer": a.new.words,
            }
            for a in found.answers
        ]
    )
    changed = sum(a.change == "changed" for a in found.answers)
    unknown = sum(a.change == "not compared" for a in found.answers)
    st.caption(f"{changed} of {len(answers)} answers changed, {unknown} could not be compared")
    everything = st.toggle("The same ones too", key="versions_same")
    shown = answers if everything else answers[answers["change"] != CHANGES["same"]]
    if shown.empty:
        st.info("No answer changed.")
    else:
        chosen = st.dataframe(
            shown.style.map(grounds, subset=["older", "newer"]), hide_index=True, height="content",
            key=f"versions_answers_{everything}", on_select="rerun", selection_mode="single-cell",
        )  # fmt: skip
        st.caption("Click an answer for the clauses that it rests on.")
        for row, _ in chosen["selection"]["cells"][:1]:
            if row < len(shown):
                show_grounds(looking, found.answers[int(shown.index[row])])
    download_table("Table (CSV)", table(found), "versions")
    st.subheader("Words", anchor=False)
    kinds = pd.Series([t.kind for t in found.texts], dtype="str").value_counts()
    st.caption(" · ".join([f"{found.same} clauses the same", *(f"{n} {kind}" for kind, n in kinds.items())]))
    shown_texts = found.texts
    if len(found.texts) > AT_ONCE and not st.toggle(f"All {len(found.texts)} changes", key="versions_all"):
        shown_texts = found.texts[:AT_ONCE]
    for n, change in enumerate(shown_texts):
        with st.container(border=True):
            show_change(looking, change, n)


def show_grounds(looking: Seen, change: AnswerChange) -> None:
    """The clauses of both answers, beside one another."""
    with st.container(border=True):
        st.caption(NAMES[change.practice])
        for column, side, answer in zip(st.columns(2), ("older", "newer"), (change.old, change.new), strict=True):
            with column:
                verdict_line(answer.verdict, f"· the {side} one")
                if not answer.clauses:
                    st.caption("No clause is about it.")
                for clause in answer.clauses[:FEW]:
                    show_quote(looking, clause, f"ground_{side}_{clause}")
                if len(answer.clauses) > FEW:
                    st.caption(f"and {len(answer.clauses) - FEW} more")


def grounds(words: object) -> str:
    """The ground of an answer: its verdict's colour."""
    return verdict_style(str(words).partition(" [")[0])


def warn_of(label: str, version: Version) -> None:
    """Say what of a version could not be read: it is not compared, never called removed."""
    if not version.fully_read:
        with st.container(border=True):
            st.text(f"⚠ The {label} one was not read in full: {version.unread or 'part of it'}")
            st.text("What is missing there is “not compared”, never “removed”.")


def show_change(looking: Seen, change: TextChange, number: int) -> None:
    """One changed clause: what is gone, what is new, and its page."""
    where = {
        "reworded": "reworded",
        "added": "added: only in the newer one",
        "removed": "removed: only in the older one",
        "not compared": "not compared: the other one was not read in full",
    }[change.kind]
    pages = f"page {change.old_page} → {change.new_page}" if change.old_page and change.new_page else ""
    said = " · ".join(part for part in (where, pages) if part)
    words = change.pieces if change.kind == "reworded" else ()
    show_quote(looking, change.new or change.old, f"change_{number}", said, words)


def show_timeline(looking: Seen, department: str) -> None:
    """What each version says, by date: practices × versions."""
    st.subheader("Timeline", anchor=False)
    found = looking.kept(f"timeline {department}", lambda: timeline(looking.evidence, department))
    if not found["effective_date"].astype(bool).all():
        st.caption("Some versions have no date. A departments.csv gives it; hand it in on the page “Who does what”.")
    heads = {
        d.document: f"{d.effective_date or 'undated'} · {d.name}" for d in rows_of(found.drop_duplicates("document"))
    }
    said = found.assign(
        words=[
            f"{v}: {', '.join(c.replace('_', ' ') for c in cs)}" if cs else v
            for v, cs in zip(found["verdict"], found["conditions"], strict=True)
        ]
    )
    wide = said.pivot(index="practice", columns="document", values="words").loc[list(NAMES), list(heads)]
    shown = wide.rename(columns=heads).rename(index=NAMES).rename_axis("practice").reset_index()
    if not shown.columns.is_unique:  # two files of one name and date
        shown.columns = pd.Index([f"{c} ({n})" if n else str(c) for n, c in enumerate(shown.columns)])
    st.dataframe(
        shown.style.map(verdict_style, subset=list(shown.columns[1:])),
        hide_index=True,
        height="content",
        key="timeline",
    )
    download_table("Timeline (CSV)", found, "timeline")
