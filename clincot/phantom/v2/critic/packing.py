"""Texts about one crop -> one packed sequence in which they share images, rubric and question, each with its rating.

The prompt is that of a judge that sees (`clincot.judges.vlm`). Its rubric and question are four fifths of it, so they
are computed once for all texts of a group.
"""

from __future__ import annotations

import os.path

from transformers import LlavaProcessor

from clincot.chain.prompts import judge_messages
from clincot.phantom.policy.network import TOKENS
from clincot.phantom.policy.packing import CROP, TRUNK, Packed, append
from clincot.phantom.texts.tokenizer import BOS, IMAGE, ROLES
from clincot.phantom.v2.critic.rows import Group

TOP = 9


def pack_group(processor: LlavaProcessor, group: Group) -> Packed:
    """Lay out [global image][crop][shared text][statement, digit][statement, digit]...; only digits are scored."""
    head = BOS + ROLES[1]
    prompts = [_prompt(processor, group, text).removeprefix(head + IMAGE * 2) for text in group.texts]
    shared = os.path.commonprefix(prompts)
    shared = shared[: shared.rindex("Statement:")]
    tokenizer = processor.tokenizer

    def ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False))

    whole = Packed([], [], [], [], [], [])
    trunk = [*ids(head), *[tokenizer.image_token_id] * TOKENS]
    append(whole, trunk, TRUNK, False, 0, 0)
    append(whole, [tokenizer.image_token_id] * TOKENS, CROP, True, len(trunk), 0)
    append(whole, ids(shared), CROP, True, len(trunk) + TOKENS, 0)
    start = len(whole.ids)
    for number, (prompt, level) in enumerate(zip(prompts, group.levels, strict=True)):
        digit = ids(str(round(TOP * level)))
        append(whole, [*ids(prompt[len(shared) :]), *digit], CROP + 1 + number, True, start, len(digit))
    return whole


def _prompt(processor: LlavaProcessor, group: Group, text: str) -> str:
    turns = judge_messages(group.question, None, group.findings, text, report=group.report)
    words = "\n\n".join(turn["content"] for turn in turns)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": words}]}]
    prompt: str = processor.apply_chat_template(messages, add_generation_prompt=True)
    return prompt
