"""The `clauses` command: thin commands over plain functions; the one place where errors become words and exit statuses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.errors import ClassifierError, UsageError
from classifier.limits import Limits, OcrMode, Options
from classifier.printed import (
    ProgressBar,
    show_counts,
    show_departments,
    show_figures,
    show_outcome,
    show_proof,
    show_scores,
)
from classifier.terminal import say

if TYPE_CHECKING:
    from classifier.cluster import Cluster
    from classifier.evaluation import Figures
    from classifier.labelled import LabelledDocument
    from classifier.proof import Proof
    from classifier.slots import Slots

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reads policies on dealing with ICE, clause by clause, and shows the evidence.",
)
ModelOption = Annotated[Path | None, typer.Option("--model", help="A model folder; by default the one in use.")]
Where = Annotated[str, typer.Argument(metavar="RESULTS_OR_STORE", help="Folder of results, store file or URL.")]
StoreFiles = Annotated[Path | None, typer.Option("--files", help="Folder for copies of documents, beside a database.")]
DATA = Path("training_data/documents")
MODELS = Path("models")


@app.command()
def score(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: PDF, Word, HTML, text.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables.")],
    model: ModelOption = None,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Worker processes; 0 for one a core.")] = 0,
    ocr: Annotated[
        OcrMode, typer.Option("--ocr", help="Pages to read by OCR: those without text, all, none.")
    ] = "auto",
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Read every page of a long file with care, not only those that matter.")
    ] = False,
    memory: Annotated[int, typer.Option("--memory", min=100, help="Megabytes that a document may take.")] = 1500,
    seconds: Annotated[
        int, typer.Option("--seconds", min=0, help="Time for a document; 0: 120, and 10 a page, an hour at most.")
    ] = 0,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Read on the workers of a dask scheduler: tcp://host:8786."),
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="With --cluster: its machines have the files at the same paths.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no closing table.")] = False,
) -> None:
    """Score policies: clauses.jsonl, documents.csv, findings.csv and findings.xlsx into a folder.

    Stopped at any moment, the same command goes on where it was.
    """
    if cluster is None and shared:
        raise UsageError("--shared without a cluster", "name its scheduler with --cluster")
    if cluster is not None and jobs:
        raise UsageError("--jobs is for this machine alone", "leave it out: a cluster takes as much as its workers can")
    bar = ProgressBar(quiet)
    with start_slots(out, model, jobs) if cluster is None else start_cluster(cluster, model, shared, bar) as readers:
        from classifier.runs import score_into

        options = Options(ocr, thorough, Limits(memory, seconds))
        try:
            outcome = score_into(out, paths, model, options, bar, readers)
        except KeyboardInterrupt:
            say("interrupted; the same command goes on where this one stopped", err=True)
            raise typer.Exit(130) from None
        finally:
            bar.close()
    if not quiet:
        show_departments(outcome.departments)
    show_outcome(outcome, out)
    if outcome.problems:
        raise typer.Exit(1)


def start_slots(out: Path, model: Path | None, jobs: int) -> Slots:
    """Worker processes of this machine; the first loads while this process does."""
    from classifier.finished import FOLDER
    from classifier.slots import Slot, Slots

    return Slots(lambda: Slot(model, out / FOLDER), jobs)


def start_cluster(address: str, model: Path | None, shared: bool, bar: ProgressBar) -> Cluster:
    """A connection to a dask scheduler, whose news stand above the bar."""
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise UsageError("dask.distributed is not installed", "pip install 'collaboration-clauses[cluster]'")
    from classifier.cluster import Cluster

    return Cluster(address, model, shared, [bar.note])


@app.command()
def split(file: Annotated[Path, typer.Argument(help="One document.")]) -> None:
    """Show the clauses of one document: page, depth, heading, lead-in and text."""
    from classifier.clauses import split_document
    from classifier.pages import read_document

    for unit in split_document(read_document(file), file.name):
        lead = f"[{unit.context}] " if unit.context else ""
        mark = {"heading": "#", "clause": "-"}.get(unit.kind, "~")
        say(f"{unit.page:>4} {'  ' * unit.depth}{mark} {lead}{unit.text}")


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
        say(f"near-duplicate ({share:.0%} of runs shared): {one} and {other}")
    clauses = [c for d in documents for c in d.clauses]
    labelled = sum(bool(c.labels) for c in clauses)
    hard = sum(c.hard for c in clauses)
    say(
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
    version: Annotated[
        str, typer.Option("--version", help="Name of the version; by default 1, or the next number beside it.")
    ] = "",
    corrections: Annotated[
        str | None,
        typer.Option("--corrections", help="A review store, file or URL: learn what people decided there too."),
    ] = None,
    promote: Annotated[
        bool | None, typer.Option("--promote/--offer", help="Bring it into use, or offer it, as --corrections does.")
    ] = None,
) -> None:
    """Rebuild the model from the training data and make it the one in use.

    With --corrections or --offer: make a new version beside it, and measure both on the held-out documents.
    """
    from classifier.labelled import training_documents
    from classifier.training import train as train_model

    documents = training_documents(data)
    if corrections is None and promote is not False:
        model = train_model(documents, models, version or "1")
        folder = models / model.version
        say(f"{folder}: {model.card['clauses']} clauses of {model.card['documents']} documents")
        return
    made = train_beside(documents, data, models, version, corrections)
    if promote:
        bring_into_use(models, made, user_name(), force=False)
    else:
        say(f"offered; `clauses models --promote {made}` brings it into use")


@app.command("models")
def list_models(
    models: Annotated[Path, typer.Option("--models", help="Folder that holds model versions.")] = MODELS,
    promote: Annotated[
        str | None,
        typer.Option("--promote", metavar="VERSION", help="Bring this version into use, a new or an old one."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --promote: even if core F1 falls.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who does it, for the record; by default the system's user.")] = "",
) -> None:
    """List the model versions with core F1 on the held-out documents, or bring one into use."""
    from classifier.versions import versions

    if force and promote is None:
        raise UsageError("--force without a version", "name one with --promote")
    if promote is not None:
        bring_into_use(models, promote, by or user_name(), force)
        return
    found = versions(models)
    say(f"  {'version':12} {'core F1':>8} {'documents':>10} {'clauses':>8}  corrections")
    for v in found:
        core = "" if v.core_f1 is None else f"{v.core_f1:.3f}"
        taught = f"{v.learned.clauses} clauses of {v.learned.documents} documents" if v.learned else ""
        line = f"{core:>8} {v.documents:>10} {v.clauses:>8}  {taught}"
        say(f"{'*' if v.in_use else ' '} {v.name:12} {v.problem or line}".rstrip())
    say("* in use" if any(v.in_use for v in found) else "none is in use")


@app.command()
def designs(
    data: Annotated[Path, typer.Option("--data", help="Folder of .policy files.")] = DATA,
    out: Annotated[Path, typer.Option("--out", help="CSV file for the table.")] = MODELS / "designs.csv",
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Try sentence embeddings too (needs the extra `embeddings`).")
    ] = False,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Groups of documents or families held out in turn.")] = 5,
) -> None:
    """Compare model designs on documents and on families held out, in one table."""
    from classifier.designs import DESIGNS, EMBEDDED, compare, design_table
    from classifier.labelled import training_documents

    documents = training_documents(data)
    rows = []
    for by in ("document", "family"):
        for row in compare(documents, DESIGNS + (EMBEDDED if embeddings else ()), by, folds):
            rows.append(row)
            say(*design_table([row]).to_string(index=False, header=len(rows) == 1).split("\n"))
    design_table(rows).to_csv(out, index=False)
    say(f"table in {out}")


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
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the proof: tables, pictures and card (needs the extra `pictures`)."),
    ] = None,
    curve: Annotated[
        bool,
        typer.Option("--learning-curve", help="With --out: fit on growing shares of the documents. Takes minutes."),
    ] = False,
) -> None:
    """Measure: labelled files with the model in use, or the project's own documents and families held out.

    With --out and no files, documents alone are held out, not families.
    """
    from classifier.evaluation import Figures, boundary_scores, evaluate_held_out, evaluate_peer_held_out, measure_file
    from classifier.evaluation import evaluate as measure
    from classifier.labelled import read_evaluation, training_documents
    from classifier.peers import keyword_rules, plain_regression
    from classifier.predictions import latest_model

    if curve and out is None:
        raise UsageError("--learning-curve without a folder for it", "name one with --out")
    documents = training_documents(data)
    kept = Figures(model or latest_model())
    proofs = prove(out, files or [], documents, kept, scored, curve) if out else {}
    if not files:
        boundaries = boundary_scores(documents)
        say(
            f"clause boundaries: precision {boundaries.precision:.3f}, recall {boundaries.recall:.3f}, F1 {boundaries.f1:.3f}"
        )
    for name in files or [Path("document"), *([] if out else [Path("family")])]:
        gold = read_evaluation(name) if files else documents
        title = f"{name.name}: {len(gold)} documents" if files else f"held out by {name}: {len(gold)} documents"
        proof = proofs.get(name)
        if proof:
            scores = proof.scores
        elif files:
            scores = measure_file(gold, kept.folder, scored)
        else:
            scores = evaluate_held_out(documents, str(name))
        show_scores(title, scores)
        if proof:
            show_proof(proof)
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
            say(f"  {line}")
        if record:
            kept.record(key, scores.figures())
            kept.write_card()
        if compare:
            kept.check(key, scores.figures())


def prove(
    out: Path, files: list[Path], documents: list[LabelledDocument], kept: Figures, scored: Path | None, curve: bool
) -> dict[Path, Proof]:
    """Measure each labelled file, or the documents held out (under "document"), and write the folder of the proof."""
    from classifier.evaluation import model_card
    from classifier.exports import make_folder
    from classifier.labelled import read_evaluation
    from classifier.predictions import load_model
    from classifier.proof import learning_curve, prove_file, prove_held_out
    from classifier.proof_folder import check_names, write_proof

    check_names(files)
    make_folder(out)  # before the work, not after it
    sets = [(f, read_evaluation(f)) for f in files]
    proofs = {f: prove_file(f.stem, gold, kept.folder, scored) for f, gold in sets}
    if not files:
        proofs[Path("document")] = prove_held_out("held_out", documents)
    learning = learning_curve(documents, [(f.stem, gold) for f, gold in sets]) if curve else None
    card = model_card(load_model(kept.folder), kept.kept())
    write_proof(out, list(proofs.values()), card, learning, scored is not None)
    say(f"proof in {out}/")
    return proofs


@app.command("app")
def run_app(
    store: Annotated[str, typer.Option("--store", help="The review store: a file, or a PostgreSQL URL.")] = (
        "clauses-store/store.sqlite"
    ),
    files: StoreFiles = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")] = 8501,
    largest: Annotated[int, typer.Option("--largest", min=1, help="Largest file that may be uploaded, in MB.")] = 200,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
) -> None:
    """Start the app on this computer: score policies, review labels, compare annotators."""
    import os
    from importlib.util import find_spec

    from classifier.codebook import project_data

    if find_spec("streamlit") is None or find_spec("sqlalchemy") is None:
        raise UsageError("the app is not installed", "pip install 'collaboration-clauses[app]'")
    os.environ["CLAUSES_STORE"] = store
    if files:
        os.environ["CLAUSES_FILES"] = str(files)
    settings = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": str(not browser).lower(),
        "server.maxUploadSize": largest,
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
        "client.disableDataExport": "true",  # what Streamlit copies and saves of a table may be a formula
        "theme.light.primaryColor": "#0072b2",
        "theme.dark.primaryColor": "#56b4e9",
        "server.fileWatcherType": "none",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(project_data("app.py"))]
    os.execv(sys.executable, [*command, *(f"--{name}={value}" for name, value in settings.items())])


@app.command("compare")
def compare_policies(
    where: Where,
    departments: Annotated[
        list[str] | None, typer.Option("--departments", help="A department; give two to four of them.")
    ] = None,
    versions: Annotated[
        tuple[str, str] | None, typer.Option("--versions", metavar="OLD NEW", help="Two documents, by name or id.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the table, instead of text.")] = None,
    files: StoreFiles = None,
) -> None:
    """Compare departments practice by practice, or two versions of a policy: answers, and the words behind them."""
    from classifier import side_by_side, versions_compared
    from classifier.evidence import read_evidence, write_table

    if bool(departments) == (versions is not None):
        raise UsageError("nothing to compare, or too much", "give either --departments or --versions")
    evidence = read_evidence(where, files)
    if versions:
        compared = versions_compared.compare_versions(evidence, *versions)
        table, lines = versions_compared.table(compared), versions_compared.as_text(compared)
    else:
        rows = side_by_side.side_by_side(evidence, departments or [])
        table, lines = side_by_side.table(rows), side_by_side.as_text(rows)
    if out:
        write_table(out, table)
        say(f"table in {out}")
    else:
        for line in lines:
            say(line)


@app.command("report")
def report_policies(
    where: Where,
    out: Annotated[Path | None, typer.Option("--out", help="The report: a file .html or .docx.")] = None,
    tables: Annotated[Path | None, typer.Option("--tables", help="Folder for tables to do research with.")] = None,
    policies: Annotated[Path | None, typer.Option("--policies", help="What was scored: its departments.csv.")] = None,
    files: StoreFiles = None,
) -> None:
    """Write everything known of departments: a report that opens offline, or tables with a dictionary, or both."""
    from classifier.evidence import read_evidence
    from classifier.report_files import check_targets, write_report

    check_targets(out, tables)  # before the work, not after it
    for line in write_report(read_evidence(where, files, policies), out, tables):
        say(line)


def train_beside(
    documents: list[LabelledDocument], data: Path, models: Path, version: str, corrections: str | None
) -> str:
    """Make a version beside the one in use, show before and after; returns its name."""
    from tqdm import tqdm

    try:
        from classifier.retraining import held_out_documents, read_corrections, retrain
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed", "the review store needs it: pip install 'collaboration-clauses[app]'"
        ) from error
    corrected = read_corrections(corrections) if corrections is not None else []
    with tqdm(total=100, bar_format="{desc} {bar} {n:.0f} %", disable=not sys.stderr.isatty()) as bar:

        def report(stage: str, share: float) -> None:
            bar.set_description(stage)
            bar.update(100 * share - bar.n)

        made = retrain(documents, corrected, held_out_documents(data), models, version, report)
    say(*made.table().to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="").split("\n"))
    of = made.learned
    say(
        f"{models / made.version}: {of.clauses} corrected clauses of {of.documents} documents by {of.annotators} people; "
        f"left out: {of.held_out} of held-out documents, {of.known} in the training data, {of.repeated} repeats"
    )
    return made.version


def bring_into_use(models: Path, version: str, by: str, force: bool) -> None:
    """Promote a version, or roll back to it, and say so."""
    from classifier.versions import promote

    done = promote(models, version, by, force)
    before, after = ("not measured" if f is None else f"{f:.3f}" for f in (done.core_f1_before, done.core_f1_after))
    was = f" (was: {done.from_version}, core F1 {before})" if done.from_version else ""
    forced = ", forced" if done.forced else ""
    say(f"{done.action}: version {version} is in use, core F1 {after}{was}{forced}")


def user_name() -> str:
    """The system's name for who runs the command."""
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError):  # a container without a user list
        return "unknown"


def main() -> None:
    """Entry point of the command. Exit status: 0 all read, 1 some files partial or failed, 2 wrong use."""
    try:
        app()
    except ClassifierError as error:
        say(f"error: {error.message}", err=True)
        if error.next_step:
            say(f"  {error.next_step}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        say("interrupted", err=True)
        sys.exit(130)
