"""Rows that people's preference data hold: trained rightly, dropped and counted by rule, or refused by name."""

from __future__ import annotations

import warnings

import pytest

from clincot.chain.prompts import direct_messages
from clincot.errors import DataError
from clincot.objectives.sides import Renderer
from clincot.stages.train.odd_rows import EMPTY, EQUAL, WEIGHT, WORSE, DroppedRows, keep_rows
from clincot.stages.train.rows import check_placeholders, load_rows, stored_rows
from tests.objectives.rows import make_row, png, write_rows

NAN = float("nan")
IMAGE = {"bytes": png(1), "path": "a.png"}
OTHER = {"bytes": png(2), "path": "b.png"}
ALIKE = {"side_images": [IMAGE, IMAGE]}


def read(folder, *odd: dict, plain: int = 2):
    rows = [make_row(number, **changes) for number, changes in enumerate(odd)]
    rows += [make_row(10 + number) for number in range(plain)]
    path = write_rows(folder / "part.parquet", rows)
    return load_rows([path], folder / "cache", scores=True, reference=False)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"chosen": "Yes", "rejected": "Yes"} | ALIKE, EQUAL),
        ({"chosen": "Yes", "rejected": " Yes\n"} | ALIKE, EQUAL),
        ({"chosen": "A nodule.\r\nLeft.", "rejected": "A  nodule.\nLeft."} | ALIKE, EQUAL),
        ({"chosen": "左肺。\u3000有", "rejected": "左肺。 有 "} | ALIKE, EQUAL),
        ({"rejected": ""}, EMPTY),
        ({"chosen": "  \n "}, EMPTY),
        ({"chosen": "", "rejected": ""}, EMPTY),
        ({"rejected": "\u200b\ufeff"}, EMPTY),
        ({"chosen": "\x00"}, EMPTY),
        ({"chosen_score": 0.1, "rejected_score": 0.9}, WORSE),
        ({"chosen_score": 0.49, "rejected_score": 0.5}, WORSE),
        ({"weight": -1.0}, WEIGHT),
        ({"weight": -1e-6}, WEIGHT),
        ({"weight": NAN}, WEIGHT),
        ({"weight": float("inf")}, WEIGHT),
    ],
)
def test_rows_without_a_preference_are_dropped_counted_and_said(changes: dict, rule: str, tmp_path) -> None:
    with pytest.warns(DroppedRows, match=rf"part.parquet: 1 of 3 pairs are not trained on: 1 {rule}\."):
        kept, dropped = keep_rows(read(tmp_path, changes), "part.parquet")
    assert dropped == {rule: 1} and kept["id"][:] == ["row-10", "row-11"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"chosen_score": 0.5, "rejected_score": 0.5},
        {"weight": 0.0},
        {"weight": None},
        {"chosen": "Yes", "rejected": "yes"},
        {"chosen": "< 3 cm", "rejected": "> 3 cm"},
        {"chosen": "لا توجد عقدة.", "rejected": "عقدة."},
        {"chosen": "👩‍⚕️"},
        {"chosen": "a\x00b"},
    ],
)
def test_rows_with_a_preference_are_kept(changes: dict, tmp_path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DroppedRows)
        kept, dropped = keep_rows(read(tmp_path, changes), "part.parquet")
    assert dropped == {} and len(kept) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chosen": None}, "row row-1: its chosen text is null"),
        ({"rejected": None, "chosen": ""}, "row row-1: its rejected text is null"),
        ({"prompt": None}, "row row-1: its prompt is null"),
        ({"prompt": []}, "row row-1: its prompt is empty"),
        ({"prompt": [{"role": "user", "content": None}]}, "row row-1: .*no role or no content|its prompt"),
        ({"images": [None]}, "row row-1: an image has no bytes"),
        ({"images": [{"bytes": None, "path": "/nowhere/x.png"}]}, "row row-1: an image has no bytes"),
        ({"side_images": [{"bytes": png(1), "path": "a.png"}, {"bytes": b"", "path": "b.png"}]}, "row-1: an image has"),
        ({"side_images": [{"bytes": png(1), "path": "a.png"}]}, "row row-1: side_images holds 1 images, not 2"),
        (
            {"side_images": [IMAGE] * 3, "chosen_images_count": 2, "rejected_images_count": 2},
            "row row-1: side_images holds 3 images, not 4",
        ),
    ],
)
def test_what_is_missing_is_refused_by_the_name_of_its_row(changes: dict, said: str, tmp_path) -> None:
    with pytest.raises(DataError, match=said):
        keep_rows(read(tmp_path, {}, changes), "part.parquet")


