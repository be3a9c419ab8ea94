"""How fast `clauses score` is, beside the plain script that a capable user would write, in one run.

    python tests/benchmarks/reading.py --evaluation FOLDER    real policies (its pdfs/), and a manual of 700 pages
    python tests/benchmarks/reading.py --folders              folders of 100, 1,000 and 5,000 documents: cost, memory, second run

All are whole processes, imports and all. The plain script opens each PDF with pdfplumber, takes `extract_text` page by page,
and lets spaCy's sentencizer cut it, in one process; it labels nothing and writes nothing. OCR is off on both sides.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import pypdfium2 as pdfium
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))
from pdf_files import IMMIGRATION, body, manual, page_of, write_pdf

MATTER = [*range(401, 409), 520, 633]
PLAIN = """
import sys, pdfplumber, spacy
nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
for path in sys.argv[1:]:
    with pdfplumber.open(path) as pdf:
        for page in pdf.pages:
            list(nlp(page.extract_text() or "").sents)
            page.close()
"""
BARE = """
import sys, pypdfium2
with pypdfium2.PdfDocument(sys.argv[1]) as pdf:
    for page in pdf:
        words = page.get_textpage()
        words.get_text_range()
        words.close()
        page.close()
"""


class Run(NamedTuple):
    """seconds: of the whole process. megabytes: peak of the largest process that ran so far."""

    seconds: float
    megabytes: int


def run(*command: str | Path) -> Run:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 1):
        sys.exit(f"{command[:3]} failed: {done.stderr[-2000:]}")
    return Run(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)


def score(what: Path, out: Path, *options: str) -> Run:
    return run(sys.executable, "-m", "classifier", "score", what, "--out", out, "--quiet", "--ocr", "never", *options)


def reading_time(out: Path) -> float:
    """Seconds that the one document of a run took, its process's own."""
    with (out / "documents.csv").open(encoding="utf-8", newline="") as source:
        return sum(float(row["seconds"]) for row in csv.DictReader(source))


def target(name: str, value: float, least: float | None = None, most: float | None = None) -> None:
    """One figure beside its target, and whether it is reached."""
    reached = value >= least if least is not None else most is None or value <= most
    bound = f"≥ {least:g}" if least is not None else f"≤ {most:g}"
    print(f"  {name:58} {value:8.2f}  ({bound}) {'reached' if reached else 'MISSED'}", flush=True)


def pages_of(paths: list[Path]) -> int:
    return sum(len(pdfium.PdfDocument(path)) for path in paths)


def long_manual(work: Path) -> None:
    """700 pages, 10 of which matter."""
    path = manual(work / "manual.pdf", 700, MATTER, lines=46)
    (work / "one").mkdir()
    one = write_pdf(work / "one" / "page.pdf", [page_of([*IMMIGRATION, *body(30)])])
    runs = [score(one, work / f"one-{i}") for i in range(3)]
    target("`clauses score` of one page, seconds", min(r.seconds for r in runs), most=2)
    helps = [run(sys.executable, "-m", "classifier", "--help") for _ in range(5)]
    target("`clauses --help`, seconds", min(r.seconds for r in helps), most=0.3)
    ours = min((score(path, work / f"manual-{i}") for i in range(3)), key=lambda r: r.seconds)
    bare = min(run(sys.executable, "-c", BARE, path).seconds for _ in range(3))
    print(f"manual of 700 pages, 10 matter: {ours.seconds:.1f} s, {700 / ours.seconds:.0f} pages a second")
    target("largest process on that manual, MB", ours.megabytes, most=300)
    score(path, work / "thorough", "--thorough")
    careful = 700 / reading_time(work / "thorough")
    skimmed = 680 / (reading_time(work / "manual-0") - 20 / careful)  # 20 pages are read with care
    print(f"  one core: {careful:.0f} pages a second read with care and labelled, {skimmed:.0f} looked through")
    plain = run(sys.executable, "-c", PLAIN, path).seconds
    print(f"  plain script {plain:.1f} s, pdfium's bare text {bare:.1f} s")
    target("times as fast as the plain script", plain / ours.seconds, least=15)
    target("times the time of pdfium's bare text", ours.seconds / bare, most=4)


def real_policies(evaluation: Path, work: Path) -> None:
    """Every PDF file of the evaluation, scans among them."""
    paths = sorted((evaluation / "pdfs").glob("*.pdf"))
    pages = pages_of(paths)
    ours = score(evaluation / "pdfs", work / "real").seconds
    plain = run(sys.executable, "-c", PLAIN, *paths).seconds
    print(
        f"{len(paths)} real files, {pages} pages: {pages / ours:.0f} pages a second, plain script {pages / plain:.0f}"
    )
    target("times as fast as the plain script", plain / ours, least=3)


def folders(work: Path) -> None:
    """The same documents in folders of growing size, each with a page of its own."""
    rates, peaks = {}, {}
    for count in (100, 1_000, 5_000):
        folder = work / f"folder-{count}"
        folder.mkdir()
        for i in range(count):
            write_pdf(folder / f"policy-{i:05}.pdf", [page_of([*IMMIGRATION, f"General Order {i}", *body(30, i)])])
        done = score(folder, work / f"out-{count}")
        rates[count], peaks[count] = count / done.seconds, done.megabytes
        print(
            f"{count:6} documents of a page: {done.seconds:7.1f} s, {rates[count]:.1f} a second, {done.megabytes} MB",
            flush=True,
        )
        if count == 1_000:
            target("a second run over 1,000 documents, seconds", score(folder, work / f"out-{count}").seconds, most=3)
    target(
        "slowest rate of 1,000 and 5,000 to the other",
        min(rates[1000], rates[5000]) / max(rates[1000], rates[5000]),
        least=0.9,
    )
    target("slowest rate of all three to the fastest", min(rates.values()) / max(rates.values()), least=0.9)
    target("growth of the largest process, 1,000 to 100, MB", peaks[1000] - peaks[100], most=5)


def main(
    evaluation: Annotated[Path | None, typer.Option("--evaluation", help="Folder with pdfs/.")] = None,
    large: Annotated[bool, typer.Option("--folders", help="The folders alone; takes a quarter of an hour.")] = False,
) -> None:
    """Print every figure beside its target."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        if large:
            folders(work)
            return
        long_manual(work)
        if evaluation:
            real_policies(evaluation, work)


if __name__ == "__main__":
    typer.run(main)
