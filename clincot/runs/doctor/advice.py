"""A stage that does not fit -> the fewest changes, of a short list, with which its estimate would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from clincot.recipe import ModelSource, Recipe
from clincot.runs.doctor.needs import Need
from clincot.runs.doctor.stages import Plan
from clincot.runs.roles import sources_of


@dataclass(frozen=True)
class Change:
    """What a user would write, and the recipe that it makes."""

    words: str
    make: Callable[[Recipe], Recipe]


def advised(plan: Plan, need: Need) -> Need:
    """Return `need` with advice where it does not fit: one change that suffices, else the first ones of a way."""
    if need.fits(plan.machine) or not need.parts:
        return need
    ways = WAYS[need.stage]
    tried = [[change] for way in ways for change in way]
    tried += [list(way[:count]) for way in ways for count in range(2, len(way) + 1)]
    for changes in tried:
        if _fits(plan, need.stage, changes):
            return replace(need, advice="; ".join(change.words for change in changes))
    return replace(need, advice=NOTHING)


NOTHING = "no change that doctor knows is enough: a smaller model, a larger machine, or a server (kind: openai)"


def _fits(plan: Plan, stage: str, changes: list[Change]) -> bool:
    recipe = plan.recipe
    for change in changes:
        recipe = change.make(recipe)
    sources = sources_of(recipe)
    models = {role: replace(model, source=sources[role]) for role, model in plan.models.items()}
    other = Plan(recipe, models, plan.machine)
    estimate = {"build-data": other.build, "train": other.train, "evaluate": other.evaluate}[stage]
    return estimate().fits(plan.machine)


def _build(**values: int) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, build=replace(recipe.build, **values))  # type: ignore[arg-type]


def _judging(size: int) -> Callable[[Recipe], Recipe]:
    def make(recipe: Recipe) -> Recipe:
        return replace(recipe, build=replace(recipe.build, judging=replace(recipe.build.judging, batch_size=size)))

    return make


def _dpo(**values: object) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, train=replace(recipe.train, dpo={**recipe.train.dpo, **values}))


def _quantized(*roles: str) -> Callable[[Recipe], Recipe]:
    """Quantise the models of some roles; they stay on the GPU then, for quantised weights cannot take turns."""

    def smaller(source: ModelSource) -> ModelSource:
        return replace(source, load=replace(source.load, quantization="nf4"))

    def make(recipe: Recipe) -> Recipe:
        models = replace(recipe.models, resident="all")
        if "judges" in roles:
            models = replace(models, judges=tuple(map(smaller, models.judges)))
        if "policy" in roles:
            models = replace(models, policy=smaller(models.policy))
        return replace(recipe, models=models)

    return make


def _one(recipe: Recipe) -> Recipe:
    return replace(recipe, models=replace(recipe.models, resident="one"))


QUANTIZED = Change("--set models.policy.load.quantization=nf4", _quantized("policy"))
SMALL_BUILD = (
    Change("--set build.batch_size=4", _build(batch_size=4)),
    Change("--set build.judging.batch_size=4", _judging(4)),
    Change("--set build.shard_images=1", _build(shard_images=1)),
)
BY_TURNS = Change("--set models.resident=one", _one)
JUDGES = Change("load: {quantization: nf4} of each judge in the setting", _quantized("judges"))
# A stage's ways: changes that are tried alone, then together from the first on.
WAYS: dict[str, tuple[tuple[Change, ...], ...]] = {
    "build-data": ((*SMALL_BUILD, BY_TURNS), (*SMALL_BUILD, JUDGES, QUANTIZED)),
    "train": (
        (
            Change("--set train.dpo.gradient_checkpointing=true", _dpo(gradient_checkpointing=True)),
            Change(
                "--set train.dpo.per_device_train_batch_size=1 --set train.dpo.gradient_accumulation_steps=4",
                _dpo(per_device_train_batch_size=1),
            ),
            QUANTIZED,
        ),
    ),
    "evaluate": (
        (
            Change("--set evaluate.batch_size=4", lambda r: replace(r, evaluate=replace(r.evaluate, batch_size=4))),
            Change("--set build.shard_images=1", _build(shard_images=1)),
            QUANTIZED,
        ),
    ),
}
