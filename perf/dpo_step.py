"""One margin-DPO step as stock TRL and as clincot lay it out -> floating-point operations, CPU seconds, equality.

Operations are counted at the size of LLaVA-Med (Mistral-7B, CLIP-L/336) on the meta device, which holds no data. CPU
seconds and equality come from the real trainers on a model of the same shape at a quarter of its lengths and widths.
Run as `python perf/dpo_step.py`; `--quick` takes smaller widths and one repeat.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path

if __name__ == "__main__":  # a test that imports this file keeps its environment
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from perf.dpo_counting import SEVEN_B, Count, count_all, default_recipe
from perf.dpo_trainers import SCALED, SMALL, Timing, measure_all

# The most operations per pair that each layout may take of stock TRL at its defaults (with checkpointing).
TARGETS = {"shared, own crops": 0.42, "shared, same images": 0.30, "group of 5, 4 pairs, own crops": 0.25}
AT_EQUAL_CHECKPOINTING = 0.60
DEFAULT_RECIPE = 0.30  # over three epochs, its reference computed once
STOCK = "stock TRL"


def ratios(counts: dict[str, Count]) -> dict[str, float]:
    """Return each layout's operations per pair, without checkpointing, over those of stock TRL at its defaults."""
    return {name: count.plain / counts[STOCK].checkpointed for name, count in counts.items()}


def equal_checkpointing(counts: dict[str, Count]) -> float:
    """Return the larger share of stock that a pair with own crops takes, both with or both without checkpointing."""
    ours, stock = counts["shared, own crops"], counts[STOCK]
    return max(ours.checkpointed / stock.checkpointed, ours.plain / stock.plain)


def show(counts: dict[str, Count], timings: dict[str, Timing]) -> None:
    base = counts[STOCK].checkpointed
    print(
        "| layout | TF per pair, checkpointed | not checkpointed | of stock | at equal checkpointing, with / without |"
    )
    print("|---|---|---|---|---|")
    for name, count in counts.items():
        equal = f"{count.checkpointed / base:.3f} / {count.plain / counts[STOCK].plain:.3f}"
        print(f"| {name} | {count.checkpointed:.1f} | {count.plain:.1f} | {count.plain / base:.3f} | {equal} |")
    print()
    stock = timings[STOCK].seconds
    print("| layout | CPU s per pair (spread) | of stock | compared with | loss differs by | gradient, relative |")
    print("|---|---|---|---|---|---|")
    for name, timing in timings.items():
        print(
            f"| {name} | {timing.seconds:.2f} ({timing.spread:.0%}) | {timing.seconds / stock:.3f} |"
            f" {timing.against} | {timing.loss_error:.1e} | {timing.gradient_error:.1e} |"
        )


def verdict(counts: dict[str, Count], timings: dict[str, Timing]) -> list[str]:
    """Return what missed its target."""
    found, missed = ratios(counts), []
    for name, target in TARGETS.items():
        if found[name] > target:
            missed.append(f"{name}: {found[name]:.3f} of stock's operations, the target is {target}")
        seconds = timings[name].seconds / timings[STOCK].seconds
        if seconds > 1.15 * found[name]:
            missed.append(f"{name}: {seconds:.3f} of stock's CPU time, 15 % over {found[name]:.3f}")
    own = equal_checkpointing(counts)
    if own > AT_EQUAL_CHECKPOINTING:
        missed.append(f"own crops at equal checkpointing: {own:.3f}, the target is {AT_EQUAL_CHECKPOINTING}")
    wrong = [n for n, t in timings.items() if not (t.loss_error < 1e-5 and t.gradient_error < 1e-4)]
    return missed + [f"{name}: loss or gradient differ" for name in wrong]


def main() -> int:
    """Print both tables; exits 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller widths, one repeat")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", FutureWarning)
    counts = count_all(SEVEN_B)
    recipe, once = default_recipe(SEVEN_B, counts)
    share = recipe / counts[STOCK].checkpointed
    with tempfile.TemporaryDirectory() as folder:
        sizes = SMALL if given.quick else SCALED
        timings = measure_all(sizes, Path(folder), 1 if given.quick else given.repeats)
    show(counts, timings)
    print(
        f"\ndefault recipe, three epochs: {recipe:.1f} TF per pair and epoch, {share:.3f} of stock"
        f" (the reference once: {once:.1f})"
    )
    missed = verdict(counts, timings)
    if share > DEFAULT_RECIPE:
        missed.append(f"default recipe: {share:.3f} of stock's operations, the target is {DEFAULT_RECIPE}")
    print("\n" + ("\n".join(missed) if missed else "every target is met"))
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
