"""What a setting says about making its models: every command in its comments is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from click import Context

from clincot.benchmarks import load
from clincot.cli import app
from clincot.recipe import load_recipe, recipes_folder

COMMANDS = [
    (path.name, found.strip())
    for path in sorted((recipes_folder()).rglob("*.yaml"))
    for found in re.findall(r"^#\s+clincot ([^#\n]+)", path.read_text(encoding="utf-8"), re.M)
]


@pytest.mark.parametrize(("file", "words"), COMMANDS)
def test_a_command_in_a_comment_is_taken(
    file: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, context, rest = typer.main.get_command(app), None, shlex.split(words)
    monkeypatch.chdir(tmp_path)
    for name in (word for word in rest if word.endswith((".pth", ".json"))):
        (tmp_path / name).touch()
    while hasattr(command, "commands"):
        context = Context(command, parent=context, info_name="clincot")
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(words, rest, parent=context)  # raises for an unknown option, too few words or too many


def test_the_paper_says_how_each_of_its_models_is_made_and_pads_as_llava_med_does() -> None:
    recipe = load_recipe("clincot", "paper")
    sources = (recipe.models.policy, recipe.models.proposer, *recipe.models.judges)
    words = " ".join(found for file, found in COMMANDS if file == "paper.yaml")
    assert all(source.repo in words for source in sources) and load(recipe.benchmark).source.repo in words
    assert recipe.image_fit == "pad"
