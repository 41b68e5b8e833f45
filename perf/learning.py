"""A work folder -> the study on the phantom's version 2: results by row, seed and policy, and the page of them.

Run as `python perf/learning.py FOLDER`, again and again: every result is a small JSON file under
docs/results/phantom-2, and one that is there and made from the same is skipped. FOLDER keeps candidates, pairs and
adapters, which rows share. `--minutes 60` stops after that CPU time, between two results. `--report` makes no result:
it writes docs/results/learning-on-the-phantom-2.md from those that are there. `--quick` makes every row in a tiny size.
Settings are chosen with `--split validation` and `--set`; each such set of settings is counted in the report.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from study.answering import Study
from study.page import written
from study.power import power_table
from study.rows import tasks
from study.world import SHIPPED, Sizes, World

ROOT = Path(__file__).parents[1]
RESULTS, PAGE = ROOT / "docs" / "results" / "phantom-2", ROOT / "docs" / "results" / "learning-on-the-phantom-2.md"
QUICK = ("method.lookahead.samples=1", "build.shard_images=4", "train.dpo.num_train_epochs=1")


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="keeps images, candidates, pairs and adapters")
    parser.add_argument("--policies", type=Path, nargs="+", help="folders (default: the shipped ones of version 2)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(8)))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--part", type=int, default=96, help="training images of each round")
    parser.add_argument("--validation", type=int, default=200)
    parser.add_argument("--test", type=int, default=300)
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--rows", nargs="*", default=[], help="only these rows, or those whose name begins so")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the recipe; repeatable")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="CPU minutes, after which it stops")
    parser.add_argument("--results", type=Path, help=f"folder of the results (default: {RESULTS.relative_to(ROOT)})")
    parser.add_argument("--report", action="store_true", help="write the page of the results that are there")
    parser.add_argument("--quick", action="store_true", help="a tiny size that shows that every row runs")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Make what is missing, or the page."""
    given = parsed(argv)
    torch.set_num_threads(1)  # sums depend on the number of threads
    sizes = Sizes(3, 2, 2, 6) if given.quick else Sizes(given.part, given.rounds, given.validation, given.test)
    seeds = given.seeds[:2] if given.quick else given.seeds
    overrides = (*(QUICK if given.quick else ()), *given.set)
    study = Study(World(given.folder, sizes, given.split, overrides), _policies(given), _results(given))
    if given.report:
        page = given.folder / "page.md" if given.quick else PAGE
        written(study, page)
        print(page)
        return
    print(power_table(len(seeds), sizes.test))
    for task in tasks(list(study.policies), seeds, given.rows):
        if time.process_time() / 60 > given.minutes:
            print(f"stopped after {time.process_time() / 60:.1f} CPU minutes; start again to go on")
            return
        if not study.made(task):
            study.make(task)
    print("every result is there")


def _policies(given: argparse.Namespace) -> dict[str, Path]:
    folders = given.policies or sorted((SHIPPED / "v2").glob("policy*"))
    if not folders:
        raise SystemExit(f"{SHIPPED / 'v2'}: no policy. Name folders with --policies.")
    return {folder.name: folder for folder in folders}


def _results(given: argparse.Namespace) -> Path:
    """Return where results lie; those that settings are chosen by lie apart, one folder for each set of settings."""
    if given.results:
        return Path(given.results)
    if given.quick:
        return Path(given.folder) / "results"
    if given.split == "test" and not given.set:
        return RESULTS
    name = " ".join(sorted(given.set)) or "default"
    return RESULTS / "validation" / "".join(letter if letter.isalnum() or letter in ".=" else "-" for letter in name)


if __name__ == "__main__":
    main()
