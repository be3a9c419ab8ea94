"""Conditions: their type and the words that say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.codebook import load_codebook
from classifier.conditions import CUES, find_conditions

# type → (clause, words of the condition)
SAID: dict[str, list[tuple[str, str]]] = {
    "judicial_warrant": [
        ("No inmate is handed over without a judicial warrant.", "without a judicial warrant"),
        ("Agents may enter the cells only with a warrant signed by a judge.", "with a warrant signed by a judge"),
        ("Members may hold him where a criminal warrant is outstanding.", "where a criminal warrant is outstanding"),
        ("Members shall not hold a person unless a judge has signed a warrant.", "unless a judge has signed a warrant"),
        ("Release is delayed only upon a judicial order, and then for one hour.", "upon a judicial order"),
        ("No hold, except on a warrant issued by a federal magistrate.", "except on a warrant issued by a federal magistrate"),
    ],
    "criminal_history": [
        ("Jail staff may notify ICE of a person who was convicted of a felony.", "who was convicted of a felony"),
        ("The sheriff may transfer an inmate only if charged with a violent crime.", "if charged with a violent crime"),
        ("No call is made unless the prisoner is a registered sex offender.", "unless the prisoner is a registered sex offender"),
        ("Deputies may call about an inmate who is listed in the gang database.", "who is listed in the gang database"),
    ],
    "public_safety": [
        ("ICE is called only in an emergency.", "only in an emergency"),
        ("No call is made unless there is an imminent threat of harm.", "unless there is an imminent threat of harm"),
        ("The chief may help where the person poses a danger to others.", "where the person poses a danger to others"),
        ("Members may assist if exigent circumstances exist.", "if exigent circumstances exist"),
        ("Notice is given where it serves national security.", "where it serves national security"),
        ("Members shall not help, except to prevent serious bodily injury.", "except to prevent serious bodily injury"),
    ],
    "ice_request": [
        ("The desk officer tells the release date when ICE asks.", "when ICE asks"),
        ("Rosters are sent upon request of ICE.", "upon request of ICE"),
        ("The date is given only in response to a notification request.", "in response to a notification request"),
        ("The clerk reads out the log when requested by ICE.", "when requested by ICE"),
        ("The date is given at the request of the Department of Homeland Security.", "at the request of the Department of Homeland Security"),
        ("A sergeant may say yes or no in reply to an inquiry from ICE.", "in reply to an inquiry from ICE"),
        ("When a detainer is lodged, the clerk calls the field office.", "When a detainer is lodged"),
    ],
    "approval": [
        ("Deputies may join the raid only with the approval of the Chief.", "with the approval of the Chief"),
        ("No list leaves the building without the written permission of the Sheriff.", "without the written permission of the Sheriff"),
        ("Members shall not assist unless the shift commander approves.", "unless the shift commander approves"),
        ("The log may be sent if authorized by the Superintendent.", "if authorized by the Superintendent"),
        ("Desk space is lent with the consent of the Director.", "with the consent of the Director"),
    ],
    "required_by_law": [
        ("Members shall not share status, except as required by law.", "except as required by law"),
        ("Records are withheld unless required by federal law.", "unless required by federal law"),
        ("Members may send status as provided by 8 U.S.C. § 1373.", "as provided by 8 U.S.C. § 1373"),
        ("Members may send status as provided by 8 U.S.C. Section 1373.", "as provided by 8 U.S.C. Section 1373"),
        ("Prints are sent to the extent permitted by state law.", "to the extent permitted by state law"),
        ("The clerk withholds the file unless a subpoena compels it.", "unless a subpoena compels it"),
        ("Members may hold a fugitive as authorized by G.L. c. 276 and no longer.", "as authorized by G.L. c. 276 and no longer"),
    ],
    "public_information": [
        ("The clerk may give ICE only what is available to the public.", "only what is available to the public"),
        ("Nothing is told unless it is publicly available.", "unless it is publicly available"),
        ("The log may be shown if it is a public record.", "if it is a public record"),
        ("ICE may read the board where any member of the public may read it.", "where any member of the public may read it"),
    ],
    "criminal_investigation": [
        ("Members shall not assist, except in a criminal investigation.", "except in a criminal investigation"),
        ("Status may be asked only for the investigation of a crime.", "only for the investigation of a crime"),
        ("Deputies may assist if status is an element of the offense.", "if status is an element of the offense"),
        ("Members may stop a car when there is probable cause to believe a crime was committed.", "when there is probable cause to believe a crime was committed"),
    ],
    "consent": [
        ("ICE may interview an inmate only with the inmate's written consent.", "with the inmate's written consent"),
        ("No interview is held without the consent of the prisoner.", "without the consent of the prisoner"),
        ("An agent may speak to a detainee if the detainee agrees.", "if the detainee agrees"),
        ("The consulate is told at the person's own request.", "at the person's own request"),
        ("No file is opened unless the victim consents in writing.", "unless the victim consents in writing"),
    ],
}  # fmt: skip

# type → clauses that use its words, or stand near them, and turn on nothing of the kind
UNSAID: dict[str, list[str]] = {
    "judicial_warrant": ["A civil detainer is not a criminal warrant.", "Members hold no one on an administrative warrant.", "The judge sits at nine."],
    "criminal_history": ["Members shall not hold any person on a detainer.", "The criminal bureau keeps the log.", "Violent storms close the lobby."],
    "public_safety": [
        "After each call members report to the Department of Public Safety.",
        "After each call members report to the Public Safety Committee.",
        "The daily log is sent to ICE.",
    ],
    "ice_request": [
        "Members shall not hold any person on an ICE detainer.",
        "The facility may not hold a person on a Form I-247A.",
        "Officers shall help when the police asks.",
        "A detainer is a request.",
    ],
    "approval": ["The Chief reviews this order each year.", "Approval forms are kept for a year.", "The supervisor's desk is by the door."],
    "required_by_law": ["All persons are equal under the law.", "The law library is on the second floor.", "The order binds every member."],
    "public_information": ["The public enters by the front door.", "Members keep the public at a distance.", "Public meetings begin at noon."],
    "criminal_investigation": ["Detectives work on the third floor.", "Members shall not ask about status.", "ICE makes civil arrests."],
    "consent": [
        "Desk space is lent with the consent of the Director.",
        "No beds are leased without the consent of the county board.",
        "The inmate signs the property sheet.",
    ],
}  # fmt: skip


def types(text: str, context: str = "") -> set[str]:
    return {c.type for c in find_conditions(text, context)}


def test_every_type_of_the_codebook_has_cues_and_cases() -> None:
    assert set(CUES) == set(SAID) == set(UNSAID) == set(load_codebook().conditions)
    assert min(map(len, SAID.values())) >= 4
    assert min(map(len, UNSAID.values())) >= 2


@pytest.mark.parametrize(("kind", "text", "words"), [(k, *case) for k, cases in SAID.items() for case in cases])
def test_a_condition_is_found_with_its_words(kind: str, text: str, words: str) -> None:
    assert [c.text for c in find_conditions(text) if c.type == kind] == [words]


@pytest.mark.parametrize(("kind", "text"), [(k, text) for k, texts in UNSAID.items() for text in texts])
def test_no_condition_where_nothing_turns_on_it(kind: str, text: str) -> None:
    assert kind not in types(text)


def test_a_clause_may_name_several() -> None:
    text = (
        "Members may tell ICE the date only with the approval of the Chief and if the person was convicted of a felony."
    )
    assert {"approval", "criminal_history"} <= types(text)


def test_each_type_stands_once() -> None:
    found = find_conditions("No hold without a judicial warrant, that is a criminal warrant signed by a judge.")
    assert [c.type for c in found].count("judicial_warrant") == 1


def test_the_lead_in_speaks_where_the_item_is_silent() -> None:
    lead_in = "Unless the Sheriff approves, deputies shall not:"
    assert "approval" in types("(a) call the field office;", lead_in)
    assert "approval" not in types("(a) call the field office;")
    (found,) = [
        c
        for c in find_conditions("(a) call, save with the approval of the Major or Captain;", lead_in)
        if c.type == "approval"
    ]
    assert found.text.startswith("with the approval of the Major or Captain")


def test_the_words_end_at_the_next_comma() -> None:
    (found,) = find_conditions("Unless the Chief approves, members shall not call ICE; they log the matter.")
    assert found.text == "Unless the Chief approves"


@given(st.text(max_size=40), st.sampled_from([case for cases in SAID.values() for case, _ in cases]))
def test_the_words_are_always_words_of_the_clause(noise: str, text: str) -> None:
    clause = f"{text[: len(text) // 2]}{noise}{text[len(text) // 2 :]}"
    for found in find_conditions(clause):
        assert found.text in clause
        assert found.text.strip()
