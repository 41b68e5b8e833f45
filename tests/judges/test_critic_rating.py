"""A critic rates one text before image and crop: by hand on a real tiny LLaVA, as a judge and in a build's panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from clincot import judges
from clincot.engines.base import Engine
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.images import decode, encode_png
from clincot.judges._weighed import turn
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.judges.critic import Critic
from clincot.judges.panel import LEAST
from clincot.judges.vlm import VlmJudge, _text
from clincot.lm.requests import ChoiceRequest
from clincot.lm.work import finish
from clincot.recipe.parts import Judging
from clincot.stages.sample.serving import Models
from tests.tiny import tiny_policy

DIGITS = [str(v) for v in range(10)]


def shade(green: int) -> bytes:
    return encode_png(Image.new("RGB", (32, 32), (0, green, 90)))


WHOLE, LEFT, RIGHT = shade(250), shade(130), shade(20)
ASKED = JudgeRequest("Is there a nodule?", "There is none.", ("Clear lungs.",), "Yes", images=(WHOLE, LEFT))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a policy that learned to reply with digits."""
    folder = tiny_policy(tmp_path_factory.mktemp("policy"))
    policy = TransformersEngine.from_pretrained(folder, batch_size=4).policy
    policy.model.get_output_embeddings().weight.data[policy.tokenizer.convert_tokens_to_ids(DIGITS)] *= 40
    policy.model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> TransformersEngine:
    return TransformersEngine.from_pretrained(folder, batch_size=4)


def critic(engine: Engine, **options) -> Critic:
    return Critic(engine, name="ns/critic", key="k", **options)


def rate(models: Models, requests: Sequence[JudgeRequest], **judging) -> list[Rating]:
    return [rating for (rating,) in finish(models.critics(Judging(**judging)).rate(requests))]


def by_hand(engine: TransformersEngine, request: JudgeRequest, prefill: str = "") -> Rating:
    """One unbatched forward of the whole prompt, with the images in their order before the text."""
    policy = engine.policy
    text = _text(critic(engine).judge.judge._way, request)
    content = [*({"type": "image"} for _ in request.images), {"type": "text", "text": text}]
    prompt = policy.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    images = {"images": [[decode(data) for data in request.images]]} if request.images else {}
    inputs = policy.processor(text=[prompt + prefill], return_tensors="pt", add_special_tokens=False, **images)
    with torch.inference_mode():
        p = policy.model(**inputs).logits[0, -1].double().softmax(-1)
    digits = p[policy.tokenizer.convert_tokens_to_ids(DIGITS)]
    return Rating(float(digits @ torch.arange(10.0, dtype=digits.dtype) / (9 * digits.sum())), float(digits.sum()))


def likeliest(engine: TransformersEngine) -> int:
    (scores,) = engine.score_choices([ChoiceRequest(turn("Rate it.", ()), (), tuple(DIGITS))])
    return max(range(10), key=lambda digit: scores.logps[digit])


def test_the_rating_is_the_expected_digit_and_both_image_and_crop_change_it(engine: TransformersEngine) -> None:
    seen = [(), (WHOLE,), (WHOLE, LEFT), (WHOLE, RIGHT), (RIGHT, LEFT), (LEFT, WHOLE)]
    requests = [replace(ASKED, images=images) for images in seen]
    ratings = rate(Models(engine, critic=critic(engine)), requests)
    for request, rating in zip(requests, ratings, strict=True):
        expected = by_hand(engine, request)
        assert rating.value == pytest.approx(expected.value, abs=1e-5)
        assert rating.mass == pytest.approx(expected.mass, abs=1e-5) and rating.mass > 0.1
    assert len({round(rating.value or 0, 7) for rating in ratings}) == len(seen)
    judge = critic(engine).judge.judge
    assert len({judge.reads(request) for request in requests}) == len(seen)


