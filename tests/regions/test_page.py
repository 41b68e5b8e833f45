"""docs/regions.md: every strip that it shows is there and small, and the committed script still draws them all."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"


def shown() -> set[str]:
    return set(re.findall(r"\(regions/(.+?\.jpg)\)", (DOCS / "regions.md").read_text(encoding="utf-8")))


def test_the_page_shows_every_strip_and_each_is_small():
    strips = sorted((DOCS / "regions").glob("*.jpg"))
    assert {path.name for path in strips} == shown()
    assert len(strips) <= 12
    assert all(path.stat().st_size <= 40_000 for path in strips)


def test_the_script_draws_what_the_page_shows(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("pydicom.data", reason="pydicom-data is not installed")
    pytest.importorskip("data_store", reason="pydicom-data is not installed")
    films = ["--vqa-rad", str(shared_data / "vqa_rad"), "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["draw.py", *films])
    runpy.run_path(str(DOCS / "regions" / "draw.py"), run_name="__main__")
    assert {path.name for path in tmp_path.iterdir()} == shown()
    for path in tmp_path.iterdir():
        with Image.open(path) as drawn, Image.open(DOCS / "regions" / path.name) as kept:
            assert abs(drawn.width - kept.width) <= 8, path.name  # a box may move by a pixel between machines
