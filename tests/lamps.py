"""Drawn images, a proposer and an engine that read pixels and prompts by plain rules: answers whose truth is known.

A lamp is a bright square in a dark image. It is too small to lift the mean of the whole image over the engine's
threshold and fills its crop, so looking at the right region pays, as with a nodule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from clincot.images import content_id, encode_png
from clincot.lm.requests import ChoiceRequest, ChoiceScores, Completion, GenerateRequest
from clincot.recipe import Recipe, load_recipe
from clincot.records import AnswerType, Example
from clincot.regions.base import HeatMap, Subject

SIZE = 64


def picture(side: str, shade: int = 10) -> Image.Image:
    """Draw a dark image with a lamp on the left, on the right, or none."""
    pixels = np.full((SIZE, SIZE, 3), shade, np.uint8)
    if side:
        start = 8 if side == "left" else 44
        pixels[24:36, start : start + 12] = 250
    return Image.fromarray(pixels)


def examples(sides: Sequence[str] = ("left", "right", "", "left", "", "right")) -> list[Example]:
    """Three questions per image: closed, open, report."""
    made = []
    for i, side in enumerate(sides):
        data = encode_png(picture(side, shade=10 + i))
        where = f"there is a lamp on the {side} ." if side else "there is no lamp ."
        asked: tuple[tuple[AnswerType, str, str], ...] = (
            ("closed", "Is there a nodule?", "Yes" if side else "No"),
            ("open", "On which side is the nodule?", side or "neither"),
            ("report", "Describe the picture.", where),
        )
        for kind, question, answer in asked:
            name = f"lamps/{i}/{kind}"
            made.append(Example(name, content_id(data), data, question, answer, kind, kind, "phantom", answer))
    return made


def recipe(*overrides: str) -> Recipe:
    """The phantom's recipe with regions that fit these images."""
    small = (
        "build.regions.blur=3",
        "build.regions.smallest=0.001",
        "build.regions.least_side=8",
        "build.shard_images=2",
    )
    return load_recipe("clincot", "phantom", overrides=[*small, "evaluate.resamples=200", *overrides])


@dataclass
class LampProposer:
    """Looks for brightness under the name nodule; its map of an effusion is flat."""

    name: str = "lamps"
    key: str = "lamps"
    known: tuple[str, ...] | None = ("nodule", "effusion")
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        self.asked += [tuple(wanted) for wanted in hypotheses]
        return [
            [self._map(subject.image, name) for name in wanted]
            for subject, wanted in zip(subjects, hypotheses, strict=True)
        ]

    def _map(self, image: Image.Image, name: str) -> HeatMap:
        grey = np.asarray(image.convert("L"), np.float32) / 255
        values = np.where(grey > 0.5, grey, 0.0).astype(np.float32) if name == "nodule" else np.zeros_like(grey)
        return HeatMap(name, values, float(grey.max()) if name == "nodule" else 0.1)


@dataclass
class LampEngine:
    """Calls an image lit when its mean grey exceeds 60; says what the prompt and the pixels decide, nothing else."""

    generated: int = 0
    forgotten: int = 0
    stop_after: int = 10**9

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        if self.generated >= self.stop_after:
            raise KeyboardInterrupt
        self.generated += len(requests)
        return [self._complete(request) for request in requests]

    def forget(self) -> None:
        self.forgotten += 1

    def score_choices(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceScores]:
        raise AssertionError("evaluation asks for no choices")

    def _complete(self, request: GenerateRequest) -> Completion:
        assert request.temperature == 0.0
        text = next(block["text"] for block in request.messages[0]["content"] if block["type"] == "text")
        words = self._say(text, request.images)
        return Completion(words, -1.0, len(words.split()), "stop")

    def _say(self, text: str, images: Sequence[Image.Image]) -> str:
        grey = np.asarray(images[-1].convert("L"), np.float32)
        lit = grey.mean() > 60 or "lit" in text.partition("Findings so far:")[2]
        if "State in one sentence" in text:
            return "The local image is lit." if lit else "The local image is dark."
        if text.startswith("Is there"):
            return "Yes, there is." if lit else "No."
        whole = np.asarray(images[0].convert("L"), np.float32)
        left, right = whole[:, : SIZE // 2].mean(), whole[:, SIZE // 2 :].mean()
        side = "left" if left > right + 5 else "right" if right > left + 5 else "neither"
        return f"there is a lamp on the {side} ." if text.startswith("Describe") else side
