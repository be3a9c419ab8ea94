"""How near two texts are, and where they differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.wording import RELATED, Folded, difference, marked, shares

TEXTS = st.text(st.sampled_from("ab c.,'-\n§é\u2028") | st.characters(), max_size=40)
SOME_WORDS = st.lists(st.sampled_from("shall not hold a person on the detainer".split()), max_size=12).map(" ".join)


@given(TEXTS | SOME_WORDS, TEXTS | SOME_WORDS)
def test_pieces_rejoin_to_both_texts(old: str, new: str) -> None:
    pieces = difference(old, new)
    assert "".join(p.old for p in pieces) == old
    assert "".join(p.new for p in pieces) == new
    for p in pieces:
        assert (p.old.split() == p.new.split()) == (p.kind == "same") or not (p.old.strip() or p.new.strip())


def test_one_changed_word_is_one_piece() -> None:
    pieces = difference("Officers shall not hold anyone.", "Officers may not hold anyone.")
    assert [p.kind for p in pieces] == ["same", "changed", "same"]
    assert marked(pieces) == "Officers [-shall-] {+may+} not hold anyone."


def test_words_added_and_gone_are_marked() -> None:
    assert marked(difference("Call ICE at once.", "Call ICE.")) == "Call ICE [-at once-]."
    assert marked(difference("Call ICE.", "Call ICE now.")) == "Call ICE {+now+}."


@given(st.lists(SOME_WORDS, min_size=1, max_size=4))
def test_shares_are_symmetric_and_whole_for_the_same_text(texts: list[str]) -> None:
    folder = Folded()
    folded = [folder.fold(text) for text in texts]
    share = shares(folded, folded)
    assert (share == share.T).all()
    assert (share.diagonal() == 1.0).all()
    assert ((share == 0) | (share >= RELATED)).all()


def test_a_share_counts_words_not_letters() -> None:
    folder = Folded()
    one, other = folder.fold("Hold no Person, ever."), folder.fold("hold NO animal, ever!")
    assert shares([one], [other])[0, 0] == pytest.approx(3 / 4)
