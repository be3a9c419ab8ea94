"""Corrections in the review store → a new version, measured beside the one in use and offered; `versions` brings it into use.

Only clauses that people decided teach, each as the model would see it in its whole document. What repeats a held-out
document does not teach: the samples that newcomers review are the documents that versions are measured on.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from classifier.clauses import Clause
from classifier.codebook import load_codebook
from classifier.double_annotation import FinalLabels, final_labels
from classifier.errors import LabelledDataError, ModelError, UsageError
from classifier.evaluation import Figures, Scores, evaluate, model_labeller
from classifier.features import surroundings
from classifier.interchange import reviewed_document
from classifier.labelled import LabelledDocument, fold, held_out_ids, read_policies, words
from classifier.predictions import Model, file_digest, load_model, save_model
from classifier.store import Store, open_store
from classifier.store_documents import read_clause_row
from classifier.store_tables import clauses
from classifier.training import Example, data_digest, fit_model
from classifier.versions import LearnedFrom, Measured, next_version, version_folder, version_in_use

Report = Callable[[str, float], None]
COMPARISON = "comparison.csv"
RUN = 5  # words; texts are compared by their runs of so many
# Shares of runs that stand in a held-out document. The samples' own files reach 0.98 and more, other documents 0.04 at
# most; of the training data's clauses none reaches 0.6.
COPIED_DOCUMENT = 0.2
COPIED_CLAUSE = 0.6


@dataclass(frozen=True, slots=True)
class CorrectedClause:
    """A clause with the labels that people gave it. annotators: their names in the store."""

    example: Example
    annotators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrectedDocument:
    """A document of the store of which people decided clauses. document: as interchange.reviewed_document gives it.

    clauses: the decided ones, in reading order. Their surroundings come from all units of the document, as when the
    model labels it; those of `document.clauses` would take the next decided clause for the next clause.
    """

    document: LabelledDocument
    clauses: tuple[CorrectedClause, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new version and the one in use (empty, None: there is none) on the documents that no model learns from."""

    version: str
    after: Scores
    before_version: str
    before: Scores | None
    learned: LearnedFrom

    @property
    def core_f1(self) -> tuple[float | None, float]:
        """Core F1 before and after, 0 to 1."""
        return self.before.figures()["core_f1"] if self.before else None, self.after.figures()["core_f1"]

    def table(self) -> pd.DataFrame:
        """The headline figures, practice "overall", then `f1` and `f1_with_stance` of each practice that occurs.

        Columns: practice, measure, support (labels in the documents; missing for headlines), before, after, change
        (0 to 1; before and change are missing where there is no version in use).
        """
        rows = list(_figures(self.after))
        frame = pd.DataFrame(rows, columns=["practice", "measure", "support", "after"])
        before = {(p, m): value for p, m, _, value in _figures(self.before)} if self.before else {}
        had = [before.get((p, m), float("nan")) for p, m, _, _ in rows]
        frame.insert(3, "before", pd.Series(had, dtype=float))
        frame["support"] = frame["support"].astype("Int64")
        return frame.assign(change=frame["after"] - frame["before"])


def _figures(scores: Scores) -> Iterable[tuple[str, str, int | None, float]]:
    """(practice, measure, support, value) of each figure."""
    for name, value in scores.figures().items():
        yield "overall", name, None, value
    for practice in load_codebook().practice_ids:
        if practice in scores.practice and scores.practice[practice].support:
            support = scores.practice[practice].support
            yield practice, "f1", support, scores.practice[practice].f1
            yield practice, "f1_with_stance", support, scores.joint[practice].f1


def read_corrections(where: str) -> list[CorrectedDocument]:
    """corrected_documents of the store at a path or URL. Raises StoreError, UsageError where there is no decision or store."""
    if "://" not in where and not Path(where).is_file():  # open_store would make one
        raise UsageError(f"{where}: no review store there", "name its file, or the URL of its database")
    with tempfile.TemporaryDirectory() as unused:  # no copy of a document is wanted here
        store = open_store(where, Path(unused))
        try:
            found = corrected_documents(store)
        finally:
            store.close()
    if not found:
        raise UsageError(f"{where}: nobody has decided a clause", "review some first")
    return found


