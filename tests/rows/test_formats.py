"""Rows as five projects write them, read by hand-made examples, written and read again, and what is no pair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clincot.errors import ClincotError
from clincot.rows import formats
from clincot.rows.files import records
from clincot.rows.formats.base import OtherPair, UnfitRow, fits

ASKED = {"role": "user", "content": "Is there a nodule?"}
YES, NO = "Yes.", "No, the lungs are clear."
PAIR = OtherPair((ASKED,), ("a.png",), YES, NO)
WEIGHED = replace(PAIR, weight=0.8)
TURNS = [{"role": "user", "content": "<image>Is there a nodule?"}, {"role": "assistant", "content": YES}]
HUMAN = {"from": "human", "value": "<image>\nIs there a nodule?"}
GPT_YES, GPT_NO = {"from": "gpt", "value": f" {YES}"}, {"from": "gpt", "value": f" {NO}\n"}
BLOCKS = [{"type": "image", "text": None}, {"type": "text", "text": "Is there a nodule?"}]
LLAVA = {"image": "a.png", "conversations": [HUMAN, GPT_YES], "rejected_conversations": [HUMAN, GPT_NO]}
SWIFT = {"messages": TURNS, "rejected_response": NO, "images": ["a.png"]}
FACTORY = {
    "conversations": [{"from": "human", "value": "<image>Is there a nodule?"}],
    "chosen": {"from": "gpt", "value": YES},
    "rejected": {"from": "gpt", "value": NO},
    "images": ["a.png"],
}
SAID = [{"role": "assistant", "content": YES}], [{"role": "assistant", "content": [{"type": "text", "text": NO}]}]
TRL = {"prompt": [ASKED], "chosen": SAID[0], "rejected": SAID[1], "images": ["a.png"]}
READ = [
    ("trl", TRL, PAIR),
    ("trl", {"prompt": ASKED["content"], "chosen": YES, "rejected": NO, "image": "a.png"}, PAIR),
    ("trl", TRL | {"prompt": [{"role": "user", "content": BLOCKS}], "weight": 0.8}, WEIGHED),
    ("trl", {"chosen": [ASKED, *SAID[0]], "rejected": [ASKED, *SAID[1]], "images": ["a.png"]}, PAIR),
    ("trl", TRL | {"margin": 0.25}, replace(PAIR, margin=0.25)),
    ("swift", SWIFT, PAIR),
    ("swift", SWIFT | {"messages": [ASKED, TURNS[1]]}, PAIR),
    ("swift", SWIFT | {"rejected_images": ["a.png"]}, PAIR),
    (
        "swift",
        SWIFT | {"rejected_images": ["b.png"]},
        replace(PAIR, images=(), chosen_images=("a.png",), rejected_images=("b.png",)),
    ),
    (
        "swift",
        {"messages": TURNS, "images": "a.png", "rejected_messages": [TURNS[0], {"role": "assistant", "content": NO}]},
        PAIR,
    ),
    (
        "swift",
        SWIFT | {"system": "Be brief."},
        replace(PAIR, prompt=({"role": "system", "content": "Be brief."}, ASKED)),
    ),
    ("llamafactory", FACTORY, PAIR),
    ("llamafactory", FACTORY | {"conversations": None, "messages": TURNS[:1]}, PAIR),
    (
        "llamafactory",
        {"instruction": "<image>Is there", "input": "a nodule?", "chosen": YES, "rejected": NO, "images": ["a.png"]},
        replace(PAIR, prompt=({"role": "user", "content": "Is there\na nodule?"},)),
    ),
    ("llava", LLAVA, PAIR),
    (
        "llava",
        LLAVA
        | {"conversations": [HUMAN | {"value": "Is there a nodule?\n<image>"}, GPT_YES]}
        | {"rejected_conversations": [HUMAN | {"value": "Is there a nodule?\n<image>"}, GPT_NO]},
        PAIR,
    ),
    ("llava", {"image": "a.png", "conversations": [HUMAN], "chosen": GPT_YES, "rejected": [GPT_NO]}, PAIR),
    ("mmedpo", LLAVA | {"weighted_score": 0.8}, WEIGHED),
]


@pytest.mark.parametrize(("name", "row", "pair"), READ)
def test_a_row_of_each_project_is_read(name: str, row: dict, pair: OtherPair) -> None:
    given = {key: value for key, value in row.items() if value is not None}
    form = formats.load(name)
    assert fits(form, given) and form.read(given) == pair


ODD = [
    ("trl", TRL | {"images": ["a.png", "b.png"], "prompt": [{"role": "user", "content": BLOCKS}]}, "image marks"),
    ("trl", TRL | {"prompt": [ASKED, *SAID[0]]}, "does not end with the user's turn"),
    ("trl", TRL | {"prompt": []}, "turns cannot be read"),
    ("trl", TRL | {"prompt": " "}, "empty prompt"),
    ("trl", TRL | {"chosen": [*SAID[0], *SAID[0]]}, "no single text"),
    ("trl", TRL | {"chosen": [ASKED]}, "turns cannot be read"),
    ("trl", TRL | {"weight": "high"}, "weight is not a number"),
    ("trl", TRL | {"weight": float("nan")}, "weight is not a number"),
    ("trl", TRL | {"weight": True}, "weight is not a number"),
    ("trl", {"chosen": [ASKED, *SAID[0]], "rejected": [{**ASKED, "content": "Else?"}, *SAID[1]]}, "does not end with"),
    ("swift", SWIFT | {"images": ["a.png", "b.png"]}, "image marks"),
    ("swift", SWIFT | {"images": []}, "image marks"),
    ("swift", SWIFT | {"rejected_images": ["a.png", "b.png"]}, "different numbers of images"),
    ("swift", SWIFT | {"rejected_response": "<image>"}, "an image mark in an answer"),
    ("swift", SWIFT | {"videos": ["a.mp4"]}, "with videos"),
    ("swift", {"messages": TURNS, "rejected_messages": [ASKED, TURNS[1]], "images": ["a.png"]}, "different prompts"),
    ("swift", SWIFT | {"messages": [{"role": "wizard", "content": "x"}, TURNS[1]]}, "turns cannot be read"),
    ("llamafactory", FACTORY | {"conversations": [{"from": "human", "value": "Is there a nodule?"}]}, "image marks"),
    ("llamafactory", FACTORY | {"conversations": "Is there?"}, "turns cannot be read"),
    ("llava", LLAVA | {"image": ["a.png", "b.png"]}, "image marks"),
    ("llava", LLAVA | {"rejected_conversations": [HUMAN | {"value": "<image>\nElse?"}, GPT_NO]}, "different prompts"),
    ("llava", LLAVA | {"conversations": [HUMAN, GPT_YES, HUMAN, GPT_YES]}, "different prompts"),
]


@pytest.mark.parametrize(("name", "row", "says"), ODD)
def test_a_row_that_is_no_pair_says_why(name: str, row: dict, says: str) -> None:
    with pytest.raises(UnfitRow, match=says) as caught:
        formats.load(name).read(row)
    assert says in caught.value.reason or says in str(caught.value)


MIXED = [{"type": "image"}, {"type": "text", "text": "Compare with"}, {"type": "image"}, {"type": "text", "text": "."}]
WRITTEN = {
    "one image": PAIR,
    "two images and a weight": replace(WEIGHED, images=("a.png", "b.png")),
    "no image": replace(PAIR, images=()),
    "a chain": replace(PAIR, prompt=({"role": "system", "content": "Be brief."}, ASKED, TURNS[1], ASKED)),
    "literal marks": replace(PAIR, prompt=({"role": "user", "content": "What is <image> for?"},), chosen="A <video>."),
}


@pytest.mark.parametrize("name", formats.FORMATS)
@pytest.mark.parametrize("case", WRITTEN)
def test_what_is_written_is_read_again(name: str, case: str, tmp_path: Path) -> None:
    form, pair = formats.load(name), WRITTEN[case]
    given = replace(pair, images=tuple({"bytes": i.encode(), "path": i} for i in pair.images)) if form.embeds else pair
    form.save([form.write(given, 0)], tmp_path)
    ((_, row),) = records(next(path for path in sorted(tmp_path.iterdir()) if path.stem == "train"))
    again = form.read({key: value for key, value in row.items() if value is not None})
    if name == "mmedpo" and pair.weight is None:
        pair = replace(pair, weight=1.0)
    if case == "literal marks":
        given = replace(given, prompt=({"role": "user", "content": "What is < image> for?"},), chosen="A < video>.")
    assert round(again.weight or 1, 6) == (pair.weight or 1)
    assert replace(again, weight=None) == replace(given, weight=None)


def test_images_between_texts_keep_their_places_where_a_format_can_say_so() -> None:
    pair = replace(PAIR, prompt=({"role": "user", "content": MIXED},), images=("a.png", "b.png"))
    for name in ("swift", "llamafactory"):
        form = formats.load(name)
        row = form.write(pair, 0)
        assert "<image>Compare with<image>." in str(row) and form.read(row).images == pair.images
        assert form.read(form.write(form.read(row), 0)) == form.read(row)
    assert [name for name in formats.FORMATS if formats.load(name).in_text] == ["swift", "llamafactory"]


def test_an_unknown_format_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'llamafactory'"):
        formats.load("llama-factory")


@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [
        ("a.jsonl", b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2}\nnot json\n[1]\n{"a": "\xff"}', [1, 3, 4, 5, 6]),
        ("a.json", b'\xef\xbb\xbf[{"a": 1}, 3]', [1, 2]),
        ("lines.json", b'{"a": 1}\n{"a": 2}\n{"a', [1, 2, 3]),
    ],
)
def test_lines_that_cannot_be_read_are_no_rows(tmp_path: Path, name: str, text: bytes, numbers: list[int]) -> None:
    path = tmp_path / name
    path.write_bytes(text)
    read = list(records(path))
    assert [number for number, _ in read] == numbers
    broken = [number for number, row in read if row is None]
    assert broken == {"a.jsonl": [4, 5, 6], "a.json": [2], "lines.json": [3]}[name]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", b'{"rows": []}', "is a JSON dict, not a list"),
        ("a.json", b"[{,", "cannot be read as JSON"),
        ("a.json", b"[" * 100_000, "cannot be read as JSON"),
        ("a.parquet", b"PAR1", "cannot be read as parquet"),
        ("a.csv", b"a\n1\n", "does not end in"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str, text: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(ClincotError, match=says):
        list(records(tmp_path / name))
