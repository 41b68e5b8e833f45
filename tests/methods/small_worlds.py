"""A policy and an editor that say what a test lists, for methods whose right pairs a test knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from clincot.editors.base import Rewrite, RewriteRequest
from clincot.lm.requests import Completion, Counters, GenerateRequest
from clincot.recipe import Recipe, load_recipe
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.lamps import examples
from tests.walked import Walked, walked

SMALL = ("build.regions.blur=3", "build.regions.smallest=0.001", "build.regions.least_side=8")


@dataclass
class Policy:
    """Writes what `says` gives for a request; "CUT" at the end of a text cuts it there."""

    says: Callable[[GenerateRequest], str]
    requests: list[GenerateRequest] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)

    def forget(self) -> None:
        """Keep nothing."""

    def token_ends(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Call each word a token, with the space before it."""
        return [tuple(found.end() for found in re.finditer(r"\s*\S+", text)) for text in texts]

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.requests += requests
        return [_completion(self.says(request)) for request in requests]


def _completion(text: str) -> Completion:
    whole = not text.endswith("CUT")
    return Completion(text.removesuffix("CUT"), -1.0, len(text.split()) + 1, "stop" if whole else "length")


@dataclass
class Editor:
    """Rewrites a text as `table` says; what it does not know comes back unchanged."""

    table: dict[str, str]
    name: str = "table"
    key: str = "table"

    def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Rewrite]:
        return [Rewrite(self.table.get(request.text, request.text)) for request in requests]


def asked(request: GenerateRequest) -> str:
    """Return the text of a request's last turn."""
    blocks = request.messages[-1]["content"]
    return next(block["text"] for block in blocks if block["type"] == "text")


def in_turn(*texts: str) -> Callable[[GenerateRequest], str]:
    """Return what says the texts one after another, for every question anew."""
    said: dict[str, int] = {}

    def says(request: GenerateRequest) -> str:
        question = asked(request)
        said[question] = said.get(question, -1) + 1
        return texts[said[question] % len(texts)]

    return says


def settings(name: str, *overrides: str) -> Recipe:
    """Return a shipped recipe on the phantom's setting, with regions that fit the images of `lamps`."""
    return load_recipe(name, "phantom", overrides=[*SMALL, *overrides])


def walk(recipe: Recipe, models: Models, sides: Sequence[str] = ("left",), kinds: Sequence[str] = ("open",)) -> Walked:
    """Sample and pair the lamps of `sides`, those questions of theirs that are of `kinds`."""
    wanted: list[Any] = [example for example in examples(sides) if example.answer_type in kinds]
    return walked(recipe, wanted, Workbench(recipe, 1, models))
