"""The page of results in a browser: nothing is fetched, no text runs, and axe finds nothing serious."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from environment import SCRIPT
from playwright.sync_api import sync_playwright

from clincot.report.results_page import results_page
from tests.lamps import examples
from tests.report.test_results_page import evaluation


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(width: int, scheme: Any, tmp_path: Path) -> None:
    file = tmp_path / "results.html"
    file.write_text(results_page(evaluation(tmp_path / "run"), examples(), "a <run>"), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        outside: list[str] = []
        page.on(
            "request", lambda asked: None if asked.url.startswith(("file:", "data:")) else outside.append(asked.url)
        )
        page.goto(file.as_uri())
        page.add_script_tag(path=str(SCRIPT))
        found = page.evaluate("axe.run().then(done => done.violations)")
        browser.close()
    assert outside == []
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
