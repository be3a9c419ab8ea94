"""The `clauses` command: thin commands over plain functions; the one place where errors become words and exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from classifier.errors import ClassifierError

if TYPE_CHECKING:
    from classifier.evaluation import Scores
    from classifier.exports import DepartmentFindings, Entry
    from classifier.labelled import LabelledDocument

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reads policies on dealing with ICE, clause by clause, and shows the evidence.",
)
ModelOption = Annotated[Path | None, typer.Option("--model", help="A model folder; by default the one in use.")]
DATA = Path("training_data/documents")
MODELS = Path("models")


@app.command()
def score(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: PDF, Word, HTML, text.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables.")],
    model: ModelOption = None,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Worker processes; 0 for one a core.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no closing table.")] = False,
) -> None:
    """Score policies: clauses.jsonl, documents.csv, findings.csv and findings.xlsx into a folder."""
    from classifier.batch import list_files, score_files
    from classifier.departments import department_of, read_registry
    from classifier.exports import TABLES, Entry, by_department, make_folder, write_results
    from classifier.predictions import load_model

    registry = read_registry(paths)
    version = load_model(model).version
    files = list_files(paths, [out / table for table in TABLES])
    make_folder(out)  # before the work, not after it
    entries = []
    for file, document in zip(files, progress(score_files(files, model, jobs), len(files), quiet), strict=True):
        entries.append(Entry(document, department_of(file.path, file.root, registry, document.first_lines)))
    write_results(entries, registry.without_document, out, version)
    if not quiet:
        show_departments(by_department(entries, registry.without_document))
    show_failures(entries)
    typer.echo(f"{len(entries)} files, {sum(e.document.pages for e in entries)} pages; tables in {out}/")
    if any(not e.document.fully_read for e in entries):
        raise typer.Exit(1)


@app.command()
def split(file: Annotated[Path, typer.Argument(help="One document.")]) -> None:
    """Show the clauses of one document: page, depth, heading, lead-in and text."""
    from classifier.clauses import split_document
    from classifier.pages import read_document

    for unit in split_document(read_document(file), file.name):
        lead = f"[{unit.context}] " if unit.context else ""
        mark = {"heading": "#", "clause": "-"}.get(unit.kind, "~")
        typer.echo(printable(f"{unit.page:>4} {'  ' * unit.depth}{mark} {lead}{unit.text}"))


@app.command()
def check(
    data: Annotated[Path, typer.Argument(help="Folder of .policy files.")] = DATA,
    counts: Annotated[bool, typer.Option("--counts", help="Print counts and the annotators' agreement.")] = False,
) -> None:
    """Check labelled documents: format, labels, and clauses that repeat across documents."""
    from classifier.labelled import near_duplicates, read_policies

    documents = read_policies(data)
    pairs = list(near_duplicates(documents))
    for one, other, share in pairs:
        typer.echo(f"near-duplicate ({share:.0%} of runs shared): {one} and {other}")
    clauses = [c for d in documents for c in d.clauses]
    labelled = sum(bool(c.labels) for c in clauses)
    hard = sum(c.hard for c in clauses)
    typer.echo(
        f"{len(documents)} documents, {len(clauses)} clauses, {labelled} with labels, {len(clauses) - labelled} without "
        f"({hard} hard negatives), {len(pairs)} near-duplicates"
    )
    if counts:
        show_counts(documents, data.parent)
    if pairs:
        raise typer.Exit(1)


@app.command()
def train(
    data: Annotated[Path, typer.Option("--data", help="Folder of .policy files.")] = DATA,
    models: Annotated[Path, typer.Option("--models", help="Folder that holds model versions.")] = MODELS,
    version: Annotated[str, typer.Option("--version", help="Name of the new version.")] = "1",
) -> None:
    """Rebuild the model from the training data and make it the one in use."""
    from classifier.labelled import training_documents
    from classifier.training import train as train_model

    model = train_model(training_documents(data), models, version)
    typer.echo(f"{models / version}: {model.card['clauses']} clauses of {model.card['documents']} documents")


@app.command()
def evaluate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled files; none: the project's own, held out.")
    ] = None,
    model: ModelOption = None,
    data: Annotated[Path, typer.Option("--data", help="Folder of .policy files.")] = DATA,
    scored: Annotated[
        Path | None,
        typer.Option("--scored", help="A clauses.jsonl of these documents: measure it, PDF reading and all."),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers/--no-peers", help="Run keyword rules and plain TF-IDF beside.")
    ] = True,
    record: Annotated[bool, typer.Option("--record", help="Keep the figures in the model's folder.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Fail if a figure fell by more than two points since it was kept.")
    ] = False,
) -> None:
    """Measure: labelled files with the model in use, or the project's own documents and families held out."""
    from classifier.evaluation import Figures, boundary_scores, evaluate_held_out, evaluate_peer_held_out, measure_file
    from classifier.evaluation import evaluate as measure
    from classifier.labelled import read_evaluation, training_documents
    from classifier.peers import keyword_rules, plain_regression
    from classifier.predictions import latest_model

    documents = training_documents(data)
    kept = Figures(model or latest_model())
    if not files:
        boundaries = boundary_scores(documents)
        typer.echo(
            f"clause boundaries: precision {boundaries.precision:.3f}, recall {boundaries.recall:.3f}, F1 {boundaries.f1:.3f}"
        )
    for name in files or [Path("document"), Path("family")]:
        if files:
            gold = read_evaluation(name)
            title, scores = f"{name.name}: {len(gold)} documents", measure_file(gold, kept.folder, scored)
        else:
            title, scores = f"held out by {name}: {len(documents)} documents", evaluate_held_out(documents, str(name))
        show_scores(title, scores)
        if peers:
            rules = measure(gold if files else documents, keyword_rules())
            plain = (
                measure(gold, plain_regression(documents))
                if files
                else evaluate_peer_held_out(documents, str(name), plain_regression)
            )
            show_figures("  keyword rules", rules)
            show_figures("  TF-IDF, clause alone", plain)
        key = name.name if files else f"held out by {name}"
        for line in kept.changes(key, scores.figures()):
            typer.echo(f"  {line}")
        if record:
            kept.record(key, scores.figures())
            kept.write_card()
        if compare:
            kept.check(key, scores.figures())


