"""A LLaVA-Med-sized model of random weights on one GPU -> pairs a second, MFU and memory of stock TRL's step and ours.

Mistral-7B and CLIP-L/336, 1,247-token prompts of two images, answers of 100 tokens. Forward and backward of one step,
without an optimizer. Needs torch 2.11 or newer, transformers, peft and trl. Where trl cannot be imported beside the GPU
(or with `--without-trl`), ours is a plain loop in the same layouts, measured against a plain two-row step that does
stock TRL's work. `python perf/real_size.py --tiny` runs all of it on a CPU at a small size and fails unless the plain
two-row step equals stock TRL, and ours the plain one, in loss and gradient.

`--build` measures the policy's part of `build-data` instead: responses a second of ClinCoT's chain over one image with
ten questions, with shared prefixes and without (perf/real_build.py).
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # a test that imports this file keeps its environment
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from perf.dpo_counting import SEVEN_B, Sizes, count_all
from perf.real_model import llava
from perf.real_steps import Measured, Plain, Trl, measure, works
from perf.scaled_policy import tokenizer as word_tokenizer

TINY = Sizes(64, 224, 2, 8, 32, 64, 2, 2, 4, 8, 5, 9, 12, 2048)
# Dense bfloat16 operations a second, by the name that the driver gives.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "A6000": 155e12, "L40": 181e12}
STOCK, PLAIN = "stock TRL", "plain two-row step"
# What the operations of a row are counted as (perf/dpo_counting.py).
COUNTED = {
    STOCK: "stock TRL",
    PLAIN: "stock TRL",
    "pair": "pair, stored reference",
    "shared": "shared, own crops",
    "group": "group of 5, 4 pairs, own crops",
}
ALLOWED = 1e-4


def measure_all(sizes: Sizes, repeats: int, *, tiny: bool, trl: bool) -> dict[str, Measured | str]:
    """Return what each row took, or why there is no figure."""
    device, dtype = (torch.device("cpu"), torch.float32) if tiny else (torch.device("cuda"), torch.bfloat16)
    batches = works(sizes, device, dtype)
    tokenizer = word_tokenizer(["lung", "clear"], 64)  # batches are made of ids; a trainer wants to have a tokenizer
    processor, base = llava(sizes, tokenizer, sizes.vocabulary - 1, tiny)
    found: dict[str, Measured | str] = {}
    with tempfile.TemporaryDirectory() as folder:

        def stock(own: bool) -> Callable[[], Any]:
            return lambda: Trl(base, processor, Path(folder), stock=own, cast=not tiny)

        rows: dict[str, tuple[Callable[[], Any], str]] = {}
        if trl:
            rows[STOCK] = (stock(True), "two rows")
        rows[PLAIN] = (lambda: Plain(base, not tiny), "two rows")
        for layout in ("pair", "shared", "group"):
            rows[layout] = (stock(False) if trl else rows[PLAIN][0], layout)
        for name, (make, work) in rows.items():
            step = make()
            try:
                found[name] = measure(step, batches[work], repeats)
            except torch.cuda.OutOfMemoryError:
                found[name] = "out of memory"
            base = step.model.unload()  # the next step puts its own LoRA on
            base.requires_grad_(True)
            del step
            gc.collect()
            torch.cuda.empty_cache()
    return found


def errors(found: dict[str, Measured | str]) -> dict[str, tuple[float, float]]:
    """Return how far loss and gradient (relative) of each row are from the plain two-row step; a group has its own."""
    plain, off = found[PLAIN], {}
    for name, row in found.items():
        if name in ("group", PLAIN) or isinstance(row, str) or isinstance(plain, str):
            continue
        gap = (row.gradient - plain.gradient).norm() / plain.gradient.norm()
        off[name] = (abs(row.loss - plain.loss), float(gap))
    return off


def show(found: dict[str, Measured | str], sizes: Sizes, peak: float | None) -> None:
    counts, off = count_all(sizes), errors(found)
    first = found.get(STOCK, found[PLAIN])
    print("| row | pairs/s | of the first row's time | MFU | most memory, GB | loss differs | gradient differs |")
    print("|---|---|---|---|---|---|---|")
    for name, row in found.items():
        if isinstance(row, str):
            print(f"| {name} | {row} | | | | | |")
            continue
        mfu = f"{counts[COUNTED[name]].plain * 1e12 / row.seconds / peak:.1%}" if peak else ""
        share = f"{row.seconds / first.seconds:.3f}" if isinstance(first, Measured) else ""
        gaps = " | ".join(f"{gap:.1e}" for gap in off[name]) if name in off else " | "
        memory = f"{row.memory / 1e9:.1f}" if row.memory else ""
        print(f"| {name} | {1 / row.seconds:.3g} | {share} | {mfu} | {memory} | {gaps} |")


def main() -> int:
    """Print versions and the table; exits 1 when there is no GPU, or when tiny rows differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a small model on the CPU, float32")
    parser.add_argument("--without-trl", action="store_true", help="as where trl cannot be installed")
    parser.add_argument("--build", action="store_true", help="the chain of build-data instead of a step of training")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    trl = not given.without_trl and importlib.util.find_spec("trl") is not None
    packages = ("torch", "transformers", "peft", *(["trl"] if trl else []))
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages))
    if not given.tiny and not torch.cuda.is_available():
        print("no GPU here: run with --tiny, or on a machine that has one")
        return 1
    name = "CPU, tiny" if given.tiny else torch.cuda.get_device_name()
    peak = None if given.tiny else next((rate for part, rate in PEAKS.items() if part in name), None)
    print(name if given.build else f"{name}; ours is {'clincot' if trl else 'a plain loop in the layouts of clincot'}")
    sizes = TINY if given.tiny else SEVEN_B
    if given.tiny:
        torch.set_num_threads(1)
    if given.build:
        from perf.real_build import equal  # it needs clincot's engine
        from perf.real_build import measure as measure_build
        from perf.real_build import show as show_built

        built = measure_build(sizes, tiny=given.tiny)
        show_built(built)
        return int(given.tiny and equal(built) < 1)
    found = measure_all(sizes, given.repeats, tiny=given.tiny, trl=trl)
    show(found, sizes, peak)
    return int(given.tiny and any(max(gap) > ALLOWED for gap in errors(found).values()))


if __name__ == "__main__":
    sys.exit(main())
