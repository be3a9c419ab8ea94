"""Text of a document on the page: cut into pieces without losing a character, the strongest words marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifier.explanations import Contribution, Place, explain_practice
from classifier.features import Surroundings
from classifier.predictions import Model
from classifier.ui.clause_text import STRONGEST, Part, of_field, pieces


def contribution(text: str, start: int, end: int, weight: float) -> Contribution:
    return Contribution(Place("text", start, end), text[start:end], weight)


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, tuple[Contribution, ...]]:
    """A text with words marked anywhere in it, over one another or not."""
    text = draw(st.text(max_size=60))
    place = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(place, place, st.floats(-3, 3).filter(bool)), max_size=8))
    return text, tuple(contribution(text, min(a, b), max(a, b), w) for a, b, w in spans)


@given(marked_texts())
def test_pieces_rejoin_to_the_text(marked: tuple[str, tuple[Contribution, ...]]) -> None:
    text, contributions = marked
    found = pieces(Part(text, "", contributions))
    assert "".join(p["text"] for p in found) == text
    assert all(p["text"] for p in found)
    for piece in found:
        if "side" in piece:
            assert 0 <= piece["strength"] <= 1
            assert piece["side"] == ("for" if piece["title"].startswith("+") else "against")


def test_a_word_is_marked_once_though_a_turn_of_phrase_covers_it_too() -> None:
    text = "Officers shall not hold."
    both = (contribution(text, 9, 14, 1.0), contribution(text, 9, 23, -2.0), contribution(text, 15, 18, -0.5))
    assert [(p["text"], p.get("side")) for p in pieces(Part(text, "", both))] == [
        ("Officers ", None),
        ("shall", "for"),
        (" ", None),
        ("not", "against"),
        (" hold.", None),
    ]


def test_the_strongest_word_is_marked_strongest() -> None:
    text = "hold a person"
    strong, weak = contribution(text, 0, 4, -2.0), contribution(text, 7, 13, 0.5)
    marks = {p["text"]: p for p in pieces(Part(text, "", (strong, weak))) if "side" in p}
    assert marks["hold"] == {"text": "hold", "side": "against", "strength": 1.0, "title": "−2.00"}
    assert marks["person"]["strength"] == 0.25


def test_each_field_gets_its_own_strongest_words_on_both_sides(model: Model) -> None:
    clause = Surroundings(
        "No officer may hold any person on a civil immigration detainer or tell ICE of the release of that person, "
        "except where a judge of a court of this state has signed a criminal warrant.",
        context="Officers of the department:",
        heading="IV. DETAINERS",
    )
    told = explain_practice(clause, "honors_detainers", model).contributions
    for field, text in (("text", clause.text), ("context", clause.context), ("heading", clause.heading)):
        mine = of_field(told, field)
        assert mine
        assert sum(c.weight > 0 for c in mine) <= STRONGEST
        assert sum(c.weight < 0 for c in mine) <= STRONGEST
        assert all(text[c.place.start : c.place.end] == c.words for c in mine)
        assert "".join(p["text"] for p in pieces(Part(text, "", mine))) == text
