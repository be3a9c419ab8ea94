"""The samples: real-looking files whose words are known, since the policies that they show are in the training data."""

from __future__ import annotations

import csv
import re
import sys
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from classifier import samples
from classifier.errors import ClassifierError, LabelledDataError
from classifier.labelled import LabelledDocument, read_policy
from classifier.pages import Document, read_document
from classifier.samples import REGISTRY_COLUMNS, Sample, draw_sample, make_samples, read_samples, registry_rows

DATA = Path(__file__).parent.parent / "training_data"
FOLDER, TABLE = DATA / "samples", DATA / "samples.csv"
POLICIES = sorted((DATA / "documents").rglob("*.policy"))
SAMPLES = read_samples(TABLE)
READABLE = [s for s in SAMPLES if s.layout != "scan"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    make_samples(TABLE, POLICIES, out)
    return out


def policy_of(sample: Sample) -> LabelledDocument:
    return read_policy(next(path for path in POLICIES if path.stem == sample.document))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def all_lines(document: Document) -> list[tuple[str, bool, int]]:
    return [(line.text, line.furniture, page.number) for page in document.pages for line in page.lines]


def test_the_samples_are_what_the_table_makes(made: Path) -> None:
    """Libraries pack the same drawing into different bytes, so versions are compared by what is read from them."""
    assert {path.name for path in FOLDER.glob("*.pdf")} == {s.file for s in SAMPLES}
    for sample in SAMPLES:
        kept, fresh = read_document(FOLDER / sample.file), read_document(made / sample.file)
        assert all_lines(kept) == all_lines(fresh), sample.file
        assert [(p.width, p.height, p.status) for p in kept.pages] == [
            (p.width, p.height, p.status) for p in fresh.pages
        ]


def test_every_sample_has_the_same_bytes_each_time(made: Path) -> None:
    for sample in SAMPLES:
        assert draw_sample(policy_of(sample), sample.layout) == (made / sample.file).read_bytes(), sample.file


def test_the_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.pdf")) < 3_000_000


@pytest.mark.parametrize("sample", READABLE, ids=lambda s: s.layout + ":" + s.file)
def test_a_sample_reads_back_in_order(sample: Sample) -> None:
    document = read_document(FOLDER / sample.file)
    written = words(" ".join(item.text for item in policy_of(sample).items if item.kind != "furniture"))
    read = words(" ".join(line.text for line in document.lines))
    same = sum(m.size for m in SequenceMatcher(None, written, read, autojunk=False).get_matching_blocks())
    assert {page.status for page in document.pages} == {"read"}
    assert same >= 0.98 * len(written)


RUNNING = {
    "single": r"Page \d of \d",
    "columns": r"Internal: attorney work product|Practice Guide 7",
    "order": r".*Page \d of \d",
    "lines": r"- \d -",
    "memo": r"Memorandum 19-041 February 11, 2019 Page \d|A nationally accredited.*",
    "faq": r"Roll Call Q&A #11 \d",
    "manual": r"Copyright .*|Published with permission .*|Tillinghast Police (Department|Policy Manual)",
    "bates": r"DPPD-PRR-\d{6}|Produced in response .*|Danforth Plain Police Department Policy and Procedure.*",
    "table": r"For official use Page \d of \d|Release of Inmates and Detainees Effective.*",
    "landscape": r"For official use Page \d of \d|Squannatuck Division .* Post Orders",
}
"""layout → what runs along the head and foot of its pages"""


@pytest.mark.parametrize("sample", READABLE, ids=lambda s: s.layout + ":" + s.file)
def test_running_lines_of_a_sample_are_furniture(sample: Sample) -> None:
    running = re.compile(RUNNING[sample.layout])
    document = read_document(FOLDER / sample.file)
    assert not [text for text, furniture, _ in all_lines(document) if running.fullmatch(text) and not furniture]
    for page in document.pages:
        assert any(line.furniture and running.fullmatch(line.text) for line in page.lines), page.number
    # What is furniture is none of the policy's own lines.
    written = " ".join(words(" ".join(i.text for i in policy_of(sample).items if i.kind != "furniture")))
    taken = [text for text, furniture, _ in all_lines(document) if furniture and len(words(text)) > 3]
    assert not [text for text in taken if " ".join(words(text)) in written]


def test_the_scan_is_reported_unread() -> None:
    (scan,) = [s for s in SAMPLES if s.layout == "scan"]
    pages = read_document(FOLDER / scan.file).pages
    assert {(page.status, page.reason) for page in pages} == {("unread", "scanned image without a text layer")}


def test_every_layout_is_shown() -> None:
    from classifier.sample_layouts import LAYOUTS

    assert {s.layout for s in SAMPLES} == {*LAYOUTS, "scan"} - {"typed"}


def test_samples_are_held_out_of_training() -> None:
    held = [line for line in (DATA / "held_out.txt").read_text().splitlines() if not line.startswith("#")]
    assert held == sorted(s.document for s in SAMPLES)


def test_the_registry_says_what_the_policies_say() -> None:
    with (FOLDER / "departments.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    assert tuple(rows[0]) == REGISTRY_COLUMNS
    known = [{**row, "source": "", "note": ""} for row in rows if row["document"]]
    assert known == registry_rows(SAMPLES, POLICIES)
    assert [row["note"].split(":")[0].split(" since")[0] for row in rows if not row["document"]] == [
        "no policy",
        "no reply",
    ]


def test_wrong_tables_are_named(tmp_path: Path) -> None:
    table = tmp_path / "samples.csv"
    table.write_text("file,document\na.pdf,b\n")
    with pytest.raises(LabelledDataError, match="no column 'layout'"):
        read_samples(table)
    table.write_text("file,document,layout\na.pdf,nowhere,order\n")
    with pytest.raises(LabelledDataError, match="no document 'nowhere'"):
        make_samples(table, POLICIES, tmp_path)
    with pytest.raises(LabelledDataError, match="no layout 'poster'"):
        draw_sample(policy_of(SAMPLES[0]), "poster")


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.platypus", None)
    with pytest.raises(ClassifierError) as caught:
        samples.library("reportlab.platypus")
    assert "[samples]" in caught.value.next_step