def progress(items: Iterable[T], total: int, quiet: bool) -> Iterable[T]:
    """A progress bar on a terminal, nothing in a pipe."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, unit="file", disable=quiet or not sys.stderr.isatty())
    return bar


def printable(text: str) -> str:
    """Text from a document without the control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def show_departments(rows: list[DepartmentFindings]) -> None:
    """Departments × core practices, one line each, as words."""
    from classifier.codebook import load_codebook

    core = load_codebook().core_ids
    names = [load_codebook().practice(p).name for p in core]
    width = min(40, max([len(r.department.name) for r in rows] + [10]))
    typer.echo("  ".join([f"{'Department':{width}}", *(f"{n:22}" for n in names)]).rstrip())
    for row in rows:
        words = [f"{row.word(p):22}" for p in core]
        gap = "Lunn gap" if row.lunn_gap else ""
        typer.echo(printable("  ".join([f"{row.department.name[:width]:{width}}", *words, gap])).rstrip())


def show_counts(documents: list[LabelledDocument], folder: Path) -> None:
    """Labels by stance, conditions, documents by family, and how far two annotators agree."""
    import pandas as pd

    from classifier.agreement import doubled_clauses, label_f1, practice_kappas, read_first_labels, stance_kappa

    clauses = [c for d in documents for c in d.clauses]
    labels = pd.Series([(p, s or "-") for c in clauses for p, s in c.labels.items()]).value_counts()
    labels.index = pd.MultiIndex.from_tuples(labels.index)
    typer.echo(labels.unstack(fill_value=0).to_string())
    typer.echo(pd.Series([c.type for x in clauses for c in x.conditions]).value_counts().to_string())
    families = pd.DataFrame([(d.family, len(d.clauses)) for d in documents], columns=["family", "clauses"])
    typer.echo(families.groupby("family").agg(documents=("clauses", "size"), clauses=("clauses", "sum")).to_string())
    doubled = list(
        doubled_clauses(documents, folder / "second_labels", read_first_labels(folder / "adjudications.csv"))
    )
    if doubled:
        share, kappa, seen = stance_kappa(doubled)
        typer.echo(f"labelled twice: {len({c.document for c in doubled})} documents, {len(doubled)} clauses")
        typer.echo(f"F1 {label_f1(doubled, False):.3f}, with stance {label_f1(doubled, True):.3f}")
        typer.echo(f"stance agreement {share:.3f}, kappa {kappa:.3f} over {seen} labels")
        typer.echo(pd.Series(practice_kappas(doubled), name="kappa").round(3).to_string())


def show_failures(entries: list[Entry]) -> None:
    """One line on standard error for each file that was not read, or not wholly."""
    for entry in entries:
        if not entry.document.fully_read:
            typer.echo(printable(f"{entry.document.status}: {entry.document.name}: {entry.document.reason}"), err=True)


def show_scores(title: str, scores: Scores) -> None:
    """A table of figures by practice, and the headline figures."""
    typer.echo(f"\n{title}")
    typer.echo(scores.table().to_string(index=False, float_format=lambda v: f"{v:.2f}"))
    show_figures("  this model", scores)


def show_figures(title: str, scores: Scores) -> None:
    """The headline figures in one line."""
    typer.echo(f"{title:24} " + "  ".join(f"{name} {value:.3f}" for name, value in scores.figures().items()))


def main() -> None:
    """Entry point of the command. Exit status: 0 all read, 1 some files partial or failed, 2 wrong use."""
    try:
        app()
    except ClassifierError as error:
        typer.echo(f"error: {printable(error.message)}", err=True)
        if error.next_step:
            typer.echo(f"  {printable(error.next_step)}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)
