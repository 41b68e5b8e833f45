"""A recipe, a benchmark's source and the counts of a round -> the facts in its lineage that its card shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot import methods
from clincot.benchmarks.base import Source
from clincot.recipe import Recipe
from clincot.recipe.choices import code_of
from clincot.recipe.public_values import without_places
from clincot.runs.models.loads import load_facts
from clincot.runs.releases.cards.method import stated_by
from clincot.runs.roles import judge_sources, sources_of


def facts_of(recipe: Recipe, source: Source, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return `counts` of a round and what the card says of its source, its judges and what its method did."""
    method, facts = methods.of_recipe(recipe), {**counts, **_settings(recipe, source)}
    rated = counts.get("rated")
    if "judges" in method.needs and (rated is None or rated.get("texts")):
        facts |= _judging(recipe, rated)
    own, name = stated_by(method, facts).to_facts(), recipe.method.name
    code = code_of(methods.METHODS, name)
    return facts | {"method": own | ({"code": code} if code else {})}


def _settings(recipe: Recipe, source: Source) -> dict[str, Any]:
    return {
        "source": source.repo,
        "licence": source.licence,
        **({"barred": source.barred} if source.barred else {}),
        "languages": list(source.languages),
        "partition": {"rounds": recipe.rounds, "seed": recipe.seed, "unit": "image"},
        "image_layout": recipe.image_layout,
        **recipe.fit_facts,
        **load_facts(sources_of(recipe)),
    }


def _judging(recipe: Recipe, rated: Mapping[str, int] | None) -> dict[str, Any]:
    """Return what the judges read, by the counts of what a method showed them; a round without them says its recipe."""
    judging = recipe.build.judging
    context: str = judging.context
    if rated is not None:
        context = "reference" if rated.get("with_reference") else "facts" if rated.get("with_region") else "blind"
    shown = {"context": context, "sees_reference": context == "reference"}
    begun = {"prefill": judging.prefill} if judging.prefill else {}
    return {
        "judging": {"context": context, "scoring": judging.scoring, "consensus": judging.consensus, **begun},
        "judges": [{"repo": without_places(judge.repo or judge.kind)} | shown for judge in judge_sources(recipe)],
    }
