"""The comparison pages in a real browser: from the samples to the Lunn gap, its sentences, their page, and a report."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
if not Path("/usr/bin/chromium").exists():
    pytest.skip("no browser at /usr/bin/chromium (Debian: apt-get install chromium)", allow_module_level=True)

from test_browser import AppServer, browser, enter_name, server, settle, sit_down, sync_api

from classifier.evidence import Evidence
from classifier.findings import GAP_PRACTICES
from classifier.store import open_store

__all__ = ["browser", "server"]  # fixtures
GRID = '.st-key-matrix_box canvas[data-testid="data-grid-canvas"]'


def see(page: sync_api.Page, words: str) -> None:
    """Wait until they are in the text of the page or of a component that shows text of documents."""
    page.wait_for_function(
        """words => [...document.querySelectorAll('.stMain *')]
            .some(e => (e.shadowRoot ?? e).textContent.includes(words))""",
        arg=words,
    )


def test_who_cites_lunn_and_notifies_all_the_same_and_where_it_says_so(
    server: AppServer, browser: sync_api.Browser, tmp_path: Path
) -> None:
    page = sit_down(browser)
    page.goto(server.page())
    enter_name(page, "ann")
    page.get_by_role("button", name="Score the sample policies").click()
    page.get_by_text("What was read").wait_for()
    settle(page)
    store = open_store(server.store)
    evidence = Evidence.from_store(store)
    store.close()
    gap = evidence.findings[evidence.findings["lunn_gap"]]
    departments = list(dict.fromkeys(gap["department"]))

    # the matrix, filtered to the gap; one click opens a cell
    page.get_by_role("link", name="Who does what").click()
    page.get_by_text("14 of 14 departments").wait_for()
    page.locator(".st-key-matrix_gap label").click()
    page.get_by_text(f"{len(departments)} of 14 departments").wait_for()
    settle(page)
    page.wait_for_timeout(500)
    page.locator(GRID).click(position={"x": 400, "y": 53}, force=True)  # the first row's first practice
    page.locator(".st-key-evidence_box").get_by_text(departments[0], exact=True).wait_for()
    settle(page)
    (cell,) = gap[(gap["department"] == departments[0]) & (gap["practice"] == GAP_PRACTICES[0])]["clauses"]
    text = evidence.clauses.set_index("clause").loc[cell[0], "text"]
    see(page, text)
    picture = page.locator(".st-key-evidence_box .stImage img").first
    picture.wait_for()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 400
    assert page.locator(".st-key-evidence_box a[href*='review?clause=']").first.get_attribute("href")

    # the same cell by its address, whatever was on the screen before
    address = page.url
    assert f"practice={GAP_PRACTICES[0]}" in address
    page.goto(f"{address}&name=ann")
    page.locator(".st-key-evidence_box").get_by_text(departments[0], exact=True).wait_for()

    # the sentences, side by side
    page.goto(server.page("lunn-gap", name="ann", practice=GAP_PRACTICES[0]))
    page.get_by_text("departments with the gap here").wait_for()
    settle(page)
    see(page, text)
    page.get_by_role("button", name="Page").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("img").wait_for()
    page.keyboard.press("Escape")

    # two departments
    page.goto(server.page("side-by-side", name="ann") + "".join(f"&department={d}" for d in departments[:2]))
    page.get_by_text("only here", exact=False).or_(page.get_by_text("machine only")).first.wait_for()
    settle(page)
    for department in departments[:2]:
        assert page.get_by_text(department, exact=True).count()

    # the report, taken home and opened without the server
    page.get_by_role("link", name="Pictures and report").click()
    page.get_by_role("button", name="Make the report (HTML)").click()
    page.get_by_role("button", name="Download report.html").wait_for()
    settle(page)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download report.html").click()
    report = tmp_path / "report.html"
    report.write_bytes(Path(taken.value.path()).read_bytes())
    asked: list[str] = []
    reader = sit_down(browser)
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(report.as_uri())
    assert reader.get_by_text(departments[0]).count()
    assert text in reader.content() or text[:30] in reader.locator("body").inner_text()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
