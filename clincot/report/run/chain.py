"""Numbers of the faithfulness probe -> a figure of how often answers change when a chain's crop or finding does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.report.figures.charts import bars
from clincot.report.figures.figure import Figure, Missing, Section

TITLE = "Answers that change with their chain"
PROBE, MEASURE = "faithfulness", "answers that change"


def chain_figure(probes: Sequence[Mapping[str, Any]], command: str) -> Section:
    """Draw the share of answers that change, and that of the probe's control; `command` measures it where it lacks."""
    lines = [one for one in probes if one["probe"] == PROBE and one["measure"] == MEASURE]
    if not lines:
        return Missing(TITLE, "It was not measured whether an answer changes when the crops are swapped.", command)
    policies = list(dict.fromkeys(one["policy"] for one in lines))
    panels = tuple(
        bars(
            policy,
            {
                f"{one['what']} (control: {one['control']})": [100 * one["value"], 100 * one["control_value"]]
                for one in lines
                if one["policy"] == policy
            },
            ("changed", "control"),
            "percent of answers",
        )
        for policy in policies
    )
    notes = (
        "Percent of the answers by region that change when the crop is that of another image, when it is black, or when"
        " the finding is contradicted.",
        "The control of each changes as little as possible (docs/evaluation.md).",
    )
    header = ("policy", "changed", "control", "value", "low", "high", "control value", "difference", "n")
    keys = ("policy", "what", "control", "value", "low", "high", "control_value", "difference", "n")
    return Figure("chain", TITLE, notes, panels, header, tuple(tuple(one[key] for key in keys) for one in lines))
