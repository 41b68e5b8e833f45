"""A grounder with random weights: shapes, ranges, names, reload."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from clincot.errors import ModelError
from clincot.regions.base import Subject
from clincot.regions.query_grounder import QueryGrounder, QueryGrounderConfig, QueryGrounderModel, grounder_pixels

ENTITIES = ["nodule", "effusion", "cardiomegaly"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    config = QueryGrounderConfig(
        entities=ENTITIES, image_size=64, stem_width=8, stage_widths=[8, 12, 16], stage_depths=[1, 1, 1], width=16
    )
    path = tmp_path_factory.mktemp("grounder")
    QueryGrounderModel(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def subjects():
    generator = np.random.default_rng(0)
    shapes = [(256, 256), (300, 180), (64, 64)]
    drawn = [Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)) for shape in shapes]
    return [Subject(str(i), picture) for i, picture in enumerate(drawn)]


def test_maps_span_zero_to_one_on_the_grid_in_the_order_of_the_hypotheses(folder, subjects):
    grounder = QueryGrounder.from_pretrained(folder)
    wanted = [["effusion", "nodule"], [], ["cardiomegaly"]]
    found = grounder.heat_maps(subjects, wanted)
    assert [[one.hypothesis for one in maps] for maps in found] == wanted
    for heat_map in (one for maps in found for one in maps):
        assert heat_map.values.shape == (16, 16)
        assert heat_map.values.dtype == np.float32
        assert heat_map.values.min() == 0.0
        assert heat_map.values.max() == pytest.approx(1.0)
        assert 0.0 < heat_map.confidence < 1.0


def test_attention_maps_sum_to_one_before_scaling(folder, subjects):
    model = QueryGrounder.from_pretrained(folder).model
    grounding = model(grounder_pixels([subject.image for subject in subjects], model.config))
    assert torch.allclose(grounding.maps.sum((-2, -1)), torch.ones(3, 3), atol=1e-5)


def test_an_image_has_the_same_map_alone_and_in_a_batch_whatever_its_mode(folder, subjects):
    grounder = QueryGrounder.from_pretrained(folder)
    together = grounder.heat_maps(subjects, [ENTITIES] * 3)[1]
    alone = grounder.heat_maps([Subject("1", subjects[1].image.convert("RGB"))], [ENTITIES])[0]
    for one, other in zip(together, alone, strict=True):
        assert np.allclose(one.values, other.values, atol=1e-4)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_an_unknown_hypothesis_is_refused_with_the_known_ones(folder, subjects):
    grounder = QueryGrounder.from_pretrained(folder)
    assert grounder.known == tuple(ENTITIES)
    with pytest.raises(ModelError, match=r"cannot look for 'pneumonia'.*nodule, effusion, cardiomegaly"):
        grounder.heat_maps(subjects, [["nodule"], ["pneumonia"], []])


def test_reloading_gives_the_same_key_and_maps_and_other_weights_another_key(folder, subjects, tmp_path):
    first = QueryGrounder.from_pretrained(folder)
    first.model.save_pretrained(tmp_path)
    again = QueryGrounder.from_pretrained(tmp_path)
    assert again.key == first.key
    one, other = (g.heat_maps(subjects[:1], [["nodule"]])[0][0] for g in (first, again))
    assert np.array_equal(one.values, other.values)
    again.model.queries.weight.data += 0.1
    again.model.save_pretrained(tmp_path)
    assert QueryGrounder.from_pretrained(tmp_path).key != first.key


def test_a_folder_that_holds_no_grounder_is_an_error_to_act_on(tmp_path):
    with pytest.raises(ModelError, match="clincot phantom pretrain --only grounder"):
        QueryGrounder.from_pretrained(tmp_path / "nothing")
