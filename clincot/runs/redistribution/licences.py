"""A benchmark's terms -> whether what is made of it may be pushed, and to which Hub."""

from __future__ import annotations

from clincot import benchmarks
from clincot.benchmarks.base import Source
from clincot.engines.hosts import place_fault
from clincot.errors import DataError
from clincot.runs.checks.places import privacy_of
from clincot.runs.run import Run


def check_public(benchmark: str, private: bool) -> None:
    """Raise DataError for a public push of what is made from a benchmark that may not be passed on.

    That is one under a licence that forbids it (ND, agreements), and one that is not declared public.
    """
    if not private:
        _check_source(benchmarks.load(benchmark).source)


def _check_source(source: Source) -> None:
    if not source.redistributable:
        why = source.barred or f"is under {source.licence}, which forbids passing on what is made of it"
        raise DataError(
            f"--public: benchmark {source.name} {why}."
            " Leave --public out: a private push holds ids, boxes, scores and model texts alone."
        )
    privacy = privacy_of(source)
    if privacy != "public":
        raise DataError(
            f"--public: benchmark {source.name} is {privacy}, so nothing that is made of it becomes public."
            " Leave --public out, or declare the benchmark public where it is."
        )


def check_push(run: Run, benchmark: str) -> None:
    """Raise DataError for a push of what is made from `benchmark` that its terms forbid; the target is not asked.

    What is made of a restricted one goes to a Hub on this machine or on a trusted host.
    """
    source = run.benchmark(benchmark).source
    if not run.private:
        _check_source(source)
    if privacy_of(source) == "restricted":
        fault = place_fault(run.target.endpoint, run.recipe.models.trusted_hosts)
        if fault:
            raise DataError(
                f"push to {run.target.label}: {fault}. Benchmark {source.name} is restricted: what is made of it goes"
                " to a Hub on this machine or on a trusted host alone. Use --hub local:PATH, or leave --push out."
            )
