"""A recipe -> the models that a build needs, by the names of their pins, and which of them are the policy itself."""

from __future__ import annotations

from collections.abc import Mapping

from clincot import editors, engines, judges, methods, regions
from clincot.recipe import ModelSource, Recipe

OF_POLICY, OF_PROPOSER = "policy", "proposer"  # kinds of a critic and of a similarity: a model that is there already
TABLES: dict[str, Mapping[str, str]] = {
    "policy": engines.ENGINES,
    "critic": engines.ENGINES,
    "judge": judges.JUDGES,
    "editor": editors.EDITORS,
}


def sources_of(recipe: Recipe) -> dict[str, ModelSource]:
    """Return the models of a build by the names of their pins: the policy's base and what the method needs."""
    models, needs = recipe.models, methods.load(recipe.method.name).needs
    found = {"policy": models.policy}
    if "regions" in needs or ("similarity" in needs and models.similarity.kind == OF_PROPOSER):
        found["proposer"] = models.proposer
    if "judges" in needs:
        found |= dict(zip(judge_roles(recipe), judge_sources(recipe), strict=True))
    return found | {role: getattr(models, role) for role in ("critic", "editor", "similarity") if role in needs}


def judge_sources(recipe: Recipe) -> tuple[ModelSource, ...]:
    """Return the judges that count: all of the setting's, the first `build.judging.judges`, or the last (below 0)."""
    return tuple(recipe.models.judges[number] for number in _counted(recipe))


def judge_roles(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of their pins, by their places in the setting: `judge-2` is the second, also alone."""
    return tuple(f"judge-{number + 1}" for number in _counted(recipe))


def _counted(recipe: Recipe) -> range:
    named, count = range(len(recipe.models.judges)), recipe.build.judging.judges
    return named[count:] if count < 0 else named[: count or None]


def kinds_of(sources: Mapping[str, ModelSource]) -> list[tuple[Mapping[str, str], str]]:
    """Return the kind of every model with the table that names it; `sources` has the names of `sources_of`."""
    return [(TABLES.get(role.partition("-")[0], regions.PROPOSERS), source.kind) for role, source in sources.items()]


def asks_policy(sources: dict[str, ModelSource]) -> bool:
    """Return whether a judge or the critic is the policy itself."""
    itself = [source for role, source in sources.items() if role.startswith("judge-")]
    critic = sources.get("critic", ModelSource())
    return any(judges.is_model_free(source.kind) for source in itself) or critic.kind == OF_POLICY


def where_of(role: str) -> str:
    """Return the setting of a role by the name of its pin: `judge-1` is `models.judges[0]`."""
    kind, _, number = role.partition("-")
    return f"models.judges[{int(number) - 1}]" if kind == "judge" and number else f"models.{role}"
