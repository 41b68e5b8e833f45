"""The pair stage: rows of shards -> pairs and their facts; rows that do not belong together are refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clincot.errors import DataError
from clincot.images import content_id, encode_png
from clincot.images.views import Gallery
from clincot.recipe import Recipe, load_recipe
from clincot.records import WHOLE, Box, Candidate, Example, Hypothesis, JudgeScore, Region, View
from clincot.rows.schema import candidate_row, region_row
from clincot.stages.pair.round import PairJob, pair
from clincot.stages.pair.stored import Stored, by_shard

SAMPLED = {
    "questions": 3,
    "candidates": 6,
    "drops": {"empty candidates": 1},
    "cut_texts": {"candidates": 2},
}
MASK = encode_png(Image.fromarray(np.eye(30, dtype=np.uint8) * 255).convert("1"))
REGION = Region("nodule", Box(10, 10, 40, 40), 0.5, MASK)
VIEWS = (WHOLE, View("crop", REGION))


def picture(number: int) -> bytes:
    return encode_png(Image.fromarray(np.arange(3600, dtype=np.uint16).reshape(60, 60).astype(np.uint8) + number))


EXAMPLES = tuple(
    Example(f"q{n}", f"i{n}", picture(n), "Is it?", "Yes", "closed", "presence", "phantom", "Yes.") for n in range(3)
)
SHARDS = (EXAMPLES[:2], EXAMPLES[2:])


def asked(*overrides: str) -> Recipe:
    return load_recipe(overrides=["build.judging.judges=1", "method.lookahead.gamma=0", *overrides])


def candidates() -> list[dict[str, Any]]:
    """Two texts for each question, rated 0.9 and 0.5, 0.9 and 0.88, 0.9 and not at all; the second is cut."""
    found = []
    for example, second in zip(EXAMPLES, (0.5, 0.88, None), strict=True):
        for i, score in enumerate((0.9, second)):
            rated, finish = (JudgeScore("judge", score, None, score, 1.0),), "length" if i else "stop"
            more: Any = {"judge_scores": rated, "score": score, "finish": finish, "views": VIEWS}
            found.append(Candidate(f"{example.id}/1/{i}", example.id, 1, f"text {i}", REGION, (), -1.0, 3, **more))
    return [candidate_row(one, 1) for one in found]


def regions(crop: str = "") -> list[dict[str, Any]]:
    gallery = Gallery(EXAMPLES)
    ids = [content_id(gallery.encode(example.id, View("crop", REGION))) for example in EXAMPLES]
    looked = [
        region_row(Hypothesis(e.image_id, REGION.hypothesis, 0.5, REGION, crop or one))
        for e, one in zip(EXAMPLES, ids, strict=True)
    ]
    return looked


def drawn(recipe: Recipe, path: Path, found: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return pair(PairJob(recipe, 1, SHARDS, candidates(), found or regions(), path), SAMPLED)


def test_pairs_of_every_shard_are_written_with_masked_crops_and_counted_beside_what_sampling_left_out(
    tmp_path: Path,
) -> None:
    facts = drawn(asked("build.cut_texts=train"), tmp_path / "pairs.parquet")
    rows = pq.read_table(tmp_path / "pairs.parquet").to_pylist()
    assert [row["id"] for row in rows] == ["q0/1/0"]
    crop = Gallery(EXAMPLES).encode("q0", View("crop", REGION))
    assert [image["bytes"] for image in rows[0]["side_images"]] == [crop, crop]
    unpaired = {"candidates a judge could not rate": 1, "questions without a pair": 2, "steps without a pair": 2}
    assert facts["unpaired"] == unpaired and facts["drops"] == unpaired | {"empty candidates": 1}
    assert facts["cut_texts"] == {"candidates": 2, "chosen": 0, "rejected": 1}
    assert (facts["pairs"], facts["candidates"], facts["mean_words_chosen"]) == (1, 6, 2)
    assert facts["distinct_image_bytes"] == len(crop) + len(EXAMPLES[0].encoded())
    assert facts["size_bytes"] == (tmp_path / "pairs.parquet").stat().st_size


def test_a_round_without_a_pair_says_what_both_stages_left_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pair came out of 3 questions .*1 empty candidates, 3 questions without a"):
        drawn(asked(), tmp_path / "pairs.parquet")


def test_a_crop_that_the_policy_did_not_see_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="q0: the crop cut for nodule is not the one"):
        drawn(asked("build.cut_texts=train"), tmp_path / "pairs.parquet", regions("0" * 16))


def test_a_candidate_of_a_region_that_is_not_stored_is_refused() -> None:
    row = candidates()[0]
    row["region"]["box"] = [0, 0, 9, 9]
    with pytest.raises(DataError, match="q0: its region of nodule is not among the round's"):
        Stored(EXAMPLES, [row], regions(), Gallery(EXAMPLES))


def test_rows_come_by_shard_and_a_row_of_another_benchmark_is_refused() -> None:
    rows = candidates()
    assert [[row["id"] for row in some] for some in by_shard(rows[:5], SHARDS, "example_id")] == [
        ["q0/1/0", "q0/1/1", "q1/1/0", "q1/1/1"],
        ["q2/1/0"],
    ]
    assert list(by_shard(rows[4:], SHARDS, "example_id")) == [[], rows[4:]]
    for odd in (rows[::-1], [*rows, rows[0] | {"example_id": "elsewhere"}]):
        with pytest.raises(DataError, match="is not where this benchmark has it"):
            list(by_shard(odd, SHARDS, "example_id"))
