"""A run and a round -> the adapter that the round left, found in the run's store or on the target Hub."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from clincot.errors import RoundError
from clincot.records.lineage import OwnPin, Pin
from clincot.runs import releases
from clincot.runs.releases.content import own_pin
from clincot.runs.run import Run

WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class Adapter:
    """An adapter's pins, by commit and by content, its snapshot and the sha256 of its weights."""

    round: int
    pin: Pin
    own: OwnPin
    folder: Path
    sha256: str


def of_round(run: Run, round_: int) -> Adapter | None:
    """Return the newest adapter of `round_`, None for the base. Raises RoundError when it is missing.

    Round 0 is what the rounds start from: the base, or the adapter `sft`.
    """
    if round_ == 0 and run.start == "base":
        return None
    adapter = find(run, round_)
    if adapter is None and round_ == 0:
        raise RoundError(
            f"round 1 starts from `sft`: {run.adapter_repo} has no such tag in {run.store.label} or on"
            f" {run.target.label}. Run `clincot train --objective sft --name {run.name}` first."
        )
    if adapter is None:
        raise RoundError(
            f"round {round_ + 1} needs the adapter of round {round_}: {run.adapter_repo} has no tag"
            f" {releases.tag_of(round_)!r} in {run.store.label} or on {run.target.label}."
            f" Run `clincot train --round {round_} --name {run.name}` first."
        )
    return adapter


def find(run: Run, round_: int) -> Adapter | None:
    """Return the newest adapter of `round_` if there is one."""
    found = releases.find(run, "model", run.adapter_repo, round_)
    if found is None:
        return None
    hub, pin = found
    folder = hub.snapshot(pin)
    return Adapter(round_, pin, own_pin(hub, pin), folder, sha256_of(folder))


def all_of(run: Run) -> list[Adapter]:
    """Return the adapters of all rounds that exist, in order, up to the first that is missing; `sft` comes first."""
    start = of_round(run, 0)
    found = [start] if start else []
    rounds = 1
    while (adapter := find(run, rounds)) is not None:
        found.append(adapter)
        rounds += 1
    return found


def sha256_of(folder: Path) -> str:
    """Return the sha256 of the adapter weights in `folder`."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
