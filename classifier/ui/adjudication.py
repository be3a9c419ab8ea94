"""Settle disputes and questions: both decisions side by side beside the page; choose one or write a third, and say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.corrections import ClauseView, undo, view_clause
from classifier.double_annotation import adjudicate, disputes
from classifier.errors import ClassifierError, UnreadableDocument
from classifier.labellings import Labelling, predicted
from classifier.questions import Matter, matter, open_questions
from classifier.store import Store
from classifier.ui.clause_text import Part, show_text
from classifier.ui.review import ZOOMS, boxes_of, page_picture
from classifier.ui.session import errors_as_words, must_be, say_error, store

MOST = 200  # matters listed at once
DECISIONS_HEIGHT = 165  # pixels
MACHINE, OWN, NOTHING = "the machine's labels", "as labels of your own", "none of the practices"
# Every line has its place and height, so that nothing moves from clause to clause; the text takes what the window has left.
STYLE = """<style>
.stApp .stMainBlockContainer { padding-top: 4rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-adj_text_box), .st-key-adj_text_box { height: clamp(120px, 100vh - 655px, 420px) !important; flex: none !important; }
[data-testid="stLayoutWrapper"]:has(> .st-key-adj_page_box), .st-key-adj_page_box { height: max(560px, 100vh - 7.6rem) !important; flex: none !important; }
.st-key-adj_said_of { height: 1.5rem; overflow: hidden; }
.st-key-adj_said_of * { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.st-key-adj_standing { height: 2.9rem; overflow-y: auto; }
.st-key-adj_standing *, .st-key-adj_choices * { white-space: pre-wrap; line-height: 1.4; }
[class*="st-key-adj_choice_"] { padding: .4rem .6rem; }
.st-key-adj_matter, .st-key-adj_matter [data-testid="stVerticalBlock"] { gap: .3rem; }
.st-key-adj_matter .stButton button { min-height: 1.75rem; padding: 0 .45rem; }
.st-key-adj_matter .stButton button p { font-size: .9rem; }
.st-key-adj_matter [data-testid="stHorizontalBlock"] { gap: .5rem; }
</style>"""
# What the codebook rules most often decides: key → (its words on the key, the reason that is kept). It can be written on.
REASONS = {
    "Q": ("a trigger, no limit", "an ordinary trigger is no limit"),
    "W": ("a class of people: limits", "a class of people defined by crime, conviction or danger is a limit"),
    "E": ("“solely because”: prohibits", "“solely because of” bars the act on that basis: prohibits"),
    "T": ("definition, background: states", "definition, background or another agency's practice: states"),
    "Y": ("exception of its own: permits", "an exception in a sentence of its own permits"),
    "U": ("read with its lead-in", "the item is read with its lead-in"),
    "I": ("practice not named", "the clause does not name the practice itself"),
    "O": ("a slip", "a slip: the words are plain"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Labels that can be taken as they are. whose: a person, or nobody for the machine's. note: what they wrote."""

    labelling: Labelling
    whose: str = ""
    note: str = ""


def page() -> None:
    """The adjudication page."""
    person = must_be("adjudicator")
    if person is not None:
        settle(person.name)


@st.fragment
def settle(name: str) -> None:
    """The matter in hand. A fragment: a key stroke redraws this alone."""
    at, state = store(), st.session_state
    st.html(STYLE)
    if problem := state.pop("adj_problem", None):
        say_error(problem)
    if note := state.pop("adj_said", ""):
        st.toast(note)
    with errors_as_words():
        waiting = queue_of(at, name)
        clause = state.get("adj_clause")
        if clause is None and waiting:
            clause = waiting[0]
        if clause is None:
            nothing_waits(name)
            return
        view = view_clause(at, name, clause)
        of = matter(at, name, clause)
        take_up(view, name)
        left, right = st.columns([5, 6], gap="medium")
        with right, st.container(key="adj_matter"):
            show_matter(name, view, of, waiting)
        with left:
            show_picture(view)


def queue_of(at: Store, name: str) -> list[str]:
    """Clauses that wait: disputes first, then questions, each in reading order."""
    differing = [d.clause for d in disputes(at, name, limit=MOST)]
    asked = [c for c in open_questions(at, name, limit=MOST) if c not in set(differing)]
    return differing + asked


def nothing_waits(name: str) -> None:
    """The empty state."""
    st.info(
        "Nothing waits for you: no decisions differ and no question is open. Disputes come from clauses that two people "
        "decided; assign some on the page “Second annotator”. Clauses that you label blind yourself come here once you "
        "have decided them."
    )
    key("Undo", "Z", partial(step_back, name))


def take_up(view: ClauseView, name: str) -> None:
    """Begin with a clause, with nothing chosen. One already in this person's hand keeps its draft."""
    state = st.session_state
    if state.get("adj_held") == (view.clause.id, name):
        return
    state.update(
        adj_held=(view.clause.id, name), adj_clause=view.clause.id, adj_page=view.clause.page, adj_by_hand=False
    )
    put(Labelling(), "")


def put(labelling: Labelling, chosen: str) -> None:
    """Make these labels the draft. chosen: in words what they are; empty: nothing is chosen yet."""
    state = st.session_state
    state["adj_labels"] = dict(labelling.labels)
    state["adj_given"] = list(labelling.conditions)
    state["adj_chosen"] = chosen


def choices(view: ClauseView, of: Matter) -> list[Choice]:
    """People's decisions, oldest first, then the machine's labels."""
    found = [Choice(e.new, e.annotator, e.note) for e in of.decisions if e.new is not None]
    return found + ([Choice(predicted(view.prediction))] if view.prediction else [])


def key(label: str, shortcut: str, act: Callable[[], None], *, primary: bool = False, off: bool = False) -> None:
    """A button with its key; what it does runs before the page is drawn again, on the clause that was shown with it."""
    st.button(
        label, key=f"adj_key_{shortcut}", shortcut=shortcut, on_click=guarded, disabled=off, width="stretch",
        args=(act, st.session_state.get("adj_clause")), type="primary" if primary else "secondary",
    )  # fmt: skip


def guarded(act: Callable[[], None], clause: str | None) -> None:
    """Run a step; what the store refuses is said on the page, with everything in hand kept.

    clause: the step is for this one; it is left where another one is in hand by now (a key struck twice).
    """
    if clause != st.session_state.get("adj_clause"):
        return
    try:
        act()
    except ClassifierError as error:
        st.session_state["adj_problem"] = error


# what the keys do


def save(name: str, clause: str, following: str | None) -> None:
    """Record the draft with its reason, and go on."""
    state = st.session_state
    if not state["adj_chosen"]:
        raise ClassifierError("nothing is chosen yet", "take a decision with 1 or 2, or set labels of your own with G")
    labelling, reason = draft(), str(state.get(reason_field(clause), ""))
    if not reason.strip():
        raise ClassifierError("no reason for the adjudication", "write why these labels are right, or press its key")
    adjudicate(store(), name, clause, labelling, reason)
    state["adj_said"] = "Settled."
    go(following)


def draft() -> Labelling:
    """The labels to be saved. Raises ClassifierError where a stance is missing."""
    state, book = st.session_state, load_codebook()
    labels: dict[str, str | None] = state["adj_labels"]
    for practice, stance in labels.items():
        if stance is None and not book.practice(practice).stanceless:
            raise ClassifierError(f"{book.practice(practice).name} has no stance yet", "pick one")
    return Labelling(labels, tuple(state["adj_given"]) if labels else ())


def go(clause: str | None) -> None:
    """Turn to a clause; None lets the queue say what comes."""
    st.session_state.pop("adj_held", None)
    st.session_state["adj_clause"] = clause


def step_back(name: str) -> None:
    """Undo this person's last step, and turn to its clause if it was an adjudication."""
    undone = undo(store(), name)
    if undone is None:
        st.session_state["adj_said"] = "Nothing to undo."
        return
    st.session_state["adj_said"] = f"Undone: {undone.kind} on {len(undone.clauses)} clause(s)."
    go(undone.clauses[0] if undone.kind == "adjudicate" else None)


def set_practices() -> None:
    """Take over the practices of the field; those that stay keep their stances."""
    state = st.session_state
    before: dict[str, str | None] = state["adj_labels"]
    state["adj_labels"] = {p: before.get(p) for p in state["adj_practices"]}
    state["adj_chosen"] = OWN


def set_stance(practice: str) -> None:
    """Take over the stance of one practice."""
    state = st.session_state
    state["adj_labels"] = {**state["adj_labels"], practice: state[f"adj_stance_{practice}"]}
    state["adj_chosen"] = OWN


def set_conditions() -> None:
    """Take over the conditions of the field."""
    st.session_state.update(adj_given=list(st.session_state["adj_conditions"]), adj_chosen=OWN)


def reason_field(clause: str) -> str:
    """The field of this clause's reason: each has its own, so that no key struck for the one ends up with the next."""
    return f"adj_reason_{clause}"


def toggle(what: str) -> None:
    """Show or hide a part of the page."""
    st.session_state[what] = not st.session_state.get(what, False)


# what is shown


def show_matter(name: str, view: ClauseView, of: Matter, waiting: Sequence[str]) -> None:
    """The clause, what people said of it, the labels to be saved, the reason."""
    here = waiting.index(view.clause.id) if view.clause.id in waiting else -1
    more = " or more" if len(waiting) >= MOST else ""
    with st.container(key="adj_said_of"):
        st.text(f"{view.document.name}, page {view.clause.page} · {view.document.department.name}")
    st.caption(f"{len(waiting)}{more} wait: decisions that differ first, then questions.")
    show_clause(view)
    for question in of.questions:
        st.text(f"Question of {question.annotator}: {question.note}")
    offered = choices(view, of)
    show_choices(offered)
    show_standing()
    if st.session_state["adj_by_hand"]:
        show_fields(view, offered)
    show_reasons(view.clause.id)
    following = next_in(waiting, here)
    show_steps(name, view.clause.id, following, waiting[here - 1] if here > 0 else None)
    if st.session_state.get("adj_codebook"):
        show_definitions([p for choice in offered for p in choice.labelling.labels])


def show_steps(name: str, clause: str, following: str | None, before: str | None) -> None:
    """The reason with what saves it, and the keys that move on. A form: Enter saves out of the field too."""
    with st.form("adj_save", border=False):
        row = st.columns([4, 1])
        row[0].text_input(
            "Reason", key=reason_field(clause), placeholder="Reason (needed): why these labels are right",
            label_visibility="collapsed",
        )  # fmt: skip
        row[1].form_submit_button(
            "Save", key="adj_key_Enter", shortcut="Enter", type="primary", width="stretch", on_click=guarded,
            args=(partial(save, name, clause, following), clause),
        )  # fmt: skip
    steps = st.columns(4)
    with steps[0]:
        key("Later", "X", partial(go, following), off=following is None)
    with steps[1]:
        key("Back", "B", partial(go, before), off=before is None)
    with steps[2]:
        key("Undo", "Z", partial(step_back, name))
    with steps[3]:
        key("Codebook", "H", partial(toggle, "adj_codebook"))


def next_in(waiting: Sequence[str], here: int) -> str | None:
    """The matter after this one; the first again at the end; None where this is the only one."""
    others = [*waiting[here + 1 :], *waiting[: max(here, 0)]]
    return others[0] if others else None


def show_clause(view: ClauseView) -> None:
    """Heading, neighbours in grey, lead-in, clause."""
    clause = view.clause
    with st.container(height=230, border=False, key="adj_text_box"):
        show_text(
            [
                Part(clause.heading, "grey"),
                *(Part(c.text, "grey") for c in view.before[-1:]),
                Part(clause.context, "lead"),
                Part(clause.text),
                *(Part(c.text, "grey") for c in view.after[:1]),
            ],
            key="adj_clause_text",
        )


def show_choices(offered: Sequence[Choice]) -> None:
    """The decisions side by side; what not all of them say is marked."""
    if not offered:
        st.caption("Nobody has labelled this clause. Set the labels below.")
        return
    common = set.intersection(*(set(lines_of(c.labelling)) for c in offered))
    with st.container(key="adj_choices"):
        for number, (column, choice) in enumerate(zip(st.columns(len(offered)), offered, strict=True), 1):
            with column:
                chosen = f"decision {number}" if choice.whose else MACHINE
                key(
                    f"Take {chosen}" if choice.whose else "Take machine", str(number), partial(put, choice.labelling, chosen),
                    primary=st.session_state["adj_chosen"] == chosen,
                )  # fmt: skip
                with st.container(border=True, height=DECISIONS_HEIGHT, key=f"adj_choice_{number}"):
                    show_choice(choice, common)


def show_choice(choice: Choice, common: set[str]) -> None:
    """Who said what, and the note to it."""
    st.text(choice.whose or "The machine")
    for line in lines_of(choice.labelling) or [NOTHING]:
        st.text(line if line in common else f"≠ {line}")
    if choice.note:
        st.text(f"Note: {choice.note}")


def lines_of(labelling: Labelling) -> list[str]:
    """Practices with stances, then conditions, in the codebook's order."""
    book = load_codebook()
    given = [p for p in book.practices if p.id in labelling.labels]
    named = [p.name if p.stanceless else f"{p.name} · {labelling.labels[p.id] or 'which stance?'}" for p in given]
    return named + [f"{c.type}: “{c.text}”" for c in labelling.conditions]


def show_standing() -> None:
    """What will be saved, in words, and the ways to say something else."""
    state = st.session_state
    row = st.columns([6, 3, 3])
    with row[0], st.container(key="adj_standing"):
        said = "; ".join(lines_of(Labelling(state["adj_labels"], tuple(state["adj_given"])))) or NOTHING
        st.text(f"To be saved, {state['adj_chosen']}: {said}" if state["adj_chosen"] else "Nothing is chosen yet.")
    with row[1]:
        key("No label", "N", partial(put, Labelling(), OWN))
    with row[2]:
        key("Change", "G", partial(toggle, "adj_by_hand"), primary=state["adj_by_hand"])


def show_fields(view: ClauseView, offered: Sequence[Choice]) -> None:
    """The labels to be saved, each to be changed. The fields show the draft; what is changed in them goes back to it."""
    state, book = st.session_state, load_codebook()
    names = {p.id: p.name for p in book.practices}
    labels: dict[str, str | None] = state["adj_labels"]
    state["adj_practices"] = list(labels)
    st.multiselect(
        "Practices", list(names), format_func=names.__getitem__, key="adj_practices", on_change=set_practices,
        placeholder=NOTHING,
    )  # fmt: skip
    stanced = [p for p in labels if not book.practice(p).stanceless]
    for start in range(0, len(stanced), 3):
        for column, practice in zip(st.columns(3), stanced[start : start + 3], strict=False):
            state[f"adj_stance_{practice}"] = labels[practice]
            column.selectbox(
                names[practice], list(book.stances), key=f"adj_stance_{practice}", on_change=set_stance,
                args=(practice,), placeholder="which stance?", index=None,
            )  # fmt: skip
    if labels:
        show_conditions(view, offered)


def show_conditions(view: ClauseView, offered: Sequence[Choice]) -> None:
    """Conditions out of those that somebody named, and one more if need be."""
    state = st.session_state
    named = [c for choice in offered for c in choice.labelling.conditions]
    state["adj_conditions"] = list(state["adj_given"])
    row = st.columns([5, 2], vertical_alignment="bottom")
    row[0].multiselect(
        "Conditions", list(dict.fromkeys([*named, *state["adj_given"]])), key="adj_conditions",
        format_func=lambda c: f"{c.type}: “{c.text}”", on_change=set_conditions, placeholder="none",
    )  # fmt: skip
    with row[1].popover("Add another", width="stretch"):
        st.selectbox("The clause turns on", list(load_codebook().conditions), key="adj_condition_type")
        st.text_input("Its words, as they stand in the clause or its lead-in", key="adj_condition_words")
        st.button("Add", key="adj_add", on_click=guarded, args=(partial(add_condition, view), view.clause.id))


def add_condition(view: ClauseView) -> None:
    """Put one more condition on the draft. Raises ClassifierError where its words are not in the clause."""
    state = st.session_state
    words = state["adj_condition_words"].strip()
    if not words or words not in f"{view.clause.context} {view.clause.text}":
        raise ClassifierError("these words are not in the clause or its lead-in", "copy them as they stand")
    state.update(adj_given=[*state["adj_given"], Condition(state["adj_condition_type"], words)], adj_chosen=OWN)


def show_reasons(clause: str) -> None:
    """The codebook's rulings, to take one for a reason."""
    columns = st.columns(2)
    for number, (shortcut, (label, reason)) in enumerate(REASONS.items()):
        with columns[number % 2]:
            key(label, shortcut, partial(st.session_state.update, {reason_field(clause): reason}))


def show_definitions(practices: Sequence[str]) -> None:
    """The codebook on what is in dispute."""
    book = load_codebook()
    with st.container(border=True):
        for practice in dict.fromkeys(practices):
            st.text(f"{book.practice(practice).name}: {book.practice(practice).definition}")
        for stance, definition in book.stances.items():
            st.text(f"{stance}: {definition}")


def show_picture(view: ClauseView) -> None:
    """The source page with the clause marked, its neighbours a key away."""
    state = st.session_state
    now, zoom = state["adj_page"], state.setdefault("adj_zoom", 1.0)
    row = st.columns(4)
    for column, shortcut, step in ((row[0], "Left", -1), (row[1], "Right", 1)):
        with column:
            to = min(max(1, now + step), view.document.pages or 1)
            key("Page", shortcut, partial(state.update, adj_page=to), off=to == now)
    for column, shortcut, label, step in ((row[2], "J", "Smaller", -1), (row[3], "K", "Larger", 1)):
        with column:
            wide = ZOOMS[min(max(0, ZOOMS.index(zoom) + step), len(ZOOMS) - 1)]
            key(label, shortcut, partial(state.update, adj_zoom=wide), off=wide == zoom)
    with st.container(height=860, border=True, key="adj_page_box"):
        if view.document.kept.suffix.lower() != ".pdf":
            st.caption("No page picture: this is not a PDF file. The text is on the right.")
            return
        try:
            picture = page_picture(str(view.document.kept), now, boxes_of(view.clause, now), zoom)
            st.image(picture, width="stretch" if zoom == 1.0 else int(816 * zoom))
        except UnreadableDocument as error:
            say_error(error)
