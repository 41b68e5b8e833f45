"""Recipes: strict, layered, and equal to themselves after a round trip."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.errors import RecipeError
from clincot.recipe import load_recipe, recipe_from_yaml, recipes_folder


@pytest.mark.parametrize("setting", ["paper", "phantom"])
@pytest.mark.parametrize("recipe", [path.stem for path in sorted(recipes_folder().glob("*.yaml"))])
def test_every_shipped_recipe_loads_in_every_setting(recipe: str, setting: str) -> None:
    loaded = load_recipe(recipe, setting)
    assert (loaded.name, loaded.setting) == (recipe, setting)
    assert recipe_from_yaml(loaded.to_yaml(), "round trip") == loaded


@pytest.mark.parametrize("path", sorted(recipes_folder().rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_value_of_a_recipe_names_its_source(path: Path) -> None:
    if path.parent.name == "accelerate" or "All values ours" in path.read_text():
        return
    bare = [
        line
        for line in path.read_text().splitlines()
        if ":" in line and not line.strip().startswith("#") and "#" not in line and not line.rstrip().endswith(":")
    ]
    assert [line for line in bare if line.split(":")[0].strip() not in {"name", "method", "setting", "kind"}] == []


def test_the_setting_lies_over_the_recipe_and_overrides_over_both() -> None:
    plain, changed = load_recipe(), load_recipe(overrides=["build.steps=3", "train.dpo.learning_rate=1e-6"])
    assert (plain.build.steps, changed.build.steps) == (2, 3)
    assert plain.train.dpo["learning_rate"] == 5e-4  # the setting's, not the paper's 1e-7
    assert changed.train.dpo["learning_rate"] == 1e-6
    assert plain.hash != changed.hash


def test_where_results_are_stored_does_not_change_the_hash() -> None:
    assert load_recipe(overrides=["hub=local:elsewhere"]).hash == load_recipe().hash


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("biuld.steps=2", "Did you mean 'build'"),
        ("build.stepz=2", "Did you mean 'steps'"),
        ("build.steps=two", "expected int"),
        ("build.steps=true", "expected int"),
        ("train.margin.kind=linaer", "Did you mean 'linear'"),
        ("models.judges=x", "expected a list"),
        ("build.steps", "is not key=value"),
    ],
)
def test_a_wrong_override_is_named(override: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        load_recipe(overrides=[override])


def test_unknown_names_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Did you mean 'clincot'"):
        load_recipe("clincott")
    with pytest.raises(RecipeError, match="Did you mean 'phantom'"):
        load_recipe(setting="phantm")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1,")
    with pytest.raises(RecipeError, match="cannot be read as YAML"):
        load_recipe(broken)
    broken.write_text("- 1\n")
    with pytest.raises(RecipeError, match="not a mapping"):
        load_recipe(broken)


def test_extends_goes_one_level(tmp_path: Path) -> None:
    child, grandchild = tmp_path / "child.yaml", tmp_path / "grandchild.yaml"
    child.write_text("extends: clincot\nname: child\nbuild: {steps: 3}\n")
    grandchild.write_text("extends: child\nname: grandchild\n")
    loaded = load_recipe(child)
    assert (loaded.name, loaded.build.steps, loaded.build.pairs_per_step) == ("child", 3, 2)
    with pytest.raises(RecipeError, match="One level"):
        load_recipe(grandchild)
