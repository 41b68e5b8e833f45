"""A run's adapters -> the ids of the images that each was trained on, read from the preference data of its rounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.hub import parse_lineages
from clincot.images import content_id
from clincot.records import Example, distinct_images
from clincot.runs.models.adapters import Adapter
from clincot.runs.releases import tag_of
from clincot.runs.releases.content import locate
from clincot.runs.run import Run

DATA = "preferences"
CONTENT_ID = re.compile(r"[0-9a-f]{16}")


def seen_by(run: Run, chosen: Sequence[Adapter], train: Callable[[], Sequence[Example]]) -> list[frozenset[str] | None]:
    """Return the image ids of the rounds up to each adapter's; None from the first round whose data cannot be read.

    `train` gives the benchmark's training examples: what an adapter saw that was fine-tuned on them, without pairs.
    """
    found: list[frozenset[str] | None] = []
    so_far: frozenset[str] | None = frozenset()
    for adapter in chosen:
        own = _of_round(run, adapter, train)
        so_far = None if so_far is None or own is None else so_far | own
        found.append(so_far)
    return found


def by_content(seen: Sequence[frozenset[str] | None], asked: Sequence[Example]) -> list[frozenset[str] | None]:
    """Return `seen` with the ids of those images of `asked` whose bytes it names.

    Pairs name an image by its content; a benchmark may have other names (the phantom has).
    """
    if not any(seen):
        return list(seen)
    contents = {name: content_id(e.encoded(number)) for name, (e, number) in distinct_images(asked).items()}
    return [some and some | {image_id for image_id, name in contents.items() if name in some} for some in seen]


def _of_round(run: Run, adapter: Adapter, train: Callable[[], Sequence[Example]]) -> frozenset[str] | None:
    config = tag_of(adapter.round, run.start)
    path = f"rounds/{config}/lineage.json"
    made = parse_lineages({path: (adapter.folder / path).read_bytes()})[config]
    if DATA not in made.own:
        return frozenset(distinct_images(train())) if "benchmark" in made.pins else None
    found = locate(run, made.own[DATA])
    if found is None:
        return None
    hub, pin = found
    folder = hub.snapshot(pin, [f"{config}/*.parquet"])
    ids = [image_ids(path) for path in sorted((folder / config).glob("*.parquet"))]
    return None if None in ids else frozenset().union(*filter(None, ids))


def image_ids(path: Path) -> frozenset[str] | None:
    """Return the ids of the images that both sides of preference rows share; their bytes are not read.

    Redacted rows name them in separate columns. None where an image's name is not
    made of its content: in pairs made elsewhere it may be any image.
    """
    file = pq.ParquetFile(path)
    present = set(file.schema_arrow.names)
    if {"image_id", "picture_ids"} <= present:
        rows = file.read([name for name in ("image_id", "picture_ids", "views") if name in present]).to_pylist()
        return frozenset(name for row in rows for name in _shared(row))
    leaves = [file.schema.column(i).path for i in range(len(file.schema))]
    wanted = [leaf for leaf in leaves if leaf.startswith("images.") and leaf.endswith(".path")]
    if not wanted:
        return None
    rows = file.read(wanted).column("images").to_pylist()
    names = frozenset(str(image["path"]).partition(".")[0] for images in rows for image in images)
    return names if all(map(CONTENT_ID.fullmatch, names)) else None


def _shared(row: Mapping[str, Any]) -> list[str]:
    """Return the ids of the images that a redacted row is about: what the benchmark calls the first, and contents."""
    return [row["image_id"], *row["picture_ids"][: len(row.get("views") or ())]]
