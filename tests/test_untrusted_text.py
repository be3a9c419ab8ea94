"""Text that others wrote never becomes code: one hostile vocabulary, put wherever text comes in, looked for in all that goes out.

File names, folders, cells of departments.csv, headings, clauses, notes of annotators → terminal, CSV, XLSX, JSONL, HTML, Word,
Parquet, charts, annotation files, Markdown and the pages of the app, each read by a parser of its kind.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import streamlit as st
from comparison_cases import CALL, CITES, HOLD, NOTIFY, entry
from conftest import Run, run_command
from docx import Document as read_word
from hypothesis import given
from hypothesis import strategies as some
from markdown_it import MarkdownIt
from pandas.testing import assert_frame_equal
from review_stores import Unit, add
from streamlit.testing.v1 import AppTest

from classifier.annotation_formats import FORMATS, Record, read_records, write_records
from classifier.charts import draw_charts
from classifier.conditions import Condition
from classifier.corrections import decide, flag
from classifier.departments import Department
from classifier.double_annotation import assign
from classifier.evaluation import model_card
from classifier.evidence import Evidence, write_table
from classifier.exports import Entry, write_results
from classifier.input_files import list_files
from classifier.interchange import export_records, import_records, reviewed_document, to_policy
from classifier.labelled import read_policy
from classifier.labellings import Labelling
from classifier.plain_text import as_text, as_written, is_formula, json_text, legible, markdown_text, spelled_out
from classifier.predictions import Model
from classifier.proof_folder import markdown, readme
from classifier.proof_pictures import panels
from classifier.queues import EVERYTHING, Filters, queue
from classifier.report_docx import docx_report
from classifier.report_html import html_report
from classifier.research_tables import table_files
from classifier.store import Store, open_store, register
from classifier.terminal import printable, say
from classifier.ui.exchange import policy_files
from classifier.ui.score import keep

FORMULAS = (
    "=1+1", "+1+cmd|' calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1+1", "\u00a0@x", "＝1+1", "＋1", "－1", "＠x",
    "'=1+1", "''=1", '=HYPERLINK("http://x","y")', "\ufeff=1", "\n=1", "\x00=1",
)  # fmt: skip
MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "</style></p><!-- ]]>", "\" onmouseover='x' '",
    "<svg/onload=alert(3)>", "{{ 7*7 }}{% raw %}", "&lt;b&gt;&#60;script>", "<iframe src=javascript:alert(4)>",
    "<metadata>x</metadata>", '</w:t></w:r><w:instrText>DDEAUTO c:\\\\x "y"</w:instrText>',
)  # fmt: skip
MARKDOWN = (
    "**bold** _it_", "[link](javascript:alert(1))", "![picture](http://x/y.png)", "$x^2$ and $$y$$", ":material/home: :red[x]",
    "a|b|c", "# head", "`code`", "~~gone~~", "<http://x.y>", ":streamlit:", "- [ ] task",
)  # fmt: skip
TERMINAL = (
    "\x1b[31mred\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x9b2J\x9d0;t\x9c",
    "\u202egnp.exe\u202c", "\u2066\u2067x\u2069", "line\nerror: forged\r\x85\u2028next", "\x08\x08\x7f", "\u200bzero\u200dwidth",
    "\U000e0041tag",
)  # fmt: skip
OTHER = (
    "%s %n %(x)d {0}",
    "'; DROP TABLE clauses; --",
    '"quoted", "twice"',
    "word" * 400,
    "\udce9\ud800",
    "a\\x1b",
    "\ufffe",
)
VOCABULARY = (*FORMULAS, *MARKUP, *MARKDOWN, *TERMINAL, *OTHER)
STORABLE = tuple(w for w in VOCABULARY if not re.search("[\x00\ud800-\udfff]", w))
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def is_clean(text: str) -> bool:
    """No control character but line ends and tabs, nothing that turns the direction of what follows, no lone surrogate."""
    odd = ((unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t") or c in TURNS for c in text)
    return not any(odd)


def obeyed(cell: object) -> bool:
    """Whether a spreadsheet may take a cell for a formula. Not by the project's own word for it."""
    begin = unicodedata.normalize("NFKC", str(cell).lstrip(" \t\r\n\u00a0\ufeff"))[:1]
    return begin in ("=", "+", "-", "@") if begin else False


