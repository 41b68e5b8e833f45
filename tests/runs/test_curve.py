from __future__ import annotations

import io

import pytest
from PIL import Image

from clincot.runs.rounds.curve import training_curve

HISTORY = [{"step": s, "loss": 0.7 / s, "rewards/accuracies": s / 10} for s in range(1, 9)]


@pytest.mark.parametrize("history", [HISTORY, HISTORY[:1], [], [{"step": 1, "loss": float("nan")}, *HISTORY[1:]]])
def test_any_history_becomes_an_image(history: list[dict[str, float]]) -> None:
    assert Image.open(io.BytesIO(training_curve(history, "run, round-1"))).size == (840, 330)


def test_a_falling_loss_falls_in_the_image() -> None:
    pixels = Image.open(io.BytesIO(training_curve(HISTORY, ""))).convert("RGB")
    blue = [(x, y) for x in range(62, 388) for y in range(66, 272) if pixels.getpixel((x, y)) == (0x1F, 0x5F, 0xA8)]
    left, right = min(blue)[1], max(blue)[1]
    assert left < 90 and right > 240


def test_the_same_history_gives_the_same_bytes() -> None:
    assert training_curve(HISTORY, "x") == training_curve(HISTORY, "x")
