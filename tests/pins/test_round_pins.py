"""A round of the phantom has the rows that were recorded: `python tests/pins/record.py` records them again."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from round_pins import ROUNDS, PinnedRound, build, differences, machine, pins_of

AGAIN = "Where that is meant, run `python tests/pins/record.py` and say why in CHANGELOG.md."


def check(pinned: PinnedRound, folder: Path) -> None:
    recorded, made = json.loads(pinned.file.read_text()), pins_of(build(pinned, folder))
    found = differences(recorded, made)
    if found and recorded["machine"] != machine():
        pytest.skip(f"recorded on {recorded['machine']}, whose last digits may differ; here {len(found)} do")
    assert not found, "\n".join([f"{len(found)} differences from {pinned.file.name}. {AGAIN}", *found])


@pytest.mark.long
def test_a_round_of_8_images_with_masked_crops_has_the_recorded_rows(tmp_path: Path) -> None:
    check(ROUNDS["round-8"], tmp_path)


@pytest.mark.long
def test_a_round_of_64_images_has_the_recorded_rows(tmp_path: Path) -> None:
    check(ROUNDS["round-64"], tmp_path)


@pytest.mark.parametrize("part", ["texts", "prompts", "pairs", "crops", "scores"])
def test_each_part_that_differs_is_named_with_its_image(part: str) -> None:
    recorded = json.loads(ROUNDS["round-8"].file.read_text())
    made = deepcopy(recorded)
    image = list(made["images"])[3]
    changed = made["images"][image]
    changed[part] = [score + 1e-5 for score in changed[part]] if part == "scores" else "0" * 12
    assert differences(recorded, made) == [f"{image}: {part}"]


def test_scores_that_differ_by_rounding_are_equal() -> None:
    recorded = json.loads(ROUNDS["round-8"].file.read_text())
    made = deepcopy(recorded)
    for found in made["images"].values():
        found["scores"] = [score + 1e-6 for score in found["scores"]]
    assert differences(recorded, made) == []
