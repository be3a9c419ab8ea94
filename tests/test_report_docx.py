"""The report as a Word file: the same words, cells that lead to their evidence, the same bytes."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZipFile

import docx
import pytest
from comparison_cases import CALL, CALL_IF, CITES, KEYS, NO_HOLD, NOTIFY, entry
from review_stores import Unit

from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.evidence import Evidence
from classifier.report_content import DISCLAIMER
from classifier.report_docx import docx_report

HOSTILE = "<w:t>]]>&amp;</w:t>\x00\x1b\ufffe\x0b"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    led = Unit("notify ICE.", ((NOTIFY, "requires"),), context="The desk officer shall:")
    return Evidence.of_entries(
        [
            entry("Alder PD", [NO_HOLD, KEYS, led], kind="sheriff", county="Essex"),
            entry("Birch PD", [CITES, CALL_IF], "birch.pdf"),
            entry("Cedar PD", [CALL, Unit("Nobody shall call ICE.", ((NOTIFY, "prohibits"),))]),
        ],
        [(Department("Dogwood PD"), "no policy")],
        "1",
    )


def everything(content: bytes) -> str:
    """All words, those of tables too."""
    root = docx.Document(BytesIO(content)).element.body
    return "\n".join("".join(p.itertext()) for p in root.iter(docx.oxml.ns.qn("w:p")))


def test_it_says_what_the_clauses_say(evidence: Evidence) -> None:
    text = everything(docx_report(evidence))
    for words in (
        DISCLAIMER,
        "1 department with the Lunn gap",
        "conditional: approval (72% · machine only)",
        "The desk officer shall: notify ICE.",
        "birch.pdf, page 1 · limits · 72% · machine only · condition: approval: “unless the Chief agrees”",
        "Cedar PD: Notifies ICE on release",
        "no policy",
        "Model: 1. Codebook: ",
        "model 1: real_dev.jsonl: all f1 0.",
    ):
        assert words in text, words
    assert text.index("Birch PD (Lunn gap)") < text.rindex("Alder PD")


def test_every_cell_leads_to_its_evidence(evidence: Evidence) -> None:
    xml = ZipFile(BytesIO(docx_report(evidence))).read("word/document.xml").decode()
    links, marks = set(re.findall(r'w:anchor="(\w+)"', xml)), re.findall(r'w:name="(\w+)"', xml)
    assert len(marks) == len(set(marks)) == 4 * (1 + len(load_codebook().practices))
    assert links == set(marks)


def test_the_same_tables_give_the_same_bytes(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    content = docx_report(evidence)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert docx_report(evidence) == content
    assert {part.date_time for part in ZipFile(BytesIO(content)).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_word_of_a_document_is_markup() -> None:
    unit = Unit(HOSTILE, ((NOTIFY, "limits"),), context=HOSTILE, heading=HOSTILE)
    hostile = Evidence.of_entries([entry(HOSTILE, [unit, CITES, CALL], kind=HOSTILE, source=HOSTILE)], (), HOSTILE)
    assert "<w:t>]]>&amp;</w:t>" in everything(docx_report(hostile))


def test_no_department_is_a_report_too() -> None:
    assert "0 departments" in everything(docx_report(Evidence.of_entries([], version="1")))
