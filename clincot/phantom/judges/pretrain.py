"""Generated rows with digits -> two tiny causal-LM judges in two folders, with their held-out figures on their cards.

The judges differ in seed, size, tokenizer, phantoms and label noise, so that they sometimes disagree.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from clincot.phantom.judges.figures import agreement, judge_card, judge_figures
from clincot.phantom.judges.heads import padded_heads
from clincot.phantom.judges.packs import Pack, pack, packed_losses
from clincot.phantom.judges.plan import JudgePlan
from clincot.phantom.judges.rows import JudgeRow, judge_rows, with_noise
from clincot.phantom.texts.tokenizer import train_tokenizer

Report = Callable[[str], None]
POOL = 20  # batches whose packs are sorted by length together


JUDGE_A = JudgePlan("judge-a", 1, 0, 2600, width=80, layers=3, inner=224)
JUDGE_B = JudgePlan("judge-b", 2, 100_000, 2000, width=72, layers=3, inner=208, shift=0.3, flip=0.02)


def judge_prompt(tokenizer: PreTrainedTokenizerFast, row: JudgeRow) -> str:
    """The text a judge reads, up to where its digit comes."""
    return str(tokenizer.apply_chat_template(row.messages, tokenize=False, add_generation_prompt=True))


def packs_of(tokenizer: PreTrainedTokenizerFast, rows: Iterable[JudgeRow]) -> list[Pack]:
    """Token ids of the rows (prompt, digit, end token), those of a context packed together."""
    found = []
    for _, group in groupby(rows, key=lambda row: row.context):
        texts = [judge_prompt(tokenizer, row) + str(row.digit) + str(tokenizer.eos_token) for row in group]
        found.append(pack(tokenizer(texts, add_special_tokens=False)["input_ids"]))
    return found


def new_judge(plan: JudgePlan, rows: Sequence[JudgeRow]) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """An untrained judge with a tokenizer trained on the words of its rows."""
    torch.manual_seed(plan.seed)
    turns = (turn["content"] for row in rows[:4000] for turn in row.messages)
    tokenizer = train_tokenizer(turns, plan.entries)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=plan.inner,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        # The default 0.02 leaves attention this narrow flat: loss 1.75 after 400 steps instead of 1.08 after 300.
        initializer_range=0.1,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config), tokenizer


def train_judge(model: LlamaForCausalLM, packs: Sequence[Pack], plan: JudgePlan, report: Report) -> None:
    """AdamW with warm-up and cosine decay, in place; the text's share of the loss vanishes half-way."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=0.05, betas=(0.9, 0.98))
    steps = plan.epochs * math.ceil(len(packs) / plan.batch)
    started = time.monotonic()
    model.train()
    for step, batch in enumerate(_batches(packs, plan)):
        done = step / steps
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done))
        reply, text = packed_losses(model, batch)
        optimizer.zero_grad()
        (reply + plan.text_weight * max(0.0, 1 - 2 * done) * text).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0 or step + 1 == steps:
            report(f"{plan.name}: step {step}/{steps}, loss {reply.item():.3f}, {time.monotonic() - started:.0f} s")
    model.eval()


def _batches(packs: Sequence[Pack], plan: JudgePlan) -> Iterator[list[Pack]]:
    """Packs of like length together, batches in random order."""
    generator = np.random.default_rng(plan.seed)
    for _ in range(plan.epochs):
        order = generator.permutation(len(packs))
        size = POOL * plan.batch
        for start in range(0, len(order), size):
            by_length = sorted(order[start : start + size], key=lambda place: len(packs[place].tokens))
            groups = [by_length[i : i + plan.batch] for i in range(0, len(by_length), plan.batch)]
            for place in generator.permutation(len(groups)):
                yield [packs[i] for i in groups[place]]


def pretrain_judge(plan: JudgePlan, folder: Path, seed: int, report: Report) -> None:
    """Train one judge from scratch and save weights, with heads that servers take, and tokenizer to `folder`."""
    report(f"{plan.name}: drawing {plan.phantoms} phantoms")
    clean = judge_rows(seed, "judge", plan.first, plan.phantoms, plan.seed, plan.per_context)
    rows = with_noise(clean, np.random.default_rng([seed, plan.seed]), shift=plan.shift, flip=plan.flip)
    model, tokenizer = new_judge(plan, rows)
    packs = packs_of(tokenizer, rows)
    report(f"{plan.name}: {len(rows)} rows in {len(packs)} packs, {model.num_parameters()} parameters")
    train_judge(model, packs, plan, report)
    padded_heads(model).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def pretrain_judges(
    folder_a: Path,
    folder_b: Path,
    seed: int = 0,
    report: Report = print,
    plans: tuple[JudgePlan, JudgePlan] | None = None,
) -> dict[str, Any]:
    """Train both judges, write weights and cards, return the held-out figures of each and their agreement."""
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    chosen = plans or (JUDGE_A, JUDGE_B)
    rows = judge_rows(seed, "held_out", 0, max(plan.held_out for plan in chosen), data_seed=0)
    figures: dict[str, Any] = {}
    values = []
    for plan, folder in zip(chosen, (folder_a, folder_b), strict=True):
        pretrain_judge(plan, Path(folder), seed, report)
        figures[plan.name], digits = judge_figures(Path(folder), rows)
        values.append(digits)
    figures["agreement"] = agreement(values[0], values[1], rows)
    for plan, folder in zip(chosen, (folder_a, folder_b), strict=True):
        card = judge_card(plan, seed, figures[plan.name], figures["agreement"])
        (Path(folder) / "README.md").write_text(card, encoding="utf-8")
        report(f"{plan.name}: {figures[plan.name]}")
    report(f"agreement: {figures['agreement']}")
    return figures
