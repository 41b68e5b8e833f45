"""A benchmark's terms -> whether what is made of it may be pushed publicly."""

from __future__ import annotations

from clincot import benchmarks
from clincot.errors import DataError


def check_public(benchmark: str, private: bool) -> None:
    """Raise DataError for a public push of what is made from a benchmark that may not be passed on (ND, agreements)."""
    if private:
        return
    source = benchmarks.load(benchmark).source
    if not source.redistributable:
        raise DataError(
            f"--public: benchmark {benchmark} is under {source.licence}, which forbids passing on what is made of it."
            " Leave --public out: a private push holds ids, boxes, scores and model texts alone."
        )
