"""A causal LM as a judge: the expected digit, whatever the template, batch or sharing; and recorded failures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

from clincot import judges
from clincot.chain.prompts import JUDGE_REPORT_RUBRIC, JUDGE_RUBRIC, JUDGE_SYSTEM, judge_messages
from clincot.errors import ClincotError, ModelError
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.scoring import DIGITS, REPLY_TOKENS, expected_digit, written_digit
from clincot.lm.choice_tokens import ReplyTokens
from tests.tiny import tiny_judge, tiny_policy

torch.set_num_threads(1)
MISTRAL = (
    "{{ '<s>' }}{% for m in messages %}{% if m['role'] not in ['user', 'assistant'] %}"
    "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}"
    "{{ '<|user|>' + m['content'] + '<|assistant|>' }}{% endfor %}"
)
SILENT = "{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] }}{% endif %}{% endfor %}"


def digit_judge(folder: Path) -> Path:
    """A judge whose digits weigh more than the rest of its vocabulary, as in one that learned to reply with digits."""
    tiny_judge(folder)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.convert_tokens_to_ids([str(v) for v in range(10)])
    final = torch.nn.functional.normalize(torch.randn(48, generator=torch.Generator().manual_seed(3)), dim=0)
    model.lm_head.weight.data[ids] *= 40
    model.lm_head.weight.data[ids] += 0.5 * final
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digit_judge(tmp_path_factory.mktemp("digits"))


def load(folder: Path, **options) -> CausalLMJudge:
    return CausalLMJudge.from_pretrained(folder, name="ns/judge", key="abc", **{"batch_size": 8, **options})


def asked() -> list[JudgeRequest]:
    made = []
    for question in ("Is there a nodule?", "Which side shows an effusion?"):
        for findings in ((), ("The local image shows a nodule.",)):
            for statement in ("Yes", "No", "The left lung.", "The local image shows nothing of note."):
                made.append(JudgeRequest(question, "Left", findings, statement))
        made.append(JudgeRequest(question, None, (), "Yes"))
    return made


def by_hand(folder: Path, request: JudgeRequest) -> Rating:
    """One unbatched reading of the whole prompt."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    model.requires_grad_(False)
    messages = judge_messages(request.question, request.reference, request.findings, request.statement)
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    inputs = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    p = model(**inputs).logits[0, -1].softmax(-1)
    digits = [float(p[tokenizer.convert_tokens_to_ids(str(v))]) for v in range(10)]
    return Rating(sum(v * d for v, d in enumerate(digits)) / (9 * sum(digits)), sum(digits))


def test_ratings_equal_one_reading_of_each_whole_prompt(folder):
    requests = asked()
    for request, rating in zip(requests, load(folder).rate(requests), strict=True):
        expected = by_hand(folder, request)
        assert expected.mass > 0.1
        assert rating.value == pytest.approx(expected.value, abs=1e-5)
        assert rating.mass == pytest.approx(expected.mass, abs=1e-5)


def test_shared_and_unshared_ratings_are_equal_and_shared_ones_read_fewer_tokens(folder):
    requests = asked()
    shared, whole = load(folder), load(folder, share=False)
    a, b = shared.rate(requests), whole.rate(requests)
    assert [r.value for r in a] == pytest.approx([r.value for r in b], abs=1e-5)
    assert len({r.value for r in a}) > 10
    assert shared.counters.prefill_tokens < whole.counters.prefill_tokens / 2
    assert shared.counters.decoded_tokens == whole.counters.decoded_tokens == 0


@pytest.mark.parametrize(("window", "shares"), [(24, False), (4096, True)])
def test_a_sliding_window_is_respected_and_trunks_are_shared_inside_it(folder, tmp_path, window, shares):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sizes = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = MistralConfig(vocab_size=len(tokenizer), sliding_window=window, num_key_value_heads=2, **sizes)
    torch.manual_seed(5)
    model = MistralForCausalLM(config)
    model.lm_head.weight.data[tokenizer.convert_tokens_to_ids([str(v) for v in range(10)])] *= 60
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    requests, judge, whole = asked(), load(tmp_path), load(tmp_path, share=False)
    for request, rating in zip(requests, judge.rate(requests), strict=True):
        assert rating.mass == pytest.approx(by_hand(tmp_path, request).mass, abs=1e-5)
    whole.rate(requests)
    assert (judge.counters.prefill_tokens < whole.counters.prefill_tokens) is shares


