"""A recipe and examples -> how they are answered: groups of images, in which ways, and where the parts are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from clincot import protocols
from clincot.chain import prompts
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.regions.base import Proposer
from clincot.stages.evaluate import controls
from clincot.stages.evaluate.answering import Answering, Ways
from clincot.stages.evaluate.checks import checked
from clincot.stages.evaluate.controls import BLACK, SHUFFLED
from clincot.stages.evaluate.groups import Group, groups, other_images
from clincot.stages.evaluate.inference import Settings
from clincot.stages.evaluate.interventions import ways_of
from clincot.stages.evaluate.predictions import Store


def answering_of(
    recipe: Recipe,
    examples: Sequence[Example],
    proposer_load: Callable[[], Proposer],
    folder: Path,
    *,
    proposer_key: str = "",
) -> Answering:
    """Return how the examples are answered, the same in every process; it raises as `evaluate_policies` does."""
    asked = checked(examples, f"{recipe.benchmark} {recipe.evaluate.split}", recipe.evaluate.max_images)
    probes = recipe.evaluate.probes
    shuffles = SHUFFLED in recipe.evaluate.controls or "image" in probes
    stand_ins = controls.shuffled(asked, recipe.seed) if shuffles or "faithfulness" in probes else {}
    protocol, settings = protocols.load(recipe.evaluate.protocol), Settings.of(recipe)
    prompts_of = (protocol.finding_instruction, protocol.region_instruction, protocol.direct_instruction)
    report = (prompts.SHOW_FINDING_OF_REPORT, prompts.REPORT_WITH_REGION, prompts.REPORT_DIRECTLY)
    dark = ("", *(name for name in recipe.evaluate.controls if name == BLACK))
    asked_in = recipe.evaluate.inference
    plain = tuple((inference, control) for control in dark for inference in asked_in)
    own = tuple(dict.fromkeys((*plain, *ways_of(probes, asked_in, single=not stand_ins))))
    other = tuple((inference, SHUFFLED) for inference in asked_in)
    work: list[tuple[Group, Ways]] = []
    for group in groups(asked, recipe.build.shard_images):
        group.other = other_images(group, stand_ins) if stand_ins else None
        work.append((group, own))
        if group.other and shuffles:
            work.append((group.other, other))
    key = content_key(prompts_of, report, repr(settings), proposer_key)
    return Answering(
        settings=replace(settings, asking=protocol.asking),
        store=Store(folder / "parts", key, repr(protocol.asking) if protocol.asking else ""),
        work=tuple(work),
        proposer=cache(proposer_load),
        asked=tuple(asked),
    )
