"""How fast the review page is in a real browser, with 5,000 clauses of 20 documents in the store.

    python tests/benchmarks/review_page.py [--decisions 500] [--store FOLDER]

Prints, beside the target: the 50th and 95th percentile of milliseconds from the key press to the next clause's text on the
screen, and to the whole page at rest; page pictures cold and warm; the server's resident memory as decisions are made.
The store is laid out from the project's own training policies as PDF files, scored as the app scores them; --store keeps
it for the next run. Needs Debian's chromium and playwright.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parent.parent))
from test_browser import CHROMIUM, SHOWN, AppServer, open_review, settle, sync_api

from classifier.batch import score_files
from classifier.corrections import view_clause
from classifier.departments import Department
from classifier.input_files import list_files
from classifier.labelled import LabelledDocument, read_policies
from classifier.predictions import load_model
from classifier.queues import EVERYTHING, queue, queue_length
from classifier.samples import draw_sample
from classifier.store import Store, open_store, register
from classifier.store_documents import add_document
from classifier.ui.review import boxes_of, page_picture

DATA = Path(__file__).parent.parent.parent / "training_data" / "documents"
DOCUMENTS, CLAUSES = 20, 5_000
LAYOUTS = ("single", "order", "memo", "manual")
# When the text on the screen changes after a key, and when the browser has painted it.
WATCH = f"""() => {{
    const text = {SHOWN}
    addEventListener('keydown', () => {{
        const began = performance.now(), before = text()
        window.took = null
        const look = () => {{
            if (text() === before || text() === '') requestAnimationFrame(look)
            else requestAnimationFrame(() => {{ window.took = performance.now() - began }})
        }}
        look()
    }}, true)
}}"""

WATCH_PICTURE = """() => addEventListener('keydown', () => {
    const picture = () => document.querySelector('.st-key-page_box img')
    const began = performance.now(), before = picture()?.currentSrc
    window.took = null
    const look = () => {
        const now = picture()
        if (!now?.complete || !now.currentSrc || now.currentSrc === before) return requestAnimationFrame(look)
        requestAnimationFrame(() => { window.picture = now.currentSrc; window.took = performance.now() - began })
    }
    look()
}, true)"""


def make_store(folder: Path) -> Path:
    """A store with 20 documents and about 5,000 clauses, unless the folder holds it already."""
    path = folder / "store.sqlite"
    store = open_store(path)
    register(store, "ann")
    if queue_length(store, "ann", EVERYTHING) < CLAUSES * 0.9:
        files = folder / "policies"
        files.mkdir(exist_ok=True)
        for number, policy in enumerate(thick_policies(read_policies(DATA))):
            (files / f"policy-{number:02}.pdf").write_bytes(draw_sample(policy, LAYOUTS[number % len(LAYOUTS)]))
        version = load_model().version
        inputs = list_files([files])
        for number, (file, scored) in enumerate(zip(inputs, score_files(inputs), strict=True)):
            add_document(store, scored, Department(f"Department {number % 7}", "municipal police"), version, file.path)
    store.close()
    return path


def thick_policies(policies: Sequence[LabelledDocument]) -> list[LabelledDocument]:
    """Policies bound together, one behind the other, until each volume has its share of the clauses."""
    volumes: list[LabelledDocument] = []
    items: list[object] = []
    for policy in policies:
        items.extend(policy.items)
        if sum(i.kind == "clause" for i in items) >= CLAUSES / DOCUMENTS:  # type: ignore[attr-defined]
            volumes.append(replace(policy, items=tuple(items), date=policy.date or "2019-03-01"))  # type: ignore[arg-type]
            items = []
        if len(volumes) == DOCUMENTS:
            break
    return volumes


def page_pictures(store: Store) -> tuple[list[float], list[float]]:
    """Milliseconds that the app needs for the pages of 40 clauses from all over the store, the first time and again."""
    cold, warm = [], []
    for took in (cold, warm):
        for clause in queue(store, "ann", "audit", EVERYTHING, limit=40):  # as many as the cache holds
            view = view_clause(store, "ann", clause)
            of = (str(view.document.kept), view.clause.page, boxes_of(view.clause, view.clause.page), 1.0)
            took.append(timed(partial(page_picture, *of)))
    return cold, warm


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that something takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def resident(process: int) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def report(what: str, took: Sequence[float], target: int | None = None) -> None:
    """One line of figures."""
    p95 = statistics.quantiles(took, n=20)[-1]
    verdict = "" if target is None else f"  (≤ {target}) {'reached' if p95 <= target else 'MISSED'}"
    print(f"{what:46} n={len(took):3}  p50 {statistics.median(took):4.0f} ms  p95 {p95:4.0f} ms{verdict}")


def turned(page: sync_api.Page, key: str) -> float:
    """Press a key that turns to another clause; milliseconds until its text is painted."""
    page.keyboard.press(key)
    page.wait_for_function("() => typeof window.took === 'number'", polling=20)
    return float(page.evaluate("window.took"))


def decide_by_keys(server: AppServer, decisions: int) -> None:
    """Decide with Enter, one clause after the other, and print times and memory."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        open_review(page, server, name="ann")
        page.evaluate(WATCH)
        for _ in range(5):  # the first turns load the model and compile what the browser shows
            turned(page, "Enter")
            settle(page)
        text, rest = [], []
        memory = [(0, resident(server.process.pid))]
        for number in range(1, decisions + 1):
            began = time.perf_counter()
            text.append(turned(page, "Enter"))
            settle(page)
            rest.append((time.perf_counter() - began) * 1000)
            page.wait_for_timeout(150)  # nobody reads faster
            if number in (decisions // 2, decisions):
                memory.append((number, resident(server.process.pid)))
        report("key press to the next clause's text", text, 300)
        report("key press to the page at rest", rest)
        browser.close()
    print("resident memory of the server: " + ", ".join(f"{mb:.0f} MB after {n}" for n, mb in memory))


def turn_pages(server: AppServer) -> None:
    """Turn pages to and fro and print times, from the key press to the picture painted: first cold, then from the cache."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        open_review(page, server, name="ann")
        page.evaluate(WATCH_PICTURE)
        page.keyboard.press("ArrowRight")  # wherever the clause stands, there are pages before and behind it then
        settle(page)
        seen: set[str] = set()
        took: dict[bool, list[float]] = {False: [], True: []}
        for turns, key in (
            (8, "ArrowRight"),
            *((n, k) for _ in range(4) for n, k in ((8, "ArrowLeft"), (8, "ArrowRight"))),
        ):
            for _ in range(turns):
                page.wait_for_timeout(150)
                settle(page)
                page.keyboard.press(key)
                with suppress(sync_api.TimeoutError):  # the first or the last page
                    page.wait_for_function("() => typeof window.took === 'number'", polling=20, timeout=1500)
                    picture = page.evaluate("window.picture")
                    took[picture in seen].append(float(page.evaluate("window.took")))
                    seen.add(picture)
        browser.close()
    report("page turned, picture cold, in the browser", took[False], 500)
    report("page turned, picture warm, in the browser", took[True], 100)


def main(
    decisions: Annotated[int, typer.Option("--decisions", min=200, help="How many to make.")] = 500,
    store: Annotated[Path | None, typer.Option("--store", help="Folder of the store, kept for the next run.")] = None,
) -> None:
    """Measure the review page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = store or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = make_store(folder)
        opened = open_store(path)
        print(f"{queue_length(opened, 'ann', EVERYTHING)} clauses")
        cold, warm = page_pictures(opened)
        report("page picture, cold", cold, 500)
        report("page picture, warm", warm, 100)
        opened.close()
        server = AppServer(path)
        try:
            turn_pages(server)
            decide_by_keys(server, decisions)
        finally:
            server.stop()


if __name__ == "__main__":
    typer.run(main)
