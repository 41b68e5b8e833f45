"""A critic compares two texts before the image: probabilities by hand on a real tiny LLaVA, both orders, no room."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image

from clincot.chain.prompts import compare_text
from clincot.engines.transformers import TransformersEngine
from clincot.judges.base import CompareRequest, Verdict
from clincot.judges.critic import Critic
from tests.tiny import tiny_policy

SHADE = Image.new("RGB", (32, 32), (0, 255, 0))
ASKED = CompareRequest("Is there a nodule?", "Yes", "No", ("Clear lungs.",), "There is none.", images=(SHADE,))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    engine = TransformersEngine.from_pretrained(tiny_policy(tmp_path_factory.mktemp("policy")), batch_size=4)
    ids = engine.policy.tokenizer.convert_tokens_to_ids(["A", "B"])
    engine.policy.model.get_output_embeddings().weight.data[ids] *= 40  # one that learned to reply with a letter
    return engine


def letters(engine: TransformersEngine, request: CompareRequest, first: str, second: str) -> tuple[float, float]:
    """Return P(A) and P(B) by one unbatched forward of the whole prompt."""
    policy = engine.policy
    text = compare_text(request.question, first, second, request.findings, request.reference)
    blocks = [{"type": "image"} for _ in request.images]
    content = [*blocks, {"type": "text", "text": text}]
    prompt = policy.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    images = {"images": [list(request.images)]} if request.images else {}
    inputs = policy.processor(text=[prompt], return_tensors="pt", add_special_tokens=False, **images)
    with torch.inference_mode():
        p = policy.model(**inputs).logits[0, -1].double().softmax(-1)
    a, b = (float(p[policy.tokenizer.convert_tokens_to_ids(letter)]) for letter in "AB")
    return a, b


@pytest.mark.parametrize("images", [(SHADE,), ()])
def test_the_verdict_is_the_mean_of_both_orders(engine: TransformersEngine, images: tuple[Image.Image, ...]) -> None:
    asked = replace(ASKED, images=images)
    critic = Critic(engine, name="policy", key="k")
    a, b = letters(engine, asked, "Yes", "No")
    c, d = letters(engine, asked, "No", "Yes")
    both, one = critic.compare([asked, replace(asked, swap=False)])
    assert one.value == pytest.approx(a / (a + b), abs=1e-5)
    assert both.value == pytest.approx((a / (a + b) + d / (c + d)) / 2, abs=1e-5)
    assert both.mass == pytest.approx(min(a + b, c + d), abs=1e-5)
    (turned,) = critic.compare([replace(asked, first="No", second="Yes")])
    assert turned.value == pytest.approx(1 - (both.value or 0), abs=1e-6)


def test_a_critic_without_letters_or_without_room_gives_no_value(tmp_path_factory: pytest.TempPathFactory) -> None:
    plain = TransformersEngine.from_pretrained(tiny_policy(tmp_path_factory.mktemp("plain")), batch_size=4)
    critic = Critic(plain, name="policy", key="k")
    unsure, long = critic.compare([ASKED, replace(ASKED, second="lung " * 2000)])
    assert unsure.value is None and 0 < unsure.mass < 0.1 and not unsure.too_long
    assert long == Verdict(None, 0.0, too_long=True)
