"""Drawn phantoms -> what a policy and a judge are asked about them in a round, greedily, for any engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from clincot.chain.prompts import direct_messages, finding_messages
from clincot.judges.base import JudgeRequest
from clincot.lm.requests import GenerateRequest
from clincot.phantom.dataset import image_rows
from clincot.phantom.drawing.draw import draw
from clincot.records import Box

CROPS = (Box(20, 40, 120, 140), Box(130, 60, 230, 160))


def questions(images: int, each: int) -> Iterator[tuple[Image.Image, str, str]]:
    """Yield image, question and answer of the first `each` questions of images that no split trains on."""
    for index in range(900_000, 900_000 + images):
        image = Image.fromarray(draw(0, index).image).convert("RGB")
        for row in image_rows(0, index)[:each]:
            yield image, row["question"], row["answer"]


def to_write(images: int = 8, each: int = 2) -> list[GenerateRequest]:
    """Return requests of a chain: two regions a question, each with and without a finding, and the question alone."""
    made = []
    for image, question, _ in questions(images, each):
        for crop in CROPS:
            for findings in ((), ("The local image shows an effusion.",)):
                asked = tuple(finding_messages(question, findings))
                made.append(GenerateRequest(asked, (image, image.crop(crop)), 0, 0.0, 1.0, 24))
        made.append(GenerateRequest(tuple(direct_messages(question)), (image,), 0, 0.0, 1.0, 24))
    return [replace(request, seed=seed) for seed, request in enumerate(made)]


def to_rate(images: int = 8, each: int = 3) -> list[JudgeRequest]:
    """Return two statements about each question: its answer, and another."""
    made = []
    for _, question, answer in questions(images, each):
        for statement in (answer, "There is a nodule in the left lung."):
            made.append(JudgeRequest(question, f"Answer: {answer}.", (), statement))
    return made
