"""One image of image and crop: what it shows, and that build, training and evaluation show the policy the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import AutoProcessor

from clincot import images
from clincot.chain.layout import Display
from clincot.images.canvas import GAP, compose
from clincot.images.views import Gallery, render
from clincot.objectives.sides import Renderer
from clincot.recipe import load_recipe
from clincot.records import Box, Region, View
from clincot.rows.pair_rows import pair_row
from clincot.stages.evaluate.inference import Settings, answer_by_region, propose
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.lamps import LampProposer, examples, recipe
from tests.methods.test_clincot import WrittenJudge, WrittenPolicy, WrittenProposer, example
from tests.tiny import tiny_policy
from tests.walked import walked


def test_the_crop_stands_right_of_the_image_at_its_height_on_a_white_square() -> None:
    picture, crop = Image.new("RGB", (60, 40), (10, 10, 10)), Image.new("RGB", (5, 10), (200, 0, 0))
    canvas = compose(picture, crop)
    assert canvas.size == (60 + GAP + 20, 60 + GAP + 20)
    pixels = np.asarray(canvas)
    top = (canvas.height - 40) // 2
    assert (pixels[top : top + 40, :60] == 10).all()
    assert (pixels[top : top + 40, 60 : 60 + GAP] == 255).all()
    assert (pixels[top : top + 40, 60 + GAP :] == (200, 0, 0)).all()
    assert (pixels[:top] == 255).all() and (pixels[top + 40 :] == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (300, 20), (20, 300)])
def test_any_two_images_fit(size: tuple[int, int]) -> None:
    canvas = compose(Image.new("RGB", (64, 80)), Image.new("RGB", size))
    assert canvas.width == canvas.height >= 80


def test_build_training_and_evaluation_show_one_and_the_same_canvas(tmp_path: Path) -> None:
    canvas_recipe = load_recipe(overrides=["image_layout=canvas", "method.candidates=3", "build.regions.least_side=8"])
    policy = CanvasPolicy()
    bench = Workbench(canvas_recipe, 1, Models(policy, WrittenProposer(), (WrittenJudge("a"),)))  # type: ignore[arg-type]
    result = walked(canvas_recipe, [example()], bench)
    assert all(len(request.images) == 1 for request in policy.requests)
    assert all([b["type"] for b in r.messages[0]["content"]] == ["image", "text"] for r in policy.requests)
    seen = {request.images[0].tobytes() for request in policy.requests}
    assert len(seen) == 3  # one for each region

    processor = AutoProcessor.from_pretrained(tiny_policy(tmp_path / "policy"), backend="pil")
    row = pair_row(result.pairs[0], 1, result.encode)
    for conditioning, same in (("per_side", False), ("winner", True)):
        sides = Renderer(processor, conditioning, image_layout="canvas").pair(row)  # type: ignore[arg-type]
        assert all(len(side.images) == 1 and side.images[0].tobytes() in seen for side in sides)
        assert (sides[0].images[0].tobytes() == sides[1].images[0].tobytes()) is same
        assert sides[0].prompt == sides[1].prompt and sides[0].prompt.count("<image>") == 1
    chosen, _ = Renderer(processor, "global", image_layout="canvas").pair(row)
    assert [image.size for image in chosen.images] == [(60, 60)]


def test_evaluation_answers_from_the_canvas() -> None:
    asked = examples(["left"])[:1]
    gallery = Gallery(asked)
    settings = Settings.of(recipe("image_layout=canvas"))
    regions = propose(asked, gallery, LampProposer(), settings)
    policy = CanvasPolicy()
    answer_by_region(asked, Display(gallery, settings.image_layout), regions, policy, settings)  # type: ignore[arg-type]
    (region,) = regions[asked[0].id]
    picture = gallery.image(asked[0].id)
    expected = compose(picture, render(picture, View("crop", region)))
    assert {r.images[0].tobytes() for r in policy.requests} == {expected.tobytes()}
    assert replace(settings, image_layout="separate") == Settings.of(recipe())


def test_judges_see_the_same_canvas_encoded_once() -> None:
    asked = examples(["left"])[:1]
    gallery = Gallery(asked)
    views = (View("image"), View("crop", Region("nodule", Box(2, 2, 20, 20), 0.5)))
    display = Display(gallery, "canvas")
    (encoded,) = display.encoded(asked[0].id, views)
    assert images.decode(encoded).tobytes() == display.images(asked[0].id, views)[0].tobytes()
    assert display.encoded(asked[0].id, views)[0] is encoded
    assert display.encoded(asked[0].id, views[:1]) == (asked[0].encoded(),)
    apart = Display(gallery, "separate").encoded(asked[0].id, views)
    assert apart == tuple(gallery.encode(asked[0].id, view) for view in views)


class CanvasPolicy(WrittenPolicy):
    """Reads its only image: the crop's half of the canvas."""

    def _text(self, request) -> str:  # type: ignore[no-untyped-def]
        (canvas,) = request.images
        return super()._text(replace(request, images=(canvas, canvas.crop((canvas.width // 2, 0, *canvas.size)))))
