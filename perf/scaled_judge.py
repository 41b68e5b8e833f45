"""A geometry in tokens -> a Llama with random weights that replies with digits, and the requests of a chain."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from clincot.chain.prompts import judge_messages
from clincot.judges.base import JudgeRequest

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<|user|>"]
WORDS = [f"w{i}" for i in range(1000)]


@dataclass(frozen=True)
class Geometry:
    """Tokens of [rubric, question and reference], of a statement and of what the template puts behind it."""

    shared: int = 330
    statement: int = 100
    tail: int = 15

    def divided(self, by: int) -> Geometry:
        """Return the same proportions with fewer tokens: attention, 2 % of an 8B's work, grows with their square."""
        return Geometry(self.shared // by, self.statement // by, self.tail // by)


@dataclass(frozen=True)
class Chain:
    """How much is judged: `candidates` per step, `steps`, `samples` of look-ahead behind all steps but the last."""

    questions: int = 2
    candidates: int = 5
    steps: int = 4
    samples: int = 3


def scaled_judge(folder: Path, geometry: Geometry, width: int, layers: int, seed: int = 0) -> Path:
    """Save model and tokenizer to `folder`; every word is a token, and digits hold most of the reply's probability."""
    torch.manual_seed(seed)
    words = " ".join(m["content"] for m in judge_messages("", "", (), "")).split()
    vocabulary = list(dict.fromkeys([*SPECIAL, *map(str, range(10)), *words, *WORDS]))
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tail = " ".join(WORDS[: geometry.tail])
    template = "{{ '<s> ' }}{% for m in messages %}{{ m['content'] + ' ' }}{% endfor %}{{ '" + tail + "' }}"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>", chat_template=template
    )
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            # Half as wide as the model: attention is 2 % of an 8B's work at these lengths, a third of a small one's.
            num_attention_heads=max(1, width // 64),
            num_key_value_heads=1,
            head_dim=32,
            max_position_embeddings=4096,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    # Hidden states of random weights say little of words: digits get logits of a spread of 2, all others none.
    head = torch.zeros_like(model.lm_head.weight)
    head[tokenizer.convert_tokens_to_ids(list("0123456789"))] = torch.randn(10, width) * 2 / width**0.5
    model.lm_head.weight.data = head
    model.model.norm.weight.data *= 3
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def calls(geometry: Geometry, chain: Chain, seed: int = 0) -> list[list[JudgeRequest]]:
    """Return the requests of each step of the chain, over all questions, as a build asks them at once."""
    words = random.Random(seed)
    bare = len(" ".join(m["content"] for m in judge_messages("", "", (), "")).split()) + 1
    asked: list[list[JudgeRequest]] = [[] for _ in range(chain.steps)]
    for _ in range(chain.questions):
        question = _text(words, 10)
        reference = _text(words, geometry.shared - bare - 10)
        findings: tuple[str, ...] = ()
        for step, requests in enumerate(asked, 1):
            offered = [_text(words, geometry.statement) for _ in range(chain.candidates)]
            requests += [JudgeRequest(question, reference, findings, own) for own in offered]
            if step < chain.steps:
                requests += _ahead(words, geometry, chain, requests[-chain.candidates :])
            findings = (*findings, offered[0])
    return asked


def _ahead(
    words: random.Random, geometry: Geometry, chain: Chain, offered: Sequence[JudgeRequest]
) -> list[JudgeRequest]:
    return [
        JudgeRequest(r.question, r.reference, (*r.findings, r.statement), _text(words, geometry.statement))
        for r in offered
        for _ in range(chain.samples)
    ]


def _text(words: random.Random, tokens: int) -> str:
    return " ".join(words.choices(WORDS, k=tokens))