def test_equal_requests_tie_and_a_critic_that_says_the_opposite_reverses_their_order(
    engine: TransformersEngine,
) -> None:
    other = replace(ASKED, statement="No")
    yes, again, no = rate(Models(engine, critic=critic(engine)), [ASKED, ASKED, other])
    assert yes == again != no
    weight = engine.policy.model.get_output_embeddings().weight.data
    ids = engine.policy.tokenizer.convert_tokens_to_ids(DIGITS)
    kept = weight[ids].clone()
    weight[ids] = kept[likeliest(engine)]  # a critic to whom all digits are alike
    tied = rate(Models(engine, critic=critic(engine)), [ASKED, other])
    weight[ids] = kept.flip(0)  # one that says the opposite: 9 for 0
    against = rate(Models(engine, critic=critic(engine)), [ASKED, other])
    weight[ids] = kept
    assert [r.value for r in tied] == pytest.approx([0.5, 0.5])
    assert [r.value for r in against] == pytest.approx([1 - (yes.value or 0), 1 - (no.value or 0)], abs=1e-5)
    assert ((against[0].value or 0) < (against[1].value or 0)) is ((yes.value or 0) > (no.value or 0))


def test_a_prefill_ends_the_prompt_and_is_a_part_of_the_key(engine: TransformersEngine) -> None:
    plain, filled = critic(engine), critic(engine, prefill="Rate: ")
    (rating,) = rate(Models(engine, critic=filled), [ASKED])
    assert rating.value == pytest.approx(by_hand(engine, ASKED, "Rate: ").value, abs=1e-5)
    assert rating.value != pytest.approx(by_hand(engine, ASKED).value, abs=1e-7)
    assert filled.judge.judge.reads(ASKED) == plain.judge.judge.reads(ASKED) + "\n+'Rate: '"
    written = VlmJudge(engine, key="k", scoring="generated", prefill="Rate: ").rate([ASKED])[0]
    bare = VlmJudge(engine, key="k", scoring="generated").rate([ASKED])[0]
    assert written.reply is not None and written != bare


def test_what_a_critic_rated_is_recorded_and_known_to_a_later_version(engine: TransformersEngine) -> None:
    first = Models(engine, critic=critic(engine))
    (rating,) = rate(first, [ASKED])
    (recorded,) = first.critics(Judging()).take_fresh()
    later = Models(engine, critic=critic(engine, known={recorded.key: Rating(0.125, 1.0)}))
    assert recorded.rating == rating
    assert rate(later, [ASKED, replace(ASKED, images=(WHOLE, RIGHT))])[0].value == 0.125
    assert len(later.critics(Judging()).take_fresh()) == 1


def test_failures_of_a_critic_stop_a_build_and_a_long_prompt_is_none(tmp_path: Path) -> None:
    plain = TransformersEngine.from_pretrained(tiny_policy(tmp_path), batch_size=32)
    models = Models(plain, critic=critic(plain))
    (long,) = rate(models, [replace(ASKED, statement="lung " * 2000)])
    assert long.too_long and long.value is None
    with pytest.raises(ModelError, match="judge ns/critic: 50 of 50 ratings cannot be read"):
        rate(models, [replace(ASKED, statement=f"Yes {i}", images=()) for i in range(LEAST)], consensus="debate")


def test_a_judge_of_kind_vlm_is_loaded_from_a_folder_and_sees_image_and_crop(
    folder: Path, engine: TransformersEngine
) -> None:
    judge = judges.load("vlm", folder, name="ns/vlm", key="sha", batch_size=4, scoring="expected", images=2)
    cached = CachedJudge(judge, {})
    ratings = cached.rate([ASKED, replace(ASKED, images=(WHOLE, RIGHT))])
    expected = [by_hand(engine, ASKED), by_hand(engine, replace(ASKED, images=(WHOLE, RIGHT)))]
    assert [r.value for r in ratings] == pytest.approx([r.value for r in expected], abs=1e-5)
    assert cached.counters.vision_encodes == 3 and (cached.name, cached.key) == ("ns/vlm", "sha")
    cached.forget()
    cached.fresh.clear()
    cached.rate([ASKED])
    assert cached.counters.vision_encodes == 5
    room = judges.open_room("vlm", folder, None, "expected")
    assert room is not None
    assert room.too_long([ASKED, replace(ASKED, statement="lung " * 2000)]) == [False, True]
