"""A row, a seed and a policy -> its result: trained where there is none yet, asked, and measured."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clincot import engines
from clincot.chain.steps import Steps
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.stages.evaluate import PolicyUnderTest, evaluate_policies
from clincot.stages.evaluate.predictions import Prediction
from study.building import Adapter, Builder
from study.calibrated import Calibrated
from study.films import films
from study.fitting import fitted
from study.looks import LowPass
from study.probing import concordance, nodule_odds, open_policy
from study.results import Result, of_predictions, packed_odds, read
from study.rows import CALIBRATED, Row, Task
from study.training import Trained, Trainer
from study.world import World, load_engine, load_proposer, say

FEW = 8  # films of a study with fewer test images, which shows nothing but that it runs
VERSION = 1  # of the study's code: counted up when a change of it changes results, which are then made again
LOOKED = {  # settings by how images are looked at
    "regions": (),
    "low-pass": (),
    "direct": ("evaluate.inference=[direct]",),
    "true": ("models.proposer={kind: annotated}", "build.regions.smallest=0.0002"),
    "true, low-pass": ("models.proposer={kind: annotated}", "build.regions.smallest=0.0002"),
}


@dataclass
class Study:
    """The world, a policy's folder by name, and where results lie."""

    world: World
    policies: dict[str, Path]
    results: Path

    @cached_property
    def trainers(self) -> dict[str, Trainer]:
        return {name: Trainer(self.world, Builder(self.world, folder)) for name, folder in self.policies.items()}

    def path(self, task: Task) -> Path:
        """Return where the result of a task lies."""
        return self.results / task.policy / f"{task.row.slug}-s{task.seed}.json"

    def key(self, task: Task) -> str:
        """Return the key of all that decides a result: settings, plan, sizes, weights and the code's version."""
        row, seed = task.row, task.seed
        recipe = self.world.recipe(seed, *row.build, *row.pair, *row.train, *LOOKED[row.look])
        spec = (row.plan, row.rate, row.scores, row.pairs, row.look)
        weights = self.trainers[task.policy].builder.weights()
        return content_key(VERSION, recipe.hash, repr(spec), repr(self.world.sizes), self.world.split, weights)[:16]

    def made(self, task: Task) -> bool:
        """Return whether the result is there, made from the same."""
        found = read(self.path(task))
        return found is not None and found.key == self.key(task)

    def make(self, task: Task) -> Result:
        """Make the result and write it."""
        began = time.process_time()
        row, trainer = task.row, self.trainers[task.policy]
        trained = trainer.trained(row, task.seed)
        recipe = self._recipe(row, task.seed)
        engine = self._engine(row, task, trained, recipe)
        predictions = self._asked(recipe, self.world.asked, engine, content_key(self.key(task), "asked"))
        found = of_predictions(self.world.asked, predictions, recipe.inference_steps - 1)
        if row.look in ("regions", "low-pass"):
            found |= self._probed(task, engine, trained.adapter)
        made = tuple({k: one[k] for k in ("pairs", "steps", "seconds")} for one in trained.facts)
        spent = round(time.process_time() - began, 1)
        result = Result(
            row.name, task.policy, task.seed, self.key(task), _commit(), **found, cpu_seconds=spent, made=made
        )
        result.write(self.path(task))
        say(f"{task.policy}, seed {task.seed}: {row.name}", began)
        return result

    def _recipe(self, row: Row, seed: int, *more: str) -> Recipe:
        inference = () if row.look == "direct" else ("evaluate.inference=[region]",)
        split = f"evaluate.split={self.world.split}"
        return self.world.recipe(seed, *row.build, *inference, split, *LOOKED[row.look], *more)

    def _engine(self, row: Row, task: Task, trained: Trained, recipe: Recipe) -> engines.Engine:
        folder = trained.adapter.folder if trained.adapter else None
        engine: Any = load_engine(self.policies[task.policy], folder, recipe.evaluate.batch_size)
        if row.name == CALIBRATED:
            examples = [e for part in range(1, self.world.sizes.rounds + 1) for e in self.world.part(task.seed, part)]
            asked = recipe.evaluate
            steps = Steps(recipe.inference_steps, asked.max_new_tokens, asked.report_tokens, recipe.image_layout)
            key = self.key(task)

            def answered(own: Calibrated, name: str) -> tuple[Prediction, ...]:
                return self._asked(recipe, examples, own, content_key(key, name))

            return fitted(Calibrated(engine), examples, steps, answered)  # type: ignore[return-value]
        return LowPass(engine) if "low-pass" in row.look else engine

    def _asked(
        self, recipe: Recipe, examples: list[Example], engine: engines.Engine, key: str
    ) -> tuple[Prediction, ...]:
        policy = PolicyUnderTest("row", key, lambda: engine)
        folder = self.world.folder / "answers"
        return evaluate_policies(recipe, examples, [], [policy], lambda: load_proposer(recipe), folder).predictions

    def _probed(self, task: Task, engine: engines.Engine, adapter: Adapter | None) -> dict[str, Any]:
        """Return the beliefs that depend on no proposer."""
        odds = nodule_odds(engine, self.world.bank)
        policy = open_policy(self.policies[task.policy], adapter.folder if adapter else None)
        orders = [count for both in concordance(policy, self.world.bank) for count in both]
        shown = films(FEW if self.world.sizes.test < FEW else 0)
        on_films = packed_odds(nodule_odds(engine, shown)) if shown else ""
        return {"odds": packed_odds(odds), "films": on_films, "orders": tuple(orders)}


def _commit() -> str:
    """Return the commit of the code, for people: keys do not hold it."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return done.stdout.strip()
