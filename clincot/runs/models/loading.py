"""A run's pinned models -> the loaded ones that its method needs, from their snapshots or servers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, TypeVar, cast

from clincot import editors, engines, judges, methods, regions
from clincot.editors import Editor
from clincot.engines.base import Engine
from clincot.errors import ModelError
from clincot.judges.cache import CachedJudge, Known
from clincot.judges.critic import Critic
from clincot.lm.parking import Parking
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.choices import source_keys
from clincot.recipe.load import DEFAULT, Load, key_of
from clincot.records.lineage import Pin, content_key
from clincot.regions.base import Matching, Proposer
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loads import device_of_proposer, options_of, refuse_unloadable
from clincot.runs.models.pins import model_pins
from clincot.runs.models.served import reach_of, served_key
from clincot.runs.models.served_adapters import lora_of
from clincot.runs.models.towers import check_tower
from clincot.runs.roles import OF_POLICY, OF_PROPOSER, asks_policy, judge_roles, judge_sources, sources_of
from clincot.runs.run import Run
from clincot.stages.sample.serving import Models

FITTED = ("", "transformers", "vlm")  # kinds whose images are fitted as the recipe says
M = TypeVar("M")


def load_models(run: Run, pins: dict[str, Pin], parent: Adapter | None, known: Known, *, shown: int = 1) -> Models:
    """Load what the method needs from pinned snapshots; a method that is not on the policy gets none.

    `known` are the ratings that earlier versions of the round recorded; a build that was cut off knows the same again.
    `shown` is how many images an example has at most: models that see are tried with so many in a prompt.
    With `models.resident: one` each model is parked as soon as it is loaded.
    """
    build, method = run.recipe.build, methods.load(run.recipe.method.name)
    sources = sources_of(run.recipe)
    refuse_unloadable(sources)
    parking = Parking() if run.recipe.models.resident == "one" else None

    def load(adapter: Adapter | None) -> Engine:
        numbers = {"batch_size": build.batch_size, "threads": build.threads, "shown": shown}
        engine = load_policy(run, pins["policy"], adapter, **numbers)
        return _parked(parking, engine, "policy")

    wrote = load(parent) if method.on_policy or asks_policy(sources) else None
    itself, sampled_from = run.recipe.models.policy, parent.sha256 if parent else "base"
    key = reference_key(pins["policy"], sampled_from, itself.kind, itself.load, run.recipe.fit_key)["reference"]
    # What a judge or critic is for a method that samples from no policy is the base.
    base = None if method.on_policy else wrote
    if "base" in method.needs and base is None:
        base = wrote if wrote is not None and parent is None else load(None)
    proposer = load_proposer(run, run.recipe, pins.get("proposer")) if "proposer" in sources else None
    _parked(parking, proposer, "proposer")
    matches = _similarity(run, pins, proposer) if "similarity" in sources else None
    if "tower" in method.needs:
        check_tower(wrote, matches)
    return Models(
        policy=wrote if method.on_policy else None,
        proposer=proposer,
        judges=tuple(
            CachedJudge(_parked(parking, judge, f"judge {judge.name}"), known)
            for judge in _judges(run, sources, pins, wrote, key, shown)
        ),
        critic=_parked(parking, _critic(run, pins, wrote, key, known, shown), "critic")
        if "critic" in sources
        else None,
        editor=_parked(parking, _editor(run, pins), "editor") if "editor" in sources else None,
        similarity=_parked(parking, matches, "similarity"),
        base=base,
        parking=parking,
    )


def _parked(parking: Parking | None, model: M, role: str) -> M:
    return model if parking is None else parking.add(model, role)


def load_policy(
    run: Run, base: Pin, adapter: Adapter | None, *, batch_size: int, threads: int, shown: int = 1
) -> Engine:
    """Load base and adapter in process, or find them on the server that the recipe names (`kind: openai`).

    `shown` is how many images an example has at most. Raises ModelError for a policy that does not take them.
    """
    source = run.recipe.models.policy
    if source.kind in engines.SERVED:
        lora = lora_of(run, adapter) if adapter else None
        how = reach_of(run, "policy", source, batch_size) | {"images": _images(run.recipe, shown), "lora": lora}
        return engines.load(source.kind, source.repo, lora.adapter.name if lora else None, **how)
    return engines.load(
        source.kind,
        run.target.snapshot(base),
        adapter.folder if adapter else None,
        batch_size=batch_size,
        threads=threads,
        **_seen(run.recipe, source.kind, shown),
        **options_of(source),
    )


def load_proposer(run: Run, recipe: Recipe, pin: Pin | None) -> Proposer:
    """Load the proposer that the recipe names; kinds without a model have no pin."""
    folder = run.target.snapshot(pin) if pin else None
    source = recipe.models.proposer
    return regions.load(source.kind, folder, key=proposer_key(recipe, pin), **device_of_proposer(source))


def proposer_key(recipe: Recipe, pin: Pin | None) -> str:
    """Return what names the proposer's maps: its pinned weights, else its kind and the settings."""
    kind = recipe.models.proposer.kind
    written = source_keys((regions.PROPOSERS, kind))
    return pin.sha if pin else content_key(kind, recipe.build.regions, recipe.seed, *written)


def weights_key(pin: Pin, load: Load) -> str:
    """Return what names a model's results: its pinned weights, and how they are loaded where that counts."""
    return "-".join((pin.sha, *load.numbers.values()))


