"""Stored rows of a round -> the rows of each shard, and its candidates with the masks that their rows do not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clincot import images
from clincot.errors import DataError
from clincot.images.views import Gallery
from clincot.records import Candidate, Example, Region, View
from clincot.rows.stored_candidates import candidate_of

Row = Mapping[str, Any]
Key = tuple[object, ...]


@dataclass(frozen=True)
class Reread:
    """Rows that are opened anew, and so read from their beginning, each time they are iterated over."""

    open: Callable[[], Iterator[Row]]

    def __iter__(self) -> Iterator[Row]:
        return self.open()


class Stored:
    """The candidates and regions of a shard, as a round's dataset holds them; images are drawn from `gallery`."""

    def __init__(
        self, examples: Sequence[Example], candidates: Sequence[Row], regions: Sequence[Row], gallery: Gallery
    ) -> None:
        self._images = {example.id: example.image_id for example in examples}
        self._regions = {_key(row["image_id"], row): row for row in regions if row["box"]}
        self._looked = {(row["image_id"], row["hypothesis"]) for row in regions}
        self._gallery = gallery
        self._checked: set[Key] = set()
        self.candidates = [self._whole(candidate_of(row)) for row in candidates]

    def encode(self, example_id: str, view: View) -> bytes:
        """Return the bytes of a view. Raises DataError for a crop that is not the one that the policy saw."""
        data = self._gallery.encode(example_id, view)
        if view.kind == "crop" and view.region is not None:
            key = _key(self._images[example_id], vars(view.region))
            row = self._regions.get(key)
            if row and key not in self._checked and images.content_id(data) != row["crop_id"]:
                raise DataError(
                    f"{example_id}: the crop cut for {view.region.hypothesis} is not the one that the round was built"
                    " from. Use the benchmark's commit and the Pillow version that its lineage names."
                )
            self._checked.add(key)
        return data

    def _whole(self, candidate: Candidate) -> Candidate:
        """Return the candidate with the masks of its regions."""

        def masked(region: Region) -> Region:
            image_id = self._images[candidate.example_id]
            if (image_id, region.hypothesis) not in self._looked:
                return region  # a box of the method or the policy: no proposer looked for it, so it has no mask
            row = self._regions.get(_key(image_id, vars(region)))
            if row is None:
                raise DataError(
                    f"{candidate.example_id}: its region of {region.hypothesis} is not among the round's."
                    " Build the round again; a method takes regions of its hypotheses from `propose`."
                )
            return replace(region, mask=row["mask"]["bytes"] if row["mask"] else None)

        views = tuple(replace(view, region=masked(view.region)) if view.region else view for view in candidate.views)
        return replace(candidate, region=masked(candidate.region) if candidate.region else None, views=views)


def by_shard(rows: Iterable[Row], shards: Sequence[Sequence[Example]], column: str) -> Iterator[list[Row]]:
    """Yield the rows of each shard, which come in the order of the shards; `column` is `example_id` or `image_id`.

    Raises DataError for a row that the benchmark has elsewhere or not at all.
    """
    attribute = "id" if column == "example_id" else column
    shard_of = {getattr(example, attribute): number for number, shard in enumerate(shards) for example in shard}
    left = iter(rows)
    row = next(left, None)
    for number in range(len(shards)):
        held = []
        while row is not None and shard_of.get(row[column]) == number:
            held.append(row)
            row = next(left, None)
        yield held
    if row is not None:
        raise DataError(f"{column} {row[column]}: is not where this benchmark has it. Use the commit of the lineage.")


def _key(image_id: str, region: Mapping[str, Any]) -> Key:
    return image_id, region["hypothesis"], tuple(region["box"])
