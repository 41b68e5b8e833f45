"""Replies that begin with a space piece (Mistral v1, Llama 2) and those that do not (Llama 3, Qwen): read alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from clincot.engines.transformers import TransformersEngine
from clincot.judges._reading import render
from clincot.judges._weighed import WeighedReplies, turn
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.scoring import mode_of
from clincot.judges.vlm import VlmJudge
from clincot.lm.choice_tokens import ChoiceTokens
from clincot.lm.requests import ChoiceRequest
from tests.judges.taught import bytes_tokenizer, pieces_tokenizer, request, taught
from tests.tiny import TEMPLATE, tiny_policy

torch.set_num_threads(1)
SPACED = {"mistral-v1": {"metaspace": True}, "llama-2": {"metaspace": False}}
PLAIN = {"llama-3": (r"\p{N}{1,3}", "\n\n"), "qwen": (r"\p{N}", "\n")}
DIGITS = tuple(f" {v}" for v in range(10)) + tuple(map(str, range(10)))


def tokenizer_of(kind: str) -> Any:
    return pieces_tokenizer(**SPACED[kind]) if kind in SPACED else bytes_tokenizer(*PLAIN[kind])


def load(folder: Path, **options: Any) -> CausalLMJudge:
    return CausalLMJudge.from_pretrained(folder, name="ns/judge", key="abc", **{"batch_size": 8, **options})


@pytest.mark.parametrize("kind", [*SPACED, *PLAIN])
def test_a_judge_that_was_taught_8_and_1_is_read_so_whatever_its_tokenizer(tmp_path: Path, kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    ids = {reply: tokenizer(reply, add_special_tokens=False)["input_ids"] for reply in "81"}
    assert {len(own) for own in ids.values()} == {2 if kind in SPACED else 1}
    folder = taught(tmp_path, tokenizer, {"Yes": ids["8"], "None": ids["1"]})
    asked = [request("Yes"), request("None")]
    judge, written, whole = load(folder), load(folder, scoring="generated"), load(folder, share=False)
    ratings = judge.rate(asked)
    assert [r.value for r in ratings] == pytest.approx([8 / 9, 1 / 9], abs=0.03)
    assert min(r.mass for r in ratings) > 0.9
    assert [r.value for r in written.rate(asked)] == pytest.approx([8 / 9, 1 / 9])
    assert [r.value for r in whole.rate(asked)] == pytest.approx([r.value for r in ratings], abs=1e-5)
    # The second token costs one token per prompt, and nothing where a digit is a single token.
    assert judge.counters.decoded_tokens == (2 if kind in SPACED else 0)
    assert judge.counters.prefill_tokens < whole.counters.prefill_tokens
    assert judge.key == ("abc+space" if kind in SPACED else "abc")
    for one, rating in zip(asked, ratings, strict=True):
        assert rating.mass == pytest.approx(mass_by_hand(judge, one), abs=1e-5)


def mass_by_hand(judge: CausalLMJudge, one: Any) -> float:
    """Return P(digit) + P(space piece) * P(digit | space piece) by two readings of the whole prompt."""
    tokenizer, model = judge.tokenizer, judge.model
    prompt = tokenizer(judge.reads(one), add_special_tokens=False)["input_ids"]
    digits = [tokenizer.convert_tokens_to_ids(str(v)) for v in range(10)]

    def following(ids: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            return model(torch.tensor([ids])).logits[0, -1].double().softmax(-1)

    first, piece = following(prompt), tokenizer.convert_tokens_to_ids("▁")
    later = 0.0 if judge.key == "abc" else float(first[piece] * following([*prompt, piece])[digits].sum())
    return float(first[digits].sum()) + later


def test_yes_and_no_are_weighed_after_a_space_piece_where_they_need_one(tmp_path: Path) -> None:
    tokenizer = pieces_tokenizer(metaspace=True)
    space, yes, no = tokenizer.convert_tokens_to_ids(["▁", "yes", "▁No"])
    folder = taught(tmp_path, tokenizer, {"Yes": [space, yes], "None": [no]}, "yesno")
    ratings = load(folder, scoring="yesno").rate([request("Yes"), request("None")])
    assert [r.value for r in ratings] == pytest.approx([1.0, 0.0], abs=0.05)
    assert min(r.mass for r in ratings) > 0.9


@pytest.mark.parametrize("metaspace", [True, False])
def test_after_a_mark_the_space_piece_that_the_tokenizer_writes_unasked_counts(metaspace: bool) -> None:
    tokenizer = pieces_tokenizer(metaspace=metaspace, marks=["[/INST]"])
    (path,) = ChoiceTokens(tokenizer, "judge")("It is. [/INST]", (" 8",))
    assert tokenizer.convert_ids_to_tokens(list(path)) == ["▁", "8"]


def test_after_a_space_or_a_line_break_a_digit_is_a_single_token() -> None:
    spaced, plain = pieces_tokenizer(metaspace=True), bytes_tokenizer(*PLAIN["qwen"])
    for tokenizer, text in ((spaced, "Rating: "), (plain, "Rating: "), (plain, "assistant\n"), (plain, "<|start|>")):
        paths = ChoiceTokens(tokenizer, "judge")(text, DIGITS)
        assert set(map(len, paths)) == {1} and len(set(paths)) == 10
    assert set(map(len, ChoiceTokens(plain, "judge")("Rating:", DIGITS))) == {1, 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy(tmp_path_factory.mktemp("policy"))


def engine_of(folder: Path, template: str, **options: Any) -> TransformersEngine:
    engine = TransformersEngine.from_pretrained(folder, batch_size=4, **options)
    engine.policy.processor.chat_template = template
    return engine


def test_the_policy_weighs_space_and_digit_with_and_without_sharing(folder: Path) -> None:
    word = TEMPLATE.replace("<|assistant|>", "<|assistant|>Rating:")  # " 9" is a space and a digit in this vocabulary
    shared, plain = engine_of(folder, word), engine_of(folder, word, share=False)
    shade = Image.new("RGB", (32, 32), (0, 255, 0))
    texts = ("Is there a nodule?", "Rate it, if there is an effusion.")
    asked = [
        ChoiceRequest(
            ({"role": "user", "content": [{"type": "image"}, {"type": "text", "text": t}]},), (shade,), DIGITS
        )
        for t in texts
    ]
    a, b = shared.score_choices(asked), plain.score_choices(asked)
    for one, other in zip(a, b, strict=True):
        assert one.logps == pytest.approx(other.logps, abs=1e-4)
        assert one.tokens == other.tokens and len(set(one.tokens)) == 20
        assert one.mass == pytest.approx(other.mass, abs=1e-6) == pytest.approx(sum(map(_exp, one.logps)), abs=1e-6)
    assert shared.counters.decoded_tokens == 2
    model, tokenizer = shared.policy.model, shared.policy.tokenizer
    text = shared.policy.processor.apply_chat_template(list(asked[0].messages), add_generation_prompt=True)
    inputs = shared.policy.processor(text=[text + " "], images=[[shade]], return_tensors="pt", add_special_tokens=False)
    with torch.inference_mode():
        logps = model(**inputs).logits[0].log_softmax(-1)
    space, nine = tokenizer.convert_tokens_to_ids(["Ġ", "9"])
    assert a[0].logps[9] == pytest.approx(float(logps[-2, space] + logps[-1, nine]), abs=1e-4)


def _exp(logp: float) -> float:
    return float(torch.tensor(logp).exp())


def test_what_the_policy_as_judge_reads_names_the_space_piece(folder: Path) -> None:
    plain = VlmJudge(engine_of(folder, TEMPLATE), key="k")
    word = TEMPLATE.replace("<|assistant|>", "<|assistant|>Rating:")
    spaced = VlmJudge(engine_of(folder, word), key="k")
    assert spaced.reads(request("Yes")) == plain.reads(request("Yes")) + "\n+space"
    assert not WeighedReplies(plain.engine, (), turn("?", ())).spaced


@pytest.mark.parametrize(("kind", "prefill"), [("mistral-v1", "Rating: "), ("qwen", "Rating:"), ("qwen", "Rating: ")])
def test_a_prefill_makes_the_rating_the_next_token(tmp_path: Path, kind: str, prefill: str) -> None:
    tokenizer = tokenizer_of(kind)
    # Taught to reply in words: "Rating: 8".
    ids = tokenizer("xRating: 8", add_special_tokens=False)["input_ids"][-len("Rating: 8") :]
    folder = taught(tmp_path, tokenizer, {"Yes": ids})
    bare, filled = load(folder), load(folder, prefill=prefill)
    assert filled.reads(request("Yes")) == bare.reads(request("Yes")) + prefill
    assert bare.rate([request("Yes")])[0].value is None
    (rating,) = filled.rate([request("Yes")])
    assert rating.value == pytest.approx(8 / 9, abs=0.03) and rating.mass > 0.9
    assert filled.counters.decoded_tokens == (0 if prefill.endswith(" ") else 1)
    (written,) = load(folder, prefill=prefill, scoring="generated").rate([request("Yes")])
    assert written.value == pytest.approx(8 / 9)


def test_a_prefill_takes_the_place_of_the_last_words_of_a_prompt_without_a_template() -> None:
    tokenizer = tokenizer_of("qwen")
    tokenizer.chat_template = None
    messages = mode_of("expected").messages(request("Yes"))
    assert render(tokenizer, messages).endswith("Statement: Yes\n\nRating:")
    assert render(tokenizer, messages, "Score: ").endswith("Statement: Yes\n\nScore: ")
