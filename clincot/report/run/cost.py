"""Facts and times of a run's stages -> a figure of what each stage cost: minutes, and work in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.report.figures.charts import bars
from clincot.report.figures.figure import Figure, Missing, Section
from clincot.report.run.lineage import STAGES, Made

TITLE = "Cost and time of each stage"
WORK = {
    "build-data": {"candidates": "texts written by the policy", "ratings": "ratings by judges"},
    "train": {"pairs": "pairs trained on", "steps": "optimizer steps"},
    "evaluate": {"predictions": "answers, controls included"},
}


def cost_figure(made: Sequence[Made], seconds: Mapping[tuple[str, str], float]) -> Section:
    """Draw minutes by stage where they were recorded, and the work that each stage did; `seconds` by (stage, tag)."""
    rows = []
    for one in made:
        stage = one.lineage.stage
        took = seconds.get((stage, one.tag))
        name = f"{one.tag} {STAGES[stage]}"
        work = counts_of(stage, one.lineage.facts)
        rows += [(name, said, work[key], took) for key, said in WORK[stage].items() if key in work]
    if not rows:
        return Missing(TITLE, "No stage has finished.")
    panels = [bars("work", {f"{name}: {said}": [count] for name, said, count, _ in rows}, ("work",), "number")]
    minutes = {name: [took / 60] for name, _, _, took in rows if took is not None}
    if minutes:
        panels.insert(0, bars("time", minutes, ("time",), "minutes"))
    notes = (
        "Minutes by the clock on the machine that did the work; of work that was cut off and resumed, the last part."
        if minutes
        else "Minutes are not known: these stages ran on another machine or with an older version.",
        "Texts that judges look ahead with are not among the texts written.",
    )
    return Figure("cost", TITLE, notes, tuple(panels), ("stage", "work", "number", "seconds"), tuple(rows))


def counts_of(stage: str, facts: Mapping[str, Any]) -> dict[str, int]:
    """Return the numbers of a stage's work that its lineage has."""
    found = {key: facts[key] for key in WORK[stage] if isinstance(facts.get(key), int)}
    rated = facts.get("rated")
    if isinstance(rated, Mapping) and isinstance(rated.get("texts"), int):
        found["ratings"] = rated["texts"]
    return found
