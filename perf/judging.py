"""The judge requests of ClinCoT's chain -> CPU time of one shared reading per score against written scores.

Run as `python perf/judging.py`. The same requests, the same weights, five ways: the model's own `generate` of 20 tokens
at batch 1 and batched, its `forward` once per candidate, and the judge unshared and shared. Scores must be equal.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import transformers
from scaled_judge import Chain, Geometry, calls, scaled_judge

from clincot.judges.base import JudgeRequest
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.scoring import DIGITS, expected_digit, written_digit
from clincot.lm.choice_tokens import ReplyTokens
from clincot.recipe.load import Load

TARGETS = {"generated, batch 1": 20.0, "one reading each": 3.0}
TOLERANCE = 1e-5
WRITTEN = 20  # tokens of a written score
Calls = Sequence[Sequence[JudgeRequest]]


@dataclass(frozen=True)
class Way:
    """One way to score: its CPU seconds per repeat, and its scores."""

    name: str
    seconds: tuple[float, ...]
    scores: tuple[float | None, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def timed(name: str, score: Callable[[Calls], list[float | None]], asked: Calls, repeats: int) -> Way:
    """Score one call first, unmeasured, then everything `repeats` times."""
    score([asked[0][:2]])
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        scores = score(asked)
        seconds.append(time.process_time() - started)
    return Way(name, tuple(seconds), tuple(scores))


def by_judge(judge: CausalLMJudge) -> Callable[[Calls], list[float | None]]:
    return lambda asked: [rating.value for call in asked for rating in judge.rate(call)]


@torch.inference_mode()
def read_each(judge: CausalLMJudge, asked: Calls) -> list[float | None]:
    """Score every request by the model's own `forward` over its whole prompt, one at a time."""
    replies, scores = ReplyTokens(judge.tokenizer, "judge", DIGITS), []
    for request in (request for call in asked for request in call):
        text = judge.reads(request)
        inputs = judge.tokenizer(text, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False)
        probabilities = judge.model(**inputs, logits_to_keep=1).logits[0, -1].double().softmax(-1)
        tokens = [[path[0] for path in own] for own in replies(text)]  # single ones in the phantom's vocabulary
        scores.append(expected_digit([float(probabilities[ids].sum()) for ids in tokens]).value)
    return scores


@torch.inference_mode()
def write_each(judge: CausalLMJudge, asked: Calls, batch: int) -> list[float | None]:
    """Score by the first number of WRITTEN tokens that the model's own `generate` writes."""
    tokenizer, scores = judge.tokenizer, []
    texts = [judge.reads(request) for call in asked for request in call]
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        inputs = tokenizer(
            part,
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=False,
            return_token_type_ids=False,
        )
        options = {"do_sample": False, "max_new_tokens": WRITTEN, "min_new_tokens": WRITTEN}
        written = judge.model.generate(**inputs, **options)[:, inputs["input_ids"].shape[1] :]
        scores += [written_digit(text, 1.0).value for text in tokenizer.batch_decode(written)]
    return scores


def writing_by_reading(judge: CausalLMJudge, asked: Calls) -> float:
    """Return what writing costs, by what reading the prompt costs: what makes written scores dear on any hardware."""
    text = judge.reads(asked[0][0])
    inputs = judge.tokenizer(text, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False)
    seconds = {}
    for tokens in (1, WRITTEN + 1):
        started = time.process_time()
        for _ in range(5):
            judge.model.generate(**inputs, do_sample=False, max_new_tokens=tokens, min_new_tokens=tokens)
        seconds[tokens] = (time.process_time() - started) / 5
    return seconds[WRITTEN + 1] / seconds[1] - 1


def load(folder: Path, args: argparse.Namespace, *, share: bool) -> CausalLMJudge:
    return CausalLMJudge.from_pretrained(
        folder, name="scaled", key="0", batch_size=args.batch, threads=1, load=Load(device_map="cpu"), share=share
    )


