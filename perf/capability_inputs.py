"""Seeds -> the prompts, pairs and questions that tiny models of every class are tried with."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from clincot.chain.prompts import direct_messages, finding_messages
from clincot.images import encode_png
from clincot.lm.requests import GenerateRequest
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.rows.schema import PAIR_FEATURES

WORDS = 6  # tokens of an answer
QUESTION, FINDING = "Is there a nodule in the left lung?", "The local image shows an effusion."
TEXTS = ("Yes, there is a nodule.", "No", "The left lung is clear.")


def recipe_of(layout: str) -> Recipe:
    """One step of training over all rows, on one thread."""
    train = {"dpo.max_steps": 1, "dpo.per_device_train_batch_size": 2, "dpo.learning_rate": 0.01, "lora.r": 2}
    train |= {"batch_layout": layout, "threads": 1}
    return load_recipe(overrides=[f"train.{name}={value}" for name, value in train.items()])


def drawn(seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Noise: no two images are alike in any part."""
    noise = torch.randint(0, 256, (size[1], size[0], 3), generator=torch.Generator().manual_seed(seed))
    return Image.fromarray(noise.to(torch.uint8).numpy())


def asked() -> list[GenerateRequest]:
    """Two images of two shapes: a question about the whole, about a crop, and after a finding."""
    made = []
    for number, size in enumerate([(48, 40), (36, 60)]):
        whole, crop = drawn(number, size), drawn(10 + number, (20, 30))
        for messages, shown in (
            (direct_messages(QUESTION), (whole,)),
            (finding_messages(QUESTION, ()), (whole, crop)),
            (finding_messages(QUESTION, (FINDING,)), (whole, crop)),
        ):
            made.append(GenerateRequest(tuple(messages), shown, len(made), 0.0, 1.0, WORDS))
    return made


def pair_rows() -> list[dict[str, Any]]:
    """Two pairs of one group, whose three texts have a crop each."""
    whole = {"bytes": encode_png(drawn(1)), "path": "whole.png"}
    crops = [{"bytes": encode_png(drawn(20 + n, (24, 30))), "path": f"{n}.png"} for n in range(3)]
    region = {"hypothesis": "nodule", "box": [0, 0, 24, 30], "confidence": 0.5}
    rows = []
    for number, (high, low) in enumerate([(0, 1), (2, 1)]):
        row: dict[str, Any] = dict.fromkeys(PAIR_FEATURES)
        row |= {"id": f"row-{number}", "example_id": "example", "round": 1, "step": 1, "method": "clincot"}
        row |= {"prompt": finding_messages(QUESTION, ()), "images": [whole], "weight": 1.0, "group": "example/1"}
        row |= {"side_images": [crops[high], crops[low]], "chosen_region": region, "rejected_region": region}
        row |= {"chosen": TEXTS[high], "rejected": TEXTS[low], "chosen_score": 0.9, "rejected_score": 0.2 + number / 9}
        rows.append(row | {"chosen_candidate": f"c{high}", "rejected_candidate": f"c{low}"})
    return rows


def four_questions() -> list[Example]:
    """Two images with two questions each."""
    images = [encode_png(drawn(n)) for n in range(2)]
    facts = ("yes", "closed", "", "xr", "yes")
    return [Example(f"e{n}", f"image-{n % 2}", images[n % 2], f"{QUESTION} {n}", *facts) for n in range(4)]
