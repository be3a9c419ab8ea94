"""Two annotators: kappa by hand, labels read back, adjudicated clauses judged as they were first labelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.agreement import (
    Doubled,
    doubled_clauses,
    kappa,
    label_f1,
    practice_kappas,
    read_first_labels,
    read_second_labels,
    stance_kappa,
)
from classifier.errors import LabelledDataError
from classifier.labelled import read_policies

DATA = Path(__file__).parent.parent / "training_data"


def test_kappa_of_a_worked_example() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreed 0.70, expected 0.50 (the textbook case)
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert kappa(pairs) == pytest.approx(0.4)


def test_kappa_at_the_ends() -> None:
    assert kappa([]) == 0.0
    assert kappa([("a", "a")] * 3) == 1.0
    assert kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1.0)


def test_stances_are_compared_where_both_gave_the_practice() -> None:
    clauses = [
        Doubled(
            "d",
            1,
            {"honors_detainers": "limits", "cites_lunn": None},
            {"honors_detainers": "limits", "cites_lunn": None},
        ),
        Doubled("d", 2, {"honors_detainers": "limits"}, {"honors_detainers": "permits"}),
        Doubled("d", 3, {"honors_detainers": "limits"}, {}),
    ]
    share, _, seen = stance_kappa(clauses)
    assert (share, seen) == (0.5, 2)
    assert label_f1(clauses, with_stance=False) == pytest.approx(2 * 3 / 7)
    assert label_f1(clauses, with_stance=True) == pytest.approx(2 * 2 / 7)


def test_a_line_without_braces_is_named(tmp_path: Path) -> None:
    path = tmp_path / "d.labels"
    path.write_text("012 {cites_lunn}\n013 honors_detainers\n")
    with pytest.raises(LabelledDataError, match=r"d\.labels:2"):
        read_second_labels(path)


def test_a_quarter_of_the_documents_is_labelled_twice_and_the_annotators_agree() -> None:
    documents = read_policies(DATA / "documents")
    clauses = list(doubled_clauses(documents, DATA / "second_labels", read_first_labels(DATA / "adjudications.csv")))
    assert len({c.document for c in clauses}) >= 45
    assert min(practice_kappas(clauses).values()) > 0.7
    assert any(c.first != c.second for c in clauses)


def test_every_adjudication_is_what_the_document_now_says() -> None:
    import csv

    lines = {(d.id, c.line): c.labels for d in read_policies(DATA / "documents") for c in d.clauses}
    with (DATA / "adjudications.csv").open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            final = {p: s or None for p, _, s in (x.partition(":") for x in row["final"].split("|") if x)}
            assert lines[row["document"], int(row["line"])] == final, row
            assert row["reason"]
