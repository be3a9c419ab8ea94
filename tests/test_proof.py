"""The proof: its arithmetic against examples worked by hand, and the folder that the command writes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Run

from classifier.clauses import Clause
from classifier.codebook import load_codebook, project_data
from classifier.errors import UsageError
from classifier.labelled import LabelledDocument, LabelledItem, read_policies
from classifier.predictions import Label, Model, Prediction, save_model
from classifier.proof import (
    NOTHING,
    SHARES,
    Case,
    Proof,
    Reading,
    Scores,
    abstention,
    at_share,
    binned,
    calibration_error,
    cases_of,
    error_rows,
    most_errors,
    prove,
    reliability,
    review_line,
    stance_confusion,
    wilson,
)
from classifier.proof_folder import check_names, figures_table, write_proof
from classifier.training import fit_model

HOLD = "Members shall hold no person on a detainer."
CALL = "The desk may call the field office about a release date if told to."
KEYS = "Keys hang beside the front door of the lobby."
FOLDERS = ("faq", "memo", "letter", "clipped-bullets")


def clause(text: str, kind: str = "clause") -> Clause:
    return Clause(text, kind, 1, "II. RULES", "", text, ())  # type: ignore[arg-type]


def predicted(*labels: Label, doubt: float = 0.0, **scores: float) -> Prediction:
    return Prediction(labels, (), {x.practice: x.probability for x in labels} | scores, doubt, False)


def hold(stance: str = "prohibits", probability: float = 0.9, stance_probability: float = 0.8) -> Label:
    return Label("honors_detainers", probability, stance, stance_probability)


def case(gold: dict[str, set[str]], prediction: Prediction, text: str = HOLD) -> Case:
    return Case("order", clause(text), {p: frozenset(s) for p, s in gold.items()}, prediction)


def document(*units: tuple[str, dict[str, str | None]]) -> LabelledDocument:
    items = tuple(LabelledItem("clause", text, labels=labels) for text, labels in units)
    return LabelledDocument("order", "order.policy", "", "", "", "order", "MA", "t1", items)


# --- calibration -------------------------------------------------------------------------------------------------


def test_the_calibration_error_of_known_numbers() -> None:
    """Two pairs at 0.2, one of them true; three at 0.9, all true; one at 1.0, true, in the bin of 0.9."""
    table = binned(np.array([0.2, 0.2, 0.9, 0.9, 0.9, 1.0]), np.array([True, False, True, True, True, True]))
    assert list(table["low"]) == [0.2, 0.9]
    assert list(table["pairs"]) == [2, 4]
    assert list(table["mean_probability"]) == pytest.approx([0.2, 0.925])
    assert list(table["observed_share"]) == [0.5, 1.0]
    assert calibration_error(table) == pytest.approx((2 * 0.3 + 4 * 0.075) / 6)


def test_a_bin_begins_at_its_lower_edge() -> None:
    edges = np.array([b / 10 for b in range(10)])
    assert list(binned(edges, np.zeros(10, dtype=bool))["low"]) == list(edges)


def test_no_pairs_have_no_error() -> None:
    assert calibration_error(binned(np.array([]), np.array([], dtype=bool))) == 0
    assert set(reliability([])["of"]) == set()


def test_wilsons_interval() -> None:
    assert wilson(0.5, 100) == pytest.approx((0.404, 0.596), abs=0.001)
    assert wilson(0.0, 10)[0] == 0
    assert wilson(1.0, 10)[1] == pytest.approx(1)


def test_pairs_are_every_clause_with_every_practice_and_stances_count_where_the_practice_is_right() -> None:
    cases = [
        case({"honors_detainers": {"prohibits"}}, predicted(hold("limits"), cites_lunn=0.0)),
        case({}, predicted(hold(), cites_lunn=0.05)),
        case({"cites_lunn": {"-"}}, predicted(Label("cites_lunn", 0.99, None, 1.0), honors_detainers=0.3, doubt=0.25)),
    ]
    table = reliability(cases).set_index(["of", "low"])
    assert table["pairs"].to_dict() == {
        ("practice", 0.0): 2, ("practice", 0.3): 1, ("practice", 0.9): 3, ("stance", 0.8): 1,
        ("doubt", 0.0): 2, ("doubt", 0.2): 1,
    }  # fmt: skip
    assert table.loc[("practice", 0.9), "observed_share"] == pytest.approx(2 / 3)
    assert table.loc[("stance", 0.8), "observed_share"] == 0
    assert table.loc[("doubt", 0.0), "observed_share"] == 1


# --- mistakes ----------------------------------------------------------------------------------------------------


def test_the_kinds_of_mistakes() -> None:
    found = case(
        {"honors_detainers": {"prohibits"}, "cites_lunn": {"-"}},
        predicted(hold("limits"), Label("shares_intake_logs", 0.6, "requires", 0.7), cites_lunn=0.1),
    ).mistakes
    assert [(m.kind, m.practice, m.gold, m.given, m.certainty) for m in found] == [
        ("wrong stance", "honors_detainers", ("prohibits",), "limits", 0.8),
        ("false alarm", "shares_intake_logs", (), "requires", 0.6),
        ("missed", "cites_lunn", ("-",), "", 0.9),
    ]


def test_right_labels_are_no_mistakes() -> None:
    assert case({"honors_detainers": {"prohibits", "limits"}}, predicted(hold("limits"))).mistakes == []
    assert case({"cites_lunn": {"-"}}, predicted(Label("cites_lunn", 0.99, None, 1.0))).mistakes == []
    assert case({}, NOTHING).mistakes == []


def test_errors_are_listed_by_certainty_with_all_labels_of_the_clause() -> None:
    table = error_rows(
        [
            case({}, predicted(hold(probability=0.7), doubt=0.4)),
            case({"honors_detainers": {"prohibits"}}, predicted(honors_detainers=0.02)),
            case({"honors_detainers": {"prohibits"}}, predicted(hold("limits"))),
        ]
    )
    assert list(table["kind"]) == ["missed", "wrong stance", "false alarm"]
    assert list(table["certainty"]) == pytest.approx([0.98, 0.8, 0.7])
    assert error_rows([case({"cites_lunn": {"-"}}, NOTHING)]).iloc[0]["given_labels"] == "not read as a clause"
    last = table.iloc[-1]
    assert (last["gold_labels"], last["given_labels"]) == ("", "honors_detainers:prohibits (0.70, stance 0.80)")
    assert (last["clause"], last["heading"], last["doubt"]) == (HOLD, "II. RULES", 0.4)


def test_stances_are_counted_where_the_practice_is_right() -> None:
    counts = stance_confusion(
        [
            case({"honors_detainers": {"prohibits"}}, predicted(hold("limits"))),
            case({"honors_detainers": {"prohibits"}}, predicted(hold("prohibits"))),
            case({"honors_detainers": {"limits", "states"}}, predicted(hold("states"))),
            case({"honors_detainers": {"states", "limits"}}, predicted(hold("permits"))),  # limits stands first
            case({}, predicted(hold("permits"))),
            case({"cites_lunn": {"-"}}, predicted(Label("cites_lunn", 0.99, None, 1.0))),
        ]
    )
    assert list(counts.index) == list(counts.columns) == list(load_codebook().stances)
    assert {(g, p): int(n) for g, row in counts.iterrows() for p, n in row.items() if n} == {
        ("prohibits", "limits"): 1, ("prohibits", "prohibits"): 1, ("states", "states"): 1, ("limits", "permits"): 1,
    }  # fmt: skip


# --- review ------------------------------------------------------------------------------------------------------


def ten_cases() -> list[Case]:
    """Ten labelled clauses by doubt 0.9, 0.8, …, 0.0; wrong: those of 0.9, 0.7 and 0.1. And a missed clause, and a bare one."""
    cases = [
        case(
            {} if tenths in (9, 7, 1) else {"honors_detainers": {"prohibits"}},
            predicted(hold(), doubt=tenths / 10),
        )
        for tenths in (3, 9, 1, 7, 0, 2, 8, 4, 6, 5)
    ]
    return [*cases, case({"honors_detainers": {"limits"}}, NOTHING), case({}, NOTHING)]


def test_the_curve_of_a_known_order() -> None:
    curve = abstention(ten_cases()).set_index("share_sent")
    assert list(curve["clauses_sent"])[::10] == list(range(11))
    rates = [3 / 10, 2 / 9, 2 / 8, 1 / 7, 1 / 6, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 0, 0]
    assert list(curve["error_rate_of_rest"])[::10] == pytest.approx(rates)
    assert list(curve["share_of_errors_sent"])[::10] == pytest.approx([0, 1 / 3, 1 / 3, *[2 / 3] * 6, 1, 1])
    assert curve["share_of_errors_and_misses_sent"].iloc[-1] == pytest.approx(3 / 4)


def test_a_share_of_the_curve() -> None:
    assert at_share(abstention(ten_cases()), 0.3)["clauses_sent"] == 3
    assert most_errors(0.15, 0.6) == pytest.approx(0.25)
    assert (most_errors(0.15, 0.1), most_errors(0.15, 0.0)) == (1, 0)


def test_nothing_labelled_is_nothing_sent() -> None:
    curve = abstention([case({"honors_detainers": {"limits"}}, NOTHING)])
    assert set(curve.drop(columns="share_sent").to_numpy().ravel()) == {0}


def test_the_line_of_the_command() -> None:
    line = review_line(Proof("set", Scores(), tuple(ten_cases()), 0, pd.DataFrame()))
    assert line == (
        "of 10 labelled clauses 30.0% are wrong somewhere; the 15% least certain hold 33% of these (at most 50% could), "
        "and of the rest 25.0% are wrong"
    )


# --- cases from documents ----------------------------------------------------------------------------------------


def read(units: LabelledDocument, *found: tuple[str, Prediction | None]) -> tuple[list[Case], int]:
    clauses = [clause(text, "clause" if p else "heading") for text, p in found]
    return cases_of(Reading(units, tuple(clauses), tuple(p for _, p in found)))


def test_a_clause_is_asked_for_the_labels_of_all_units_that_it_covers() -> None:
    units = document((HOLD, {"honors_detainers": "prohibits"}), (CALL, {"notifies_ice_on_release": "permits"}))
    ((one,), unmatched) = read(units, (f"{HOLD} {CALL}", predicted(hold())))
    assert one.gold == {"honors_detainers": {"prohibits"}, "notifies_ice_on_release": {"permits"}}
    assert unmatched == 0


def test_the_label_of_a_split_unit_is_asked_of_one_part() -> None:
    units = document((f"{HOLD} {CALL}", {"honors_detainers": "prohibits"}))
    (first, second), _ = read(units, (HOLD, predicted(hold())), (CALL, predicted(honors_detainers=0.2)))
    assert (set(first.gold), set(second.gold)) == ({"honors_detainers"}, set())
    (first, second), _ = read(units, (HOLD, predicted(honors_detainers=0.1)), (CALL, predicted(honors_detainers=0.2)))
    assert (set(first.gold), set(second.gold)) == (set(), {"honors_detainers"})
    (first, second), _ = read(units, (HOLD, predicted(hold())), (CALL, predicted(hold("limits"))))
    assert [m.kind for c in (first, second) for m in c.mistakes] == ["wrong stance"]


def test_what_no_clause_holds_is_missed_and_what_is_no_unit_is_left_out() -> None:
    units = document((HOLD, {"honors_detainers": "prohibits"}), (KEYS, {}))
    cases, unmatched = read(
        units, ("II. Another matter altogether, in a title", None), (KEYS, predicted()), (CALL, predicted(hold()))
    )
    assert [(c.clause.text, [m.kind for m in c.mistakes]) for c in cases] == [(KEYS, []), (HOLD, ["missed"])]
    assert unmatched == 1


def test_a_labelled_unit_taken_for_a_heading_is_missed() -> None:
    cases, _ = read(document((HOLD, {"honors_detainers": "prohibits"}), (KEYS, {})), (HOLD, None), (KEYS, None))
    assert [[m.kind for m in c.mistakes] for c in cases] == [["missed"]]


# --- the whole ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documents() -> list[LabelledDocument]:
    folder = project_data("training_data/documents")
    return [d for name in FOLDERS for d in read_policies(folder / name)][:16]


@pytest.fixture(scope="module")
def small(documents: list[LabelledDocument]) -> Model:
    return fit_model(documents, "small")


def test_noise_touches_labels_alone(documents: list[LabelledDocument], small: Model) -> None:
    proof = prove("set", [(d, small) for d in documents[:3]])
    assert list(proof.noise["rate"]) == [0, 0.01, 0.02, 0.05]
    assert list(proof.noise["errors_a_character"]) == pytest.approx([0, 0.01, 0.02, 0.05], rel=0.15)
    figures = proof.scores.figures()
    assert proof.noise["all_f1"].iloc[0] == figures["all_f1"]
    assert proof.noise["all_f1"].iloc[-1] < figures["all_f1"]
    assert proof.counts()["documents"] == 3
    assert all(0 <= v <= 1 for v in proof.figures().values())


def test_the_same_proof_writes_the_same_bytes(tmp_path: Path) -> None:
    proof = Proof("set", Scores(), tuple(ten_cases()), 0, pd.DataFrame({"rate": [0.0], "all_f1": [0.5]}))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_proof(tmp_path / name, [proof], "# Model\n")
    files = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert len(files) == 3 + 6 + 3
    assert [f for f in files if (tmp_path / "one" / f).read_bytes() != (tmp_path / "two" / f).read_bytes()] == []


def test_no_cell_of_an_error_is_a_formula(tmp_path: Path) -> None:
    proof = Proof("set", Scores(), (case({}, predicted(hold()), "=1+1"),), 0, pd.DataFrame({"rate": [0.0]}))
    write_proof(tmp_path, [proof], "")
    with (tmp_path / "errors_set.csv").open(newline="") as source:
        assert [row["clause"] for row in csv.DictReader(source)] == ["'=1+1"]


def test_sets_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="same name"):
        check_names([Path("a/real.jsonl"), Path("b/real.jsonl")])


def labelled_file(path: Path, documents: Sequence[LabelledDocument]) -> Path:
    """Documents in the evaluation's format."""
    with path.open("w", encoding="utf-8") as target:
        for d in documents:
            labels = [[[p, s, [x.type for x in c.conditions]] for p, s in c.labels.items()] for c in d.clauses]
            row = {"id": d.id, "text": d.text, "units": [c.text for c in d.clauses], "labels": labels}
            target.write(json.dumps(row) + "\n")
    return path


