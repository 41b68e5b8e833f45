"""Models that need torchvision: sharing with positions of several axes, layers that read features again, and tiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.chain.prompts import finding_messages
from clincot.engines.base import Abilities
from clincot.engines.transformers import ImageInputs, TransformersEngine
from clincot.lm.requests import GenerateRequest
from tests.engines.conftest import picture
from tests.engines.test_classes import same
from tests.vlms import internvl, pixtral, qwen2_5_vl, qwen3_vl, tiny_vlm


def engines(make, folder: Path) -> tuple[TransformersEngine, TransformersEngine]:
    engine = TransformersEngine.from_pretrained(tiny_vlm(make, folder), batch_size=4)
    assert engine.abilities == Abilities(2, shared=True)
    return engine, TransformersEngine(engine.policy, batch_size=4, abilities=Abilities(2, shared=False))


def asked(findings: tuple[str, ...], size: tuple[int, int], seeds: range) -> list[GenerateRequest]:
    messages = tuple(finding_messages("Is there a nodule?", findings))
    seen = (picture(0, (90, 60)), picture(100, size))
    return [GenerateRequest(messages, seen, seed, 0.9, 1.0, 6) for seed in seeds]


@pytest.mark.parametrize("make", [qwen2_5_vl, qwen3_vl, internvl, pixtral], ids=lambda make: make.__name__)
def test_chains_over_images_of_any_size_write_what_generate_writes(make, tmp_path: Path) -> None:
    engine, plain = engines(make, tmp_path)
    findings = ("The local image shows an effusion.", "No nodule.")
    for step in range(3):
        # Crops of several shapes in one batch, each after the same image; samples of one prompt; longer chains.
        requests = [r for size in ((30, 30), (70, 20), (20, 90)) for r in asked(findings[:step], size, range(2))]
        same(engine.generate(requests), plain.generate(requests))
    assert (engine.counters.vision_encodes, plain.counters.vision_encodes) == (4, 36)
    assert engine.counters.saved_prefill_tokens > plain.counters.prefill_tokens / 2
    texts = [GenerateRequest(({"role": "user", "content": q},), (), 0, 0.0, 1.0, 6) for q in ("What?", "Say more.")]
    same(engine.generate(texts), plain.generate(texts))


@pytest.mark.parametrize("make", [qwen2_5_vl, qwen3_vl], ids=lambda make: make.__name__)
def test_one_position_per_token_is_found_to_be_wrong(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageInputs, "counts_otherwise", False)
    found = TransformersEngine.from_pretrained(tiny_vlm(make, tmp_path), batch_size=4).abilities
    assert "its logits would differ by" in found.reason


def test_features_that_deeper_layers_lack_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = ImageInputs.inputs

    def shallow(self, *asked):
        given = inputs(self, *asked)
        for out in given.get("mm_encoder_outputs", {}).values():
            out["deepstack_features"] = [[part * 0 for part in layer] for layer in out["deepstack_features"]]
        return given

    monkeypatch.setattr(ImageInputs, "inputs", shallow)
    found = TransformersEngine.from_pretrained(tiny_vlm(qwen3_vl, tmp_path), batch_size=4).abilities
    assert "its logits would differ by" in found.reason
