"""Of a long file only the pages that can matter are read with care; labels and findings are those of reading it all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdf_files import IMMIGRATION, at, body, manual, page_of, scan, write_objects, write_pdf

from classifier import pdf_pages
from classifier.codebook import load_codebook
from classifier.concepts import ORDINARY, fold_words
from classifier.labelled import read_policies
from classifier.pages import Document, read_document
from classifier.pipeline import ScoredDocument, score_file
from classifier.predictions import load_model
from classifier.relevance import REACH, speaks_of_immigration
from classifier.skim import glance_at

EVALUATION = Path(os.environ.get("EVALUATION", Path(__file__).parents[2] / "shared" / "evaluation"))


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pages; 31 to 33 and 50 matter."""
    return manual(tmp_path_factory.mktemp("manual") / "manual.pdf", 60, [31, 32, 33, 50], lines=20)


def read(path: Path, thorough: bool = False) -> Document:
    return read_document(path, matters=speaks_of_immigration, thorough=thorough)


def labels(scored: ScoredDocument) -> list[tuple[object, ...]]:
    """Every labelled clause with all that is said of it."""
    pairs = zip(scored.clauses, scored.predictions, strict=True)
    return [(clause, prediction) for clause, prediction in pairs if prediction and prediction.labels]


def test_pages_far_from_any_word_of_immigration_are_only_looked_at(long_file: Path) -> None:
    document = read(long_file)
    careful = [p.number for p in document.pages if p.method == "pdfplumber"]
    assert careful == [1, *range(29, 35), *range(48, 52)]
    aside = [p for p in document.pages if p.aside]
    assert all(p.method == "pdfium" and p.status == "read" and p.words > 200 and not p.lines for p in aside)
    assert len(careful) + len(aside) == 60


def test_labels_and_findings_are_those_of_reading_it_all(long_file: Path) -> None:
    model = load_model()
    quick, thorough = (score_file(long_file, "manual.pdf", model, thorough=t) for t in (False, True))
    assert (quick.pages_skimmed, thorough.pages_skimmed) == (49, 0)
    assert len(thorough.clauses) > 4 * len(quick.clauses)
    assert labels(quick) == labels(thorough)
    assert {c.page for c, _ in labels(quick)} >= {31, 32, 33, 50}  # type: ignore[attr-defined]
    assert quick.findings == thorough.findings
    assert (quick.status, quick.pages_read, quick.first_lines) == ("ok", 60, thorough.first_lines)


def test_a_short_file_is_read_in_full(tmp_path: Path) -> None:
    document = read(write_pdf(tmp_path / "short.pdf", [page_of(body(20))] * 5))
    assert not any(p.aside for p in document.pages)


def test_pages_that_cannot_be_judged_are_never_set_aside(tmp_path: Path) -> None:
    """A scan, a page of letters that make no words; a stray letter does not make a scan a page of text."""
    rubbish = page_of([" ".join(["xqzt wvbr kjhgf"] * 6)] * 20)
    pages = [page_of(body(20, i)) for i in range(60)]
    pages[20], pages[40] = page_of([], scan, at(300, 400, "x")), rubbish
    document = read(write_pdf(tmp_path / "mixed.pdf", pages))
    assert [p.number for p in document.pages if p.status == "unread"] == [21, 41]
    assert {19, 20, 22}.isdisjoint(p.number for p in document.pages if p.aside)


def test_words_cut_at_the_line_end_are_seen(tmp_path: Path) -> None:
    pages = [page_of(body(20, i)) for i in range(50)]
    pages[25] = page_of(
        [*body(10), "The clerk answers all letters that ask about an immi-", "gration matter.", *body(5)]
    )
    glance = glance_at(write_pdf(tmp_path / "cut.pdf", pages).read_bytes())[25]
    assert "immigration" in glance.text
    assert not next(p for p in read(tmp_path / "cut.pdf").pages if p.number == 26).aside