def hostile_unit(word: str) -> Unit:
    """A clause about detainers with the word in every part of it."""
    text = f"{word} Members shall hold no person on a detainer unless the {word} Chief agrees. {word}"
    return Unit(
        text, ((HOLD, "limits"),), context=f"{word} all members:", heading=word,
        conditions=(Condition("approval", f"unless the {word} Chief agrees"),),
    )  # fmt: skip


def hostile_entry(number: int, words: Sequence[str]) -> Entry:
    """A department with one of the words in each thing that is known of it; its clauses have them all."""
    name, file, kind, county, date, source, note = islice(cycle(words), 7)
    no_call = Unit(f"{words[0]} Nobody shall call ICE before a release.", ((NOTIFY, "prohibits"),))
    return entry(
        name, [*map(hostile_unit, words), CITES, CALL, no_call], f"{name} {file} {number}", "partial",
        kind=f"sheriff {kind}", county=county, state="MA", effective_date=date, source=source, note=note,
    )  # fmt: skip


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Every word in a clause and a heading, and in a name or a cell of the registry."""
    groups = [VOCABULARY[n : n + 3] for n in range(0, len(VOCABULARY), 3)]
    turned = [group[n % len(group) :] + group[: n % len(group)] for n, group in enumerate(groups)]
    without = [(Department(f"{words[0]} none", *words[1:]), "no reply") for words in turned[::4]]
    return Evidence.of_entries([hostile_entry(n, words) for n, words in enumerate(turned)], without, VOCABULARY[1])


# --- from a folder to all files, by the commands -----------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A folder of hostile files as `clauses score` and the commands after it saw it."""

    folder: Path
    out: Path
    runs: dict[str, Run]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    root = tmp_path_factory.mktemp("sent")
    folder, out = root / "in", root / "out"
    names = [
        *(w for w in (*FORMULAS[:-1:2], *TERMINAL) if "/" not in w),
        MARKUP[1],
        MARKUP[3],
        MARKDOWN[3],
        MARKDOWN[5],
        OTHER[2],
        "\udce9",
        "a\\x1b",
    ]
    rows = [["document", "department", "kind", "county", "state", "effective_date", "source", "note"]]
    for n, word in enumerate(names):
        below = folder / word.strip(".") if n % 3 == 0 else folder
        below.mkdir(parents=True, exist_ok=True)
        file = below / f"{n} {word}.txt"
        said = word.encode("utf-8", "replace").decode()
        text = f"III. {said}\n\nMembers shall not hold any person on an ICE detainer unless {said} the Chief approves it.\n"
        file.write_text(text + f"{said}\n", encoding="utf-8")
        if n % 3 == 1:
            relative = file.relative_to(folder).as_posix().encode("utf-8", "replace").decode()
            rows.append([relative, f"{said} PD", *[said] * 6])
    rows.append(["", "=No PD \x1b[31m", "\u202ekind", "", "", "", "", "no reply \x1b]0;x\x07"])
    rows.append(["x\x00y", "Nul PD", "", "", "", "", "", ""])
    with (folder / "departments.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(rows)
    (folder / "\x1b]0;bad\x07\u202e.pdf").write_bytes(b"%PDF-1.4 \x1b[31m")
    scored = run_command("score", folder, "--out", out, "--jobs", 1)
    listed = read_csv(out / "documents.csv")
    departments = [as_written(row["department"]) for row in listed[:2]]
    documents = [as_written(row["document"]) for row in listed[:2]]
    runs = {
        "score": scored,
        "compare": run_command("compare", out, *(part for d in departments for part in ("--departments", d))),
        "versions": run_command("compare", out, "--versions", *documents),
        "report": run_command(
            "report", out, "--policies", folder, "--out", root / "r.html", "--tables", root / "tables"
        ),
        "word": run_command("report", out, "--policies", folder, "--out", root / "r.docx"),
        "split": run_command("split", folder / f"1 {names[1]}.txt"),
        "no such file": run_command("split", folder / "\x1b]0;none\x07\u202e.txt"),
        "no such department": run_command("compare", out, "--departments", "\x1b[31m\u202e", "--departments", "y"),
        "no such option": run_command("score", "--\x1b]0;x\x07", "--out", out),
    }
    return Sent(folder, out, runs)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def test_every_command_ends_in_words(sent: Sent) -> None:
    status = {name: run.status for name, run in sent.runs.items()}
    assert status["score"] == 1  # one file is no PDF
    assert [name for name, s in status.items() if s == 0] == ["compare", "versions", "report", "word", "split"]


def test_no_terminal_obeys(sent: Sent) -> None:
    for name, run in sent.runs.items():
        drawn = run.out + run.err
        assert drawn.strip(), name
        assert all(c == "\n" or c.isprintable() for c in drawn), name
    assert not [line for line in sent.runs["score"].out.splitlines() if line.startswith("error: forged")]


def test_no_file_is_written_beside_the_folder_asked_for(sent: Sent) -> None:
    beside = {p.name for p in sent.folder.parent.iterdir()}
    assert beside == {"in", "out", "tables", "r.html", "r.docx"}


def test_every_file_has_one_row_under_a_name_that_prints(sent: Sent) -> None:
    files = [p for p in sent.folder.rglob("*") if p.is_file() and p.name != "departments.csv"]
    names = [as_written(row["document"]) for row in read_csv(sent.out / "documents.csv")]
    assert len(set(names)) == len(names) == len(files)
    assert all(is_clean(name) and not set(name) & set("\n\r\t") for name in names)


def test_no_csv_cell_is_a_formula_nor_a_command(sent: Sent) -> None:
    tables = [*sent.out.glob("*.csv"), *(sent.folder.parent / "tables").glob("*.csv")]
    assert len(tables) >= 9
    for path in tables:
        with path.open(encoding="utf-8", newline="") as source:
            cells = [cell for row in csv.reader(source) for cell in row]
        assert any(cell.startswith("'") for cell in cells) or path.stem in ("labels", "conditions", "data_dictionary")
        assert not [c for c in cells if obeyed(c) or not is_clean(c)], path


def test_no_workbook_cell_is_a_formula_or_a_link(sent: Sent) -> None:
    book = openpyxl.load_workbook(sent.out / "findings.xlsx")
    assert book.sheetnames == ["Matrix", "Evidence", "Coverage"]
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not [c for c in cells if c.hyperlink]
    assert all(is_clean(str(c.value)) for c in cells)
    assert [c for c in cells if obeyed(c.value)]
    assert all(c.quotePrefix for c in cells if c.data_type == "s" and obeyed(c.value))


def test_lines_of_json_print_and_lose_nothing(sent: Sent) -> None:
    raw = (sent.out / "clauses.jsonl").read_text(encoding="utf-8")
    assert is_clean(raw)
    assert len(raw.splitlines()) == raw.count("\n")  # no other line end than ours
    assert all(json.loads(line)["clause"] for line in raw.splitlines())


def test_the_project_reads_back_what_it_wrote(tmp_path: Path) -> None:
    """Every word in every column, but for half characters in clauses, which no table holds."""
    entries = [hostile_entry(n, [word, *STORABLE[:2]]) for n, word in enumerate([*STORABLE, "\x00=1"])]
    write_results(entries, [], tmp_path, "1")
    made, read = Evidence.of_entries(entries, (), "1"), Evidence.from_results(tmp_path)
    for name in ("documents", "departments", "clauses", "conditions", "findings", "labels"):
        assert_frame_equal(getattr(made, name), getattr(read, name), rtol=2e-3, atol=2e-3)


@given(some.text())
def test_a_cell_is_read_back_as_it_was(text: str) -> None:
    for cell in (text, f"'{text}", f"={text}", f"''-{text}", f" ＝{text}"):
        assert as_written(as_text(cell)) == cell
        assert not is_formula(as_text(cell))
        assert not obeyed(as_text(cell))
    assert json.loads(json_text([text])) == [text]
    assert legible(text) == legible(legible(text))


@given(some.text(some.characters(codec=None)), some.text(some.characters(codec=None)))
def test_different_names_stay_different(one: str, other: str) -> None:
    assert is_clean(spelled_out(one))
    assert not set(spelled_out(one)) & set("\t\n\r\u2028\u2029")
    assert (spelled_out(one) == spelled_out(other)) == (one == other)


def test_names_that_spell_others_keep_apart(tmp_path: Path) -> None:
    for name in (b"a\x1b.txt", rb"a\x1b.txt", b"a\xe9.txt", rb"a\xe9.txt"):
        Path(tmp_path / name.decode("utf-8", "surrogateescape")).write_text("Members hold nobody.")
    found = [file.name for file in list_files([tmp_path])]
    assert sorted(found) == sorted([r"a\x1b.txt", r"a\\x1b.txt", r"a\xe9.txt", r"a\\xe9.txt"])


def test_results_written_from_memory_hold_the_text_itself(tmp_path: Path) -> None:
    """Also what does not come from a file: every word in every column, back as it was but for what is no text."""
    entries = [entry(f"PD {n}", [hostile_unit(word)], f"{n}.txt", source=word) for n, word in enumerate(VOCABULARY)]
    write_results(entries, [], tmp_path, "1")
    given_, read = Evidence.of_entries(entries, (), "1"), Evidence.from_results(tmp_path)
    assert_frame_equal(given_.clauses, read.clauses)
    assert_frame_equal(given_.conditions, read.conditions)
    kept = dict(zip(read.documents["document"], read.documents["source"], strict=True))
    assert kept == {f"{n}.txt": legible(word) for n, word in enumerate(VOCABULARY)}


# --- the report and the tables -----------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser makes of a page: its tags with their attributes, and its words."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.links: set[str] = set()
        self.styles: set[str] = set()
        self.words = ""
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name in ("href", "xlink:href", "src", "action")}
        self.styles |= {str(value) for name, value in attrs if name in ("class", "http-equiv")}

    def handle_decl(self, decl: str) -> None:
        assert decl == "doctype html"

    def handle_comment(self, data: str) -> None:
        assert not any(word in data for word in ("alert", "]]", "PD"))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_no_word_becomes_part_of_the_page(evidence: Evidence) -> None:
    content = html_report(evidence)
    tame = Page(
        html_report(Evidence.of_entries([entry("A Sheriff", [hostile_unit("x"), CITES, CALL], county="Essex")]))
    )
    page = Page(content)
    assert page.tags - tame.tags <= {"small"}
    assert not page.tags & {"script", "img", "iframe", "object", "embed", "form", "base", "link"}
    assert not [name for _, name in page.attributes if name.startswith("on")]
    assert all(link.startswith("#") for link in page.links)
    assert page.styles - tame.styles <= {
        f"v-{v}" for v in ("does", "mixed", "conditional", "silent", "unread", "no-reply")
    } | {f"word v-{v}" for v in ("does", "mixed", "conditional", "silent", "unread", "no-reply")}
    assert "default-src 'none'" in content.decode("utf-8")
    assert is_clean(content.decode("utf-8"))
    for word in (*FORMULAS, *MARKUP, *MARKDOWN):
        assert legible(word).strip() in page.words, word


