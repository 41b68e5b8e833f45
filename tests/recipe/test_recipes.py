"""The shipped recipes: every one loads and passes the checks of a run, and each ablation is what its name says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from clincot.errors import ClincotError, RecipeError
from clincot.recipe import Recipe, load_recipe, recipes_folder
from clincot.runs.run import check_names
from tests.recipe.recipes_page import WRITER, comments, placed

RECIPES = sorted(path.stem for path in recipes_folder().glob("*.yaml"))
SETTINGS = sorted(path.stem for path in (recipes_folder() / "settings").glob("*.yaml"))
ABLATIONS = {
    "clincot-no-chain": {"method.steps": 1},
    "clincot-naive-dpo": {"train.margin.kind": "none"},
    "clincot-one-round": {"rounds": 1},
    "clincot-no-lookahead": {"method.lookahead.gamma": 0.0},
    "clincot-single-judge": {"build.judging.judges": 1},
    "clincot-second-judge": {"build.judging.judges": -1},
    "clincot-blind-judges": {"build.judging.context": "blind"},
    "clincot-per-side-images": {"train.conditioning": "per_side"},
    "clincot-global-images": {"train.conditioning": "global"},
}


def flat(recipe: Recipe) -> dict[str, Any]:
    def walk(tree: dict[str, Any], before: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in tree.items():
            found |= walk(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
        return found

    return walk(recipe.tree(), "")


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_loads_in_every_setting_and_names_what_exists(recipe: str, setting: str) -> None:
    check_names(load_recipe(recipe, setting))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_differs_from_clincot_in_its_one_value_wherever_it_runs(name: str, setting: str) -> None:
    whole, changed = flat(load_recipe("clincot", setting)), flat(load_recipe(name, setting))
    different = {key: value for key, value in changed.items() if whole.get(key) != value}
    # A setting may itself choose the ablated value; the ablation must then differ in nothing else.
    assert different.items() <= ({"name": name} | ABLATIONS[name]).items()
    assert changed.items() >= ABLATIONS[name].items()


def test_the_readme_has_every_recipe_with_its_rows_and_what_is_ours() -> None:
    text = (recipes_folder() / "README.md").read_text()
    assert text == placed(text), f"recipes/README.md is old: run {WRITER}"
    for path in recipes_folder().glob("*.yaml"):
        said = comments(path)
        assert said.rows and said.ours, f"{path.name}: its first comments lack `# Row N: NAME` or `# Ours: ...`"


def test_every_recipe_stands_in_the_readme_and_every_command_of_it_names_one() -> None:
    text = (recipes_folder() / "README.md").read_text()
    assert set(re.findall(r"--recipe ([a-z0-9-]+)", text)) == set(RECIPES)
    assert set(SETTINGS) <= set(re.findall(r"`([a-z0-9-]+)`", text))


def test_a_recipe_lays_what_is_always_so_over_the_setting_and_overrides_over_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"extends": "clincot", "name": "mine", "rounds": 7, "always": {"rounds": 3}}))
    assert load_recipe(path, "phantom").rounds == 3
    assert load_recipe(path, "phantom", overrides=["rounds=5"]).rounds == 5
    path.write_text(yaml.safe_dump({"extends": "clincot", "name": "mine", "always": ["rounds"]}))
    with pytest.raises(RecipeError, match="'always' is a list"):
        load_recipe(path)
    path.write_text(yaml.safe_dump({"extends": "clincot", "name": "mine", "always": {"round": 3}}))
    with pytest.raises(RecipeError, match="Did you mean 'rounds'"):
        load_recipe(path)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["models.proposer={kind: query_grounder}"], "models.proposer.repo: a model of kind 'query_grounder' needs"),
        (
            ["models.proposer={repo: a/b, kind: grid}"],
            "'grid' reads no model. Leave it out: --set models.proposer.repo=$",
        ),
        (["models.judges=[{kind: causal_lm}]"], "models.judges.repo"),
        (["models.judges=[]"], "models.judges: none is named"),
        (["models.policy={}"], "models.policy.repo: a model needs its repository"),
        (["models.policy={repo: a/b, kind: openai}"], "belong together"),
        (["models.policy={repo: a/b, kind: opnai}"], "Did you mean 'openai'"),
        (["build.judging.judges=3"], "3 of 2 judges"),
        (["build.judging.judges=-3"], "-3 of 2 judges"),
    ],
)
def test_a_model_is_named_exactly_where_one_is_needed(overrides: list[str], says: str) -> None:
    loaded = load_recipe()
    for override in overrides:
        key, _, value = override.partition("=")
        loaded = _changed(loaded, key, value)
    with pytest.raises(ClincotError, match=says):
        check_names(loaded)


def test_the_command_line_empties_a_repository_as_the_refusal_says() -> None:
    grid = load_recipe(overrides=["models.proposer.kind=grid", "models.proposer.repo="])
    check_names(grid)
    assert (grid.models.proposer.kind, grid.models.proposer.repo) == ("grid", "")


def test_controls_need_no_repository() -> None:
    check_names(_changed(load_recipe(), "models.proposer", "{kind: grid}"))


def _changed(recipe: Recipe, key: str, value: str) -> Recipe:
    """Return `recipe` with the whole part at `key` replaced: an override would keep the setting's other values."""
    from clincot.recipe import ModelSource

    made = yaml.safe_load(value)
    part, _, name = key.rpartition(".")
    if part == "models":
        source: Any = tuple(ModelSource(**one) for one in made) if isinstance(made, list) else ModelSource(**made)
        return replace(recipe, models=replace(recipe.models, **{name: source}))
    judging = replace(recipe.build.judging, **{name: made})
    return replace(recipe, build=replace(recipe.build, judging=judging))
