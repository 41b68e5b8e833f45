"""Tiny random models of many classes: two images at load, and texts equal to the model's own with prefixes shared."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from clincot.engines.base import Abilities
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm.processors import read_processor
from clincot.lm.requests import ChoiceRequest, Completion, Counters
from tests.engines.conftest import requests
from tests.tiny import tiny_policy
from tests.vlms import PLAIN, WITH_TORCHVISION, tiny_vlm

# Why the others read every prompt whole.
UNSHARED = {
    "mllama": "its forward takes no image features that were computed before",
    "paligemma": "its processor writes other tokens for a whole prompt than for its text and each image",
    "idefics2": "its processor does not say what it writes for an image",
    "llava_onevision": "its processor writes other tokens for a whole prompt than for its text and each image",
}


@pytest.mark.parametrize("make", [*PLAIN, *WITH_TORCHVISION], ids=lambda make: make.__name__)
def test_a_class_writes_what_its_own_generate_writes_and_shares_prefixes_or_says_why_not(make, tmp_path: Path) -> None:
    if make in WITH_TORCHVISION:
        pytest.importorskip("torchvision")
    engine = TransformersEngine.from_pretrained(tiny_vlm(make, tmp_path), batch_size=4)
    assert type(engine.policy.processor.image_processor).__name__.endswith("Pil")
    assert engine.counters == Counters()  # what was tried at load is not counted
    assert engine.abilities.images == 2 and engine.abilities.reason == UNSHARED.get(make.__name__, "")
    plain = TransformersEngine(engine.policy, batch_size=4, abilities=Abilities(2, shared=False))
    asked = requests(0.0, tokens=6)[:7]  # one image: three crops, with and without findings, and none
    same(engine.generate(asked), plain.generate(asked))
    choices = [ChoiceRequest(r.messages, r.images, ("Yes", "7")) for r in asked[4:]]
    for own, other in zip(engine.score_choices(choices), plain.score_choices(choices), strict=True):
        assert own.logps == pytest.approx(other.logps, abs=5e-6)
    counted, other = engine.counters, plain.counters
    assert other.vision_encodes == 13 + 5
    if engine.abilities.shared:
        assert counted.vision_encodes == 4
        # The whole image's tokens are read once instead of 7 + 3 times.
        tokens = engine._vision(min(engine._vision.now)).tokens
        assert counted.prefill_tokens < other.prefill_tokens - 9 * tokens
        assert counted.unshared_prefill_tokens == other.prefill_tokens
    else:
        assert counted == other


def same(a: list[Completion], b: list[Completion]) -> None:
    assert [(c.text, c.tokens, c.finish) for c in a] == [(c.text, c.tokens, c.finish) for c in b]
    assert [c.logp for c in a] == pytest.approx([c.logp for c in b], abs=5e-6)


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is there")
def test_a_processor_that_needs_torchvision_names_it(tmp_path: Path) -> None:
    tiny_policy(tmp_path)
    config = json.loads((tmp_path / "processor_config.json").read_text())
    config |= {
        "processor_class": "Qwen2VLProcessor",
        "video_processor": {"video_processor_type": "Qwen2VLVideoProcessor"},
    }
    config["image_processor"]["image_processor_type"] = "Qwen2VLImageProcessor"
    (tmp_path / "processor_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="its processor needs the package torchvision. Run `pip install torchvision`"):
        read_processor(tmp_path)