def test_no_word_becomes_part_of_the_word_file(evidence: Evidence) -> None:
    content = docx_report(evidence)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        body = ET.fromstring(parts.read("word/document.xml"))
        related = parts.read("word/_rels/document.xml.rels").decode()
    names = {element.tag.rpartition("}")[2] for element in body.iter()}
    assert not names & {"instrText", "fldSimple", "fldChar", "object", "altChunk", "script"}
    assert 'TargetMode="External"' not in related
    said = "\n".join(p.text for p in read_word(io.BytesIO(content)).paragraphs)
    assert is_clean(said)
    for word in (*MARKUP, *MARKDOWN):
        assert legible(word) in said, word


def test_charts_show_names_as_they_are(evidence: Evidence) -> None:
    for chart in draw_charts(evidence):
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(chart.svg).iter()}
        assert not tags & {"script", "image", "foreignObject", "a"}
        assert is_clean(chart.svg.decode("utf-8"))


def test_tables_for_research(evidence: Evidence, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    files = table_files(evidence)
    for name, content in files.items():
        if name.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
            cells = [cell for row in rows[1:] for cell in row]
            assert not [c for c in cells if obeyed(c) or not is_clean(c)], name
            if (twin := name.replace(".csv", ".parquet")) in files:
                table = parquet.read_table(io.BytesIO(files[twin])).to_pydict()
                for column, *values in zip(*rows, strict=True):
                    as_is = table[column]
                    if as_is and isinstance(as_is[0], str):
                        assert [as_written(v) for v in values] == as_is
    package = files["datapackage.json"].decode("utf-8")
    assert is_clean(package)
    assert {r["path"] for r in json.loads(package)["resources"]} == {
        n for n in files if n not in ("datapackage.json", "data_dictionary.csv")
    }
    write_table(tmp_path / "t.csv", pd.DataFrame({"a": VOCABULARY}, dtype=object))
    read = [row["a"] for row in read_csv(tmp_path / "t.csv")]
    assert [as_written(cell) for cell in read] == [legible(word) for word in VOCABULARY]
    assert not any(map(obeyed, read))


# --- Markdown ----------------------------------------------------------------------------------------------------


def tokens(text: str) -> set[str]:
    """The kinds of what a Markdown program makes of a text."""
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return {t.type for t in parsed} | {c.type for t in parsed for c in t.children or ()}


@pytest.mark.parametrize("word", VOCABULARY, ids=ascii)
def test_markdown_shows_a_word_as_it_is(word: str, model: Model) -> None:
    plain = {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}
    assert tokens(f"x {markdown_text(word)} y") <= plain
    table = markdown(pd.DataFrame({"a": [word], "b": [1.0]}, dtype=object))
    (row,) = [t for t in MarkdownIt("gfm-like", {"linkify": False}).parse(table) if t.type == "tbody_open"] or [None]
    assert row is not None
    assert tokens(table).isdisjoint({"html_inline", "html_block", "link_open", "image", "code_inline", "strong_open"})
    card = model_card(model, {word: {"core_f1": 0.5}})
    assert not tokens(card) & {"html_inline", "html_block", "link_open", "image", "strong_open"}
    assert is_clean(card)


def test_streamlit_shows_no_formula_and_no_icon() -> None:
    for word in ("$x$", ":material/home:", ":red[x]", ":streamlit:"):
        assert not re.search(r"(?<!\\)[$:\[]", markdown_text(word))


def test_the_proof_names_its_sets_as_they_are() -> None:
    @dataclass
    class OfName:
        name: str = "<img src=x onerror=1>|`[x](y)"

        def counts(self) -> dict[str, int]:
            return {"documents": 1, "clauses": 2, "labelled_clauses": 1}

    proofs: Any = [OfName()]
    assert not tokens(readme([f"errors_{OfName.name}.csv"], proofs, False)) & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
    }
    figure, _ = panels(1, r"$\frac{ \x1b[31m <b>")
    figure.savefig(io.BytesIO(), format="png")


