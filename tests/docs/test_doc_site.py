"""The site of docs/: every page is in its navigation, nothing is fetched from elsewhere, images are small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from tree import ROOT

from tests.docs.fetched import fetched

DOCS = ROOT / "docs"
ADDED = {"index.md", "changelog.md", "recipes/index.md", "recipes/servers.md"}  # docs/site.py makes them


def pages_of(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in pages_of(part)]


def test_the_navigation_has_every_page_once() -> None:
    read = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    named = pages_of(read["nav"])
    decisions = [path.name for path in (DOCS / "decisions").glob("0*.md")]  # added by docs/site.py, in order
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.name not in decisions}
    assert sorted(named) == sorted(there | ADDED)  # a new page has a line in mkdocs.yml
    assert read["strict"] and read["theme"]["font"] is False


def test_what_a_page_would_fetch_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://a.org">x</a><img src="b.png"><script src="//c.org/d.js"></script><link href=https://e.org/f>'
    )
    (tmp_path / "g.css").write_text("a { background: url(h.png) } @font-face { src: url('https://i.org/j.woff') }")
    assert [hit.partition(": ")[0] for hit in fetched(tmp_path)] == ["a.html", "a.html", "g.css"]


def test_images_of_pages_are_small() -> None:
    sizes = {path: path.stat().st_size for path in DOCS.rglob("*") if path.suffix in (".png", ".jpg", ".svg", ".webp")}
    assert max(sizes.values()) < 200_000
    assert sum(size for path, size in sizes.items() if path.parent.name in ("docs", "tutorial")) < 600_000


def test_the_glossary_explains_every_word_of_the_list_of_words() -> None:
    """The list is in docs/architecture.md#words."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("\n## Words\n")[2].split("\n\n")[1]
    words = [re.sub(r"\(.*?\)|`.*?`", "", part).partition(" in ")[0] for part in " ".join(text.split()).split("·")]
    listed = {one.strip(" .`") for word in words for one in word.split(",")}
    rows = re.findall(r"^\| ([^|]+) \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.M)
    explained = {one.strip() for row in rows for one in row.split(",")}
    assert listed - explained == set()
    assert len(listed) > 35
