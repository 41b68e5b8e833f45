"""Models that take turns: equal rows, fewer swaps the more shards are driven together, none used while it is parked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import clincot
from clincot.engines.transformers import TransformersEngine
from clincot.executors.journal import Journal
from clincot.executors.local import Local
from clincot.images import encode_png
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.vlm import VlmJudge
from clincot.lm.parking import Parking, Spot
from clincot.recipe import load_recipe
from clincot.records import Example
from clincot.regions.query_grounder import QueryGrounder
from clincot.stages.sample.build import BuildOutcome, build
from clincot.stages.sample.builder import Builder, BuildJob
from clincot.stages.sample.finish import pieces
from clincot.stages.sample.serving import Models

MODELS = Path(clincot.__file__).parent / "phantom/models"
SHARDS = 4
DEVICE = torch.device("cpu", 0)  # a move to it is a copy: the CPU stands in for a GPU
SMALL = {
    "method.candidates": 3,
    "method.lookahead.samples": 1,
    "method.temperature": 2.0,
    "build.max_new_tokens": 6,
    "build.shard_images": 1,
}


class Watched(Spot):
    """A spot on a device that a CPU stands in for; a forward pass of parked weights fails."""

    def __init__(self, weights: torch.nn.Module) -> None:
        super().__init__(weights, DEVICE)
        self.moves: list[str] = []
        for module in weights.modules():
            module.register_forward_pre_hook(self._check)

    def park(self) -> None:
        super().park()
        self.moves.append("park")

    def wake(self) -> None:
        super().wake()
        self.moves.append("wake")

    def _check(self, *_: object) -> None:
        assert self.moves[-1] == "wake", "parked weights were used"


def load(*, parked: bool, itself: bool = False) -> Models:
    """Load the models of the embedded benchmark; `itself` makes the policy a judge too."""
    parking = Parking(Watched) if parked else None
    policy = TransformersEngine.from_pretrained(MODELS / "policy", batch_size=16)
    judges: list[Any] = [
        CausalLMJudge.from_pretrained(MODELS / f"judge-{name}", name=name, key="1", batch_size=16) for name in "ab"
    ]
    if itself:
        judges[1] = VlmJudge(policy, key="1")
    proposer = QueryGrounder.from_pretrained(MODELS / "grounder")
    models = Models(policy, proposer, tuple(CachedJudge(judge, {}) for judge in judges), parking=parking)
    for model in (policy, proposer, *judges):
        # A copy is aligned as files of weights are not, and the last digits of a CPU depend on it.
        model.weights.to(DEVICE)
        if parking:
            parking.add(model, "model")
    return models


def example(image: int, question: int) -> Example:
    pixels = np.random.default_rng(image).integers(0, 255, (128, 128), dtype=np.uint8)
    asked = ("Is there a nodule?", "Where is the effusion, in which lung field?")[question]
    own = f"q{image}-{question}", f"i{image}", encode_png(Image.fromarray(pixels)), asked
    return Example(*own, "yes", "closed", "k", "phantom", "A nodule.")


def job(folder: Path, **changed: object) -> BuildJob:
    """A round of a few images, a shard per image; `together` of them at once with models that take turns."""
    together, itself = changed.pop("together", 0), bool(changed.pop("itself", False))
    own = {"models.resident": "one", "models.shards_together": together} if together else {}
    recipe = load_recipe(overrides=[f"{name}={value}" for name, value in (SMALL | own | changed).items()])
    examples = tuple(example(image, question) for image in range(SHARDS) for question in range(2))
    return BuildJob(recipe, 1, examples, "key", folder, lambda: load(parked=bool(together), itself=itself))


def contents(outcome: BuildOutcome, folder: Path) -> dict[str, Any]:
    """Return the bytes of all rows and the reports of all shards, without how often models were swapped."""
    reports = [Journal(folder).report(number) for number in range(SHARDS)]
    for report in reports:
        report["counters"].pop("model_swaps", None)
    return {name: path.read_bytes() for name, path in outcome.files.items()} | {"reports": reports}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The rows and reports of models that are all resident."""
    folder = tmp_path_factory.mktemp("all")
    outcome = build(job(folder))
    assert "model_swaps" not in outcome.facts
    return contents(outcome, folder)


def test_rows_are_equal_and_swaps_fall_as_more_shards_are_driven_together(
    tmp_path: Path, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    swaps = []
    for together in (1, SHARDS):
        folder = tmp_path / str(together)
        outcome = build(job(folder, together=together))
        assert contents(outcome, folder) == expected
        swaps.append(outcome.facts["model_swaps"])
        err = capsys.readouterr().err
        assert f"swapped models {swaps[-1]} times" in err.splitlines() and f"models swapped {swaps[-1]} times" in err
    assert (SHARDS - 1) * swaps[1] < swaps[0]


def test_a_build_that_was_interrupted_ends_with_the_same_rows_in_either_way(
    tmp_path: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rate, calls = CausalLMJudge.rate, Counter[str]()

    def interrupted(judge: CausalLMJudge, requests: Sequence[JudgeRequest]) -> list[Rating]:
        calls[judge.name] += 1
        if calls[judge.name] == 6:  # of the second group of shards
            raise KeyboardInterrupt
        return rate(judge, requests)

    with monkeypatch.context() as patch:
        patch.setattr(CausalLMJudge, "rate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build(job(tmp_path, together=2))
    assert Journal(tmp_path).finished() == {0, 1}
    assert contents(build(job(tmp_path)), tmp_path) == expected


@pytest.mark.parametrize("itself", [True, False])
def test_debates_and_a_policy_that_is_its_own_judge_have_equal_rows(itself: bool, tmp_path: Path) -> None:
    judging = {"consensus": "agreement" if itself else "debate", "failure_limit": 1}
    own = {f"build.judging.{name}": value for name, value in judging.items()} | {"method.steps": 1, "itself": itself}
    found = [contents(build(job(tmp_path / str(n), together=n, **own)), tmp_path / str(n)) for n in (0, 3)]
    assert found[0] == found[1]


def test_every_process_finds_shards(tmp_path: Path) -> None:
    whole = Builder(job(tmp_path, together=4), Journal(tmp_path), [()] * 12)
    sizes = [[len(piece) for piece in pieces(list(range(left)), whole, Local(3))] for left in (12, 10, 4, 1, 0)]
    assert sizes == [[4, 4, 4], [4, 4, 2], [2, 2], [1], []]
    alone = Builder(job(tmp_path), Journal(tmp_path), [()] * 10)
    assert pieces([3, 5], alone, Local()) == [(3,), (5,)]