# --- annotation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_annotation_files_lose_nothing_and_obey_nothing(form: str) -> None:
    records = [
        Record(
            f"{n:016x}", word, word, f"{word} members", f"{word} hold nobody unless {word} agrees", "ann",
            Labelling({HOLD: "limits"}, (Condition("approval", f"unless {word} agrees"),)), datetime(2026, 1, n % 27 + 1, tzinfo=UTC),
            word, 1.5,
        )
        for n, word in enumerate(STORABLE)
    ]  # fmt: skip
    content = write_records(records, form)
    read = read_records(content, form)
    assert read.refused == ()
    assert [record for _, record in read.records] == records
    if form == "csv":
        assert not [c for row in csv.reader(io.StringIO(content, newline="")) for c in row if obeyed(c)]
    else:
        assert is_clean(content)


# --- the store and the app ---------------------------------------------------------------------------------------

PAGES = (
    "score", "matrix_page", "pair_page", "gap_page", "templates_page", "versions_compare_page", "pictures_page", "review",
    "adjudication", "double", "agreement", "people", "exchange", "versions_page",
)  # fmt: skip
WORST = tuple(w for w in (*MARKUP, *MARKDOWN, "=1+1", "\u202egnp.exe", "\x1b]0;t\x07") if w in STORABLE)
EVE = "=Eve **x** <b onclick=1> $y$ :material/home:"  # a name must print


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with the vocabulary in names, clauses and notes."""
    with pytest.MonkeyPatch.context() as patch:
        where = tmp_path_factory.mktemp("store") / "store.sqlite"
        patch.setenv("CLAUSES_STORE", str(where))
        patch.delenv("CLAUSES_FILES", raising=False)
        st.cache_resource.clear()
        opened = open_store(where)
        register(opened, "boss", "adjudicator")
        register(opened, EVE, "adjudicator")
        for n, word in enumerate(WORST):
            again = Unit(f"{word} The desk officer shall call ICE before a release.", ((NOTIFY, "requires"),))
            for copy in ("", "2 "):
                add(opened, f"{n} {copy}{word}.txt", [hostile_unit(word), CITES, again], word)
        ids = queue(opened, "boss", "document", EVERYTHING)
        for n, id_ in enumerate(ids[:8]):
            decide(opened, "boss", [id_], Labelling({HOLD: "limits"}), note=WORST[n])
            decide(opened, EVE, [id_], Labelling({HOLD: "permits" if n < 4 else "limits"}), note=WORST[-n])
        flag(opened, EVE, ids[9], " ".join(WORST[:12]))
        assign(opened, "boss", EVE, 0.2)
        yield opened
        opened.close()
        st.cache_resource.clear()


def opened_page(page: str, name: str, **query: str) -> AppTest:
    script = f"""
