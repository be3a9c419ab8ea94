"""Evidence → charts with their data: verdicts by practice, stances by practice, a county map of sheriffs' verdicts.

The same bytes from the same tables. Colours are never alone: a word stands beside each, and the four reasons for having
no rule to show (silent, unread, no policy, no reply) differ in hatches.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classifier.codebook import load_codebook
from classifier.errors import UsageError
from classifier.evidence import Evidence
from classifier.plain_text import legible

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path as Outline
except ImportError as error:
    raise UsageError(
        f"pictures can't be drawn: {error.name} is not installed", "pip install 'collaboration-clauses[pictures]'"
    ) from error

# Verdict → colour (Okabe and Ito's) and hatch, in the order of the bars.
STYLES = {
    "does": ("#D55E00", ""),
    "conditional": ("#E69F00", ""),
    "mixed": ("#CC79A7", ""),
    "refuses": ("#0072B2", ""),
    "mentions": ("#56B4E9", ""),
    "silent": ("#FFFFFF", "|||"),
    "unread": ("#FFFFFF", "/////"),
    "no policy": ("#FFFFFF", "xxxx"),
    "no reply": ("#FFFFFF", "-----"),
}
SEVERAL, NOBODY = "several answers", "not in this set"
_MAP_STYLES = {**STYLES, SEVERAL: ("#F0E442", "++"), NOBODY: ("#DDDDDD", "")}
EDGE, HATCH = "#333333", "#888888"
RESOLUTION = 150  # dots an inch of a PNG
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "clauses",  # else element ids differ from run to run
    "svg.fonttype": "none",  # words stay words: to be searched and read aloud
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "hatch.linewidth": 0.6,
    "hatch.color": HATCH,
}
COUNTIES = Path(__file__).with_name("massachusetts_counties.geojson")
_BESIDE = {"Suffolk": (0.36, 0.08), "Dukes": (0.0, -0.16), "Nantucket": (0.0, -0.14)}  # too small for words; degrees
_SHERIFF = re.compile(r"\bsheriff", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and what it shows. description: the same in words. data: the rows drawn. svg, png: whole files."""

    name: str
    title: str
    description: str
    data: pd.DataFrame
    svg: bytes
    png: bytes


def draw_charts(evidence: Evidence) -> list[Chart]:
    """The charts of a report: verdicts, stances, and where a sheriff has a county on the map, it for each core practice."""
    charts = [verdict_bars(evidence), stance_counts(evidence)]
    if sheriffs(evidence)["county"].isin(list(outlines())).any():
        charts += [sheriff_map(evidence, p.id) for p in load_codebook().practices if p.core and not p.stanceless]
    return charts


def verdict_bars(evidence: Evidence) -> Chart:
    """One bar a practice: how many departments have which verdict. Data: practice, name, verdict, departments."""
    practices = load_codebook().practices
    counted = evidence.findings.groupby(["practice", "verdict"]).size()
    rows = [(p.id, p.name, v, int(counted.get((p.id, v), 0))) for p in practices for v in STYLES]
    data = pd.DataFrame(rows, columns=["practice", "name", "verdict", "departments"])
    total = len(evidence.departments)
    title = f"Verdicts of {counts(total, 'department')} by practice"
    with _figure(title, 10, 0.36 * len(practices) + 2) as figure:
        panel = figure.add_subplot()
        left = np.zeros(len(practices))
        for verdict, own in data.groupby("verdict", sort=False):
            colour, hatch = STYLES[str(verdict)]
            width = own["departments"].to_numpy(dtype=float)
            panel.barh(
                range(len(practices)), width, left=left, color=colour, hatch=hatch, edgecolor=EDGE, linewidth=0.6,
                height=0.76, label=str(verdict),
            )  # fmt: skip
            for row, (start, count) in enumerate(zip(left, width, strict=True)):
                if count >= total * 0.025:
                    _note(panel, start + count / 2, row, f"{count:.0f}", 8)
            left += width
        panel.set_yticks(range(len(practices)), [p.name for p in practices])
        for tick, practice in zip(panel.get_yticklabels(), practices, strict=True):
            tick.set_fontweight("bold" if practice.core else "normal")
        panel.set(xlim=(0, max(total, 1)), ylim=(len(practices) - 0.5, -0.5))
        panel.locator_params(axis="x", integer=True)
        panel.set_xlabel("departments (core practices in bold)")
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
        figure.legend(
            loc="outside lower center", ncols=5, fontsize=9, frameon=False, handlelength=2.2, handleheight=1.2
        )
        return _chart("verdicts", title, "Stacked bars: for each practice, the departments by verdict.", data, figure)


