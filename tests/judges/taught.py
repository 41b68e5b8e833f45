"""A kind of tokenizer -> a tiny causal LM that was taught to reply 8 to one statement and 1 to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

from clincot.chain.prompts import Rubric
from clincot.judges._reading import render
from clincot.judges.base import JudgeRequest
from clincot.judges.scoring import mode_of

RUBRIC = Rubric("", "Reply with one digit from 0 to 9.", "Reply yes or no.")
MARKS = ["<s>", "</s>"]
HEADERS = ["<|start|>", "<|end|>"]
# Mistral's: no system turn, and no mark but letters before the reply.
INST = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('No system turn.') }}"
    "{% endif %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% endfor %}"
)
HEADED = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start|>' + m['role'] + GAP + m['content'] + '<|end|>' }}{% endfor %}"
    "{{ '<|start|>assistant' + GAP }}"
)


def pieces_tokenizer(*, metaspace: bool, marks: list[str] | None = None) -> PreTrainedTokenizerFast:
    """Sentencepiece's way in either of the forms that tokenizer.json has of it: a space piece before every text."""
    letters = sorted({chr(i) for i in range(33, 127)})
    vocabulary = ["<unk>", *MARKS, *(f"<0x{i:02X}>" for i in range(256)), "▁", *letters]
    # As in Mistral's vocabulary " Yes" is one piece; " yes" is a space piece and the word.
    merges = [("y", "e"), ("ye", "s"), ("Y", "e"), ("Ye", "s"), ("n", "o"), ("N", "o"), ("▁", "Yes"), ("▁", "No")]
    vocabulary += ["".join(pair) for pair in merges]
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False) for mark in [*MARKS, *(marks or [])]])
    return _fast(tokenizer, INST)


def bytes_tokenizer(numbers: str, gap: str) -> PreTrainedTokenizerFast:
    """Byte-level BPE as Llama 3 (up to three digits in one token) and Qwen (one) have it, with their headers."""
    ids = {piece: i for i, piece in enumerate([*MARKS, *HEADERS, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    merges = [("y", "e"), ("ye", "s"), ("Y", "e"), ("Ye", "s"), ("n", "o"), ("N", "o"), ("1", "0")]
    for pair in merges:
        ids["".join(pair)] = len(ids)
    tokenizer = Tokenizer(models.BPE(ids, merges))
    split = Regex(rf"[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{numbers}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(split, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False) for mark in [*MARKS, *HEADERS]])
    return _fast(tokenizer, HEADED.replace("GAP", repr(gap)))


def _fast(tokenizer: Tokenizer, template: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>", chat_template=template
    )


def request(statement: str) -> JudgeRequest:
    """A short prompt, whether it asks for a digit or for yes or no, so that a tiny model learns it in seconds."""
    return JudgeRequest("Nodule?", "Yes", (), statement, rubric=RUBRIC)


def taught(
    folder: Path, tokenizer: Any, replies: dict[str, list[int]], scoring: str = "expected", rate: float = 0.01
) -> Path:
    """Save a Mistral of two layers that replies to each statement with the tokens given, then ends."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = MistralConfig(vocab_size=len(tokenizer), num_key_value_heads=2, sliding_window=None, **sizes, **ends)
    model = MistralForCausalLM(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    rows = []
    for statement, ids in replies.items():
        text = render(tokenizer, mode_of(scoring).messages(request(statement)))
        rows.append((tokenizer(text, add_special_tokens=False)["input_ids"], [*ids, tokenizer.eos_token_id]))
    for _ in range(200):
        losses = []
        for prompt, reply in rows:
            logits = model(torch.tensor([prompt + reply[:-1]]), logits_to_keep=len(reply)).logits[0]
            losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(reply)))
        loss = torch.stack(losses).mean()
        if loss.item() < 0.01:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
