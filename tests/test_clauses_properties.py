"""What holds for every text: nothing is lost, spans follow each other, the components work in anybody's pipeline."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import classifier.clauses as clauses
from classifier.clauses import Unit, fold, units_of_text

COMPONENTS = ("policy_blocks", "policy_sentences", "policy_clauses")
quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SENTENCES = (
    "Officers shall notify ICE of the release date, but shall not hold the person past it.",
    "No member may ask or require proof of citizenship.",
    "See Lunn v. Commonwealth, 477 Mass. 517 (2017).",
    "Under 8 U.S.C. § 1373(a), status may be shared.",
    "Sgt. O'Neil keeps the log, and the O.I.C. shall read it.",
    "This does not apply where a judge has signed the warrant.",
    "The desk shall not: (a) hold a person; (b) call ICE; or (c) wait.",
    "Members shall not:",
    "Requests are handled as follows:",
    "hold a person for ICE; or",
    "Detainers and Holds",
    "DETAINERS",
    "Page 3 of 9",
    "A. Purpose. This order limits work with ICE.",
    "Purpose ............ 3",
    "Signed: ____________",
    "a civil immi-",
    "(b)",
    "1.",
    "",
)
MARKS = (
    "",
    "",
    "1. ",
    "2. ",
    "3. ",
    "(a) ",
    "(b) ",
    "(i) ",
    "(ii) ",
    "A. ",
    "B.",
    "I. ",
    "II. ",
    "• ",
    "- ",
    "1.1 ",
    "1.2.1 ",
    "§ 4 ",
    "SECTION 5. ",
)
policy_line = st.builds(
    lambda indent, mark, sentences, end: " " * indent + mark + " ".join(sentences) + end,
    st.sampled_from((0, 0, 0, 2, 4, 8)),
    st.sampled_from(MARKS),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4),
    st.sampled_from(("\n", "\n", "\n\n", "\r\n", " ")),
)
policies = st.lists(policy_line, max_size=14).map("".join)
# any characters, with those that the splitter looks at far more often than chance would bring them
texts = st.text(
    st.one_of(st.sampled_from(" \n\t.:;,-()§•aAiI1“”\xa0\x0c\u2028"), st.characters(exclude_categories=("Cs",))),
    max_size=200,
)


def assert_whole(text: str, units: list[Unit]) -> None:
    """Units are contiguous, in order, not empty, and cover the text."""
    at = 0
    for unit in units:
        assert unit.start == at < unit.end
        at = unit.end
    # a text of white space alone has nothing to cut
    assert at == len(text) or (not units and not text.strip())
    assert "".join(text[u.start : u.end] for u in units) == (text if units else "")


@quick
@given(texts)
def test_the_units_of_any_text_rejoin_to_it(text: str) -> None:
    assert_whole(text, units_of_text(text))


@quick
@given(policies)
def test_the_units_of_a_policy_rejoin_to_it(text: str) -> None:
    assert_whole(text, units_of_text(text))


@pytest.mark.parametrize(
    "text", ["1. (a) •", "(a)\n(b)\n(c)", "Members shall: (a) (b)", "A. Purpose. (1)", "•", "1. 1. 1.", "..."]
)
def test_marks_without_words_are_kept(text: str) -> None:
    assert_whole(text, units_of_text(text))


@quick
@given(policies)
def test_no_word_is_lost_or_doubled(text: str) -> None:
    words = [word for unit in units_of_text(text) for word in text[unit.start : unit.end].split()]
    assert words == text.split()


@quick
@given(policies)
def test_a_word_never_stands_in_two_units(text: str) -> None:
    for unit in units_of_text(text)[1:]:
        assert not re.fullmatch(r"\w\w", text[unit.start - 1 : unit.start + 1]), text[unit.start - 20 : unit.start + 20]


@quick
@given(policies)
def test_splitting_twice_gives_the_same(text: str) -> None:
    assert units_of_text(text) == units_of_text(text)


@quick
@given(policies)
def test_context_and_heading_are_words_of_the_text_above(text: str) -> None:
    for unit in units_of_text(text):
        above = set(re.findall(r"\w+", fold(text[: unit.start])))
        assert set(re.findall(r"\w+", unit.context + " " + unit.heading)) <= above


# --- the components in a pipeline of somebody else ---------------------------------------------------------------


def test_a_blank_pipeline_gives_clauses_with_lead_in_and_heading() -> None:
    nlp = spacy.blank("en")
    for name in COMPONENTS:
        nlp.add_pipe(name)
    doc = nlp("DETAINERS\nMembers shall not:\n(a) hold a person for ICE;\n(b) call ICE. The Chief may.\n")
    spans = list(doc.spans["clauses"])
    assert [span.text for span in spans] == [
        "Members shall not:",
        "(a) hold a person for ICE;",
        "(b) call ICE.",
        "The Chief may.",
    ]
    assert [span._.lead_in for span in spans] == ["", "Members shall not:", "Members shall not:", ""]
    assert {span._.heading for span in spans} == {"DETAINERS"}
    assert [span.label_ for span in doc.spans["blocks"]] == ["heading", "paragraph", "item", "item"]
    assert [sentence.text.strip() for sentence in doc.sents][-1] == "The Chief may."


def test_the_components_stand_beside_others_and_in_pipe() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "ICE"}])  # type: ignore[attr-defined]
    for name in COMPONENTS:
        nlp.add_pipe(name)
    docs = list(nlp.pipe(["Members shall not call ICE. The Chief may.", ""]))
    assert [[span.text for span in doc.spans["clauses"]] for doc in docs] == [
        ["Members shall not call ICE.", "The Chief may."],
        [],
    ]
    assert [entity.text for entity in docs[0].ents] == ["ICE"]


@pytest.mark.parametrize("names", [("policy_sentences",), ("policy_clauses",), ("policy_blocks", "policy_clauses")])
def test_a_component_before_its_time_says_what_must_run_first(names: tuple[str, ...]) -> None:
    nlp = spacy.blank("en")
    for name in names:
        nlp.add_pipe(name)
    with pytest.raises(ValueError, match="must run before"):
        nlp("Members shall not call ICE.")


# --- size --------------------------------------------------------------------------------------------------------

PAGE = "\n".join(
    [
        "IV. DETAINERS",
        "The officer in charge shall read each detainer that comes to the station by facsimile or by",
        "electronic mail, and shall not hold a person past the time at which he would otherwise leave.",
        "A. Members shall not:",
        "  1. ask about immigration status, see 8 U.S.C. § 1373(a);",
        "  2. notify ICE of a release, unless a judge has signed a warrant; or",
        "  3. let an agent into the cells. Sgt. O'Neil keeps the key.",
        "B. Records. The log is open to the public under G.L. c. 41, § 98F.",
    ]
    * 5
)


def seconds(pages: int) -> float:
    text = "\n".join([PAGE] * pages)
    began = time.process_time()
    units = clauses.units_of_text(text)
    spent = time.process_time() - began
    assert_whole(text, units)
    return spent


def test_a_manual_of_300_pages_takes_seconds_and_grows_in_line() -> None:
    seconds(5)  # loads what is loaded once
    half = min(seconds(75), seconds(75))
    whole = min(seconds(150), seconds(150))
    assert whole <= 3 * half
    assert seconds(300) < 15


@pytest.mark.parametrize(
    "text", ["a " * 40_000, "( " * 15_000, "a, and b " * 8_000, "1. " * 15_000, "No. " * 15_000, "A.B." * 10_000]
)
def test_odd_text_does_not_blow_up(text: str) -> None:
    began = time.process_time()
    assert_whole(text, units_of_text(text))
    assert time.process_time() - began < 5


def test_a_stranger_gets_the_components_by_name_without_importing_the_project() -> None:
    code = (
        "import spacy; nlp = spacy.blank('en')\n"
        "for name in ('policy_blocks', 'policy_sentences', 'policy_clauses'): nlp.add_pipe(name)\n"
        "doc = nlp('Officers shall not:\\n(a) call ICE;\\n(b) hold anyone.')\n"
        "print([s.text for s in doc.spans['clauses']])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "['Officers shall not:', '(a) call ICE;', '(b) hold anyone.']", done.stderr
