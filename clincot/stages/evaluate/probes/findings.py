"""Findings of chains and the regions that they are about -> whether a finding says what its region shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from clincot.chain.hypotheses import GENERAL
from clincot.metrics.findings.labeler import stated_findings
from clincot.metrics.reading.words import is_chinese
from clincot.metrics.scoring.grounding import against_boxes
from clincot.records import Box, Example
from clincot.stages.evaluate.grounding import true_regions
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.base import MEAN, Line, Probed
from clincot.stages.evaluate.results import Resampling, Row, Scored, Term

PROBE = "findings"
NAMED, GAIN = "findings that name what they looked for", "share named where shown, minus share named elsewhere"
INSIDE = 0.5  # of a true region's pixels: with as many its crop shows it, with none it does not, between is left out


def measure(
    examples: Mapping[str, Example], rows: Mapping[Row, Sequence[Prediction]], resampling: Resampling
) -> Iterator[Probed]:
    """Yield, per policy, how often a finding names its hypothesis where the region shows it, and where it does not.

    The difference of the two is Youden's J: 1 for findings that follow their regions, 0 for a sentence that is the same
    everywhere. Later policies are then compared with the first by it.
    """
    if not any(example.true_regions for example in examples.values()):
        return
    shares: dict[str, Scored] = {}
    for row, predictions in rows.items():
        if row.control or row.inference != "region":
            continue
        shown, elsewhere = (resampling.score(terms, MEAN) for terms in _terms(examples, predictions))
        if shown is None or elsewhere is None:
            continue
        ways = ("region shows it", "region shows none of it")
        line = Line(PROBE, NAMED, *ways, row.policy, row.inference, of="findings")
        yield line.probed(shown, elsewhere)
        draws, n = shown.draws - elsewhere.draws, shown.n + elsewhere.n
        shares[row.policy] = Scored(shown.value - elsewhere.value, draws, n)
    first = next(iter(shares), "")
    for policy in (name for name in shares if name != first):
        control = "the base's" if first == "base" else f"{first}'s"
        line = Line(PROBE, GAIN, "the adapter's", control, policy, "region", "points", "findings")
        yield line.probed(shares[policy], shares[first])


def notes(examples: Sequence[Example]) -> list[str]:
    """Return why the probe has no number, where it has none."""
    known = any(example.true_regions for example in examples)
    return [] if known else ["probe `findings`: the benchmark knows no true region, so it has no number"]


def _terms(examples: Mapping[str, Example], predictions: Sequence[Prediction]) -> tuple[list[Term], list[Term]]:
    """Return the terms (named, 1) of findings whose region shows what they looked for, and of those that show none."""
    shown: list[Term] = []
    elsewhere: list[Term] = []
    for prediction in (p for p in predictions if p.example_id in examples):
        example = examples[prediction.example_id]
        for text, looked in zip(prediction.findings, prediction.regions, strict=False):
            named, there = states(text, looked.hypothesis), _shown(example, looked.hypothesis, looked.box)
            if named is not None and there is not None:
                (shown if there else elsewhere).append((example, (float(named), 1.0)))
    return shown, elsewhere


def _shown(example: Example, hypothesis: str, box: Box) -> bool | None:
    """Return whether the box shows what was looked for: half of one of its true regions; None for less than half."""
    areas = [against_boxes(box, [region.box]) for region in true_regions(example, hypothesis)]
    inside = max((area.both / area.true for area in areas if area.true), default=0.0)
    return True if inside >= INSIDE else None if inside else False


@lru_cache(4096)
def states(text: str, hypothesis: str) -> bool | None:
    """Return whether a finding says that what was looked for is there; None where the labels cannot tell.

    The reading is that of the report metrics (14 CheXpert labels, by rules, English); what is doubted counts as said.
    "Lesion" and "disease" are any of them.
    """
    if is_chinese(text):
        return None
    said = stated_findings(text)
    if hypothesis in GENERAL:
        return bool(said)
    labels = stated_findings(f"There is {hypothesis}.")
    return bool(said & labels) if labels else None
