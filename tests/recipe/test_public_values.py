"""What a recipe publishes of a machine: no host, no folder; and its values back on the machine that has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.errors import RecipeError
from clincot.recipe import load_recipe, recipe_from_yaml
from clincot.recipe.own_data import published
from clincot.recipe.public_values import without_places
from clincot.runs.checks import check_names

METHOD = "from clincot.methods.clincot import ClinCoT as Mine\n"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("/home/lee/ward 3/judge.py:Judge", "./judge.py:Judge"),
        ("judge.py:Judge", "./judge.py:Judge"),
        ("../ward/rows", "./rows"),
        ("~/deep/ds.json", "./ds.json"),
        (r"C:\Users\lee\ds.json", "./ds.json"),
        ("../..", "./"),
        ("http://gpu-1.ward.lan:8000/v1", ""),
        ("local:/home/lee/hub", ""),
        *((text, text) for text in ("a/b", "package.module:Class", "Rating: ", "see /home now", "", "0.5")),
    ],
)
def test_a_text_that_is_a_place_keeps_the_name_of_its_file(text: str, public: str) -> None:
    assert without_places({"a": [text, 3]}) == {"a": [public, 3]}
    assert without_places(public) == public


def test_a_published_recipe_names_no_host_and_no_folder_and_is_itself_again_on_its_machine(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(METHOD)
    values = (
        f"method={tmp_path}/mine.py:Mine",
        "models.policy={kind: openai, endpoint: [http://a.ward.lan:1/v1, http://b.ward.lan:1]}",
        "models.policy.adapter_root=/ward/runs",
        "models.policy.key_env=WARD_KEY",
        "models.policy.load.device_map=cpu",
        "models.judges=[{repo: med, kind: openai, endpoint: http://10.9.8.7:1/v1, at_once: 3}]",
        "models.trusted_hosts=[a.ward.lan, b.ward.lan, 10.9.8.7]",
        f"hub=local:{tmp_path}/hub",
        f"train.dpo.deepspeed={tmp_path}/ward.json",
        f"benchmark={tmp_path}/rows/",
    )
    recipe = load_recipe(overrides=values)
    text = recipe.to_published_yaml()
    for private in (str(tmp_path), "ward.lan", "10.9.8.7", "WARD_KEY", "/ward/runs"):
        assert private not in text, private
    assert "name: ./mine.py:Mine" in text and "deepspeed: ./ward.json" in text and "repo: med" in text
    assert recipe_from_yaml(text, "published", recipe) == recipe
    # Where a value differs, it stays as it is stored; what is the same is here all the same.
    other = load_recipe(overrides=[*values, "models.proposer.revision=dev", "seed=3"])
    read = recipe_from_yaml(text, "published", other)
    assert (read.seed, read.models.proposer.revision) == (recipe.seed, "main")
    assert read.models.policy == recipe.models.policy and read.method == recipe.method


def test_the_folder_of_a_class_decides_no_result() -> None:
    one, other = (load_recipe(overrides=[f"train.objective={place}/loss.py:Loss"]) for place in ("/a", "../b"))
    assert one.hash == other.hash and published("/a/ward.py:Ward") == published("ward.py:Ward") == "./ward.py:Ward"


def test_a_served_model_is_called_by_a_name_and_not_by_its_path() -> None:
    judge = "{repo: /models/med42, kind: openai_text, endpoint: http://127.0.0.1:1/v1}"
    with pytest.raises(RecipeError, match="'/models/med42' is a path.*--served-model-name NAME"):
        check_names(load_recipe(overrides=[f"models.judges=[{judge}]"]))
