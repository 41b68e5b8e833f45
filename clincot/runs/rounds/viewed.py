"""A round of the run, a dataset of a Hub or a folder of its files -> a page to look through its preference pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.errors import ClincotError, DataError, DiskFull
from clincot.hub import Hub
from clincot.progress import notice
from clincot.records import Example
from clincot.records.atomic import new_folder
from clincot.records.lineage import Lineage, Pin
from clincot.report.view.entries import Around, Shown, entries
from clincot.report.view.page import Heading, write_page
from clincot.runs import releases
from clincot.runs.checks.rows import ROUND, named
from clincot.runs.models.pins import examples_at
from clincot.runs.releases.cards.method import stated_in
from clincot.runs.rounds.exported import located, number_of
from clincot.runs.rounds.restore import full_rows
from clincot.runs.run import Run

PARTS = ("-candidates", "-regions")


@dataclass(frozen=True)
class Viewed:
    """A page that was written: its index.html and the number of its pairs; `sealed`: it must stay on this machine."""

    page: Path
    pairs: int
    sealed: bool


@dataclass(frozen=True)
class _Files:
    """The parquet files of a round, by part; `lines` say where they are from."""

    pairs: Sequence[Path]
    candidates: Sequence[Path] = ()
    regions: Sequence[Path] = ()
    name: str = ""
    lines: Sequence[str] = ()
    sealed: bool = False
    examples: Sequence[Example] = field(default=(), repr=False)


def view_round(run: Run, source: str, out: Path) -> Viewed:
    """Write the page of `source` (a round, REPO@REV or a folder of a dataset) to the folder `out`, new or empty.

    Raises RoundError, NotOnHub or DataError for what is absent or holds no pairs with images.
    """
    found = _find(run, source)
    around = Around.of(_rows(found.candidates), _rows(found.regions), found.examples)

    def build(keep: Callable[[bytes], Shown]) -> Iterator[dict[str, Any]]:
        return entries(_rows(found.pairs), around, keep)

    try:
        with new_folder(out) as partial:
            count = write_page(partial, Heading(found.name, found.lines, found.sealed), build)
    except OSError as error:
        raise DiskFull(
            f"{out}: cannot be written ({error.strerror or error}). Free space or name another folder."
        ) from error
    return Viewed(out / "index.html", count, found.sealed)


def _find(run: Run, source: str) -> _Files:
    if ROUND.fullmatch(source):
        return _of_run(run, source)
    folder = Path(source).expanduser()
    if folder.is_dir():
        return _in_folder(folder, "", folder.name)
    asked = named(source)
    pin = run.target.resolve("dataset", asked.repo, asked.revision)
    tag = asked.pattern or asked.revision
    return _in_folder(run.target.snapshot(pin), tag, f"{pin.repo} {asked.revision}")


def _of_run(run: Run, round_: str) -> _Files:
    hub, data = located(run, round_)
    made = releases.read_lineage(hub, data, number_of(round_))
    config, sealed = releases.tag_of(made.round), bool(made.facts.get("withheld"))
    folder = hub.snapshot(data)
    candidates, regions = (sorted((folder / f"{config}{part}").glob("*.parquet")) for part in PARTS)
    return _Files(
        full_rows(run, hub, data, made) if sealed else _in_folder(folder, config, f"{run.name} {data.revision}").pairs,
        candidates,
        regions,
        name=f"{run.name} {data.revision}",
        lines=(f"{stated_in(made).cited}. Dataset {data}.",),
        sealed=sealed,
        examples=_examples(run, hub, data, made),
    )


def _examples(run: Run, hub: Hub, data: Pin, made: Lineage) -> Sequence[Example]:
    """Return the benchmark's questions with their gold answers; nothing where the benchmark is not at hand."""
    try:
        pin = made.pins["benchmark"]
        return examples_at(run.target, run.benchmark(made.benchmark), pin, "train")
    except (ClincotError, KeyError) as error:
        notice(f"gold answers are not shown: {error}")
        return ()


def _in_folder(folder: Path, config: str, name: str) -> _Files:
    """Return the parts of a dataset's folder: of the config, or of the only one that it has."""
    at_hand = sorted({path.parent for path in folder.rglob("*.parquet")})
    configs = [path for path in at_hand if not path.name.endswith(PARTS)]
    chosen = [path for path in configs if path.name == config] or ([] if len(configs) > 1 else configs)
    if not chosen:
        have = ", ".join(path.name for path in configs) or "no parquet file"
        raise DataError(f"{name}: which round? It has {have}. Give REPO@round-1, or the folder of one round.")
    pairs = sorted(chosen[0].glob("*.parquet"))
    columns = set(pq.read_schema(pairs[0]).names)
    if not {"chosen", "rejected", "id", "example_id"} <= columns:
        raise DataError(
            f"{pairs[0]}: holds no preference pairs of clincot. Import its rows first: clincot import-rows."
        )
    if "picture_ids" in columns:
        raise DataError(
            f"{name}: its images were redacted. Name the round of your run, which restores them from your own copy."
        )
    candidates, regions = (sorted(chosen[0].with_name(chosen[0].name + part).glob("*.parquet")) for part in PARTS)
    return _Files(pairs, candidates, regions, name=name)


def _rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=256):
            yield from batch.to_pylist()
