"""A saved policy of version 2 -> its gates on held-out images, and the figures behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from clincot.phantom.policy.network import load_policy
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.gates.looking import looking, looking_gates
from clincot.phantom.v2.gates.statements import statement_figures, statement_gates
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.chains import Policy
from clincot.phantom.v2.texts.questions import questions

IMAGES = 400  # about 450 questions; four CPU minutes


def policy_gates(
    folder: Path, seed: int = 0, *, images: int = IMAGES, report: Callable[[str], None] = print
) -> list[Gate]:
    """Ask the policy in `folder` about held-out images of the world `seed`; `report` gets the figures as lines.

    Raises ModelError when the folder lacks weights.
    """
    torch.set_num_threads(1)  # sums depend on the number of threads
    policy = Policy(*load_policy(folder))
    bank = [draw(seed, RANGES["held_out"] + number) for number in range(images)]
    table = looking(policy, bank, seed)
    for look, kinds in table.items():
        report(f"answers, {look}: " + ", ".join(f"{kind} {value:.1f}" for kind, value in kinds.items()))
    figures = statement_figures(policy, bank[: images // 3], seed)
    report("findings: " + ", ".join(f"{name} {value:.3g}" for name, value in figures.items()))
    count = sum(len(questions(drawn.layout)) for drawn in bank)
    return [*looking_gates(table, count), *statement_gates(figures)]
