"""A round of the run, a dataset of a Hub or a folder of its files -> its pairs, and what is known around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.errors import ClincotError, DataError
from clincot.hub import Hub, parse_lineages
from clincot.hub.round_files import is_lineage
from clincot.progress import notice
from clincot.records import Example
from clincot.records.lineage import PAIRED_FROM, Lineage, Pin
from clincot.report.view.entries import Around
from clincot.report.view.page import Heading
from clincot.runs import releases
from clincot.runs.checks.rows import ROUND, named
from clincot.runs.models.pins import examples_at
from clincot.runs.redistribution import redacted
from clincot.runs.releases.cards.method import stated_in
from clincot.runs.releases.tags import name_of
from clincot.runs.rounds.exported import located, number_of
from clincot.runs.rounds.restore import full_rows
from clincot.runs.run import Run
from clincot.stages.sample.shards import MAPS

PARTS = ("-candidates", "-regions")
NO_MAPS = (
    "No heat maps: the folder of the run that built a round keeps them, its dataset does not. Builds of older versions"
    " and methods that look for no hypothesis have none."
)


@dataclass(frozen=True)
class ViewedSource:
    """The parquet files of a round, by part; `lines` say where they are from.

    `sealed`: images and reference texts must stay on this machine. `data` and `made` are absent for a folder, and
    `made` for a dataset without a lineage.
    """

    pairs: Sequence[Path]
    candidates: Sequence[Path] = ()
    regions: Sequence[Path] = ()
    name: str = ""
    lines: Sequence[str] = ()
    sealed: bool = False
    examples: Sequence[Example] = field(default=(), repr=False)
    maps_file: Path | None = None
    data: Pin | None = None
    made: Lineage | None = None

    def heading(self, *, maps: bool) -> Heading:
        """Return what the page says at its top; `maps` says whether the round has heat maps."""
        lines = [*self.lines, *([] if maps else [NO_MAPS])]
        number = self.made.round if self.made else None
        return Heading(self.name, lines, self.sealed, number, str(self.data or ""))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the pairs."""
        return rows_of(self.pairs)

    def around(self) -> Around:
        """Return candidates, regions and examples as the page looks them up."""
        offered: Iterable[dict[str, Any]] = rows_of(self.candidates)
        if self.sealed and self.examples:
            references = redacted.References.of(self.examples)
            offered = (redacted.shown(row, references) for row in offered)
        return Around.of(offered, rows_of(self.regions), self.examples)

    def maps(self) -> dict[str, dict[str, bytes]]:
        """Return the heat maps that the build kept, by image and hypothesis."""
        found: dict[str, dict[str, bytes]] = {}
        if self.maps_file is not None and self.maps_file.is_file():
            for row in rows_of([self.maps_file]):
                found.setdefault(row["image_id"], {})[row["hypothesis"]] = row["map"]
        return found


def find_source(run: Run, source: str) -> ViewedSource:
    """Find a round (1, round-1-v2), REPO@REV or a folder of a dataset.

    Raises RoundError, NotOnHub or DataError for what is absent or holds no pairs with images.
    """
    if ROUND.fullmatch(source):
        return _of_run(run, source)
    folder = Path(source).expanduser()
    if folder.is_dir():
        return _in_folder(folder, "", folder.name)
    asked = named(source)
    pin = run.target.resolve("dataset", asked.repo, asked.revision)
    tag = asked.pattern or asked.revision
    found = _in_folder(run.target.snapshot(pin), tag, f"{pin.repo} {asked.revision}")
    return replace(found, data=pin, made=_lineage(run.target, pin, found.pairs[0].parent.name))


def rows_of(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield the rows of parquet files as plain values."""
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=256):
            yield from batch.to_pylist()


def _of_run(run: Run, round_: str) -> ViewedSource:
    hub, data = located(run, round_)
    made = releases.read_lineage(hub, data, number_of(round_))
    config, sealed = releases.tag_of(made.round), bool(made.facts.get("withheld"))
    folder, name = hub.snapshot(data), f"{run.name} {data.revision}"
    candidates, regions = (sorted((folder / f"{config}{part}").glob("*.parquet")) for part in PARTS)
    built = made.facts.get(PAIRED_FROM, {}).get("tag", data.revision)
    return ViewedSource(
        full_rows(run, hub, data, made) if sealed else _in_folder(folder, config, name).pairs,
        candidates,
        regions,
        name=name,
        lines=(f"{stated_in(made).cited}. Dataset {data}.",),
        sealed=sealed,
        examples=_examples(run, made),
        maps_file=run.folder / built / "build" / "merged" / MAPS,
        data=data,
        made=made,
    )


def _examples(run: Run, made: Lineage) -> Sequence[Example]:
    """Return the benchmark's questions with their gold answers; nothing where the benchmark is not at hand."""
    try:
        pin = made.pins["benchmark"]
        return examples_at(run.target, run.benchmark(made.benchmark), pin, "train")
    except (ClincotError, KeyError) as error:
        notice(f"gold answers are not shown: {error}")
        return ()


def _lineage(hub: Hub, pin: Pin, config: str) -> Lineage | None:
    """Return the lineage of a dataset's round, None for the dataset of another project."""
    held = {path: hub.read(pin, path) for path in hub.list_files(pin) if is_lineage(path)}
    return parse_lineages(held).get(name_of(config)) if held else None


def _in_folder(folder: Path, config: str, name: str) -> ViewedSource:
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
    return ViewedSource(pairs, candidates, regions, name=name)
