"""The in-process engine: batched and shared equals one by one, in texts and log-probabilities, for fewer tokens."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from clincot import engines
from clincot.chain.prompts import direct_messages, finding_messages
from clincot.engines._reading import render
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ClincotError, ModelError
from clincot.lm.requests import ChoiceRequest, Completion, GenerateRequest
from tests.engines.conftest import picture, requests


def same(a: list[Completion], b: list[Completion]) -> None:
    assert [(c.text, c.tokens, c.finish) for c in a] == [(c.text, c.tokens, c.finish) for c in b]
    assert [c.logp for c in a] == pytest.approx([c.logp for c in b], abs=1e-4)


@pytest.mark.parametrize(("temperature", "top_p"), [(0.0, 1.0), (0.7, 1.0), (1.5, 0.5)])
def test_shared_trunks_write_what_the_models_own_generate_writes(shared, plain, temperature, top_p):
    asked = requests(temperature, top_p)
    same(shared.generate(asked), plain.generate(asked))
    assert shared.counters.decoded_tokens == plain.counters.decoded_tokens
    # 14 prompts over 2 global trunks (begin, turn, 16 image tokens), 12 over 6 crops of 16 image tokens
    saved = (14 - 2) * 18 + (12 - 6) * 16
    assert shared.counters.prefill_tokens == plain.counters.prefill_tokens - saved
    assert plain.counters.vision_encodes == 26
    assert shared.counters.vision_encodes == 8


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_batch_writes_what_each_request_writes_alone(policy_folder, share, temperature):
    asked = requests(temperature)
    batched = TransformersEngine.from_pretrained(policy_folder, batch_size=16, share=share).generate(asked)
    alone = TransformersEngine.from_pretrained(policy_folder, batch_size=1, share=share)
    same(batched, [alone.generate([request])[0] for request in asked])


def test_the_order_of_the_requests_changes_no_bit(policy_folder):
    asked = requests(0.7)
    forward = TransformersEngine.from_pretrained(policy_folder, batch_size=4).generate(asked)
    backward = TransformersEngine.from_pretrained(policy_folder, batch_size=4).generate(asked[::-1])
    assert backward[::-1] == forward


def test_after_forget_a_unit_gives_the_same_bits_whatever_came_before(shared):
    asked = requests(0.7)
    first = shared.generate(asked)
    shared.generate([dataclasses.replace(asked[0], images=(picture(50), picture(51)))])
    shared.forget()
    assert shared.generate(asked) == first


def test_kept_trunks_serve_later_steps_and_a_small_cache_only_costs_tokens(policy_folder):
    asked = requests(0.0)
    large = TransformersEngine.from_pretrained(policy_folder, batch_size=4)
    first = large.generate(asked)
    before = large.counters.prefill_tokens
    same(large.generate(asked), first)
    # Trunks, questions and findings are all known: the last token of each prompt is read for its logits.
    assert large.counters.prefill_tokens - before == len(asked)
    assert large.counters.vision_encodes == 8
    small = TransformersEngine(large.policy, batch_size=4, abilities=large.abilities, cache_bytes=1)
    same(small.generate(asked), first)
    assert small.counters.prefill_tokens > before


def test_samples_of_one_prompt_and_longer_chains_are_read_from_where_they_differ(shared, plain):
    whole, crop = picture(0), picture(100, (20, 30))
    chains = [(), ("The local image shows an effusion.",), ("The local image shows an effusion.", "No nodule.")]
    lengths = []
    for step, findings in enumerate(chains):
        messages = tuple(finding_messages("Is there a nodule?", findings))
        asked = [GenerateRequest(messages, (whole, crop), 10 * step + seed, 0.9, 1.0, 6) for seed in range(3)]
        before = shared.counters.prefill_tokens
        same(shared.generate(asked), plain.generate(asked))
        lengths.append(shared.counters.prefill_tokens - before)
    texts = [render(shared.policy, finding_messages("Is there a nodule?", findings), 2) for findings in chains]
    ids = [shared.policy.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    new = [len(later) - _common(earlier, later) for earlier, later in zip(ids, ids[1:], strict=False)]
    assert lengths == [len(ids[0]) + 2 * 15, *new]  # 2 images of 16 tokens stand as one each in the text
    assert shared.counters.unshared_prefill_tokens == plain.counters.prefill_tokens
    assert shared.counters.saved_prefill_tokens == plain.counters.prefill_tokens - sum(lengths)
    assert plain.counters.saved_prefill_tokens == 0


def _common(a: list[int], b: list[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def test_log_probabilities_equal_teacher_forcing_on_the_re_tokenised_text(policy_folder, shared):
    model = AutoModelForImageTextToText.from_pretrained(policy_folder).eval()
    processor = AutoProcessor.from_pretrained(policy_folder, backend="pil")
    stop = processor.tokenizer.eos_token_id
    model.lm_head.weight.data[stop] *= 20  # so that some texts end by themselves
    shared.policy.model.lm_head.weight.data[stop] *= 20
    asked = requests(1.0, tokens=12)
    written = shared.generate(asked)
    compared = Counter[str]()
    assert {c.finish for c in written} == {"stop", "length"}
    for request, completion in zip(asked, written, strict=True):
        text = processor.apply_chat_template(list(request.messages), add_generation_prompt=True, tokenize=False)
        inputs = processor(images=list(request.images), text=text, add_special_tokens=False, return_tensors="pt")
        ids = processor.tokenizer(completion.text, add_special_tokens=False)["input_ids"]
        ids += [stop] if completion.finish == "stop" else []
        if len(ids) != completion.tokens:
            continue  # random bytes need not survive decoding
        prompt = inputs["input_ids"]
        inputs["input_ids"] = torch.cat([prompt, torch.tensor([ids])], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        logps = model(**inputs).logits.float().log_softmax(-1)[0, prompt.shape[1] - 1 : -1]
        forced = float(logps.gather(1, torch.tensor(ids)[:, None]).sum().detach())
        assert completion.logp == pytest.approx(forced, abs=1e-4)
        compared[completion.finish] += 1
    assert compared["stop"] >= 1
    assert compared["length"] >= 1


def test_seeds_differ_and_repeat(shared):
    base = requests(1.0)[0]
    texts = [c.text for c in shared.generate([dataclasses.replace(base, seed=seed) for seed in (1, 2, 3, 1)])]
    assert len(set(texts)) == 3
    assert texts[0] == texts[3]


def test_no_special_token_is_written_even_when_the_model_prefers_it(shared):
    tokenizer, head = shared.policy.tokenizer, shared.policy.model.lm_head.weight.data
    asked = requests(0.0)[:2] + requests(2.0)[:2]
    direction = head[tokenizer.convert_tokens_to_ids("Yes")].clone()
    # Opposite rows: wherever the hidden state points, one of the two outweighs every word.
    head[tokenizer.convert_tokens_to_ids("<image>")] = 5000 * direction
    head[tokenizer.convert_tokens_to_ids("<|user|>")] = -5000 * direction
    for completion in shared.generate(asked):
        ids = tokenizer(completion.text, add_special_tokens=False)["input_ids"]
        assert not set(ids) & set(shared.policy.suppressed)
        assert completion.text
        assert completion.logp < -20  # the raw probability of what was written is small, and says so


def test_an_adapter_changes_what_is_written(policy_folder: Path, adapter_folder: Path, shared):
    asked = requests(0.0)
    adapted = TransformersEngine.from_pretrained(policy_folder, adapter_folder, batch_size=4)
    plain = TransformersEngine.from_pretrained(policy_folder, adapter_folder, batch_size=4, share=False)
    written = adapted.generate(asked)
    assert [c.text for c in written] != [c.text for c in shared.generate(asked)]
    same(written, plain.generate(asked))


def test_choices_are_weighed_alike_by_both_paths_and_alone(shared, plain):
    choices = ("Yes", "No", "7", " 7")
    asked = [ChoiceRequest(r.messages, r.images, choices) for r in requests(0.0)]
    a, b = shared.score_choices(asked), plain.score_choices(asked)
    alone = [shared.score_choices([request])[0] for request in asked]
    for left, right, single in zip(a, b, alone, strict=True):
        assert left.logps == pytest.approx(right.logps, abs=1e-4)
        assert left.logps == pytest.approx(single.logps, abs=1e-4)
        distinct = torch.tensor(sorted(set(left.logps))).exp().sum()
        assert left.mass == pytest.approx(float(distinct), abs=1e-6)


def test_a_choice_of_several_tokens_is_refused(shared):
    request = requests(0.0)[0]
    with pytest.raises(ModelError, match="not a single token"):
        shared.score_choices([ChoiceRequest(request.messages, request.images, ("pneumothorax",))])


def test_a_full_memory_halves_the_batch_and_says_so(policy_folder, caplog):
    engine = TransformersEngine.from_pretrained(policy_folder, batch_size=8)
    expected = TransformersEngine.from_pretrained(policy_folder, batch_size=8).generate(requests(0.7))

    def at_most_three(module, args, kwargs):
        if len(kwargs["input_ids"]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    engine.policy.model.register_forward_pre_hook(at_most_three, with_kwargs=True)
    same(engine.generate(requests(0.7)), expected)
    assert engine.counters.memory_splits > 1
    assert engine.counters.generated_texts == 14
    said = [record.getMessage() for record in caplog.records if record.name == "clincot.lm"]
    assert said == [
        "engine: memory does not hold a batch of 8. It goes on with less; a lower batch_size saves the attempts."
    ]


def test_what_is_kept_for_reuse_goes_before_a_request_is_given_up(policy_folder, shared):
    engine = TransformersEngine.from_pretrained(policy_folder, batch_size=1)
    asked = requests(0.7)
    engine.generate(asked[:1])
    enough = engine._prefixes.kept.currsize
    engine.generate(asked[2:5])
    assert engine._prefixes.kept.currsize > enough

    def with_little_kept(module, args, kwargs):
        if engine._prefixes.kept.currsize > enough:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    engine.policy.model.register_forward_pre_hook(with_little_kept, with_kwargs=True)
    same(engine.generate(asked[:1]), shared.generate(asked[:1]))
    assert engine.counters.memory_splits == 1


def test_a_request_that_never_fits_into_memory_is_an_error(shared):
    def never(module, args, kwargs):
        raise RuntimeError("CUDA error: out of memory")

    shared.policy.model.register_forward_pre_hook(never, with_kwargs=True)
    with pytest.raises(ModelError, match="batch of one"):
        shared.generate(requests(0.0)[:2])


@pytest.mark.parametrize("share", [True, False])
def test_a_prompt_beyond_the_context_fails_alone(policy_folder, share):
    engine = TransformersEngine.from_pretrained(policy_folder, batch_size=4, share=share)
    request = GenerateRequest(tuple(direct_messages("lung " * 2000)), (picture(0),), 0, 0.0, 1.0, 500)
    *written, odd = engine.generate([*requests(0.0), request])
    assert (odd.text, odd.finish, odd.failure) == ("", "failed", "too long for the policy")
    engine.forget()
    assert [c.text for c in written] == [c.text for c in engine.generate(requests(0.0))]
    weighed = ChoiceRequest(tuple(direct_messages("lung " * 3000)), (picture(0),), ("Yes", "No"))
    scores = engine.score_choices([weighed, dataclasses.replace(weighed, messages=tuple(direct_messages("lung")))])
    assert [bool(s.failure) for s in scores] == [True, False] and len(scores[1].logps) == 2


def test_a_text_only_model_is_refused(judge_folder):
    with pytest.raises(ModelError, match="not a vision-language model"):
        TransformersEngine.from_pretrained(judge_folder, batch_size=4)


ONLY_FIRST = "{% if b['type'] == 'image' and loop.first %}"
REFUSING = "{% if b['type'] == 'image' and not loop.first %}{{ raise_exception('Only one image is supported') }}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("{% if b['type'] == 'image' %}", ONLY_FIRST), "its chat template writes 1 image tokens for 2"),
        (("{% if b['type'] == 'image' %}", REFUSING + "{% elif b['type'] == 'image' %}"), "Only one image is support"),
    ],
)
def test_a_policy_that_cannot_take_two_images_is_refused_at_load(policy_folder, tmp_path, change, reason):
    shutil.copytree(policy_folder, tmp_path, dirs_exist_ok=True)
    template = tmp_path / "chat_template.jinja"
    assert change[0] in template.read_text()
    template.write_text(template.read_text().replace(*change))
    with pytest.raises(ModelError, match=f"does not take 2 images in a prompt .*{reason}.*image_layout=canvas"):
        TransformersEngine.from_pretrained(tmp_path, batch_size=4)
    if reason.startswith("its"):  # as many as an example of a run has
        with pytest.raises(ModelError, match="does not take 3 images in a prompt .*writes 1 image tokens for 3"):
            TransformersEngine.from_pretrained(tmp_path, batch_size=4, images=3)
    single = TransformersEngine.from_pretrained(tmp_path, batch_size=4, images=1)
    request = requests(0.0)[6]
    assert len(request.images) == 1
    assert single.generate([request])[0].tokens == 5


def test_a_base_with_missing_weights_is_refused(policy_folder, tmp_path):
    model = AutoModelForImageTextToText.from_pretrained(policy_folder)
    weights = {k: v for k, v in model.state_dict().items() if "linear_1" not in k}
    model.save_pretrained(tmp_path, state_dict=weights)
    with pytest.raises(ModelError, match="lacks .*linear_1"):
        TransformersEngine.from_pretrained(tmp_path, batch_size=4)


def test_an_adapter_folder_without_an_adapter_is_refused(policy_folder, judge_folder):
    with pytest.raises(ModelError, match="adapter .*adapter_model.safetensors cannot be read"):
        TransformersEngine.from_pretrained(policy_folder, judge_folder, batch_size=4)


def test_an_adapter_that_lacks_weights_is_refused(policy_folder, adapter_folder, tmp_path):
    weights = load_file(adapter_folder / "adapter_model.safetensors")
    weights.pop(next(iter(weights)))
    save_file(weights, tmp_path / "adapter_model.safetensors")
    shutil.copy(adapter_folder / "adapter_config.json", tmp_path)
    with pytest.raises(ModelError, match="missing adapter keys"):
        TransformersEngine.from_pretrained(policy_folder, tmp_path, batch_size=4)


def test_the_table_loads_by_name_and_suggests_near_misses(policy_folder):
    assert isinstance(engines.load("", policy_folder, batch_size=2), TransformersEngine)
    with pytest.raises(ClincotError, match="Did you mean 'transformers'"):
        engines.load("transformer", policy_folder, batch_size=2)


def test_nothing_asked_is_nothing_answered(shared):
    assert shared.generate([]) == []
    assert shared.score_choices([]) == []
