"""What an evaluation reads of its benchmark: each split once, the train split only where a control answers with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sealed import Sealed
from sealed_run import SealedRun

from clincot import benchmarks
from clincot.runs.evaluation.evaluate import Splits, evaluate_rounds

READ: list[str] = []


class Counted(Sealed):
    """The sealed benchmark, which tells what is read of it."""

    def examples(self, folder: Path, split: str) -> list[Any]:
        READ.append(split)
        return super().examples(folder, split)


@pytest.fixture
def counted(sealed: SealedRun, monkeypatch: pytest.MonkeyPatch) -> SealedRun:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "sealed", f"{__name__}:Counted")
    READ.clear()
    return sealed


def test_an_evaluation_reads_each_split_once(counted: SealedRun) -> None:
    evaluated = evaluate_rounds(counted.run, 1)
    assert not evaluated.release.fresh
    assert sorted(READ) == ["test", "train"]


def test_without_a_control_that_needs_it_the_train_split_is_not_read(counted: SealedRun) -> None:
    recipe = counted.run.recipe
    few = replace(recipe, evaluate=replace(recipe.evaluate, controls=("black_image", "constant_template")))
    splits = Splits(replace(counted.run, recipe=few), counted.results.lineage.pins["benchmark"])
    assert splits.asked and splits.asked and splits.for_controls == []
    assert READ == ["test"]


def test_the_adapter_was_trained_on_train_images_alone(counted: SealedRun) -> None:
    evaluation = evaluate_rounds(counted.run, 1).evaluation
    assert evaluation.contamination == {"base": (), "round-1": ()}
    known = counted.results.lineage.facts["contamination"]["round-1"]
    assert known == {"images": 0, "of": 2, "questions": 0, "ids": []}
