"""The page of a round's pairs: what it knows of each pair, hostile texts as text, images once, nothing from outside."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clincot.regions.kept_maps import kept_map
from clincot.report.view.entries import Around, entries
from clincot.report.view.page import SCRIPTS, Heading, Images, write_page
from tests.objectives.rows import make_group, make_row, png

HOSTILE = '</script><script>alert("x")</script> \u202egnorw\u2028 <img src=x onerror=alert(1)>'


def _candidate(name: str, score: float | None, **more: Any) -> dict[str, Any]:
    judged = [{"judge": judge, "own": own, "next": None} for judge, own in (("a", 0.9), ("b", 0.2))]
    row = {"id": name, "example_id": "example-0", "step": 1, "text": name, "score": score, "finish": "stop"}
    return row | {"region": None, "lookahead": ["yes"], "judge_scores": judged, "findings": ["A finding."]} | more


def _page(folder: Path, rows: list[dict[str, Any]], around: Around | None = None) -> list[dict[str, Any]]:
    folder.mkdir()
    write_page(folder, Heading("a <round>", ["from <b>here</b>"]), lambda keep: entries(rows, around or Around(), keep))
    data = (folder / "data.js").read_text().partition(" = ")[2].rstrip(";\n")
    found: list[dict[str, Any]] = json.loads(data)["entries"]
    return found


def test_candidates_say_which_of_them_a_pair_prefers(tmp_path: Path) -> None:
    rows = make_group(0)
    around = Around.of([_candidate(f"c{n}", 0.5) for n in range(5)], [], [])
    for row, one in zip(rows, _page(tmp_path / "page", rows, around), strict=True):
        sides = {candidate["side"]: candidate["id"] for candidate in one["candidates"] if candidate["side"]}
        assert sides == {"chosen": row["chosen_candidate"], "rejected": row["rejected_candidate"]}
        assert one["findings"] == ["A finding."] and one["question"] == "Is there a nodule in the left lung?"
        assert one["chosen"]["region"]["hypothesis"] == "nodule" and one["gold"] is None


def test_each_side_has_its_own_images_and_each_image_is_written_once(tmp_path: Path) -> None:
    rows = make_group(0)
    (first, *_) = found = _page(tmp_path / "page", rows)
    files = {image["file"] for one in found for side in ("chosen", "rejected") for image in one[side]["images"]}
    files |= {image["file"] for one in found for image in one["images"]}
    assert len(files) == 5 + 1 == len(list((tmp_path / "page/images").iterdir()))
    assert [len(first[side]["images"]) for side in ("chosen", "rejected")] == [1, 1]
    assert first["images"][0]["width"] == 36 and first["images"][0]["height"] == 40


@pytest.mark.parametrize(("count", "sides"), [(0, (0, 2)), (2, (2, 0)), (None, (1, 1))])
def test_rows_say_which_images_are_whose(count: int | None, sides: tuple[int, int], tmp_path: Path) -> None:
    (one,) = _page(tmp_path / "page", [make_row(0, chosen_images_count=count)])
    assert tuple(len(one[side]["images"]) for side in ("chosen", "rejected")) == sides


def test_what_a_model_wrote_stays_text_and_nothing_is_fetched(tmp_path: Path) -> None:
    rows = [make_row(0, chosen=HOSTILE, rejected="x" * 100_000, id=HOSTILE)]
    (one,) = _page(tmp_path / "page", rows)
    assert one["chosen"]["text"] == HOSTILE and len(one["rejected"]["text"]) == 100_000
    page, data = ((tmp_path / "page" / name).read_text() for name in ("index.html", "data.js"))
    assert "<script>alert" not in page and "</script" not in data and "\u2028" not in data
    assert "<b>here" not in page and len(page) < 5_000
    script = "".join((tmp_path / "page" / name).read_text() for name in SCRIPTS)
    style = (tmp_path / "page/view.css").read_text()
    assert "innerHTML" not in script and "eval(" not in script
    links = re.findall(r"(?:src|href)=\"([^\"]*)\"", page)
    assert links == ["data:,", "view.css", "data.js", *SCRIPTS]
    assert re.findall(r"https?://[^\"]*", script + style) == ["http://www.w3.org/2000/svg"]


def test_heat_maps_of_an_image_are_files_that_pairs_share(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    grey = kept_map(np.arange(9.0).reshape(3, 3))
    maps = {"example": {"nodule": grey, "mass": grey}, "unseen": {"nodule": grey}}
    heading = Heading("a round", round=2, dataset="me/pairs@round-2")
    write_page(tmp_path / "page", heading, lambda keep: entries(make_group(0), Around(), keep), maps)
    data = json.loads((tmp_path / "page/data.js").read_text().partition(" = ")[2].rstrip(";\n"))
    (file,) = (tmp_path / "page/maps").iterdir()
    assert data["maps"] == {"example": {"nodule": f"maps/{file.name}", "mass": f"maps/{file.name}"}}
    assert (data["round"], data["dataset"]) == (2, "me/pairs@round-2") and data["entries"][0]["image"] == "example"


def test_scores_that_are_no_numbers_or_absent(tmp_path: Path) -> None:
    (one,) = _page(tmp_path / "nan", [make_row(0, chosen_score=float("nan"), weight=float("inf"))])
    assert one["chosen"]["score"] is None and one["weight"] is None


def test_scores_that_are_absent_are_no_numbers(tmp_path: Path) -> None:
    around = Around.of([_candidate("c0", None)], [], [])
    (one,) = _page(tmp_path / "page", [make_row(0, chosen_score=None, side_images=None, chosen_region=None)], around)
    assert one["chosen"]["score"] is None and one["candidates"][0]["score"] is None
    assert one["chosen"]["images"] == [] and one["chosen"]["region"] is None


def test_an_image_that_no_browser_shows_becomes_a_png(tmp_path: Path) -> None:
    deep = io.BytesIO()
    Image.fromarray(np.full((4, 6), 40_000, np.uint16)).save(deep, "PNG")
    tiff = io.BytesIO()
    Image.open(io.BytesIO(png(1))).save(tiff, "TIFF")
    for data in (deep.getvalue(), tiff.getvalue()):
        shown = Images(tmp_path).keep(data)
        with Image.open(tmp_path / shown.file) as image:
            assert image.format == "PNG" and image.mode == "RGB" and (shown.width, shown.height) == image.size
