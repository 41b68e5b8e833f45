"""A folder, images and a recipe -> builds, adapters, answers and rewards of the learning study, each made once."""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from learning_measures import reward_accuracy

from clincot import benchmarks, engines, judges, regions
from clincot.benchmarks.partition import limit, part_of_round
from clincot.phantom.dataset import phantom_files
from clincot.phantom.policy.network import FOLDER as POLICY
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.runs.rounds.build import draw
from clincot.stages.evaluate import PolicyUnderTest, evaluate_policies
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.sample.build import BuildJob, build
from clincot.stages.sample.serving import Models
from clincot.stages.train.dpo import TrainJob, train_adapter

QUICK = ("build.max_images=4", "build.max_questions=2", "build.shard_images=4", "evaluate.max_images=4")
# Two texts a region, which rows that pair within one need, and little else.
QUICK += ("method.samples_per_region=2", "method.candidates=3", "method.lookahead.samples=1", "method.min_gap=0.001")


@dataclass(frozen=True)
class Row:
    """One way to train: `parts` are the parts of the images that it is built on, one after the other when `loop`."""

    name: str
    parts: tuple[int, ...] = (1,)
    margin: str = "linear"
    conditioning: str = ""
    scope: str = ""
    loop: bool = False
    shuffled: bool = False


@dataclass(frozen=True)
class Adapter:
    """A trained adapter: its folder, and the key of all it was made from."""

    folder: Path
    key: str


class Study:
    """The folder, the images and the recipe; every method returns what is there or makes it."""

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self.folder, self.split, self.rounds = folder, arguments.split, arguments.rounds
        self.overrides = (*(QUICK if arguments.quick else ()), *arguments.set)
        sizes = {"train": arguments.train, "validation": arguments.validation, "test": arguments.test}
        data = folder / f"data-{'-'.join(map(str, sizes.values()))}"
        if not (data / "README.md").is_file():
            phantom_files(data, seed=0, **sizes)
        benchmark = benchmarks.load("phantom")
        self.train = benchmark.examples(data, "train")
        self.asked = benchmark.examples(data, arguments.split)
        self.weights = content_key(*(p.read_bytes().hex() for p in sorted(POLICY.parent.glob("*/model.safetensors"))))

    def recipe(self, seed: int, *more: str) -> Recipe:
        return load_recipe(overrides=(f"seed={seed}", f"rounds={self.rounds}", *self.overrides, *more))

    def pairs(
        self, recipe: Recipe, part: int, parent: Adapter | None, examples: Iterable[Example] | None = None
    ) -> Path:
        """Return the preference pairs that the policy `parent` (None: the base) makes of one part of the images."""
        some = part_of_round(self.train, seed=recipe.seed, rounds=self.rounds, round_=part)
        asked = limit(
            tuple(examples or some), max_images=recipe.build.max_images, max_questions=recipe.build.max_questions
        )
        key = content_key(
            recipe.method,
            recipe.build,
            recipe.seed,
            part,
            parent.key if parent else "",
            [e.id for e in asked],
            self.weights,
        )
        folder = self.folder / "builds" / key[:16]
        pairs = folder / "merged" / "pairs.parquet"
        if not pairs.is_file():
            began = time.monotonic()
            job = BuildJob(recipe, part, asked, key, folder, lambda: load_models(recipe, parent))
            facts = draw(job, build(job)).facts
            say(f"build {part}: {facts['pairs']} pairs of {facts['questions']} questions", began)
        return pairs

    def adapter(self, recipe: Recipe, round_: int, rows: Sequence[Path], parent: Adapter | None) -> Adapter:
        """Return the adapter trained on these pairs."""
        sources = [path.parent.parent.name + path.stem for path in rows]
        key = content_key(recipe.train, recipe.seed, round_, sources, parent.key if parent else "")
        folder = self.folder / "adapters" / key[:16]
        if not (folder / "facts.json").is_file():
            began = time.monotonic()
            job = TrainJob(
                recipe,
                round_,
                tuple(rows),
                POLICY,
                "clincot/phantom-policy",
                parent.folder if parent else None,
                folder,
                stored_reference=not any(path.stem.startswith("shuffled") for path in rows),
            )
            facts = train_adapter(job).facts
            (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
            say(f"train: {facts['pairs']} pairs, {facts['steps']} steps", began)
        return Adapter(folder / "adapter", key)

    def trained(self, row: Row, seed: int) -> Adapter:
        """Return the adapter of a row under a seed, with all that it needs."""
        more = [f"train.margin.kind={row.margin}"]
        more += [f"train.conditioning={row.conditioning}"] if row.conditioning else []
        more += [f"method.pair_scope={row.scope}"] if row.scope else []
        recipe = self.recipe(seed, *more)
        if not row.loop:
            paths = [self.pairs(recipe, part, None) for part in row.parts]
            return self.adapter(recipe, 1, [shuffled(p, seed) for p in paths] if row.shuffled else paths, None)
        parent: Adapter | None = None
        for round_ in row.parts:
            parent = self.adapter(recipe, round_, [self.pairs(recipe, round_, parent)], parent)
        assert parent is not None
        return parent

    def answers(self, adapter: Adapter | None, seed: int) -> tuple[Prediction, ...]:
        """Return the answers to the chosen split, by region and direct."""
        recipe = self.recipe(seed, f"evaluate.split={self.split}", "evaluate.controls=[]", "evaluate.resamples=10")
        key = self.weights + (adapter.key if adapter else "")
        policy = PolicyUnderTest("row", key, lambda: engine(adapter, recipe.evaluate.batch_size))
        folder = self.folder / "answers"
        proposer = lambda: load_proposer(recipe)  # noqa: E731
        return evaluate_policies(recipe, self.asked, [], [policy], proposer, folder).predictions

    def rewards(self, adapter: Adapter) -> dict[str, list[float]]:
        """Return, per held-out image, which fresh pairs of the base the adapter orders as the judges do."""
        recipe = self.recipe(1000, "build.max_images=60", *(QUICK if "build.max_images=4" in self.overrides else ()))
        rows = self.pairs(recipe, 1, None, self.asked)
        path = self.folder / "rewards" / f"{content_key(adapter.key, rows.parent.parent.name)[:16]}.json"
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            found = reward_accuracy(POLICY, adapter.folder, rows, self.folder / "cache")
            path.write_text(json.dumps(found), encoding="utf-8")
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: list(values) for name, values in found.items()}


