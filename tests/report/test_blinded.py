"""Blinded sheets: the order is hidden and seeded, odd files are refused, figures equal those computed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clincot.errors import DataError
from clincot.report.blinded.choices import Reader, read_choices
from clincot.report.blinded.figures import kappa_of, read_out
from clincot.report.blinded.items import Entry, Item, Key, chosen_items, key_of, read_key, write_key
from clincot.report.blinded.sheet import sheet_page
from tests.objectives.rows import png

HOSTILE = '</script><script>alert("x")</script> \u202egnorw\u2028'


def items(count: int, per_image: int = 1) -> list[Item]:
    """Return items about `count / per_image` images; the judges disagree, and one did not rate the last item."""
    return [
        Item(f"won-{n}", f"film-{n // per_image}", f"question {n}", (png(n % 3),), (f"good {n}", f"bad {n}"))
        for n in range(count)
    ]


def key(firsts: str, images: str = "", **judges: Any) -> Key:
    """Return a key whose items show the first side's answer under these letters."""
    entries = (
        Entry(n, f"id-{n}", f"film-{image}", letter, {name: scores[n - 1] for name, scores in judges.items()})
        for n, (letter, image) in enumerate(zip(firsts, images or map(str, range(len(firsts))), strict=True), 1)
    )
    return Key("sheet-1", "a round", ("chosen", "rejected"), 0, tuple(entries))


def page_of(found: list[Item], seed: int = 0) -> tuple[str, dict[str, Any], Key]:
    made = key_of(found, "a round", ("chosen", "rejected"), seed)
    page = sheet_page(found, made)
    held = re.search(r'<script type="application/json" id="sheet">(.*?)</script>', page, re.DOTALL)
    assert held
    return page, json.loads(held[1]), made


def test_every_image_comes_before_a_second_question_about_one_and_the_seed_decides() -> None:
    found = chosen_items(items(12, per_image=3), 5, seed=0)
    assert len({item.image_id for item in found}) == 4 and len({item.id for item in found}) == 5
    assert found == chosen_items(items(12, per_image=3), 5, seed=0)
    assert [i.id for i in found] != [i.id for i in chosen_items(items(12, per_image=3), 5, seed=1)]
    assert len(chosen_items(items(3), 50, seed=0)) == 3 and chosen_items([], 5, seed=0) == []


def test_a_sheet_shows_both_answers_in_an_order_that_its_key_alone_knows(tmp_path: Path) -> None:
    page, data, made = page_of(items(40))
    letters = [entry.first for entry in made.entries]
    assert 8 < letters.count("A") < 32 and letters != [e.first for e in page_of(items(40), seed=1)[2].entries]
    for shown, entry in zip(data["items"], made.entries, strict=True):
        assert shown[entry.first].startswith("good") and shown["AB".replace(entry.first, "")].startswith("bad")
    assert "won-" not in page and "film-" not in page and len(data["images"]) == 3
    assert all(image.startswith("data:image/png;base64,") for image in data["images"].values())
    write_key(made, tmp_path / "key.json")
    assert read_key(tmp_path / "key.json") == made


def test_hostile_texts_are_text_and_nothing_is_fetched() -> None:
    (one,) = items(1)
    page, data, _ = page_of([Item(one.id, one.image_id, HOSTILE, one.images, (HOSTILE, "x" * 100_000), {}, HOSTILE)])
    assert data["items"][0]["question"] == HOSTILE == data["items"][0]["reference"]
    assert "<script>alert" not in page and page.count("</script>") == 2 and "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page) and "innerHTML" not in page


