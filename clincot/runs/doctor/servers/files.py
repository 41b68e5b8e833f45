"""A served role and its repository -> what reads prompts as its own files say, or why nothing does; no weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clincot.engines.room import PolicyRoom
from clincot.engines.server_look import Prompt
from clincot.errors import ClincotError
from clincot.hub import Hub
from clincot.judges.room import JudgeRoom
from clincot.recipe import ModelSource, Recipe
from clincot.runs.doctor.models import folder_here
from clincot.runs.doctor.reach import Reach

FILES = ("*.json", "*.jinja", "*.model", "*.txt")
Reads = Callable[[Prompt], tuple[int, ...]]


def reader_of(source: ModelSource, reach: Reach, recipe: Recipe, sees: bool) -> Reads | str:
    """Return what reads a prompt (messages, images) by the model's own files, or why nothing does; no weights."""
    try:
        folder = folder_here(source, reach) or reach(lambda hub: _files(source, hub))
        if not sees:
            judge = JudgeRoom.from_pretrained(folder, recipe.build.judging.scoring)
            return lambda prompt: judge.ids(prompt.messages)
        room = PolicyRoom.from_pretrained(folder, recipe.image_fit)
        return lambda prompt: room.ids(prompt.messages, prompt.images)
    except ClincotError as error:
        return f"not compared, the model's files are not here: {' '.join(str(error).split())}"


def _files(source: ModelSource, hub: Hub) -> Path:
    return hub.snapshot(hub.resolve("model", source.repo, source.revision), FILES)
