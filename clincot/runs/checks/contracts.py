"""A recipe that names classes of one's own -> an error for one that lacks parts of its contract or cannot be made so.

Its classes are imported, as `kind` and `model_free` need it; nothing is loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clincot import editors, engines, judges, methods, regions
from clincot.errors import ClincotError
from clincot.objectives import OBJECTIVES
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.choices import check_parts, choose, is_outside
from clincot.recipe.parts import Train
from clincot.runs.roles import OF_POLICY


@dataclass(frozen=True)
class Contract:
    """What a class has, and the arguments that it is made with: `given` in this order, `named` by their names."""

    parts: tuple[str, ...]
    given: tuple[str, ...]
    named: tuple[str, ...] = ()


JUDGE = Contract(("rate", "reads"), ("folder",), ("name", "key", "batch_size", "threads", "scoring"))
OF_THE_POLICY = Contract(JUDGE.parts, ("engine",), ("key", "scoring"))
PROPOSER = Contract(("heat_maps",), ("folder",), ("key",))
EDITOR = Contract(("rewrite",), ("folder",))
METHOD = (("sample", ("example", "tools")), ("pair", ("example", "candidates", "draw")), ("facts", ("counts",)))
OBJECTIVE = Contract(
    ("options", "check_rows", "take", "reference", "pair_logps", "preference_losses", "train", "REFERENCE"),
    (),
    ("model", "args", "train_dataset", "data_collator", "processing_class", "peft_config"),
)
ENGINE = Contract(("generate", "score_choices", "forget"), ("base", "adapter"), ("batch_size", "threads", "images"))


def check_contracts(recipe: Recipe) -> None:
    """Raise ClincotError for the first class of one's own that its role cannot use."""
    _check_method(recipe)
    later = recipe.train.later_rounds.objective
    _check_objective("train.objective", recipe.train.objective, recipe.train)
    _check_objective("train.later_rounds.objective", later, recipe.train)
    models = recipe.models
    _check("models.policy.kind", models.policy, engines.ENGINES, ENGINE)
    if models.critic.kind != OF_POLICY:
        _check("models.critic.kind", models.critic, engines.ENGINES, ENGINE)
    _check("models.proposer.kind", models.proposer, regions.PROPOSERS, PROPOSER)
    _check("models.editor.kind", models.editor, editors.EDITORS, EDITOR)
    for judge in models.judges:
        of_policy = judges.is_model_free(judge.kind)
        _check("models.judges.kind", judge, judges.JUDGES, OF_THE_POLICY if of_policy else JUDGE)


def _check_method(recipe: Recipe) -> None:
    """What draws pairs and what the card says are called after hours of sampling, so they are looked at first."""
    name = recipe.method.name
    if not is_outside(methods.METHODS, name):
        return
    where = f"method {name}"
    _check_call(methods.load(name), ("config",), (), where, "the class")
    method = methods.of_recipe(recipe)
    for part, given in METHOD:
        _check_call(getattr(method, part), given, (), where, part)
    if not inspect.iscoroutinefunction(method.sample):
        raise ClincotError(f"{where}: sample is no `async def`, and tools are awaited. Write `async def sample`.")


def _check_objective(where: str, name: str, train: Train) -> None:
    """A trainer is made after a round was built, so what it is made with is tried first."""
    if not name or not is_outside(OBJECTIVES, name):
        return
    where = f"{where} {name}"
    found = choose(OBJECTIVES, name, where)
    check_parts(found, OBJECTIVE.parts, where)
    _check_call(found.check_rows, ("rows",), (), where, "check_rows")
    _check_call(found.options, ("train",), (), where, "options")
    try:
        options = tuple(found.options(train))
    except Exception as error:
        raise ClincotError(f"{where}: options raised {type(error).__name__}: {error}. Correct it.") from error
    _check_call(found, OBJECTIVE.given, (*OBJECTIVE.named, *options), where, "the class")


def _check(where: str, source: ModelSource, table: Mapping[str, str], contract: Contract) -> None:
    if not is_outside(table, source.kind):
        return
    where = f"{where} {source.kind}"
    found = choose(table, source.kind, where)
    direct = contract is OF_THE_POLICY
    check_parts(found, (*contract.parts, *(() if direct else ("from_pretrained",))), where)
    made = found if direct else found.from_pretrained
    _check_call(made, contract.given, contract.named, where, "the class" if direct else "from_pretrained")


def _check_call(made: Any, given: tuple[str, ...], named: tuple[str, ...], where: str, called: str) -> None:
    """Raise ClincotError where `made` does not take what it will be called with; `called` is its name for users."""
    try:
        inspect.signature(made).bind(*given, **dict.fromkeys(named))
    except TypeError as error:
        asked = ", ".join((*given, *(f"{name}=..." for name in named)))
        raise ClincotError(
            f"{where}: {called} is called with ({asked}), and does not take that: {error}."
            " docs/extending.md has a complete file."
        ) from error
