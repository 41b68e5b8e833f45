"""A run of SFT and a run of pairs -> the recipe of SFT on as many tokens as the pairs had in training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
from tokenizers import Tokenizer

from clincot import benchmarks
from clincot.benchmarks.partition import limit
from clincot.recipe import Recipe
from clincot.runs import releases
from clincot.runs.models.pins import benchmark_pins, examples_at
from clincot.runs.rounds.restore import full_rows
from clincot.runs.run import Run

EPOCHS = "num_train_epochs"
SIDES = ("chosen", "rejected")
END = 1  # the token that ends a text, which is trained too


def matched_recipe(run: Run, pairs: Run) -> Recipe:
    """Return the run's recipe with the epochs that train as many tokens on gold answers as `pairs` trained.

    Both texts of a pair count, in every epoch of every round. A start `sft` of `pairs` is counted in addition.
    """
    tokenizer = _tokenizer(run)
    train = pairs.recipe.train
    on_pairs = sum(_tokens(tokenizer, _texts(pairs, round_)) for round_ in range(1, pairs.recipe.rounds + 1))
    gold = _tokens(tokenizer, _gold(run))
    epochs = on_pairs * float(train.dpo.get(EPOCHS, 1)) / max(1, gold)
    if pairs.start == "sft":
        epochs += float(run.recipe.train.sft.get(EPOCHS, 1))
    sft = run.recipe.train.sft | {EPOCHS: round(epochs, 3)}
    return replace(run.recipe, train=replace(run.recipe.train, sft=sft))


def _tokenizer(run: Run) -> Tokenizer:
    policy = run.recipe.models.policy
    pin = run.target.resolve("model", policy.repo, policy.revision)
    return Tokenizer.from_file(str(run.target.snapshot(pin, ["tokenizer.json"]) / "tokenizer.json"))


def _tokens(tokenizer: Tokenizer, texts: Iterable[str]) -> int:
    return sum(len(tokenizer.encode(text, add_special_tokens=False).ids) + END for text in texts)


def _texts(run: Run, round_: int) -> list[str]:
    found = releases.find(run, "dataset", run.preferences_repo, round_)
    assert found is not None  # the job of the pairs was made before
    hub, pin = found
    made = releases.read_lineage(hub, pin, round_)
    if made.facts.get("withheld"):
        files = full_rows(run, hub, pin, made)
    else:
        files = sorted((hub.snapshot(pin, [f"round-{round_}/*.parquet"]) / f"round-{round_}").glob("*.parquet"))
    rows = [row for path in files for row in pq.read_table(path, columns=list(SIDES)).to_pylist()]
    return [_text(row[side]) for row in rows for side in SIDES]


def _text(side: Any) -> str:
    """Return the text of a side, which is a list of one message."""
    return side if isinstance(side, str) else " ".join(str(message["content"]) for message in side)


def _gold(run: Run) -> list[str]:
    """Return the answers that the run's SFT trains on."""
    benchmark, build = benchmarks.load(run.recipe.benchmark), run.recipe.build
    pin = benchmark_pins(run.target, benchmark, run.recipe.benchmark_revision)["benchmark"]
    every = examples_at(run.target, benchmark, pin, "train")
    few = limit(every, max_images=build.max_images, max_questions=build.max_questions)
    return [example.answer for example in few if example.answer.strip()]
