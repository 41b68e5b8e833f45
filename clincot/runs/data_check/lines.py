"""Checked data -> lines for people, of 80 columns where what they name is short enough."""

from __future__ import annotations

from collections.abc import Iterator

from clincot.runs.data_check.check import CheckedData
from clincot.runs.data_check.finding import Finding

MODES = 4  # kinds of stored images that are listed


def lines_of(data: CheckedData) -> Iterator[str]:
    """Yield what the data hold, then faults, then notices."""
    left_out = f", {data.left_out:,} left out" if data.left_out else ""
    yield f"{data.name}: {data.rows:,} rows{left_out}; licence {data.licence or 'none declared'}; {data.privacy}"
    if data.no_public_push:
        yield f"  --public     refused: {data.name} {data.no_public_push}"
    for name, split in data.splits.items():
        patients = f", {split.patients:,} patients" if split.patients else ""
        types = ", ".join(f"{count:,} {kind}" for kind, count in split.types.items())
        yield f"  {name:10} {split.questions:,} questions ({types}), {split.images:,} images{patients}"
    if data.sizes:
        smallest, middle, largest = (f"{width}x{height}" for width, height in data.sizes)
        modes = [f"{count:,} {mode}" for mode, count in data.modes.items()]
        more = f" and {len(modes) - MODES} more" if len(modes) > MODES else ""
        yield f"  images     {smallest} to {largest}, middle {middle}; {', '.join(modes[:MODES])}{more}"
    for finding in sorted(data.findings, key=lambda one: not one.fault):
        yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{'fault' if finding.fault else 'notice'}: {finding.what} ({finding.count:,}). {finding.advice}"
    for case in finding.cases:
        yield f"  {case}"
    if finding.count > len(finding.cases):
        yield f"  and {finding.count - len(finding.cases):,} more"