def test_an_overfull_page_is_refused_alone(tmp_path: Path) -> None:
    full = page_of([], *(at(10 + i % 50 * 10, 10 + i // 50 * 0.1, "iiiiiiiiii", 1) for i in range(6500)))
    document = read(write_pdf(tmp_path / "full.pdf", [page_of(body(20)), full, page_of(body(20))]))
    assert [p.status for p in document.pages] == ["read", "unread", "read"]
    assert "signs and shapes, more than a page can hold" in document.pages[1].reason


@pytest.mark.parametrize("practice", load_codebook().practices, ids=lambda p: p.id)
def test_every_practice_is_spoken_of_where_its_examples_are(practice: object) -> None:
    assert any(speaks_of_immigration(example) for example in practice.examples)  # type: ignore[attr-defined]


def test_every_concept_of_immigration_that_the_model_knows_is_seen() -> None:
    for document in read_policies(Path("training_data/documents"))[::4]:
        for clause in document.clauses:
            concepts = {word for word in fold_words(clause.text).words if word.isupper()} - ORDINARY
            assert speaks_of_immigration(clause.text) or not concepts, clause.text


def test_labelled_clauses_stand_within_a_page_of_a_word_of_immigration() -> None:
    """On pages of ten clauses, which is a short page. The misses are old policies that say "the Service" throughout."""
    labelled = missed = 0
    for document in read_policies(Path("training_data/documents")):
        speaks = [speaks_of_immigration(clause.text) for clause in document.clauses]
        pages = [any(speaks[i : i + 10]) for i in range(0, len(speaks), 10)]
        for i, clause in enumerate(document.clauses):
            if clause.labels:
                labelled += 1
                missed += not any(pages[max(0, i // 10 - REACH) : i // 10 + REACH + 1])
    assert labelled > 10_000
    assert missed <= 0.003 * labelled


@given(st.sampled_from(IMMIGRATION), st.sampled_from(["\n", " ", "-\n"]), st.text("abc .,;()", max_size=40))
def test_what_stands_around_a_word_does_not_hide_it(sentence: str, gap: str, around: str) -> None:
    assert speaks_of_immigration(f"{around} {sentence.replace(' ', gap.lstrip('-'), 3)} {around}")


def test_ordinary_policy_text_does_not_speak_of_immigration() -> None:
    assert not any(speaks_of_immigration(line) for line in body(50))
    assert not speaks_of_immigration(
        "Officers shall justice, notice and office supplies. Place 3 ice packs in the cooler."
    )


# --- damaged files -----------------------------------------------------------------------------------------------


def test_a_cut_file_is_repaired_and_says_so(tmp_path: Path) -> None:
    whole = write_pdf(tmp_path / "whole.pdf", [page_of(body(20, i)) for i in range(4)]).read_bytes()
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(whole[: whole.rindex(b"/ASCII85Decode")])
    document = read(cut)
    assert "damaged" in document.note
    assert [p.status for p in document.pages] == ["read", "read", "read", "unread"]
    assert document.pages[3].reason == "the file is damaged, and nothing is left of the page"


def test_pages_that_a_damaged_file_has_lost_are_unread(tmp_path: Path) -> None:
    content = b"<</Length 44>>stream\nBT /F1 12 Tf 72 700 Td (Keys are held here.) Tj ET\nendstream"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"
    tree = b"<</Type/Pages/Count 3/Kids[3 0 R 8 0 R 9 0 R]>>"
    path = write_objects(tmp_path / "lost.pdf", b"<</Type/Catalog/Pages 2 0 R>>", tree, page, content, font)
    path.write_bytes(path.read_bytes().replace(b"startxref", b"startxxxx"))
    document = read(path)
    assert [(p.number, p.status) for p in document.pages] == [(1, "read"), (2, "unread"), (3, "unread")]
    assert "missing" in document.pages[2].reason


def test_a_whole_file_has_no_note(long_file: Path) -> None:
    assert read(long_file).note == ""


# --- real policies -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not (EVALUATION / "pdfs").is_dir(), reason="the evaluation files are not here (EVALUATION=folder)")
def test_no_page_of_real_manuals_that_speaks_of_immigration_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page set aside is read with care all the same, and what pdfplumber finds on it is looked through."""
    monkeypatch.setattr(pdf_pages, "LONG", 0)
    aside = 0
    for path in sorted((EVALUATION / "pdfs").glob("*.pdf")):
        if path.stat().st_size > 2_000_000:  # minutes of reading; the benchmark of long files covers the largest
            continue
        for page in read(path, thorough=True).pages:
            if page.aside:
                aside += 1
                said = " ".join(line.text for line in page.lines)
                assert not speaks_of_immigration(said), f"{path.name}, page {page.number}"
    assert aside > 100


def test_the_word_count_of_pages_set_aside_is_that_of_reading_them(long_file: Path) -> None:
    """Whether a document is about immigration is told by their share: the count must hold either way."""
    quick, thorough = read(long_file), read(long_file, thorough=True)
    for page, same in zip(quick.pages, thorough.pages, strict=True):
        assert replace(same, lines=(), method=page.method) == replace(page, lines=())
        if same.aside:
            assert same.words == pytest.approx(sum(len(line.text.split()) for line in same.lines), abs=2)


def test_a_scan_below_a_line_of_text_is_not_set_aside(tmp_path: Path) -> None:
    pages = [page_of(body(20, i)) for i in range(50)]
    pages[25] = page_of(
        ["Released by the records unit on request 21-118, page 26 of 50, see the cover letter for what is left out."]
        * 2,
        scan,
    )
    document = read(write_pdf(tmp_path / "header.pdf", pages))
    assert not document.pages[25].aside
    assert document.pages[35].aside
