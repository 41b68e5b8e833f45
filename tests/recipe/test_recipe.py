"""Recipes: strict, layered, and equal to themselves after a round trip."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from clincot.errors import RecipeError
from clincot.methods import METHODS
from clincot.recipe import Recipe, load_recipe, recipe_from_yaml, recipes_folder
from clincot.recipe.choices import choose
from clincot.recipe.ranges import Range


@pytest.mark.parametrize("setting", ["paper", "phantom"])
@pytest.mark.parametrize("recipe", [path.stem for path in sorted(recipes_folder().glob("*.yaml"))])
def test_every_shipped_recipe_loads_in_every_setting(recipe: str, setting: str) -> None:
    loaded = load_recipe(recipe, setting)
    assert (loaded.name, loaded.setting) == (recipe, setting)
    assert recipe_from_yaml(loaded.to_yaml(), "round trip") == loaded


@pytest.mark.parametrize("path", sorted(recipes_folder().rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_value_of_a_recipe_names_its_source(path: Path) -> None:
    if path.parent.name in {"accelerate", "servers"} or "All values ours" in path.read_text():
        return
    bare = [
        line
        for line in path.read_text().splitlines()
        if ":" in line and not line.strip().startswith("#") and "#" not in line and not line.rstrip().endswith(":")
    ]
    assert [line for line in bare if line.split(":")[0].strip() not in {"name", "method", "setting", "kind"}] == []


def test_the_setting_lies_over_the_recipe_and_overrides_over_both() -> None:
    plain, changed = load_recipe(), load_recipe(overrides=["method.steps=3", "train.dpo.learning_rate=1e-6"])
    assert (plain.method.config.steps, changed.method.steps) == (2, 3)
    assert plain.train.dpo["learning_rate"] == 5e-4  # the setting's, not the paper's 1e-7
    assert changed.train.dpo["learning_rate"] == 1e-6
    assert plain.hash != changed.hash


def test_where_results_are_stored_does_not_change_the_hash() -> None:
    assert load_recipe(overrides=["hub=local:elsewhere"]).hash == load_recipe().hash


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("biuld.steps=2", "Did you mean 'build'"),
        ("method.stepz=2", "Did you mean 'steps'"),
        ("method.steps=two", "expected int"),
        ("method.steps=true", "expected int"),
        ("train.margin.kind=linaer", "Did you mean 'linear'"),
        ("models.judges=x", "expected a list"),
        ("method.steps", "is not key=value"),
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


def test_extends_goes_two_levels(tmp_path: Path) -> None:
    child, grandchild = tmp_path / "child.yaml", tmp_path / "grandchild.yaml"
    child.write_text("extends: clincot\nname: child\nmethod: {steps: 3}\n")
    grandchild.write_text("extends: child\nname: grandchild\n")
    loaded = load_recipe(child)
    assert (loaded.name, loaded.method.steps, loaded.method.config.pairs_per_step) == ("child", 3, 2)
    grandchild.write_text("extends: child\nname: grandchild\nalways: {method: {steps: 4}}\n")
    loaded = load_recipe(grandchild)
    assert (loaded.name, loaded.method.steps, loaded.method.config.pairs_per_step) == ("grandchild", 4, 2)
    (tmp_path / "last.yaml").write_text("extends: grandchild\nname: last\n")
    child.write_text("extends: child\n")
    for path in (tmp_path / "last.yaml", child):
        with pytest.raises(RecipeError, match="2 levels are allowed"):
            load_recipe(path)


def test_who_extends_without_a_name_is_called_as_its_file_is(tmp_path: Path) -> None:
    mine = tmp_path / "cooler.yaml"
    mine.write_text("extends: clincot\nmethod: {temperature: 0.5}\n")
    assert load_recipe(mine).name == "cooler"
    mine.write_text("extends: clincot\nname: other\n")
    assert load_recipe(mine).name == "other"
    (tmp_path / "parent.yaml").write_text((recipes_folder() / "clincot.yaml").read_text())
    mine.write_text("extends: parent\n")
    assert load_recipe(mine).name == "cooler"


def numbers(cls: type) -> list[tuple[str, Any]]:
    """Return (place, hint) of every number of a recipe part and the parts below it."""
    found = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for inner in (hint, *(get_args(hint) if get_origin(hint) is tuple else ())):
            if is_dataclass(inner):
                found += numbers(inner)  # type: ignore[arg-type]
            elif (get_args(inner)[0] if get_origin(inner) is Annotated else inner) in (int, float):
                found.append((f"{cls.__name__}.{name}", inner))
    return found


def test_every_number_of_a_recipe_has_a_range_that_holds_its_default() -> None:
    found = [*numbers(Recipe), *(one for name in METHODS for one in numbers(choose(METHODS, name, "method").Config))]
    assert len(found) >= 40 and [place for place, hint in found if get_origin(hint) is not Annotated] == []
    for cls in {type(part) for part in parts(load_recipe())}:
        hints = get_type_hints(cls, include_extras=True)
        for entry in fields(cls):
            if get_origin(hints[entry.name]) is Annotated and isinstance(entry.default, (int, float)):
                assert entry.default in get_args(hints[entry.name])[1], f"{cls.__name__}.{entry.name}"


def parts(value: Any) -> list[Any]:
    inner = [getattr(value, entry.name) for entry in fields(value)]
    return [value, *(one for part in inner if is_dataclass(part) for one in parts(part))]


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "says"),
    [
        (Range(1, 3), (1, 3), (0, 4, float("nan")), "from 1 to 3"),
        (Range(0, 1, above=True), (0.001, 1.0), (0.0, 1.001), "above 0 and at most 1"),
        (Range(0, 1, below=True), (0.0, 0.999), (-0.001, 1.0), "at least 0 and below 1"),
        (Range(2), (2, 10**30), (1, float("inf")), "from 2"),
    ],
)
def test_a_range_has_ends_that_belong_to_it_or_not(
    limits: Range, inside: tuple[float, ...], outside: tuple[float, ...], says: str
) -> None:
    assert all(value in limits for value in inside) and not any(value in limits for value in outside)
    assert str(limits) == says


def test_the_ends_of_a_range_are_taken() -> None:
    ends = ["method.top_p=1", "method.temperature=0", "method.min_gap=1", "seed=4294967295", "train.margin.scale=0"]
    recipe = load_recipe(overrides=ends)
    assert (recipe.method.config.top_p, recipe.method.config.min_gap, recipe.seed, recipe.train.margin.scale) == (
        1,
        1,
        2**32 - 1,
        0,
    )


def test_aliases_and_merged_keys_are_taken_where_they_are_few(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "extends: clincot\ntrain:\n  dpo: &d {warmup_steps: 5, weight_decay: 0.2}\n  sft: {<<: *d, warmup_steps: 7}\n"
    )
    with pytest.raises(RecipeError, match="through its aliases"):
        load_recipe(overrides=[f"train.dpo={{a: &a [{', '.join('x' * 99)}], b: &b [{', '.join(['*a'] * 200)}]}}"])
    loaded = load_recipe(mine)
    assert (loaded.train.dpo["warmup_steps"], loaded.train.sft["warmup_steps"]) == (5, 7)
    assert loaded.train.sft["weight_decay"] == 0.2
