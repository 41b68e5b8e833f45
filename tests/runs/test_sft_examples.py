"""The stage of gold answers: which examples it reads, and that it reads the benchmark once."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot import benchmarks
from clincot.hub import connect
from clincot.phantom.dataset import phantom_files
from clincot.recipe import load_recipe
from clincot.runs.rounds.made import examples_of
from clincot.runs.rounds.sft import _examples
from clincot.runs.run import Run


def test_the_examples_of_all_rounds_come_from_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe("clincot", "phantom", overrides=["rounds=3", "build.max_images=1", "build.max_questions=2"])
    phantom = type(benchmarks.load("phantom"))
    real, read = phantom.examples, []
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        files = phantom_files(tmp_path / "drawn", seed=3, train=8, validation=1, test=1)
        hub.publish("dataset", "clincot/phantom", files, tag=None, message="Drawn", private=False)
        run = Run("mine", recipe, tmp_path, hub, hub, "a")
        pin = hub.resolve("dataset", "clincot/phantom", "main")
        by_round = [examples_of(run, recipe, pin, round_)[1] for round_ in (1, 2, 3)]
        monkeypatch.setattr(phantom, "examples", lambda self, *asked: read.append(asked) or real(self, *asked))
        found = _examples(run, pin)
    wanted = {example.id for part in by_round for example in part if example.answer.strip()}
    assert len(found) == len(wanted) > 3 and {example.id for example in found} == wanted
    assert [split for _, split in read] == ["train"]
