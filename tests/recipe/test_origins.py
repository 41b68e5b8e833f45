"""Where each value of a recipe came from: default, the recipe, its parent, `always`, setting, hardware, options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clincot.recipe import load_recipe, recipe_from_yaml
from clincot.recipe.commented import Noted, commented
from clincot.recipe.layers import layers_of
from clincot.recipe.origins import Value, values_of

CHILD = """
extends: clincot
method: {min_gap: 0.2, temperature: 0.5}
build: {max_new_tokens: 99, report_tokens: 98}
always: {build: {report_tokens: 97}, evaluate: {split: train}}
"""


def values(recipe: str | Path = "clincot", setting: str = "phantom", **more: Any) -> dict[str, Value]:
    found = values_of(load_recipe(recipe, setting, **more), layers_of(recipe, setting, **more))
    assert len({one.key for one in found}) == len(found)
    return {one.key: one for one in found}


def test_each_kind_of_origin(tmp_path: Path) -> None:
    child = tmp_path / "child.yaml"
    child.write_text(CHILD)
    found = values(
        child,
        benchmark="vqa-rad",
        hardware="24gb",
        overrides=["method.temperature=0.9", "train.lora.r=8", "evaluate.steps=0"],
    )
    expected = {
        "name": ("child", "recipe child"),
        "method.name": ("clincot", "recipe clincot"),
        "method.min_gap": (0.2, "recipe child"),
        "method.candidates": (5, "setting phantom"),
        "method.temperature": (0.9, "--set"),
        "method.lookahead.gamma": (0.5, "recipe clincot"),
        "build.max_new_tokens": (24, "setting phantom"),
        "build.report_tokens": (97, "recipe child (always)"),
        "build.batch_size": (4, "hardware 24gb"),
        "build.threads": (1, "default"),
        "train.lora.r": (8, "--set"),
        "train.lora.lora_alpha": (128, "hardware 24gb"),
        "train.lora.lora_dropout": (0.0, "recipe clincot"),
        "evaluate.split": ("train", "recipe child (always)"),
        "evaluate.steps": (0, "--set"),  # given, though it is the default
        "evaluate.hypotheses": (0, "default"),
        "evaluate.controls": (list(load_recipe().evaluate.controls), "recipe clincot"),
        "benchmark": ("vqa-rad", "--benchmark"),
        "setting": ("phantom", "setting phantom"),
        "models.resident": ("one", "hardware 24gb"),
        "models.judges[1].repo": ("clincot/phantom-judge-b", "setting phantom"),
        "models.judges[1].revision": ("main", "default"),
        "models.policy.load.dtype": ("auto", "default"),
    }
    assert {key: (found[key].value, found[key].origin.origin) for key in expected} == expected
    assert found["method.min_gap"].origin.path == str(child) and found["train.lora.r"].origin.path == ""


def test_numbers_for_another_method_are_not_those_of_the_one_that_runs(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Config:\n    steps: int = 1\n"
        "    rate: float = 0.5\n\nclass Mine:\n    Config = Config\n"
    )
    name = f"{tmp_path / 'mine.py'}:Mine"
    found = values(overrides=[f"method={name}", f"methods={{'{name}': {{rate: 0.1}}}}"])
    assert (found["method.name"].value, found["method.name"].origin.origin) == (name, "--set")
    assert (found["method.steps"].value, found["method.steps"].origin.origin) == (1, "default")
    assert (found["method.rate"].value, found["method.rate"].origin.origin) == (0.1, "--set")


@pytest.mark.parametrize(
    ("recipe", "setting", "hardware"),
    [
        ("clincot", "phantom", None),
        ("clincot-no-chain", "paper", "24gb"),
        ("rows", "phantom", "served-cpu"),
        ("clincot", "paper", "served-8gpu"),  # a list of addresses that fills two lines
    ],
)
def test_the_values_with_comments_are_the_same_recipe_in_80_columns(
    recipe: str, setting: str, hardware: str | None
) -> None:
    found = values(recipe, setting, hardware=hardware).values()
    lines = list(commented(Noted(one.path, one.value, one.origin.origin) for one in found))
    assert max(map(len, lines)) <= 80
    assert recipe_from_yaml("\n".join(lines), "shown") == load_recipe(recipe, setting, hardware=hardware)


def test_long_values_are_folded_and_their_note_is_above() -> None:
    text, path = "two words " * 12, "/" + "x" * 90
    shown = list(commented([Noted(("a", "b"), text, "--set"), Noted(("a", "c"), path, "here", ("Why.",))]))
    assert shown[:2] == ["a:", "  # --set"] and max(map(len, shown[:-1])) <= 80
    assert shown[-3:] == ["  # Why.", "  # here", f"  c: {path}"]
    assert yaml.safe_load("\n".join(shown)) == {"a": {"b": text, "c": path}}
