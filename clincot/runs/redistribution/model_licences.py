"""The models of a round -> their licences for its lineage, a warning, and what keeps a release private."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from clincot import methods
from clincot.errors import DataError, NotOnHub
from clincot.hub import Hub
from clincot.hub.model_cards import ModelTerms, read_terms
from clincot.progress import notice
from clincot.recipe import ModelSource
from clincot.records.lineage import Lineage, Pin
from clincot.runs.redistribution.clauses import CLAUSES, clauses_of
from clincot.runs.roles import asks_policy, sources_of, where_of
from clincot.runs.run import Run

FACT, ACKNOWLEDGED = "model_licences", "acknowledged_licences"


def licence_facts(
    hub: Hub, sources: Mapping[str, ModelSource], pins: Mapping[str, Pin], *, policy_writes: bool
) -> dict[str, Any]:
    """Return the fact of a lineage with the licence of every role's model, by role.

    `clauses` are the names of those on its outputs. `decides`: its texts, scores or regions are in the rows, or decide
    which are there. A model on a server has no card here.
    """
    found = {}
    for role, source in sources.items():
        if source.repo:
            terms = read_terms(hub, pins[role]) if role in pins else ModelTerms(source.repo)
            clauses = [clause.name for clause in clauses_of(terms)]
            decides = role != "policy" or policy_writes
            found[role] = terms.to_facts() | {"stated": terms.stated, "clauses": clauses, "decides": decides}
    return {FACT: found} if found else {}


def licences_of(run: Run, pins: Mapping[str, Pin], *, sampled: bool) -> dict[str, Any]:
    """Return the facts of a round that is built from `pins`; `sampled`: the policy writes texts."""
    sources = sources_of(run.recipe)
    facts = licence_facts(run.target, sources, pins, policy_writes=sampled or asks_policy(sources))
    return facts | acknowledged(run, facts)


def handed_on(made: Lineage) -> dict[str, Any]:
    """Return the facts about licences that the pairs of a round hand on: to an adapter, to pairs drawn again."""
    return {name: made.facts[name] for name in (FACT, ACKNOWLEDGED) if name in made.facts}


def of_adapter(run: Run, base: Pin, made: Lineage | None = None) -> dict[str, Any]:
    """Return the facts of an adapter of `base` that was trained on the pairs `made`, or on gold answers."""
    policy = {"policy": run.recipe.models.policy}
    facts = licence_facts(run.target, policy, {"policy": base}, policy_writes=False)
    facts |= handed_on(made) if made else {}
    return facts | acknowledged(run, facts)


def acknowledged(run: Run, facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the fact of what is acknowledged of the clauses in `facts`, by this command or before."""
    given = {*run.acknowledged, *facts.get(ACKNOWLEDGED, ())}
    names = sorted(given & set(_bound(facts)))
    return {ACKNOWLEDGED: names} if names else {}


def with_acknowledged(run: Run, made: Lineage) -> Lineage:
    """Return the lineage that a push publishes: with what this command acknowledges."""
    return replace(made, facts={**made.facts, **acknowledged(run, made.facts)})


def warn_of_clauses(facts: Mapping[str, Any]) -> None:
    """Print a warning for each clause on outputs that become training data, once in a process."""
    models = facts.get(FACT, {})
    for clause in CLAUSES:
        roles = [role for role, one in models.items() if one["decides"] and clause.name in one["clauses"]]
        if roles:
            named = ", ".join(f"{where_of(role)} {models[role]['repo']}" for role in roles)
            same = clause.family and clause.name in models.get("policy", {}).get("clauses", ())
            own = " The policy is one of these models; whoever trains another on the rows breaks it." if same else ""
            public = f" --public needs --acknowledge-licence {clause.name}." if clause.binds else ""
            _once(f"WARNING: licence {clause.name} of {named}: {clause.says}.{own}{public} Read the licence itself.")


def check_acknowledged(run: Run, facts: Mapping[str, Any]) -> None:
    """Raise DataError for a public push of what was made with outputs under a clause that nobody acknowledged."""
    if run.private:
        return
    known = acknowledged(run, facts).get(ACKNOWLEDGED, [])
    for name, repos in _bound(facts).items():
        if name not in known:
            clause = next(clause for clause in CLAUSES if clause.name == name)
            raise DataError(
                f"--public: {', '.join(repos)} is under licence {name}: {clause.says}. Its outputs decided what would"
                f" be public. Read the licence; then give --acknowledge-licence {name}, use other models"
                " (--setting permissive), or leave --public out."
            )


def check_models(run: Run) -> None:
    """As `check_acknowledged`, for what the recipe would make; a model that is absent yet counts by its name."""
    if run.private:
        return
    pins = {role: pin for role, source in sources_of(run.recipe).items() if (pin := _pin(run, role, source))}
    sampled = methods.load(run.recipe.method.name).on_policy
    check_acknowledged(run, licences_of(run, pins, sampled=sampled))


def _pin(run: Run, role: str, source: ModelSource) -> Pin | None:
    served = bool(source.endpoint) and role != "policy"
    try:
        return None if served or not source.repo else run.target.resolve("model", source.repo, source.revision)
    except NotOnHub:
        return None


def _bound(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the binding clauses on outputs that become training data, each with the models under it."""
    models = [one for one in facts.get(FACT, {}).values() if one["decides"]]
    binding = (clause.name for clause in CLAUSES if clause.binds)
    named = {name: sorted({one["repo"] for one in models if name in one["clauses"]}) for name in binding}
    return {name: repos for name, repos in named.items() if repos}


@cache
def _once(message: str) -> None:
    notice(message)
