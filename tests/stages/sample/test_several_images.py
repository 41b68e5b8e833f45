"""Examples of several images on the workbench and in evaluation: who sees all of them and who the primary one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clincot.chain.layout import Display
from clincot.engines.transformers import TransformersEngine
from clincot.images import encode_png
from clincot.images.views import Gallery
from clincot.judges.base import Rating
from clincot.lm.requests import Completion, GenerateRequest
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.objectives.sft import gold_row
from clincot.records import Box, Example, FurtherImage, TrueRegion, whole
from clincot.records.lineage import content_key
from clincot.rows.pair_rows import pair_row
from clincot.stages.evaluate.groups import Group, other_images
from clincot.stages.evaluate.inference import Settings, answer_by_region, answer_directly, propose
from clincot.stages.evaluate.predictions import Store
from clincot.stages.pair.draw import draw_pairs
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench, sample_shard
from tests.examples.test_example_methods import SELF
from tests.lamps import LampEngine, LampProposer, examples, recipe
from tests.tiny import tiny_policy

RED = encode_png(Image.new("RGB", (40, 30), "red"))
BLUE = encode_png(Image.new("RGB", (30, 40), "blue"))
TWO = ("method.candidates=2", "method.samples_per_region=2", "method.lookahead.samples=1", "method.temperature=0")
Colours = list[tuple[int, int, int]]


def studies() -> list[Example]:
    """Two studies of three questions: a lamp with a red image, no lamp with a red and a blue one."""
    made = examples(["left", ""])
    red, blue = FurtherImage("red", RED), FurtherImage("blue", BLUE)
    return [replace(e, more=(red,)) for e in made[:3]] + [replace(e, more=(red, blue)) for e in made[3:]]


def colours(images: Any) -> Colours:
    return [image.getpixel((image.width // 8, image.height // 8)) for image in images]


@dataclass
class Watching(LampEngine):
    """LampEngine that keeps what it was asked."""

    seen: list[GenerateRequest] = field(default_factory=list)

    def generate(self, requests: Any) -> list[Completion]:
        self.seen += requests
        return super().generate(requests)


@dataclass
class SeeingJudge:
    """Rates all alike and keeps how many images came with each text."""

    name: str = "sees"
    key: str = "sees"
    images: list[int] = field(default_factory=list)

    def rate(self, requests: Any) -> list[Rating]:
        self.images += [len(request.images) for request in requests]
        return [Rating(0.5, 1.0) for _ in requests]

    def forget(self) -> None: ...


def test_the_prompts_of_a_method_without_regions_hold_all_images_and_so_do_its_rows(tmp_path: Path) -> None:
    """By what the policy computed: each image once through the tower, and tokens of every image in every prompt."""
    engine = TransformersEngine.from_pretrained(tiny_policy(tmp_path / "policy"), batch_size=8, images=3)
    small, method, judge = recipe("build.max_new_tokens=6", "build.cut_texts=train"), SELF.SelfRewarding, SeeingJudge()
    bench = Workbench(small, 1, Models(engine, judges=(judge,)))  # type: ignore[arg-type]
    result = finish(sample_shard(method(SELF.Config()), studies(), bench))
    assert [len(c.views) for c in result.candidates] == [2] * 12 + [3] * 12
    assert engine.counters.vision_encodes == 4  # two lamps' images, the red and the blue one
    alone = TransformersEngine.from_pretrained(tiny_policy(tmp_path / "policy"), batch_size=8, images=3)
    single = [replace(e, more=()) for e in studies()]
    finish(sample_shard(method(SELF.Config()), single, Workbench(small, 1, Models(alone, judges=(judge,)))))  # type: ignore[arg-type]
    more = engine.counters.unshared_prefill_tokens - alone.counters.unshared_prefill_tokens
    assert more >= (12 + 2 * 12) * 16  # tokens of an image: one more in the first study's prompts, two in the second's
    rated = [replace(c, score=float(i % 4)) for i, c in enumerate(result.candidates)]
    drawn = draw_pairs(method(SELF.Config()), small, 1, studies(), rated)
    rows = [pair_row(pair, 1, bench.gallery.encode) for pair in drawn.pairs]
    assert [len(row["images"]) for row in rows] == [2, 2, 2, 3, 3, 3] and rows[0]["side_images"] == []
    assert rows[5]["images"][1]["bytes"] == RED and [view["image"] for view in rows[5]["views"]] == [0, 1, 2]
    assert judge.images[:24] == [2] * 12 + [3] * 12


def test_a_region_method_looks_at_the_primary_image_alone() -> None:
    engine, judge, proposer = Watching(), SeeingJudge(), LampProposer()
    small = recipe(*TWO)
    bench = Workbench(small, 1, Models(engine, proposer, (judge,)))  # type: ignore[arg-type]
    result = finish(sample_shard(of_recipe(small), studies(), bench))
    assert len(proposer.asked) == 2 and result.candidates  # one list for each primary image
    assert {(view.kind, view.image) for c in result.candidates for view in c.views} == {("image", 0), ("crop", 0)}
    assert all(len(request.images) == 2 for request in engine.seen) and set(judge.images) == {2}
    assert not any((255, 0, 0) in colours(request.images) for request in engine.seen)


def test_direct_answers_show_all_images_and_answers_by_region_the_primary_one() -> None:
    asked, settings, engine = studies(), Settings.of(recipe()), Watching()
    display = Display(Gallery(asked), "separate")
    answer_directly(asked, display, engine, settings)
    assert [len(r.images) for r in engine.seen] == [2, 2, 2, 3, 3, 3]
    assert colours(engine.seen[3].images)[1:] == [(255, 0, 0), (0, 0, 255)]
    kinds = [[block["type"] for block in r.messages[0]["content"]] for r in engine.seen]
    assert [kind.count("image") for kind in kinds] == [2, 2, 2, 3, 3, 3]
    engine.seen.clear()
    lamp = asked[:2]
    answer_by_region(lamp, display, propose(lamp, display.gallery, LampProposer(), settings), engine, settings)
    assert engine.seen and not any((255, 0, 0) in colours(request.images) for request in engine.seen)
    dark = Display(Gallery(asked), "separate", dark=True).images(asked[3].id, whole(asked[3]))
    assert colours(dark) == [(0, 0, 0)] * 3 and dark[1].size == (40, 30)


def test_shuffled_images_replace_all_images_of_a_question() -> None:
    one, other = studies()[0], studies()[3]
    (shown,) = other_images(Group([one]), {one.image_id: other}).examples
    assert shown.image_ids == other.image_ids and shown.question == one.question


def test_a_gold_answer_is_trained_with_all_images_of_its_question() -> None:
    study = studies()[3]
    row, canvas = gold_row(study), gold_row(study, "canvas")
    assert [len(one["images"]) for one in (row, canvas)] == [3, 3] and row["images"][2]["bytes"] == BLUE
    kinds = [[block["type"] for block in one["prompt"][0]["content"]] for one in (row, canvas)]
    assert [kind.count("image") for kind in kinds] == [3, 1]


def test_a_damaged_further_image_leaves_out_its_questions_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    asked = studies()
    asked[0] = replace(asked[0], more=(FurtherImage("bad", b"\x89PNG nothing"),))  # its primary image is fine
    bench = Workbench(recipe(*TWO), 1, Models(Watching(), LampProposer(), (SeeingJudge(),)))  # type: ignore[arg-type]
    result = finish(sample_shard(of_recipe(bench.recipe), asked, bench))
    assert (
        result.unreadable == (asked[0].image_label,) and f"{asked[0].image_label}, image 2" in capsys.readouterr().err
    )
    assert {c.example_id for c in result.candidates} >= {asked[1].id, asked[2].id}
    assert asked[0].id not in {c.example_id for c in result.candidates}
    _, problems = Group(asked).look()
    assert list(problems) == [asked[0].images_id] and asked[0].images_id != asked[1].images_id


def test_stored_answers_are_those_of_all_images_and_keep_their_place_for_one(tmp_path: Path) -> None:
    store, (study,) = Store(tmp_path, "key"), studies()[:1]
    several, one = (store.path("p", "direct", "", [e]).stem for e in (study, replace(study, more=())))
    asked = [(study.id, study.image_id, study.question, study.answer_type, study.modality, [])]
    assert several != one == content_key(asked)[:16]


def test_stored_answers_are_not_those_of_another_kind_of_question_or_of_other_regions(tmp_path: Path) -> None:
    """A report has other prompts than an answer, and proposers read names and masks of known regions."""
    store, (study,) = Store(tmp_path, "key"), studies()[:1]
    region = TrueRegion("nodule", Box(0, 0, 4, 4))
    changed = [
        study,
        replace(study, answer_type="report"),
        replace(study, true_regions=(region,)),
        replace(study, true_regions=(replace(region, finding="heart"),)),
        replace(study, true_regions=(replace(region, mask=b"mask"),)),
    ]
    assert len({store.path("p", "direct", "", [one]) for one in changed}) == len(changed)