def corrected_documents(store: Store) -> list[CorrectedDocument]:
    """Every document of the store with at least one clause that is reviewed or adjudicated, by name. Raises StoreError."""
    decided: dict[str, dict[str, FinalLabels]] = {}
    for final in final_labels(store):
        if final.state in ("reviewed", "adjudicated"):
            decided.setdefault(final.document, {})[final.clause] = final
    return [_corrected(store, document, finals) for document, finals in decided.items()]


def _corrected(store: Store, id_: str, finals: dict[str, FinalLabels]) -> CorrectedDocument:
    document = reviewed_document(store, id_)
    units = _units(store, id_)
    return CorrectedDocument(
        document,
        tuple(
            CorrectedClause(
                Example(seen, dict(finals[unit.id].labelling.labels), document.id, document.family),
                finals[unit.id].annotators,
            )
            for unit, seen in zip(units, surroundings(units), strict=True)
            if unit.id in finals
        ),
    )


def _units(store: Store, document: str) -> list[Clause]:
    """All that the document was cut into, headings too, in reading order: what `predict_clauses` had before it."""
    query = sa.select(clauses).where(clauses.c.document == document, clauses.c.active).order_by(clauses.c.place)
    with store.reading() as connection:
        return [read_clause_row(row) for row in connection.execute(query).mappings()]


def held_out_documents(data: Path) -> list[LabelledDocument]:
    """The documents that held_out.txt sets apart, to measure on. Raises LabelledDataError if there are none."""
    apart = held_out_ids(data)
    documents = [d for d in read_policies(data) if d.id in apart]
    if not documents:
        raise LabelledDataError(
            f"{data}: no document is held out", "list the ids of some in held_out.txt beside the folder"
        )
    return documents


def lessons(
    corrected: Sequence[CorrectedDocument], documents: Sequence[LabelledDocument], held_out: Sequence[LabelledDocument]
) -> tuple[list[Example], LearnedFrom]:
    """What the corrections teach beside the training documents, and counts of it and of what is left out."""
    apart = {run for d in held_out for run in _runs(d.text)}
    known = {d.id: {tuple(words(c.text)) for c in d.clauses} for d in documents}
    heard: set[tuple[object, ...]] = set()
    taught: list[CorrectedClause] = []
    left_out = {"held_out": 0, "known": 0, "repeated": 0}
    for of in corrected:
        copied = _share(of.document.text, apart) >= COPIED_DOCUMENT
        for clause in of.clauses:
            text, context = clause.example.clause.text, clause.example.clause.context
            said = (fold(context), fold(text), tuple(sorted(clause.example.labels.items())))
            # a `.policy` file of this document: written from the store, with or without the lead-in in the line
            in_file = known.get(of.document.id, set())
            if copied or _share(text, apart) >= COPIED_CLAUSE:
                left_out["held_out"] += 1
            elif {tuple(words(text)), tuple(words(f"{context} {text}"))} & in_file:
                left_out["known"] += 1
            elif said in heard:  # a template in forty departments would count forty times
                left_out["repeated"] += 1
            else:
                heard.add(said)
                taught.append(clause)
    examples = [clause.example for clause in taught]
    return examples, LearnedFrom(
        documents=len({e.document for e in examples}),
        clauses=len(examples),
        annotators=len({name for clause in taught for name in clause.annotators}),
        sha256=_digest(examples),
        **left_out,
    )


def _runs(text: str) -> list[tuple[str, ...]]:
    tokens = words(text)
    return [tuple(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1)]


def _share(text: str, apart: Collection[tuple[str, ...]]) -> float:
    """The share of a text's runs of words that stand in `apart`, 0 to 1; 0 for a text too short to have one."""
    runs = _runs(text)
    return sum(run in apart for run in runs) / max(1, len(runs))


