"""Whose policy is it? Registry, folder, first page, file name, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.departments import Department, Registry, department_of, name_on_page, read_registry
from classifier.errors import UsageError

COLUMNS = "document,department,kind,county,state,effective_date,source,note"


def registry(folder: Path, *rows: str, columns: str = COLUMNS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "departments.csv"
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return path


# --- which source wins -------------------------------------------------------------------------------------------


def test_the_registry_wins_over_everything(tmp_path: Path) -> None:
    registry(tmp_path, "merrow/order.pdf,Merrow County Sheriff's Office,sheriff,Merrow,MA,2018-01-15,request,scan")
    known = read_registry([tmp_path])
    page = ["Oxbow Falls Police Department"]
    found = department_of(tmp_path / "merrow" / "order.pdf", tmp_path, known, page)
    assert found == Department(
        "Merrow County Sheriff's Office", "sheriff", "Merrow", "MA", "2018-01-15", "request", "scan", "departments.csv"
    )


def test_the_folder_wins_over_the_page(tmp_path: Path) -> None:
    page = ["Oxbow Falls Police Department"]
    found = department_of(tmp_path / "years" / "merrow_county_so" / "order.pdf", tmp_path, Registry(), page)
    assert (found.name, found.named_by) == ("merrow county so", "folder")


def test_the_page_wins_over_the_file_name(tmp_path: Path) -> None:
    page = ["GENERAL ORDER 12", "Oxbow Falls Police Department"]
    for root in (tmp_path, None):
        found = department_of(tmp_path / "order_12.pdf", root, Registry(), page)
        assert (found.name, found.named_by) == ("Oxbow Falls Police Department", "first page")


def test_the_file_name_is_the_last_resort(tmp_path: Path) -> None:
    found = department_of(tmp_path / "oxbow_falls  pd.pdf", tmp_path, Registry(), ["Effective Date: June 1"])
    assert (found.name, found.named_by) == ("oxbow falls pd", "file name")
    assert department_of(tmp_path / "_.pdf", tmp_path, Registry()).name == "_"


def test_a_file_named_itself_lies_in_no_folder_that_tells(tmp_path: Path) -> None:
    found = department_of(tmp_path / "merrow" / "order.pdf", None, Registry())
    assert (found.name, found.named_by) == ("order", "file name")


def test_a_path_may_be_written_in_several_ways(tmp_path: Path) -> None:
    registry(tmp_path / "in", "./deep/../order.pdf,Oxbow PD,,,,,,")
    known = read_registry([tmp_path / "in" / ".." / "in"])
    assert department_of(tmp_path / "in" / "order.pdf", tmp_path, known).name == "Oxbow PD"


# --- the registry ------------------------------------------------------------------------------------------------


def test_every_folder_may_have_its_own_registry(tmp_path: Path) -> None:
    registry(tmp_path, "a.pdf,First PD,,,,,,", "deep/b.pdf,Second PD,,,,,,")
    registry(tmp_path / "deep" / "er", "c.pdf,Third PD,,,,,,")
    names = {path.name: d.name for path, d in read_registry([tmp_path]).by_file.items()}
    assert names == {"a.pdf": "First PD", "b.pdf": "Second PD", "c.pdf": "Third PD"}


def test_the_registry_beside_a_single_file_counts(tmp_path: Path) -> None:
    registry(tmp_path, "a.pdf,First PD,,,,,,")
    known = read_registry([tmp_path / "a.pdf", tmp_path / "b.pdf"])
    assert [d.name for d in known.by_file.values()] == ["First PD"]
    assert read_registry([tmp_path / "none" / "a.pdf"]) == Registry()


def test_departments_without_a_document_say_why(tmp_path: Path) -> None:
    registry(
        tmp_path,
        ",First PD,municipal police,,MA,,,no policy: they have none",
        ",Second PD,,,,,,No Reply since January",
        "a.pdf,Third PD,,,,,,no policy on tow trucks",
    )
    known = read_registry([tmp_path])
    assert [(d.name, why) for d, why in known.without_document] == [
        ("First PD", "no policy"),
        ("Second PD", "no reply"),
    ]
    assert [d.name for d in known.by_file.values()] == ["Third PD"]


def test_a_registry_read_by_two_paths_counts_once(tmp_path: Path) -> None:
    registry(tmp_path, ",First PD,,,,,,no reply")
    (tmp_path / "a.pdf").touch()
    assert len(read_registry([tmp_path, tmp_path, tmp_path / "a.pdf"]).without_document) == 1


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    path = tmp_path / "departments.csv"
    text = 'document,department,extra\r\n"a, b.pdf", Merrow County ,\r\n\r\nb.pdf,"Said ""the Chief""",x,y,z\r\n'
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert sorted(d.name for d in read_registry([tmp_path]).by_file.values()) == ["Merrow County", 'Said "the Chief"']
    assert (tmp_path / "a, b.pdf").resolve() in read_registry([tmp_path]).by_file


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a.pdf,,,,,,,"], "line 2: no department"),
        (["a.pdf,Oxbow PD,,,,,,", ",Merrow SO,,,,,,"], "line 3: no document for Merrow SO"),
        ([",Merrow SO,,,,,,they will answer soon"], "line 2: no document for Merrow SO"),
        ([",,,,,,,"], "line 2: no department"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, rows: list[str], said: str) -> None:
    path = registry(tmp_path, *rows)
    with pytest.raises(UsageError) as caught:
        read_registry([tmp_path])
    assert caught.value.message == f"{path}, {said}"
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column 'department'"),
        (b"file,agency\na.pdf,Oxbow PD\n", "no column 'department'"),
        ("document,department\na.pdf,Café PD\n".encode("latin-1"), "can't be read"),
        (b'document,department\n"' + b"x" * 200_000 + b'",Oxbow PD\n', "can't be read"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "departments.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_registry([tmp_path])
    assert caught.value.message.startswith(str(path))
    assert said in caught.value.message


# --- names on the first page -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Oxbow Falls Police Department", "Oxbow Falls Police Department"),
        ("OXBOW FALLS POLICE DEPARTMENT", "Oxbow Falls Police Department"),
        ("Oxbow Falls Police Department General Order 14-3", "Oxbow Falls Police Department"),
        ("GENERAL ORDER OXBOW FALLS POLICE DEPARTMENT", "Oxbow Falls Police Department"),
        ("  Oxbow   Falls  Police  Department ", "Oxbow Falls Police Department"),
        ("Merrow County Sheriff's Office", "Merrow County Sheriff's Office"),
        ("MERROW COUNTY SHERIFF’S OFFICE", "Merrow County Sheriff’s Office"),
        ("Merrow County Sheriffs Department", "Merrow County Sheriffs Department"),
        ("MANUAL OF THE MERROW COUNTY SHERIFF'S OFFICE", "Merrow County Sheriff's Office"),
        ("Office of the Merrow County Sheriff", "Office of the Merrow County Sheriff"),
        ("Office of the Sheriff, Merrow County", "Office of the Sheriff, Merrow County"),
        (
            "Office of the District Attorney for the Nonset District",
            "Office of the District Attorney for the Nonset District",
        ),
        ("Nonset District Attorney's Office", "Nonset District Attorney's Office"),
        ("City of Eastbrook", "City of Eastbrook"),
        ("TOWN OF HARWICK", "Town of Harwick"),
        ("TOWN OF HARWICK POLICE DEPARTMENT", "Town of Harwick Police Department"),
        ("WINSTON-SAYRE POLICE DEPARTMENT", "Winston-Sayre Police Department"),
        ("St. Brendan's Harbor Police Department", "St. Brendan's Harbor Police Department"),
        ("Hollis Brook State University Police Department", "Hollis Brook State University Police Department"),
        ("Oxbow Transit Police", "Oxbow Transit Police"),
        ("Old Colony State Police", "Old Colony State Police"),
        ("Nonset Department of Correction", "Nonset Department of Correction"),
        ("Nonset County Probation Department", "Nonset County Probation Department"),
        ("Quaboag District Court", "Quaboag District Court"),
        ("Merrow County Department of Public Safety", "Merrow County Department of Public Safety"),
        ("It is the policy of the Oxbow Falls Police Department to keep order.", "Oxbow Falls Police Department"),
        ("Members of the Oxbow Falls Police Department keep order.", "Oxbow Falls Police Department"),
        ("Chief of Police, Oxbow Falls Police Department", "Oxbow Falls Police Department"),
    ],
)
def test_a_name_is_found_in_many_forms(line: str, name: str) -> None:
    assert name_on_page(["Effective June 1", line]) == name


