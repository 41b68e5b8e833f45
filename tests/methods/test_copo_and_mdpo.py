"""Pairs of images: which images each side has, what an editor adds, and what cards say."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from clincot import editors
from clincot.methods import of_recipe
from clincot.records import WHOLE
from clincot.rows.pair_rows import pair_row
from clincot.stages.sample.serving import Models
from tests.methods.small_worlds import Editor, settings, walk


def test_one_text_has_the_image_on_one_side_and_a_small_crop_of_it_on_the_other() -> None:
    made = walk(settings("copo"), Models(None), ("left", "right"))
    assert [(pair.chosen.text, pair.rejected.text) for pair in made.pairs] == [("left",) * 2, ("right",) * 2]
    for pair in made.pairs:
        assert (pair.views, pair.chosen.views, pair.chosen.logp) == ((), (WHOLE,), None)
        (crop,) = pair.rejected.views
        box = crop.region.box  # type: ignore[union-attr]
        assert (box.right - box.left) * (box.lower - box.upper) <= 0.21 * 64 * 64  # rounded to pixels
        row = pair_row(pair, 1, made.encode)
        whole, cut = (Image.open(BytesIO(image["bytes"])) for image in row["side_images"])
        assert whole.size == (64, 64) and cut.size == (box.right - box.left, box.lower - box.upper)
    boxes = {pair.rejected.views[0].region.box for pair in made.pairs}  # type: ignore[union-attr]
    assert len(boxes) == 2  # drawn for each question
    assert walk(settings("copo"), Models(None), ("left", "right")).pairs == made.pairs


@pytest.mark.parametrize("kind", ["diffusion_noise", "low_pass", "black"])
def test_other_damage_keeps_the_size(kind: str) -> None:
    recipe = settings("copo", f"method.corruption={kind}", "method.strength=0.5")
    (pair,) = walk(recipe, Models(None)).pairs
    view = pair.rejected.views[0]
    assert (view.kind, view.strength) == (kind, 0.5)
    assert {"black": "a black image", "low_pass": "50% of its width"}.get(kind, "step 50%") in of_recipe(recipe).facts(
        {}
    )[0]


def test_mdpo_adds_a_pair_of_texts_and_keeps_the_images_where_the_editor_changes_nothing() -> None:
    made = walk(settings("mdpo"), Models(None, editor=Editor({"left": "right"})), ("left", ""))
    found = [(pair.id, pair.chosen.text, pair.rejected.text, len(pair.views)) for pair in made.pairs]
    assert found == [
        ("lamps/0/open/1/0", "left", "left", 0),
        ("lamps/0/open/1/1", "left", "right", 1),
        ("lamps/1/open/1/0", "neither", "neither", 0),
    ]
    assert made.drops == {"answers without a wrong version (came back unchanged)": 1}
    assert walk(settings("mdpo"), Models(None, editor=editors.load("rules"))).pairs[1].rejected.text == "right"


def test_recipes_train_what_the_paper_adds_up() -> None:
    copo, mdpo = settings("copo"), settings("mdpo")
    assert (copo.train.objective, copo.train.anchor.weight) == ("image_preference", 0)
    assert (mdpo.train.objective, mdpo.train.anchor.weight, mdpo.train.anchor.delta) == ("image_preference", 1, 0)
    said = " ".join(of_recipe(copo).facts({}))
    assert "editor" not in said and "at most 20% of the image" in said
    assert "up to 3 places" in of_recipe(mdpo).facts({})[0]
