"""A benchmark's name -> the benchmark that reads it; `BENCHMARKS` is the table to add one to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clincot.choices import choose

if TYPE_CHECKING:
    from clincot.benchmarks.base import Benchmark

BENCHMARKS = {
    "phantom": "clincot.benchmarks.phantom:Phantom",
    "slake": "clincot.benchmarks.slake:Slake",
    "vqa-rad": "clincot.benchmarks.vqa_rad:VqaRad",
}


def load(name: str) -> Benchmark:
    """Return the benchmark called `name`; raises ClincotError naming the nearest known one."""
    return choose(BENCHMARKS, name, "benchmark")()
