"""Corrections → a version that is measured and offered; who may bring it into use, and the way back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from conftest import Run
from review_stores import HOLD, HOLD_LIMITED, Unit, add

from classifier.corrections import decide, undo
from classifier.double_annotation import adjudicate, final_labels
from classifier.errors import LabelledDataError, ModelError, UsageError
from classifier.evaluation import Figures, evaluate, model_labeller
from classifier.features import SIGNALS, Surroundings
from classifier.interchange import reviewed_document, to_policy
from classifier.labelled import LabelledDocument, read_policies, read_policy
from classifier.labellings import Labelling
from classifier.predictions import file_digest, load_model
from classifier.retraining import (
    Comparison,
    CorrectedDocument,
    corrected_documents,
    held_out_documents,
    lessons,
    read_corrections,
    retrain,
)
from classifier.store import Store, open_store, register
from classifier.training import train
from classifier.versions import PromotionRefused, next_version, promote, promotions, version_in_use, versions

DATA = Path(__file__).parent.parent / "training_data" / "documents"
FAMILIES = ("faq", "memo", "letter", "clipped-bullets")
PRINTS = Labelling({"shares_fingerprints": "prohibits"})
NONE = Labelling()


@pytest.fixture(scope="module")
def policies() -> list[LabelledDocument]:
    return [d for family in FAMILIES for d in read_policies(DATA / family)]


@pytest.fixture(scope="module")
def held_out(policies: list[LabelledDocument]) -> list[LabelledDocument]:
    return [policies[0], policies[4]]


@pytest.fixture(scope="module")
def documents(policies: list[LabelledDocument]) -> list[LabelledDocument]:
    return policies[1:4] + policies[5:]


def new_store(folder: Path) -> Store:
    made = open_store(folder / "review" / "store.sqlite")
    for name in ("ann", "bob"):
        register(made, name)
    register(made, "boss", "adjudicator")
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = new_store(tmp_path)
    yield made
    made.close()


def ids(store: Store, document: str) -> list[str]:
    """The clauses of a document in the store, in reading order."""
    return [final.clause for final in final_labels(store, document)]


def decided(store: Store, name: str, texts: list[str], labelling: Labelling = HOLD) -> CorrectedDocument:
    """A document of these clauses, all of which ann gave the same labels."""
    document = add(store, name, [Unit(text) for text in texts])
    for clause in ids(store, document):
        decide(store, "ann", [clause], labelling, seconds=1.0)
    return next(c for c in corrected_documents(store) if c.document.title == name)


def test_only_what_people_decided_teaches_and_as_it_stands_in_its_document(store: Store) -> None:
    machine = (("honors_detainers", "requires"),)
    document = add(
        store,
        "order.pdf",
        [
            Unit("III. Custody", kind="heading"),
            Unit("The jail receives Form I-247A.", machine, heading="III. Custody"),
            Unit("It is filed.", machine, context="On receipt the clerk shall:", heading="III. Custody"),
            Unit("Nobody is held on it.", machine, heading="III. Custody"),
            Unit("Two people differ here.", machine, heading="III. Custody"),
            Unit("The boss decided this.", machine, heading="III. Custody"),
            Unit("Skipped.", machine, heading="III. Custody"),
            Unit("Decided and undone.", machine, heading="III. Custody"),
        ],
    )
    _, filed, _, differ, boss, _, undone = ids(store, document)
    decide(store, "ann", [filed], NONE, seconds=1.0)
    for clause in (differ, boss):
        decide(store, "ann", [clause], HOLD, seconds=1.0)
        decide(store, "bob", [clause], HOLD_LIMITED, seconds=1.0)
    adjudicate(store, "boss", boss, PRINTS, "so it says")
    decide(store, "bob", [undone], HOLD, seconds=1.0)
    undo(store, "bob")
    (found,) = corrected_documents(store)
    first, second = found.clauses
    near = SIGNALS.index("near")
    assert first.example.clause == Surroundings(
        "It is filed.", "On receipt the clerk shall:", "III. Custody", "The jail receives Form I-247A.", near
    )
    assert first.example.labels == {}
    assert first.annotators == ("ann",)
    assert second.example.clause.before == "Two people differ here."
    assert second.example.labels == {"shares_fingerprints": "prohibits"}
    assert second.annotators == ("boss",)
    _, learned = lessons([found], [], [])
    assert (learned.documents, learned.clauses, learned.annotators) == (1, 2, 2)


def test_the_labels_are_part_of_the_digest(store: Store) -> None:
    document = add(store, "a.pdf", [Unit("Members shall hold nobody.")])
    digests = set()
    for labelling in (HOLD, HOLD_LIMITED, HOLD):
        decide(store, "ann", ids(store, document), labelling, seconds=1.0)
        digests.add(lessons(corrected_documents(store), [], [])[1].sha256)
    assert len(digests) == 2


def test_a_copy_of_a_held_out_document_teaches_nothing_not_even_its_short_clauses(
    store: Store, held_out: list[LabelledDocument]
) -> None:
    copy = decided(store, "sample.pdf", list(dict.fromkeys(c.text for c in held_out[0].clauses)))
    examples, learned = lessons([copy], [], held_out)
    assert examples == []
    assert learned.held_out == len(copy.clauses)
    assert learned.clauses == learned.documents == learned.annotators == 0


def test_a_document_that_quotes_a_held_out_clause_loses_that_clause_alone(
    store: Store, held_out: list[LabelledDocument]
) -> None:
    quote = max((c.text for c in held_out[0].clauses), key=len)
    own = [
        f"Section {n} of this order names the {n}th post and whoever stands watch there at night." for n in range(30)
    ]
    examples, learned = lessons([decided(store, "own.pdf", [*own, quote])], [], held_out)
    assert [e.clause.text for e in examples] == own
    assert learned.held_out == 1


def test_clauses_that_stand_in_the_training_data_or_were_heard_before_teach_once(store: Store, tmp_path: Path) -> None:
    twin = "Members shall hold no person on a detainer."
    document = add(
        store, "one.pdf", [Unit("Members shall:"), Unit("(a) hold nobody.", context="Members shall:"), Unit(twin)]
    )
    decide(store, "ann", ids(store, document)[1:2], HOLD, seconds=1.0)
    file = tmp_path / f"{reviewed_document(store, document).id}.policy"
    file.write_text(to_policy(reviewed_document(store, document)), encoding="utf-8")
    decide(store, "ann", ids(store, document)[2:], HOLD, seconds=1.0)
    decided(store, "two.pdf", [twin, "Another."])
    decided(store, "three.pdf", [twin.upper()], HOLD_LIMITED)
    examples, learned = lessons(corrected_documents(store), [read_policy(file)], [])
    assert (learned.known, learned.repeated) == (1, 1)
    assert [(e.clause.text, e.labels["honors_detainers"]) for e in examples] == [
        (twin, "prohibits"),
        (twin.upper(), "limits"),
        ("Another.", "prohibits"),
    ]


def zanfax(store: Store) -> CorrectedDocument:
    """Corrections about a thing that no training document names: ten clauses, each three times."""
    who = ("clerk", "deputy", "matron", "keeper", "sergeant", "captain", "warden", "bailiff", "marshal", "constable")
    return decided(store, "zanfax.pdf", [f"The {w} shall not zanfax {w} plates to anybody." for w in who * 3], PRINTS)


@pytest.fixture(scope="module")
def first(documents: list[LabelledDocument], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with version 1 in use. Not to be changed."""
    models = tmp_path_factory.mktemp("first") / "models"
    train(documents, models, "1")
    return models


