"""Many files → a record of each in a folder, over all cores: equal content is read once, what is finished not again."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from joblib import Parallel, delayed

from classifier.codebook import project_data
from classifier.errors import UsageError
from classifier.finished import Finished, Unit, failed_document, read_record
from classifier.input_files import Content, InputFile, look
from classifier.language_data import language_data
from classifier.limits import DEFAULT, Options
from classifier.model_folders import model_folder
from classifier.scored import ScoredDocument, Summary, summary_of
from classifier.slots import Answer, Slot, Slots, cores
from classifier.worker import Job

T = TypeVar("T")
# What decides, beside our own code, what is read off a page and how it is labelled.
_LIBRARIES = (
    "beautifulsoup4 lxml numpy nupunkt pdfminer.six pdfplumber pikepdf pillow pypdfium2 python-docx scipy spacy tesserocr"
).split()


@dataclass(frozen=True, slots=True)
class Task:
    """A file of a run. key: of its record; empty where it is not to be read, for a `reason`.

    duplicate_of: the name of the first file with this content; empty for the first itself.
    """

    file: InputFile
    digest: str
    key: str
    reason: str = ""
    duplicate_of: str = ""


@cache
def program_digest() -> str:
    """Names this program as far as it decides what is found: our modules, the codebook, the libraries that read."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [*sorted(Path(__file__).parent.glob("*.py")), project_data("training_data/codebook.toml")]:
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    for library in _LIBRARIES:
        try:
            digest.update(f"\n{library} {version(library)}".encode())
        except PackageNotFoundError:
            digest.update(f"\n{library} is missing".encode())
    return digest.hexdigest()


def way_of_reading(model: Path | None, options: Options) -> str:
    """Names everything that decides a document's record, but the document. Raises ModelError."""
    how = f"{program_digest()}\n{model_folder(model).digest}\n{options}"
    if options.ocr != "never":
        how += f"\n{language_data()}"
    return hashlib.sha256(how.encode()).hexdigest()


def look_at_all(files: Sequence[InputFile], step: Callable[[], object] = lambda: None) -> list[Content]:
    """What is in each file, in step. step: called after each."""
    found = []
    readers = Parallel(n_jobs=cores(), backend="threading", return_as="generator", pre_dispatch="all")
    for content in readers(delayed(look)(file) for file in files):
        found.append(content)
        step()
    return found


def tasks_of(files: Sequence[InputFile], contents: Sequence[Content], way: str) -> list[Task]:
    """Files with what is in them, in step → tasks. way: see `way_of_reading`."""
    first: dict[str, str] = {}
    tasks = []
    for file, content in zip(files, contents, strict=True):
        if content.reason:
            tasks.append(Task(file, "", "", content.reason))
            continue
        # the suffix decides in which format bytes are read that don't say it themselves
        key = hashlib.sha256(f"{content.digest}\n{file.path.suffix.lower()}\n{way}".encode()).hexdigest()
        same = first.setdefault(key, file.name)
        tasks.append(Task(file, content.digest, key, duplicate_of="" if same == file.name else same))
    return tasks


class Readers(Protocol):
    """Whoever reads jobs: `Slots` on this machine, `cluster` on others."""

    def answers(self, jobs: Iterable[tuple[T, Job]]) -> Iterator[tuple[T, Answer]]:
        """Jobs, each with what it is for → that with its answer, in the order in which they get done."""


@dataclass(slots=True)
class Batch:
    """The tasks of a run and their records. passing: key → reason, of documents whose failure another try might mend."""

    tasks: Sequence[Task]
    finished: Finished
    options: Options = DEFAULT
    passing: dict[str, tuple[str, float]] = field(default_factory=dict)

    def unread(self) -> list[Task]:
        """A task for each content that has no record yet."""
        return [t for t in self.tasks if not t.duplicate_of and not self.knows(t)]

    def knows(self, task: Task) -> bool:
        """Is it known what becomes of a task?"""
        return bool(task.reason) or task.key in self.passing or self.finished.holds(task.key)

    def read(self, tasks: Sequence[Task], readers: Readers) -> Iterator[Summary]:
        """Read documents and keep their records; yields the summary of each, in the order in which they get done.

        Raises ModelError, WorkerError, and UsageError where a record can't be kept.
        """
        jobs = ((task, Job(task.file.path, task.digest, self.options)) for task in tasks)
        for task, answer in readers.answers(jobs):
            yield self._keep(task, answer)

    def in_order(self, readers: Readers) -> Iterator[Task]:
        """Read what is not finished; yields all tasks in order, each as soon as it and those before it are known."""
        reading = self.read(self.unread(), readers)
        for task in self.tasks:
            while not self.knows(task):
                next(reading)
            yield task

    def _keep(self, task: Task, answer: Answer) -> Summary:
        """Keep a record, or the reason of a failure that won't last."""
        summary = read_record(answer.record, task.file.name)
        if not answer.lasting:
            self.passing[task.key] = summary.reason, summary.seconds
            return summary
        try:
            self.finished.keep(task.key, answer.record)
        except OSError as error:
            raise UsageError(
                f"{self.finished.folder}: can't be written ({error.strerror or error})",
                "free some space and run the same command again: what is finished is kept",
            ) from error
        return summary

    def summary(self, task: Task) -> Summary:
        """What became of a task. Raises DamagedRecord where its record is gone or damaged."""
        reason, seconds = (task.reason, 0.0) if task.reason else self.passing.get(task.key, ("", 0.0))
        if reason:
            return summary_of(failed_document(reason, seconds, task.file.name))
        return self.finished.summary(task.key, task.file.name)

    def units(self, task: Task) -> Iterator[Unit]:
        """The clauses of a task's document, in order, one at a time. Raises DamagedRecord."""
        if not task.reason and task.key not in self.passing:
            yield from self.finished.units(task.key, task.file.name)

    def document(self, task: Task) -> ScoredDocument:
        """A task's document with everything that was found in it. Raises DamagedRecord."""
        if task.reason or task.key in self.passing:
            summary = self.summary(task)
            return failed_document(summary.reason, summary.seconds, summary.name)
        return self.finished.document(task.key, task.file.name)


def score_files(
    files: Sequence[InputFile], model: Path | None = None, jobs: int = 0, options: Options = DEFAULT
) -> Iterator[ScoredDocument]:
    """Scored documents in the order of `files`, each as soon as it and those before it are read.

    jobs: worker processes, 0 for one a core. Nothing is left on disk.
    """
    if not files:
        return
    with TemporaryDirectory() as folder, Slots(lambda: Slot(model), jobs) as slots:
        tasks = tasks_of(files, look_at_all(files), way_of_reading(model, options))
        batch = Batch(tasks, Finished(Path(folder)), options)
        for task in batch.in_order(slots):
            yield batch.document(task)
