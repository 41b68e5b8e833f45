"""The page of a round's pairs in a browser: keys, filters, toggles, hostile texts, 5,000 pairs, accessibility."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from environment import SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from clincot.regions.kept_maps import kept_map
from clincot.report.view.entries import Around, entries
from clincot.report.view.page import Heading, write_page
from clincot.runs.checks.vetoes import read_vetoes
from tests.objectives.rows import make_row, png

HOSTILE = '</script><script>window.ran = true</script> \u202egnorw <img src=x onerror="window.ran = true">'
WIDTHS = (390, 1280, 1920)


def rows(count: int) -> list[dict[str, Any]]:
    """Return pairs about 20 images; the second is hostile, and every fifth has a gap of .9."""
    made = []
    for n in range(count):
        image = {"bytes": png(n % 20), "path": "a.png"}
        more: dict[str, Any] = {"id": f"row-{n}", "example_id": f"example-{n}", "group": f"example-{n}/1"}
        more |= {"images": [image], "side_images": [image, image], "chosen_score": 0.95, "rejected_score": 0.45}
        more |= {"rejected_score": 0.05} if n % 5 == 0 else {}
        made.append(make_row(n, **more, **({"chosen": HOSTILE, "rejected": "x" * 100_000} if n == 1 else {})))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("view") / "page", 40)


def written(folder: Path, count: int) -> Path:
    folder.mkdir()
    candidates = [
        {"id": f"row-{n}/{side}", "example_id": f"example-{n}", "step": 1, "text": side, "score": 0.5, "finish": "stop"}
        | {"region": None, "lookahead": ["yes"], "findings": [], "judge_scores": []}
        for n in range(count)
        for side in ("a", "b")
    ]
    looked = {"image_id": "example", "confidence": 0.5}
    regions = [looked | {"hypothesis": "nodule", "box": [1, 1, 30, 30]}, looked | {"hypothesis": HOSTILE, "box": []}]
    around = Around.of(candidates, regions, [])
    heading = Heading("a round", ["made for a test"], round=2, dataset="me/pairs@abc")
    maps = {"example": {name: kept_map(np.arange(9.0).reshape(3, 3)) for name in ("nodule", HOSTILE)}}
    write_page(folder, heading, lambda keep: entries(rows(count), around, keep), maps)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield opened(context.new_page(), folder)


def opened(page: Page, folder: Path, place: str = "") -> Page:
    """Open the page; an error, a dialog or a request that leaves the folder fails the test."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    inside = (folder.as_uri(), "data:")
    page.on("request", lambda request: None if request.url.startswith(inside) else faults.append(request.url))
    page.goto(f"{folder.as_uri()}/index.html{place}")
    page.wait_for_selector(".list button")
    assert faults == []
    return page


def current(page: Page) -> int:
    return int(page.evaluate("[...document.querySelectorAll('.list button')].findIndex(b => b.ariaCurrent === 'true')"))


def test_keys_go_on_and_back_hide_regions_and_search(page: Page) -> None:
    assert current(page) == 0
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    assert current(page) == 1 and "row-1" in page.url
    assert page.locator("rect").count() > 0
    page.keyboard.press("b")
    assert page.locator("rect").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("row-17")
    assert (
        page.locator(".list button").count() == 1
        and page.locator("nav > [role=status]").inner_text() == "1 of 40 pairs"
    )


def test_each_hypothesis_shows_and_hides_its_heat_map(page: Page) -> None:
    toggles = page.locator(".map-toggle")
    assert toggles.count() == 2 and page.locator("img.map").count() == 0
    toggles.first.click()
    assert toggles.first.get_attribute("aria-pressed") == "true"
    assert page.locator("img.map").get_attribute("alt") == "Heat map of nodule"
    assert page.evaluate("document.querySelector('img.map').naturalWidth") == 3
    assert page.evaluate("document.activeElement.className") == "map-toggle"  # the pair was drawn anew
    page.keyboard.press("j")
    assert page.locator("img.map").count() == 1  # the next pair shows the same hypothesis
    page.keyboard.press("h")
    page.keyboard.press("h")
    assert page.locator("img.map").count() == 0 and page.evaluate("window.ran") is None


