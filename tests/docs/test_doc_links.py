"""The pages in docs/: what code, tests and other pages point to is there, down to the heading."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tree import ROOT

from tests.docs import blocks

FOLDERS = ("clincot", "tests", "perf", "recipes", "hub_cards", "examples")
TEXTS = {".py", ".yaml", ".md", ".jinja", ".toml"}
WRITERS = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in TEXTS]
PAGES = [ROOT / "CHANGELOG.md", *blocks.PAGES]
# docs/methods.md#eq-1-region, or docs/methods.md, Eq. 1
POINTER = re.compile(r"\bdocs/((?!README)[\w/-]+\.md)(?:#([\w-]+)|, (Eq\. \d))?")
LINK = re.compile(r"\]\(([^)\s:#]+\.\w+)?(?:#([^)\s]+))?\)")
SECTION_OF = re.compile(r"\b\w+\.md,? §? ?\d[\d.]*\b")


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    lines = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S).splitlines()
    titles = [line.lstrip("#").strip().lower() for line in lines if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def leads(page: Path, anchor: str | None, equation: str | None = None) -> bool:
    if not page.exists():
        return False
    if equation:
        start = equation.lower().replace(".", "").replace(" ", "-")
        return any(found.startswith(start) for found in anchors(page))
    return not anchor or page.suffix != ".md" or anchor in anchors(page)


def written(path: Path) -> str:
    """The text of a file with its lines, and comments over several lines, joined."""
    return " ".join(re.sub(r"^\s*#? ?", "", line) for line in path.read_text(encoding="utf-8").splitlines())


def test_pages_and_headings_that_are_named_exist() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in (*WRITERS, *PAGES)
        for found in POINTER.finditer(written(path))
        if not leads(ROOT / "docs" / found[1], found[2], found[3])
    ]
    assert wrong == []


def test_links_between_pages_lead_somewhere() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in PAGES
        for found in LINK.finditer(path.read_text(encoding="utf-8"))
        if not leads((path.parent / found[1]) if found[1] else path, found[2])
    ]
    assert wrong == []


def test_no_section_of_a_page_outside_of_the_repository_is_named() -> None:
    """Sections here have names; a number is that of a document which a reader does not have."""
    named = {path: SECTION_OF.findall(written(path)) for path in (*WRITERS, *PAGES)}
    assert {path: found for path, found in named.items() if found} == {}


def test_files_that_pages_name_exist() -> None:
    named = {
        path: re.findall(r"`((?:clincot|tests|perf|examples|recipes)/[\w/-]+\.\w+)`", written(path)) for path in PAGES
    }
    absent = [f"{path.name}: {file}" for path, files in named.items() for file in files if not (ROOT / file).exists()]
    assert absent == []
