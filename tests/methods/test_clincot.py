"""The paper's Figure 1, step by step, on a policy, a proposer and judges whose every reply is written down here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clincot.images import encode_png
from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion, GenerateRequest
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.regions.base import HeatMap, Subject
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.walked import Walked, walked

HYPOTHESES = ("nodule", "effusion", "cardiomegaly")


class WrittenPolicy:
    """Says what its crop calls for; answers yes once a nodule stands among the findings."""

    def __init__(self) -> None:
        self.requests: list[GenerateRequest] = []

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.requests += requests
        return [Completion(self._text(request), -1.5, 4, "stop") for request in requests]

    def forget(self) -> None:
        """Keep nothing between shards."""

    def _text(self, request: GenerateRequest) -> str:
        text = request.messages[0]["content"][-1]["text"]
        crop = request.images[1]
        column = "nodule" if crop.getpixel((crop.width // 2, crop.height // 2))[0] > 100 else "nothing"
        if "State in one sentence" in text:
            return f"The local image shows {column} ({crop.tobytes()[:1].hex()}-{crop.width})."
        return "Yes" if "shows nodule" in text else "No"


class WrittenProposer:
    """Puts each hypothesis into its own column of the image."""

    name, key, known = "written", "1", HYPOTHESES

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        return [[self._map(name) for name in names] for names in hypotheses]

    def _map(self, name: str) -> HeatMap:
        values = np.zeros((6, 6), np.float32)
        values[2:4, 2 * HYPOTHESES.index(name) : 2 * HYPOTHESES.index(name) + 2] = 1
        return HeatMap(name, values, 0.5)


class WrittenJudge:
    """Gives 0.9 to what speaks for a nodule and 0.1 to what does not, shifted by `bias`."""

    key = "1"

    def __init__(self, name: str, bias: float = 0.0) -> None:
        self.name, self.bias = name, bias
        self.requests: list[JudgeRequest] = []

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.requests += requests
        right = [("nodule" in r.statement or r.statement == "Yes") for r in requests]
        return [Rating((0.9 if good else 0.1) + self.bias, 1.0) for good in right]


@pytest.fixture()
def recipe() -> Recipe:
    return load_recipe(overrides=["method.candidates=3", "build.regions.least_side=8", "method.lookahead.samples=2"])


def numbers(recipe: Recipe, **changed: object) -> Recipe:
    """Return `recipe` with other numbers of its method."""
    method = recipe.method
    return replace(recipe, method=replace(method, config=replace(method.config, **changed)))


def example() -> Example:
    pixels = np.zeros((60, 60), np.uint8)
    pixels[:, :20] = 200  # the nodule's column is bright
    png = encode_png(Image.fromarray(pixels))
    return Example("q1", "i1", png, "Is there a nodule?", "Yes", "closed", "presence", "phantom", "There is a nodule.")


def walk(recipe: Recipe, judges: Sequence[WrittenJudge]) -> tuple[Walked, WrittenPolicy]:
    policy = WrittenPolicy()
    bench = Workbench(recipe, 1, Models(policy, WrittenProposer(), tuple(judges)))  # type: ignore[arg-type]
    return walked(recipe, [example()], bench), policy


def test_the_chain_of_figure_1(recipe: Recipe) -> None:
    result, policy = walk(recipe, [WrittenJudge("a"), WrittenJudge("b", 0.1)])

    # Image -> hypotheses -> regions: one candidate per region sees the same chain and its own region (Eq. 2).
    findings = [c for c in result.candidates if c.step == 1]
    assert [c.region.hypothesis for c in findings if c.region] == list(HYPOTHESES)
    assert all(c.findings == () for c in findings)
    # Eq. 3: own 0.9, both look-ahead answers "Yes" 0.9, gamma 0.5: (0.9 + 0.5 * 0.9) / 1.5 = 0.9.
    best = findings[0]
    assert best.lookahead == ("Yes", "Yes")
    assert [round(s.total or 0, 6) for s in best.judge_scores] == [0.9, 1.0]
    # Eq. 4: mean 0.95, difference 0.1: 0.95 * 0.9.
    assert best.score == pytest.approx(0.95 * 0.9)
    # The best candidate, and only it, extends the chain.
    answers = [c for c in result.candidates if c.step == 2]
    assert {c.findings for c in answers} == {(best.text,)}
    assert all(c.lookahead == () for c in answers)
    # Pairs prefer it, over a gap, and carry both regions.
    first = [pair for pair in result.pairs if pair.step == 1]
    assert first and all(pair.chosen.candidate == best.id for pair in first)
    assert all(pair.chosen.score - pair.rejected.score >= recipe.method.config.min_gap for pair in first)
    # Every answer is "Yes" after such a finding: one distinct text gives no pair, and that is counted.
    assert result.drops["steps without a pair"] == 1
    # The global image comes first, the crop second, in every request.
    assert {request.images[0].size for request in policy.requests} == {(60, 60)}
    assert all(len(request.images) == 2 for request in policy.requests)


def test_each_step_offers_the_regions_that_no_best_text_was_about(recipe: Recipe) -> None:
    """The last of three regions has no other to be compared with, so that step offers all again."""
    result, _ = walk(numbers(recipe, steps=3, look="each"), [WrittenJudge("a")])
    offered = [[c.region.hypothesis for c in result.candidates if c.step == step and c.region] for step in (1, 2, 3)]
    second = next(c.findings[-1] for c in result.candidates if c.step == 3)
    best = next(c.region.hypothesis for c in result.candidates if c.step == 2 and c.text == second and c.region)
    assert offered[:2] == [list(HYPOTHESES), ["effusion", "cardiomegaly"]]
    assert best != "nodule"
    assert offered[2] == list(HYPOTHESES)

    again, _ = walk(numbers(recipe, steps=3), [WrittenJudge("a")])
    assert [sum(c.step == step for c in again.candidates) for step in (1, 2, 3)] == [3, 3, 3]


def test_gamma_zero_asks_for_no_next_response(recipe: Recipe) -> None:
    config = recipe.method.config
    changed = numbers(recipe, lookahead=replace(config.lookahead, gamma=0.0))
    result, policy = walk(changed, [WrittenJudge("a")])
    assert len(policy.requests) == 6  # three regions, two steps
    assert all(c.lookahead == () for c in result.candidates)


def test_an_empty_next_response_is_none_and_is_not_judged(recipe: Recipe) -> None:
    class Fading(WrittenPolicy):
        """Leaves the second next response of each candidate empty, and both of the last one."""

        def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
            written = super().generate(requests)
            empty = {1, 3, 4, 5} if len(requests) == 6 else set()
            return [replace(one, text=" \n") if i in empty else one for i, one in enumerate(written)]

    judge = WrittenJudge("a")
    bench = Workbench(recipe, 1, Models(Fading(), WrittenProposer(), (judge,)))  # type: ignore[arg-type]
    result = walked(recipe, [example()], bench)
    findings = [c for c in result.candidates if c.step == 1]
    assert [c.lookahead for c in findings] == [("Yes",), ("No",), ()]
    assert [c.judge_scores[0].next for c in findings] == [0.9, 0.1, None]
    assert [round(c.score or 0, 6) for c in findings] == [0.9, 0.1, 0.1]
    assert all(request.statement.strip() for request in judge.requests)
    assert result.drops["empty look-ahead texts"] == 4


def test_one_judge_is_its_own_consensus(recipe: Recipe) -> None:
    result, _ = walk(recipe, [WrittenJudge("a")])
    assert result.candidates[0].score == pytest.approx(0.9)


def test_blind_judges_never_see_the_reference(recipe: Recipe) -> None:
    judge = WrittenJudge("a")
    build = replace(recipe.build, judging=replace(recipe.build.judging, context="blind"))
    walk(replace(recipe, build=build), [judge])
    assert {request.reference for request in judge.requests} == {None}


def test_a_judge_that_fails_takes_the_candidate_out_of_the_pairs(recipe: Recipe) -> None:
    class Silent(WrittenJudge):
        def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
            return [Rating(None, 0.0) if "nodule" in r.statement else Rating(0.4, 1.0) for r in requests]

    result, _ = walk(recipe, [Silent("a"), WrittenJudge("b")])
    assert result.candidates[0].score is None
    assert all(pair.chosen.score is not None for pair in result.pairs)
    assert result.drops["candidates a judge could not rate"] == 1


def test_the_same_seed_gives_the_same_pairs_and_another_gives_others(recipe: Recipe) -> None:
    judges = [WrittenJudge("a")]
    again, other = walk(recipe, judges)[0], walk(replace(recipe, seed=7), judges)[0]
    assert walk(recipe, judges)[0] == again
    assert {c.id for c in other.candidates} == {c.id for c in again.candidates}


def test_two_texts_of_one_region_are_two_candidates_and_can_be_compared(recipe: Recipe) -> None:
    changed = numbers(recipe, candidates=1, samples_per_region=2, pair_scope="within_region", steps=1)
    policy = Alternating()
    bench = Workbench(changed, 1, Models(policy, WrittenProposer(), (WrittenJudge("a"),)))  # type: ignore[arg-type]
    result = walked(changed, [example()], bench)
    (pair,) = result.pairs
    assert pair.chosen.region == pair.rejected.region and pair.chosen.text == "Yes"
    alone = numbers(changed, samples_per_region=1)
    result = walked(alone, [example()], Workbench(alone, 1, bench.models))
    assert result.pairs == result.candidates == ()
    assert result.drops == {"questions with fewer than two candidates": 1}


def test_no_chain_is_one_step_without_findings_and_look_ahead(recipe: Recipe) -> None:
    result, policy = walk(numbers(recipe, steps=1), [WrittenJudge("a")])
    assert {c.step for c in result.candidates} == {1} and {c.findings for c in result.candidates} == {()}
    assert len(policy.requests) == 3
    assert all("Answer the question" in request.messages[0]["content"][-1]["text"] for request in policy.requests)


def test_texts_that_repeat_and_hypotheses_without_a_region_are_counted(recipe: Recipe) -> None:
    class Blind(WrittenProposer):
        def _map(self, name: str) -> HeatMap:
            flat = HeatMap(name, np.zeros((6, 6), np.float32), 0.25)
            return flat if name == "effusion" else super()._map(name)

    bench = Workbench(recipe, 1, Models(WrittenPolicy(), Blind(), (WrittenJudge("a"),)))  # type: ignore[arg-type]
    result = walked(recipe, [example()], bench)
    assert result.drops["hypotheses without a region"] == 1
    assert [(h.name, h.region is None, h.confidence) for h in result.hypotheses] == [
        ("nodule", False, 0.5),
        ("effusion", True, 0.25),
        ("cardiomegaly", False, 0.5),
    ]
    assert len(result.candidates) == 4  # two regions, two steps: the third hypothesis yields none
    assert result.drops["candidates that repeat a text"] == 1  # both answers are "Yes"


def test_a_report_has_its_own_prompts_length_and_rubric(recipe: Recipe) -> None:
    judge, policy = WrittenJudge("a"), WrittenPolicy()
    asked = replace(example(), question="Write a report.", answer_type="report")
    bench = Workbench(recipe, 1, Models(policy, WrittenProposer(), (judge,)))  # type: ignore[arg-type]
    walked(recipe, [asked], bench)
    last = [r for r in policy.requests if "Write the report" in r.messages[0]["content"][-1]["text"]]
    first = [r for r in policy.requests if r not in last]
    assert len(last) == 9 and len(first) == 3  # three reports, six look-ahead ones, three findings
    assert {r.max_new_tokens for r in last} == {recipe.build.report_tokens}
    assert {r.max_new_tokens for r in first} == {recipe.build.max_new_tokens}
    assert all(r.messages[0]["content"][-1]["text"].endswith("what the local image shows.") for r in first)
    # The report and its look-ahead are rated as reports, a region's finding as any statement.
    assert {r.report for r in judge.requests if r.findings} == {True}
    assert {r.report for r in judge.requests if not r.findings} == {False}


class Alternating(WrittenPolicy):
    """Answers yes and no in turn."""

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        return [Completion(("Yes", "No")[i % 2], -1.0, 2, "stop") for i, _ in enumerate(requests)]