def measure(folder: Path, asked: Calls, args: argparse.Namespace) -> tuple[list[Way], dict[str, float]]:
    """Return all ways, the shared one first, and what was counted: tokens read, and the price of writing."""
    shared, whole = load(folder, args, share=True), load(folder, args, share=False)
    shared.rate(asked[0])
    whole.rate(asked[0])
    before = shared.counters.prefill_tokens, whole.counters.prefill_tokens
    by_judge(shared)(asked)
    by_judge(whole)(asked)
    counted = {
        "requests": sum(map(len, asked)),
        "shared": shared.counters.prefill_tokens - before[0],
        "whole": whole.counters.prefill_tokens - before[1],
        "writing": writing_by_reading(whole, asked[-1:]),
    }
    ways = {
        "expected, shared": by_judge(shared),
        "expected, unshared batches": by_judge(whole),
        "one reading each": lambda c: read_each(whole, c),
        "generated, batched": lambda c: write_each(whole, c, args.batch),
        "generated, batch 1": lambda c: write_each(whole, c, 1),
    }
    return [timed(name, score, asked, args.repeats) for name, score in ways.items()], counted


def compare(ways: Sequence[Way], counted: dict[str, float], *, check_time: bool) -> bool:
    """Print a line per way; say whether scores are equal and the targets met."""
    shared = ways[0]
    print(f"\n{int(counted['requests'])} requests; prefill tokens {int(counted['whole']):,} unshared,", end=" ")
    print(f"{int(counted['shared']):,} shared: {counted['whole'] / counted['shared']:.1f}x fewer")
    # A100, 8B, bf16: a step takes 16 GB / 1.5 TB/s = 11 ms, 600 tokens of prompt 63 ms; `generate` needs 30 ms a step.
    print(f"writing {WRITTEN} tokens costs {counted['writing']:.1f} readings of a prompt (8B on an A100: 3.4 to 9)\n")
    print(f"{'way':28}{'CPU s, median':>14}{'least to most':>18}{'ratio':>8}   largest score difference")
    met = True
    for way in ways:
        ratio = way.median / shared.median
        difference = "(written digits)" if way.name.startswith("generated") else f"{differs(way, shared):.1e}"
        spread = f"{min(way.seconds):.2f} to {max(way.seconds):.2f}"
        print(f"{way.name:28}{way.median:14.2f}{spread:>18}{ratio:7.1f}x   {difference}")
        if check_time and ratio < TARGETS.get(way.name, 0.0):
            print(f"MISSED: {way.name} needs {TARGETS[way.name]:.0f}x")
            met = False
    equal = all(differs(way, shared) <= TOLERANCE for way in ways[:3])
    print("scores equal" if equal else f"MISSED: scores differ by more than {TOLERANCE:g}")
    return met and equal and counted["whole"] > 3 * counted["shared"]


def differs(way: Way, other: Way) -> float:
    """Return the largest difference of two ways' scores; infinite where one has none."""
    pairs = zip(way.scores, other.scores, strict=True)
    return max(float("inf") if a is None or b is None else abs(a - b) for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=10, help="of an image, judged together, as in a shard")
    parser.add_argument("--candidates", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--samples", type=int, default=3, help="look-ahead responses of a candidate")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--divide", type=int, default=3, help="the geometry of an 8B judge by this")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two steps, one repeat; equality and counts, not time")
    args = parser.parse_args()
    if args.quick:
        args.questions, args.steps, args.repeats, args.layers = 1, 2, 1, 2
    torch.set_num_threads(1)
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, {platform.machine()}, 1 thread, float32"
    )
    geometry = Geometry().divided(args.divide)
    print(
        f"rubric + question + reference : statement : tail = {geometry.shared} : {geometry.statement} : {geometry.tail}"
        f" tokens; {args.questions} questions, {args.candidates} candidates, {args.steps} steps, {args.samples} samples"
        f"; Llama of {args.layers} layers, width {args.width}; batches of {args.batch}"
    )
    asked = calls(geometry, Chain(args.questions, args.candidates, args.steps, args.samples))
    with tempfile.TemporaryDirectory() as folder:
        scaled_judge(Path(folder), geometry, args.width, args.layers)
        ways, counted = measure(Path(folder), asked, args)
    raise SystemExit(0 if compare(ways, counted, check_time=not args.quick) else 1)


if __name__ == "__main__":
    main()
