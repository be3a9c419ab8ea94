"""The comparison of designs: rows for every design, held-out figures, and a telling design beats a blind one."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.codebook import project_data
from classifier.designs import DESIGNS, SENTENCES, compare, design_table, f1
from classifier.errors import UsageError
from classifier.features import Surroundings
from classifier.labelled import LabelledDocument, read_policies


@pytest.fixture(scope="module")
def documents() -> list[LabelledDocument]:
    return list(read_policies(project_data("training_data") / "documents" / "memo")) + list(
        read_policies(project_data("training_data") / "documents" / "letter")
    )


def test_every_design_gets_a_row_with_figures_between_none_and_all(documents: list[LabelledDocument]) -> None:
    rows = list(compare(documents, (DESIGNS[0], DESIGNS[-1]), "document", 2))
    assert [r["design"] for r in rows] == [DESIGNS[0].name, DESIGNS[-1].name]
    for row in rows:
        assert 0 < row["all F1"] < 1
        assert 0 < row["stance right"] < 1
        assert row["clauses a second"] > 0
    assert list(design_table(rows).columns)[:3] == ["design", "held out", "core F1"]


def test_f1_counts_hits_twice_over_given_and_true() -> None:
    given = np.array([[True, False], [True, True]])
    truth = np.array([[True, True], [False, True]])
    assert f1(given, truth) == pytest.approx(2 * 2 / (3 + 3))


def test_without_the_encoder_the_embeddings_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        SENTENCES.encode([Surroundings("A clause.")])
    assert "embeddings" in caught.value.next_step
