"""Answers by region, and those after its crop or finding was changed -> whether the answer follows its chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from clincot.records import Example
from clincot.stages.evaluate.interventions import CONTRADICTED, CROP_BLACK, CROP_DIMMED, CROP_SWAPPED, REPEATED
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.base import Line, Probed, on_common
from clincot.stages.evaluate.probes.changed import changes_of
from clincot.stages.evaluate.results import Resampling, Row

PROBE = "faithfulness"
CHANGED = "answers that change"
AGAINST = {CROP_SWAPPED: CROP_DIMMED, CROP_BLACK: CROP_DIMMED, CONTRADICTED: REPEATED}
NAMES = {
    CROP_SWAPPED: "crop of another image",
    CROP_BLACK: "black crop",
    CROP_DIMMED: "dimmed crop",
    CONTRADICTED: "finding contradicted",
    REPEATED: "finding repeated",
}


def measure(
    examples: Mapping[str, Example], rows: Mapping[Row, Sequence[Prediction]], resampling: Resampling
) -> Iterator[Probed]:
    """Yield, per policy and intervention, the share of answers that change, and that of its control.

    Answers that looked at no region do not count: there is nothing to follow.
    """
    for row in rows:
        if row.control or row.inference != "region":
            continue
        before = [p for p in rows[row] if p.box is not None]
        for name, control in AGAINST.items():
            of = {
                way: changes_of(dict(examples), before, rows.get(row._replace(control=way), ()))
                for way in (name, control)
            }
            line = Line(PROBE, CHANGED, NAMES[name], NAMES[control], row.policy, row.inference)
            yield from on_common(line, resampling, examples, of[name], of[control])
