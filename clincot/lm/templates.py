"""A processor with its chat template -> the template that writes BOS as the model's own reading has it, checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from clincot.errors import ModelError
from clincot.progress import notice
from clincot.records.lineage import shown

ANSWER = "assistant answer"


def write_bos(processor: Any, base: str | Path) -> None:
    """Make the chat template begin with BOS where the model's own processor adds one and the template has none.

    clincot tokenises rendered text without special tokens, in engine and trainer; transformers' `apply_chat_template`
    adds the tokenizer's to a text that does not begin with BOS (templates of the llava-1.5-hf shape).
    """
    tokenizer, template = processor.tokenizer, getattr(processor, "chat_template", None)
    if tokenizer.bos_token is None or not isinstance(template, str):
        return
    if tokenizer("?")["input_ids"][:1] != [tokenizer.bos_token_id]:
        return
    text = _rendered(processor, [_turn("user", "?", image=True)], add_generation_prompt=True)
    if text.startswith(tokenizer.bos_token) or tokenizer.bos_token_id in _ids(processor, text):
        return
    processor.chat_template = "{{ bos_token }}" + template
    tokenizer.chat_template = processor.chat_template
    notice(
        f"{shown(base)}: its chat template has no {tokenizer.bos_token}, its tokenizer adds one: prompts begin with it"
    )


def refuse_residue(processor: Any, ends: Sequence[str], base: str | Path) -> None:
    r"""Raise ModelError for a template that writes text between an answer and its end token.

    bakLlava's published template has a literal `<\s>` there, which would be trained as a part of every answer.
    """
    if not isinstance(getattr(processor, "chat_template", None), str):
        return
    turns = [_turn("user", "?"), _turn("assistant", ANSWER)]
    rest = _rendered(processor, turns).rpartition(ANSWER)[2]
    found = [at for end in ends if (at := rest.find(end)) >= 0]
    residue = rest[: min(found)] if found else rest
    if residue.strip():
        raise ModelError(
            f"policy {shown(base)}: its chat template writes {residue.strip()!r} between an answer and the end token"
            f" {ends[0] if ends else ''}, which would be trained as a part of every answer. Remove it from the template"
            " in a copy of the model."
        )


def _ids(processor: Any, text: str) -> list[int]:
    # By the processor: some write BOS themselves, between image tokens and text.
    image = Image.new("RGB", (64, 64))
    read = processor(images=[[image]], text=[text], add_special_tokens=False)
    return list(read["input_ids"][0])


def _turn(role: str, text: str, *, image: bool = False) -> dict[str, Any]:
    block = {"type": "text", "text": text}
    return {"role": role, "content": [{"type": "image"}, block] if image else [block]}


def _rendered(processor: Any, turns: list[dict[str, Any]], **options: Any) -> str:
    text: str = processor.apply_chat_template(turns, tokenize=False, **options)
    return text
