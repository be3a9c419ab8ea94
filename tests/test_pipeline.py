"""One file through all stages: pages → clauses → predictions → findings."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_files import body, page_of, scan, write_pdf

from classifier import pipeline
from classifier.codebook import load_codebook
from classifier.findings import find
from classifier.pipeline import ScoredDocument, highest_scores, page_list, rules, score_file
from classifier.predictions import Model, Prediction

REFUSAL = "Members shall not hold any person on an ICE detainer."


def score(tmp_path: Path, model: Model, text: str, name: str = "order.txt") -> ScoredDocument:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return score_file(tmp_path / name, name, model)


def test_a_plain_refusal_is_found(tmp_path: Path, model: Model) -> None:
    document = score(tmp_path, model, f"ORDER 7\n\n{REFUSAL}\n")
    assert (document.name, document.status, document.reason, document.pages) == ("order.txt", "ok", "", 1)
    (at,) = [i for i, c in enumerate(document.clauses) if c.text == REFUSAL]
    prediction = document.predictions[at]
    assert prediction
    assert [(label.practice, label.stance) for label in prediction.labels][:1] == [("honors_detainers", "prohibits")]
    (finding,) = [f for f in document.findings if f.practice == "honors_detainers"]
    assert finding.verdict == "refuses"
    assert finding.clauses == (document.clauses[at].id,)


def test_a_citation_is_found(tmp_path: Path, model: Model) -> None:
    document = score(tmp_path, model, "This order follows Lunn v. Commonwealth, 477 Mass. 517 (2017).\n")
    (finding,) = [f for f in document.findings if f.practice == "cites_lunn"]
    assert finding.verdict == "does"


def test_predictions_run_in_step_with_clauses(tmp_path: Path, model: Model) -> None:
    document = score(
        tmp_path,
        model,
        "# ORDER\n\nI. PURPOSE\n\nKeys hang by the door. The lobby opens at nine.\n\n____________\nChief\n",
    )
    assert len(document.predictions) == len(document.clauses)
    for clause, prediction in zip(document.clauses, document.predictions, strict=True):
        assert (prediction is not None) == (clause.kind == "clause")


def test_probabilities_are_probabilities(tmp_path: Path, model: Model) -> None:
    document = score(tmp_path, model, f"{REFUSAL}\n\nKeys hang by the door.\n")
    practices = load_codebook().practice_ids
    for prediction in filter(None, document.predictions):
        assert set(prediction.scores) == set(practices)
        assert all(0 <= p <= 1 for p in prediction.scores.values())
        assert all(0 <= x.probability <= 1 and 0 <= x.stance_probability <= 1 for x in prediction.labels)
        assert [x.probability for x in prediction.labels] == sorted(
            (x.probability for x in prediction.labels), reverse=True
        )
        assert 0 <= prediction.doubt <= 1
    assert [f.practice for f in document.findings] == list(practices)
    assert all(0 <= f.probability <= 1 for f in document.findings)


def test_findings_are_those_of_the_clauses(tmp_path: Path, model: Model) -> None:
    document = score(tmp_path, model, f"{REFUSAL}\n\nThe jail may tell ICE the release date.\n")
    again = find(rules(document.clauses, document.predictions), True, highest_scores(document.predictions))
    assert document.findings == tuple(again)


def test_the_highest_score_of_a_practice_is_that_of_any_clause() -> None:
    def scored(**scores: float) -> Prediction:
        return Prediction((), (), scores, 0.0, False)

    found = highest_scores([scored(a=0.7, b=0.1), None, scored(a=0.2, b=0.4), scored()])
    assert found == {"a": 0.7, "b": 0.4}


def test_a_file_that_cannot_be_read_is_failed_and_unread(tmp_path: Path, model: Model) -> None:
    document = score(tmp_path, model, "")
    assert (document.status, document.fully_read, document.pages) == ("failed", False, 0)
    assert document.reason == "the file is empty (0 bytes); download or request it again"
    assert {f.verdict for f in document.findings} == {"unread"}
    assert len(document.findings) == len(load_codebook().practices)


@pytest.mark.parametrize("error", [RuntimeError("glyph 7"), RecursionError("too deep"), MemoryError()])
@pytest.mark.parametrize("stage", ["read_document", "split_document", "predict_document"])
def test_a_file_that_trips_a_stage_does_not_stop_the_others(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, stage: str, error: Exception
) -> None:
    def trip(*_: object) -> None:
        raise error

    monkeypatch.setattr(pipeline, stage, trip)
    document = score(tmp_path, model, REFUSAL)
    assert document.status == "failed"
    assert type(error).__name__ in document.reason
    assert {f.verdict for f in document.findings} == {"unread"}


def test_an_interrupt_is_not_taken_for_a_failure(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "read_document", interrupt)
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path, model, REFUSAL)


def test_a_scanned_page_makes_a_document_partial(tmp_path: Path, model: Model) -> None:
    text = page_of([*body(3), REFUSAL])
    path = write_pdf(tmp_path / "order.pdf", [text, scan, scan, text, scan])
    document = score_file(path, "order.pdf", model, ocr="never")
    assert (document.status, document.pages, document.pages_read, document.pages_ocr) == ("partial", 5, 2, 0)
    assert document.reason == "pages 2-3, 5: scanned image without a text layer"
    verdicts = {f.practice: f.verdict for f in document.findings}
    assert verdicts["honors_detainers"] == "refuses"
    assert "silent" not in verdicts.values()
    assert verdicts["cites_lunn"] == "unread"


def test_a_scanned_document_is_failed(tmp_path: Path, model: Model) -> None:
    document = score_file(write_pdf(tmp_path / "order.pdf", [scan]), "order.pdf", model, ocr="never")
    assert (document.status, document.pages, document.pages_read) == ("failed", 1, 0)
    assert document.reason == "page 1: scanned image without a text layer"
    assert {f.verdict for f in document.findings} == {"unread"}


def test_a_document_read_to_the_end_may_be_silent(tmp_path: Path, model: Model) -> None:
    document = score_file(write_pdf(tmp_path / "order.pdf", [page_of(body(6))]), "order.pdf", model)
    assert document.status == "ok"
    assert {f.verdict for f in document.findings} == {"silent"}


def test_clauses_know_their_page_and_place(tmp_path: Path, model: Model) -> None:
    path = write_pdf(tmp_path / "order.pdf", [page_of(body(3)), page_of([REFUSAL])])
    document = score_file(path, "order.pdf", model)
    (clause,) = [c for c in document.clauses if c.text == REFUSAL]
    assert clause.page == 2
    ((page, x0, top, x1, bottom),) = clause.boxes
    assert page == 2
    assert 0 < x0 < x1 < 612
    assert 0 < top < bottom < 792


def test_scoring_twice_gives_the_same(tmp_path: Path, model: Model) -> None:
    one, other = (score(tmp_path, model, f"{REFUSAL}\n\n{REFUSAL}\n") for _ in range(2))
    assert (one.clauses, one.predictions, one.findings) == (other.clauses, other.predictions, other.findings)
    assert len({c.id for c in one.clauses}) == 2


def test_the_first_lines_are_those_of_the_first_page(tmp_path: Path, model: Model) -> None:
    path = write_pdf(tmp_path / "order.pdf", [page_of(["Oxbow Falls Police Department"]), page_of(["Other"])])
    assert score_file(path, "order.pdf", model).first_lines == ("Oxbow Falls Police Department",)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([4], "page 4"),
        ([1, 2], "pages 1-2"),
        ([1, 2, 3, 7], "pages 1-3, 7"),
        ([2, 4, 6], "pages 2, 4, 6"),
        ([9, 10, 12, 13], "pages 9-10, 12-13"),
    ],
)
def test_pages_are_listed_in_runs(numbers: list[int], shown: str) -> None:
    assert page_list(numbers) == shown
