"""What the comparison pages share: the evidence of the store, kept until the store changes; a clause with its page."""

from __future__ import annotations

import gc
import html
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import pandas as pd
import sqlalchemy as sa
import streamlit as st

from classifier.codebook import load_codebook
from classifier.corrections import ClauseView, view_clause
from classifier.departments import REGISTRY
from classifier.errors import ClassifierError, UnreadableDocument
from classifier.evidence import Evidence, write_table
from classifier.store import Store
from classifier.store_sources import kept_list
from classifier.store_tables import documents, events
from classifier.ui.clause_text import CSS, JS, Part, show_text
from classifier.ui.review import boxes_of, page_picture
from classifier.ui.score import COLOURS
from classifier.ui.session import must_be, say_error, signs_in, store
from classifier.wording import Piece

STATES = {"machine": "machine only", "reviewed": "✓ reviewed", "adjudicated": "✓✓ adjudicated"}
STANDINGS = {
    "silent": "All of its documents were read, and no clause is about it.",
    "unread": "No clause was found, but part of its documents could not be read: nothing can be said.",
    "no policy": "The department answered that it has no policy. That is no refusal.",
    "no reply": "The department has not answered the request for its policy.",
}
NAMES = {p.id: p.name for p in load_codebook().practices}
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Seen:
    """The evidence as one person sees it. key: another one as soon as the store changes."""

    evidence: Evidence
    name: str
    key: str

    def kept(self, what: str, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for a state of the store. what: its name, with all that it depends on."""
        return cast(Made, _kept(what, self.key, make))


@st.cache_resource(max_entries=24, show_spinner="Comparing")
def _kept(what: str, key: str, _make: Callable[[], object]) -> object:
    del what, key
    return _make()


def seen(title: str) -> Seen | None:
    """Head a page; the evidence of the store, None where nobody sits here or nothing is there, with what to do."""
    st.subheader(title, anchor=False)
    person = must_be("annotator", "adjudicator", "viewer")
    if person is None:
        return None
    at = store()
    key = state_of(at)
    evidence = _evidence(key, at)
    if evidence.departments.empty:
        st.info("The store is empty. Score some policies first: the Score page offers the samples.")
        return None
    return Seen(evidence, person.name, key)


def state_of(at: Store) -> str:
    """Words that change with every decision, every scored document and every list of departments."""
    with at.reading() as connection:
        step = connection.scalar(sa.select(sa.func.max(events.c.id)))
        count, last = connection.execute(sa.select(sa.func.count(), sa.func.max(documents.c.scored_at))).one()
    listed = at.files / REGISTRY
    of_list = listed.stat().st_mtime_ns if listed.is_file() else 0
    return f"{at.engine.url} {at.files} {step} {count} {last} {of_list}"


@st.cache_resource(max_entries=2, show_spinner="Reading the store")
def _evidence(key: str, _at: Store) -> Evidence:
    del key
    evidence = Evidence.from_store(_at, kept_list(_at))
    gc.collect()
    gc.freeze()  # as for the model: Streamlit looks through all objects after every redraw, which costs 0.1 s here
    return evidence


# a clause and its page


def show_quote(
    seen: Seen, clause: str, key: str, said: str = "", words: Sequence[Piece] = (), page_button: bool = True
) -> ClauseView | None:
    """A clause with heading and lead-in, where it stands, and keys to its page and to its review.

    said: what it says, in a line above. words: the difference to show in place of its plain words. None where this person
    labels the clause blind, so that it is withheld.
    """
    view = view_clause(store(), seen.name, clause)
    if view.blind:
        st.text("A clause that you label blind is withheld. Decide it on the Review page.")
        return None
    if said:
        st.text(said)
    clause_parts = [] if words else [Part(view.clause.context, "lead"), Part(view.clause.text)]
    if view.clause.heading or clause_parts:
        show_text([Part(view.clause.heading, "grey"), *clause_parts], key=f"words_{key}")
    if words:
        show_difference(words, key=f"difference_{key}")
    with st.container(horizontal=True, vertical_alignment="center", key=f"foot_{key}"):
        st.text(f"{view.document.name}, page {view.clause.page}", width="content")
        if page_button and st.button("Page", key=f"page_{key}", help="The page that it stands on"):
            page_dialog(view)
        link_to_review(view, seen.name, key)
    return view


def link_to_review(view: ClauseView, name: str, key: str) -> None:
    """A link that opens the clause on the review page, in a tab of its own."""
    query = {"clause": view.clause.id} if signs_in() else {"clause": view.clause.id, "name": name}
    st.link_button("Review", f"review?{urlencode(query)}", key=f"review_{key}")


@st.dialog("Page", width="large")
def page_dialog(view: ClauseView) -> None:
    """The page of a clause, over everything else."""
    st.text(f"{view.document.name}, page {view.clause.page}")
    show_picture(view)


def show_picture(view: ClauseView) -> None:
    """The clause's page with the clause marked; the words around it where there is no picture."""
    if view.document.kept.suffix.lower() == ".pdf":
        page = view.clause.page
        try:
            st.image(page_picture(str(view.document.kept), page, boxes_of(view.clause, page), 1.0), width="stretch")
            return
        except UnreadableDocument as error:
            say_error(error)
    else:
        st.caption("No page picture: this is not a PDF file. The clause with what stands around it:")
    around = [Part(c.text, "grey") for c in view.before], [Part(c.text, "grey") for c in view.after]
    inside = [Part(view.clause.context, "lead"), Part(view.clause.text)]
    show_text([*around[0], *inside, *around[1]], key=f"around_{view.clause.id}")


def said_of(stance: Any, conditions: Iterable[str], probability: Any, state: Any) -> str:
    """What is said of a clause, in one line: "limits · approval · 93 % · machine only"."""
    told = [str(stance) if isinstance(stance, str) else "cites", ", ".join(c.replace("_", " ") for c in conditions)]
    sure = f"{probability:.0%}" if state == "machine" else ""
    return " · ".join(part for part in (*told, sure, STATES[state]) if part)


def verdict_line(words: str, note: str = "") -> None:
    """A verdict of ours in its colour, as a word; note: words of ours behind it."""
    colour = COLOURS.get(words.partition(":")[0], "") or "#88888855"
    st.html(
        f'<div style="border-left: 8px solid {colour}; padding-left: .5em"><b>{html.escape(words)}</b> {html.escape(note)}</div>'
    )


# a difference, word by word

_MORE_CSS = """
.added { background: color-mix(in srgb, #0072b2 28%, transparent); border-bottom: 2px solid #0072b2; border-radius: 2px; }
.added::before { content: "+"; font-weight: 700; padding: 0 .1em; }
.removed { background: color-mix(in srgb, #d55e00 25%, transparent); text-decoration: line-through; border-radius: 2px; }
.removed::before { content: "−"; font-weight: 700; padding: 0 .1em; display: inline-block; }
.clause { font-size: 1rem; }
"""


@st.cache_resource(show_spinner=False)
def _difference_component() -> Any:
    return st.components.v2.component(
        "clauses_difference", html='<div class="root"></div>', css=CSS + _MORE_CSS, js=JS, isolate_styles=True
    )


def show_difference(words: Sequence[Piece], key: str) -> None:
    """A difference in one text: what is gone struck out after a minus, what is new underlined after a plus."""
    _difference_component()(data={"parts": [{"look": "", "pieces": difference_pieces(words)}]}, key=key)


def difference_pieces(words: Sequence[Piece]) -> list[dict[str, object]]:
    """The pieces for the component of texts: {"text"} and, for what differs, {"side", "strength", "title"}."""
    found: list[dict[str, object]] = []
    for piece in words:
        if piece.kind == "same":
            found.append({"text": piece.new})
            continue
        if piece.old:
            found.append({"text": piece.old, "side": "removed", "strength": 1, "title": "gone"})
            if piece.new and not piece.old[-1].isspace():
                found.append({"text": " "})
        if piece.new:
            found.append({"text": piece.new, "side": "added", "strength": 1, "title": "new"})
    return found


# tables to take home


def as_csv(table: pd.DataFrame) -> bytes:
    """A table as CSV without formulas."""
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder) / "table.csv", table)
        return (Path(folder) / "table.csv").read_bytes()


def download_table(label: str, table: pd.DataFrame, name: str) -> None:
    """A button that gives a table as CSV, made when it is pressed."""
    st.download_button(
        label, lambda: as_csv(table), f"{name}.csv", "text/csv", key=f"download_{name}", on_click="ignore"
    )


def asked(name: str, known: Iterable[str]) -> str:
    """The value of a query parameter if it is one of those known; else empty, with a word where it is another."""
    value = str(st.query_params.get(name, ""))
    if value and value not in set(known):
        say_error(ClassifierError(f"the address names a {name} that is not here: {value}", "choose one below"))
        return ""
    return value
