"""The report of a run in a browser: without JavaScript, at three widths and in both colour schemes for axe."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from environment import SCRIPT
from playwright.sync_api import Browser, sync_playwright

from clincot.report.figures.figure import Figure, Missing
from clincot.report.run.lineage import lineage_figure
from clincot.report.run.page import Heading, report_page
from tests.report.test_figures import HOSTILE, panels
from tests.report.test_run_figures import made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = tuple((f"round-{n}", HOSTILE, n / 7) for n in range(300))
    figure = Figure("margins", "Margins", (HOSTILE,), tuple(panels()), ("round", "text", "margin"), rows)
    lacks = [Missing("round-2", "has no adapter.", "clincot train --round 2 --name mine")]
    sections = [figure, Missing("Training curves", HOSTILE), lineage_figure(made())]
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(report_page(Heading(HOSTILE, (HOSTILE,), sealed=True), None, lacks, sections), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_axe_finds_nothing_serious_and_nothing_is_fetched(
    browser: Browser, file: Path, width: int, scheme: Any
) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else faults.append(asked.url))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.add_script_tag(path=str(SCRIPT))
        found = page.evaluate("axe.run().then(done => done.violations)")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
        assert faults == []


def test_without_javascript_figures_and_numbers_are_there(browser: Browser, file: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.locator("svg").count() == len(panels()) + 1
        page.get_by_text("Numbers (the first 200 of 300").click()
        assert page.locator("details[open] tbody tr").count() == 200
        assert page.locator("text=clincot train --round 2 --name mine").count() == 1
        assert page.locator("h1").inner_text().startswith("</svg><script>")
