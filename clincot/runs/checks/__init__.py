"""A recipe and the options of a command -> an error for what cannot work, before a Hub or a file is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import get_args

from clincot import benchmarks, editors, judges, protocols, regions
from clincot.engines import ENGINES, SERVED
from clincot.errors import ClincotError, RecipeError, did_you_mean
from clincot.hub.licences import refuse_credentialed
from clincot.hub.names import LONGEST, RULE, name_fault, owner_fault, repo_fault, revision_fault
from clincot.methods import METHODS
from clincot.objectives import OBJECTIVES
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.choices import check, trait
from clincot.recipe.own_data import is_path
from clincot.recipe.parts import Control
from clincot.recipe.plugins import Table
from clincot.recipe.rounds import of_round
from clincot.recipe.training import check_training
from clincot.runs.checks.combinations import check_combinations
from clincot.runs.checks.contracts import check_contracts
from clincot.runs.checks.loads import check_loads
from clincot.runs.checks.needs import check_needs
from clincot.runs.checks.places import check_places
from clincot.runs.checks.servers import check_served_name, check_server
from clincot.runs.roles import OF_POLICY, OF_PROPOSER

BY_POLICY = ("black_image", "shuffled_images")  # controls that a policy answers
OF_CHAINS = {"faithfulness": "changes what a chain looks at", "findings": "reads what a chain writes of its regions"}
SUFFIX = "-preferences"  # the longest that a repository of a run has after the run's name


def check_names(recipe: Recipe) -> None:
    """Raise ClincotError for a name that no table knows, a model that is lacking, values that exclude one another.

    Ranges and choices of single values were checked when the recipe was read. Imports neither torch nor transformers.
    """
    if not is_path(recipe.benchmark):  # of a folder it is restricted (benchmarks/own/terms.py)
        refuse_credentialed(recipe.benchmark)
    check(METHODS, recipe.method.name, "method")
    if recipe.benchmark not in benchmarks.BENCHMARKS:
        benchmarks.load(recipe.benchmark)
    check(OBJECTIVES, recipe.train.objective, "train.objective")
    if recipe.train.later_rounds.objective:
        check(OBJECTIVES, recipe.train.later_rounds.objective, "train.later_rounds.objective")
    of_round(recipe.train, 2)
    _check_models(recipe)
    _check_judges(recipe)
    check_contracts(recipe)
    check_needs(recipe)
    check_loads(recipe)
    _check_evaluation(recipe)
    check_training(recipe.train)
    check_combinations(recipe)
    check_places(recipe)


def check_run_name(name: str, *, given: bool) -> None:
    """Raise ClincotError for a name whose repositories no Hub would take; `given` says that --name gave it."""
    fault = name_fault(name, SUFFIX)
    if fault:
        where = f"--name {name[:LONGEST]!r}" if given else f"run name {name[:LONGEST]!r} (recipe-setting-benchmark)"
        another = "" if given else " Give another with --name."
        raise ClincotError(f"{where}: is not a repository name, it {fault}. {RULE}{another}")


def check_namespace(name: str, where: str) -> None:
    """Raise ClincotError for what can be no user or organisation."""
    fault = owner_fault(name)
    if fault:
        raise ClincotError(f"{where} {name[:LONGEST]!r}: is not a user or organisation, it {fault}. {RULE}")


def check_round(recipe: Recipe, round_: int) -> None:
    """Raise ClincotError for a round that the recipe does not have; 0 is what a command takes for all or the newest."""
    if not 0 <= round_ <= recipe.rounds:
        some = f"{recipe.rounds} round{'' if recipe.rounds == 1 else 's'}"
        known = f"1 to {recipe.rounds}, or " if recipe.rounds else ""
        raise ClincotError(
            f"--round {round_}: the recipe has {some}, each with its own part of the images."
            f" Give {known}another number of rounds with --set rounds=N."
        )


def check_controls(names: Sequence[str]) -> None:
    """Raise ClincotError for a control that needs a policy, or for an unknown one."""
    alone = [name for name in get_args(Control) if name not in BY_POLICY]
    for name in names:
        if name in BY_POLICY:
            raise ClincotError(
                f"--control {name}: a policy answers it. Leave --control out: the row is part of every evaluation."
            )
        if name not in alone:
            raise ClincotError(f"--control {name}: no such control.{did_you_mean(name, alone)}")


def check_split(where: str, benchmark: str, split: str) -> None:
    """Raise RecipeError for a split that the benchmark does not have; `where` names the value."""
    splits = benchmarks.load(benchmark).splits
    if split not in splits:
        raise RecipeError(f"{where}: benchmark {benchmark} has no split {split!r}.{did_you_mean(split, splits)}")


def check_protocols(labels: Sequence[str]) -> None:
    """Raise ClincotError for an unknown protocol to print; `all` names every one."""
    for label in labels:
        if label != protocols.ALL:
            protocols.load(label)


def _check_models(recipe: Recipe) -> None:
    models = recipe.models
    check(ENGINES, models.policy.kind or "transformers", "models.policy.kind")
    _check_source("models.policy", models.policy, needed=True)
    check_server("models.policy", models.policy, SERVED)
    if recipe.benchmark_revision:
        _check_revision("benchmark_revision", recipe.benchmark_revision)
    _check_role("models.proposer", models.proposer, regions.PROPOSERS, regions.MODEL_FREE)
    _check_role("models.critic", models.critic, ENGINES | {OF_POLICY: ""}, {OF_POLICY})
    _check_role("models.editor", models.editor, editors.EDITORS, editors.MODEL_FREE)
    matching = Table("proposers", {kind: regions.PROPOSERS[kind] for kind in regions.MATCHING})
    _check_role("models.similarity", models.similarity, matching | {OF_PROPOSER: ""}, {OF_PROPOSER})
    check_server("models.critic", models.critic, SERVED)
    check_server("models.editor", models.editor, editors.SERVED)


def _check_role(where: str, source: ModelSource, known: Mapping[str, str], free: Collection[str]) -> None:
    """Look at a role that the setting fills; kinds of `free` have no repository."""
    if source == ModelSource():
        return
    if source.kind not in free:
        check(known, source.kind, f"{where}.kind")
    _check_source(where, source, needed=not trait(known, source.kind, free, "model_free"))


def _check_judges(recipe: Recipe) -> None:
    models, count = recipe.models, recipe.build.judging.judges
    for i, judge in enumerate(models.judges):
        check(judges.JUDGES, judge.kind or "causal_lm", "models.judges.kind")
        check_server(f"models.judges[{i}]", judge, judges.SERVED)
        _check_source("models.judges", judge, needed=not judges.is_model_free(judge.kind))
    if abs(count) > len(models.judges):
        raise RecipeError(
            f"build.judging.judges: {count} of {len(models.judges)} judges cannot be counted."
            " Give 0 for all, or name more judges in the setting."
        )


def _check_source(where: str, source: ModelSource, *, needed: bool) -> None:
    if needed and not source.repo:
        kind = f" of kind {source.kind!r}" if source.kind else ""
        raise RecipeError(f"{where}.repo: a model{kind} needs its repository. Add `repo: OWNER/NAME`.")
    if source.repo and not needed:
        raise RecipeError(f"{where}.repo: {source.kind!r} reads no model. Leave it out: --set {where}.repo=")
    if source.endpoint and where in ("models.proposer", "models.similarity"):
        raise RecipeError(f"{where}.endpoint: a proposer or similarity cannot be on a server. Leave it out.")
    if source.endpoint and where != "models.policy":
        check_served_name(where, source)
    elif fault := repo_fault(source.repo) if source.repo else "":
        raise RecipeError(
            f"{where}.repo: {source.repo[:LONGEST]!r} is no repository (OWNER/NAME), it {fault}."
            " Put a folder on a Hub with `clincot hub import`, and give its name there."
        )
    _check_revision(f"{where}.revision", source.revision)


def _check_revision(where: str, revision: str) -> None:
    fault = revision_fault(revision)
    if fault:
        raise RecipeError(f"{where}: {revision[:LONGEST]!r} {fault}. Give one, for example main.")


def _check_evaluation(recipe: Recipe) -> None:
    if protocols.load(recipe.evaluate.protocol) == protocols.JUDGED:
        raise RecipeError(
            "evaluate.protocol: judges fill clincot-judge; nothing is asked by it. Set evaluate.probes=[judge]."
        )
    if "judge" in recipe.evaluate.probes and not recipe.models.judges:
        raise RecipeError("evaluate.probes: `judge` needs judges, and the setting names none. Add models.judges.")
    for probe, what in OF_CHAINS.items():
        if probe in recipe.evaluate.probes and "region" not in recipe.evaluate.inference:
            raise RecipeError(
                f"evaluate.probes: `{probe}` {what}, and evaluate.inference has no `region`. Add it, or leave the probe"
                " out."
            )
    check_split("evaluate.split", recipe.benchmark, recipe.evaluate.split)
    if "region" in recipe.evaluate.inference and recipe.models.proposer == ModelSource():
        raise RecipeError(
            "evaluate.inference: by region needs a proposer, and the setting names none. Add models.proposer, or set"
            " evaluate.inference=[direct]."
        )
