"""Kept pixels and kept features against those made anew: equal bit by bit, bounded, and made once."""

from __future__ import annotations

import pytest
import torch

from clincot.errors import RecipeError
from clincot.images import decode
from clincot.objectives.collator import PairCollator
from clincot.objectives.features import FeatureCache, feature_cache, with_pixel_cache
from clincot.objectives.sides import Renderer
from clincot.recipe import Margin
from tests.objectives.rows import make_group, make_row
from tests.objectives.test_margin_dpo import load, randomise
from tests.objectives.test_rows_by_hand import laid_out, loss_and_gradient


def batches(processor, rows) -> dict:
    return PairCollator(Renderer(processor), Margin())(rows)


def test_an_image_is_prepared_once_and_its_pixels_stay_what_they_were(processor):
    cached = with_pixel_cache(processor)
    rows = [make_row(0), make_row(1)]
    expected = batches(processor, rows)
    for _ in range(2):
        found = batches(cached, rows)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[k], v) for k, v in expected.items() if isinstance(v, torch.Tensor))
    assert cached.image_processor.prepared == 6  # two global images and four crops, each shown twice
    assert type(processor.image_processor) is not type(cached.image_processor)


def test_the_pixel_cache_is_bounded_and_keyed_by_the_processors_options(processor, base):
    one = batches(processor, [make_row(0)])["pixel_values"][0].nbytes
    small = with_pixel_cache(processor, limit=2 * one)
    for _ in range(2):
        batches(small, [make_row(0), make_row(1)])
    assert small.image_processor.prepared == 6 + 4  # the last two were kept
    assert small.image_processor._kept.currsize <= 2 * one
    cached = with_pixel_cache(processor)
    image = decode(make_row(0)["images"][0]["bytes"])
    plain = cached.image_processor([image], return_tensors="pt")["pixel_values"]
    raw = cached.image_processor([image], return_tensors="pt", do_normalize=False)["pixel_values"]
    assert not torch.equal(plain, raw) and cached.image_processor.prepared == 2


def test_the_cached_processor_answers_as_its_own_and_saves_nothing_else(processor, tmp_path):
    cached = with_pixel_cache(processor)
    assert cached.image_processor.size == processor.image_processor.size
    assert cached.image_token_id == processor.image_token_id


def test_kept_features_give_the_loss_and_gradient_of_encoded_images(base, processor, tmp_path):
    rows = make_group(0)
    for layout in ("pair", "shared", "group"):
        plain = laid_out(base, processor, rows, tmp_path / layout, layout)
        kept = laid_out(base, processor, rows, tmp_path / layout, layout, features=FeatureCache(2**20))
        for trainer in (plain, kept):
            randomise(trainer.model)
        loss, gradient = loss_and_gradient(plain)
        for _ in range(2):
            found, other = loss_and_gradient(kept)
            assert found == loss
            assert all(torch.equal(gradient[name], other[name]) for name in gradient)
        assert kept.features.encoded == 6  # the global image and five crops, for all forward passes


def test_features_of_a_tower_that_training_changes_are_not_kept(base, processor, tmp_path):
    trainer = laid_out(base, processor, [make_row(0)], tmp_path, "pair")
    assert feature_cache(trainer.model, 0.0, False) is None
    assert feature_cache(trainer.model, 0.0, True)._kept.maxsize == 0
    assert feature_cache(trainer.model, 0.5, False)._kept.maxsize == 2**29
    name, weight = next((n, p) for n, p in trainer.model.named_parameters() if "projector" in n)
    weight.requires_grad_(True)
    assert feature_cache(trainer.model, 0.0, True) is None
    with pytest.raises(RecipeError, match=f"train.feature_cache_gb: training changes {name}"):
        feature_cache(trainer.model, 0.5, False)


def test_recomputed_activations_give_the_same_gradient_without_a_pass_back_through_the_tower(base, processor, tmp_path):
    rows = make_group(0)
    plain = laid_out(base, processor, rows, tmp_path / "plain", "shared")
    recomputing = laid_out(base, processor, rows, tmp_path / "again", "shared")
    recomputing.model.gradient_checkpointing_enable()
    for trainer in (plain, recomputing):
        randomise(trainer.model)
        trainer.model.train()
    asked: list[bool] = []
    projector = recomputing.model.get_base_model().model.multi_modal_projector
    projector.register_forward_hook(lambda module, given, out: asked.append(out.requires_grad))
    loss, gradient = loss_and_gradient(plain)
    for features in (None, feature_cache(recomputing.model, 0.0, True)):
        recomputing.features = features
        found, other = loss_and_gradient(recomputing)
        assert found == pytest.approx(loss, abs=1e-6)
        assert max((gradient[n] - other[n]).abs().max().item() for n in gradient) < 1e-6
    assert asked[0] and not asked[-2]  # policy, reference, policy, reference


def test_the_feature_cache_is_bounded(base, processor):
    model = load(base)
    batch = batches(processor, [make_row(0), make_row(1)])
    whole = model.get_image_features(pixel_values=batch["pixel_values"], return_dict=True).pooler_output
    cache = FeatureCache(2 * whole[0].nbytes)
    for _ in range(2):
        found = cache(model, batch["image_keys"], batch["pixel_values"])["image"].pooler_output
        assert len(found) == 8
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(found, whole, strict=True))
    assert cache.encoded == 6 + 4  # the last two were kept
    assert cache._kept.currsize <= 2 * whole[0].nbytes
