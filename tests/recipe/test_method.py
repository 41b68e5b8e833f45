"""The method of a recipe: a name or a name with numbers, settings' numbers for it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.errors import RecipeError
from clincot.methods.clincot_config import Config
from clincot.recipe import Recipe, load_recipe, recipe_from_yaml

OTHER = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    rate: float = 0.5

class Other:
    Config = Config
"""


def loaded(folder: Path, recipe: str, setting: str = "setting: mine\n", *overrides: str) -> Recipe:
    """Load a recipe that extends clincot in a setting that extends the phantom's, both given by their text."""
    phantom = (Path(__file__).parents[2] / "recipes/settings/phantom.yaml").read_text(encoding="utf-8")
    phantom = phantom[: phantom.index("methods:")] + phantom[phantom.index("build:") :]
    (folder / "child.yaml").write_text("extends: clincot\n" + recipe, encoding="utf-8")
    (folder / "mine.yaml").write_text(phantom.replace("setting: phantom\n", setting), encoding="utf-8")
    return load_recipe(folder / "child.yaml", folder / "mine.yaml", overrides=overrides)


def test_a_bare_name_has_the_methods_own_numbers(tmp_path: Path) -> None:
    (tmp_path / "bare.yaml").write_text("name: bare\nmethod: clincot\n", encoding="utf-8")
    recipe = load_recipe(tmp_path / "bare.yaml", "paper")
    assert recipe.method.name == "clincot" and recipe.method.config == Config()


def test_later_layers_change_single_numbers(tmp_path: Path) -> None:
    recipe = loaded(
        tmp_path,
        "method: {steps: 3, min_gap: 0.2, pairs_per_step: 7}\nalways: {method: {lookahead: {gamma: 0.25}}}\n",
        "setting: mine\nmethods: {clincot: {min_gap: 0.3, temperature: 1.0, lookahead: {gamma: 1, samples: 4}}}\n",
        "method.temperature=0.9",
    )
    config = recipe.method.config
    assert (config.steps, config.min_gap, config.pairs_per_step, config.temperature) == (3, 0.3, 7, 0.9)
    assert (config.lookahead.gamma, config.lookahead.samples, config.candidates) == (0.25, 4, 6)


def test_another_method_takes_none_of_the_former_ones_numbers(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(OTHER, encoding="utf-8")
    name = f"{tmp_path / 'other.py'}:Other"
    setting = f"setting: mine\nmethods: {{clincot: {{steps: 3}}, '{name}': {{rate: 0.75}}}}\n"
    active = loaded(tmp_path, "", setting, f"method={name}")
    assert active.method.name == name and active.method.config.rate == 0.75
    assert loaded(tmp_path, "", setting).method.config.steps == 3
    # The order of overrides does not decide which method a number is for.
    for overrides in (("method.rate=0.1", f"method={name}"), (f"method={name}", "method.rate=0.1")):
        assert loaded(tmp_path, "", setting, *overrides).method.config.rate == 0.1
    assert recipe_from_yaml(active.to_yaml(), "round trip") == active
    assert (active.inference_steps, active.inference_hypotheses) == (2, 6)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("method=clincto", "Did you mean 'clincot'"),
        ("method.min_gp=0.1", "method: unknown key 'min_gp'. Did you mean 'min_gap'"),
        ("method.lookahead.gama=1", "method.lookahead: unknown key 'gama'. Did you mean 'gamma'"),
        ("method.min_gap=2", "method.min_gap: 2.0 is out of range"),
        ("method.steps=2.5", "method.steps: expected int"),
        ("method.pair_scope=within", "Did you mean 'within_region'"),
        ("method=3", "method: 3 is not a method"),
        ("method=", "'' is not a name"),
        ("method={steps: 2, name: 7}", "method.name: 7 is not a name"),
        ("methods=clincot", "methods: expected a mapping"),
        ("methods.clincto.steps=3", "methods 'clincto': is not known. Did you mean 'clincot'"),
        ("methods.clincot=3", "methods.clincot: holds the numbers of one method"),
        ("methods.clincot.name=clincot", "methods.clincot: holds the numbers of one method"),
        ("methods.clincot.stepz=3", "method: unknown key 'stepz'"),
    ],
)
def test_what_is_no_method_or_none_of_its_numbers_is_refused(override: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        load_recipe(overrides=[override])


def test_a_recipe_without_a_method_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("name: none\nmethod: {steps: 3}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="method not given"):
        load_recipe(tmp_path / "none.yaml")


def test_inference_by_region_has_numbers_of_its_own() -> None:
    plain, asked = load_recipe(), load_recipe(overrides=["evaluate.steps=3", "evaluate.hypotheses=4"])
    assert (plain.inference_steps, plain.inference_hypotheses) == (2, 5)
    assert (asked.inference_steps, asked.inference_hypotheses) == (3, 4)
    assert asked.method == plain.method
    changed = load_recipe(overrides=["method.steps=1", "method.candidates=2"])
    assert (changed.inference_steps, changed.inference_hypotheses) == (1, 2)
