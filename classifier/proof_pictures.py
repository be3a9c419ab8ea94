"""Tables of a proof → PNG files, drawn with matplotlib: the same bytes from the same tables, legible without colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from classifier.errors import UsageError
from classifier.plain_text import legible
from classifier.proof import LIKELY, REVIEWED, SHOWN, at_share, calibration_error, most_errors

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise UsageError(
        f"pictures can't be drawn: {error.name} is not installed", "pip install 'collaboration-clauses[pictures]'"
    ) from error

# After Okabe and Ito: apart for colour-blind readers; lines differ in dashes and marks as well.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
LINES = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"))
RESOLUTION = 150  # dots an inch
PANELS = {
    "practice": ("Practices", "probability of a practice on a clause", "share of clauses about it"),
    "stance": ("Stances, where the practice is right", "probability of the stance given", "share that is right"),
    "doubt": ("Doubt of labelled clauses", "estimated probability of a mistake", "share with a mistake"),
}


def panels(count: int, title: str, width: float = 5.0, height: float = 5.0) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side. width, height: of one panel, in inches."""
    figure = Figure(figsize=(width * count, height), layout="constrained")
    figure.suptitle(legible(title), fontsize=13, parse_math=False)  # a dollar sign in a name is a dollar sign
    return figure, [figure.add_subplot(1, count, i + 1) for i in range(count)]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG that names neither the time nor the program."""
    figure.savefig(path, format="png", dpi=RESOLUTION, metadata={"Software": None})


def draw_reliability(bins: pd.DataFrame, name: str, path: Path) -> None:
    """What was predicted against what was observed, a panel each for practices, stances and doubt. See `reliability`."""
    figure, axes = panels(len(PANELS), f"{name}: do the probabilities mean what they say?")
    for panel, (of, (title, across, up)) in zip(axes, PANELS.items(), strict=True):
        own = bins[bins["of"] == of]
        panel.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
        low, high = own["observed_share"] - own["observed_low"], own["observed_high"] - own["observed_share"]
        panel.errorbar(
            own["mean_probability"], own["observed_share"], yerr=np.clip([low, high], 0, 1), color=BLUE, marker="o",
            markersize=6, linewidth=1.5, elinewidth=1, capsize=3, label="observed, 95 % interval",
        )  # fmt: skip
        for x, y, pairs in zip(own["mean_probability"], own["observed_high"], own["pairs"], strict=True):
            panel.annotate(f"{pairs}", (x, y), (0, 4), textcoords="offset points", ha="center", fontsize=8)
        errors = f"ECE {calibration_error(own):.3f}"
        if of == "practice":
            errors = (
                f"ECE {calibration_error(own):.3f} over all pairs, "
                f"{calibration_error(own[own['low'] >= LIKELY]):.3f} over those from {LIKELY:g}"
            )
        panel.set_title(f"{title}\n{errors}", fontsize=11)
        panel.set_xlabel(f"{across} (above the bars: how many)")
        panel.set_ylabel(up)
        panel.set(xlim=(-0.06, 1.06), ylim=(-0.03, 1.15), aspect="equal")
        panel.grid(alpha=0.25)
        panel.legend(loc="upper left", fontsize=9)
    save(figure, path)


def draw_confusion(counts: pd.DataFrame, name: str, path: Path) -> None:
    """Right stances (rows) against given ones (columns); shades are shares of the row. See `stance_confusion`."""
    figure, (panel,) = panels(1, f"{name}: stances, where the practice is right", 6.4, 5.8)
    cells = counts.to_numpy(dtype=int)
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(cells.shape):
        share = shares[row, column]
        text = f"{cells[row, column]}\n{share:.0%}"
        panel.text(column, row, text, ha="center", va="center", color="white" if share > 0.55 else "black", fontsize=11)
    panel.set_xticks(range(counts.shape[1]), list(counts.columns))
    panel.set_yticks(range(counts.shape[0]), list(counts.index))
    panel.set_xlabel("stance given")
    panel.set_ylabel("right stance (percent of its row)")
    panel.set_title(f"{np.trace(cells)} of {cells.sum()} right", fontsize=11)
    save(figure, path)


def draw_abstention(curve: pd.DataFrame, name: str, path: Path) -> None:
    """What review catches, by the share of labelled clauses that are sent to it. See `abstention`."""
    figure, (panel,) = panels(1, f"{name}: what review catches", 8, 6.2)
    rate, sent = float(curve["error_rate_of_rest"].iloc[0]), at_share(curve, REVIEWED)
    across = curve["share_sent"]
    best = [most_errors(float(share), rate) for share in across]
    for values, (colour, dashes, _), label in (
        (curve["share_of_errors_sent"], LINES[0], "share of the errors that are sent"),
        (best, LINES[3], "the same, if the queue were perfect"),
        (curve["error_rate_of_rest"], LINES[1], "share of wrong clauses among the rest"),
    ):
        panel.plot(across, values, color=colour, linestyle=dashes, linewidth=2, label=label)
    panel.plot([0, 1], [0, 1], color=GREY, linestyle=(0, (1, 3)), linewidth=1, label="share sent, if drawn by lot")
    panel.axvline(REVIEWED, color=GREY, linewidth=1)
    panel.set_title(
        f"{REVIEWED:.0%} sent (upright line): {sent['share_of_errors_sent']:.0%} of the errors; "
        f"of the rest {sent['error_rate_of_rest']:.1%} wrong, of all {rate:.1%}",
        fontsize=11,
    )
    panel.set_xlabel("share of the labelled clauses sent to a person, least certain first")
    panel.set(xlim=(0, 1), ylim=(0, 1.02))
    panel.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    save(figure, path)


def draw_learning_curve(curve: pd.DataFrame, path: Path) -> None:
    """Figures by documents learnt from, a panel for each set. See `learning_curve`."""
    names = list(dict.fromkeys(curve["set"]))
    figure, axes = panels(len(names), "What more training documents bring", 5.6)
    for panel, name in zip(axes, names, strict=True):
        own = curve[curve["set"] == name]
        for figure_name, (colour, dashes, mark) in zip(SHOWN, LINES, strict=True):
            label = f"{figure_name.replace('_', ' ').replace('f1', 'F1')} ({own[figure_name].iloc[-1]:.2f} with all)"
            panel.plot(own["documents"], own[figure_name], color=colour, linestyle=dashes, marker=mark, label=label)
        panel.set_xscale("log", base=2)
        panel.set_xticks(list(own["documents"]), [str(n) for n in own["documents"]])
        panel.minorticks_off()
        panel.set_title(legible(f"measured on {name}"), fontsize=11, parse_math=False)
        panel.set_xlabel("training documents")
        panel.set_ylabel("F1 over clauses")
        panel.set_ylim(0, 1)
        panel.grid(alpha=0.25)
        panel.legend(loc="lower right", fontsize=9, handlelength=4)
    save(figure, path)
