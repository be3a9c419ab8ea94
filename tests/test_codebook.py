"""The codebook: the labels that data, model and reports share."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from classifier.codebook import load_codebook, project_data
from classifier.findings import GAP_PRACTICES, GAP_VERDICTS, RULING_STANCES, Verdict

BOOK = load_codebook()


def test_the_seventeen_practices_stand_core_first() -> None:
    core = ("notifies_ice_on_release", "shares_intake_logs", "honors_detainers", "cites_lunn")
    others = {
        "checks_immigration_status",
        "shares_information_with_ice",
        "shares_fingerprints",
        "makes_immigration_arrests",
        "assists_ice_operations",
        "grants_ice_access",
        "deputizes_officers_287g",
        "detains_for_ice_under_contract",
        "informs_the_person",
        "reviews_before_acting",
        "protects_victims_and_witnesses",
        "protects_juveniles",
        "records_and_reports_contacts",
    }
    assert BOOK.core_ids == core == BOOK.practice_ids[:4]
    assert set(BOOK.practice_ids[4:]) == others
    assert len(BOOK.practice_ids) == 17


def test_practices_of_a_group_stand_together() -> None:
    groups = [p.group for p in BOOK.practices[4:]]
    assert len(set(groups)) == sum(a != b for a, b in zip(groups, ["", *groups], strict=False))


def test_lunn_alone_has_no_stance() -> None:
    assert [p.id for p in BOOK.practices if p.stanceless] == ["cites_lunn"]


def test_stances_conditions_and_verdicts_are_those_of_the_definition() -> None:
    assert list(BOOK.stances) == ["requires", "permits", "limits", "prohibits", "states"]
    assert list(BOOK.conditions) == [
        "judicial_warrant",
        "criminal_history",
        "public_safety",
        "ice_request",
        "approval",
        "required_by_law",
        "public_information",
        "criminal_investigation",
        "consent",
    ]
    assert tuple(BOOK.verdicts) == get_args(Verdict)


def test_what_findings_name_is_in_the_codebook() -> None:
    assert set(BOOK.stances) - RULING_STANCES == {"states"}
    assert set(GAP_PRACTICES) < set(BOOK.core_ids)
    assert set(BOOK.verdicts) > GAP_VERDICTS


@pytest.mark.parametrize(
    "table", [BOOK.stances, BOOK.conditions, BOOK.verdicts, {p.id: p.definition for p in BOOK.practices}]
)
def test_every_label_is_defined_in_a_sentence(table: dict[str, str]) -> None:
    for label, definition in table.items():
        assert re.fullmatch(r"[a-z0-9_]+", label)
        assert definition.endswith(".")
        assert len(definition.split()) >= 4


def test_names_and_ids_are_distinct() -> None:
    assert len({p.name for p in BOOK.practices}) == len({p.id for p in BOOK.practices}) == 17


def test_a_practice_is_found_by_its_id() -> None:
    assert BOOK.practice("honors_detainers").name == "Honors detainers"
    with pytest.raises(KeyError):
        BOOK.practice("honours_detainers")


def test_the_codebook_is_read_once() -> None:
    assert load_codebook() is BOOK


def test_project_data_stands_beside_the_package() -> None:
    assert project_data("training_data/codebook.toml").is_file()
    assert (project_data("models") / "current").is_file()