@pytest.fixture
def models(first: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first, tmp_path / "models"))


@dataclass(frozen=True)
class Retrained:
    """What came of one retraining from zanfax. told: what report was called with."""

    models: Path
    made: Comparison
    told: list[tuple[str, float]]


@pytest.fixture(scope="module")
def retrained(
    documents: list[LabelledDocument],
    held_out: list[LabelledDocument],
    first: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Retrained:
    folder = tmp_path_factory.mktemp("retrained")
    models = Path(shutil.copytree(first, folder / "models"))
    store = new_store(folder)
    corrected = zanfax(store)
    store.close()
    told: list[tuple[str, float]] = []
    made = retrain(documents, [corrected], held_out, models, report=lambda *stage: told.append(stage))
    return Retrained(models, made, told)


def test_retraining_learns_measures_writes_and_offers_only(
    documents: list[LabelledDocument], first: Path, retrained: Retrained
) -> None:
    models, made = retrained.models, retrained.made
    assert (made.version, made.before_version, version_in_use(models)) == ("2", "1", "1")
    for file in (first / "1").iterdir():
        assert (models / "1" / file.name).read_bytes() == file.read_bytes()
    assert sorted(p.name for p in models.iterdir()) == ["1", "2", "current"]
    new = load_model(models / "2")
    assert new.version == "2"
    seen = [Surroundings("The janitor shall not zanfax plates to anybody.")]
    label = {model: load_model(models / model).predict(seen)[0].scores["shares_fingerprints"] for model in ("1", "2")}
    assert label["2"] > label["1"] + 0.2

    assert new.card["learned_from"] == {
        "documents": 1,
        "clauses": 10,
        "annotators": 1,
        "held_out": 0,
        "known": 0,
        "repeated": 20,
        "sha256": made.learned.sha256,
    }
    assert new.card["documents"] == len(documents) + 1
    assert new.card["measured"]["core_f1"] == made.core_f1[1]
    assert new.card["measured"]["before_core_f1"] == made.core_f1[0]
    assert "held-out documents" in (models / "2" / "card.md").read_text()

    stages = list(dict.fromkeys(stage for stage, _ in retrained.told))
    assert stages == ["choosing", "fitting", "measuring", "writing"]
    shares = [share for _, share in retrained.told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len({share for stage, share in retrained.told if stage == "fitting"}) >= 4  # not one long silence


def test_before_and_after_are_told_by_figure_and_by_practice(
    held_out: list[LabelledDocument], retrained: Retrained
) -> None:
    made = retrained.made
    table = made.table()
    assert made.before is not None
    figures = table[table.practice == "overall"].set_index("measure")
    assert figures.before.to_dict() == made.before.figures()
    assert figures.after.to_dict() == made.after.figures()
    by_practice = table[table.practice != "overall"]
    assert set(by_practice.practice) == {p for d in held_out for c in d.clauses for p in c.labels}
    detainers = by_practice[by_practice.practice == "honors_detainers"].set_index("measure")
    assert list(detainers.index) == ["f1", "f1_with_stance"]
    assert detainers.support["f1"] == sum("honors_detainers" in c.labels for d in held_out for c in d.clauses)
    assert detainers.before["f1_with_stance"] == made.before.joint["honors_detainers"].f1
    assert (table.change - (table.after - table.before)).abs().max() == 0
    kept = pd.read_csv(retrained.models / "2" / "comparison.csv", dtype={"support": "Int64"})
    pd.testing.assert_frame_equal(kept, table, check_dtype=False)


def test_without_corrections_the_same_model_comes_out_as_from_train(
    documents: list[LabelledDocument], held_out: list[LabelledDocument], models: Path
) -> None:
    made = retrain(documents, [], held_out, models)
    for name in ("arrays.npz", "vocabulary.json.gz"):
        assert (models / "2" / name).read_bytes() == (models / "1" / name).read_bytes()
    assert made.core_f1[0] == made.core_f1[1]
    assert promote(models, "2", "ann").action == "promoted"  # equal is no fall


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, first: Path) -> None:
    """No fit: what comes of it is version 1 under another name."""
    model = load_model(first / "1")
    monkeypatch.setattr(
        "classifier.retraining.fit_model",
        lambda _documents, version, _extra, _report: replace(model, version=version, card=dict(model.card)),
    )


@pytest.mark.usefixtures("quick")
def test_a_version_is_never_overwritten_and_numbers_go_on(
    documents: list[LabelledDocument], held_out: list[LabelledDocument], models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="is there already"):
        retrain(documents, [], held_out, models, "1")
    for name in ("../2", "current", ".hidden", "a/b", "promotions.csv"):
        with pytest.raises(UsageError, match="no name for a version"):
            retrain(documents, [], held_out, models, name)
    assert retrain(documents, [], held_out, models, "spring").version == "spring"
    assert retrain(documents, [], held_out, models, "9").version == "9"
    assert retrain(documents, [], held_out, models).version == "10"
    assert [v.name for v in versions(models)] == ["1", "9", "10", "spring"]

    def somebody_is_quicker(_: Figures) -> None:
        if not (models / "11").exists():
            shutil.copytree(models / "1", models / "11")

    monkeypatch.setattr(Figures, "write_card", somebody_is_quicker)
    assert retrain(documents, [], held_out, models).version == "12"
    assert load_model(models / "12").version == "12"
    assert load_model(models / "11").version == "1"
    assert not [p for p in models.iterdir() if p.name.startswith(".")]


@pytest.mark.usefixtures("quick")
def test_a_version_that_could_not_be_written_leaves_nothing_behind(
    documents: list[LabelledDocument],
    held_out: list[LabelledDocument],
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("classifier.retraining.Figures.record", full)
    with pytest.raises(ModelError, match="No space left"):
        retrain(documents, [], held_out, models)
    assert sorted(p.name for p in models.iterdir()) == ["1", "current"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("damaged", [True, False])
def test_a_damaged_version_in_use_or_none_stops_no_retraining(
    documents: list[LabelledDocument], held_out: list[LabelledDocument], models: Path, damaged: bool
) -> None:
    if damaged:
        (models / "1" / "arrays.npz").write_bytes(b"")
    else:
        shutil.rmtree(models)
    made = retrain(documents, [], held_out, models)
    assert made.before is None
    assert made.table().before.isna().all()
    if damaged:
        with pytest.raises(PromotionRefused, match="version 1, in use, was not measured"):
            promote(models, made.version, "ann")
    assert promote(models, made.version, "ann", force=damaged).forced == damaged
    assert version_in_use(models) == made.version


def test_what_can_teach_nothing_or_must_not_is_refused(
    documents: list[LabelledDocument], held_out: list[LabelledDocument], store: Store, models: Path
) -> None:
    copy = decided(store, "sample.pdf", list(dict.fromkeys(c.text for c in held_out[0].clauses)))
    with pytest.raises(UsageError, match=r"no correction to learn from: \d+ clauses repeat the held-out"):
        retrain(documents, [copy], held_out, models)
    with pytest.raises(LabelledDataError, match=f"{held_out[1].id}: held out"):
        retrain([*documents, held_out[1]], [], held_out, models)
    with pytest.raises(LabelledDataError, match="no documents to measure on"):
        retrain(documents, [], [], models)
    with pytest.raises(LabelledDataError, match="no document is held out"):
        held_out_documents(DATA / "memo")


def make(models: Path, name: str, core_f1: float | None = None, held_out: str = "frozen", before: str = "") -> None:
    """A version as measured: a copy of version 1 with other figures. before: a version and its core F1, "1 0.5"."""
    if name != "1":
        shutil.copytree(models / "1", models / name)
    path = models / name / "model.json"
    head = json.loads(path.read_text())
    head["version"] = name
    if core_f1 is not None:
        of, _, f1 = before.partition(" ")
        head["card"]["measured"] = {
            "core_f1": core_f1,
            "documents": 2,
            "held_out": held_out,
            "before_version": of,
            "before_sha256": file_digest(models / of / "model.json") if of else "",
            "before_core_f1": float(f1) if f1 else None,
        }
    path.write_text(json.dumps(head))


def test_a_version_whose_core_f1_falls_is_refused_unless_forced(models: Path) -> None:
    make(models, "2", 0.7299, before="1 0.73")
    with pytest.raises(PromotionRefused, match=r"falls from 0\.730 \(version 1\) to 0\.730 \(version 2\)") as refused:
        promote(models, "2", "ann")
    assert "force" in refused.value.next_step
    assert version_in_use(models) == "1"
    assert promotions(models) == []
    done = promote(models, "2", "ann", force=True)
    assert (done.forced, done.core_f1_before, done.core_f1_after) == (True, 0.73, 0.7299)
    assert (models / "current").read_text() == "2\n"


def test_the_version_in_use_counts_not_the_one_that_was_when_this_one_was_made(models: Path) -> None:
    make(models, "2", 0.80, before="1 0.70")
    make(models, "3", 0.75, before="1 0.70")
    promote(models, "2", "ann")
    with pytest.raises(PromotionRefused, match=r"from 0\.800 \(version 2\) to 0\.750"):
        promote(models, "3", "ann")


def test_a_version_that_was_made_anew_under_its_old_name_does_not_keep_its_figures(models: Path) -> None:
    make(models, "2", 0.80, before="1 0.70")
    (models / "1" / "model.json").write_text((models / "1" / "model.json").read_text() + "\n")
    with pytest.raises(PromotionRefused, match="version 1, in use, was not measured on the documents of 2"):
        promote(models, "2", "ann")


def test_what_was_not_measured_on_the_same_documents_is_refused(models: Path) -> None:
    make(models, "2")
    with pytest.raises(PromotionRefused, match="version 2 was never measured"):
        promote(models, "2", "ann")
    make(models, "3", 0.9, "others")
    with pytest.raises(PromotionRefused, match="version 1, in use, was not measured on the documents of 3"):
        promote(models, "3", "ann")
    assert promote(models, "2", "ann", force=True).forced


def test_rolling_back_needs_no_force_and_history_tells_all(models: Path) -> None:
    make(models, "2", 0.80, before="1 0.70")
    started = datetime.now(UTC).replace(microsecond=0)
    promote(models, "2", "ann")
    back = promote(models, "1", "=boss")
    assert (back.action, back.forced, back.core_f1_before, back.core_f1_after) == ("rolled back", False, 0.80, 0.70)
    assert version_in_use(models) == "1"
    assert not promote(models, "2", "ann", force=True).forced  # there was nothing to force
    history = promotions(models)
    assert [(p.action, p.version, p.from_version, p.by) for p in history] == [
        ("promoted", "2", "1", "ann"),
        ("rolled back", "1", "2", "'=boss"),  # no cell is a formula
        ("rolled back", "2", "1", "ann"),
    ]
    assert all(started <= p.time <= datetime.now(UTC) for p in history)
    assert (models / "promotions.csv").read_text().count("time,action,version") == 1


@pytest.mark.parametrize("file", ["arrays.npz", "model.json"])
def test_a_damaged_version_is_refused_force_or_not(models: Path, file: str) -> None:
    make(models, "2", 0.80, before="1 0.70")
    promote(models, "2", "ann")
    content = bytearray((models / "1" / file).read_bytes())
    content[len(content) // 2 :] = b""
    (models / "1" / file).write_bytes(bytes(content))
    for force in (False, True):
        with pytest.raises(ModelError):
            promote(models, "1", "ann", force=force)
    assert version_in_use(models) == "2"
    assert len(promotions(models)) == 1
    listed = {v.name: v for v in versions(models)}
    assert listed["2"].problem == ""
    assert bool(listed["1"].problem) == (file == "model.json")


def test_promotions_that_make_no_sense_say_what_to_do(models: Path) -> None:
    shutil.copytree(models / "1", models / "2")
    for version, by, error, says in (
        ("1", "ann", UsageError, "in use already"),
        ("2", "ann", ModelError, "says that it is version 1"),
        ("7", "ann", ModelError, "no version 7 in"),
        ("../1", "ann", UsageError, "no name"),
        ("2", " ", UsageError, "nobody is named"),
    ):
        with pytest.raises(error, match=says) as refused:
            promote(models, version, by, force=True)
        assert refused.value.next_step
    assert version_in_use(models) == "1"
    (models / "promotions.csv").write_text("when,what\nyesterday,2\n")
    with pytest.raises(ModelError, match=r"promotions\.csv: can't be read"):
        promotions(models)


def test_versions_are_listed_with_core_f1_on_the_same_documents(models: Path) -> None:
    make(models, "2", 0.80, "older", before="1 0.70")
    make(models, "10", 0.75, before="2 0.72")
    assert [(v.name, v.in_use, v.core_f1) for v in versions(models)] == [
        ("1", True, None),
        ("2", False, 0.72),
        ("10", False, 0.75),
    ]
    assert next_version(models) == "11"
    assert versions(models / "nowhere") == []


def test_the_command_retrains_offers_lists_promotes_and_goes_back(
    clauses: Callable[..., Run], store: Store, models: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data" / "documents"
    for family in FAMILIES:
        shutil.copytree(DATA / family, data / family)
    held = [d.id for d in read_policies(data)][::6]
    (data.parent / "held_out.txt").write_text("\n".join(held))
    zanfax(store)
    where = tmp_path / "review" / "store.sqlite"

    run = clauses("train", "--data", data, "--models", models, "--corrections", where)
    assert run.status == 0, run.err
    assert "core_f1" in run.out
    assert "10 corrected clauses of 1 documents by 1 people" in run.out
    assert run.out.endswith("offered; `clauses models --promote 2` brings it into use\n")
    assert version_in_use(models) == "1"

    assert clauses("models", "--models", models, "--promote", 2, "--force", "--by", "ann").status == 0
    listed = clauses("models", "--models", models).out.splitlines()
    assert listed[1].split()[0] == "1"
    assert listed[2].split()[:2] == ["*", "2"]
    assert "10 clauses of 1 documents" in listed[2]
    back = clauses("models", "--models", models, "--promote", 1)
    assert back.out.startswith("rolled back: version 1 is in use")
    assert promotions(models)[-1].by

    assert clauses("models", "--models", models, "--force").status == 2
    missing = clauses("train", "--data", data, "--models", models, "--corrections", tmp_path / "no" / "store.sqlite")
    assert missing.status == 2
    assert "no review store" in missing.err
    assert not (tmp_path / "no").exists()


def test_a_store_without_decisions_is_no_reason_to_train(store: Store, tmp_path: Path) -> None:
    add(store, "a.pdf", [Unit("Members shall hold nobody.")])
    with pytest.raises(UsageError, match="nobody has decided a clause"):
        read_corrections(str(tmp_path / "review" / "store.sqlite"))


def test_a_comparison_knows_nothing_of_before_where_nothing_was(models: Path, held_out: list[LabelledDocument]) -> None:
    scores = evaluate(held_out, model_labeller(load_model(models / "1")))
    _, learned = lessons([], [], [])
    assert Comparison("1", scores, "", None, learned).core_f1 == (None, scores.figures()["core_f1"])
