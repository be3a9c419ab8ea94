"""Finding Lunn v. Commonwealth in every form, and no Officer Lunn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.citations import find_lunn

CITED = [
    # the case name, both orders
    "Lunn v. Commonwealth governs every hold.",
    "Commonwealth v. Lunn governs every hold.",
    "Commonwealth vs. Lunn",
    "Lunn vs. Commonwealth & another",
    "Lunn versus Commonwealth was argued in April.",
    "Lunn v Commonwealth",
    "Lunn v. the Commonwealth",
    "Lunn v. Comm., supra",
    "Lunn v. Com.",
    "LUNN v. COMMONWEALTH",
    "lunn v. commonwealth",
    "Sreynuon Lunn v. Commonwealth",
    "Matter of Lunn, July 24, 2017",
    # what a scanner made of it
    "Lunn v. Comm0nwealth",
    "Lunn v. Cornmonwealth",
    "Lunn v. Commonweaith",
    "Lunn v. Commonwea1th",
    "Lurm v. Commonwealth",
    "Lumn v. Commonwealth",
    "Lurin v. Commonwealth",
    "1unn v. Commonwealth",
    "Iunn v. Commonwealth",
    "Lunn v, Commonwealth",
    # broken at the end of a line
    "as held in Lunn\nv. Commonwealth",
    "as held in Lunn v.\n   Commonwealth",
    "reported at 477\nMass. 517",
    "see 477 Mass.\n517",
    "docket SJC-\n12276",
    # the reporters and the docket
    "477 Mass. 517",
    "477 Mass. 517 (2017)",
    "477 Mass 517",
    "477 Mass, 517",
    "477 Mass.517",
    "477 Mass. 5l7",
    "47T Mass. 517",
    "477 Mass. at 528",
    "78 N.E.3d 1143",
    "78 N.E. 3d 1143",
    "docket SJC-12276",
    "Docket No. SJC-12276",
    "SJC 12276",
    "S.J.C. 12276",
    "SJC No. 12276",
    # the name alone
    "the Lunn decision",
    "The Lunn ruling leaves notice untouched.",
    "THE LUNN DECISION",
    "Post-Lunn practice is set out below.",
    "post-Lunn",
    "Since Lunn, every hold ends at bail.",
    "In light of Lunn the Department withdrew the order.",
    "as Lunn requires",
    "Lunn's holding is narrow.",
    "Lunn does not forbid a telephone call.",
    "training covers Lunn",
    # described by court and year
    "the Supreme Judicial Court's 2017 ruling that there is no authority to hold on a civil detainer",
    "In July 2017 the SJC held that a civil detainer gives no power of arrest, so members may not hold on detainers.",
    "the SJC has ruled that officers may not hold a person on an immigration hold",
    "the 2017 SJC decision",
    "the 2017 detainer ruling",
    "the July 24th ruling from the SJC on immigration detainers",
    "the state's highest court ruled in 2017 that no law lets officers hold on a civil immigration detainer",
]

OTHERS = [
    # people
    "Officer Lunn fills in the log.",
    "Sgt. Lunn keeps the key.",
    "Sgt Lunn keeps the key.",
    "Sergeant Lunn's shift begins at eight.",
    "Lt. Lunn",
    "Ms. Lunn signed the form.",
    "Chief Lunn approves overtime.",
    "Chief Robert Lunn",
    "Robert Lunn",
    "Robert J. Lunn",
    "Prepared by: J. Lunn",
    "Detective R. Lunn",
    "Sgt. A. Lunn teaches on Fridays.",
    "Officers Smith and Lunn patrol the harbor.",
    "Inmate Lunn was booked at noon.",
    "Lunn's shift ends at eight.",
    # places
    "12 Lunn Street, Ware",
    "the corner of Lunn Avenue",
    "the Lunn School",
    "Lunn Road Bridge",
    "the Lunnfield lockup",
    # other cases
    "Commonwealth v. Lundy",
    "Commonwealth v. Lynn",
    "Lynn v. Commonwealth",
    "Gunn v. Commonwealth",
    "Commonwealth v. Nunn",
    "Commonwealth v. Lum",
    "Commonwealth v. Lunney",
    "Arizona v. United States",
    "Arizona v. United States, 567 U.S. 387 (2012)",
    "In Arizona the nation's highest court held that a state may not make removal the ground of an immigration hold.",
    "Galarza v. Szalczyk held that a detainer is a request.",
    # other numbers
    "477 Mass. 1",
    "477 Mass. 582",
    "477 Mass. 51",
    "447 Mass. 517",
    "477 F.3d 517",
    "SJC-12277",
    "SJC-11276",
    # courts and detainers without the decision
    "The Supreme Judicial Court sets the rules of bail.",
    "The SJC amended its rules in 2017.",
    "In 2017 the Department received nine detainers.",
    "A detainer lodged by another state is read by the clerk.",
]


def test_there_are_enough_forms() -> None:
    assert len(set(CITED)) >= 40
    assert len(set(OTHERS)) >= 20


@pytest.mark.parametrize("text", CITED)
def test_a_citation_is_found(text: str) -> None:
    assert find_lunn(text)


@pytest.mark.parametrize("text", CITED)
def test_a_citation_is_found_inside_a_clause(text: str) -> None:
    """Where it stands, and nowhere else."""
    before, after = "Members shall read order 7; ", " (see the annex)."
    found = find_lunn(before + text + after)
    assert found
    assert len(before) <= found[0] < found[1] <= len(before + text + after)


@pytest.mark.parametrize("text", OTHERS)
def test_another_lunn_or_another_case_is_left_alone(text: str) -> None:
    assert find_lunn(text) is None


def test_the_place_of_the_citation_is_told() -> None:
    text = "Officer Lunn was told of Lunn v. Commonwealth."
    start, end = find_lunn(text) or (0, 0)
    assert text[start:end] == "Lunn v. Commonwealth"


def test_the_letter_of_a_list_is_no_initial() -> None:
    assert find_lunn("F. Lunn leaves custody records alone.")


def test_a_namesake_does_not_hide_the_case() -> None:
    text = "Sgt. Lunn teaches the Lunn decision."
    start, end = find_lunn(text) or (0, 0)
    assert (text[start:end], start) == ("Lunn", text.index("Lunn decision"))


@given(st.text(alphabet="Lunv. 477Mas51SJC-12276\n&the", max_size=60))
def test_any_text_gives_a_place_inside_it_or_none(text: str) -> None:
    found = find_lunn(text)
    assert found is None or 0 <= found[0] < found[1] <= len(text)