@pytest.mark.parametrize("form", ["json", "csv", "semicolons"])
def test_choices_are_read_by_the_letter_of_the_first_side(form: str, tmp_path: Path) -> None:
    chosen = {1: "A", 2: "A", 3: "same", 4: "unsure"}
    path = tmp_path / "dr-x.json"
    if form == "json":
        rows = [{"item": item, "choice": choice, "comment": ""} for item, choice in chosen.items()]
        path.write_text(json.dumps({"format": "clincot-choices-1", "sheet": "sheet-1", "reader": "", "choices": rows}))
    else:
        lines = ["sheet,reader,item,choice", *(f'"sheet-1","",{item},{choice}' for item, choice in chosen.items())]
        text = "\ufeff" + "\r\n".join(lines)
        path.write_text(text.replace(",", ";") if form == "semicolons" else text, encoding="utf-8")
    assert read_choices([path], key("ABAA")) == [Reader("dr-x", {1: "first", 2: "second", 3: "same"}, 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "holds no choices of a sheet"),
        ("item,choice\n1,A", "no column sheet, reader"),
        ("sheet,reader,item,choice\n", "holds no choice"),
        ("sheet,reader,item,choice\nother,x,1,A", "is of sheet 'other'"),
        ("sheet,reader,item,choice\nsheet-1,x,5,A", "the sheet has items 1 to 4"),
        ("sheet,reader,item,choice\nsheet-1,x,1,C", "choice 'C'"),
        ("sheet,reader,item,choice\nsheet-1,x,1,A\nsheet-1,x,1,B", "is there twice"),
        ("sheet,reader,item,choice\nsheet-1,x,1,A\nsheet-1,y,2,B", "choices of 2 readers"),
    ],
)
def test_odd_choices_are_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        read_choices([tmp_path / "x.csv"], key("AAAA"))


def test_two_files_of_one_reader_and_a_file_that_is_no_key_are_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("sheet,reader,item,choice\nsheet-1,x,1,A")
    with pytest.raises(DataError, match="another file is by 'x' too"):
        read_choices([tmp_path / "a.csv", tmp_path / "b.csv"], key("AA"))
    for path in ("a.csv", "absent.json"):
        with pytest.raises(DataError, match=r"is no key of a sheet|cannot be read"):
            read_key(tmp_path / path)


def test_kappa_is_that_of_the_textbook_and_undefined_where_both_say_one_thing() -> None:
    table = np.array([20, 5, 0, 10, 15, 0, 0, 0, 0])  # 0.7 observed, 0.5 expected
    assert kappa_of(table) == pytest.approx(0.4)
    assert np.isnan(kappa_of(np.array([7, 0, 0, 0, 0, 0, 0, 0, 0]))) and np.isnan(kappa_of(np.zeros(9)))


def test_win_rates_and_agreement_with_readers_and_judges() -> None:
    scores = [(0.9, 0.1), (0.2, 0.4), (0.5, 0.5), (None, 0.3)]
    made = key("ABAB", images="0012", judge=scores)
    readers = [
        Reader("x", {1: "first", 2: "first", 3: "same", 4: "second"}, 0),
        Reader("y", {1: "first", 2: "second", 3: "same"}, 1),
    ]
    found = read_out(made, readers)
    x, y = found.readers
    assert x.rate.value == pytest.approx(2.5 / 4) and (x.first, x.second, x.same, x.unsure) == (2, 1, 1, 0)
    assert y.rate.value == pytest.approx(1.5 / 3) and y.unsure == 1 and (y.rate.n, y.rate.images) == (3, 2)
    assert found.everyone.rate.value == pytest.approx(4 / 7) and found.everyone.rate.n == 7
    assert x.rate.low is not None and x.rate.low < x.rate.value < (x.rate.high or 0)
    (both,) = found.agreement
    assert both.share.value == pytest.approx(2 / 3) and both.share.n == 3
    assert both.kappa.value == pytest.approx((2 / 3 - 3 / 9) / (1 - 3 / 9))
    by_judge = {one.one: one for one in found.judges}
    alone = read_out(key("ABAB", judge=[(0.9, 0.1)] * 4), readers).judges
    assert [one.kappa.value for one in alone] == [None, None] and alone[0].share.value == pytest.approx(2 / 4)
    assert by_judge["y"].other == "judge" and by_judge["y"].share.value == 1 and by_judge["x"].share.n == 3


def test_one_image_gives_no_interval() -> None:
    figure = read_out(key("AB", images="00"), [Reader("x", {1: "first", 2: "second"}, 0)]).everyone.rate
    assert figure.value == 0.5 and figure.low is None and figure.images == 1
