"""Generated rows of version 2 with digits -> two tiny judges in two folders, with held-out figures on their cards.

Network, packing and training are those of version 1's judges.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from clincot.phantom.judges.heads import padded_heads
from clincot.phantom.judges.pretrain import new_judge, packs_of, train_judge
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.judges.figures import judge_card, judge_gates
from clincot.phantom.v2.judges.plan import JUDGE_A, JUDGE_B, BiasedPlan
from clincot.phantom.v2.judges.rows import judge_rows
from clincot.phantom.v2.stored import store_half

Report = Callable[[str], None]


def pretrain_judges(
    folder_a: Path,
    folder_b: Path,
    seed: int = 0,
    report: Report = print,
    plans: tuple[BiasedPlan, BiasedPlan] = (JUDGE_A, JUDGE_B),
) -> list[Gate]:
    """Train both judges, write weights and cards, and return their held-out figures."""
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    folders = (folder_a, folder_b)
    for plan, folder in zip(plans, folders, strict=True):
        pretrain_judge(plan, folder, seed, report)
    gates = judge_gates(plans, folders, seed, plans[0].held_out)
    for plan, folder in zip(plans, folders, strict=True):
        (folder / "README.md").write_text(judge_card(plan, seed, gates), encoding="utf-8")
    return gates


def pretrain_judge(plan: BiasedPlan, folder: Path, seed: int, report: Report) -> None:
    """Train one judge from scratch and save weights, with heads that servers take, and tokenizer to `folder`."""
    rows = judge_rows(seed, "judge", plan.first, plan.phantoms, plan.seed, plan.traits)
    model, tokenizer = new_judge(plan, rows)
    packs = packs_of(tokenizer, rows)
    report(f"{plan.name}: {len(rows)} rows in {len(packs)} packs, {model.num_parameters()} parameters")
    train_judge(model, packs, plan, report)
    padded_heads(model).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    store_half(folder)
