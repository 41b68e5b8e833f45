"""POVID's second stage against its formula in float64, and what it is at weight 0 and without noise."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from peft import PeftModel

from clincot.images import decode
from clincot.images.corruptions import diffusion_noise
from clincot.objectives.noise import Noise
from clincot.objectives.povid_noise import PovidNoiseTrainer
from clincot.objectives.sides import Renderer
from clincot.recipe import InherentNoise
from tests.objectives.by_hand import text_logp
from tests.objectives.rows import make_group, make_row
from tests.objectives.test_margin_dpo import load, randomise
from tests.objectives.test_rows_by_hand import LAYOUTS, laid_out, loss_and_gradient

BETA = 0.3
SEED = 42  # transformers' own


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [*make_group(0)[:2], make_row(8, weight=0.3)]


def made(base, processor, rows, folder, layout, noise: InherentNoise) -> PovidNoiseTrainer:
    trainer = laid_out(base, processor, rows, folder, layout, "none", trainer=PovidNoiseTrainer, noise=noise)
    randomise(trainer.model)
    return trainer


def of_chosen(model, processor, row, strength: float) -> torch.Tensor:
    """Log-probabilities of every token at each place of the chosen text, its images noised: (tokens, vocabulary)."""
    side = Renderer(processor).pair(row)[0]
    images = [decode(image["bytes"]) for image in (row["images"][0], row["side_images"][0])]
    if strength:
        noise = Noise(strength, SEED)
        images = [
            diffusion_noise(image, strength, noise._seed(side, place, side.image_keys[place]))
            for place, image in enumerate(images)
        ]
    words = row["prompt"][0]["content"][-1]["text"]
    prompt = f"<s><|user|><image><image>{words}<|assistant|>"
    text = processor.tokenizer(row["chosen"] + "</s>", add_special_tokens=False)["input_ids"]
    inputs = processor(images=images, text=prompt, add_special_tokens=False, return_tensors="pt")
    ids = torch.cat((inputs["input_ids"], torch.tensor([text])), dim=1)
    logits = model(input_ids=ids, pixel_values=inputs["pixel_values"].to(model.dtype)).logits[0]
    return F.log_softmax(logits, -1)[-len(text) - 1 : -1]


def inherent(model, processor, row, strength: float) -> torch.Tensor:
    with torch.no_grad():
        mistakes = of_chosen(model, processor, row, strength).argmax(-1)
    return of_chosen(model, processor, row, 0.0).gather(1, mistakes[:, None]).sum()


def by_hand(policy, reference, processor, rows, noise: InherentNoise) -> torch.Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row in rows:
        with torch.no_grad():
            ref = [text_logp(reference, processor, row, side) for side in (0, 1)]
            ref.append(inherent(reference, processor, row, noise.strength))
        own = [text_logp(policy, processor, row, side) for side in (0, 1)]
        own.append(inherent(policy, processor, row, noise.strength))
        gains = [a - b for a, b in zip(own, ref, strict=True)]
        text, mistake = (-F.logsigmoid(BETA * (gains[0] - gains[side])) for side in (1, 2))
        total = total + row["weight"] * ((1 - noise.weight) * text + noise.weight * mistake) / len(rows)
    return total


@pytest.mark.parametrize("noise", [InherentNoise(), InherentNoise(0.0), InherentNoise(0.9, 0.8)])
def test_loss_and_gradients_are_the_released_codes_in_float64(base, processor, rows, tmp_path, noise) -> None:
    """`strength` 0: half of DPO against the text, and half against what each policy would write with clean images."""
    first = made(base, processor, rows, tmp_path / "first", "pair", noise)
    first.model.save_pretrained(tmp_path / "adapter", selected_adapters=["default"])
    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), tmp_path / "adapter", is_trainable=True).double()
    expected = by_hand(policy, reference, processor, rows, noise)
    expected.backward()
    exact = {n: p.grad for n, p in policy.named_parameters() if p.grad is not None}
    for layout in LAYOUTS:
        loss, found = loss_and_gradient(made(base, processor, rows, tmp_path / layout, layout, noise))
        assert loss == pytest.approx(expected.item(), abs=1e-5)
        assert max((exact[n] - found[n]).abs().max().item() for n in exact) < 1e-5
    assert max(grad.abs().max().item() for grad in exact.values()) > 1e-3


def test_without_weight_on_mistakes_it_is_dpo(base, processor, rows, tmp_path) -> None:
    other = laid_out(base, processor, rows, tmp_path / "dpo", "shared", kind="none")
    randomise(other.model)
    ours = made(base, processor, rows, tmp_path / "ours", "shared", InherentNoise(0.5, 0.0))
    (loss, found), (expected, exact) = loss_and_gradient(ours), loss_and_gradient(other)
    assert loss == pytest.approx(expected, abs=1e-6)
    assert max((exact[n] - found[n]).abs().max().item() for n in exact) < 1e-6


def test_policy_and_reference_take_their_own_mistakes_and_noise_changes_them(base, processor, rows, tmp_path) -> None:
    """Else the test by hand could not tell whose mistakes are read, or whether there is noise at all."""
    trainer = made(base, processor, rows, tmp_path, "pair", InherentNoise())
    trainer.model.save_pretrained(tmp_path / "adapter", selected_adapters=["default"])
    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), tmp_path / "adapter").double()
    with torch.no_grad():
        found = {
            (name, strength): [of_chosen(model, processor, row, strength).argmax(-1).tolist() for row in rows]
            for name, model in (("policy", policy), ("reference", reference))
            for strength in (0.0, 0.5)
        }
    assert found["policy", 0.5] != found["reference", 0.5]
    assert found["policy", 0.5] != found["policy", 0.0]


def test_noise_is_that_of_the_side_and_the_seed(processor, rows) -> None:
    side = Renderer(processor).pair(rows[0])[0]
    first, again, other = (Noise(0.5, seed)(side).image_keys for seed in (1, 1, 2))
    assert first == again and len({*first, *other, *side.image_keys}) == 6
    assert Noise(0.0, 1)(side).image_keys == side.image_keys
