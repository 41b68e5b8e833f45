"""What is tried at load: a shared way that is wrong is found and not taken, with the reason, whatever the class is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from clincot.chain.prompts import direct_messages
from clincot.engines import _plain
from clincot.engines._image_inputs import ImageInputs
from clincot.engines._image_tokens import image_tokens
from clincot.engines._policy import load_policy
from clincot.engines._probe import _dummies, floor, say
from clincot.engines._vision import Encoded, VisionFeatures
from clincot.engines.base import Abilities
from clincot.engines.room import PolicyRoom
from clincot.engines.transformers import TransformersEngine
from clincot.lm.requests import Counters, GenerateRequest
from clincot.recipe.load import Load
from tests.engines.conftest import picture, requests
from tests.engines.test_classes import same
from tests.vlms import gemma3, llava_mistral, mllama, tiny_vlm


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm(gemma3, tmp_path_factory.mktemp("gemma"))


def reversed_features(self: VisionFeatures, images, encode=VisionFeatures._encode) -> list[Encoded]:
    return [replace(one, features=one.features.flip(0)) for one in encode(self, images)]


def narrow(self: VisionFeatures, images, encode=VisionFeatures._encode) -> list[Encoded]:
    return [replace(one, features=one.features[:, 1:]) for one in encode(self, images)]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_rounding_is_no_difference_and_features_in_another_order_are_one(policy_folder, monkeypatch, dtype) -> None:
    load = Load(dtype=dtype)
    assert TransformersEngine.from_pretrained(policy_folder, batch_size=2, load=load).abilities.shared
    monkeypatch.setattr(VisionFeatures, "_encode", reversed_features)
    found = TransformersEngine.from_pretrained(policy_folder, batch_size=2, load=load).abilities
    assert not found.shared
    assert found.reason.startswith("its logits would differ by 0.1 of their spread, those of two batch sizes by ")


def test_a_model_whose_shared_way_is_wrong_runs_unshared_and_says_why(policy_folder, plain, monkeypatch, capfd) -> None:
    monkeypatch.setattr(VisionFeatures, "_encode", reversed_features)
    say.cache_clear()
    engine = TransformersEngine.from_pretrained(policy_folder, batch_size=4)
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert said == f"policy {policy_folder}: {engine.abilities}"
    assert "2 images a prompt, every prompt is read whole (its logits would differ by" in said
    same(engine.generate(requests(0.0)), plain.generate(requests(0.0)))
    assert engine.counters == plain.counters


def test_an_error_of_the_shared_way_is_its_reason(policy_folder, monkeypatch) -> None:
    monkeypatch.setattr(VisionFeatures, "_encode", narrow)
    found = TransformersEngine.from_pretrained(policy_folder, batch_size=2).abilities
    assert found == Abilities(2, shared=False, reason=found.reason)
    assert "tokens: 16, features: 1008" in found.reason


def test_attention_within_an_image_in_both_directions_is_kept_and_its_loss_found(gemma, monkeypatch) -> None:
    assert TransformersEngine.from_pretrained(gemma, batch_size=2).abilities.shared
    inputs = ImageInputs.inputs

    def without_marks(self, *asked):
        return {name: value for name, value in inputs(self, *asked).items() if name == "mm_encoder_outputs"}

    monkeypatch.setattr(ImageInputs, "inputs", without_marks)
    found = TransformersEngine.from_pretrained(gemma, batch_size=2).abilities
    assert "its logits would differ" in found.reason


def test_what_a_model_can_do_is_one_line_once_a_process(policy_folder, tmp_path, capfd) -> None:
    for _ in range(2):
        TransformersEngine.from_pretrained(tiny_vlm(llava_mistral, tmp_path / "own"), batch_size=2, images=1)
    TransformersEngine.from_pretrained(policy_folder, batch_size=2, share=False)
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("policy ")]
    assert said == [f"policy {tmp_path / 'own'}: one image a prompt, prompts share what they begin with"]


def with_window(folder: Path, size: int) -> Path:
    tiny_vlm(llava_mistral, folder)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"] |= {"sliding_window": size}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_prefixes_are_shared_within_a_sliding_window_and_prompts_beyond_it_are_read_whole(tmp_path: Path) -> None:
    engine = TransformersEngine.from_pretrained(with_window(tmp_path, 160), batch_size=4)
    assert str(engine.abilities).endswith(
        "prompts share what they begin with up to 160 tokens, where its attention slides"
    )
    plain = TransformersEngine(engine.policy, batch_size=4, abilities=Abilities(2, shared=False))
    short = requests(0.0)
    same(engine.generate(short), plain.generate(short))
    assert (engine.counters.vision_encodes, plain.counters.vision_encodes) == (8, 26)
    saved = engine.counters.saved_prefill_tokens
    assert saved >= 12 * 18
    long = tuple(direct_messages("Is there an effusion in the left lung? " * 20))
    asked = [GenerateRequest(long, (picture(image),), 0, 0.0, 1.0, 8) for image in range(2)]
    same(engine.generate(asked), plain.generate(asked))
    assert engine.counters.saved_prefill_tokens == saved
    # What is known of one prompt and nothing of the other: padding between them would put images out of the window.
    one, other = (
        GenerateRequest(tuple(direct_messages(text)), (picture(0),), 0, 0.0, 1.0, 8)
        for text in ("lung " * 90, "nodule " * 60)
    )
    same(engine.generate([one]), plain.generate([one]))
    same(engine.generate([one, other]), plain.generate([one, other]))


def test_two_tokens_at_once_are_weighed_as_one_after_the_other(tmp_path: Path) -> None:
    policy = load_policy(tiny_vlm(mllama, tmp_path), None)
    dummies = _dummies(policy, 2)
    inputs = _plain.inputs(policy, [d.text for d in dummies], [d.images for d in dummies], Counters())
    both = _plain.two_logits(policy, inputs, 7)
    assert torch.allclose(both[:, 0], _plain.next_logits(policy, inputs), atol=1e-5)


def test_an_images_tokens_include_the_marks_around_it(gemma: Path) -> None:
    room = PolicyRoom.from_pretrained(gemma)
    text = room.processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "image"}]}], tokenize=False, add_generation_prompt=True
    )
    read = room.processor(images=[[picture(0)]], text=[text], add_special_tokens=False)["input_ids"][0]
    alone = room.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert image_tokens(room) == len(read) - len(alone) + 1 > 4


def test_the_floor_of_a_difference_follows_the_dtype() -> None:
    assert floor(torch.float32) == 1e-5
    assert floor(torch.float16) < floor(torch.bfloat16) < 0.04
