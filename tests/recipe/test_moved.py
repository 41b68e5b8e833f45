"""Names of earlier versions: refused in what a user writes, converted in what an earlier version stored."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clincot.cli.kept_options import Kept, read, write
from clincot.errors import RecipeError
from clincot.recipe import load_recipe, recipe_from_yaml
from clincot.recipe.moved import MOVED

# What version 0.3 wrote as a round's recipe.yaml, with values that differ from every default.
STORED = """
name: clincot
method: clincot
setting: phantom
benchmark: phantom
models:
  policy: {repo: clincot/phantom-policy, revision: main, kind: '', endpoint: ''}
  proposer: {repo: clincot/phantom-grounder, revision: main, kind: query_grounder, endpoint: ''}
  judges:
  - {repo: clincot/phantom-judge-a, revision: main, kind: '', endpoint: ''}
benchmark_revision: ''
hub: local:./clincot-hub
namespace: demo
rounds: 3
seed: 7
views: canvas
build:
  steps: 3
  candidates: 5
  samples_per_region: 2
  temperature: 0.9
  top_p: 0.8
  max_new_tokens: 24
  report_tokens: 64
  pairs_per_step: 4
  min_gap: 0.125
  pair_scope: across_regions
  cut_texts: train
  lookahead: {gamma: 0.25, samples: 3, normalise: false}
  regions: {rule: quantile, threshold: 1.0, quantile: 0.8, blur: 0, padding: 0.2, least_side: 64, crop: box}
  judging: {context: blind, readout: yesno, consensus: min, judges: 1, failure_limit: 0.5, batch_size: 64}
  max_images: 64
  max_questions: 4
  unit_images: 3
  batch_size: 64
  threads: 2
train:
  objective: margin_dpo
  rows: group
  margin: {kind: log, scale: 2.0}
  dpo: {beta: 0.2}
evaluate:
  protocol: clincot-v1
  inference: [region]
"""


def test_a_stored_recipe_of_an_earlier_version_is_read_with_its_values() -> None:
    recipe = recipe_from_yaml(STORED, "old")
    config = recipe.method.config
    assert recipe.method.name == "clincot" and recipe.image_layout == "canvas"
    assert (config.steps, config.candidates, config.samples_per_region) == (3, 5, 2)
    assert (config.temperature, config.top_p, config.pairs_per_step) == (0.9, 0.8, 4)
    assert (config.min_gap, config.pair_scope) == (0.125, "across_regions")
    ahead = config.lookahead
    assert (ahead.gamma, ahead.samples, ahead.normalise) == (0.25, 3, False)
    assert (recipe.build.judging.scoring, recipe.build.judging.context) == ("yesno", "blind")
    assert (recipe.build.shard_images, recipe.build.cut_texts, recipe.build.threads) == (3, "train", 2)
    assert (recipe.train.batch_layout, recipe.train.margin.scale) == ("group", 2.0)
    assert (recipe.inference_steps, recipe.inference_hypotheses) == (3, 5)
    assert recipe_from_yaml(recipe.to_yaml(), "again") == recipe


def test_the_stored_recipe_holds_every_name_that_moved() -> None:
    for old in MOVED:
        value = yaml.safe_load(STORED)
        for key in old.split("."):
            value = value[key]


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_is_refused_with_the_new_one(old: str, tmp_path: Path) -> None:
    new = MOVED[old]
    with pytest.raises(RecipeError, match=rf"^--set {old}=1: {old} is now {new}\. Write {new}"):
        load_recipe(overrides=[f"{old}=1"])
    tree: object = 1
    for key in reversed(old.split(".")):
        tree = {key: tree}
    for text, place in (({"extends": "clincot"} | tree, "recipe"), ({"extends": "clincot", "always": tree}, "recipe")):  # type: ignore[operator]
        (tmp_path / "child.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
        with pytest.raises(RecipeError, match=rf"^{place} .*child.yaml: {old} is now {new}\."):
            load_recipe(tmp_path / "child.yaml")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"^setting .*mine.yaml: {old} is now {new}\."):
        load_recipe("clincot", tmp_path / "mine.yaml")


def test_what_stands_below_an_old_name_is_refused_too() -> None:
    with pytest.raises(RecipeError, match=r"build\.lookahead is now method\.lookahead"):
        load_recipe(overrides=["build.lookahead.gamma=0"])


def test_overrides_that_a_run_kept_are_read_under_their_new_names(tmp_path: Path) -> None:
    old = ("build.min_gap=0.5", "views=canvas", "build.lookahead.gamma=0", "train.dpo.beta=0.2", "build.batch_size=4")
    write(tmp_path, Kept("clincot", "phantom", "", old, "", ""))
    kept = read(tmp_path)
    assert kept is not None
    assert kept.set[:3] == ("method.min_gap=0.5", "image_layout=canvas", "method.lookahead.gamma=0")
    assert kept.set[3:] == old[3:]
    assert load_recipe(overrides=kept.set).method.config.min_gap == 0.5
