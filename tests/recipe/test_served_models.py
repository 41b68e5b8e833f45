"""Servers of a recipe: one URL or several, kept as they were written, and none of them in what decides results."""

from __future__ import annotations

from clincot.recipe import Recipe, load_recipe, recipe_from_yaml
from clincot.runs.pairing import differences
from clincot.runs.rounds.made import inputs_of

ONE = "models.policy={kind: openai, endpoint: http://a:1/v1}"


def of(*overrides: str) -> Recipe:
    return load_recipe(overrides=overrides)


def test_a_model_in_process_is_stored_as_before_there_were_servers_to_describe() -> None:
    judge = of().tree()["models"]["judges"][0]
    assert set(judge) == {"repo", "revision", "kind", "endpoint"} and judge["endpoint"] == ""


def test_one_url_needs_no_list_and_is_kept_as_it_was_written() -> None:
    one, two = of(ONE), of("models.policy={kind: openai, endpoint: [http://a:1/v1, http://b:1/v1], at_once: 3}")
    assert one.models.policy.endpoint == ("http://a:1/v1",) and two.models.policy.at_once == 3
    assert "endpoint: http://a:1/v1\n" in one.to_yaml() and "at_once" not in one.to_yaml()
    for recipe in (one, two):
        assert recipe_from_yaml(recipe.to_yaml(), "again") == recipe


def test_addresses_keys_and_waits_decide_no_result() -> None:
    one = of(ONE)
    other = of("models.policy={kind: openai, endpoint: [http://c:1, http://d:1], key_env: MINE, at_once: 9, tries: 2}")
    assert one.hash == other.hash and differences(one, other) == {}
    assert inputs_of(one, {}, "base") == inputs_of(other, {}, "base")
    assert of(ONE, "models.policy.tokenizer=a/b").hash != one.hash
