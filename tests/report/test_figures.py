"""Figures: the numbers of a CSV are those that were given, every format has each text, and shapes stay in the sheet."""

from __future__ import annotations

import csv
import io
import math
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from clincot.report.figures.axes import ticks
from clincot.report.figures.charts import Series, bars, histogram, line_chart, scatter
from clincot.report.figures.drawing import PAPER, Drawing, Label, Line, sheet
from clincot.report.figures.figure import Figure, counted
from clincot.report.figures.png import SCALE
from clincot.report.figures.svg import page_svg, paper_svg

HOSTILE = '</svg><script>alert("x")</script> \u202egnorw \x07 & a very long text ' + "x" * 60


def panels() -> list[Drawing]:
    """Every kind of panel, with ties, a missing value, one point alone and nothing at all."""
    wave = Series("region", ((0, 81.2), (1, math.nan), (2, 83.8)), ((75.0, 88.0), (math.nan, math.nan), (79.0, 89.0)))
    return [
        line_chart("accuracy", [wave, Series(HOSTILE, ((0, 40.0), (2, 40.0)))], ("", "percent"), {0: "base", 2: "r-2"}),
        line_chart("flat", [Series("a", ((1, 0.5),))], ("step", "")),
        line_chart("nothing", [], ("step", "")),
        histogram("margins", [0.0, 0.5, 1.0], {"round-1": [3, 0], "round-2": [3, 7]}, ("margin", "pairs")),
        bars(HOSTILE, {HOSTILE: [3.0, 0.0]}, ("a", "b"), "count"),
        scatter("judges", {(0.1, 0.1): 9, (0.9, 0.1): 1}, ("a", "b")),
    ]


def test_files_hold_the_numbers_as_they_are_and_texts_as_texts() -> None:
    rows = (("round-1", 0.1 + 0.2, 3), ("=2+2", -0.5, None))
    figure = Figure("margins", HOSTILE, (), tuple(panels()), ("round", "margin", "pairs"), rows)
    files = figure.files()
    assert list(files) == ["margins.png", "margins.svg", "margins.csv"]
    read = list(csv.reader(io.StringIO(files["margins.csv"].decode())))
    assert read[0] == ["round", "margin", "pairs"] and float(read[1][1]) == 0.1 + 0.2
    assert read[2] == ["'=2+2", "-0.5", ""]  # a spreadsheet would compute a text that begins with =
    svg = files["margins.svg"].decode()
    assert "<script" not in svg and "\u202e" not in svg and "\x07" not in svg
    tree = ElementTree.fromstring(svg)
    size = float(tree.get("width", "0")), float(tree.get("height", "0"))
    with Image.open(io.BytesIO(files["margins.png"])) as image:
        assert list(image.size) == pytest.approx([side * SCALE for side in size], abs=SCALE)
        assert image.getpixel((1, 1)) == (255, 255, 255)
    for circle in tree.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(circle.get("cx", "-1")) <= size[0] and 0 <= float(circle.get("cy", "-1")) <= size[1]


def test_a_page_draws_with_its_own_colours_and_a_paper_with_fixed_ones() -> None:
    drawing = panels()[0]
    page, paper = page_svg(drawing, "a & b"), paper_svg(drawing, "a & b")
    assert set(re.findall(r"var\(--(\w+)\)", page)) <= set(PAPER) and "#" not in page.replace("&#", "")
    assert "var(" not in paper and 'aria-label="a &amp; b"' in page
    assert 'stroke-dasharray="5 3"' in page  # the second line is told from the first without colours


def test_a_missing_value_has_no_dot_and_no_interval() -> None:
    drawing = line_chart("a", [Series("a", ((0, 1.0), (1, math.nan)), ((0.5, 1.5), (math.nan, math.nan)))], ("", ""))
    assert all(math.isfinite(v) for shape in drawing.shapes if isinstance(shape, Line) for p in shape.points for v in p)


def test_bins_are_half_open_but_for_the_last() -> None:
    assert counted([0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 1.0]) == [1, 3]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (99.5, 100.5), (-0.03, 0.02), (0, 70), (1e-9, 5e-6), (0, 3e6)])
def test_ticks_are_few_lie_within_and_are_written_apart(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 7 and all(low - 1e-12 <= value <= high * (1 + 1e-9) for value in found)
    assert len(set(found.values())) == len(found)


def test_a_sheet_sets_panels_side_by_side() -> None:
    one = Drawing(100, 50, (Label(5, 10, "here"),))
    whole = sheet("title", [one] * 4, columns=3)
    places = [(shape.x, shape.y) for shape in whole.shapes if isinstance(shape, Label) and shape.text == "here"]
    assert places == [(5, 46), (105, 46), (205, 46), (5, 96)] and whole.height == 136
