"""The site that `make docs` builds, in a browser: nothing is fetched from elsewhere, and axe finds nothing serious."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from environment import SCRIPT
from playwright.sync_api import sync_playwright

SITE = Path(__file__).parents[2] / "site"
PAGES = ("index", "tutorial", "methods", "mistakes", "metrics", "glossary", "decisions/index", "changelog")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the site, as a reader does who wants its search."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"{SITE}: is no built site. Run `make docs` before.")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fetch_nothing_and_axe_finds_nothing_serious(address: str, width: int, scheme: Any) -> None:
    serious: list[tuple[str, str, str]] = []
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else faults.append(asked.url))
        for name in PAGES:
            page.goto(f"{address}/{name}.html")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
            page.add_script_tag(path=str(SCRIPT))
            found = page.evaluate("axe.run().then(done => done.violations)")
            serious += [
                (name, one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
            ]
        browser.close()
    assert (faults, serious) == ([], [])


@pytest.mark.parametrize("served", [True, False])
def test_the_search_finds_a_word(address: str, served: bool) -> None:
    """Over a server, and in the folder opened as files: a hidden frame does there what a worker may not."""
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address if served else SITE.as_uri()}/index.html")
        page.locator("input[name=query]").click()
        page.keyboard.type("conditioning")
        page.wait_for_selector(".md-search-result__item", timeout=120_000)
        assert page.locator(".md-search-result__item").count() > 1
        browser.close()
    assert faults == []
