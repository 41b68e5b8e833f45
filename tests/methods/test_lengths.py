"""Questions and references that are too long: found before any model is asked, dropped and counted one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clincot
from clincot import engines, judges
from clincot.chain.prompts import finding_messages
from clincot.engines.transformers import TransformersEngine
from clincot.errors import DataError
from clincot.images import encode_png
from clincot.judges.base import JudgeRequest
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.panel import Panel
from clincot.lm.requests import GenerateRequest
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.regions.grid import Grid
from clincot.stages.sample.build import build
from clincot.stages.sample.builder import BuildJob
from clincot.stages.sample.lengths import OF_JUDGE, OF_POLICY, Rooms, check_lengths
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.walked import Walked, walked

MODELS = Path(clincot.__file__).parent / "phantom/models"
LONG = "word " * 3000
CHINESE = "左肺有结节吗？" * 400


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe(overrides=["method.candidates=2", "build.max_new_tokens=12", "method.lookahead.samples=1"])


@pytest.fixture(scope="module")
def models() -> Models:
    policy = TransformersEngine.from_pretrained(MODELS / "policy", batch_size=16)
    judge = CausalLMJudge.from_pretrained(MODELS / "judge-a", name="a", key="1", batch_size=16)
    return Models(policy, Grid.from_pretrained(), (judge,))


@pytest.fixture(scope="module")
def rooms() -> Rooms:
    policy = engines.open_room("transformers", MODELS / "policy")
    judge = judges.open_room("causal_lm", MODELS / "judge-a", policy, "expected")
    assert policy is not None and judge is not None
    return Rooms(policy, (judge,))


def example(number: int, question: str = "Is there a nodule?", reference: str = "A nodule.") -> Example:
    pixels = np.random.default_rng(number).integers(0, 255, (256, 256), dtype=np.uint8)
    image = encode_png(Image.fromarray(pixels))
    return Example(f"q{number}", f"i{number}", image, question, "yes", "closed", "k", "phantom", reference)


def shard(odd: Example, recipe: Recipe, models: Models) -> Walked:
    examples = [example(1, "Is there an effusion?"), odd, example(3)]
    return walked(recipe, examples, Workbench(recipe, 1, models))


@pytest.mark.parametrize(
    ("question", "reference", "reason"),
    [
        (f"Is there a nodule? {LONG}", "x", OF_POLICY),
        (CHINESE, "x", OF_POLICY),
        ("Is there a nodule?", LONG, OF_JUDGE),
        ("Is there a nodule?", "<image> </s> " * 1000, OF_JUDGE),
        (LONG, LONG, OF_POLICY),
    ],
)
def test_one_odd_question_is_dropped_and_counted_and_the_others_are_built(
    question: str, reference: str, reason: str, recipe: Recipe, models: Models, rooms: Rooms
) -> None:
    odd = example(2, question, reference)
    result = shard(odd, recipe, models)
    assert {c.example_id for c in result.candidates} == {"q1", "q3"}
    assert result.drops[reason] == 1 and sum(n for r, n in result.drops.items() if "too long" in r) == 1
    assert check_lengths(recipe, of_recipe(recipe), [example(1), odd], rooms) == {"q2": reason}


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        ("<image>\nIs there a nodule?", "x"),
        ("Is there <|end|> a <|assistant|> nodule?", "x"),
        ("Is there a nodule?", "<image> a nodule <|end|>"),
        ("", "x"),
        ("هل توجد عقدة؟", "x"),
        ("Is there\x00 a nodule?", "x"),
    ],
)
def test_other_oddities_are_used(question: str, reference: str, recipe: Recipe, models: Models) -> None:
    result = shard(example(2, question, reference), recipe, models)
    assert {c.example_id for c in result.candidates} == {"q1", "q2", "q3"}


def test_lengths_of_texts_are_those_that_the_engine_reads(models: Models, rooms: Rooms) -> None:
    policy: Any = models.policy
    view = Image.new("RGB", (256, 256))
    fits = []
    for words in range(1200, 2050, 10):
        asked = GenerateRequest(tuple(finding_messages("a " * words, ())), (view, view), 0, 0.0, 1.0, 1)
        said = rooms.policy.too_long([asked]) if rooms.policy else [False]
        assert said == policy.too_long([asked])
        if not fits or fits[-1] != said[0]:
            assert bool(policy.generate([asked])[0].failure) == said[0]
            fits.append(said[0])
    assert fits == [False, True]


@pytest.mark.parametrize("share", [True, False])
def test_a_prompt_that_is_too_long_costs_its_batch_mates_nothing(share: bool) -> None:
    engine = TransformersEngine.from_pretrained(MODELS / "policy", batch_size=4, share=share)
    view = Image.new("RGB", (256, 256))
    questions = ("Is there a nodule?", LONG, "Is there an effusion?")
    asked = [GenerateRequest(tuple(finding_messages(q, ())), (view, view), 0, 0.0, 1.0, 4) for q in questions]
    written = engine.generate(asked)
    assert [c.finish == "failed" for c in written] == [False, True, False]
    engine.forget()
    assert [c.text for c in engine.generate([asked[0], asked[2]])] == [written[0].text, written[2].text]


def test_a_statement_that_is_too_long_for_a_judge_is_no_failure_of_the_judge(models: Models) -> None:
    requests = [JudgeRequest("Is it?", "Yes.", (), text) for text in ("Yes.", LONG, "No.")]
    panel = Panel(models.judges, load_recipe().build.judging)
    rated = [one[0] for one in finish(panel.rate(requests))]
    assert [r.too_long for r in rated] == [False, True, False] and rated[1].value is None
    assert panel.failures["a"].rated == 2 and panel.failures["a"].failed == 0


class Counted:
    """Counts what a model would be asked, and fails when it is."""

    def load(self) -> Models:
        raise AssertionError("a model was loaded")


def test_a_split_without_a_usable_question_stops_before_a_model_loads(
    recipe: Recipe, rooms: Rooms, tmp_path: Path
) -> None:
    examples = tuple(example(i, LONG) for i in range(3))
    job = BuildJob(recipe, 1, examples, "key", tmp_path, Counted().load, {}, lambda: rooms)
    with pytest.raises(DataError, match=r"none of 3 questions can be asked: 3 questions too long for the policy.*q0"):
        build(job)


def test_a_large_split_is_looked_at_before_any_model_loads(
    recipe: Recipe, rooms: Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = [example(1), example(2, LONG), example(3, CHINESE), example(4, reference=LONG)]
    many = [replace(few[0], id=f"n{i}", image=b"no image", question=f"Is it {i}?") for i in range(5000)]
    job = BuildJob(recipe, 1, tuple([*many, *few]), "key", tmp_path, Counted().load, {}, lambda: rooms)
    with pytest.raises(AssertionError, match="a model was loaded"):
        build(job)
    err = " ".join(capsys.readouterr().err.split())
    assert f"3 of 5004 questions will be dropped: 1 {OF_JUDGE}, 2 {OF_POLICY}. q2 (" in err


def test_a_split_is_looked_at_in_parts(recipe: Recipe) -> None:
    class Part:
        sizes: list[int] = []

        def too_long(self, requests: Sequence[GenerateRequest]) -> list[bool]:
            self.sizes.append(len(requests))
            return [False] * len(requests)

    part, one = Part(), example(1)
    assert check_lengths(recipe, of_recipe(recipe), [replace(one, id=str(i)) for i in range(2500)], Rooms(part)) == {}
    assert part.sizes == [1000, 1000, 500]


def test_a_context_that_the_chain_outgrows_ends_the_chain_alone(recipe: Recipe, models: Models, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "short"
    shutil.copytree(MODELS / "policy", folder)
    config = json.loads((folder / "config.json").read_text())
    policy: Any = models.policy
    view = Image.new("RGB", (256, 256))
    plain = GenerateRequest(tuple(finding_messages("Is there a nodule?", ())), (view, view), 0, 0.0, 1.0, 12)
    room = next(n for n in range(20, 2048) if not replace(policy._room, context=n).too_long([plain])[0])
    config["text_config"]["max_position_embeddings"] = room + 2
    (folder / "config.json").write_text(json.dumps(config))
    short = TransformersEngine.from_pretrained(folder, batch_size=8)
    result = walked(recipe, [example(1)], Workbench(recipe, 1, Models(short, models.proposer, models.judges)))
    assert {c.step for c in result.candidates} == {1}
    assert result.drops["candidates too long for the policy"] == 2
    assert result.drops["look-ahead texts too long for the policy"] == 2
    assert result.drops["chains that stop at a step without a text"] == 1