@pytest.fixture
def data(tmp_path: Path, documents: list[LabelledDocument]) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for d in documents:
        (folder / Path(d.path).name).write_text(Path(d.path).read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def test_a_labelled_file_is_proved(
    tmp_path: Path, data: Path, documents: list[LabelledDocument], small: Model, clauses: Callable[..., Run]
) -> None:
    save_model(small, tmp_path / "small")
    gold, out = labelled_file(tmp_path / "gold.jsonl", documents[:4]), tmp_path / "proof"
    run = clauses(
        "evaluate", gold, "--model", tmp_path / "small", "--data", data, "--no-peers", "--out", out, "--learning-curve"
    )
    assert run.status == 0, run.err
    assert "practice_ece_from_0.1" in run.out
    assert "the 15% least certain hold" in run.out
    written = {p.name for p in out.iterdir()}
    kinds = ("practices", "stance_confusion", "reliability", "abstention", "errors", "noise")
    assert written == {
        *(f"{k}_gold.csv" for k in kinds), *(f"{k}_gold.png" for k in kinds[1:4]),
        "figures.csv", "learning_curve.csv", "learning_curve.png", "card.md", "README.md",
    }  # fmt: skip
    (figures,) = rows_of(out / "figures.csv")
    assert (figures["set"], figures["documents"]) == ("gold", "4")
    assert 0 < float(figures["practice_ece"]) < float(figures["practice_ece_from_0.1"]) < 1
    assert [float(r["share"]) for r in rows_of(out / "learning_curve.csv")] == list(SHARES)
    readme = (out / "README.md").read_text()
    assert all(f"| {name} |" in readme for name in written - {"README.md"})
    assert "--scored" not in readme
    assert "practice_ece" in (out / "card.md").read_text()
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in out.glob("*.png"))