def test_order_changes_no_bit_and_equal_requests_are_read_once(folder):
    requests = asked()
    judge = load(folder)
    first = judge.rate(requests)
    assert judge.counters.scored_choices == len(requests)
    assert judge.rate(requests[::-1] * 2) == first[::-1] * 2
    assert judge.counters.scored_choices == 2 * len(requests)
    assert judge.rate([]) == []


def test_a_model_that_does_not_reply_with_digits_is_a_recorded_failure(tmp_path):
    rating = load(tiny_judge(tmp_path)).rate(asked()[:1])[0]
    assert rating.value is None
    assert 0 < rating.mass < 0.1


def test_expected_digit_by_hand():
    assert expected_digit([0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]) == Rating(1.0, 0.5)
    assert expected_digit([0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0.2]) == Rating(pytest.approx(0.5), 0.4)
    assert expected_digit([0.09] + [0.0] * 9).value is None


@pytest.mark.parametrize("template", [MISTRAL, SILENT], ids=["refuses", "drops"])
def test_a_system_turn_that_the_template_does_not_take_opens_the_user_turn(folder, template):
    judge = load(folder)
    judge.tokenizer.chat_template = template
    text = judge.reads(asked()[0])
    assert text.index(JUDGE_SYSTEM) < text.index("Is there a nodule?")
    assert judge.rate(asked()[:1])[0].value is not None


def test_without_a_template_the_prompt_is_plain_text(folder):
    judge = load(folder)
    judge.tokenizer.chat_template = None
    text = judge.reads(asked()[0])
    assert text.startswith(f"<s>{JUDGE_SYSTEM}")
    assert text.endswith("Statement: Yes\n\nRating:")
    assert judge.rate(asked()[:1])[0].value is not None
    assert judge.counters.decoded_tokens == 1  # " 9" is a space and a digit here, and a word is followed by a space


def test_digits_with_and_without_a_leading_space_count_once_each(folder):
    judge = load(folder)
    words = {**{str(v): v for v in range(10)}, **{f"▁{v}": 10 + v for v in range(10)}, "<unk>": 20}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    pieces = pre_tokenizers.Split(Regex(r"▁?\d"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="never"), pieces])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    judge.tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")
    judge._replies = ReplyTokens(judge.tokenizer, "judge ns/judge", DIGITS)
    probabilities = torch.zeros(21)
    probabilities[9] = 0.25
    probabilities[19] = 0.25  # the same digit behind a space
    probabilities[0] = 0.5
    assert judge._rating(probabilities, 0, judge._replies("Rating:"), {}) == Rating(
        pytest.approx(0.5), pytest.approx(1.0)
    )


def test_a_vocabulary_without_digits_is_refused(folder, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "<s>": 1, "</s>": 2}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>").save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="'0' is not a single token"):
        load(tmp_path)


def test_a_prompt_beyond_the_context_fails_alone(folder):
    asked = [JudgeRequest("Is it?", None, (), "no"), JudgeRequest("Is it long?", None, (), "lung " * 3000)]
    judge = load(folder)
    fits, odd = judge.rate(asked)
    assert odd.too_long and odd.value is None
    assert [fits] == judge.rate(asked[:1]) and not fits.too_long
    assert judge.rate(asked[1:]) == [odd] and judge.rate([]) == []


def test_a_vision_language_model_is_no_judge(tmp_path):
    with pytest.raises(ModelError, match="judge .* cannot be loaded"):
        load(tiny_policy(tmp_path))


