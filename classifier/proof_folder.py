"""Proofs → a folder of tables and pictures that shows how good the labels are, with the model's card and a README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from classifier.errors import UsageError
from classifier.exports import Replacing, write_csv
from classifier.plain_text import markdown_text
from classifier.proof import (
    NOISE,
    REVIEWED,
    Proof,
    abstention,
    error_rows,
    reliability,
    review_line,
    stance_confusion,
)
from classifier.proof_pictures import draw_abstention, draw_confusion, draw_learning_curve, draw_reliability
from classifier.training import UNLABELLED_WEIGHT

CONTENTS = {
    "figures.csv": "the headline figures, the calibration errors and what review catches, one row a set",
    "practices": "precision, recall and F1 of each practice, F1 with its stance, support, document verdicts right",
    "stance_confusion": "right stances (rows) against given ones (columns), counted where the practice is right",
    "reliability": "predicted probability against what was observed, in ten bins: practices, stances, doubt",
    "abstention": "share of labelled clauses sent to review, least certain first, against the errors caught and left",
    "errors": "every mistake (missed, false alarm, wrong stance) with its clause, the most certain ones first",
    "noise": f"the figures with character errors as of a poor scan, at rates {', '.join(f'{r:g}' for r in NOISE)}",
    "learning_curve": "the figures by the number of training documents",
    "card.md": "the model's card with these figures",
}
DEFINITIONS = f"""
## What the figures mean

- F1 counts practices (or practices with their stances) of labelled units as sets, micro-averaged; `core` is the four core practices.
- `practice_ece`: expected calibration error over all pairs of a clause and a practice, ten bins of equal width. Nearly all
  pairs are far below 0.1 and rightly so, which makes it small for nothing; `practice_ece_from_0.1` counts only pairs to which the
  model gave 0.1 or more. `stance_ece`: of the stances given where the practice is right. `doubt_ece`: of the
  estimated probability that a labelled clause holds a mistake.
- `clause_error_rate`: share of the clauses with labels on which a practice or a stance differs from the gold ones. One wrong
  of three labels makes a clause wrong. `errors_in_review`: share of these clauses among the {REVIEWED:.0%} least certain;
  `error_rate_after_review`: share of wrong ones among the rest. `errors_and_misses_in_review` counts also the clauses that
  should have got a label and got none, which no review of labelled clauses can find.
- Noise falls on text, lead-ins and headings after the document was split, and the clean clauses are found in the labelled
  units: the figures show what it does to labels, not to splitting.
"""


def check_names(files: Sequence[Path]) -> None:
    """Raises UsageError if two labelled files would write the same names."""
    stems = [f.stem for f in files]
    if len(set(stems)) < len(stems):
        raise UsageError("two labelled files of the same name", "rename one: the tables are named for their files")


def write_proof(
    folder: Path, proofs: Sequence[Proof], card: str, learning: pd.DataFrame | None = None, scored: bool = False
) -> None:
    """Write all tables and pictures. card: the model's, as Markdown. scored: headline figures come from a clauses.jsonl.

    Raises UsageError if the folder can't be written.
    """
    files = ["figures.csv"]
    try:
        write_table(folder / "figures.csv", figures_table(proofs))
        for proof in proofs:
            files += write_set(folder, proof)
        if learning is not None:
            write_table(folder / "learning_curve.csv", learning)
            draw_learning_curve(learning, folder / "learning_curve.png")
            files += ["learning_curve.csv", "learning_curve.png"]
        write_text(folder / "card.md", card + card_section(proofs, learning))
        write_text(folder / "README.md", readme([*files, "card.md"], proofs, scored))
    except OSError as error:
        raise UsageError(
            f"{folder}: can't be written ({error.strerror or error})", "choose another --out folder or free some space"
        ) from error


def write_set(folder: Path, proof: Proof) -> list[str]:
    """The tables and pictures of one set; returns their names."""
    confusion, bins, curve = stance_confusion(proof.cases), reliability(proof.cases), abstention(proof.cases)
    tables = {
        "practices": proof.scores.table(),
        "stance_confusion": confusion.reset_index(),
        "reliability": bins,
        "abstention": curve,
        "errors": error_rows(proof.cases),
        "noise": proof.noise,
    }
    for kind, table in tables.items():
        write_table(folder / f"{kind}_{proof.name}.csv", table)
    draw_confusion(confusion, proof.name, folder / f"stance_confusion_{proof.name}.png")
    draw_reliability(bins, proof.name, folder / f"reliability_{proof.name}.png")
    draw_abstention(curve, proof.name, folder / f"abstention_{proof.name}.png")
    drawn = ("stance_confusion", "reliability", "abstention")
    return [f"{k}_{proof.name}.{end}" for k in tables for end in ("csv", "png") if end == "csv" or k in drawn]


def figures_table(proofs: Sequence[Proof]) -> pd.DataFrame:
    """One row a set."""
    return pd.DataFrame([{"set": p.name, **p.counts(), **p.figures()} for p in proofs])


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A table as CSV, whole or not at all, fractions to four digits, no cell a formula."""
    write_csv(path, [str(c) for c in table.columns], table.round(4).to_numpy(dtype=object).tolist())