def reference_key(
    policy: Pin, sampled_from: str, engine: str = "", load: Load = DEFAULT, fit: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return the key under which stored reference log-probabilities are valid: these weights, engine and image fit."""
    how = (engine or "transformers", *key_of(load), *fit)
    return {"reference": content_key(policy.repo, policy.sha, sampled_from, *how)}


def _seen(recipe: Recipe, kind: str, shown: int) -> dict[str, Any]:
    """Return how many images a prompt holds at most, and how they are fitted; engines of own kinds fit their own."""
    fit = recipe.fit_facts if kind in FITTED else {}
    return {"images": _images(recipe, shown), **fit}


def _images(recipe: Recipe, shown: int) -> int:
    """Return how many images a prompt holds at most: image and crop, or the `shown` images of an example."""
    return 1 if recipe.image_layout == "canvas" else max(2, shown)


def _seeing_key(recipe: Recipe, pin: Pin, source: ModelSource) -> str:
    """Return what names the results of a model that sees images."""
    return "-".join((weights_key(pin, source.load), *(recipe.fit_key if source.kind in FITTED else ())))


def load_judges(run: Run, known: Known) -> list[CachedJudge]:
    """Load the judges that the recipe counts, outside of a build; a judge that is the policy is its base."""
    sources = dict(zip(judge_roles(run.recipe), judge_sources(run.recipe), strict=True))
    refuse_unloadable(sources)
    policy, pins = run.recipe.models.policy, model_pins(run, {"policy": run.recipe.models.policy, **sources})
    itself = None
    if asks_policy(sources):
        build = run.recipe.build
        itself = load_policy(run, pins["policy"], None, batch_size=build.batch_size, threads=build.threads)
    key = weights_key(pins["policy"], policy.load) if "policy" in pins else policy.repo
    return [CachedJudge(judge, known) for judge in _judges(run, sources, pins, itself, key, 1)]


def _judges(
    run: Run, sources: dict[str, ModelSource], pins: dict[str, Pin], policy: Engine | None, policy_key: str, shown: int
) -> Iterator[judges.ReadingJudge]:
    """Load one judge after another, so that each can be parked before the next."""
    judging = run.recipe.build.judging
    prefill = {"prefill": judging.prefill} if judging.prefill else {}  # own classes need not take one
    for role, source in sources.items():
        if not role.startswith("judge-"):
            continue
        if judges.is_model_free(source.kind):
            itself = cast(Engine, policy)
            yield judges.of_policy(source.kind, itself, key=policy_key, scoring=judging.scoring, **prefill)
            continue
        if source.kind in judges.SERVED:
            how = reach_of(run, role, source, judging.batch_size)
            how |= {"scoring": judging.scoring, "images": _images(run.recipe, shown), **prefill}
            yield judges.load(source.kind, None, name=source.repo, key=served_key(source), **how)
            continue
        sees = _seen(run.recipe, source.kind, shown) if source.kind == "vlm" else {}
        yield judges.load(
            source.kind,
            run.target.snapshot(pins[role]),
            name=source.repo,
            key=_seeing_key(run.recipe, pins[role], source),
            batch_size=judging.batch_size,
            threads=run.recipe.build.threads,
            scoring=judging.scoring,
            **prefill,
            **sees,
            **options_of(source),
        )


def _critic(run: Run, pins: dict[str, Pin], policy: Engine | None, policy_key: str, known: Known, shown: int) -> Critic:
    source, build = run.recipe.models.critic, run.recipe.build
    made = partial(Critic, scoring=build.judging.scoring, prefill=build.judging.prefill, known=known)
    if source.kind == OF_POLICY:
        return made(cast(Engine, policy), name=OF_POLICY, key=policy_key)
    if source.kind in engines.SERVED:
        how = reach_of(run, "critic", source, build.batch_size)
        served = engines.load(source.kind, source.repo, images=_images(run.recipe, shown), **how)
        return made(served, name=source.repo, key=served_key(source, served))
    engine = engines.load(
        source.kind,
        run.target.snapshot(pins["critic"]),
        batch_size=build.batch_size,
        threads=build.threads,
        **_seen(run.recipe, source.kind, shown),
        **options_of(source),
    )
    return made(engine, name=source.repo, key=_seeing_key(run.recipe, pins["critic"], source))


def _editor(run: Run, pins: dict[str, Pin]) -> Editor:
    source, build = run.recipe.models.editor, run.recipe.build
    if source.kind in editors.MODEL_FREE or "editor" not in pins and source.kind not in editors.SERVED:
        return editors.load(source.kind, None, **options_of(source))
    if source.kind in editors.SERVED:
        how = reach_of(run, "editor", source, build.batch_size)
        return editors.load(source.kind, None, name=source.repo, key=served_key(source), **how)
    folder, own = run.target.snapshot(pins["editor"]), options_of(source)
    if source.kind in editors.EDITORS:
        own |= {"name": source.repo, "key": weights_key(pins["editor"], source.load)}
        own |= {"batch_size": build.batch_size, "threads": build.threads}
    return editors.load(source.kind, folder, **own)


def _similarity(run: Run, pins: dict[str, Pin], proposer: Proposer | None) -> Matching:
    source, model = run.recipe.models.similarity, proposer
    if source.kind != OF_PROPOSER:
        pin, device = pins["similarity"], device_of_proposer(source)
        model = regions.load(source.kind, run.target.snapshot(pin), key=pin.sha, **device)
    if not isinstance(model, Matching):
        raise ModelError(f"models.similarity: {getattr(model, 'name', source.kind)} has no score of image and text.")
    return model
