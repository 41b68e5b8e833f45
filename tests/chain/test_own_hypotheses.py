"""A recipe's own hypotheses: their words, the order of questions, and the names that a proposer knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clincot.chain.looking import ranked
from clincot.chain.own_hypotheses import asked_as, own_hypotheses
from clincot.errors import RecipeError
from clincot.recipe import ModelSource, load_recipe, recipe_from_yaml
from clincot.records import Example
from clincot.runs.rounds.made import inputs_of
from clincot.runs.rounds.own_hypotheses import mapping_lines

BLOOD = {"white cell": ["leukocyte", "白细胞"], "platelet": [], "red cell": ["RBC"]}


@pytest.mark.parametrize(
    ("question", "known", "found"),
    [
        ("What is shown?", None, ("white cell", "platelet")),
        ("How many RBCs are there?", None, ("red cell", "white cell")),  # another word, in the plural
        ("图中有几个白细胞？", None, ("white cell", "platelet")),
        ("Is the RBCX high?", None, ("white cell", "platelet")),  # within a longer word it is none
        ("What is shown?", ("rbc", "Leukocyte"), ("Leukocyte", "rbc")),  # the proposer's own spelling
        ("What is shown?", ("nodule",), ()),
    ],
)
def test_what_is_asked_for_comes_first_under_the_names_of_the_proposer(
    question: str, known: tuple[str, ...] | None, found: tuple[str, ...]
) -> None:
    assert own_hypotheses(BLOOD, [question], 2, known) == found


def test_the_one_that_a_question_names_is_looked_at_first() -> None:
    found = [SimpleNamespace(hypothesis="platelet", confidence=0.9), SimpleNamespace(hypothesis="RBC", confidence=0.1)]
    assert ranked("Are the red cells normal?", cast(Any, found), BLOOD)[0].hypothesis == "RBC"
    assert ranked("Are they normal?", cast(Any, found), BLOOD)[0].hypothesis == "platelet"
    assert asked_as("platelet", (), ("nodule",)) is None


def test_a_list_and_a_file_give_one_recipe_whose_keys_are_other_ones(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("blood smear:\n  white cell: leukocyte\n  platelet:\n", encoding="utf-8")
    plain = load_recipe()
    listed, filed = (
        load_recipe(overrides=[f"hypotheses={value}"])
        for value in ("{blood smear: {white cell: [leukocyte], platelet: []}}", path)
    )
    assert listed.hypotheses == filed.hypotheses == {"blood smear": {"white cell": ["leukocyte"], "platelet": []}}
    assert "hypotheses" not in plain.tree() and plain.looked_key == ()
    assert listed.hash == filed.hash != plain.hash
    other = load_recipe(overrides=["hypotheses={blood smear: [platelet, white cell]}"])
    assert len({inputs_of(one, {}, "base") for one in (plain, listed, other)}) == 3
    assert recipe_from_yaml(filed.to_published_yaml(), "x").hypotheses == filed.hypotheses


@pytest.mark.parametrize("value", ["[a]", "{ct: 3}", "{ct: [1]}", "{ct: []}", "no-such-file.yaml", "{ct: {a: {b: c}}}"])
def test_what_is_no_list_of_names_is_refused(value: str) -> None:
    with pytest.raises(RecipeError, match="hypotheses.*Write "):
        load_recipe(overrides=[f"hypotheses={value}"])


def test_the_mapping_says_what_the_proposer_does_not_know() -> None:
    recipe = load_recipe(overrides=["hypotheses={blood smear: {white cell: [wbc], platelet: []}, ct: [mass]}"])
    models = replace(recipe.models, proposer=ModelSource(kind="annotated"))
    region = SimpleNamespace(finding="WBC")
    run = SimpleNamespace(recipe=replace(recipe, models=models))
    examples = [SimpleNamespace(modality="blood smear", true_regions=(region,))]
    assert mapping_lines(cast(Any, run), None, cast("list[Example]", examples)) == [
        "hypotheses of blood smear: white cell -> WBC, platelet (annotated nowhere, so without a region)",
        "hypotheses of ct: no image of this round has this modality",
    ]
