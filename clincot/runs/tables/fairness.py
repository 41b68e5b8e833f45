"""A run's lineages -> what a row was given: gold answers, pairs, optimizer steps, model calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clincot import methods
from clincot.records.lineage import Lineage
from clincot.runs import releases
from clincot.runs.releases import tag_of
from clincot.runs.run import Run
from clincot.runs.tables.stored import Facts

CHOSEN, JUDGED, TRAINED, READ = "as chosen texts", "read by judges", "by SFT", "read by the method"


def facts_of(run: Run, rounds: int, seen: Mapping[str, Any], before: Facts | None = None) -> dict[str, Facts]:
    """Return facts by policy, each with those of the policies before it; `seen` counts test images by policy.

    `before` are facts of the row whose merged model the run starts from.
    """
    own = (READ,) if getattr(methods.load(run.recipe.method.name), "reads_gold", False) else ()
    found = {"base": replace(before or Facts(), seen=_count(seen, "base"))}
    total = found["base"]
    if run.start == "sft":
        start = _lineage(run, "model", run.adapter_repo, 0)
        total = found["sft"] = Facts((TRAINED,), 0, int(start.facts.get("steps", 0)), seen=_count(seen, "sft"))
    for round_ in range(1, rounds + 1):
        built = _lineage(run, "dataset", run.preferences_repo, round_).facts
        trained = _lineage(run, "model", run.adapter_repo, round_).facts
        calls = built.get("calls", {})
        tag = tag_of(round_)
        total = found[tag] = Facts(
            tuple(dict.fromkeys((*total.gold, *_gold(built), *own))),
            total.pairs + int(trained["pairs"]),
            total.steps + int(trained["steps"]),
            total.texts + calls.get("generated_texts", 0),
            total.ratings + calls.get("scored_choices", 0) + built.get("rated", {}).get("similarities", 0),
            _count(seen, tag),
        )
    return found


def _gold(built: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where gold answers entered a round: as texts of pairs, or before the judges' eyes."""
    sources, rated = built.get("candidate_sources", {}), built.get("rated", {})
    judged = rated.get("with_reference") or rated.get("critic_with_reference")
    return ((CHOSEN,) if sources.get("gold") else ()) + ((JUDGED,) if judged else ())


def _count(seen: Mapping[str, Any], policy: str) -> int | None:
    names = seen.get(policy, ())
    return None if names is None else len(names)


def _lineage(run: Run, kind: Any, repo: str, round_: int) -> Lineage:
    found = releases.find(run, kind, repo, round_)
    assert found is not None  # the caller has just made it
    return releases.read_lineage(*found, round_, run.start)
