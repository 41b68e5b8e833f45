"""Prompts in a file: text where text says the same, blocks where it does not, and older files read as before."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Features, Json, List, Value

from clincot.objectives.sft import GOLD_FEATURES
from clincot.objectives.sides import Renderer
from clincot.rows.schema import CANDIDATE_FEATURES, PAIR_FEATURES, REGION_FEATURES, table, write_parquet
from clincot.rows.stored_features import file_schema
from clincot.rows.stored_messages import read_content, stored_messages
from clincot.runs.redistribution import redacted
from tests.objectives.rows import make_row
from tests.tiny import tiny_policy

IMAGE = {"type": "image"}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def user(*blocks: dict) -> list[dict]:
    return [{"role": "user", "content": list(blocks)}]


@pytest.mark.parametrize(
    ("messages", "images", "expected"),
    [
        (user(IMAGE, IMAGE, text("Is it?")), 2, "Is it?"),
        (user(IMAGE, text("Is it?\nSay.")), None, "Is it?\nSay."),
        (user(text("Is it?")), 0, "Is it?"),
        (user(text("لا <image> 有吗？")), 0, "لا <image> 有吗？"),
        ([{"role": "user", "content": '[{"odd": 1}] and more'}], 1, '[{"odd": 1}] and more'),
    ],
)
def test_images_before_one_text_become_that_text(messages: list, images: int | None, expected: str) -> None:
    assert stored_messages(messages, images) == [{"role": "user", "content": expected}]
    assert read_content(expected) == expected


@pytest.mark.parametrize(
    ("messages", "images"),
    [
        (user(IMAGE, text("one image asked, two held")), 2),
        (user(text("after"), IMAGE), 1),
        (user(IMAGE, text("first"), text("second")), 1),
        ([{"role": "system", "content": [IMAGE, text("?")]}, {"role": "user", "content": [text("?")]}], 1),
    ],
)
def test_what_text_cannot_say_stays_blocks(messages: list, images: int) -> None:
    stored = stored_messages(messages, images)
    assert all(isinstance(message["content"], str) for message in stored)
    assert [read_content(message["content"]) for message in stored] == [m["content"] for m in messages]
    assert stored_messages(stored, images) == stored  # written again, nothing changes


def test_a_system_turn_becomes_text_too() -> None:
    messages = [{"role": "system", "content": [text("You are.")]}, *user(IMAGE, text("Is it?"))]
    assert [m["content"] for m in stored_messages(messages, 1)] == ["You are.", "Is it?"]


def types_of(tree: object) -> set[str]:
    if isinstance(tree, dict):
        own = {tree["_type"]} if isinstance(tree.get("_type"), str) else set()
        return own.union(*(types_of(value) for value in tree.values()))
    return set().union(*map(types_of, tree)) if isinstance(tree, list) else set()


@pytest.mark.parametrize(
    "features",
    [PAIR_FEATURES, CANDIDATE_FEATURES, REGION_FEATURES, GOLD_FEATURES, redacted.PAIR_FEATURES],
    ids=["pairs", "candidates", "regions", "gold", "withheld"],
)
def test_the_metadata_of_a_file_names_features_that_datasets_3_knows(features: Features) -> None:
    schema = file_schema(features)
    found = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert types_of(found) <= {"Value", "Image", "Sequence"}
    read = Features.from_arrow_schema(schema)
    assert set(read) == set(features)
    for name, feature in features.items():
        if name == "prompt":
            assert read[name] == List({"role": Value("string"), "content": Value("string")})
        else:
            assert read[name] == feature, name


def test_a_written_file_holds_text_and_its_images_decode(tmp_path) -> None:
    import datasets

    path = tmp_path / "part.parquet"
    write_parquet([table([make_row(0), make_row(1)], PAIR_FEATURES)], path, PAIR_FEATURES)
    (row, _) = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert isinstance(row["prompt"][0]["content"], str)
    assert [image.size for image in (*row["images"], *row["side_images"])] == [(36, 40)] * 3


@pytest.fixture(scope="module")
def renderer(tmp_path_factory) -> Renderer:
    from transformers import AutoProcessor

    return Renderer(AutoProcessor.from_pretrained(tiny_policy(tmp_path_factory.mktemp("policy") / "base")))


def older(rows: list[dict]) -> pa.Table:
    """The rows as files before text prompts had them."""
    from datasets import Dataset

    features = Features(PAIR_FEATURES | {"prompt": List({"role": Value("string"), "content": Json()})})
    return Dataset.from_list(rows, features=features).with_format("arrow")[:].cast(features.arrow_schema)


def test_rows_of_an_older_file_and_of_a_new_one_are_the_same_sides(renderer: Renderer, tmp_path) -> None:
    from clincot.stages.train.rows import check_placeholders, load_rows

    rows = [make_row(i) for i in range(3)]
    pq.write_table(older(rows), tmp_path / "old.parquet")
    write_parquet([table(rows, PAIR_FEATURES)], tmp_path / "new.parquet", PAIR_FEATURES)
    # A build that an update interrupted joins parts of both kinds.
    mixed = [older(rows[:1]), table(rows[1:], PAIR_FEATURES)]
    write_parquet([part.cast(file_schema(PAIR_FEATURES)) for part in mixed], tmp_path / "mixed.parquet", PAIR_FEATURES)
    sides = {}
    for name in ("old", "new", "mixed"):
        read = load_rows([tmp_path / f"{name}.parquet"], tmp_path / name, scores=True, reference=False)
        check_placeholders(read, renderer)
        sides[name] = [(side.prompt, side.completion, side.image_keys) for row in read for side in renderer.pair(row)]
    assert sides["old"] == sides["new"] == sides["mixed"]
    assert sides["new"][0][0].count("<image>") == 2


def test_redacted_rows_of_an_older_file_come_back_as_text(tmp_path) -> None:
    (row,) = [make_row(0)]
    pq.write_table(older([row]), tmp_path / "old.parquet")
    (found,) = redacted.read_rows(tmp_path / "old.parquet")
    assert found["prompt"] == row["prompt"]
    (again,) = table([found], PAIR_FEATURES).to_pylist()
    assert again["prompt"] == stored_messages(row["prompt"], 2)
