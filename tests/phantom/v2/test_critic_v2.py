"""The critic of version 2: what it is trained on, the packed prompt that a judge reads alone, and a short training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import clincot
from clincot.chain.prompts import judge_messages
from clincot.phantom.policy.network import new_policy
from clincot.phantom.policy.packing import collate
from clincot.phantom.policy.views import pixel_values, view
from clincot.phantom.v2.critic.figures import critic_gates
from clincot.phantom.v2.critic.packing import pack_group
from clincot.phantom.v2.critic.pretrain import CriticPlan, pretrain_critic
from clincot.phantom.v2.critic.rows import Group, answer_group, finding_group
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.texts.statements import level, read, shown, statement_of
from clincot.phantom.v2.texts.tokenizer import train_tokenizer
from clincot.phantom.v2.texts.variants import CHOICES

MODELS = Path(clincot.__file__).parent / "phantom" / "models" / "v2"
PAIR = Group("Is there a nodule?", (), ("The local image shows no nodule.", "This region shows no nodule."), (1.0, 0.2))


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return new_policy(train_tokenizer())


def test_statements_are_rated_by_their_right_parts_and_answers_by_the_truth():
    rng = np.random.default_rng(0)
    found = set()
    for index in range(40):
        layout = objects(0, index)
        (crop,) = chain_of(layout, 1, rng)
        group, true = finding_group(layout, crop, rng), statement_of(shown(layout.lesions, crop))
        assert group.levels == tuple(level(read(text), true) / 5 for text in group.texts)
        found |= set(group.levels)
        answers = answer_group(layout, crop, rng)
        if answers:
            assert answers.levels.count(1.0) == 1 and len(set(answers.texts)) == len(answers.texts)
            assert any(set(answers.texts) <= set(words) for words in CHOICES.values())
    assert len(found) >= 5


def test_a_packed_text_is_read_as_if_it_were_alone(untrained):
    model, processor = untrained
    drawn = draw(0, 0)
    pixels = pixel_values([view(drawn), view(drawn, chain_of(drawn.layout, 1, np.random.default_rng(0))[0])])
    batch = collate([pack_group(processor, PAIR)], processor.tokenizer.pad_token_id)
    inputs = {"input_ids": batch.ids, "attention_mask": batch.mask, "position_ids": batch.positions}
    with torch.inference_mode():
        packed = model(**inputs, pixel_values=pixels).logits[batch.weights > 0]
        for number, text in enumerate(PAIR.texts):
            turns = judge_messages(PAIR.question, None, (), text)
            words = "\n\n".join(turn["content"] for turn in turns)
            blocks = [{"type": "image"}, {"type": "image"}, {"type": "text", "text": words}]
            prompt = processor.apply_chat_template([{"role": "user", "content": blocks}], add_generation_prompt=True)
            ids = torch.tensor([processor.tokenizer.encode(prompt.replace("<image>", "<image>" * 36))])
            alone = model(input_ids=ids, pixel_values=pixels).logits[0, -1]
            assert torch.allclose(packed[number], alone, atol=1e-3)
    digits = processor.tokenizer.convert_ids_to_tokens(batch.targets[batch.weights > 0].tolist())
    assert digits == ["9", "2"]


def test_training_writes_a_critic_and_its_card(tmp_path):
    plan = CriticPlan(images=3, vision_steps=1, steps=2, batch=2, held_out=2)
    gates = pretrain_critic(tmp_path / "critic", seed=1, report=lambda line: None, plan=plan)
    assert [gate.name for gate in gates] == [
        "findings of a crop: within-group AUC",
        "answers with a crop: within-group AUC",
    ]
    assert gates[0].name in (tmp_path / "critic" / "README.md").read_text(encoding="utf-8")


def test_the_shipped_critic_orders_statements_about_a_crop():
    findings, _ = critic_gates(MODELS / "critic", 77, 12)
    assert findings.value > 0.65 and findings.count > 60
