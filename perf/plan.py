"""Rates that were measured, counted or assumed -> hours, bytes and requests of a run over ten million questions.

Run as `python perf/plan.py [--questions N]`; it prints the two tables of docs/ten-million.md. Nothing is measured here.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

HOUR = 3600


@dataclass(frozen=True)
class Rate:
    """A value with its unit, and where it is from: `measured`, `counted` or `assumed`, and by what."""

    name: str
    value: float
    unit: str
    kind: str
    source: str


RATES = {
    rate.name: rate
    for rate in (
        Rate("per_image", 10, "questions an image", "assumed", "SLAKE's train split has 10.9"),
        Rate("rounds", 4, "rounds", "assumed", "`recipes/clincot.yaml`"),
        Rate("asked", 24, "policy requests a question", "counted", "`perf/prefix_orders.py`, recipe `clincot`"),
        Rate("written", 100, "tokens a text", "assumed", "at most 128 in the recipe"),
        Rate("prompts", 31_854, "prompt tokens a question", "counted", "the same, tokens of a 7B LLaVA"),
        Rate(
            "read", 2_466, "of them read, with a prefix cache", "counted", "`perf/block_cache.py`, room without limit"
        ),
        Rate("rated", 2, "judges", "assumed", "setting `paper`"),
        Rate("rating", 115, "tokens read a rating", "measured", "445 x 35,014 / 135,200 (performance.md, Judging)"),
        Rate("prefill", 30_000, "prompt tokens a second a GPU, 7B", "assumed", "989 TF/s x 45 % / 14.7 GF a token"),
        Rate(
            "decode", 5_000, "written tokens a second a GPU, 7B", "assumed", "ours, for an 80 GB card and large batches"
        ),
        Rate("pairs", 4, "pairs a question", "assumed", "2 steps x 2, the most that the recipe draws"),
        Rate("step", 44.9, "TF a pair", "counted", "performance.md, `shared`, same images (`conditioning: winner`)"),
        Rate("reference", 22, "TF a pair", "assumed", "half a step: its forward pass alone, not stored here"),
        Rate("training", 395.6, "TF a second a GPU", "assumed", "989 TF/s x 40 %"),
        Rate("epochs", 3, "epochs", "assumed", "the paper"),
        Rate("crops", 40, "crops a second a core", "measured", "of 600 x 600 pixels (scale.md)"),
        Rate("regions", 6, "crops an image", "assumed", "one for each candidate"),
        Rate("image", 250e3, "bytes an image", "assumed", "scale.md's example"),
        Rate("kept", 162e3, "bytes of image and crops in rows", "measured", "VQA-RAD: 50,712,484 / 313"),
        Rate("row", 570 * 10, "bytes of other columns a question", "assumed", "VQA-RAD's 570, texts 10 times as long"),
        Rate("example", 650, "bytes of an example in memory", "measured", "25 words a question, tracemalloc"),
        Rate("lengths", 2.8 / 100_000, "seconds a question", "measured", "`perf/lengths.py`"),
        Rate("shard", 8, "images a shard", "assumed", "`recipes/hardware/8x80gb.yaml`"),
        Rate("merge", 4.15e-3, "seconds a shard", "measured", "`perf/shards.py`, 100,000 shards"),
        Rate("upload", 34 * 2**20, "bytes a second up", "measured", "`perf/hub_large.py`, embedded Hub"),
        Rate("price", 2.5, "dollars a GPU hour", "assumed", "ours"),
        Rate("failure", 50_000, "GPU hours a failure", "assumed", "ours"),
    )
}


@dataclass(frozen=True)
class Line:
    """One line of the plan: what, how it is computed, the value in its unit."""

    what: str
    how: str
    value: float
    unit: str


def plan(questions: int) -> list[Line]:
    """Return the lines of a plan, in the order in which a run would do them."""
    rate = {name: one.value for name, one in RATES.items()}
    images = questions / rate["per_image"]
    requests = questions * rate["asked"]
    write = requests * rate["written"] / rate["decode"] / HOUR
    read = questions * rate["read"] / rate["prefill"] / HOUR
    whole = questions * rate["prompts"] / rate["prefill"] / HOUR
    ratings = requests * rate["rated"]
    judge = ratings * rate["rating"] / rate["prefill"] / HOUR
    passes = questions * rate["pairs"] * rate["epochs"]
    train = passes * (rate["step"] + rate["reference"]) / rate["training"] / HOUR
    shards = images / rate["shard"]
    rows = images * rate["kept"] + questions * rate["row"]
    hours = write + read + judge + train
    return [
        Line("images", "questions / per_image", images, ""),
        Line("policy requests", "questions x asked", requests, ""),
        Line("policy writes", "requests x written / decode", write, "GPU h"),
        Line("policy reads, prefixes shared", "questions x read / prefill", read, "GPU h"),
        Line("the same, nothing shared", "questions x prompts / prefill", whole, "GPU h"),
        Line("ratings", "requests x rated", ratings, ""),
        Line("judges read", "ratings x rating / prefill", judge, "GPU h"),
        Line("pairs through training", "questions x pairs x epochs", passes, ""),
        Line("training", "passes x (step + reference) / training", train, "GPU h"),
        Line("all GPUs", "writes + reads + judges + training", hours, "GPU h"),
        Line("cost", "GPU h x price", hours * rate["price"], "dollars"),
        Line("failures to expect", "GPU h / failure", hours / rate["failure"], ""),
        Line("shards", "images / shard", shards, ""),
        Line("merging", "shards x merge", shards * rate["merge"] / HOUR, "core h"),
        Line("lengths", "questions x lengths", questions * rate["lengths"] / HOUR, "core h"),
        Line("crops of pairs", "images x regions / crops", images * rate["regions"] / rate["crops"] / HOUR, "core h"),
        Line("source images", "images x image", images * rate["image"] / 1e9, "GB"),
        Line("rows of all rounds", "images x kept + questions x row", rows / 1e9, "GB"),
        Line("one round's upload", "rows / rounds / upload", rows / rate["rounds"] / rate["upload"] / HOUR, "h"),
        Line("examples in each process", "questions x example", questions * rate["example"] / 1e9, "GB"),
        Line("images of a split, each process", "images x image", images * rate["image"] / 1e9, "GB"),
    ]


def shown(value: float) -> str:
    """Return a value with at most three digits that count, whole from 100 on."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def tables(lines: Sequence[Line]) -> str:
    """Return both tables as markdown."""
    rates = [
        f"| {rate.name} | {shown(rate.value)} | {rate.unit} | {rate.kind} | {rate.source} |" for rate in RATES.values()
    ]
    rows = [f"| {line.what} | {line.how} | {shown(line.value)} {line.unit}".rstrip() + " |" for line in lines]
    return "\n".join(
        (
            "| name | value | unit | kind | from |",
            "|---|---|---|---|---|",
            *rates,
            "",
            "| what | computed | value |",
            "|---|---|---|",
            *rows,
        )
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=10_000_000)
    print(tables(plan(options.parse_args().questions)))


if __name__ == "__main__":
    main()
