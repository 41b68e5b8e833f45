"""A new recipe is its parent until a line is uncommented; every value has a meaning, from the docstring next to it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from clincot.errors import RecipeError
from clincot.methods.clincot_config import Config
from clincot.recipe import Recipe, load_recipe, parts
from clincot.recipe.meanings import meaning, takes
from clincot.runs.recipes import new_recipe


def uncommented(path: Path, *lines: str) -> Path:
    """Take the first `# ` off these lines of the body, of all where none are named."""
    text = path.read_text(encoding="utf-8")
    head, body = text.split("\n\n", 1)
    known = {re.sub(r"\s+#.*", "", line.removeprefix("# ")) for line in body.splitlines()}
    assert set(lines) <= known
    rest = [
        line.removeprefix("# ") if not lines or re.sub(r"\s+#.*", "", line.removeprefix("# ")) in lines else line
        for line in body.splitlines()
    ]
    path.write_text("\n".join([head, "", *rest]), encoding="utf-8")
    return path


@pytest.mark.parametrize("setting", ["phantom", "paper"])
def test_a_new_recipe_is_its_parent_but_for_the_name(setting: str, tmp_path: Path) -> None:
    parent, path = load_recipe("clincot", setting), new_recipe("mine", "clincot", tmp_path)
    for mine in (path, uncommented(path)):
        loaded = load_recipe(mine, setting)
        assert loaded.name == "mine" and dataclasses.replace(loaded, name="clincot").hash == parent.hash
    assert "\nbuild:" in path.read_text() and "# build:" not in path.read_text()
    assert max(map(len, path.read_text().splitlines())) <= 80


def test_an_uncommented_value_counts(tmp_path: Path) -> None:
    path = uncommented(new_recipe("mine", "clincot", tmp_path), "method:", "  steps: 2", "evaluate:", "  split: test")
    assert dataclasses.replace(load_recipe(path), name="clincot").hash == load_recipe().hash
    path.write_text(path.read_text().replace("\n  steps: 2", "\n  steps: 3").replace("\n  split: test", "\n  split: a"))
    assert (load_recipe(path).method.steps, load_recipe(path).evaluate.split) == (3, "a")


def test_the_values_are_those_of_the_parent_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = "name: ward\nmethod: {name: clincot, steps: 5}\ntrain: {dpo: {beta: 0.2}}  # no comment of beta\n"
    Path("ward.yaml").write_text(own + "rounds: 7 # ward\n")
    with pytest.raises(RecipeError, match=r"'ward': no such recipe. Give ward\.yaml for the file in this folder"):
        new_recipe("mine", "ward", Path())
    text = new_recipe("mine", "ward.yaml", Path()).read_text()
    assert "extends: ward\n" in text and "#   steps: 5 " in text and "#     beta: 0.2 " in text
    assert "# # In ward: ward\n# rounds: 7 " in text and "no comment" not in text
    Path("other").mkdir()
    text = new_recipe("mine", "ward.yaml", Path("other")).read_text()
    assert f"extends: {tmp_path / 'ward.yaml'}\n" in text and load_recipe("other/mine.yaml").method.steps == 5


def test_what_is_refused(tmp_path: Path) -> None:
    path = new_recipe("mine", "clincot", tmp_path)
    before = path.read_text()
    for name, parent, says in (
        ("mine", "clincot", "exists. Give another name"),
        ("clincot", "clincot", "a shipped recipe"),
        ("a/b", "clincot", "holds '/'"),
        ("other.yaml", "clincot", "the name of a file. Give the recipe's, other"),
        ("other", "clincott", "Did you mean 'clincot'"),
        (
            "other",
            "clincot-no-chain",
            "extends clincot itself, and a new recipe lists one file's values. Extend clincot",
        ),
    ):
        with pytest.raises(RecipeError, match=says):
            new_recipe(name, parent, tmp_path)
    with pytest.raises(RecipeError, match="cannot be written"):
        new_recipe("other", "clincot", tmp_path / "absent")
    assert path.read_text() == before and list(tmp_path.iterdir()) == [path]


def test_every_field_has_a_meaning() -> None:
    of = (Config, type(Config().lookahead), parts.Regions, parts.Judging, parts.Build, parts.Margin, parts.Train)
    for cls in (*of, parts.Evaluate, parts.Models, parts.ModelSource, parts.Load):
        for entry in dataclasses.fields(cls):
            below = dataclasses.is_dataclass(entry.type) or entry.name in {"lookahead", "regions", "judging"}
            assert below or meaning(cls, entry.name), f"{cls.__name__}.{entry.name}"
    for name in ("rounds", "seed", "image_layout", "image_fit", "benchmark_revision"):
        assert meaning(Recipe, name), name


@pytest.mark.parametrize(
    ("cls", "name", "words"),
    [
        (Config, "top_p", "a number above 0 and at most 1"),
        (parts.Judging, "context", "reference | blind | facts"),
        (parts.Evaluate, "inference", "a list of: region | direct"),
        (parts.Train, "dpo", "`key: value` lines"),
        (parts.ModelSource, "endpoint", "a URL or a list of URLs"),
        (Config, "steps", "a whole number from 1 to 100"),
    ],
)
def test_what_a_field_takes(cls: type, name: str, words: str) -> None:
    from typing import get_type_hints

    hints: dict[str, Any] = get_type_hints(cls, include_extras=True)
    assert takes(hints[name]) == words
