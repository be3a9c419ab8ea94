"""Versions of the model: which is in use, how each does; a new one from corrections, brought into use or taken back."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from classifier.codebook import load_codebook, project_data
from classifier.errors import ClassifierError, UsageError
from classifier.labelled import training_documents
from classifier.people import check_role, list_people
from classifier.retraining import COMPARISON, corrected_documents, held_out_documents, retrain
from classifier.ui.session import errors_as_words, model, must_be, say_error, store
from classifier.versions import PromotionRefused, Version, promote, promotions, versions

STAGES = {
    "choosing": "Choosing what to learn from",
    "fitting": "Learning",
    "measuring": "Measuring on the held-out documents",
    "writing": "Writing the new version",
}
HEADLINES = {
    "core_f1": "F1, core practices",
    "all_f1": "F1, all practices",
    "core_macro_f1": "F1, mean of the core practices",
    "all_macro_f1": "F1, mean of all practices",
    "core_stance_f1": "F1 with stance, core practices",
    "all_stance_f1": "F1 with stance, all practices",
    "stance_accuracy": "stance right where the practice is",
    "conditions_f1": "F1, conditions",
    "core_verdicts": "verdicts right, core practices",
    "coverage": "clauses found",
}
SAME = 0.0005  # what rounds to no change


def page() -> None:
    """The page of model versions."""
    st.title("Models")
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return
    models = project_data("models")
    there = versions(models)
    show_versions(there)
    if not there:
        st.info("There is no model yet. Run `clauses train` to make one from the training data.")
        return
    if said := st.session_state.pop("versions_said", ""):
        st.success(said)
    compare, change = st.columns([3, 2], gap="medium")
    with change:
        if person.role != "adjudicator":
            st.info("Adjudicators train new versions and say which is in use.")
        elif not os.access(models, os.W_OK):
            st.warning(
                "The folder of the models can't be written by this program, so versions can neither be made nor changed. "
                "Run the app from a checkout of the project, or give its user leave to write there:"
            )
            st.text(str(models))
        else:
            offer_retraining(models, person.name)
            offer_promotion(models, there, person.name)
        show_history(models)
    with compare:
        show_comparison(models, there)


def show_versions(there: list[Version]) -> None:
    """One row a version."""
    rows = [
        (
            v.name, "in use" if v.in_use else "", v.core_f1, v.documents, v.clauses,
            v.learned.clauses if v.learned else 0, v.learned.annotators if v.learned else 0, v.problem,
        )
        for v in there
    ]  # fmt: skip
    columns = ["version", "state", "core F1", "documents", "clauses", "corrected clauses", "by people", "problem"]
    looks = {"core F1": st.column_config.NumberColumn(format="%.3f", help="On the held-out documents")}
    st.dataframe(
        pd.DataFrame(rows, columns=columns).astype({"core F1": float}), hide_index=True, column_config=looks,
        height="content", key="versions", placeholder="",
    )  # fmt: skip


# a new version


@st.cache_resource(show_spinner=False)
def training() -> threading.Lock:
    """Held while somebody trains: one at a time is what a machine can bear."""
    return threading.Lock()


def offer_retraining(models: Path, name: str) -> None:
    """The button that trains, where there is something to learn from."""
    st.subheader("Retrain from corrections")
    data = project_data("training_data/documents")
    if not data.is_dir():
        st.info("This installation has no training documents. Run the app from a checkout of the project to retrain.")
        return
    if not any(p.decided or p.adjudicated for p in list_people(store())):
        st.info("Nothing is decided yet. Decide some clauses on the Review page; a new version learns from them.")
        return
    st.caption(
        "A new version learns from the training documents and from clauses that people agreed on or that were adjudicated. "
        "It takes a minute or two, and is offered only: the version in use stays. Keep this page open meanwhile."
    )
    if st.button("Retrain", type="primary", key="retrain"):
        run_training(models, data, name)


def run_training(models: Path, data: Path, name: str) -> None:
    """Train with progress; the new version is then the one compared."""
    lock = training()
    if not lock.acquire(blocking=False):
        say_error(ClassifierError("somebody is training a version already", "wait until it stands in the list above"))
        return
    try:
        with st.status("Training a new version", expanded=True) as box:
            bar = st.progress(0.0)

            def told(stage: str, share: float) -> None:
                bar.progress(min(1.0, share), STAGES.get(stage, stage))

            try:
                check_role(store(), name, "adjudicator")
                corrected = corrected_documents(store())
                if not corrected:
                    raise UsageError(
                        "no clause is settled: where two people differ, nothing is learnt", "adjudicate them"
                    )
                documents, held_out = training_documents(data), held_out_documents(data)
                made = retrain(documents, corrected, held_out, models, report=told)
            except ClassifierError as error:
                say_error(error)
                box.update(label="No new version was made", state="error")
                return
    finally:
        lock.release()
    left = made.learned
    st.session_state["versions_said"] = (
        f"Version {made.version} is offered. It learnt from {left.clauses} corrected clauses of {left.documents} documents "
        f"by {left.annotators} people. Left out: {left.held_out} that repeat held-out documents, {left.known} that stand in "
        f"the training data already, {left.repeated} repeats."
    )
    st.session_state["compared"] = made.version
    st.rerun()


# before and after


def show_comparison(models: Path, there: list[Version]) -> None:
    """A version beside the one that was in use when it was made, on documents that neither learnt from."""
    st.subheader("Before and after")
    made = [v.name for v in there if (models / v.name / COMPARISON).is_file()]
    if not made:
        st.caption("No version was trained from corrections yet. Figures before and after will stand here.")
        return
    if st.session_state.get("compared") not in made:
        st.session_state["compared"] = made[-1]
    chosen = st.selectbox("Version", made, key="compared")
    try:
        table = pd.read_csv(models / chosen / COMPARISON)
        overall, practices = headlines(table), by_practice(table)
    except (OSError, ValueError, KeyError) as error:
        say_error(ClassifierError(f"the comparison can't be read ({error})", "retrain to get a new one"))
        return
    st.dataframe(
        overall, hide_index=True, column_config=figures(overall), height="content", key="headlines", placeholder=""
    )
    st.dataframe(
        practices, hide_index=True, column_config=figures(practices), height="content", key="practices", placeholder=""
    )
    st.caption("On the held-out documents, which no version learns from. “Labels” is how many there are to find.")


def headlines(table: pd.DataFrame) -> pd.DataFrame:
    """The figures over all practices."""
    overall = table[table["practice"] == "overall"]
    shown = overall[["before", "after", "change"]].copy()
    shown.insert(0, "measure", [HEADLINES.get(str(m), str(m)) for m in overall["measure"]])
    return shown.assign(so=overall["change"].map(verdict_on))


def by_practice(table: pd.DataFrame) -> pd.DataFrame:
    """F1 of each practice, and F1 with its stance."""
    book = load_codebook()
    f1 = table[table["measure"] == "f1"].set_index("practice")
    joint = table[table["measure"] == "f1_with_stance"].set_index("practice")
    return pd.DataFrame(
        {
            "practice": [book.practice(p).name for p in f1.index],
            "labels": f1["support"].astype("Int64").to_list(),
            "F1 before": f1["before"].to_list(),
            "after": f1["after"].to_list(),
            "so": [verdict_on(c) for c in f1["change"]],
            "with stance before": joint["before"].reindex(f1.index).to_list(),
            "with stance after": joint["after"].reindex(f1.index).to_list(),
        }
    )


def verdict_on(change: float) -> str:
    """A change in a word."""
    if pd.isna(change):
        return ""
    return "same" if abs(change) < SAME else "better" if change > 0 else "worse"


def figures(table: pd.DataFrame) -> dict[str, Any]:
    """Three digits for every column of figures."""
    looks: dict[str, Any] = {
        str(c): st.column_config.NumberColumn(format="%.3f") for c in table if table[c].dtype == float
    }
    if "change" in looks:
        looks["change"] = st.column_config.NumberColumn(format="%+.3f")
    return looks


# which one is in use


def offer_promotion(models: Path, there: list[Version], name: str) -> None:
    """Bring another version into use, a new or an old one."""
    st.subheader("Change the version in use")
    others = [v.name for v in there if not v.in_use]
    if not others:
        st.caption("There is no other version. A new one is offered here once it is trained.")
        return
    earlier = {v for p in promotions(models) for v in (p.version, p.from_version)}
    if st.session_state.get("to_promote") not in others:
        compared = st.session_state.get("compared")
        st.session_state["to_promote"] = compared if compared in others else others[-1]
    row = st.columns([2, 2], vertical_alignment="bottom")
    version = row[0].selectbox("Version to use", others, key="to_promote")
    words = "Roll back to it" if version in earlier else "Bring it into use"
    row[1].button(words, key="promote", type="primary", on_click=bring, args=(models, version, name), width="stretch")
    refused, error = st.session_state.get("refused", ("", None))
    if error is not None and refused == version:
        say_error(error)
        if isinstance(error, PromotionRefused):
            sure = st.checkbox("I have read this and want it all the same", key="sure")
            st.button(
                "Promote all the same",
                key="force",
                disabled=not sure,
                on_click=bring,
                args=(models, version, name, True),
            )


def bring(models: Path, version: str, name: str, force: bool = False) -> None:
    """Promote a version, or roll back to it."""
    state = st.session_state
    state.pop("refused", None)
    state.pop("sure", None)
    try:
        check_role(store(), name, "adjudicator")
        done = promote(models, version, name, force)
    except ClassifierError as error:
        state["refused"] = (version, error)
        return
    model.clear()
    state["versions_said"] = (
        f"Version {done.version} is in use ({done.action}{', against a refusal' if done.forced else ''}). Documents keep "
        "the labels of the version that scored them: score them again on the Score page to see this one's."
    )


def show_history(models: Path) -> None:
    """Who changed the version in use, and when; the last change first."""
    with errors_as_words():
        done = promotions(models)
        if not done:
            return
        with st.expander("Changes so far"):
            rows = [
                (p.time, p.action, p.version, p.from_version, p.by, "against a refusal" if p.forced else "")
                for p in reversed(done)
            ]
            columns = ["time", "what", "version", "instead of", "by", "how"]
            looks = {"time": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")}
            st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, column_config=looks, key="history")
