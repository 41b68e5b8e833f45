"""A benchmark's name -> the benchmark that reads it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from clincot.errors import ClincotError, did_you_mean

if TYPE_CHECKING:
    from clincot.benchmarks.base import Benchmark

BENCHMARKS = {
    "phantom": "clincot.benchmarks.phantom:Phantom",
    "slake": "clincot.benchmarks.slake:Slake",
    "vqa-rad": "clincot.benchmarks.vqa_rad:VqaRad",
}


def load(name: str) -> Benchmark:
    """Return the benchmark called `name`; raises ClincotError naming the nearest known one."""
    if name not in BENCHMARKS:
        raise ClincotError(f"benchmark {name!r}: no such benchmark.{did_you_mean(name, BENCHMARKS)}")
    module, attribute = BENCHMARKS[name].split(":")
    return getattr(import_module(module), attribute)()
