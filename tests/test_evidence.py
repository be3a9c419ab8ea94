"""Evidence: three sources, one set of tables; whose labels hold; what is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
from comparison_cases import CALL, CALL_IF, CITES, HOLD, KEYS, LUNN, NO_HOLD, NOTIFY, entry, evidence_of
from review_stores import Unit, add

from classifier import score_paths
from classifier.codebook import load_codebook
from classifier.conditions import Condition
from classifier.corrections import decide
from classifier.departments import Department, Registry
from classifier.double_annotation import adjudicate, final_labels
from classifier.errors import UsageError
from classifier.evidence import Evidence, read_evidence
from classifier.evidence_sources import EvidenceError
from classifier.exports import Entry, write_results
from classifier.labellings import Labelling
from classifier.store import Store, open_store, register

PRACTICES = load_codebook().practice_ids
NAMES = [f.name for f in fields(Evidence)]
WITHOUT = [(Department("Pequawket Falls PD", "municipal police", "Franklin"), "no policy")]


def entries() -> list[Entry]:
    """Three departments: one with two documents, one with a name that a spreadsheet would run, one unread."""
    heading = Unit("II. RELEASE", kind="heading")
    return [
        entry(
            "Oxbow Falls PD", [heading, CITES, CALL_IF], "b.pdf", kind="municipal police", effective_date="2019-01-01"
        ),
        entry("Oxbow Falls PD", [CALL, KEYS], "a.pdf", county="Merrow"),
        entry("=Danforth PD", [NO_HOLD], "-c\x85d.pdf"),
        entry("Wachamet PD", [], "scan.pdf", "failed"),
    ]


def assert_same(one: Evidence, other: Evidence, tolerance: float = 0.0) -> None:
    for name in NAMES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), rtol=0, atol=tolerance, obj=name)


def finding(evidence: Evidence, department: str, practice: str) -> pd.Series:
    table = evidence.findings
    (found,) = (
        row for _, row in table[(table["department"] == department) & (table["practice"] == practice)].iterrows()
    )
    return found


# --- what the tables say ------------------------------------------------------------------------------------------


def test_a_department_is_judged_by_all_its_documents() -> None:
    found = finding(Evidence.of_entries(entries()), "Oxbow Falls PD", NOTIFY)
    assert found["verdict"] == "conditional"
    assert found["conditions"] == ("approval",)
    assert found["clauses"] == ("b.pdf/2", "a.pdf/0")  # the limit first
    assert found["probability"] == pytest.approx(0.9 * 0.8)
    assert (found["state"], bool(found["lunn_gap"])) == ("machine", True)


def test_silent_unread_and_no_policy_are_three_things() -> None:
    evidence = Evidence.of_entries(entries(), WITHOUT)
    words = [finding(evidence, d, LUNN) for d in ("=Danforth PD", "Wachamet PD", "Pequawket Falls PD")]
    assert [w["verdict"] for w in words] == ["silent", "unread", "no policy"]
    assert words[0]["probability"] == pytest.approx(0.95)
    assert all(pd.isna(w["probability"]) for w in words[1:])
    standing = evidence.departments.set_index("department")["standing"]
    assert dict(standing) == {
        "=Danforth PD": "read", "Oxbow Falls PD": "read", "Pequawket Falls PD": "no policy", "Wachamet PD": "unread",
    }  # fmt: skip


def test_findings_are_complete_and_in_order() -> None:
    evidence = Evidence.of_entries(entries(), WITHOUT)
    assert list(evidence.findings["practice"]) == list(PRACTICES) * 4
    assert list(evidence.findings["department"].unique()) == list(evidence.departments["department"])


def test_what_one_document_does_not_say_of_a_department_another_may() -> None:
    row = Evidence.of_entries(entries()).departments.set_index("department").loc["Oxbow Falls PD"]
    assert (row["kind"], row["county"], row["documents"], row["pages"]) == ("municipal police", "Merrow", 2, 2)


def test_a_partly_read_department_is_partial() -> None:
    evidence = Evidence.of_entries([entry("A", [KEYS], "1"), entry("A", [KEYS], "2", "failed")])
    assert list(evidence.departments["standing"]) == ["partial"]
    assert finding(evidence, "A", LUNN)["verdict"] == "unread"


def test_labels_without_a_stance_have_none() -> None:
    labels = evidence_of({"A": [CITES, NO_HOLD]}).labels
    assert list(labels["stance"]) == [None, "prohibits"]


def test_the_order_of_entries_changes_nothing() -> None:
    assert_same(Evidence.of_entries(entries(), WITHOUT), Evidence.of_entries(entries()[::-1], WITHOUT))


def test_no_documents_give_empty_tables_with_all_columns() -> None:
    evidence = Evidence.of_entries([])
    assert [len(getattr(evidence, name)) for name in NAMES] == [0] * 6
    assert list(evidence.labels.columns) == "clause practice stance probability state reviewer".split()


# --- results of a run ---------------------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_results(entries(), WITHOUT, tmp_path / "results", "1")
    return tmp_path / "results"


def test_results_give_what_the_entries_gave(results: Path) -> None:
    read = Evidence.from_results(results, Registry(without_document=tuple(WITHOUT)))
    assert_same(Evidence.of_entries(entries(), WITHOUT, "1"), read, tolerance=6e-4)  # the tables round to three digits


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", newline="")

    return damage


def last_line_gone(text: str) -> str:
    return text[: text.rstrip("\n").rindex("\n") + 1]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "clauses.jsonl").unlink(), "clauses.jsonl: no such file"),
        (lambda folder: (folder / "findings.csv").unlink(), "findings.csv: no such file"),
        (lambda folder: (folder / "documents.csv").write_bytes(b"\xff"), "can't be read"),
        (edit("clauses.jsonl", last_line_gone), "0 clauses of -c"),
        (edit("clauses.jsonl", lambda t: t[:-20]), "clauses.jsonl, line 6: not as"),
        (edit("clauses.jsonl", lambda t: t + t.split("\n")[0] + "\n"), "a second time"),
        (edit("clauses.jsonl", lambda t: t.replace('"b.pdf"', '"z.pdf"')), "line 1: not as"),
        (edit("clauses.jsonl", lambda t: t.replace('"limits"', '"hints"')), "with stance hints"),
        (edit("clauses.jsonl", lambda t: t.replace("cites_lunn", "cites_roe")), "line 2: not as"),
        (edit("clauses.jsonl", lambda t: "[]\n" + t), "line 1: not as"),
        (edit("documents.csv", lambda t: t.replace("pages_ocr", "ocr")), "documents.csv: columns"),
        (edit("documents.csv", lambda t: t + "x,y\r\n"), "documents.csv, line 6: not as"),
        (edit("findings.csv", lambda t: t.replace(",silent,0.95,", ",silent,sure,", 1)), "findings.csv, line"),
    ],
)
def test_damaged_results_say_where(results: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(results)
    with pytest.raises(EvidenceError) as caught:
        Evidence.from_results(results)
    assert said in caught.value.message
    assert caught.value.next_step


# --- a review store -----------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "store.sqlite")
    for name, role in (("ann", "annotator"), ("bob", "annotator"), ("boss", "adjudicator")):
        register(store, name, role)  # type: ignore[arg-type]
    yield store
    store.close()


def reviewed_store(store: Store) -> list[str]:
    """Five clauses: adjudicated, agreed, disputed, decided as nothing, machine only. Returns their ids."""
    names = "first second third fourth fifth".split()
    add(store, "order.pdf", [Unit(f"Members shall hold no {n} person.", ((HOLD, "prohibits"),)) for n in names])
    ids = list(Evidence.from_store(store).clauses["clause"])
    limit = Labelling({HOLD: "limits"}, (Condition("approval", "no first person"),))
    for who in ("ann", "bob"):
        decide(store, who, [ids[1]], Labelling({HOLD: "permits"}), seconds=1.0)
        decide(store, who, [ids[2]], Labelling({HOLD: "permits" if who == "ann" else "requires"}), seconds=1.0)
    decide(store, "ann", [ids[3]], Labelling(), seconds=1.0)
    decide(store, "ann", [ids[0]], Labelling({HOLD: "permits"}), seconds=1.0)
    adjudicate(store, "boss", ids[0], limit, "an exception")
    return ids


def test_people_come_before_the_machine(store: Store) -> None:
    ids = reviewed_store(store)
    labels = Evidence.from_store(store).labels.set_index("clause")
    assert labels.loc[ids[0], ["stance", "state", "reviewer", "probability"]].to_list() == [
        "limits",
        "adjudicated",
        "boss",
        1.0,
    ]
    assert labels.loc[ids[1], ["stance", "state", "reviewer"]].to_list() == ["permits", "reviewed", "ann, bob"]
    assert labels.loc[ids[2], ["stance", "state", "reviewer"]].to_list() == ["prohibits", "machine", ""]
    assert ids[3] not in labels.index
    assert labels.loc[ids[4], "probability"] == pytest.approx(0.72)


def test_the_store_gives_the_final_labels(store: Store) -> None:
    reviewed_store(store)
    add(store, "other.pdf", [CITES, CALL_IF, KEYS], "Danforth PD")
    evidence = Evidence.from_store(store)
    said = {
        clause: (dict(zip(its["practice"], its["stance"], strict=True)), set(its["state"]))
        for clause, its in evidence.labels.groupby("clause")
    }
    words = {
        clause: sorted(zip(its["type"], its["text"], strict=True))
        for clause, its in evidence.conditions.groupby("clause")
    }
    for final in final_labels(store):
        state = final.state if final.state in ("reviewed", "adjudicated") else "machine"
        expected = (dict(final.labelling.labels), {state}) if final.labelling.labels else ({}, set())
        assert said.get(final.clause, ({}, set())) == expected
        assert words.get(final.clause, []) == [(c.type, c.text) for c in final.labelling.conditions]


def test_a_finding_is_as_well_reviewed_as_its_weakest_clause(store: Store) -> None:
    ids = reviewed_store(store)
    assert finding(Evidence.from_store(store), "Oxbow Falls PD", HOLD)["state"] == "machine"
    for n in (2, 4):
        adjudicate(store, "boss", ids[n], Labelling({HOLD: "limits"}), "settled")
    found = finding(Evidence.from_store(store), "Oxbow Falls PD", HOLD)
    assert (found["state"], found["verdict"], found["conditions"]) == ("reviewed", "conditional", ("approval",))


def test_silence_rests_on_every_clause(store: Store) -> None:
    add(store, "order.pdf", [NO_HOLD, KEYS])
    ids = list(Evidence.from_store(store).clauses["clause"])
    decide(store, "ann", ids[:1], Labelling(), seconds=1.0)
    found = finding(Evidence.from_store(store), "Oxbow Falls PD", HOLD)
    assert (found["verdict"], found["state"]) == ("silent", "machine")
    assert found["probability"] == pytest.approx(0.95)  # the clause that scored 0.9 is decided
    decide(store, "ann", ids[1:], Labelling(), seconds=1.0)
    found = finding(Evidence.from_store(store), "Oxbow Falls PD", HOLD)
    assert (found["state"], found["probability"]) == ("reviewed", 1.0)


def test_a_registry_dates_the_documents_of_a_store(store: Store, tmp_path: Path) -> None:
    add(store, "in/order.pdf", [NO_HOLD])
    known = Department("Oxbow Falls PD", effective_date="2019-05-01", source="request")
    evidence = Evidence.from_store(store, Registry({tmp_path / "order.pdf": known}, tuple(WITHOUT)))
    (row,) = evidence.documents.to_dict("records")
    assert (row["effective_date"], row["source"], row["model"]) == ("2019-05-01", "request", "1")
    assert pd.isna(row["pages_ocr"])
    assert list(evidence.departments["standing"]) == ["read", "no policy"]
    assert list(evidence.departments["kind"]) == ["municipal police"] * 2


def test_clauses_of_an_older_scoring_are_left_out(store: Store) -> None:
    add(store, "order.pdf", [NO_HOLD, KEYS])
    add(store, "order.pdf", [NO_HOLD, CALL], model="2")
    evidence = Evidence.from_store(store)
    assert list(evidence.clauses["text"]) == [NO_HOLD.text, CALL.text]
    assert list(evidence.labels["practice"]) == [HOLD, NOTIFY]
    assert set(evidence.documents["model"]) == {"2"}


# --- by name, and from paths --------------------------------------------------------------------------------------


def test_departments_without_a_document_come_from_the_registry_of_what_was_scored(
    results: Path, tmp_path: Path
) -> None:
    (tmp_path / "departments.csv").write_text(
        "document,department,note\n,Nowhere Harbor PD,no reply\n", encoding="utf-8"
    )
    found = read_evidence(str(results), policies=tmp_path).departments
    assert dict(zip(found["department"], found["standing"], strict=True))["Nowhere Harbor PD"] == "no reply"
    assert "no reply" not in set(read_evidence(str(results)).departments["standing"])


def test_results_and_stores_are_told_apart(results: Path, store: Store, tmp_path: Path) -> None:
    add(store, "order.pdf", [NO_HOLD])
    assert len(read_evidence(str(results)).documents) == 4
    assert len(read_evidence(str(tmp_path / "store.sqlite")).documents) == 1
    with pytest.raises(UsageError, match="no such folder or store"):
        read_evidence(str(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_paths_are_scored_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "departments.csv").write_text(
        "document,department,kind,note\norder.txt,Oxbow Falls PD,municipal police,\n,Danforth PD,,no reply\n"
    )
    (tmp_path / "order.txt").write_text("Lunn v. Commonwealth, 477 Mass. 517 (2017), governs every hold.\n")
    evidence = score_paths([str(tmp_path)], jobs=1)
    assert list(evidence.departments["standing"]) == ["no reply", "read"]
    assert finding(evidence, "Oxbow Falls PD", LUNN)["verdict"] == "does"
    json.dumps(evidence.findings.to_dict("records"))  # plain values all through
