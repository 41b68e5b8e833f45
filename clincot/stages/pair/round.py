"""Stage 2: a round's stored candidates and regions -> the parquet file of its pairs, without any model; repeatable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from clincot import methods
from clincot.errors import DataError
from clincot.images.views import Gallery
from clincot.progress import bar
from clincot.recipe import Recipe
from clincot.records import Example, read_images
from clincot.rows import schema
from clincot.rows.pair_rows import Encode, pair_row
from clincot.rows.stored_candidates import candidate_of
from clincot.stages.pair.draw import Drawn, draw_pairs, over_round, without
from clincot.stages.pair.stored import Row, Stored, by_shard


@dataclass(frozen=True)
class PairJob:
    """A round to pair: its examples in shards, its rows in the order of the shards, and the file to write.

    The recipe's method draws, by the recipe's numbers; memory holds one shard. `candidates` are read from their
    beginning each time they are iterated over: a method may look at the whole round first. Pairs whose ids are
    `vetoed` are left out.
    """

    recipe: Recipe
    round: int
    shards: Sequence[Sequence[Example]]
    candidates: Iterable[Row]
    regions: Iterable[Row]
    path: Path
    vetoed: frozenset[str] = frozenset()


@dataclass
class Counts:
    """What the pairs of all shards add up to."""

    sums: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)

    def add(self, drawn: Drawn, encode: Encode) -> None:
        """Count the pairs of a shard."""
        self.drops.update(drawn.drops)
        seen = set()
        for pair in drawn.pairs:
            self.sums.update(pairs=1, cut_chosen=pair.chosen.cut, cut_rejected=pair.rejected.cut)
            self.sums.update(words_chosen=len(pair.chosen.text.split()), words_rejected=len(pair.rejected.text.split()))
            views = (*pair.views, *pair.chosen.views, *pair.rejected.views)
            seen |= {encode(pair.example_id, view) for view in views}
        self.sums.update(distinct_image_bytes=sum(map(len, seen)))

    @property
    def cut(self) -> dict[str, int]:
        return {name: self.sums[f"cut_{name}"] for name in ("chosen", "rejected")}

    def facts(self) -> dict[str, Any]:
        """Return the facts that the card shows of the pairs; `unpaired` counts by reason what gave none."""
        sums, pairs = self.sums, max(1, self.sums["pairs"])
        return {
            "pairs": sums["pairs"],
            "unpaired": dict(sorted(self.drops.items())),
            "mean_words_chosen": round(sums["words_chosen"] / pairs, 2),
            "mean_words_rejected": round(sums["words_rejected"] / pairs, 2),
            "distinct_image_bytes": sums["distinct_image_bytes"],
        }


def pair(job: PairJob, sampled: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the pairs of every shard, write them to the job's file and return the round's facts.

    `sampled` are the facts of its candidates; what was left out is counted with what sampling left out. Raises
    DataError when no pair comes out, or a crop is not the one that the round was built from.
    """
    counts = Counts()
    schema.write_parquet(_tables(job, counts), job.path, schema.PAIR_FEATURES)
    drops = Counter(sampled["drops"]) + counts.drops
    if not counts.sums["pairs"]:
        dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(drops.items()))
        raise DataError(
            f"round {job.round}: no pair came out of {sampled['questions']} questions ({dropped})."
            " Change what the counts name: the method's numbers (method.*), its judges, or the number of questions."
        )
    facts = {**sampled, **counts.facts(), "drops": dict(sorted(drops.items()))}
    if "cut_texts" in sampled:  # rounds of older versions do not say which candidates are cut
        facts["cut_texts"] = {**sampled["cut_texts"], **counts.cut}
    return facts | {"size_bytes": job.path.stat().st_size}


def _tables(job: PairJob, counts: Counts) -> Iterator[pa.Table]:
    method = over_round(methods.of_recipe(job.recipe), map(candidate_of, job.candidates))
    candidates = by_shard(job.candidates, job.shards, "example_id")
    regions = by_shard(job.regions, job.shards, "image_id")
    with bar(f"round {job.round}: drawing pairs", sum(map(len, job.shards)), "questions") as advance:
        for shard, offered, found in zip(job.shards, candidates, regions, strict=True):
            examples = read_images(shard)
            stored = Stored(examples, offered, found, Gallery(examples))
            drawn = without(draw_pairs(method, job.recipe, job.round, examples, stored.candidates), job.vetoed)
            counts.add(drawn, stored.encode)
            if drawn.pairs:
                rows = [pair_row(one, job.round, stored.encode) for one in drawn.pairs]
                yield schema.table(rows, schema.PAIR_FEATURES)
            advance(len(shard))
