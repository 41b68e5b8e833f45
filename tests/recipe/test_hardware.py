"""Hardware files lie between setting and `always`; each fits its card with every recipe for the paper's models."""

from __future__ import annotations

from pathlib import Path

import paper_configs
import pytest

from clincot.errors import RecipeError
from clincot.recipe import load_recipe, recipes_folder
from clincot.runs.checks import check_names
from clincot.runs.doctor.machine import GIB, Gpu, Machine
from clincot.runs.doctor.models import models_of
from clincot.runs.doctor.reach import Reach
from clincot.runs.doctor.stages import Plan
from clincot.runs.run import target_of

CARDS = {"24gb": (1, 24), "80gb": (1, 80), "8x80gb": (8, 80)}
RECIPES = sorted(path.stem for path in recipes_folder().glob("*.yaml"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return paper_configs.paper_configs(tmp_path_factory.mktemp("paper"))


def test_every_file_names_a_card() -> None:
    files = {path.stem for path in (recipes_folder() / "hardware").glob("*.yaml")}
    assert {name for name in files if not name.startswith("served-")} == set(CARDS)  # test_server_recipes.py has those


@pytest.mark.parametrize(
    "hardware", ["24gb", *(pytest.param(name, marks=pytest.mark.long) for name in ("80gb", "8x80gb"))]
)
def test_a_stage_of_the_papers_models_fits_the_card(hardware: str, folders: dict[str, Path]) -> None:
    count, size = CARDS[hardware]
    cpu = {"24gb": 64, "80gb": 64, "8x80gb": 64}[hardware]
    card = Gpu(hardware, size * GIB, size * GIB)
    machine = Machine((card,) * count, 16, cpu * GIB, (cpu - 4) * GIB)
    for name in RECIPES:
        overrides = paper_configs.overrides(folders)
        if load_recipe(name, "paper").models.similarity.repo:
            overrides.append(f"models.similarity.repo={folders['similarity']}")
        recipe = load_recipe(name, "paper", hardware=hardware, overrides=overrides)
        check_names(load_recipe(name, "paper", hardware=hardware))
        for need in Plan(recipe, models_of(recipe, Reach(target_of(recipe, None))), machine).needs():
            assert need.parts and not need.unknown
            assert need.fits(machine), (name, need.stage, {p: need.at(p) / GIB for p in need.places})


def test_the_figures_in_the_comments_are_the_estimates(folders: dict[str, Path]) -> None:
    for hardware, (count, size) in CARDS.items():
        card = Gpu(hardware, size * GIB, size * GIB)
        machine = Machine((card,) * count, 16, 64 * GIB, 60 * GIB)
        recipe = load_recipe("clincot", "paper", hardware=hardware, overrides=paper_configs.overrides(folders))
        needs = Plan(recipe, models_of(recipe, Reach(target_of(recipe, None))), machine).needs()
        build, train, evaluate = (f"{need.at('gpu 0') / GIB:.1f}" for need in needs)
        text = (recipes_folder() / "hardware" / f"{hardware}.yaml").read_text(encoding="utf-8")
        assert f"build {build}, train {train}, evaluate {evaluate}" in text.replace("\n# ", " "), hardware
        assert "ESTIMATED, NOT RUN" in text


def test_hardware_wins_over_the_setting_and_loses_to_always_and_overrides(tmp_path: Path) -> None:
    recipe, setting, hardware = (tmp_path / f"{name}.yaml" for name in ("recipe", "setting", "hardware"))
    recipe.write_text("extends: clincot\nseed: 1\nrounds: 1\nalways: {train: {nll_weight: 1}}\n")
    phantom = (recipes_folder() / "settings" / "phantom.yaml").read_text(encoding="utf-8")
    setting.write_text(phantom.replace("rounds: 2", "rounds: 2\nseed: 2"))
    hardware.write_text("seed: 3\nrounds: 3\ntrain: {nll_weight: 3}\nbuild: {batch_size: 3}\n")
    made = load_recipe(recipe, setting, hardware=hardware, overrides=["rounds=4"])
    assert (made.seed, made.rounds, made.train.nll_weight, made.build.batch_size) == (3, 4, 1.0, 3)
    assert load_recipe(recipe, setting).build.batch_size == 64


def test_an_unknown_hardware_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such hardware. Did you mean '24gb'"):
        load_recipe(hardware="24g")
    file = tmp_path / "mine.yaml"
    file.write_text("extends: clincot\n")
    with pytest.raises(RecipeError, match="'extends' belongs to recipes"):
        load_recipe(hardware=file)
