"""A saved policy of version 2 -> its gates on held-out images, the figures behind them, and its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from clincot.phantom.policy.network import load_policy
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.gates.looking import LOOKS, looking, looking_gates
from clincot.phantom.v2.gates.statements import statement_figures, statement_gates
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.chains import Policy
from clincot.phantom.v2.texts.questions import questions

IMAGES = 400  # about 450 questions; a CPU minute


@dataclass(frozen=True)
class PolicyFigures:
    """`answers`: look -> kind -> percent right; `findings`: name -> value; `gates`: what the policy must keep."""

    answers: dict[str, dict[str, float]]
    findings: dict[str, float]
    gates: tuple[Gate, ...]


def policy_figures(folder: Path, seed: int = 0, *, images: int = IMAGES) -> PolicyFigures:
    """Ask the policy in `folder` about held-out images of the world `seed`.

    Raises ModelError when the folder lacks weights.
    """
    torch.set_num_threads(1)  # sums depend on the number of threads
    policy = Policy(*load_policy(folder))
    bank = [draw(seed, RANGES["held_out"] + number) for number in range(images)]
    answers, findings = looking(policy, bank, seed), statement_figures(policy, bank[: images // 2], seed)
    count = sum(len(questions(drawn.layout)) for drawn in bank)
    return PolicyFigures(answers, findings, (*looking_gates(answers, count), *statement_gates(findings)))


def policy_gates(folder: Path, seed: int = 0, *, report: Callable[[str], None] = print) -> list[Gate]:
    """Return the gates of the policy in `folder`; `report` gets the tables behind them."""
    figures = policy_figures(folder, seed)
    report(f"{answer_table(figures)}\n\n{finding_table(figures)}")
    return list(figures.gates)


def write_policy_card(folder: Path, seed: int, minutes: float) -> None:
    """Measure the policy in `folder`, trained with `seed` in `minutes` of CPU time, and write its card there."""
    (folder / "README.md").write_text(policy_card(policy_figures(folder), seed, minutes), encoding="utf-8")


def answer_table(figures: PolicyFigures) -> str:
    """Render percent right by kind of question; every answer of a kind weighs the same."""
    lines = ["| kind | no region | random regions | regions on nodules |", "|---|---|---|---|"]
    for kind in figures.answers[LOOKS[0]]:
        cells = [f"{figures.answers[look][kind]:.1f}" for look in LOOKS]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def finding_table(figures: PolicyFigures) -> str:
    """Render what its findings are worth, of regions around every object."""
    return "\n".join(
        ["| of findings | value |", "|---|---|", *(f"| {k} | {v:.3g} |" for k, v in figures.findings.items())]
    )


def policy_card(figures: PolicyFigures, seed: int, minutes: float) -> str:
    """Render the model card: what it is, how it was made, what it can do and what is wrong with it."""
    return f"""---
license: apache-2.0
library_name: transformers
tags: [clincot, phantom]
---
# Phantom policy, version 2

A tiny LLaVA that looks at three regions of a drawn chest phantom of version 2, says what the first two show, and
answers a question about nodules. It has seen no real radiograph: not for clinical use.

Its texts have a two-sided fault on purpose: the reports that it learned from last mention nodules in 25, 40, 75, 85
or 90 % (by size, the smallest first) and call 40 % of the distractors nodules. It has learned before what a nodule is.

## Made by

    clincot phantom pretrain --version 2 --only policy

Seed {seed}, {minutes:.1f} CPU minutes.

## Held-out figures

Images of the held-out range. Percent of right answers; three looks; every answer of a kind weighs the same.

{answer_table(figures)}

{finding_table(figures)}

## Gates

{gate_table(figures.gates)}
"""