def test_a_full_memory_halves_the_batch(folder):
    judge, requests = load(folder), asked()
    expected = [r.value for r in judge.rate(requests)]

    def at_most_three(module, args, kwargs):
        if len(kwargs["input_ids"]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    judge.model.register_forward_pre_hook(at_most_three, with_kwargs=True)
    assert [r.value for r in judge.rate(requests)] == pytest.approx(expected, abs=1e-5)
    assert judge.counters.memory_splits > 0


def test_the_table_defaults_to_causal_lm_and_suggests_near_misses(folder):
    judge = judges.load("", folder, name="ns/judge", key="abc", batch_size=2)
    assert (judge.name, judge.key) == ("ns/judge", "abc")
    with pytest.raises(ClincotError, match="Did you mean 'causal_lm'"):
        judges.load("casual_lm", folder, name="n", key="k")


def test_yes_and_no_are_weighed_in_every_spelling_and_asked_for(folder):
    judge = load(folder, scoring="yesno")
    text = judge.reads(asked()[0])
    assert "Reply yes or no." in text
    assert "digit" not in text
    tokenizer = judge.tokenizer
    paths = judge._replies(text)
    yes, no = ([path[0] for path in own] for own in paths)
    assert {tokenizer.decode([i]).strip().lower() for i in yes} == {"yes"}
    assert {tokenizer.decode([i]).strip().lower() for i in no} == {"no"}
    probabilities = torch.zeros(len(tokenizer))
    probabilities[list(yes)] = 0.3 / len(yes)
    probabilities[list(no)] = 0.1 / len(no)
    assert judge._rating(probabilities, 0, paths, {}) == Rating(pytest.approx(0.75), pytest.approx(0.4))
    assert judge.rate(asked()[:3])[0].mass > 0


def test_written_scores_equal_the_models_own_greedy_text(folder):
    judge, requests = load(folder, scoring="generated"), asked()[:6]
    tokenizer = judge.tokenizer
    for request, rating in zip(requests, judge.rate(requests), strict=True):
        inputs = tokenizer(judge.reads(request), add_special_tokens=False, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        written = judge.model.generate(**inputs, do_sample=False, max_new_tokens=REPLY_TOKENS)
        ids = written[0, inputs["input_ids"].shape[1] :]
        assert rating.reply == tokenizer.decode(ids, skip_special_tokens=True)
        assert rating.value == written_digit(rating.reply, 1.0, cut=len(ids) == REPLY_TOKENS).value
    assert judge.counters.generated_texts == len(requests)


def test_a_written_reply_needs_room_in_the_context(folder):
    request = JudgeRequest("?", None, (), "Yes " * 1960)
    assert load(folder, scoring="generated").rate([request])[0].too_long


def test_facts_stand_behind_what_candidates_share(folder):
    requests = [
        JudgeRequest("Is there a nodule?", None, ("Clear lungs.",), "Yes", facts=f"Local image: region {i}.")
        for i in range(4)
    ]
    text = load(folder).reads(requests[0])
    assert text.index("Clear lungs.") < text.index("region 0") < text.index("Statement: Yes")
    shared, whole = load(folder), load(folder, share=False)
    assert [r.value for r in shared.rate(requests)] == pytest.approx([r.value for r in whole.rate(requests)], abs=1e-5)
    assert shared.counters.prefill_tokens < whole.counters.prefill_tokens / 2


def test_an_earlier_digit_is_told_behind_the_statement(folder):
    judge = load(folder)
    text = judge.reads(JudgeRequest("?", None, (), "Yes", earlier=7))
    assert text.index("Statement: Yes") < text.index("Another reviewer rated it 7.")


def test_a_request_may_carry_a_rubric_of_its_own(folder):
    judge, rubric = load(folder), "Add a point for each finding. Reply with one digit from 0 to 5."
    for report in (False, True):
        own = judge.reads(JudgeRequest("Is it?", "Yes", (), "No", report, rubric=rubric))
        plain = judge.reads(JudgeRequest("Is it?", "Yes", (), "No", report))
        assert own.replace(rubric, JUDGE_REPORT_RUBRIC if report else JUDGE_RUBRIC) == plain != own


def test_an_image_changes_nothing_for_a_judge_that_cannot_see(folder):
    judge = load(folder)
    plain = JudgeRequest("?", None, (), "Yes")
    a, b = judge.rate([plain, JudgeRequest("?", None, (), "Yes", images=(b"png",))])
    assert a == b
    assert judge.counters.scored_choices == 1
