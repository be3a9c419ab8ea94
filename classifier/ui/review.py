"""Review one clause after another by keyboard: the page, the clause, the machine's labels with their words, the decision."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from classifier.clauses import Clause
from classifier.codebook import Practice, load_codebook
from classifier.conditions import Condition
from classifier.corrections import ClauseView, decide, flag, skip, undo, view_clause
from classifier.errors import ClassifierError, UnreadableDocument
from classifier.explanations import Explanation, explain_practice, explain_stance
from classifier.features import Surroundings
from classifier.labellings import Labelling, predicted
from classifier.page_images import draw_page
from classifier.queues import Filters, duplicates_of, next_after, progress, queue, queue_length
from classifier.store import Store
from classifier.store_documents import list_departments, list_documents
from classifier.ui.clause_text import show_words
from classifier.ui.session import errors_as_words, model, must_be, say_error, store

PRACTICE_KEYS = "1 2 3 4 5 6 7 8 9 0 Q W E T Y U I".split()  # C and R are Streamlit's own
STANCE_KEYS = "A S D F G".split()
ORDERS = {"uncertain": "least certain first", "document": "in reading order", "audit": "random sample"}
ZOOMS = (0.75, 1.0, 1.5, 2.0)
# Every line has its place and height, so that nothing moves from clause to clause; the text takes what the window has left.
STYLE = """<style>
.stApp .stMainBlockContainer { padding-top: 4rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-text_box), .st-key-text_box { height: clamp(190px, 100vh - 612px, 460px) !important; flex: none !important; }
[data-testid="stLayoutWrapper"]:has(> .st-key-page_box), .st-key-page_box { height: max(560px, 100vh - 7.6rem) !important; flex: none !important; }
.st-key-said_of, .st-key-speaking { height: 1.5rem; overflow: hidden; }
.st-key-said_of *, .st-key-speaking * { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.st-key-standing { height: 2.9rem; overflow-y: auto; }
.st-key-standing * { white-space: pre-wrap; line-height: 1.4; }
.st-key-decision, .st-key-decision [data-testid="stVerticalBlock"] { gap: .3rem; }
.st-key-decision .stButton button { min-height: 1.75rem; padding: 0 .45rem; }
.st-key-decision .stButton button p { font-size: .9rem; }
.st-key-decision [data-testid="stHorizontalBlock"] { gap: .5rem; }
</style>"""


def page() -> None:
    """The review page: who sits here, which queue, then the clause."""
    person = must_be("annotator", "adjudicator")
    if person is None:
        return
    choose_queue(store(), person.name)
    review(person.name)


def choose_queue(at: Store, name: str) -> None:
    """Order and filters, in the sidebar; a change begins the queue anew."""
    book = load_codebook()
    with st.sidebar:
        st.selectbox("Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", on_change=begin_anew)
        with st.expander("Filters"):
            narrow("Practice", {p.id: p.name for p in book.practices})
            narrow("Verdict", {v: v for v in book.verdicts})
            narrow("Department", {d.name: d.name for d in list_departments(at)})
            narrow("Document", {d.document.id: d.document.name for d in list_documents(at)})
            st.selectbox(
                "State", ["undecided", "skipped", "flagged", "decided", "any"], key="state", on_change=begin_anew
            )
            st.toggle("Annotators disagree", key="disagreement", on_change=begin_anew)
            st.toggle("Assigned to me", key="assigned", on_change=begin_anew)
            st.text_input("Search", key="search", on_change=begin_anew)
        with st.expander("Progress by document"):
            for d in list_documents(at, name):
                st.progress(d.decided / max(1, d.document.clauses), text=None)
                st.text(
                    f"{d.document.name}: {d.decided} of {d.document.clauses}, {d.skipped} skipped, {d.flagged} flagged"
                )


def narrow(label: str, options: dict[str, str]) -> None:
    """One filter: none, or one of the options (value → name). Its key is the label in small letters."""
    st.selectbox(
        label, list(options), None, options.__getitem__, key=label.lower(), placeholder="all", on_change=begin_anew
    )


def filters() -> Filters:
    """The filters that the sidebar says."""
    said = st.session_state
    return Filters(
        said.get("practice") or "", said.get("department") or "", said.get("document") or "", said.get("verdict") or "",
        said.get("disagreement", False), said.get("state", "undecided"), said.get("search") or "",
        said.get("assigned", False),
    )  # fmt: skip


def begin_anew() -> None:
    """Forget the clause in hand, so that the queue gives its first."""
    for of_clause in ("clause", "view"):
        st.session_state.pop(of_clause, None)
    st.query_params.pop("clause", None)


@st.fragment
def review(name: str) -> None:
    """The clause in hand. A fragment: a key stroke redraws this alone."""
    at = store()
    st.html(STYLE)
    if problem := st.session_state.pop("problem", None):
        say_error(problem)
    if note := st.session_state.pop("said", ""):
        st.toast(note)
    clause = st.session_state.get("clause") or st.query_params.get("clause") or first(at, name)
    if clause is None:
        nothing_left(at, name)
        return
    try:
        view = take_up(at, name, clause)
    except ClassifierError as error:  # a deep link to what is not there
        say_error(error)
        st.button("Go to the queue", on_click=begin_anew, type="primary")
        return
    with errors_as_words():
        left, right = st.columns([5, 6], gap="medium")
        with right, st.container(key="decision"):
            show_decision(at, name, view)
        with left:
            show_page(view)


def first(at: Store, name: str) -> str | None:
    """The first clause of the queue."""
    found = queue(at, name, st.session_state.get("order", "uncertain"), filters(), limit=1)
    return found[0] if found else None


def nothing_left(at: Store, name: str) -> None:
    """The empty state: nothing in the store, nothing in this queue, or everything decided."""
    done = progress(at, name)
    if not done.clauses:
        st.info("The store is empty. Score some policies first: the Score page offers the samples.")
    elif done.decided == done.clauses:
        st.success(f"All {done.clauses} clauses are decided.")
    else:
        st.info("Nothing is left in this queue. Change the order or the filters on the left.")
    key("Undo", "Z", lambda: step_back(name), anywhere=True)


def take_up(at: Store, name: str, clause: str) -> ClauseView:
    """Begin with a clause: its labels as they stand are the draft. A clause already in this person's hand keeps its draft."""
    state = st.session_state
    if "view" in state and (state["view"].clause.id, state.get("held_by")) == (clause, name):
        held: ClauseView = state["view"]
        return held
    view = view_clause(at, name, clause)
    state["clause"] = clause
    state["held_by"] = name
    st.query_params["clause"] = clause
    state["view"] = view
    state["began"] = time.monotonic()
    state["with_twins"] = False
    state["page"] = view.clause.page
    state["asking"] = False
    labelling = standing_labels(view)
    state["draft"] = dict(labelling.labels)
    state["conditions"] = list(labelling.conditions)
    state["focus"] = doubtful_label(view, state["draft"])
    return view


def standing_labels(view: ClauseView) -> Labelling:
    """This annotator's decision, else the machine's labels, else none (blind)."""
    if view.decision is not None and view.decision.new is not None:
        return view.decision.new
    return predicted(view.prediction) if view.prediction else Labelling()


def doubtful_label(view: ClauseView, draft: dict[str, str | None]) -> str | None:
    """The label whose stance is least sure: the stance keys change that one first."""
    sure = {x.practice: x.stance_probability for x in view.prediction.labels} if view.prediction else {}
    stanced = [p for p, s in draft.items() if s is not None]
    return min(stanced, key=lambda p: sure.get(p, 1.0)) if stanced else None


def key(
    label: str,
    shortcut: str,
    act: Callable[[], None],
    *,
    primary: bool = False,
    off: bool = False,
    hint: str | None = None,
    final: bool = False,
    anywhere: bool = False,
) -> None:
    """A button with its key; what it does runs before the page is drawn again.

    It works on the clause that was shown with it, unless `anywhere`. final: it leaves the clause; then the button belongs to
    this clause alone, so that a key held down or struck twice never decides a clause that nobody has seen yet.
    """
    clause = None if anywhere else st.session_state.get("clause")
    st.button(
        label, key=f"key_{shortcut}_{clause}" if final else f"key_{shortcut}", shortcut=shortcut, on_click=guarded,
        args=(act, clause), disabled=off, type="primary" if primary else "secondary", width="stretch", help=hint,
    )  # fmt: skip


def guarded(act: Callable[[], None], clause: str | None = None) -> None:
    """Run a step; what the store refuses is said on the page, with everything in hand kept.

    clause: the step is for this one; it is left where another one is in hand by now.
    """
    if clause is not None and (clause != st.session_state.get("clause") or "view" not in st.session_state):
        return
    try:
        act()
    except ClassifierError as error:
        st.session_state["problem"] = error


# what the keys do


def accept(at: Store, name: str) -> None:
    """Record the draft for this clause (and its twins, when chosen) and go on."""
    state = st.session_state
    view: ClauseView = state["view"]
    twins = duplicates_of(at, name, view.clause.id) if state["with_twins"] else []
    given = Labelling(state["draft"], tuple(state["conditions"]) if state["draft"] else ())
    following = after(at, name)
    decide(
        at, name, [view.clause.id, *twins], given,
        seconds=time.monotonic() - state["began"],
        note=f"decided together with {len(twins)} clauses that read alike" if twins else "",
    )  # fmt: skip
    go(following if following not in twins else after(at, name))


def after(at: Store, name: str, backwards: bool = False) -> str | None:
    """The next clause of the queue, or the first when its end is reached."""
    here = st.session_state["clause"]
    order = st.session_state.get("order", "uncertain")
    if backwards:
        return next_after(at, name, here, order, replace(filters(), state="any"), backwards=True) or here
    found = next_after(at, name, here, order, filters())
    if found is None:
        start = first(at, name)
        return None if start == here else start
    return found


def go(clause: str | None) -> None:
    """Turn to a clause; None lets the queue say what is left."""
    st.session_state.pop("view", None)
    if clause is None:
        begin_anew()
    else:
        st.session_state["clause"] = clause


def toggle(practice: Practice) -> None:
    """Put a practice on the clause; a second press turns to it; one more takes it off."""
    state = st.session_state
    draft: dict[str, str | None] = state["draft"]
    if practice.id not in draft:
        draft[practice.id] = None if practice.stanceless else likeliest_stance(state["view"], practice.id)
        state["focus"] = practice.id
    elif state["focus"] == practice.id or practice.stanceless or len(draft) == 1:
        del draft[practice.id]
        state["focus"] = doubtful_label(state["view"], draft)
    else:
        state["focus"] = practice.id


def likeliest_stance(view: ClauseView, practice: str) -> str:
    """What the model would say of a practice that it did not give; for a blind annotator simply the first stance."""
    if view.blind:
        return next(iter(load_codebook().stances))
    seen = model()
    return seen.stances[int(seen.stance_probabilities([surroundings_of(view)], [practice])[0].argmax())]


def set_stance(stance: str) -> None:
    """The stance of the label in focus."""
    state = st.session_state
    if state["focus"] in state["draft"]:
        state["draft"][state["focus"]] = stance


def step_back(name: str) -> None:
    """Undo the last step, whenever it was, and turn to its clause."""
    undone = undo(store(), name)
    if undone is None:
        st.session_state["said"] = "Nothing to undo."
        return
    st.session_state["said"] = f"Undone: {undone.kind} on {len(undone.clauses)} clause(s)."
    go(undone.clauses[0])


def ask(name: str) -> None:
    """Put the question that was typed to the adjudicator."""
    state = st.session_state
    flag(store(), name, state["clause"], state.get("question", ""))
    state.update(asking=False, said="The question is with the adjudicator.")
    go(state["clause"])


# what is shown


def show_decision(at: Store, name: str, view: ClauseView) -> None:
    """Clause, labels and keys."""
    state = st.session_state
    with st.container(key="said_of"):
        st.text(f"{view.document.name}, page {view.clause.page} · {view.document.department.name}")
    counts = st.container()  # filled last: nobody waits for it
    explained = explanation(view, state["focus"])
    show_words(view, explained)
    with st.container(key="speaking"):
        st.caption(what_speaks(view, explained))
    show_standing()
    show_steps(at, name, view, explained)
    show_labels(view)
    show_conditions(view)
    done = progress(at, name)
    counts.caption(f"{done.decided} of {done.clauses} decided, {queue_length(at, name, filters())} in this queue")


def what_speaks(view: ClauseView, explained: Explanation | None) -> str:
    """What the marks in the text mean, in one line."""
    state = st.session_state
    if view.blind:
        return "You label this clause blind: neither the machine's labels nor anybody else's are shown."
    if explained is None:
        return "Choose a practice to see the words that speak for it."
    stance = state["draft"].get(state["focus"]) if state.get("words_for") == "stance" else None
    of = f"“{stance}”" if stance else load_codebook().practice(state["focus"]).name
    return f"Blue, underlined: speaks for {of}. Orange, dashed: against."


def show_standing() -> None:
    """What Enter will record, in words."""
    book = load_codebook()
    draft: dict[str, str | None] = st.session_state["draft"]
    words = [f"{book.practice(p).name}: {stance}" if stance else book.practice(p).name for p, stance in draft.items()]
    with st.container(key="standing"):
        st.text(" · ".join(words) or "None of the practices")


def swap_words() -> None:
    """Mark the words behind the stance instead of those behind the practice, or the other way round."""
    st.session_state["words_for"] = "practice" if st.session_state.get("words_for") == "stance" else "stance"


def explanation(view: ClauseView, practice: str | None) -> Explanation | None:
    """The words behind the label in focus: its stance if it has one, else the practice."""
    if practice is None or view.blind:
        return None
    stance = st.session_state["draft"].get(practice)
    if stance is not None and st.session_state.get("words_for") == "stance":
        return explain_stance(surroundings_of(view), practice, stance, model())
    return explain_practice(surroundings_of(view), practice, model())


def surroundings_of(view: ClauseView) -> Surroundings:
    """The clause as the model sees it; where immigration is spoken of does not change its words."""
    before = view.before[-1].text if view.before else ""
    return Surroundings(view.clause.text, view.clause.context, view.clause.heading, before)


def show_steps(at: Store, name: str, view: ClauseView, explained: Explanation | None) -> None:
    """The keys that move on, and those that tell more."""
    state = st.session_state
    twins = duplicates_of(at, name, view.clause.id)
    why = "practice" if state.get("words_for") == "stance" else "stance"
    alike = f"+ {len(twins)} alike" if twins else "none alike"
    row = st.columns(4)
    with row[0]:
        together = f" {len(twins) + 1}" if twins and state["with_twins"] else ""
        key(f"Accept{together}", "Enter", lambda: accept(at, name), primary=True, final=True)
        key("Question", "L", lambda: state.update(asking=not state["asking"]), primary=bool(view.flag))
    with row[1]:
        key("Skip", "X", lambda: leave(at, name), final=True)
        key("Codebook", "H", lambda: state.update(codebook_open=not state.get("codebook_open", False)))
    with row[2]:
        key("Undo", "Z", lambda: step_back(name), anywhere=True)
        key(f"Why {why}", "V", swap_words, off=explained is None, hint=f"Mark the words that speak for the {why}")
    with row[3]:
        key("Back", "B", lambda: go(after(at, name, backwards=True)), final=True)
        key(
            alike, "M", lambda: state.update(with_twins=not state["with_twins"]), off=not twins,
            primary=bool(twins) and state["with_twins"],
            hint="Clauses of other documents that read exactly alike: decide them together",
        )  # fmt: skip
    if view.flag:
        st.text(f"Open question: {view.flag}")
    if state["asking"]:
        with st.form("asking_box", border=False):
            st.text_input("What is to be settled?", key="question")
            st.form_submit_button("Ask", on_click=guarded, args=(lambda: ask(name), view.clause.id))


def leave(at: Store, name: str) -> None:
    """Skip the clause and go on."""
    following = after(at, name)
    skip(at, name, st.session_state["clause"], seconds=time.monotonic() - st.session_state["began"])
    go(following)


def show_labels(view: ClauseView) -> None:
    """Every practice with its key and the machine's probability, and the stances of the label in focus."""
    state = st.session_state
    book = load_codebook()
    draft: dict[str, str | None] = state["draft"]
    scores = view.prediction.scores if view.prediction else {}
    columns = st.columns(2)
    for i, practice in enumerate(book.practices):
        with columns[i // 9]:
            words = [("▸ " if practice.id == state["focus"] else "") + practice.name]
            if scores.get(practice.id, 0.0) >= 0.05:
                words.append(f"{scores[practice.id]:.0%}")
            key(" · ".join(words), PRACTICE_KEYS[i], partial(toggle, practice), primary=practice.id in draft)
    with columns[1]:
        key("None of these", "N", lambda: state.update(draft={}, focus=None), off=not draft)
    focus = state["focus"]
    for column, stance, shortcut in zip(st.columns(5), book.stances, STANCE_KEYS, strict=True):
        with column:
            now = focus is not None and draft.get(focus) == stance
            key(stance, shortcut, partial(set_stance, stance), primary=now, off=draft.get(focus or "") is None)


def show_conditions(view: ClauseView) -> None:
    """Condition types with their words; a wrong one is taken off, a missed one added."""
    state = st.session_state
    conditions: list[Condition] = state["conditions"]
    for i, condition in enumerate(conditions):
        row = st.columns([8, 1])
        row[0].text(f"{condition.type}: “{condition.text}”")
        row[1].button("✕", key=f"drop_{i}", on_click=drop_condition, args=(i,), help="Take this condition off")
    with st.expander("Add a condition", key="conditions_box"):
        st.selectbox("The clause turns on", list(load_codebook().conditions), key="condition_type")
        st.text_input("Its words, as they stand in the clause or its lead-in", key="condition_words")
        st.button("Add", on_click=guarded, args=(lambda: add_condition(view.clause), view.clause.id))


def drop_condition(number: int) -> None:
    """Take a condition off the draft."""
    del st.session_state["conditions"][number]


def add_condition(clause: Clause) -> None:
    """Add the condition that was typed; its words must stand in the clause or its lead-in."""
    state = st.session_state
    words = state["condition_words"].strip()
    if not words or words not in f"{clause.context} {clause.text}":
        raise ClassifierError("these words are not in the clause or its lead-in", "copy them as they stand")
    state["conditions"].append(Condition(state["condition_type"], words))
    state["condition_words"] = ""


def show_codebook(practice_id: str | None) -> None:
    """The definition of the practice in focus, two examples, and the stances."""
    book = load_codebook()
    with st.container(border=True):
        if practice_id is None:
            st.text("Turn to a practice to read its definition.")
        else:
            practice = book.practice(practice_id)
            st.text(f"{practice.name}: {practice.definition}")
            for example in practice.examples:
                st.text(f"Example: {example}")
        for stance, definition in book.stances.items():
            st.text(f"{stance}: {definition}")


@st.fragment
def show_page(view: ClauseView) -> None:
    """The source page with the clause marked, its neighbours a key away. A fragment: turning pages redraws this alone."""
    state = st.session_state
    row = st.columns(4)
    turn = {"Left": -1, "Right": 1}
    for column, (shortcut, step) in zip(row, turn.items(), strict=False):
        with column:
            to = min(max(1, state["page"] + step), view.document.pages or 1)
            key("Page", shortcut, partial(state.update, page=to), off=to == state["page"])
    zoom = state.setdefault("zoom", 1.0)
    for column, shortcut, label, step in ((row[2], "J", "Smaller", -1), (row[3], "K", "Larger", 1)):
        with column:
            place = min(max(0, ZOOMS.index(zoom) + step), len(ZOOMS) - 1)
            key(label, shortcut, partial(state.update, zoom=ZOOMS[place]), off=ZOOMS[place] == zoom)
    with st.container(height=860, border=True, key="page_box"):
        if state.get("codebook_open"):
            show_codebook(state["focus"])
        if view.document.kept.suffix.lower() != ".pdf":
            st.caption("No page picture: this is not a PDF file. The text is on the right.")
            return
        try:
            picture = page_picture(str(view.document.kept), state["page"], boxes_of(view.clause, state["page"]), zoom)
            st.image(picture, width="stretch" if zoom == 1.0 else int(816 * zoom))
        except UnreadableDocument as error:
            say_error(error)


def boxes_of(clause: Clause, page: int) -> tuple[Any, ...]:
    """The clause's boxes on a page."""
    return tuple(box for box in clause.boxes if box[0] == page)


@st.cache_data(max_entries=40, show_spinner=False)
def page_picture(file: str, page: int, boxes: tuple[Any, ...], zoom: float) -> bytes:
    """A marked page, drawn once."""
    return draw_page(Path(file), page, boxes, zoom)
