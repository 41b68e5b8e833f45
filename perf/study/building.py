"""A row, a seed and a policy -> the preference pairs that it trains on; candidates and ratings are made once."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.engines.base import Engine
from clincot.methods.base import Tools
from clincot.methods.clincot import ClinCoT
from clincot.recipe import Recipe
from clincot.records import Candidate, Example
from clincot.records.lineage import content_key
from clincot.rows import schema
from clincot.rows.stored_candidates import candidate_of
from clincot.stages.pair.round import PairJob, pair
from clincot.stages.sample.build import BuildJob, build
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import cut_shards
from clincot.stages.sample.together import alone
from clincot.stages.sample.workbench import Workbench, sample_shard
from study.judges import raters
from study.looks import LowPass
from study.rows import Part, Row
from study.transforms import PAIRS, SCORES
from study.world import World, folder_of, load_engine, load_judges, load_proposer, say, weights_key

PAIRING = 1  # counts changes of what pairs are made of: rating again, transforms


@dataclass(frozen=True)
class Adapter:
    """A trained adapter: its folder, and the key of all it was made from."""

    folder: Path
    key: str


@dataclass(frozen=True)
class Round:
    """The candidates of one part: their folder, the recipe and the questions that they were sampled by."""

    folder: Path
    recipe: Recipe
    number: int
    examples: tuple[Example, ...]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of `candidates` or `regions`."""
        found: list[dict[str, Any]] = pq.read_table(self.folder / "merged" / f"{name}.parquet").to_pylist()
        return found


class Rerated(ClinCoT):
    """ClinCoT over candidates that are there already: each is rated again, with what was sampled after it."""

    def __init__(self, config: Any, stored: dict[str, list[Candidate]]) -> None:
        super().__init__(config)
        self.stored = stored

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        kept: list[Candidate] = []
        for step, offered in groupby(self.stored.get(example.id, []), key=lambda one: one.step):
            kept += await self._score(example, step, list(offered), tools)
        return kept


class Builder:
    """Candidates and pairs of one policy, kept below a folder."""

    def __init__(self, world: World, policy: Path) -> None:
        self.world, self.policy, self.folder = world, policy, world.folder / "builds"
        self.weights = cache(self._weights)

    def _weights(self) -> str:
        models = self.world.recipe(0).models
        return weights_key(self.policy, *map(folder_of, (models.proposer, models.critic, *models.judges)))

    def pairs(self, row: Row, seed: int, part: Part, parent: Adapter | None) -> Path:
        """Return the file of the pairs of one part; `parent` is the policy so far, the base where the plan says so."""
        number, own = part
        sampled = self._sampled(row, seed, number, parent if own else None)
        recipe = self.world.recipe(seed, *row.build, *row.pair)
        key = content_key(PAIRING, recipe.method, recipe.build, row.rate, row.scores, row.pairs)
        path = sampled.folder / f"pairs-{key[:16]}.parquet"
        if not path.is_file():
            self._pair(row, sampled, recipe, path)
        return path

    def _sampled(self, row: Row, seed: int, number: int, parent: Adapter | None) -> Round:
        recipe = self.world.recipe(seed, *row.build)
        examples = self.world.part(seed, number)
        made_from = (recipe.method, recipe.build, recipe.image_layout, seed, number, self.weights())
        blur = row.look == "low-pass"
        key = content_key(*made_from, parent.key if parent else "", [e.id for e in examples], blur)
        folder = self.folder / key[:16]
        if not (folder / "facts.json").is_file():
            began = time.process_time()
            load = lambda: _models(recipe, self._engine(recipe, parent, blur))  # noqa: E731
            facts = build(BuildJob(recipe, number, examples, key, folder, load)).facts
            (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
            say(f"build of part {number}: {facts['candidates']} candidates of {facts['questions']} questions", began)
        return Round(folder, recipe, number, examples)

    def _engine(self, recipe: Recipe, parent: Adapter | None, blur: bool) -> Engine:
        engine = load_engine(self.policy, parent.folder if parent else None, recipe.build.batch_size)
        return LowPass(engine) if blur else engine  # type: ignore[return-value]

    def _pair(self, row: Row, sampled: Round, recipe: Recipe, path: Path) -> None:
        """Rate, score and pair stored candidates as the row says, and write its pairs."""
        candidates, steps = sampled.rows("candidates"), recipe.method.steps
        examples = {example.id: example for example in sampled.examples}
        if row.rate:
            candidates = rated(recipe, sampled, row.rate)
        if row.scores:
            candidates = SCORES[row.scores](candidates, examples, steps, recipe.seed)
        shards = cut_shards(sampled.examples, recipe.build.shard_images)
        whole = path.with_name(f"whole-{path.name}") if row.pairs else path
        facts = json.loads((sampled.folder / "facts.json").read_text(encoding="utf-8"))
        pair(PairJob(recipe, sampled.number, shards, candidates, sampled.rows("regions"), whole), facts)
        if row.pairs:
            rows = PAIRS[row.pairs](pq.read_table(whole).to_pylist(), examples, candidates, steps, recipe.seed)
            schema.write_parquet([schema.table(rows, schema.PAIR_FEATURES)], path, schema.PAIR_FEATURES)


def rated(recipe: Recipe, sampled: Round, rate: str) -> list[dict[str, Any]]:
    """Return a round's candidates with the ratings of others; those too long for a judge are left out."""
    began = time.process_time()
    models, found = Models(None, judges=raters(recipe, rate)), []
    rows = sampled.rows("candidates")
    stored: dict[str, list[Candidate]] = {}
    for row in rows:
        stored.setdefault(row["example_id"], []).append(candidate_of(row))
    method = Rerated(recipe.method.config, stored)
    for shard in cut_shards(sampled.examples, recipe.build.shard_images):
        result = alone(models, sample_shard(method, shard, Workbench(recipe, sampled.number, models)))
        found += [schema.candidate_row(candidate, sampled.number) for candidate in result.candidates]
    say(f"{rate}: {len(found)} candidates rated again", began)
    return found


def _models(recipe: Recipe, engine: Engine) -> Models:
    return Models(engine, load_proposer(recipe), load_judges(recipe))
