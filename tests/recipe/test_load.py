"""How a model is loaded: absent from stored recipes by default, and a part of the keys of what it changes."""

from __future__ import annotations

import pytest

from clincot.errors import RecipeError
from clincot.recipe import Recipe, load_recipe, recipe_from_yaml
from clincot.recipe.load import Load, key_of
from clincot.records.lineage import Pin
from clincot.runs.models.loading import reference_key, weights_key
from clincot.runs.pairing import differences
from clincot.runs.rounds.made import inputs_of

PIN = Pin("model", "a/b", "main", "a" * 40)
JUDGES = "models.judges=[{repo: a/one, load: {quantization: int8}}, {repo: a/two, load: {device_map: cpu}}]"


def of(*overrides: str) -> Recipe:
    return load_recipe(overrides=overrides)


def test_the_default_leaves_stored_recipes_and_keys_as_they_were() -> None:
    assert "load" not in of().to_yaml()
    assert key_of(Load(), Load(device_map="auto")) == []
    assert weights_key(PIN, Load(device_map="cuda:1")) == PIN.sha
    assert reference_key(PIN, "base") == reference_key(PIN, "base", load=Load(device_map="cpu"))


def test_a_device_changes_no_key_and_is_kept_in_the_recipe() -> None:
    plain, moved = of(), of("models.policy.load.device_map=cuda:1")
    assert moved.hash == plain.hash
    assert inputs_of(moved, {}, "base") == inputs_of(plain, {}, "base")
    assert differences(plain, moved) == {}
    assert recipe_from_yaml(moved.to_yaml(), "again") == moved


def test_which_models_share_a_gpu_changes_no_key_and_no_stored_recipe() -> None:
    plain, turns = of(), of("models.resident=one", "models.shards_together=7")
    assert turns.hash == plain.hash
    assert inputs_of(turns, {}, "base") == inputs_of(plain, {}, "base")
    assert differences(plain, turns) == {}
    assert turns.models.shards_together == 7 and turns.to_published_yaml() == plain.to_published_yaml()
    assert recipe_from_yaml(turns.to_yaml(), "again") == turns
    with pytest.raises(RecipeError, match=r"models\.shards_together"):
        of("models.shards_together=0")


@pytest.mark.parametrize("value", ["dtype=bfloat16", "attention=eager", "quantization=nf4"])
def test_what_changes_numbers_changes_keys_and_round_trips(value: str) -> None:
    plain, changed = of(), of(f"models.policy.load.{value}")
    assert recipe_from_yaml(changed.to_yaml(), "again") == changed
    assert changed.hash != plain.hash
    assert inputs_of(changed, {}, "base") != inputs_of(plain, {}, "base")
    assert reference_key(PIN, "base", load=changed.models.policy.load) != reference_key(PIN, "base")
    assert weights_key(PIN, changed.models.policy.load) != PIN.sha
    assert list(differences(plain, changed)) == [f"models.policy.load.{value.split('=')[0]}"]


def test_roles_do_not_share_their_loading() -> None:
    judge, policy = of(JUDGES), of("models.policy.load.quantization=int8")
    assert inputs_of(judge, {}, "base") != inputs_of(policy, {}, "base")
    assert judge.models.policy.load == policy.models.judges[0].load == Load()


def test_each_judge_of_a_list_has_its_own() -> None:
    first, second = of(JUDGES).models.judges
    assert (first.load, second.load) == (Load(quantization="int8"), Load(device_map="cpu"))
    assert of(JUDGES).hash != of(JUDGES.replace("load: {quantization: int8}", "load: {}")).hash
    assert of(JUDGES).hash == of(JUDGES.replace("load: {device_map: cpu}", "load: {}")).hash


def test_an_unknown_value_is_named() -> None:
    with pytest.raises(RecipeError, match=r"models\.policy\.load\.quantization: 'nf8' is not a choice"):
        of("models.policy.load.quantization=nf8")
    with pytest.raises(RecipeError, match="Did you mean 'attention'"):
        of("models.policy.load.attentoin=eager")
