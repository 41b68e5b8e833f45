from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from clincot.report.run.curves import from_table
from clincot.runs.rounds.curve import training_curve, training_files

HISTORY = [{"step": s, "loss": 0.7 / s, "rewards/accuracies": s / 10} for s in range(1, 9)]
BLUE = (0x00, 0x72, 0xB2)


@pytest.mark.parametrize("history", [HISTORY, HISTORY[:1], [], [{"step": 1, "loss": float("nan")}, *HISTORY[1:]]])
def test_any_history_becomes_an_image(history: list[dict[str, float]]) -> None:
    assert Image.open(io.BytesIO(training_curve(history, "run, round-1"))).height > 100


def test_a_falling_loss_falls_in_the_image() -> None:
    pixels = Image.open(io.BytesIO(training_curve(HISTORY, ""))).convert("RGB").crop((0, 0, 1020, 900))
    blue = [(x, y) for x in range(150, 1010) for y in range(100, 780) if pixels.getpixel((x, y)) == BLUE]
    left, right = min(blue)[1], max(blue)[1]
    assert left < 300 and right > 650


def test_the_same_history_gives_the_same_bytes_and_all_of_its_numbers(tmp_path: Path) -> None:
    files = training_files([*HISTORY, {"train_runtime": 3.0, "step": 8}], "x", tmp_path, "round-2")
    assert list(files) == ["round-2/training.csv", "round-2/curve.png"]
    assert from_table(files["round-2/training.csv"].read_text(encoding="utf-8")) == HISTORY
    assert files["round-2/curve.png"].read_bytes() == training_curve(HISTORY, "x")