def test_rules_are_counted_together_and_nothing_left_is_an_error(tmp_path) -> None:
    odd = ({"rejected": ""}, {"chosen": "No", "rejected": "No "} | ALIKE, {"weight": -2.0}, {"rejected": " "})
    rows = read(tmp_path / "some", *odd)
    with pytest.warns(DroppedRows, match="4 of 6 pairs"):
        assert keep_rows(rows, "rows")[1] == {EMPTY: 2, EQUAL: 1, WEIGHT: 1}
    with pytest.raises(DataError, match=f"rows: no pair is left of 4: 1 {EQUAL}; 1 {WEIGHT}; 2 {EMPTY}"):
        keep_rows(read(tmp_path / "all", *odd, plain=0), "rows")


def test_weights_that_are_all_zero_are_refused(tmp_path) -> None:
    odd = ({"weight": 0.0}, {"weight": 0.0}, {"weight": -1.0})
    with pytest.raises(DataError, match="part.parquet: the weights of all 2 pairs are 0, so they would teach nothing"):
        keep_rows(read(tmp_path, *odd, plain=0), "part.parquet")


def test_one_text_with_two_images_is_a_pair_where_each_side_keeps_its_own(tmp_path) -> None:
    same = {"chosen": "Yes", "rejected": "Yes", "chosen_score": None, "rejected_score": None}
    two = {"side_images": [IMAGE, IMAGE, IMAGE, OTHER], "chosen_images_count": 2, "rejected_images_count": 2}
    none = {"side_images": [], "chosen_images_count": 0, "rejected_images_count": 0}
    worse = {"chosen_score": 0.1, "rejected_score": 0.2}
    odd = [same, same | two, same | none, same | {"weight": -1.0}, same | worse, same | ALIKE]
    path = write_rows(tmp_path / "part.parquet", [make_row(i, **changes) for i, changes in enumerate(odd)])
    rows = load_rows([path], tmp_path / "cache", scores=False, reference=False)
    with pytest.warns(DroppedRows):
        kept, dropped = keep_rows(rows, "rows")
    assert kept["id"][:] == ["row-0", "row-1"] and dropped == {EQUAL: 2, WEIGHT: 1, WORSE: 1}
    with pytest.raises(DataError, match=f"6 {EQUAL}. Build .* train.conditioning=per_side"):
        keep_rows(rows, "rows", conditioning="winner")


def test_checks_after_it_read_the_rows_that_were_kept(tmp_path, processor) -> None:
    bare = {"images": [], "side_images": [], "prompt": [{"role": "user", "content": "Is it?"}]}
    odd = ({"rejected": ""}, bare, {"chosen": ""}, {"ref_chosen_logp": -1.0, "ref_rejected_logp": -2.0})
    prompt = direct_messages("One image?")
    rows = read(tmp_path, *odd, {"prompt": prompt}, plain=1)
    with pytest.warns(DroppedRows):
        kept, _ = keep_rows(rows, "rows")
    assert kept["id"][:] == ["row-1", "row-3", "row-4", "row-10"] and stored_rows(kept) == 1
    with pytest.raises(DataError, match="row row-4: the prompt asks for 1 images and the chosen side has 2"):
        check_placeholders(kept, Renderer(processor))


def test_the_images_of_a_side_are_counted_as_its_row_says(tmp_path, processor) -> None:
    counts = {"chosen_images_count": 2, "rejected_images_count": 0}
    rows = read(tmp_path, {"prompt": direct_messages("One image?")} | counts, plain=0)
    with pytest.raises(DataError, match="the prompt asks for 1 images and the chosen side has 3"):
        check_placeholders(rows, Renderer(processor))


def test_sides_may_have_several_images_where_the_row_counts_them(tmp_path):
    """A side's images need not be two in all; a row that does not count them has one each."""
    four = {"side_images": [IMAGE] * 4, "chosen_images_count": 2, "rejected_images_count": 2}
    three = {"side_images": [IMAGE] * 3, "chosen_images_count": 1, "rejected_images_count": 2}
    rows = read(tmp_path, four, three)
    assert keep_rows(rows, "part.parquet") == (rows, {})
