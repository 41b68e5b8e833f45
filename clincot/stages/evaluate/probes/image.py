"""Answers, and those to black, shuffled and masked images -> how far they depend on the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from clincot import protocols
from clincot.records import Example
from clincot.stages.evaluate.controls import BLACK, SHUFFLED
from clincot.stages.evaluate.interventions import DIMMED, ELSEWHERE_MASKED, LESIONS_MASKED, bears_on_lesions
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.base import Line, Probed, on_common
from clincot.stages.evaluate.probes.changed import changes_of
from clincot.stages.evaluate.results import Row, Scoring

PROBE = "image"
CHANGED, LOST = "answers that change", "accuracy that is lost"
AGAINST = {BLACK: DIMMED, SHUFFLED: DIMMED, LESIONS_MASKED: ELSEWHERE_MASKED}
NAMES = {
    BLACK: "black image",
    SHUFFLED: "another image",
    DIMMED: "dimmed image",
    LESIONS_MASKED: "lesions masked",
    ELSEWHERE_MASKED: "masked elsewhere",
}
ACCURACY = next(m for m in protocols.load("clincot").measures if m.name == "accuracy")


def measure(
    examples: Mapping[str, Example], rows: Mapping[Row, Sequence[Prediction]], scoring: Scoring
) -> Iterator[Probed]:
    """Yield, per policy, inference and intervention, the answers that change and the accuracy that is lost."""
    for row in rows:
        if not row.policy or row.control:
            continue
        for name, control in AGAINST.items():
            ways = {way: rows.get(row._replace(control=way), ()) for way in (name, control)}
            kept = {way: changes_of(dict(examples), rows[row], some) for way, some in ways.items()}
            line = Line(PROBE, CHANGED, NAMES[name], NAMES[control], row.policy, row.inference)
            yield from on_common(line, scoring.resampling, examples, kept[name], kept[control])
            lost = {way: _lost(scoring, rows[row], some) for way, some in ways.items()}
            line = Line(PROBE, LOST, NAMES[name], NAMES[control], row.policy, row.inference, "points")
            yield from on_common(line, scoring.resampling, examples, lost[name], lost[control])


def notes(examples: Sequence[Example]) -> list[str]:
    """Return why masked lesions have no number, where they have none."""
    if any(map(bears_on_lesions, examples)):
        return []
    return ["probe `image`: no question is about a lesion that the benchmark knows, so masked lesions have no number"]


def _lost(scoring: Scoring, before: Sequence[Prediction], after: Sequence[Prediction]) -> dict[str, float]:
    """Return example id -> 1 where a right answer becomes wrong, -1 where a wrong one becomes right, else 0."""
    first, then = ({e.id: terms[0] for e, terms in scoring.terms(ACCURACY, some)} for some in (before, after))
    return {name: first[name] - right for name, right in then.items() if name in first}
