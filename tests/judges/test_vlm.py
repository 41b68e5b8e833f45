"""The policy as its own judge: a real tiny LLaVA weighs, sees the image, and writes."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from clincot import judges
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.images import encode_png
from clincot.judges._weighed import WeighedReplies, summed, turn
from clincot.judges.base import JudgeRequest
from clincot.judges.vlm import VlmJudge, _text
from clincot.lm.requests import ChoiceRequest
from tests.tiny import tiny_policy

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    engine = TransformersEngine.from_pretrained(tiny_policy(tmp_path_factory.mktemp("policy")), batch_size=4)
    ids = engine.policy.tokenizer.convert_tokens_to_ids([str(v) for v in range(10)])
    engine.policy.model.get_output_embeddings().weight.data[ids] *= 40  # one that learned to reply with digits
    return engine


def picture(shade: int) -> bytes:
    return encode_png(Image.new("RGB", (32, 32), (shade, 255 - shade, 0)))


def asked() -> list[JudgeRequest]:
    pictures = (picture(0), picture(250), None)
    return [
        JudgeRequest("Is there a nodule?", "Yes", (), s, images=(p,) if p else ())
        for p in pictures
        for s in ("Yes", "No")
    ]


def by_hand(engine: TransformersEngine, judge: VlmJudge, request: JudgeRequest) -> float:
    """One unbatched forward of the whole prompt by the model and processor themselves."""
    policy = engine.policy
    blocks = [{"type": "image"}] if request.images else []
    content = [*blocks, {"type": "text", "text": _text(judge._way, request)}]
    text = policy.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    shade = Image.new("RGB", (32, 32), (0, 255, 0) if request.images == (picture(0),) else (250, 5, 0))
    images = {"images": [[shade]]} if request.images else {}
    inputs = policy.processor(text=[text], return_tensors="pt", add_special_tokens=False, **images)
    with torch.inference_mode():
        p = policy.model(**inputs).logits[0, -1].double().softmax(-1)
    digits = [float(p[policy.tokenizer.convert_tokens_to_ids(str(v))]) for v in range(10)]
    return sum(v * d for v, d in enumerate(digits)) / (9 * sum(digits))


def test_it_gives_the_expected_digit_of_its_own_prompt_and_sees_the_image(engine: TransformersEngine) -> None:
    judge = judges.of_policy("policy_itself", engine, key="k", scoring="expected")
    assert isinstance(judge, VlmJudge)
    requests = asked()
    ratings = judge.rate([*requests, requests[0]])
    assert ratings[0] == ratings[-1]
    for request, rating in zip(requests, ratings, strict=False):
        assert rating.value == pytest.approx(by_hand(engine, judge, request), abs=1e-5)
    assert len({round(r.value or 0, 9) for r in ratings}) == 6
    assert len({judge.reads(r) for r in requests}) == 6
    assert (judge.name, judge.key) == ("policy", "k")


def test_it_writes_its_score_in_the_mode_generated(engine: TransformersEngine) -> None:
    rating = VlmJudge(engine, key="k", scoring="generated").rate(asked()[:1])[0]
    assert rating.reply is not None
    assert rating.value is None or 0 <= rating.value <= 1


def test_spellings_that_are_one_token_count_once_and_equally_likely_tokens_each(engine: TransformersEngine) -> None:
    turns = ({"role": "user", "content": [{"type": "text", "text": "Rate it."}]},)
    one, two = engine.policy.tokenizer.convert_tokens_to_ids(["1", "2"])
    weight = engine.policy.model.get_output_embeddings().weight.data
    kept = weight[two].clone()
    weight[two] = weight[one]  # the tie that bfloat16 makes of near values
    (scores,) = engine.score_choices([ChoiceRequest(turns, (), ("1", " 1", "2"))])
    weight[two] = kept
    assert scores.logps[0] == scores.logps[1] == scores.logps[2]
    assert scores.tokens == (one, one, two)
    assert summed((("1", " 1", "2"),), scores) == pytest.approx([scores.mass])


def test_a_vocabulary_that_lacks_a_reply_is_refused(engine: TransformersEngine) -> None:
    judge = VlmJudge(engine, key="k", scoring="yesno")
    judge._replies = WeighedReplies(engine, (("radiograph",), ("No",)), turn("Rate it.", ()))
    with pytest.raises(ModelError, match="'radiograph' is not a single token"):
        judge.rate(asked()[:1])