def engine(adapter: Adapter | None, batch_size: int) -> engines.Engine:
    return engines.load("transformers", POLICY, adapter.folder if adapter else None, batch_size=batch_size, threads=1)


def load_proposer(recipe: Recipe) -> regions.Proposer:
    return regions.load(recipe.models.proposer.kind, POLICY.parent / "grounder", key="shipped")


def load_models(recipe: Recipe, parent: Adapter | None) -> Models:
    """Load the shipped models as a round's build does."""
    made = [
        judges.load("causal_lm", POLICY.parent / name, name=name, key="shipped", batch_size=64, threads=1)
        for name in ("judge-a", "judge-b")
    ]
    return Models(engine(parent, recipe.build.batch_size), load_proposer(recipe), tuple(made))


def shuffled(path: Path, seed: int) -> Path:
    """Write the pairs with chosen and rejected swapped at random; scores, and so margins, stay where they are."""
    target = path.with_name(f"shuffled-{seed}.parquet")
    table = pq.read_table(path)
    swap = np.array([random.Random(f"{seed}/{name}").random() < 0.5 for name in table["id"].to_pylist()])
    columns = {name: table[name].to_pylist() for name in ("chosen", "rejected", "side_images")}
    for i in np.flatnonzero(swap):
        columns["chosen"][i], columns["rejected"][i] = columns["rejected"][i], columns["chosen"][i]
        columns["side_images"][i] = columns["side_images"][i][::-1]
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))
    pq.write_table(table, target)
    return target


def say(text: str, began: float) -> None:
    print(f"  {text}, {time.monotonic() - began:.0f} s", flush=True)
