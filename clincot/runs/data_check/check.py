"""A benchmark or own data -> what they hold and what is wrong with it, before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from statistics import median_low

from clincot.benchmarks.base import Source
from clincot.records import Example, distinct_images
from clincot.runs.data_check.finding import Finding
from clincot.runs.data_check.held import Held
from clincot.runs.data_check.images import Looked, image_findings, look
from clincot.runs.data_check.names import name_findings
from clincot.runs.data_check.splits import split_findings


@dataclass(frozen=True)
class Split:
    """What a split holds; `types` counts its questions by type of answer."""

    questions: int
    images: int
    patients: int
    types: dict[str, int]


@dataclass(frozen=True)
class CheckedData:
    """What data hold. `sizes`: smallest, middle and largest image by pixels; `modes`: images by how they are stored.

    `no_public_push` says why nothing made of the data may be public, "" where it may. `findings` are faults, which end
    the command with exit code 2, and notices.
    """

    name: str
    licence: str
    privacy: str
    no_public_push: str
    rows: int
    left_out: int
    splits: dict[str, Split]
    sizes: tuple[tuple[int, int], ...]
    modes: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> int:
        """Return the number of faults."""
        return sum(finding.fault for finding in self.findings)


def check_data(held: Held, *, progress: Callable[[], None] = lambda: None) -> CheckedData:
    """Look at every image and text once; `progress` is called after each image. Raises nothing for what it finds."""
    looked: dict[str, Looked] = {}
    for image_id, (example, number) in distinct_images(chain.from_iterable(held.splits.values())).items():
        looked[image_id] = look(example, number)
        progress()
    shown = sorted((one.size for one in looked.values() if one.size), key=lambda size: size[0] * size[1])
    findings = (
        *_rows_left_out(held),
        *image_findings(held.splits, looked),
        *split_findings(held.splits, held.patients, looked),
        *name_findings(held, looked),
    )
    return CheckedData(
        name=held.source.name,
        licence=held.source.licence,
        privacy=held.source.privacy,
        no_public_push=_no_public_push(held.source),
        rows=held.rows or sum(map(len, held.splits.values())),
        left_out=len(held.left_out),
        splits={name: _split(examples, held.patients) for name, examples in held.splits.items()},
        sizes=(shown[0], median_low(shown), shown[-1]) if shown else (),
        modes=dict(Counter(one.mode for one in looked.values() if one.mode).most_common()),
        findings=tuple(findings),
    )


def _no_public_push(source: Source) -> str:
    if source.barred or not source.redistributable:
        return source.barred or f"is under {source.licence}"
    return "" if source.privacy == "public" else f"is {source.privacy}"


def _split(examples: list[Example], patients: Mapping[str, str]) -> Split:
    return Split(
        questions=len(examples),
        images=len(distinct_images(examples)),
        patients=len({patients[example.id] for example in examples if example.id in patients}),
        types=dict(Counter(example.answer_type for example in examples).most_common()),
    )


def _rows_left_out(held: Held) -> tuple[Finding, ...]:
    why = [f"{where}: {reason}" for where, reason in held.left_out]
    return Finding.of(False, "rows are left out", why, "Correct them, or leave them out for good.")
