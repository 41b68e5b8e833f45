"""A build of phantom questions -> seconds and prompt tokens read: in process, by vLLM in our order and a random one.

Run as `python perf/serving.py` with the environment of `make test-servers`, or `--python` of another one with vLLM. The
stage that samples runs whole (proposer, policy, judges, look-ahead, parts on disk), its judges in process. Greedy texts
must be equal in all runs. The server's caches are emptied before each run; `--blocks` also starts it with less room.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "servers"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import transformers
from environment import PYTHON

from clincot.engines.openai import OpenAIEngine
from clincot.engines.prefix_order import Asked, Order, PrefixOrder
from clincot.engines.transformers import TransformersEngine
from perf.block_cache import Prompt, tokens_read
from perf.served_builds import MODELS, Questions, Recorder, Run
from perf.vllm_process import BLOCK, Vllm, serving

NAME = "clincot/phantom-policy"
TARGET = 0.99


class RandomOrder:
    """An order of requests by chance; equal seeds give equal orders."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def __call__(self, asked: Asked) -> list[int]:
        return self._random.sample(range(len(asked)), len(asked))


def asked(
    questions: Questions, server: Vllm, orders: dict[str, Order], repeats: int, at_once: int
) -> dict[str, list[Run]]:
    """Build in each order, in turn, so that other work on the machine meets all of them; the first build warms up."""
    engine = OpenAIEngine.from_pretrained(NAME, endpoint=server.url, batch_size=at_once)
    found: dict[str, list[Run]] = {name: [] for name in orders}
    questions.build(engine)
    for _ in range(repeats):
        for name, order in orders.items():
            server.empty()
            engine.order = order
            found[name].append(questions.build(engine, server.cpu_seconds))
    return found


def check(runs: Mapping[str, Sequence[Run]], here: Run, prompts: Sequence[Prompt]) -> None:
    """Raise AssertionError where a text or the length of the prompts differs from those in process."""
    tokens = sum(map(len, prompts))
    for name, repeats in runs.items():
        for run in repeats:
            assert run.prompts == tokens, f"{name}: {run.prompts} prompt tokens, {tokens} in process"
            differ = sum(run.texts.get(key) != texts for key, texts in here.texts.items())
            assert not differ and len(run.texts) == len(here.texts), f"{name}: {differ} of {len(here.texts)} differ"


def show(runs: Mapping[str, Sequence[Run]], perfect: int) -> None:
    """Print medians over the repeats, and the least and most share of what a perfect cache saves."""
    print()
    print("| run | wall s | CPU s, client | CPU s, server | prompt tokens read | of what a perfect cache saves |")
    print("|---|---|---|---|---|---|")
    for name, repeats in runs.items():
        wall, own, there, read = (
            statistics.median(getattr(run, what) for run in repeats) for what in ("wall", "own", "server", "read")
        )
        shares = [run.saved / (run.prompts - perfect) for run in repeats]
        share = f"{min(shares):.1%}" + (f" to {max(shares):.1%}" if max(shares) > min(shares) else "")
        print(f"| {name} | {wall:.1f} | {own:.1f} | {there:.1f} | {read:,.0f} | {share} |")


def in_process(questions: Questions, policy: Path, repeats: int) -> tuple[list[Run], list[Prompt]]:
    """Build after a first time that warms up; return the runs and the prompts of one."""
    recorder = Recorder(TransformersEngine.from_pretrained(policy, batch_size=64, threads=1))
    runs = [questions.build(recorder) for _ in range(repeats + 1)][1:]
    return runs, recorder.prompts()[: len(recorder.asked) // (repeats + 1)]


def compare(asked_about: Sequence[Questions], blocks: int, wanted: argparse.Namespace) -> float:
    """Print a table for each length of shards; return the least share that our order saved."""
    least = 1.0
    with serving(wanted.policy, NAME, wanted.python, blocks) as server:
        print(f"vLLM answers after {server.started:.0f} s", file=sys.stderr)
        for questions in asked_about:
            here, prompts = in_process(questions, wanted.policy, wanted.repeats)
            orders: dict[str, Order] = {"vLLM, our order": PrefixOrder(), "vLLM, random order": RandomOrder(0)}
            runs = asked(questions, server, orders, wanted.repeats, wanted.at_once)
            check(runs, here[0], prompts)
            perfect = tokens_read(prompts, BLOCK)
            shard = f"{questions.recipe.build.shard_images} images a shard"
            print(f"\n{len(questions.examples)} questions, {shard}, room for {blocks or 'all'} blocks:")
            print(f"{len(prompts):,} requests of {sum(map(len, prompts)):,} prompt tokens, of which a perfect cache of")
            print(
                f"blocks of {BLOCK} reads {perfect:,}; texts of {len(here[0].texts)} candidates are equal in all runs"
            )
            show({"in process": here, **runs}, perfect)
            least = min(least, *(run.saved / (run.prompts - perfect) for run in runs["vLLM, our order"]))
    return least


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--python", type=Path, default=PYTHON, help="of an environment with vLLM")
    options.add_argument("--policy", type=Path, default=MODELS / "policy")
    for name, default in (("images", 16), ("questions", 4), ("repeats", 3), ("at-once", 16)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--shard-images", type=int, nargs="+", default=[8])
    options.add_argument("--blocks", type=int, nargs="+", default=[0], help=f"of {BLOCK} tokens; 0: all that fit")
    wanted = options.parse_args()
    if not wanted.python.is_file():
        sys.exit(f"{wanted.python}: is not there. Make it by `python tests/servers/environment.py`, or give --python.")
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    print(f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}")
    asked_about = [Questions.draw(wanted.images, wanted.questions, shard) for shard in wanted.shard_images]
    shares = {blocks: compare(asked_about, blocks, wanted) for blocks in wanted.blocks}
    if 0 in shares:
        met = shares[0] >= TARGET
        print(f"\ntarget for our order where all blocks fit, {TARGET:.0%}: {'met' if met else 'MISSED'}")
        if not met:
            sys.exit("missed")


if __name__ == "__main__":
    main()
