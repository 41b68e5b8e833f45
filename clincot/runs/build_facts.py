"""A recipe, a benchmark's source and the counts of a round -> the facts in its lineage that its card shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot import methods
from clincot.benchmarks.base import Source
from clincot.recipe import ModelSource, Recipe
from clincot.runs.releases.cards.method import stated_by


def facts_of(recipe: Recipe, source: Source, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return `counts` of a round and what the card says of its source, its judges and what its method did."""
    method, facts = methods.of_recipe(recipe), {**counts, **_settings(recipe, source)}
    if "judges" in method.needs:
        facts |= _judging(recipe)
    return facts | {"method": stated_by(method, facts).to_facts()}


def _settings(recipe: Recipe, source: Source) -> dict[str, Any]:
    return {
        "source": source.repo,
        "licence": source.licence,
        "languages": list(source.languages),
        "partition": {"rounds": recipe.rounds, "seed": recipe.seed, "unit": "image"},
        "pairing": pairing_of(recipe),
        "views": recipe.views,
    }


def _judging(recipe: Recipe) -> dict[str, Any]:
    judging = recipe.build.judging
    shown = {"context": judging.context, "sees_reference": judging.context == "reference"}
    return {
        "judging": {"context": judging.context, "readout": judging.readout, "consensus": judging.consensus},
        "judges": [{"repo": judge.repo or judge.kind} | shown for judge in judge_sources(recipe)],
    }


def pairing_of(recipe: Recipe) -> dict[str, Any]:
    """Return how scored candidates became pairs: what `--repair-pairs` may change."""
    build = recipe.build
    undivided: dict[str, Any] = {} if build.lookahead.normalise else {"normalise": False}
    return undivided | {
        "pairs_per_step": build.pairs_per_step,
        "min_gap": build.min_gap,
        "pair_scope": build.pair_scope,
        "cut_texts": build.cut_texts,
        "gamma": build.lookahead.gamma,
        "consensus": build.judging.consensus,
        "judges": build.judging.judges,
    }


def judge_sources(recipe: Recipe) -> tuple[ModelSource, ...]:
    """Return the judges that count: all of the setting's, or the first `build.judging.judges`."""
    return recipe.models.judges[: recipe.build.judging.judges or None]
