"""Sizes read from a config are those of the model that is loaded: weights, keys and values, what is quantised."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, DynamicCache

from clincot.errors import ModelError
from clincot.lm.footprint import footprint
from clincot.recipe.load import Load
from tests.tiny import tiny_judge, tiny_policy


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_judge(tmp_path_factory.mktemp("judge"))


@pytest.mark.parametrize("dtype", ["auto", "bfloat16"])
def test_weights_have_the_bytes_of_the_loaded_ones(policy: Path, judge: Path, dtype: str) -> None:
    for folder, kind in ((policy, AutoModelForImageTextToText), (judge, AutoModelForCausalLM)):
        model = kind.from_pretrained(folder, dtype=dtype)
        assert footprint(folder, Load(dtype=dtype)).weights == sum(p.nbytes for p in model.parameters())  # type: ignore[arg-type]


def test_tied_weights_count_once(tmp_path: Path, judge: Path) -> None:
    config = AutoConfig.from_pretrained(judge)
    config.tie_word_embeddings = True
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(tmp_path)
    assert footprint(tmp_path, Load()).parameters == sum(p.numel() for p in model.parameters())


def test_a_token_is_cached_in_the_bytes_of_a_real_cache(judge: Path) -> None:
    model, cache = AutoModelForCausalLM.from_pretrained(judge), DynamicCache()
    model(input_ids=torch.arange(9)[None], past_key_values=cache, use_cache=True)
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert footprint(judge, Load()).cached == kept / 9


def test_only_the_language_models_linear_layers_are_quantised(policy: Path) -> None:
    plain, small = (footprint(policy, Load(quantization=name)) for name in ("none", "nf4"))  # type: ignore[arg-type]
    model = AutoModelForImageTextToText.from_pretrained(policy)
    layers = [m for m in model.model.language_model.modules() if isinstance(m, torch.nn.Linear)]
    linear = sum(layer.weight.numel() for layer in layers)
    assert plain.linear == linear
    saved = plain.weights - small.weights
    assert saved == pytest.approx(linear * (4 - 0.516), rel=1e-3)


def test_the_image_tokens_are_those_of_the_config_or_of_the_tower(policy: Path) -> None:
    assert footprint(policy, Load()).image_tokens == 16


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "of-no-library"}')
    with pytest.raises(ModelError, match="its sizes cannot be read"):
        footprint(tmp_path, Load())
