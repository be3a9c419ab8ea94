"""Charts: that they draw what the tables say, in words too, and the same bytes each time."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from comparison_cases import CALL, CALL_IF, CITES, KEYS, NO_HOLD, NOTIFY, entry
from review_stores import Unit

from classifier.charts import NOBODY, SEVERAL, draw_charts, sheriff_map, sheriffs, stance_counts, verdict_bars
from classifier.codebook import load_codebook
from classifier.departments import Department
from classifier.errors import UsageError
from classifier.evidence import Evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.of_entries(
        [
            entry("Alder PD", [NO_HOLD, KEYS], kind="municipal police", county="Essex"),
            entry("Bristol County Sheriff's Office", [CITES, CALL_IF]),
            entry("Jail of Essex", [CALL], kind="sheriff", county="essex county", state="MA"),
            entry("Essex Deputies", [KEYS], kind="sheriff", county="Essex"),
            entry("Sheriff of $Elsewhere$ <&>", [CALL], kind="sheriff", county="Kent", state="RI"),
        ],
        [(Department("Norfolk County Sheriff"), "no reply")],
        "1",
    )


def words(svg: bytes) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


def test_bars_count_every_department_once_a_practice(evidence: Evidence) -> None:
    chart = verdict_bars(evidence)
    assert set(chart.data.groupby("practice")["departments"].sum()) == {6}
    notify = chart.data[chart.data["practice"] == NOTIFY].set_index("verdict")["departments"]
    assert (notify["does"], notify["conditional"], notify["silent"], notify["no reply"]) == (2, 1, 2, 1)
    assert "Verdicts of 6 departments by practice" in words(chart.svg)


def test_stances_count_every_label(evidence: Evidence) -> None:
    data = stance_counts(evidence).data
    assert data["clauses"].sum() == len(evidence.labels)
    assert data.set_index(["practice", "stance"]).loc[("cites_lunn", "no stance"), "clauses"] == 1


def test_a_sheriff_is_known_by_kind_or_name(evidence: Evidence) -> None:
    counties = dict(sheriffs(evidence)[["department", "county"]].itertuples(index=False))
    assert counties == {
        "Bristol County Sheriff's Office": "Bristol",
        "Essex Deputies": "Essex",
        "Jail of Essex": "Essex",
        "Norfolk County Sheriff": "Norfolk",
        "Sheriff of $Elsewhere$ <&>": "Kent, RI",
    }


def test_the_map_says_each_verdict_in_words(evidence: Evidence) -> None:
    chart = sheriff_map(evidence, NOTIFY)
    said = words(chart.svg)
    assert SEVERAL in said
    assert "Sheriff of $Elsewhere$ <&> (Kent, RI): does" in said
    own = chart.data.set_index("department")["verdict"]
    assert (own["Bristol County Sheriff's Office"], own["Norfolk County Sheriff"]) == ("conditional", "no reply")
    assert set(chart.data.loc[chart.data["department"] == "", "verdict"]) == {NOBODY}
    assert chart.data.loc[chart.data["fips"] != "", "county"].nunique() == 14


def test_an_unknown_practice_has_no_map(evidence: Evidence) -> None:
    with pytest.raises(UsageError, match="no practice 'x'"):
        sheriff_map(evidence, "x")


def test_the_same_tables_give_the_same_bytes(evidence: Evidence) -> None:
    one, other = draw_charts(evidence), draw_charts(evidence)
    assert [(c.svg, c.png) for c in one] == [(c.svg, c.png) for c in other]
    assert len(one) == 2 + sum(p.core and not p.stanceless for p in load_codebook().practices)
    assert all(c.png.startswith(b"\x89PNG") for c in one)


def test_a_name_is_neither_markup_nor_mathematics() -> None:
    name = "$x^2$ <script> ]]> \x00 Sheriff"
    charts = draw_charts(Evidence.of_entries([entry(name, [Unit("x", ((NOTIFY, "permits"),))])]))
    for chart in charts:
        assert b"<script" not in chart.svg
        ElementTree.fromstring(chart.svg)


def test_nothing_is_drawn_too() -> None:
    assert [c.name for c in draw_charts(Evidence.of_entries([]))] == ["verdicts", "stances"]
