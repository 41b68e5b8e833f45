"""A blinded sheet in a browser: keys, choices that `import` reads, hostile texts, no request, accessibility."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from environment import SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from clincot.report.blinded.choices import read_choices
from clincot.report.blinded.items import Item, Key, key_of
from clincot.report.blinded.sheet import sheet_page
from tests.objectives.rows import png

HOSTILE = '</script><script>window.ran = true</script> \u202egnorw <img src=x onerror="window.ran = true">'


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    texts = (HOSTILE, "x" * 100_000)
    items = [Item(f"id-{n}", f"film-{n}", f"Question {n}?", (png(n),), (f"left {n}", f"right {n}")) for n in range(4)]
    items[1] = Item("id-1", "film-1", HOSTILE, (png(1),), texts, {}, HOSTILE)
    key = key_of(items, "a round", ("chosen", "rejected"), 0)
    path = tmp_path_factory.mktemp("sheet") / "sheet.html"
    path.write_text(sheet_page(items, key), encoding="utf-8")
    return path, key


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield launched
        launched.close()


def opened(page: Page, path: Path) -> list[str]:
    """Open the sheet and return what goes wrong: errors, dialogs, requests of anything but the file."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on(
        "request", lambda asked: None if asked.url.startswith((path.as_uri(), "data:")) else faults.append(asked.url)
    )
    page.goto(path.as_uri())
    page.wait_for_selector("fieldset")
    return faults


def test_keys_choose_and_the_files_are_what_import_reads(
    browser: Browser, sheet: tuple[Path, Key], tmp_path: Path
) -> None:
    path, key = sheet
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        faults = opened(page, path)
        page.get_by_label("Your name or a code").fill("=Dr. Ä")
        page.locator("h2").click()
        for pressed in ("a", "j", "b", "j", "s", "j", "u"):
            page.keyboard.press(pressed)
        page.get_by_label("Comment").fill('=1+1, "odd"')
        assert page.locator("[role=status]").inner_text() == "4 of 4 answered"
        assert page.locator("#choice-unsure").is_checked() and page.locator("#next").is_disabled()
        page.reload()
        assert page.locator("[role=status]").inner_text() == "4 of 4 answered"
        for name in ("Download choices", "as CSV"):
            with page.expect_download() as waiting:
                page.get_by_role("button", name=name).click()
            file = tmp_path / waiting.value.suggested_filename
            waiting.value.save_as(file)
            (reader,) = read_choices([file], key)
            letters = {entry.number: entry.first for entry in key.entries}
            assert reader.choices[1] == ("first" if letters[1] == "A" else "second")
            assert reader.choices[2] == ("first" if letters[2] == "B" else "second")
            assert reader.choices[3] == "same" and reader.unsure == 1 and "Dr. Ä" in reader.name
        assert "'=1+1" in file.read_text() and faults == []


def test_hostile_texts_are_shown_and_do_nothing(browser: Browser, sheet: tuple[Path, Key]) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        faults = opened(page, sheet[0])
        page.keyboard.press("j")
        assert page.locator("h2 bdi").inner_text() == HOSTILE and page.evaluate("window.ran") is None
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") and faults == []


def test_without_javascript_every_question_can_be_read(browser: Browser, sheet: tuple[Path, Key]) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(sheet[0].as_uri())
        assert page.locator("section").count() == 4 and "onerror=" in page.locator("section").nth(1).inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(browser: Browser, sheet: tuple[Path, Key], width: int, scheme: Any) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()
        opened(page, sheet[0])
        page.add_script_tag(path=str(SCRIPT))
        found = page.evaluate("axe.run().then(done => done.violations)")
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
