"""Answers of policies, with and without what a probe changes -> numbers about the answers, each with its control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from clincot import protocols
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes import faithfulness, findings, image, length, templates
from clincot.stages.evaluate.probes.base import Probed
from clincot.stages.evaluate.probes.flips import Flip, flips
from clincot.stages.evaluate.results import Row, Scoring

__all__ = ["Flip", "Probed", "flipped", "measured", "notes"]
Rows = Mapping[Row, Sequence[Prediction]]


def measured(recipe: Recipe, examples: Sequence[Example], rows: Rows, train: Sequence[Example]) -> tuple[Probed, ...]:
    """Return the numbers of the recipe's probes that answers alone decide, in the order of the recipe."""
    return tuple(found for probe in recipe.evaluate.probes for found in _of(probe, recipe, examples, rows, train))


def flipped(recipe: Recipe, examples: Sequence[Example], rows: Rows) -> tuple[Flip, ...]:
    """Return examples of the probe `faithfulness`: chains whose answer flips with its crops."""
    known = {example.id: example for example in examples}
    return tuple(flips(known, rows)) if "faithfulness" in recipe.evaluate.probes else ()


def notes(recipe: Recipe, examples: Sequence[Example], train: Sequence[Example]) -> list[str]:
    """Return what a reader of the numbers must know: how many questions are new, what has no number."""
    probes = recipe.evaluate.probes
    unknown = findings.notes(examples) if "findings" in probes else []
    unknown += image.notes(examples) if "image" in probes else []
    return [*unknown, *(templates.notes(examples, train) if "templates" in probes else [])]


def _of(
    probe: str, recipe: Recipe, examples: Sequence[Example], rows: Rows, train: Sequence[Example]
) -> Iterator[Probed]:
    scoring = Scoring(protocols.load("clincot"), examples, recipe.evaluate.resamples, recipe.seed)
    known = {example.id: example for example in examples}
    if probe == "templates":
        yield from templates.measure(examples, train, rows, scoring)
    elif probe == "length":
        yield from length.of_answers(known, rows, scoring.resampling)
    elif probe == "faithfulness":
        yield from faithfulness.measure(known, rows, scoring.resampling)
    elif probe == "findings":
        yield from findings.measure(known, rows, scoring.resampling)
    elif probe == "image":
        yield from image.measure(known, rows, scoring)