def write_text(path: Path, text: str) -> None:
    """A text file, whole or not at all."""
    with Replacing(path) as target:
        target.write(text)


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown, fractions to three digits."""
    values = table.to_numpy(dtype=object)
    cells = [[f"{v:.3f}" if isinstance(v, float) else markdown_text(str(v)) for v in row] for row in values]
    head = [markdown_text(str(c)) for c in table.columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cells)) + "\n"


def card_section(proofs: Sequence[Proof], learning: pd.DataFrame | None) -> str:
    """What this folder adds to the model's card: figures, review, noise and pictures of each set."""
    figures = {p.name: p.figures() for p in proofs}
    rows = [(figure, *(figures[p.name][figure] for p in proofs)) for figure in figures[proofs[0].name]]
    parts = ["\n## Proof\n", markdown(pd.DataFrame(rows, columns=["figure", *figures]))]
    for proof in proofs:
        parts += [
            f"\n### {markdown_text(proof.name)}\n",
            f"Review: {review_line(proof)}.\n",
            f"![Reliability]({quote(f'reliability_{proof.name}.png')})\n",
            f"![Review]({quote(f'abstention_{proof.name}.png')})\n",
            f"![Stances]({quote(f'stance_confusion_{proof.name}.png')})\n",
            "With character errors:\n",
            markdown(proof.noise),
        ]
    if learning is not None:
        parts += ["\n### Learning curve\n", "![Learning curve](learning_curve.png)\n", markdown(learning)]
    return "\n".join(parts)


def readme(files: Sequence[str], proofs: Sequence[Proof], scored: bool) -> str:
    """What each file is, in one line, and what was measured how."""
    lines = ["# How good are the labels?\n", "Written by `clauses evaluate --out`.\n"]
    for proof in proofs:
        counts = proof.counts()
        lines.append(
            f"- {markdown_text(proof.name)}: {counts['documents']} documents, {counts['clauses']} clauses, "
            f"{counts['labelled_clauses']} of them given a label."
        )
    if [p.name for p in proofs] == ["held_out"]:
        lines.append(
            "\n`held_out`: the project's own documents, each labelled by a model that has not learnt from it. They hold more "
            f"clauses with labels than the field: probabilities are set as if clauses without were {UNLABELLED_WEIGHT:g} "
            "times as many, and so lie below what is observed here."
        )
    if scored:
        lines.append(
            "\nThe headline figures and `practices_*.csv` are of the clauses.jsonl named with `--scored`, PDF reading and all; "
            "everything else was computed from the documents as plain text, with the model in use."
        )
    lines.append("\n| file | what it is |\n|---|---|")
    for file in files:
        kind = next(k for k in CONTENTS if file.startswith(k))
        lines.append(f"| {markdown_text(file)} | {CONTENTS[kind]}{' (picture)' if file.endswith('.png') else ''} |")
    return "\n".join(lines) + "\n" + DEFINITIONS