def test_the_projects_own_documents_are_proved_held_out(
    tmp_path: Path, data: Path, clauses: Callable[..., Run]
) -> None:
    out = tmp_path / "proof"
    run = clauses("evaluate", "--data", data, "--no-peers", "--out", out)
    assert run.status == 0, run.err
    assert "held out by document" in run.out
    assert "held out by family" not in run.out
    assert [r["set"] for r in rows_of(out / "figures.csv")] == ["held_out"]
    assert "a model that has not learnt from it. They hold more" in (out / "README.md").read_text()


def test_headline_figures_come_from_a_scored_file(
    tmp_path: Path, data: Path, documents: list[LabelledDocument], small: Model, clauses: Callable[..., Run]
) -> None:
    save_model(small, tmp_path / "small")
    gold, scored = labelled_file(tmp_path / "gold.jsonl", documents[:1]), tmp_path / "clauses.jsonl"
    row = {
        "document": "other.pdf",
        "clause": "1",
        "kind": "clause",
        "page": 1,
        "heading": "",
        "context": "",
        "text": HOLD,
    }
    scored.write_text(json.dumps({**row, "labels": [], "conditions": []}) + "\n")
    out = tmp_path / "proof"
    options = ("--model", tmp_path / "small", "--data", data, "--no-peers", "--scored", scored)
    run = clauses("evaluate", gold, *options, "--out", out)
    assert run.status == 0, run.err
    (figures,) = rows_of(out / "figures.csv")
    assert (float(figures["coverage"]), float(rows_of(out / "noise_gold.csv")[0]["all_f1"]) > 0) == (0, True)
    assert "`--scored`" in (out / "README.md").read_text()


def test_a_learning_curve_needs_a_folder(clauses: Callable[..., Run]) -> None:
    run = clauses("evaluate", "--learning-curve")
    assert (run.status, "--out" in run.err) == (2, True)


def test_without_matplotlib_the_next_step_is_said(
    tmp_path: Path, clauses: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.startswith(("classifier.proof_", "matplotlib"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    run = clauses("evaluate", "--out", tmp_path / "proof", "--no-peers")
    assert run.status == 2
    assert "pip install 'collaboration-clauses[pictures]'" in run.err
    assert not (tmp_path / "proof").exists()


def test_figures_have_a_row_for_each_set() -> None:
    proofs = [Proof(n, Scores(), tuple(ten_cases()), 0, pd.DataFrame()) for n in ("one", "two")]
    table = figures_table(proofs)
    assert list(table["set"]) == ["one", "two"]
    assert list(table["clause_error_rate"]) == pytest.approx([0.3, 0.3])
