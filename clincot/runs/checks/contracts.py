"""A recipe that names classes of one's own -> an error for one that lacks parts of its contract or cannot be made so.

Its classes are imported, as `kind` and `model_free` need it; nothing is loaded. A method is looked at where it is
loaded, an objective by its trainer.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from clincot import editors, engines, judges, regions
from clincot.errors import ClincotError
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.choices import check_parts, choose, is_outside
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
ENGINE = Contract(("generate", "score_choices", "forget"), ("base", "adapter"), ("batch_size", "threads", "images"))


def check_contracts(recipe: Recipe) -> None:
    """Raise ClincotError for the first class of one's own that its role cannot use."""
    models = recipe.models
    _check("models.policy.kind", models.policy, engines.ENGINES, ENGINE)
    if models.critic.kind != OF_POLICY:
        _check("models.critic.kind", models.critic, engines.ENGINES, ENGINE)
    _check("models.proposer.kind", models.proposer, regions.PROPOSERS, PROPOSER)
    _check("models.editor.kind", models.editor, editors.EDITORS, EDITOR)
    for judge in models.judges:
        of_policy = judges.is_model_free(judge.kind)
        _check("models.judges.kind", judge, judges.JUDGES, OF_THE_POLICY if of_policy else JUDGE)


def _check(where: str, source: ModelSource, table: Mapping[str, str], contract: Contract) -> None:
    if not is_outside(table, source.kind):
        return
    where = f"{where} {source.kind}"
    found = choose(table, source.kind, where)
    direct = contract is OF_THE_POLICY
    check_parts(found, (*contract.parts, *(() if direct else ("from_pretrained",))), where)
    made = found if direct else found.from_pretrained
    try:
        inspect.signature(made).bind(*contract.given, **dict.fromkeys(contract.named))
    except TypeError as error:
        called = "the class" if direct else "from_pretrained"
        asked = ", ".join((*contract.given, *(f"{name}=..." for name in contract.named)))
        raise ClincotError(
            f"{where}: {called} is called with ({asked}), and does not take that: {error}."
            " docs/extending.md has a complete file."
        ) from error
