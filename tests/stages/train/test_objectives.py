"""Each objective by its name in a recipe: trained with every check before the first step, or refused before that."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from clincot.errors import DataError, RecipeError
from clincot.recipe import Anchor, InherentNoise, Margin, Train
from clincot.runs.checks.combinations import check_combinations
from clincot.stages.train.dpo import TrainJob, train_adapter
from tests.objectives.rows import make_row, write_rows
from tests.stages.train.test_train import make_recipe
from tests.tiny import tiny_policy

PLAIN = {"margin": Margin("none", 1.0), "dpo": {"max_steps": 2}}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


def trained(base: Path, folder: Path, rows: list[dict[str, Any]], **train: Any) -> dict[str, Any]:
    path = write_rows(folder / "part.parquet", rows)
    recipe = make_recipe(**PLAIN | train)
    check_combinations(recipe)
    return train_adapter(TrainJob(recipe, 1, (path,), base, str(base), None, folder / "job", False)).facts


ROWS = [make_row(i, weight=(1.0, 0.5)[i % 2]) for i in range(4)]
IMAGES = [row | {"id": f"{row['id']}-images", "rejected": row["chosen"]} for row in ROWS]
MEAN_WEIGHT = 0.75


def test_noise_trains_and_begins_at_the_known_loss(base: Path, tmp_path: Path) -> None:
    facts = trained(base, tmp_path, ROWS, objective="povid_noise")
    assert facts["first_loss"] == pytest.approx(MEAN_WEIGHT * math.log(2), abs=1e-5) and facts["rows"] == "shared"
    assert facts["objective"] == "povid_noise" and "nll_weight" not in facts


@pytest.mark.parametrize("layout", ["shared", "group"])
def test_text_and_image_pairs_begin_at_the_sum_of_the_terms(base: Path, tmp_path: Path, layout: Any) -> None:
    of = {"objective": "image_preference", "anchor": Anchor(1.0), "batch_layout": layout}
    facts = trained(base, tmp_path, [*ROWS, *IMAGES], **of)
    assert facts["first_loss"] == pytest.approx(3 * MEAN_WEIGHT * math.log(2), abs=1e-5) and facts["rows"] == layout
    assert facts["dropped_pairs"] == {} and facts["pairs"] == 8


def test_rows_that_an_objective_is_not_for_are_refused_before_a_model_loads(base: Path, tmp_path: Path) -> None:
    for objective, said in (("image_preference", "no pair has one text"), ("token_weighted_dpo", "has token weights")):
        with pytest.raises(DataError, match=said):
            trained(base, tmp_path / objective, ROWS, objective=objective)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"anchor": Anchor(1.0)}, "train.anchor: is read by the objective image_preference"),
        ({"noise": InherentNoise(0.3)}, "train.noise: is read by the objective povid_noise"),
        ({"objective": "image_preference", "conditioning": "winner"}, "train.conditioning: winner shows both sides"),
        ({"objective": "povid_noise", "reference": "initial"}, "train.reference: the reference of povid_noise"),
    ],
)
def test_settings_that_an_objective_does_not_read_are_refused(changes: dict[str, Any], said: str) -> None:
    recipe = make_recipe()
    with pytest.raises(RecipeError, match=said):
        check_combinations(dataclasses.replace(recipe, train=Train(**changes)))
    own = Train(**{"objective": "./ipo.py:Ipo", "anchor": Anchor(1.0), "noise": InherentNoise(0.3)})
    check_combinations(dataclasses.replace(recipe, train=own))
