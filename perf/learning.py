"""A work folder -> the learning study: policies trained on the phantom in many ways, figures and paired intervals.

Run as `python perf/learning.py FOLDER`. Everything that is made stays in FOLDER under a key of what it was made from:
rows share builds, and a run that was killed goes on where it stopped. `--quick` is a small one that only shows that
it runs. Settings are chosen with `--split validation`; `--set build.KEY=VALUE` and `--set train.KEY=VALUE` vary them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from learning_measures import MEASURES, Table
from learning_study import Row, Study, say

from clincot.stages.evaluate.predictions import Prediction


def rows_of(rounds: int) -> tuple[Row, ...]:
    """The rows of the study: the loop and its parts, conditionings by pair source, and the shuffled control."""
    every = tuple(range(1, rounds + 1))
    grid = [
        Row(f"{scope}, {conditioning}", conditioning=conditioning, scope=scope)
        for scope in ("within_region", "across_regions")
        for conditioning in ("per_side", "winner", "global")
        if (scope, conditioning) != ("within_region", "winner")  # within a region both sides have the winner's crop
    ]
    return (
        Row("naive DPO, one round", margin="none"),
        Row("margin DPO, one round"),
        Row("naive DPO, union", every, margin="none"),
        Row("margin DPO, union", every),
        Row(f"margin DPO, rounds 1..{rounds}", every, loop=True),
        Row("shuffled preferences, union", every, shuffled=True),
        *grid,
    )


def cell(numbers: tuple[float, float, float]) -> str:
    return "{:.1f} ({:.1f} to {:.1f})".format(*numbers)


def difference(numbers: tuple[float, float, float]) -> str:
    mark = "**" if numbers[1] > 0 or numbers[2] < 0 else ""
    return mark + "{:+.1f} ({:+.1f} to {:+.1f})".format(*numbers) + mark


def tables(table: Table, rows: Sequence[str], accuracy: dict[str, dict[str, list[float]]], first: str) -> str:
    """Render values, differences from the base and from the first row as three Markdown tables, then the rewards."""
    names = [measure.name for measure in MEASURES]
    parts = []
    for title, against in (("Values", ""), ("Minus the base", "base"), (f"Minus {first}", first)):
        lines = [f"### {title}", "", "| row | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for row in rows:
            if row == against or (against and row == "base"):
                continue
            shown = [table.value(row, name, against) for name in names]
            cells = [(difference if against else cell)(numbers) if numbers else "" for numbers in shown]
            lines.append(f"| {row} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    lines = ["### Reward accuracy on fresh held-out pairs", "", "| row | accuracy |", "|---|---|"]
    lines += [f"| {row} | {cell(reward_interval(found))} |" for row, found in accuracy.items()]
    return "\n\n".join([*parts, "\n".join(lines)]) + "\n"


def reward_interval(found: dict[str, list[float]]) -> tuple[float, float, float]:
    """Mean in percent with its bootstrap interval over images."""
    sums, counts = (np.array([f(values) for values in found.values()], float) for f in (sum, len))
    draws = np.random.default_rng(0).integers(len(sums), size=(2000, len(sums)))
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return 100 * sums.sum() / counts.sum(), 100 * float(low), 100 * float(high)


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows", nargs="*", default=[], help="only rows whose name contains one of these")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--validation", type=int, default=100)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the recipe; repeatable")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> str:
    arguments = parsed(argv)
    torch.set_num_threads(1)
    study = Study(arguments.folder, arguments)
    wanted = [r for r in rows_of(arguments.rounds) if not arguments.rows or any(w in r.name for w in arguments.rows)]
    predictions: dict[str, list[Prediction]] = {"base": []}
    accuracy: dict[str, dict[str, list[float]]] = {}
    for seed in arguments.seeds:
        predictions["base"] += study.answers(None, seed)
        for row in wanted:
            began = time.monotonic()
            adapter = study.trained(row, seed)
            predictions.setdefault(row.name, []).extend(study.answers(adapter, seed))
            for image, values in study.rewards(adapter).items():
                accuracy.setdefault(row.name, {}).setdefault(image, []).extend(values)
            say(f"seed {seed}: {row.name}", began)
    asked = {p.example_id for p in predictions["base"]}
    table = Table([example for example in study.asked if example.id in asked])
    for name, answers in predictions.items():
        table.add(name, answers)
    text = tables(table, list(predictions), accuracy, wanted[0].name)
    (arguments.folder / f"{arguments.split}.md").write_text(text, encoding="utf-8")
    print(text)
    return text


if __name__ == "__main__":
    main()