def _digest(examples: Sequence[Example]) -> str:
    said = (f"{e.document}\t{e.clause.context}\t{e.clause.text}\t{sorted(e.labels.items())}\n" for e in examples)
    return hashlib.sha256("".join(said).encode()).hexdigest()[:16]


def untold(stage: str, share: float) -> None:
    """The report of one who does not ask for progress."""


def retrain(
    documents: Sequence[LabelledDocument],
    corrected: Sequence[CorrectedDocument],
    held_out: Sequence[LabelledDocument],
    models: Path,
    version: str = "",
    report: Report = untold,
) -> Comparison:
    """Fit on training documents and corrections, measure beside the version in use, write models/<version>/ and offer it.

    models/current stays as it is. version: by default the next whole number; never one that is there. report: is called
    with the stage (choosing, fitting, measuring, writing) and the share of the whole that is done, 0 to 1.
    Raises LabelledDataError for documents that are held out or too few, UsageError for a name that is taken and for
    corrections none of which can teach, ModelError where the folder can't be written.
    """
    if version and version_folder(models, version).exists():
        raise UsageError(f"version {version} is there already in {models}", "name another one, or none")
    if not held_out:
        raise LabelledDataError("no documents to measure on", "hold some out: held_out.txt")
    if both := {d.id for d in documents} & {d.id for d in held_out}:
        raise LabelledDataError(f"{', '.join(sorted(both))}: held out, and to learn from", "take it out of one of them")
    report("choosing", 0.0)
    extra, learned = lessons(corrected, documents, held_out)
    if corrected and not extra:
        raise UsageError(
            f"no correction to learn from: {learned.held_out} clauses repeat the held-out documents (the samples), "
            f"{learned.known} stand in the training data already",
            "review clauses of other documents",
        )
    report("fitting", 0.02)
    # counting features takes a fifth of the time, the last fit a quarter
    name = version or next_version(models)
    model = fit_model(documents, name, extra, lambda folds: report("fitting", 0.22 + 0.48 * folds))
    report("measuring", 0.95)
    after = evaluate(held_out, model_labeller(model))
    before_version, before, before_sha256 = _measure_in_use(models, held_out)
    comparison = Comparison(model.version, after, before_version, before, learned)
    measured = Measured(
        comparison.core_f1[1],
        len(held_out),
        data_digest(held_out),
        before_version,
        before_sha256,
        comparison.core_f1[0],
    )
    model.card |= {"learned_from": asdict(learned), "measured": asdict(measured)}
    report("writing", 0.98)
    named = _write(model, comparison, models, version)
    report("writing", 1.0)
    return Comparison(named, after, before_version, before, learned)


def _measure_in_use(models: Path, held_out: Sequence[LabelledDocument]) -> tuple[str, Scores | None, str]:
    """The version in use, its scores and the digest of its model.json; nothing where none can be loaded."""
    name = version_in_use(models)
    try:
        scores = evaluate(held_out, model_labeller(load_model(models / name))) if name else None
    except ModelError:  # damaged, or for another codebook: to train again is the way out of that
        scores = None
    return (name, scores, file_digest(models / name / "model.json")) if scores else ("", None, "")


def _write(model: Model, comparison: Comparison, models: Path, version: str) -> str:
    """Write the folder of a version, whole or not at all; returns its name. version: empty for the next number."""
    models.mkdir(parents=True, exist_ok=True)
    for name in (version,) if version else map(str, count(int(next_version(models)))):
        model.version = name
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=models))
        try:
            save_model(model, temporary)
            kept = Figures(temporary)
            kept.record("held-out documents", comparison.after.figures())
            kept.write_card()
            comparison.table().to_csv(temporary / COMPARISON, index=False)
            temporary.chmod(0o755)
            temporary.rename(models / name)
            return name
        except OSError as error:
            if version or not (models / name).exists():
                raise ModelError(
                    f"{models / name}: can't be written ({error.strerror or error})", "check the folder and the disk"
                ) from error
            # somebody took the number while this one was fitted
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    raise AssertionError("there is always a next number")
