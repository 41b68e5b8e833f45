"""A row, a seed and a policy -> the adapter that the row ends with, made by one training after another."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from transformers import AutoTokenizer

from clincot.records.lineage import content_key
from clincot.stages.train.dpo import TrainJob, train_adapter
from study.building import Adapter, Builder
from study.rows import Row, trainings
from study.world import World, say

REPO = "clincot/phantom-v2-policy"


@dataclass
class Trained:
    """An adapter (None: the base) and what its trainings took, one entry for each."""

    adapter: Adapter | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)


class Trainer:
    """Adapters of one policy, kept below a folder."""

    def __init__(self, world: World, builder: Builder) -> None:
        self.world, self.builder, self.folder = world, builder, world.folder / "adapters"

    def trained(self, row: Row, seed: int) -> Trained:
        """Return the row's adapter under a seed, with all that it needs."""
        made = Trained()
        for number, (parts, share) in enumerate(trainings(row.plan, self.world.sizes.rounds), start=1):
            paths = [self.builder.pairs(row, seed, part, made.adapter) for part in parts]
            factor = share * (self._tokens_matched(row, seed, paths) if row.pairs == "gold" else 1.0)
            made.adapter, facts = self._train(row, seed, number, paths, made.adapter, factor)
            made.facts.append(facts)
        return made

    def _train(
        self, row: Row, seed: int, number: int, paths: list[Path], parent: Adapter | None, factor: float
    ) -> tuple[Adapter, dict[str, Any]]:
        recipe = self.world.recipe(seed, *row.train)
        epochs = float(recipe.train.dpo.get("num_train_epochs", 3))
        recipe = self.world.recipe(seed, *row.train, f"train.dpo.num_train_epochs={epochs * factor:.4f}")
        sources = [path.parent.name + path.stem for path in paths]
        key = content_key(recipe.train, seed, number, sources, parent.key if parent else "", self.builder.weights())
        folder = self.folder / key[:16]
        if not (folder / "facts.json").is_file():
            began = time.process_time()
            before = parent.folder if parent else None
            stored = not row.pairs  # a changed row has no reference of its own
            job = TrainJob(recipe, number, tuple(paths), self.builder.policy, REPO, before, folder, stored)
            facts = train_adapter(job).facts
            (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
            say(f"training {number}: {facts['pairs']} pairs, {facts['steps']} steps", began)
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return Adapter(folder / "adapter", key), facts

    def _tokens_matched(self, row: Row, seed: int, paths: list[Path]) -> float:
        """Return how many epochs of gold texts hold the tokens of one epoch of the texts that ClinCoT chooses."""
        plain = Row("", 0)
        parts = trainings(row.plan, self.world.sizes.rounds)[0][0]
        chosen = [self.builder.pairs(plain, seed, part, None) for part in parts]
        return self._tokens(chosen) / self._tokens(paths)

    def _tokens(self, paths: list[Path]) -> int:
        tokenizer = AutoTokenizer.from_pretrained(self.builder.policy)
        texts = [text for path in paths for text in pq.read_table(path, columns=["chosen"])["chosen"].to_pylist()]
        return sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) + 1 for text in texts)
