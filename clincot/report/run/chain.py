"""Numbers and examples of the faithfulness probe -> a figure of how often answers change, and chains that flip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from clincot.images.crops import crop
from clincot.records import Example
from clincot.report.figures.charts import bars
from clincot.report.figures.figure import Figure, Missing, Section, Shown
from clincot.report.fragments.drawn import outlined
from clincot.report.fragments.markup import block, figure, fitted, line, row
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes import Flip

TITLE = "Answers that change with their chain"
PROBE, MEASURE = "faithfulness", "answers that change"
FLIPS = "Chains whose answer flips with their crops"
SIDE, CROP = 256, 96  # pixels of the longer side of an image and of a crop


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


def flips_part(
    flips: Sequence[Flip],
    examples: Mapping[str, Example],
    predictions: Sequence[Prediction],
    images: Mapping[str, Image.Image],
) -> Section:
    """Show each chain with what it looked at, what it said, and what it said of the crops of another image."""
    looked = {(p.policy, p.example_id): p for p in predictions if p.inference == "region" and not p.control}
    known = [one for one in flips if one.example_id in images and (one.policy, one.example_id) in looked]
    if not known:
        return Missing(FLIPS, "No answer that was probed flips with its crops, or its image is not at hand.")
    pieces = [
        _flip(one, examples[one.example_id], looked[one.policy, one.example_id], images[one.example_id])
        for one in known
    ]
    note = "<p>The same question, with the crops of the same places of another image. Dimmed crops changed nothing.</p>"
    return Shown(FLIPS, note + "".join(pieces))


def _flip(flip: Flip, example: Example, before: Prediction, image: Image.Image) -> str:
    regions = list(dict.fromkeys(before.regions))
    whole = figure(outlined(image, regions, fitted(image, SIDE)), "what it looked at", SIDE)
    crops = [figure(crop(image, one.box, None), one.hypothesis, CROP) for one in regions]
    said = [
        line("question", example.question),
        line("gold answer", example.answer),
        *(line(f"finding {number}", text) for number, text in enumerate(flip.findings, 1)),
        line("answer", flip.answer),
        *(line(f"finding {number}, crops swapped", text) for number, text in enumerate(flip.swapped_findings, 1)),
        line("answer, crops swapped", flip.swapped_answer),
    ]
    return block(f"{flip.policy}, {flip.example_id}", [row([whole, *crops, f"<div>{''.join(said)}</div>"])])
