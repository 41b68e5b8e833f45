"""Answers by region, and those with the crops of another image -> a few chains whose answer flips with its crops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clincot.records import Example
from clincot.stages.evaluate.interventions import CROP_DIMMED, CROP_SWAPPED
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.changed import changes_of
from clincot.stages.evaluate.results import Row

MOST = 3  # of each policy


@dataclass(frozen=True)
class Flip:
    """A chain of a policy before and after its crops were replaced by those of another image.

    Dimmed crops left the answer as it was, so that it follows what the crops show.
    """

    policy: str
    example_id: str
    findings: tuple[str, ...]
    answer: str
    swapped_findings: tuple[str, ...]
    swapped_answer: str


def flips(examples: Mapping[str, Example], rows: Mapping[Row, Sequence[Prediction]]) -> Iterator[Flip]:
    """Yield the first `MOST` chains of each policy whose answer flips, in the order of the questions."""
    for row in rows:
        if row.control or row.inference != "region":
            continue
        before = {p.example_id: p for p in rows[row] if p.box is not None}
        swapped, dimmed = (rows.get(row._replace(control=way), ()) for way in (CROP_SWAPPED, CROP_DIMMED))
        known = dict(examples)
        kept = changes_of(known, before.values(), dimmed)
        changed = changes_of(known, before.values(), swapped)
        after = {p.example_id: p for p in swapped}
        found = [name for name in before if changed.get(name) and kept.get(name) == 0]
        for name in found[:MOST]:
            one, other = before[name], after[name]
            yield Flip(row.policy, name, one.findings, one.text, other.findings, other.text)