def stance_counts(evidence: Evidence) -> Chart:
    """Practices × stances: labelled clauses, shaded by their share of the practice. Data: practice, name, stance, clauses.

    A stanceless practice is counted under "no stance".
    """
    book = load_codebook()
    stances = [*book.stances, "no stance"]
    stance = evidence.labels["stance"].astype("object")
    counted = evidence.labels.assign(stance=stance.where(stance.notna(), "no stance")).groupby(["practice", "stance"])
    found = counted.size()
    rows = [(p.id, p.name, s, int(found.get((p.id, s), 0))) for p in book.practices for s in stances]
    data = pd.DataFrame(rows, columns=["practice", "name", "stance", "clauses"])
    cells = data["clauses"].to_numpy(dtype=int).reshape(len(book.practices), len(stances))
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    title = f"What {counts(int(cells.sum()), 'label')} of clauses say about each practice"
    with _figure(title, 9, 0.4 * len(book.practices) + 1.4) as figure:
        panel = figure.add_subplot()
        panel.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1)
        for row, column in np.ndindex(cells.shape):
            if cells[row, column]:
                dark = shares[row, column] > 0.55
                text = f"{cells[row, column]} ({shares[row, column]:.0%})"
                panel.text(
                    column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8, color="white" if dark else "black"
                )  # fmt: skip
        panel.invert_yaxis()
        panel.set_xticks(np.arange(len(stances)) + 0.5, stances)
        panel.set_yticks(np.arange(len(book.practices)) + 0.5, [p.name for p in book.practices])
        panel.xaxis.tick_top()
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
        panel.set_xlabel("labelled clauses (share of the practice's; a darker cell is a larger share)")
        return _chart("stances", title, "Table of practices by stances, each cell a count of clauses.", data, figure)


def sheriffs(evidence: Evidence) -> pd.DataFrame:
    """The sheriffs among the departments: department, state, county (as on the map, else as given; maybe empty).

    A department is a sheriff's if its kind or its name says so. The county comes from its row, else from the name
    ("Bristol County Sheriff's Office"). A state other than Massachusetts puts it off the map; none given does not.
    """
    own = evidence.departments
    own = own[own["kind"].str.contains(_SHERIFF) | own["department"].str.contains(_SHERIFF)]
    counties = [_county(*row) for row in own[["department", "county", "state"]].itertuples(index=False)]
    return own[["department", "state"]].assign(county=counties).reset_index(drop=True)


def _county(department: str, county: str, state: str) -> str:
    given = re.sub(r"\s+county$", "", county.strip(), flags=re.IGNORECASE)
    if state.strip().casefold() not in ("", "ma", "massachusetts"):
        return f"{given}, {state}".strip(", ")
    for name in outlines():
        named = re.search(rf"\b{name}\s+county\b", department, re.IGNORECASE) if not given else None
        if named or given.casefold() == name.casefold():
            return name
    return given


def outlines() -> dict[str, list[np.ndarray]]:
    """County → its outlines: arrays of (longitude, latitude) in degrees, the largest part first."""
    features = json.loads(COUNTIES.read_text(encoding="utf-8"))["features"]
    return {
        f["properties"]["county"]: [np.array(ring) for part in f["geometry"]["coordinates"] for ring in part]
        for f in features
    }


