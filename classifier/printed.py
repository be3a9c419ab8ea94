"""What the commands print: departments, failures, figures; never a character that a terminal would obey."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from classifier.terminal import say

if TYPE_CHECKING:
    from tqdm import tqdm

    from classifier.evaluation import Scores
    from classifier.exports import DepartmentFindings
    from classifier.labelled import LabelledDocument
    from classifier.proof import Proof
    from classifier.runs import Outcome
    from classifier.scored import Summary


def show_departments(rows: list[DepartmentFindings]) -> None:
    """Departments × core practices, one line each, as words."""
    from classifier.codebook import load_codebook

    core = load_codebook().core_ids
    names = [load_codebook().practice(p).name for p in core]
    width = min(40, max([len(r.department.name) for r in rows] + [10]))
    say("  ".join([f"{'Department':{width}}", *(f"{n:22}" for n in names)]).rstrip())
    for row in rows:
        words = [f"{row.word(p):22}" for p in core]
        gap = "Lunn gap" if row.lunn_gap else ""
        say("  ".join([f"{row.department.name[:width]:{width}}", *words, gap]).rstrip())


def show_counts(documents: list[LabelledDocument], folder: Path) -> None:
    """Labels by stance, conditions, documents by family, and how far two annotators agree."""
    import pandas as pd

    from classifier.agreement import doubled_clauses, label_f1, practice_kappas, read_first_labels, stance_kappa

    clauses = [c for d in documents for c in d.clauses]
    labels = pd.Series([(p, s or "-") for c in clauses for p, s in c.labels.items()]).value_counts()
    labels.index = pd.MultiIndex.from_tuples(labels.index)
    say(*labels.unstack(fill_value=0).to_string().split("\n"))
    say(*pd.Series([c.type for x in clauses for c in x.conditions]).value_counts().to_string().split("\n"))
    families = pd.DataFrame([(d.family, len(d.clauses)) for d in documents], columns=["family", "clauses"])
    say(
        *families.groupby("family")
        .agg(documents=("clauses", "size"), clauses=("clauses", "sum"))
        .to_string()
        .split("\n")
    )
    doubled = list(
        doubled_clauses(documents, folder / "second_labels", read_first_labels(folder / "adjudications.csv"))
    )
    if doubled:
        share, kappa, seen = stance_kappa(doubled)
        say(f"labelled twice: {len({c.document for c in doubled})} documents, {len(doubled)} clauses")
        say(f"F1 {label_f1(doubled, False):.3f}, with stance {label_f1(doubled, True):.3f}")
        say(f"stance agreement {share:.3f}, kappa {kappa:.3f} over {seen} labels")
        say(*pd.Series(practice_kappas(doubled), name="kappa").round(3).to_string().split("\n"))


def show_outcome(outcome: Outcome, out: Path) -> None:
    """What was not read, on standard error, and what there is in all."""
    for path in outcome.unknown:
        say(f"unknown: {path}: departments.csv names it, but there is no such file", err=True)
    for problem in outcome.problems:
        say(f"{problem.status}: {problem.name}: {problem.reason}", err=True)
    parts = [f"{outcome.files} files", f"{outcome.pages} pages"]
    if outcome.duplicates:
        parts.append(f"{outcome.duplicates} duplicates")
    say(f"{', '.join(parts)}; tables in {out}/")


class ProgressBar:
    """How far a run is, on a terminal: documents, pages a second, time left, failures so far. Nothing in a pipe."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet or not sys.stderr.isatty()
        self.bar: tqdm[NoReturn] | None = None
        self.pages = self.failed = 0

    def stage(self, name: str, total: int) -> None:
        """Begin a bar of so many steps."""
        from tqdm import tqdm

        self.close()
        if not self.quiet:
            self.bar = tqdm(total=total, desc=name, unit=" files", smoothing=0.05)

    def step(self, summary: Summary | None = None) -> None:
        """One more is done."""
        if self.bar is None:
            return
        if summary:
            self.pages += summary.pages
            self.failed += summary.status == "failed"
            pace = self.pages / max(self.bar.format_dict["elapsed"], 0.001)
            self.bar.set_postfix_str(f"{pace:.1f} pages/s, {self.failed} failed", refresh=False)
        self.bar.update()

    def note(self, line: str) -> None:
        """Say something beside it."""
        from tqdm import tqdm

        with tqdm.external_write_mode(sys.stderr):
            say(line, err=True)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()


def show_scores(title: str, scores: Scores) -> None:
    """A table of figures by practice, and the headline figures."""
    say("", title)
    say(*scores.table().to_string(index=False, float_format=lambda v: f"{v:.2f}").split("\n"))
    show_figures("  this model", scores)


def show_proof(proof: Proof) -> None:
    """Calibration errors, and what review of the least certain clauses catches."""
    from classifier.proof import review_line

    errors = [f"{k} {v:.3f}" for k, v in proof.figures().items() if "_ece" in k]
    say(f"{'  calibration':24} {'  '.join(errors)}")
    say(f"{'  review':24} {review_line(proof)}")


def show_figures(title: str, scores: Scores) -> None:
    """The headline figures in one line."""
    say(f"{title:24} " + "  ".join(f"{name} {value:.3f}" for name, value in scores.figures().items()))
