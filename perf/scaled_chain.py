"""A size -> what ClinCoT's chain asks of its policy about drawn images: the real method, operator and requests.

Proposer and judge are arithmetic, so that only the policy takes time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from clincot.chain.hypotheses import ENTITIES
from clincot.engines.transformers import TransformersEngine
from clincot.images import encode_png
from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion, GenerateRequest
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.regions.base import HeatMap, Subject
from perf.scaled_policy import Geometry

KNOWN = ("lesion", "mass", "disease", "fluid", "normal", *ENTITIES)


@dataclass(frozen=True)
class Size:
    """How much is asked: `questions` per image, `candidates` per step, `steps`, `samples` of look-ahead."""

    images: int = 1
    questions: int = 10
    candidates: int = 5
    steps: int = 4
    samples: int = 3
    width: int = 256
    layers: int = 4
    batch: int = 32


class Squares:
    """A proposer that knows a place for every name: the region operator and the crops behind it are the real ones."""

    name, key, known = "squares", "1", KNOWN

    def heat_maps(self, subjects: Sequence[Subject], wanted: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        return [[self._map(name) for name in names] for names in wanted]

    def _map(self, name: str) -> HeatMap:
        values = np.zeros((10, 10), np.float32)
        row, column = divmod(KNOWN.index(name), 5)
        values[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 1
        return HeatMap(name, values, 0.5)


class ByDigest:
    """A judge whose opinion is a digest of the statement: which candidate wins must not cost time here."""

    name, key = "digest", "1"

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        return [Rating(hashlib.blake2b(r.statement.encode(), digest_size=1).digest()[0] / 255, 1.0) for r in requests]


class Recorder:
    """An engine that remembers what it was asked and what it wrote, and how long it wrote."""

    def __init__(self, engine: TransformersEngine) -> None:
        self.engine = engine
        self.counters = engine.counters
        self.calls: list[list[GenerateRequest]] = []
        self.texts: list[str] = []
        self.seconds = 0.0

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        started = time.process_time()
        written = self.engine.generate(requests)
        self.seconds += time.process_time() - started
        self.calls.append(list(requests))
        self.texts += [completion.text for completion in written]
        # Random weights seldom end a text; as cut ones they would extend no chain, and the walk would end at step 1.
        return [replace(completion, finish="stop") for completion in written]

    def forget(self) -> None:
        self.engine.forget()


def questions_of(image: int, size: Size, *, entities: bool) -> list[str]:
    """Seven words each; with `entities`, every question names another finding."""
    names = list(ENTITIES) if entities else [f"thing-{i}" for i in range(size.questions)]
    return [f"Is there {names[i % len(names)]} in picture {image} ?" for i in range(size.questions)]


def examples_of(size: Size, *, entities: bool) -> list[Example]:
    """With `entities` each question looks for its own hypotheses: what an image's questions share is then less."""
    made = []
    for image in range(size.images):
        noise = np.random.default_rng(image).integers(0, 256, (10, 10, 3), dtype=np.uint8)
        data = encode_png(Image.fromarray(noise).resize((200, 200), Image.Resampling.NEAREST))
        for i, question in enumerate(questions_of(image, size, entities=entities)):
            name = f"{image}-{i}" if entities else str(image)
            made.append(Example(f"q{image}-{i}", name, data, question, "yes", "closed", "", "other", "yes"))
    return made


def recipe_of(size: Size) -> Recipe:
    values = {
        "method.steps": size.steps,
        "method.candidates": size.candidates,
        "method.lookahead.samples": size.samples,
        "method.temperature": 0.0,
        "build.max_new_tokens": Geometry().response,
        "build.regions.least_side": 20,
        "build.regions.blur": 0,
    }
    return load_recipe(overrides=[f"{name}={value}" for name, value in values.items()])
