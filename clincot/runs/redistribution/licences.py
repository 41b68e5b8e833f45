"""A benchmark's terms -> whether what is made of it may be pushed, and to which Hub."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from clincot import benchmarks
from clincot.benchmarks.base import Source
from clincot.benchmarks.own import OwnData
from clincot.engines.hosts import place_fault
from clincot.errors import DataError
from clincot.images.identifiers import identifiers_of
from clincot.records import distinct_images
from clincot.records.lineage import Lineage
from clincot.runs.checks.places import privacy_of
from clincot.runs.redistribution.model_licences import check_acknowledged
from clincot.runs.run import Run


def check_public(benchmark: str, private: bool) -> None:
    """Raise DataError for a public push of what is made from a benchmark that may not be passed on.

    That is one under a licence that forbids it (ND, agreements), one that is not declared public, and own DICOM files
    that say that text is burned into their pixels.
    """
    if not private:
        loaded = benchmarks.load(benchmark)
        _check_source(loaded.source)
        if isinstance(loaded, OwnData) and loaded.folder is not None:
            _check_pixels(loaded, loaded.folder)


def _check_pixels(benchmark: OwnData, folder: Path) -> None:
    splits = benchmark.contents(folder).examples.values()
    for example, number in distinct_images(chain.from_iterable(splits)).values():
        try:
            header = identifiers_of(example.encoded(number))
        except ValueError:  # a damaged file, which is left out of everything
            continue
        if header is not None and header.burned_in:
            raise DataError(
                f"--public: {example.label_of(number)} of {benchmark.source.name} says that text is burned into its"
                " pixels, which may name a patient. `clincot benchmarks check` names all such files. Leave --public"
                " out, or cover the text and set BurnedInAnnotation to NO."
            )


def _check_source(source: Source) -> None:
    if not source.redistributable:
        why = source.barred or f"is under {source.licence}, which forbids passing on what is made of it"
        declare = " Own data declare privacy and licence in their clincot.yaml."
        raise DataError(
            f"--public: benchmark {source.name} {why}."
            " Leave --public out: a private push holds ids, boxes, scores and model texts alone."
            f"{declare if source.barred and 'agreement' not in source.barred else ''}"
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
        _check_place(run, f"Benchmark {source.name} is")


def check_release(run: Run, made: Lineage) -> None:
    """Raise DataError for a push of a release that the terms of its benchmark, its rows or its models forbid."""
    check_acknowledged(run, made.facts)
    rows = made.facts.get("imported")
    if rows is None or made.stage != "build-data":
        check_push(run, made.benchmark)
    if rows is not None:
        _check_rows(run, rows["privacy"], made.facts.get("licence", ""))


def _check_rows(run: Run, privacy: str, licence: str) -> None:
    """As `check_push`, for rows whose privacy and licence were given when they were imported."""
    if privacy == "restricted":
        _check_place(run, "The imported rows are")
    if run.private:
        return
    if privacy != "public":
        raise DataError(
            f"--public: the imported rows are {privacy}, so nothing that is made of them becomes public."
            " Leave --public out, or import them again with --privacy public where they are."
        )
    if not licence or "-nd" in licence.lower():
        why = f"are under {licence}, which forbids passing on what is made of them" if licence else "have no licence"
        raise DataError(f"--public: the imported rows {why}. Leave --public out, or import them with --licence.")


def _check_place(run: Run, what: str) -> None:
    """Raise DataError where the target is neither on this machine nor on a trusted host."""
    fault = place_fault(run.target.endpoint, run.recipe.models.trusted_hosts)
    if fault:
        raise DataError(
            f"push to {run.target.label}: {fault}. {what} restricted: what is made of it goes to a Hub on this machine"
            " or on a trusted host alone. Use --hub local:PATH, or leave --push out."
        )