from classifier.ui import {page}
from classifier.ui.session import errors_as_words, pick_annotator
with errors_as_words():
    pick_annotator()
    {page}.page()
"""
    app = AppTest.from_string(script, default_timeout=60)
    app.session_state["annotator"] = name
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def elements(node: Any) -> Iterator[Any]:
    """Everything on a page, and the boxes that it stands in."""
    yield node
    for child in getattr(node, "children", {}).values():
        yield from elements(child)


def read_as_markdown(node: Any) -> list[str]:
    """What the browser reads as Markdown: texts, labels and hints. Texts, tables and the choices of a list are shown as they are."""
    proto, kind = getattr(node, "proto", None), getattr(node, "type", "")
    if proto is None or kind in ("text", "html", "bidi_component"):
        return []
    fields = [getattr(proto, field, "") for field in ("body", "label", "help", "text", "caption")]
    if hasattr(proto, "expandable"):
        fields.append(proto.expandable.label)
    if hasattr(proto, "tab"):
        fields.append(proto.tab.label)
    return [f for f in fields if isinstance(f, str) and f]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("store")
def test_no_page_reads_a_word_as_markup(page: str) -> None:
    known = {"matrix_page": {"department": WORST[0], "practice": HOLD}, "gap_page": {"department": WORST[1]}}
    for name in ("boss", EVE):
        app = opened_page(page, name, **known.get(page, {}))
        found = [f for part in (app.main, app.sidebar) for node in elements(part) for f in read_as_markdown(node)]
        assert found
        for word in (*WORST, EVE):
            assert not [f for f in found if word in f], word
        own = [str(e.proto.body) for e in app.get("html")]
        for content in own:
            parsed = Page(content.encode("utf-8"))
            assert parsed.tags <= {"style", "div", "b"}
            assert not [a for _, a in parsed.attributes if a not in ("style",)]


@pytest.mark.usefixtures("store")
def test_the_pages_do_show_the_words() -> None:
    """The test above would pass on empty pages."""
    app = opened_page("matrix_page", "boss", department=WORST[0], practice=HOLD)
    assert WORST[0] in [t.value for t in app.text]
    assert set(WORST) <= set(app.dataframe[0].value["department"])
    assert EVE in [t.value for t in opened_page("adjudication", "boss").text]


def test_downloads_hold_no_formula() -> None:
    from classifier.ui.agreement import as_csv as of_agreement
    from classifier.ui.comparisons import as_csv

    table = pd.DataFrame({word: [word, word] for word in WORST})
    for content in (of_agreement(table), as_csv(pd.DataFrame({"a": WORST}))):
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
        assert not [c for row in rows for c in row if obeyed(c) or not is_clean(c)]


def test_the_app_leaves_no_export_of_tables_to_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUSES_STORE", "")  # the command sets it
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, command: started.append(command))
    run_command("app", "--no-browser")
    assert "--client.disableDataExport=true" in started[0]


def test_decisions_come_out_and_in_again(store: Store) -> None:
    for form in FORMATS:
        records = export_records(store)
        assert len(records) >= 16
        done = import_records(store, "boss", write_records(records, form), form)
        assert (done.added, done.refused) == (0, ())


def test_training_files_are_read_back(store: Store, tmp_path: Path) -> None:
    assert agreed(store)
    for document in agreed(store):
        made = reviewed_document(store, document.id)
        path = tmp_path / "made.policy"
        path.write_text(to_policy(made), encoding="utf-8")
        read = read_policy(path)
        assert [c.labels for c in read.clauses] == [c.labels for c in made.clauses]
        assert (read.hand, read.state) == (made.hand, made.state)


def agreed(store: Store) -> list[Any]:
    """The documents with a clause on which both agree."""
    without = {refusal.where for refusal in policy_files([d.document for d in documents_of(store)]).left_out}
    return [d.document for d in documents_of(store) if d.document.name not in without]


def documents_of(store: Store) -> list[Any]:
    from classifier.store_documents import list_documents

    return list_documents(store)


def test_search_takes_no_word_for_a_pattern_or_a_statement(store: Store) -> None:
    everything = queue(store, "boss", "document", EVERYTHING)
    for word in ("%", "_", "'; DROP TABLE clauses; --", "\\", '"'):
        found = queue(store, "boss", "document", Filters(state="any", search=word))
        assert len(found) < len(everything)
    assert queue(store, "boss", "document", Filters(state="any", search="<script>alert(1)</script>"))
    assert queue(store, "boss", "document", EVERYTHING) == everything


@pytest.mark.parametrize(
    "name", ["../../x.txt", "..\\..\\x.txt", "/etc/passwd", "a/../../b", "..", "", "x\x00y", "\x1b]0;x\x07", "x" * 400]
)
def test_an_uploaded_name_leads_nowhere(tmp_path: Path, name: str) -> None:
    kept = keep(tmp_path, 0, name, b"x")
    assert kept.resolve().is_relative_to(tmp_path.resolve() / "0")
    assert kept.read_bytes() == b"x"
    assert kept.name.isprintable()


def test_names_in_archives_and_in_the_store_are_our_own(store: Store) -> None:
    made = policy_files([d.document for d in documents_of(store)])
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert all(re.fullmatch(r"[a-z0-9-]+\.policy", name) for name in archive.namelist())
    assert all(re.fullmatch(r"[0-9a-f]{64}\.txt", d.document.kept.name) for d in documents_of(store))


# --- the smallest parts ------------------------------------------------------------------------------------------


@given(some.text(some.characters(codec=None)))
def test_a_line_of_the_terminal_is_one_line_that_prints(text: str) -> None:
    assert all(c.isprintable() for c in printable(text))
    assert len(printable(text)) == len(text)


def test_say_prints_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb\x1b[31m", "\u202ec")
    say("d\x9b", err=True)
    assert capsys.readouterr() == ("a b [31m\n c\n", "d \n")