def sheriff_map(evidence: Evidence, practice: str) -> Chart:
    """Massachusetts by county: the sheriff's verdict on a practice. Data: county, fips, department, verdict.

    A county that no sheriff of the evidence belongs to has an empty department; sheriffs of no county on the map have an
    empty fips and stand below it in words. Raises UsageError for a practice that the codebook does not have.
    """
    book = load_codebook()
    if practice not in book.practice_ids:
        raise UsageError(f"no practice {practice!r}", f"choose one of {', '.join(book.practice_ids)}")
    data = _map_rows(evidence, practice)
    title = f"{book.practice(practice).name}: verdicts of Massachusetts sheriffs"
    words = {county: _one_word(own["verdict"]) for county, own in data[data["fips"] != ""].groupby("county")}
    with _figure(title, 10, 6.4) as figure:
        panel = figure.add_subplot()
        for county, rings in outlines().items():
            _draw_county(panel, county, rings, words[county])
        panel.set_aspect(1 / cos(radians(42)))
        panel.margins(0.02)
        panel.set_axis_off()
        shown = [(w, s) for w, s in _MAP_STYLES.items() if w in words.values()]
        keys = [Patch(facecolor=colour, hatch=hatch, edgecolor=EDGE, label=w) for w, (colour, hatch) in shown]
        panel.legend(handles=keys, loc="lower left", fontsize=9, frameon=False, handlelength=2.4, handleheight=1.4)
        if below := _off_the_map(data):
            figure.supxlabel(below, fontsize=8, x=0.02, ha="left")
        return _chart(f"map_{practice}", title, "Map of counties; each bears the sheriff's verdict.", data, figure)


def _map_rows(evidence: Evidence, practice: str) -> pd.DataFrame:
    verdicts = evidence.findings[evidence.findings["practice"] == practice].set_index("department")["verdict"]
    features = json.loads(COUNTIES.read_text(encoding="utf-8"))["features"]
    fips = {f["properties"]["county"]: f["properties"]["fips"] for f in features}
    asked = sheriffs(evidence)
    rows = [
        (county, fips.get(county, ""), department, str(verdicts[department]))
        for department, county in asked[["department", "county"]].itertuples(index=False)
    ]
    rows += [(county, code, "", NOBODY) for county, code in fips.items() if county not in set(asked["county"])]
    rows.sort(key=lambda r: (not r[1], r))
    return pd.DataFrame(rows, columns=["county", "fips", "department", "verdict"])


def _one_word(verdicts: pd.Series) -> str:
    return str(verdicts.iloc[0]) if verdicts.nunique() == 1 else SEVERAL


def _draw_county(panel: Axes, county: str, rings: Sequence[np.ndarray], word: str) -> None:
    colour, hatch = _MAP_STYLES[word]
    outline = Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings))
    panel.add_patch(PathPatch(outline, facecolor=colour, hatch=hatch, edgecolor=EDGE, linewidth=0.8))
    (x, y), (right, up) = _middle(rings[0]), _BESIDE.get(county, (0.0, 0.0))
    if right:
        panel.plot([x, x + right], [y, y + up], color=EDGE, linewidth=0.8)
    _note(panel, x + right, y + up, county if word == NOBODY else f"{county}\n{word}", 7)


def _middle(ring: np.ndarray) -> tuple[float, float]:
    """The centroid of a closed outline."""
    (x, y), (across, up) = ring[:-1].T, ring[1:].T
    cross = x * up - across * y
    return float(((x + across) * cross).sum() / cross.sum() / 3), float(((y + up) * cross).sum() / cross.sum() / 3)


def _off_the_map(data: pd.DataFrame) -> str:
    """The sheriffs whom the map has no county for, in a few lines."""
    own = data[data["fips"] == ""]
    named = [f"{d} ({c or 'no county given'}): {v}" for c, _, d, v in own.itertuples(index=False)]
    text = legible(f"Not on the map: {'; '.join(named)}") if named else ""
    return "\n".join(textwrap.wrap(text, 150, max_lines=4, placeholder=" … (all in the data)"))


def _note(panel: Axes, x: float, y: float, text: str, size: int) -> None:
    """Black words on a white ground: legible on every colour and hatch."""
    ground = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    panel.text(x, y, text, ha="center", va="center", fontsize=size, color="black", bbox=ground)


def counts(number: int, noun: str) -> str:
    """ "1 department", "2,400 departments"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def _figure(title: str, width: float, height: float) -> Iterator[Figure]:
    """A figure of that many inches, drawn and saved under our settings."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.suptitle(title, fontsize=13)
        yield figure


def _chart(name: str, title: str, description: str, data: pd.DataFrame, figure: Figure) -> Chart:
    """Save a figure as files that name neither the time nor the program."""
    svg, png = BytesIO(), BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", dpi=RESOLUTION, metadata={"Software": None})
    return Chart(name, title, description, data, svg.getvalue(), png.getvalue())