def test_marked_pairs_are_a_file_that_pair_reads(page: Page, tmp_path: Path) -> None:
    page.keyboard.press("v")
    page.get_by_label("Reason of the veto").fill("wrong side")
    page.keyboard.press("Tab")
    page.locator(".list button").nth(3).click()
    page.get_by_role("button", name="veto (v)").click()
    assert page.locator(".vetoes").inner_text().startswith("2 vetoed")
    page.locator("#filter-vetoed").select_option("not vetoed")
    assert page.locator("nav > [role=status]").inner_text() == "38 of 40 pairs"
    page.locator("#filter-vetoed").select_option("vetoed")
    assert "vetoed" in page.locator(".list button").first.inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download veto file").click()
    assert waiting.value.suggested_filename == "veto-round-2.json"
    waiting.value.save_as(tmp_path / "veto.json")
    found = json.loads((tmp_path / "veto.json").read_text())
    assert found["pairs"] == [{"id": "row-0", "reason": "wrong side"}, {"id": "row-3", "reason": ""}]
    vetoes = read_vetoes(tmp_path / "veto.json")
    assert vetoes.ids == {"row-0", "row-3"} and vetoes.round == 2
    page.reload()  # the browser keeps the marks
    assert page.locator(".vetoes").inner_text().startswith("2 vetoed")
    for _ in range(2):
        page.locator(".list button", has_text="vetoed").first.click()
        page.keyboard.press("v")
    assert page.get_by_role("button", name="Download veto file").is_disabled()
    page.locator("#veto-file").set_input_files(tmp_path / "veto.json")
    page.wait_for_function("document.querySelector('.vetoes').innerText.startsWith('2 vetoed')")
    (tmp_path / "odd.json").write_text('{"format": "clincot-veto-1", "pairs": [{"id": "absent"}, null]}')
    page.locator("#veto-file").set_input_files(tmp_path / "odd.json")
    page.wait_for_function("document.querySelector('.vetoes').innerText.includes('2 pairs of the file are not')")


def test_filters_and_orders_keep_what_they_say(page: Page) -> None:
    page.get_by_label("gap at least").fill("0.8")
    assert page.locator(".list button").count() == 8
    page.get_by_label("gap at least").fill("")
    page.get_by_label("order").select_option("smallest gap first")
    first = page.locator(".list button").first.inner_text()
    assert "gap 0.500" in first
    page.get_by_label("text (press /)").fill("no such text")
    assert page.get_by_text("No pair passes the filters.").count() == 1


def test_a_pair_has_an_address(browser: Browser, folder: Path) -> None:
    with browser.new_context() as context:
        page = opened(context.new_page(), folder, "#row-12")
        assert current(page) == 12
        page.get_by_label("gap at least").fill("0.8")
        page.evaluate("location.hash = '#row-13'")  # which the filter hides
        page.wait_for_function("document.querySelector('main').innerText.includes('row-13')")
        assert current(page) == 13 and page.get_by_label("gap at least").input_value() == ""
        page.evaluate("location.hash = '#%E0%A4%A'")
        page.wait_for_function("document.querySelector('main').innerText.includes('row-0')")


def test_hostile_texts_are_shown_and_do_nothing(browser: Browser, folder: Path) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        page = opened(context.new_page(), folder, "#row-1")
        assert page.locator(".side.chosen .text").inner_text() == HOSTILE
        assert page.evaluate("window.ran") is None
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_without_javascript_there_is_a_table(browser: Browser, folder: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{folder.as_uri()}/index.html")
        table = page.locator("table")
        assert table.locator("tr").count() == 41 and "onerror=" in table.inner_text()


def test_five_thousand_pairs_paint_within_two_seconds(browser: Browser, tmp_path: Path) -> None:
    folder = written(tmp_path / "large", 5_000)
    with browser.new_context() as context:
        page = opened(context.new_page(), folder)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        print(f"first paint {paint:.0f} ms, ready {ready:.0f} ms")
        assert max(paint, ready) < 2_000
        assert page.locator(".list button").count() < 1_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(browser: Browser, folder: Path, width: int, scheme: Any, tmp_path: Path) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = opened(context.new_page(), folder)
        page.add_script_tag(path=str(SCRIPT))
        found = page.evaluate("axe.run().then(done => done.violations)")
        serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
        assert serious == []
