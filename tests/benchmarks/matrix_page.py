"""How fast the page "Who does what" is in a real browser, with 400 departments × 17 practices in the store.

    python tests/benchmarks/matrix_page.py [--store FOLDER] [--rounds 20]

Prints, beside the target: seconds to read the store anew, and the 95th percentile of milliseconds from opening the page to
the matrix at rest, from a filter to the filtered matrix, and from a click on a cell to its evidence.
--store keeps the store for the next run. Needs Debian's chromium and playwright.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parent.parent))
from review_stores import Unit, scored
from test_browser import CHROMIUM, IDLE, AppServer, settle, sync_api

from classifier.codebook import load_codebook, project_data
from classifier.conditions import Condition
from classifier.departments import Department
from classifier.evidence import Evidence
from classifier.labelled import read_policies
from classifier.matrix import Filter, matrix
from classifier.store import open_store, register
from classifier.store_documents import add_document, list_departments

DEPARTMENTS, CLAUSES = 400, 60
NOBODY = "(document.querySelector('.stMain')?.textContent.includes('Pick your name') ?? false)"
COUNTIES = "Berkshire;Franklin;Worcester;Suffolk;Norfolk;Bristol;Essex;Plymouth".split(";")
KINDS = "municipal police;sheriff;campus police;court".split(";")


def make_store(folder: Path) -> Path:
    """A store with 400 departments, about 60 clauses each, unless the folder holds it already."""
    path = folder / "store.sqlite"
    store = open_store(path)
    register(store, "ann")
    draw = random.Random(0)
    book = load_codebook()
    texts = sorted({c.text for d in read_policies(project_data("training_data") / "documents") for c in d.clauses})
    for n in range(len(list_departments(store)), DEPARTMENTS):
        units = []
        for place in range(CLAUSES):
            labels: tuple[tuple[str, str | None], ...] = ()
            conditions: tuple[Condition, ...] = ()
            if place % 3 == 0:
                practice = draw.choice(book.practices)
                stance = None if practice.stanceless else draw.choice(list(book.stances))
                labels = ((practice.id, stance),)
                if draw.random() < 0.4:
                    conditions = (Condition(draw.choice(list(book.conditions)), "unless"),)
            units.append(Unit(draw.choice(texts), labels, draw.random(), conditions=conditions))
        file = folder / "policy.txt"
        file.write_text(str(n), encoding="utf-8")
        department = Department(f"Department {n:03}", draw.choice(KINDS), draw.choice(COUNTIES), "MA")
        add_document(store, scored(f"policy-{n:03}.txt", units), department, "1", file)
    store.close()
    return path


def report(what: str, took: Sequence[float], target: int | None = None) -> None:
    """One line of figures, in milliseconds."""
    p95 = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    verdict = "" if target is None else f"  (≤ {target}) {'reached' if p95 <= target else 'MISSED'}"
    print(f"{what:50} n={len(took):3}  p50 {statistics.median(took):5.0f} ms  p95 {p95:5.0f} ms{verdict}", flush=True)


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that something takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def measure_library(path: Path, rounds: int) -> None:
    """The same without a browser."""
    store = open_store(path)
    began = time.perf_counter()
    evidence = Evidence.from_store(store)
    print(
        f"{len(evidence.clauses)} clauses, {len(evidence.findings)} cells read in {time.perf_counter() - began:.1f} s"
    )
    report("matrix of the library, all", [timed(lambda: matrix(evidence)) for _ in range(rounds)])
    gap = Filter(lunn_gap=True, only_differences=True)
    report("matrix of the library, filtered", [timed(lambda: matrix(evidence, gap)) for _ in range(rounds)])
    store.close()


def timed_until(page: sync_api.Page, act: Callable[[], object], done: str) -> float:
    """Milliseconds from a step to a state of the page in which nothing moves any more. done: JavaScript."""
    began = time.perf_counter()
    act()
    page.wait_for_function(f"() => ({done}) && ({IDLE})()", polling=10)
    return (time.perf_counter() - began) * 1000


def measure_page(path: Path, rounds: int) -> None:
    """In a browser: from the address, from the list of pages, a filter, a cell."""
    server = AppServer(path)
    caption = (
        "[...document.querySelectorAll('.stMain [data-testid=stCaptionContainer]')].map(e => e.textContent).join()"
    )
    drawn = f"{caption}.includes(' of {DEPARTMENTS} departments') && document.querySelector('.stDataFrame canvas')"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        page.goto(server.page("", name="ann"))
        settle(page)
        report("first view of all, the store unread", [open_matrix(page, drawn)], 1000)
        again = []
        for _ in range(rounds):
            page.get_by_role("link", name="Score", exact=True).click()
            page.get_by_role("heading", name="Score policies").wait_for()
            settle(page)
            page.wait_for_timeout(500)
            again.append(open_matrix(page, f"{drawn} || {NOBODY}"))
            if page.evaluate(NOBODY):  # a page turned in haste can lose who sits here
                again.pop()
                page.goto(server.page("matrix", name="ann"))
                page.wait_for_function(f"() => {drawn}")
                settle(page)
        report("first view, the store read", again, 1000)
        took: dict[str, list[float]] = {"Lunn gap": [], "Only differences": []}
        page.get_by_role("combobox", name="Practices").click()
        page.get_by_role("option", name="all practices").click()
        settle(page)
        for _ in range(rounds):
            for name in took:
                before = page.evaluate(caption)
                changed = "true" if name == "Only differences" else f"{caption} !== {json.dumps(before)}"
                switch = page.locator(".stCheckbox", has_text=name).locator("label")
                took[name].append(timed_until(page, partial(press, page, switch), changed))
                page.wait_for_timeout(150)
        report("filtered: Lunn gap", took["Lunn gap"], 300)
        report("filtered: only differences", took["Only differences"], 300)
        if "?" in page.url:
            page.keyboard.press("Escape")
        canvas = page.locator('.stDataFrame canvas[data-testid="data-grid-canvas"]').first
        opened = []
        for n in range(rounds):
            at = {"x": 300 + 120 * (n % 2), "y": 55 + 35 * (n % 12)}
            url = page.url
            click = partial(canvas.click, position=at, force=True)
            opened.append(timed_until(page, click, f"location.href !== {json.dumps(url)}"))
            page.wait_for_timeout(150)
        report("a cell clicked, its evidence drawn", opened)
        browser.close()
    server.stop()


def open_matrix(page: sync_api.Page, drawn: str) -> float:
    """Turn to the page by the list of pages; milliseconds until it is drawn."""
    return timed_until(page, page.get_by_role("link", name="Who does what").click, drawn)


def press(page: sync_api.Page, switch: sync_api.Locator) -> None:
    """Press a switch, and wait until the server works on it."""
    switch.click()
    page.wait_for_timeout(30)


def main(
    store: Annotated[Path | None, typer.Option("--store", help="Folder of the store, kept for the next run.")] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=5, help="How often each is measured.")] = 20,
) -> None:
    """Measure the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = store or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = make_store(folder)
        measure_library(path, rounds)
        measure_page(path, rounds)


if __name__ == "__main__":
    typer.run(main)