@pytest.mark.parametrize(
    "line",
    [
        "",
        "General Order 14-3",
        "Police Department",
        "THE POLICE DEPARTMENT",
        "State Police",
        "Chief of Police",
        "By order of the Chief of Police",
        "BOARD OF FIRE AND POLICE COMMISSIONERS",
        "Department of Homeland Security",
        "the police department shall keep the log",
    ],
)
def test_what_names_no_department_is_passed_over(line: str) -> None:
    assert name_on_page([line]) == ""
    assert name_on_page([line, "Oxbow Falls Police Department"]) == "Oxbow Falls Police Department"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["OXBOW FALLS", "POLICE DEPARTMENT", "General Order 7"], "Oxbow Falls Police Department"),
        (["City of Eastbrook", "Police Department"], "City of Eastbrook Police Department"),
        (["COMMONWEALTH OF MASSACHUSETTS", "MERROW COUNTY", "SHERIFF'S OFFICE"], "Merrow County Sheriff's Office"),
    ],
)
def test_a_letterhead_may_stand_in_two_lines(lines: list[str], name: str) -> None:
    assert name_on_page(lines) == name


def test_the_first_name_counts_and_only_on_the_first_lines() -> None:
    assert (
        name_on_page(["Oxbow Falls Police Department", "Merrow County Sheriff's Office"])
        == "Oxbow Falls Police Department"
    )
    assert name_on_page(["Rule"] * 24 + ["Oxbow Falls Police Department"]) == "Oxbow Falls Police Department"
    assert name_on_page(["Rule"] * 25 + ["Oxbow Falls Police Department"]) == ""
    assert name_on_page([]) == ""
