"""Stored answers by region, and the regions that a benchmark knows -> a figure of findings: right, invented, missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from clincot.metrics.findings.labeler import positives
from clincot.records import Example
from clincot.report.figures.charts import bars
from clincot.report.figures.figure import Figure, Missing, Section
from clincot.stages.evaluate import Prediction

TITLE = "Findings right and wrong"
VERDICTS = ("right", "invented", "missed")
NO_DISEASE = {"No Finding", "Support Devices"}


def findings_figure(predictions: Sequence[Prediction], examples: Mapping[str, Example]) -> Section:
    """Count what the findings of chains say about each finding that the benchmark knows, a panel for each policy."""
    known = sorted({r.finding for e in examples.values() for r in e.true_regions if labels_of(r.finding)})
    if not known:
        return Missing(TITLE, "The benchmark knows no regions of findings that the labeller of reports can name.")
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for p in predictions:
        if not p.control and p.findings and p.example_id in examples:
            counts.setdefault(p.policy, Counter()).update(_verdicts(p, examples[p.example_id], known))
    if not counts:
        return Missing(TITLE, "No answer was made with regions (evaluate.inference: region).")
    panels = tuple(
        bars(policy, {name: [found[name, v] for v in VERDICTS] for name in known}, VERDICTS, "findings of chains")
        for policy, found in counts.items()
    )
    notes = (
        "Right: a chain states a finding that the image has. Invented: the image does not have it. Missed: the image"
        " has it, the chain looked for it and does not state it.",
        "By the labeller of reports (docs/metrics.md). Each step of each question's chain counts.",
    )
    rows = tuple(
        (policy, name, verdict, found[name, verdict])
        for policy, found in counts.items()
        for name in known
        for verdict in VERDICTS
    )
    return Figure("findings", TITLE, notes, panels, ("policy", "finding", "verdict", "count"), rows)


def _verdicts(p: Prediction, example: Example, known: Sequence[str]) -> Iterator[tuple[str, str]]:
    there = {region.finding for region in example.true_regions}
    for text, looked in zip(p.findings, p.regions, strict=False):
        stated, wanted = positives(text), labels_of(looked.hypothesis)
        for name in known:
            labels = labels_of(name)
            if stated & labels:
                yield name, "right" if name in there else "invented"
            elif wanted & labels and name in there:
                yield name, "missed"


@lru_cache(1024)
def labels_of(finding: str) -> frozenset[str]:
    """Return the labels that a finding's name has by itself; empty for what the labeller does not know (an organ)."""
    return positives(f"There is a {finding.lower().replace('_', ' ')}.") - NO_DISEASE
