"""The app in a real browser: what a person does with mouse and keys, what then stands in the store, what is on the screen."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pandas as pd
import pytest
import sqlalchemy as sa
from review_stores import fill

from classifier.codebook import load_codebook
from classifier.corrections import Event, read_event_row, view_clause
from classifier.labellings import Labelling, predicted
from classifier.queues import EVERYTHING, queue
from classifier.store import open_store, register
from classifier.store_documents import list_documents
from classifier.store_tables import events
from classifier.ui.review import PRACTICE_KEYS, STANCE_KEYS

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("no browser at /usr/bin/chromium (Debian: apt-get install chromium)", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

BOOK = load_codebook()
# The text of the clause, its heading and neighbours, as one string; "" before they are drawn.
SHOWN = """() => {
    const host = document.querySelector('.st-key-clause_text [data-testid="stBidiComponentIsolated"]')
        ?? [...document.querySelectorAll('.st-key-clause_text *')].find(e => e.shadowRoot)
    return (host?.shadowRoot ?? host)?.querySelector('.root')?.textContent ?? ''
}"""
IDLE = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning'"""


@dataclass
class AppServer:
    """`clauses app` on a store, as a process of its own."""

    store: Path
    process: subprocess.Popen[bytes] = field(init=False)
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start on a free port and wait until it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = self.store.with_suffix(".log").open("ab")
        command = [sys.executable, "-m", "classifier", "app", "--no-browser", "--port", str(port)]
        quiet = {
            **os.environ,
            "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        }  # no reload while somebody edits the project
        self.process = subprocess.Popen(
            [*command, "--store", str(self.store)], stdout=self.log, stderr=self.log, env=quiet
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None, self.said()
                time.sleep(0.1)
        raise TimeoutError(self.said())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal."""
        self.process.send_signal(how)
        self.process.wait(20)
        self.log.close()

    def said(self) -> str:
        """What it wrote on its terminal."""
        return self.store.with_suffix(".log").read_text(encoding="utf-8", errors="replace")

    def page(self, path: str = "", **query: str) -> str:
        """The URL of a page."""
        return f"{self.url}/{path}" + (f"?{urlencode(query)}" if query else "")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    running = AppServer(tmp_path / "store.sqlite")
    yield running
    if running.process.poll() is None:
        running.stop()
    assert "Traceback" not in running.said(), running.said()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


def sit_down(browser: sync_api.Browser, **options: object) -> sync_api.Page:
    """A person at a computer of their own; a dialog of the browser or an error in a script fails the test."""
    page: sync_api.Page = browser.new_context(viewport={"width": 1280, "height": 800}, **options).new_page()
    page.set_default_timeout(60_000)
    page.on("dialog", lambda dialog: pytest.fail(f"a document opened a dialog: {dialog.message}"))
    return page


def enter_name(page: sync_api.Page, name: str, role: str = "annotator") -> None:
    """Enter a new name on the left."""
    page.get_by_text("New name").wait_for()
    settle(page)
    page.wait_for_timeout(700)  # it opens slowly where nobody is known yet
    box = page.get_by_label("Name", exact=True)
    if not box.count() or box.evaluate("element => element.closest('[inert]') !== null"):
        page.get_by_text("New name").click()
    box.fill(name)
    if role != "annotator":
        page.get_by_role("combobox", name="Role").click()
        page.get_by_role("option", name=role).click()
    page.get_by_role("button", name="Enter the name").click()
    asked = page.get_by_text("Pick your name on the left")
    try:
        asked.wait_for(state="hidden", timeout=20_000)
    except sync_api.TimeoutError:  # the page was drawn anew amid the typing, as under load: a person types it again
        box.fill(name)
        page.get_by_role("button", name="Enter the name").click()
        asked.wait_for(state="hidden")


def settle(page: sync_api.Page) -> None:
    """Wait until the page is drawn in full."""
    page.wait_for_function(IDLE)


def open_review(page: sync_api.Page, server: AppServer, **query: str) -> None:
    """Open the review page by its address and wait for its clause."""
    page.goto(server.page("review", **query))
    page.wait_for_function(f"() => ({SHOWN})() !== ''")
    settle(page)


def in_hand(page: sync_api.Page) -> str:
    """The id of the clause on the screen, from the address."""
    return parse_qs(urlsplit(page.url).query)["clause"][0]


def shown(page: sync_api.Page) -> str:
    """The text of the clause with its surroundings."""
    return str(page.evaluate(SHOWN))


def press(page: sync_api.Page, key: str) -> None:
    """Press a key that changes this clause's labels, and wait until the page shows it."""
    page.keyboard.press(key)
    page.wait_for_timeout(80)
    settle(page)


def turn(page: sync_api.Page, key: str) -> str:
    """Press a key that turns to another clause, wait for its text, and return its id."""
    before, text = in_hand(page), shown(page)
    page.keyboard.press(key)
    page.wait_for_function(
        f"([text, id]) => ({SHOWN})() !== text && new URL(location.href).searchParams.get('clause') !== id",
        arg=[text, before],
    )
    settle(page)
    return in_hand(page)


def recorded(path: Path) -> list[Event]:
    """Every event in a store."""
    store = open_store(path)
    with store.reading() as connection:
        rows = connection.execute(sa.select(events).order_by(events.c.id)).mappings()
        found = [read_event_row(row) for row in rows]
    store.close()
    return found


def machine_labels(path: Path, name: str, clause: str) -> Labelling:
    """What the machine said of a clause."""
    store = open_store(path)
    prediction = view_clause(store, name, clause).prediction
    store.close()
    assert prediction is not None
    return predicted(prediction)


def download(page: sync_api.Page, name: str) -> bytes:
    """A table, taken by its button."""
    with page.expect_download() as taken:
        page.get_by_role("button", name=name).click()
    assert taken.value.suggested_filename == name
    return Path(taken.value.path()).read_bytes()


def test_score_review_by_keys_undo_restart_and_a_second_annotator(server: AppServer, browser: sync_api.Browser) -> None:
    page = sit_down(browser)
    page.goto(server.page())
    enter_name(page, "ann")

    page.get_by_role("button", name="Score the sample policies").click()
    page.get_by_text("What was read").wait_for()
    settle(page)
    findings = pd.read_csv(io.BytesIO(download(page, "findings.csv")))
    assert {"department", "practice", "verdict", "quote", "page"} <= set(findings.columns)
    clauses = [json.loads(line) for line in download(page, "clauses.jsonl").splitlines()]
    assert len(pd.read_csv(io.BytesIO(download(page, "documents.csv")))) == 12
    assert len(pd.read_excel(io.BytesIO(download(page, "findings.xlsx")))) > 10
    store = open_store(server.store)
    documents = list_documents(store)
    store.close()
    assert sum(d.document.clauses for d in documents) == sum(c["kind"] == "clause" for c in clauses)

    # ten clauses by keys alone
    page.get_by_role("link", name="Review").click()
    page.wait_for_function(f"() => ({SHOWN})() !== ''")
    settle(page)
    began = time.monotonic()
    expected: list[tuple[str, str, Labelling | None]] = []
    for step in range(10):
        clause = in_hand(page)
        machine = machine_labels(server.store, "ann", clause)
        if step == 3:
            missing = next(p for p in BOOK.practices if p.id not in machine.labels and not p.stanceless)
            press(page, PRACTICE_KEYS[BOOK.practices.index(missing)].lower())
            press(page, STANCE_KEYS[2].lower())
            stance = list(BOOK.stances)[2]
            expected.append((clause, "correct", Labelling({**machine.labels, missing.id: stance}, machine.conditions)))
        elif step == 6:
            expected.append((clause, "skip", None))
        else:
            expected.append((clause, "accept", machine))
        assert turn(page, "x" if step == 6 else "Enter") != clause
    took = time.monotonic() - began
    decided = recorded(server.store)
    assert [(e.clause, e.kind, e.new) for e in decided] == expected
    assert len({e.clause for e in decided}) == 10
    assert all(e.annotator == "ann" and e.seconds is not None and e.seconds > 0 for e in decided)
    assert sum(e.seconds or 0 for e in decided) < took + 5
    for event in decided:
        assert event.machine is not None
        said = {label["practice"]: label["stance"] for label in event.machine["labels"]}
        assert said == dict(machine_labels(server.store, "bea", event.clause).labels)

    # undo, and again after a restart
    assert turn(page, "z") == expected[9][0]
    assert [e.kind for e in recorded(server.store)[10:]] == ["undo"]
    server.stop()
    server.start()
    open_review(page, server, name="ann")
    assert turn(page, "z") == expected[8][0]
    undone = recorded(server.store)[10:]
    assert [e.kind for e in undone] == ["undo", "undo"]
    assert [e.undoes for e in undone] == [decided[9].id, decided[8].id]

    # a deep link opens its clause, decided or not
    corrected = expected[3][0]
    open_review(page, server, name="ann", clause=corrected)
    assert in_hand(page) == corrected
    assert next(c["text"] for c in clauses if c["text"] in shown(page))
    added = f"{missing.name}: {stance}"
    assert page.get_by_text(added).count() == 1

    # somebody else, elsewhere, begins with a clean sheet
    other = sit_down(browser)
    other.goto(server.page("review"))
    enter_name(other, "bea")
    open_review(other, server, name="bea", clause=corrected)
    assert other.get_by_text(added).count() == 0
    turn(other, "Enter")
    open_review(other, server, name="bea")
    assert in_hand(other) == expected[0][0]
    theirs = {e.annotator: e.new for e in recorded(server.store) if e.clause == corrected}
    assert theirs == {"ann": expected[3][2], "bea": machine_labels(server.store, "ann", corrected)}


HOSTILE = """\
IMMIGRATION REQUESTS

1. Officers shall not hold <script>window.pwned = 1</script> any **bold person** on a detainer.
2. ICE may see [the booking list](javascript:window.pwned=1) when $x^2$ and :red[$$\\frac{a}{b}$$] agree.
3. Notify ICE of <img src=x onerror="window.pwned=1"> each release; =HYPERLINK("http://127.0.0.1:1/","x") is no link.
4. Staff &lt;b&gt;shall&lt;/b&gt; log `code` calls from ICE # not a heading.
"""


def test_what_stands_in_a_document_is_shown_as_it_stands_and_runs_nowhere(
    server: AppServer, browser: sync_api.Browser
) -> None:
    page = sit_down(browser)
    page.goto(server.page())
    enter_name(page, "ann <b>**x**</b>")
    name = "../../**bold** <img src=x onerror=window.pwned=1> [l](javascript:1).txt"
    with page.expect_file_chooser() as choosing:
        page.locator(".st-key-dropped button").click()
    choosing.value.set_files({"name": name, "mimeType": "text/plain", "buffer": HOSTILE.encode()})
    page.get_by_role("button", name="Score these files").click()
    page.get_by_text("What was read").wait_for()
    store = open_store(server.store)
    (document,) = [d.document for d in list_documents(store)]
    ids = queue(store, "ann", "document", EVERYTHING)
    texts = [view_clause(store, "ann", i).clause.text for i in ids]
    store.close()
    assert document.kept.parent == server.store.parent / "files"
    assert document.name.startswith("__bold__ _img src_x")
    assert {p.name for p in server.store.parent.iterdir()} >= {"store.sqlite", "files"}
    said = "\n".join(texts)
    for line in HOSTILE.splitlines()[2:]:
        assert line.partition(" ")[2] in said
    for id_, text in zip(ids, texts, strict=True):
        open_review(page, server, name="ann <b>**x**</b>", clause=id_)
        assert text in shown(page)
        press(page, "h")
        assert page.evaluate("window.pwned === undefined")
        alive = ".st-key-clause_text :is(script, img, a, b, strong, code, .katex)"
        assert page.locator(alive).count() == 0
        assert page.locator('[href^="javascript"]').count() == 0


def test_no_decision_whose_next_clause_was_shown_is_lost_when_the_server_is_killed(
    server: AppServer, browser: sync_api.Browser
) -> None:
    store = open_store(server.store)
    fill(store, 2, 30)
    register(store, "ann")
    store.close()
    page = sit_down(browser)
    acknowledged: list[str] = []
    for _ in range(2):
        open_review(page, server, name="ann")
        for _ in range(6):
            clause = in_hand(page)
            turn(page, "Enter")
            acknowledged.append(clause)
        page.keyboard.press("Enter")
        server.stop(signal.SIGKILL)
        held = [e.clause for e in recorded(server.store)]
        assert held[: len(acknowledged)] == acknowledged
        assert len(held) - len(acknowledged) in (0, 1)
        acknowledged = held
        server.start()
    open_review(page, server, name="ann")
    assert in_hand(page) not in acknowledged


def test_a_key_pressed_twice_never_decides_a_clause_that_was_not_yet_shown(
    server: AppServer, browser: sync_api.Browser
) -> None:
    store = open_store(server.store)
    fill(store, 1, 30)
    register(store, "ann")
    store.close()
    page = sit_down(browser)
    open_review(page, server, name="ann")
    first = in_hand(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    settle(page)
    assert [e.clause for e in recorded(server.store)] == [first]
    assert in_hand(page) != first


def test_two_people_differ_an_adjudicator_settles_it_and_the_export_says_so(
    server: AppServer, browser: sync_api.Browser
) -> None:
    store = open_store(server.store)
    fill(store, 1, 12)
    for name in ("ann", "bea"):
        register(store, name)
    clause = queue(store, "ann", "document", EVERYTHING)[0]
    store.close()
    machine = machine_labels(server.store, "ann", clause)
    page = sit_down(browser)
    open_review(page, server, name="ann", clause=clause)
    turn(page, "Enter")
    open_review(page, server, name="bea", clause=clause)
    for stance, key in zip(BOOK.stances, STANCE_KEYS, strict=False):
        if stance not in machine.labels.values():
            press(page, key.lower())
            break
    turn(page, "Enter")

    page.goto(server.page("adjudicate", name="boss"))
    page.get_by_text("1 wait").wait_for()
    page.get_by_role("button", name="Codebook").wait_for()
    settle(page)
    press(page, "Enter")
    page.get_by_text("⚠ nothing is chosen yet").wait_for()
    settle(page)
    press(page, "2")
    page.get_by_text("Nothing is chosen yet.").wait_for(state="hidden")
    press(page, "q")
    page.wait_for_function("() => document.querySelector('[class*=st-key-adj_reason] input')?.value")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing waits for you").wait_for()
    theirs = Labelling(dict.fromkeys(machine.labels, stance))
    ruling = recorded(server.store)[-1]
    assert (ruling.annotator, ruling.kind, ruling.clause, ruling.new) == ("boss", "adjudicate", clause, theirs)
    assert "trigger" in ruling.note

    page.goto(server.page("exchange", name="boss"))
    page.locator(".st-key-export_form").get_by_role("combobox").click()
    page.get_by_role("option", name="CSV").click()
    settle(page)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download the decisions").click()
    rows = pd.read_csv(taken.value.path(), dtype=str, keep_default_na=False)
    rows = rows[rows["clause"] == clause]
    assert {"ann", "bea", "boss"} <= set(rows["annotator"])
    assert rows.astype(str).agg(" ".join, axis=1).str.contains(ruling.note, regex=False).any()
