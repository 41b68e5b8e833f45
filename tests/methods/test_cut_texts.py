"""Texts cut at the length limit: marked, counted, never extended, left out of pairs or trained without an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clincot.images import encode_png
from clincot.images.views import Gallery
from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion, GenerateRequest
from clincot.methods import of_recipe
from clincot.objectives.sides import Renderer
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.regions.grid import Grid
from clincot.rows.pair_rows import pair_row
from clincot.rows.schema import candidate_row, region_row
from clincot.rows.stored_candidates import candidate_of
from clincot.stages.pair.draw import Drawn, draw_pairs
from clincot.stages.pair.round import Counts
from clincot.stages.pair.stored import Row, Stored
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from clincot.stages.train.policy import open_processor
from tests.tiny import tiny_policy
from tests.walked import Walked, walked

WHOLE, CUT = "stop", "length"
CUT_REASON = "candidates cut at the length limit"
SETTINGS = ["method.candidates=6", "build.regions.least_side=8", "build.judging.judges=1"]
SETTINGS += ["method.lookahead.gamma=0", "method.pairs_per_step=30"]


class Policy:
    """Writes the texts of a step in turn, each with the reason why it ends."""

    def __init__(self, *steps: Sequence[tuple[str, str]]) -> None:
        self.steps, self.calls = steps, 0

    def forget(self) -> None:
        """Keep nothing."""

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        texts = self.steps[self.calls]
        self.calls += 1
        return [Completion(texts[i][0], -1.0, 5, texts[i][1]) for i in range(len(requests))]  # type: ignore[arg-type]


class Judge:
    """Likes long texts: the cut ones win."""

    name, key = "j", "1"

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        return [Rating(min(1.0, len(r.statement) / 40), 1.0) for r in requests]


FINDINGS = [("The left lung is clear.", WHOLE), ("A nodule in the left upper lobe and in the", CUT), ("Clear.", WHOLE)]
FINDINGS += [("No nodule no nodule no", CUT), ("A mass.", WHOLE)]
ANSWERS = [("Yes, there is a nodule.", WHOLE), ("Yes", WHOLE), ("No", WHOLE), ("Maybe", WHOLE), ("Yes and", CUT)]


def example() -> Example:
    png = encode_png(Image.fromarray((np.arange(3600).reshape(60, 60) % 256).astype(np.uint8)))
    return Example("q", "i", png, "Is there a nodule?", "yes", "closed", "k", "phantom", "x")


def walk(*steps: Sequence[tuple[str, str]], **settings: object) -> Walked:
    asked = [*SETTINGS, f"method.steps={len(steps)}", *(f"build.{name}={value}" for name, value in settings.items())]
    recipe = load_recipe(overrides=asked)
    bench = Workbench(recipe, 1, Models(Policy(*steps), Grid.from_pretrained(), (Judge(),)))  # type: ignore[arg-type]
    return walked(recipe, [example()], bench)


def test_a_cut_text_is_marked_and_neither_paired_nor_extended() -> None:
    result = walk(FINDINGS, ANSWERS)
    assert [c.finish for c in result.candidates] == [f for _, f in (*FINDINGS, *ANSWERS)]
    assert {c.findings for c in result.candidates if c.step == 2} == {("The left lung is clear.",)}
    sides = {side.text for pair in result.pairs for side in (pair.chosen, pair.rejected)}
    assert sides and not sides & {text for text, finish in (*FINDINGS, *ANSWERS) if finish == CUT}
    assert result.drops[CUT_REASON] == 3
    assert all(c.score is not None for c in result.candidates)  # rated all the same, for another drawing


def test_kept_by_the_recipe_they_are_paired_and_still_extend_nothing() -> None:
    result = walk(FINDINGS, ANSWERS, cut_texts="train")
    assert {c.findings for c in result.candidates if c.step == 2} == {("The left lung is clear.",)}
    assert any(pair.chosen.finish == CUT for pair in result.pairs)
    assert any(pair.rejected.finish == CUT for pair in result.pairs)
    assert CUT_REASON not in result.drops
    assert all(c.logp is None for c in result.candidates if c.cut)


def test_a_chain_whose_texts_are_all_cut_stops_and_says_so() -> None:
    result = walk([(f"{text} and", CUT) for text, _ in FINDINGS], ANSWERS)
    assert {c.step for c in result.candidates} == {1} and not result.pairs
    assert result.drops["chains that stop at a step of cut texts"] == 1


def test_the_facts_count_them() -> None:
    result = walk(FINDINGS, ANSWERS)
    assert sum(candidate.cut for candidate in result.candidates) == 3
    assert counted(result).cut == {"chosen": 0, "rejected": 0}
    cut = counted(walk(FINDINGS, cut_texts="train")).cut
    assert cut["chosen"] > 0 and cut["rejected"] > 0


def counted(result: Walked) -> Counts:
    counts = Counts()
    counts.add(Drawn(result.pairs, {}), result.encode)
    return counts


@pytest.mark.parametrize(("finish", "end"), [(WHOLE, "</s>"), (None, "</s>"), (CUT, "")])
def test_a_cut_text_is_trained_without_an_end_token(finish: str | None, end: str, tmp_path: Path) -> None:
    processor, ends, _ = open_processor(tiny_policy(tmp_path / "base"))
    result = walk(FINDINGS, cut_texts="train")
    pair = result.pairs[0]
    sides = (replace(pair.chosen, text="a nodule in the ", finish=finish), replace(pair.rejected, finish=WHOLE))
    row = pair_row(replace(pair, chosen=sides[0], rejected=sides[1]), 1, result.encode)
    chosen, rejected = Renderer(processor, "per_side", ends).pair(row)
    assert chosen.completion == f"a nodule in the {end}"
    assert rejected.completion == f"{pair.rejected.text}</s>"
    without = {name: value for name, value in row.items() if not name.endswith("_finish")}  # rows of older versions
    assert Renderer(processor, "per_side", ends).pair(without)[0].completion == "a nodule in the </s>"


@pytest.mark.parametrize("behind", ["{{ ' </s>\\n' }}", "{{ ' ' }}", ""])
def test_whatever_a_template_writes_behind_a_cut_text_is_not_trained(behind: str, tmp_path: Path) -> None:
    processor, ends, _ = open_processor(tiny_policy(tmp_path / "base"))
    template = processor.chat_template.replace("{{ '</s>' }}", behind).replace("b['text']", "b['text'] | trim")
    processor.chat_template = template
    result = walk(FINDINGS, cut_texts="train")
    row = pair_row(result.pairs[0], 1, result.encode) | {"chosen": "a mass of\n", "chosen_finish": CUT}
    assert Renderer(processor, "per_side", ends).pair(row)[0].completion == "a mass of"


def test_candidates_are_drawn_again_with_the_other_choice_and_without_the_column() -> None:
    result = walk(FINDINGS, ANSWERS)
    rows = [candidate_row(candidate, 1) for candidate in result.candidates]
    assert [candidate_of(row) for row in rows][0].finish == WHOLE
    asked = [*SETTINGS, "method.steps=2"]
    recipe = load_recipe(overrides=asked)
    train = load_recipe(overrides=[*asked, "build.cut_texts=train"])
    again = redrawn(train, rows, result)
    assert any(pair.chosen.finish == CUT for pair in again.pairs)
    assert CUT_REASON in result.drops and CUT_REASON not in again.drops
    old = [{name: value for name, value in row.items() if name != "finish"} for row in rows]
    unknown = redrawn(recipe, old, result)
    assert len(unknown.pairs) == len(again.pairs) > len(result.pairs)
    assert all(pair.chosen.finish is None for pair in unknown.pairs)


def redrawn(recipe: Recipe, rows: Sequence[Row], result: Walked) -> Drawn:
    regions = [region_row(looked) for looked in result.hypotheses]
    stored = Stored([example()], rows, regions, Gallery([example()]))
    return draw_pairs(of_recipe(recipe), recipe, 1, [example()], stored.candidates)
