"""The report as HTML: what it says, that every cell leads to its evidence, and that no document can speak as the page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from comparison_cases import CALL, CALL_IF, CITES, KEYS, NO_HOLD, NOTIFY, entry
from review_stores import Unit

from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.departments import Department
from classifier.evidence import Evidence
from classifier.report_content import DISCLAIMER, report_content
from classifier.report_html import html_report

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x00{{ 7*7 }} </p><!-- ]]> \x1b[31m"


class Page(HTMLParser):
    """Tags, ids and links of a page, and its words."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(str(value))
            elif name in ("href", "xlink:href", "src"):
                self.links.append(str(value))

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    led = Unit(
        "notify ICE of the release.", ((NOTIFY, "requires"),), context="The desk officer shall:", heading="IV. X"
    )
    return Evidence.of_entries(
        [
            entry("Alder PD", [NO_HOLD, KEYS], kind="municipal police", county="Essex"),
            entry("Zinnia County Sheriff's Office", [CITES, CALL_IF], effective_date="2019-03-01"),
            entry("Birch PD", [led, Unit("Nobody shall call ICE.", ((NOTIFY, "prohibits"),))]),
            entry("Cedar PD", [CALL], status="partial"),
        ],
        [(Department("Dogwood PD"), "no policy"), (Department("Elm PD"), "no reply")],
        "1",
    )


@pytest.fixture(scope="module")
def page(evidence: Evidence) -> Page:
    return Page(html_report(evidence))


def test_departments_with_the_gap_come_first(evidence: Evidence) -> None:
    briefs = report_content(evidence).briefs
    assert [b.name.split(" ")[0] for b in briefs] == ["Zinnia", "Alder", "Birch", "Cedar", "Dogwood", "Elm"]


def test_every_cell_leads_to_its_evidence(page: Page) -> None:
    inside = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    assert set(inside) <= set(page.ids)
    assert {f"d{n}-{p}" for n in range(6) for p in load_codebook().practice_ids} <= set(inside)
    assert len(page.ids) == len(set(page.ids))


def test_the_report_says_what_the_clauses_say(page: Page) -> None:
    for words in (
        "conditional: approval",
        "“unless the Chief agrees”",
        "The desk officer shall: notify ICE of the release.",
        "Birch PD, page 1 · IV. X · requires · 72% · machine only",
        "effective 2019-03-01",
        "1 department with the Lunn gap",
        "no reply",
        "unread",
        DISCLAIMER,
        "Model: 1.",
        "model 1: real_dev.jsonl: all f1 0.",
        "page 9: scanned image",
    ):
        assert words in page.words, words
    assert page.words.index("Birch PD: Notifies") < page.words.index("Nobody shall call ICE.")


def test_the_file_needs_nothing_else(page: Page) -> None:
    assert not page.tags & {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    assert all(link.startswith("#") for link in page.links)
    assert "svg" in page.tags


def test_the_same_tables_give_the_same_bytes(evidence: Evidence) -> None:
    assert html_report(evidence) == html_report(evidence)


def test_no_word_of_a_document_is_markup() -> None:
    unit = Unit(
        HOSTILE, ((NOTIFY, "limits"),), context=HOSTILE, heading=HOSTILE, conditions=(Condition("approval", HOSTILE),)
    )
    known = {"kind": HOSTILE, "county": HOSTILE, "state": HOSTILE, "effective_date": HOSTILE, "source": HOSTILE}
    hostile = Evidence.of_entries(
        [entry(f"{HOSTILE} Sheriff", [unit, CITES, CALL], HOSTILE, **known)],
        [(Department("\x00"), "no reply")],
        HOSTILE,
    )
    content = html_report(hostile)
    page = Page(content)
    assert not page.tags & {"script", "img"}
    assert not {name for name in page.attributes if name.startswith("on")}
    assert b"\x00" not in content
    assert b"\x1b" not in content
    assert "{{ 7*7 }}" in page.words
    assert b"<!--" not in content


def test_no_department_is_a_report_too() -> None:
    page = Page(html_report(Evidence.of_entries([], version="1")))
    assert "0 departments" in page.words
    assert "No department has it." in page.words


def test_without_matplotlib_the_pictures_are_left_out(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "classifier.charts", raising=False)
    page = Page(html_report(evidence))
    assert "svg" not in page.tags
    assert "#pictures" not in page.links
