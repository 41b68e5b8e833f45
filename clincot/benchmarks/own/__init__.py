"""`--benchmark PATH` or `OWNER/NAME[@REVISION]` -> a benchmark of own data, read as its `clincot.yaml` declares it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

from clincot.benchmarks.base import Source
from clincot.benchmarks.own.declared import Place, place_of
from clincot.benchmarks.own.reading import NAMED, Contents, Reader, counted
from clincot.benchmarks.own.tables import SPLITS, files_of
from clincot.benchmarks.own.terms import barred, privacy_of
from clincot.benchmarks.reading import checked
from clincot.errors import DataError, NoSplit
from clincot.recipe.own_data import published, short
from clincot.records import Example
from clincot.records.lineage import Pin, content_key

LOOKED_AT = 1000  # names in a folder that are searched for a word of an agreement
LOCAL = "local"  # the revision of data that lie on this machine


class OwnData:
    """Data of the user's own: a folder on this machine, or a dataset of a Hub, as they are declared."""

    splits: Mapping[str, str] = {name: name for name in SPLITS}

    def __init__(self, name: str) -> None:
        """Read the declarations; no row and no Hub is looked at. Raises DataError, RecipeError."""
        self.name = name
        self.place = place_of(name)
        self.folder = self.place.folder  # None: on a Hub
        # All of a dataset on a Hub is fetched, or the card and one config.
        config = self.place.declared.config
        some = config and not self.place.declared.table
        self.patterns: tuple[str, ...] = (f"{config}/*", "*.md", "*.yaml") if some else ("*",)
        self.source = self._source()

    def _source(self) -> Source:
        """Return where the data are and their terms; they are restricted unless something else is declared."""
        declared = self.place.declared
        names = [self.name, *declared.table]
        names += (
            [str(self.folder.resolve()), *(path.name for path in islice(self.folder.iterdir(), LOOKED_AT))]
            if self.folder
            else []
        )
        why = barred(declared, names)
        return Source(
            name=published(self.name),
            repo=declared.repo or published(self.name),
            revision=declared.revision if declared.repo else LOCAL,
            licence=declared.licence,
            redistributable=not why,
            modality=declared.modality,
            languages=declared.languages,
            privacy=privacy_of(declared, names),
            barred=why,
        )

    def pin(self) -> Pin:
        """Return the pin of data on this machine: the key of declarations, rows, regions and images.

        Raises DataError for data that cannot be read.
        """
        assert self.folder is not None
        return Pin("dataset", self.source.repo, LOCAL, self.contents(self.folder).key)

    def declared_pin(self) -> Pin | None:
        """Return the pin of what is declared of a dataset on a Hub, None where nothing is."""
        decided = self.place.declared.decided()
        if self.folder is not None or not decided:
            return None
        return Pin("dataset", published(self.name), LOCAL, content_key(decided))

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Return the examples of `split` in the order of the rows. Raises DataError for a split that is not there."""
        contents = self.contents(folder)
        found = contents.examples.get(split, [])
        if not found:
            has = counted(contents) or "no other"
            make = "another seed or share in" if contents.made else "`evaluate.split`, or give the rows a split in"
            raise NoSplit(f"{self.source.name}: has no split {split!r} (it has {has}). Use {make} {self.place.where}.")
        return checked(found, self.source, split)

    def contents(self, folder: Path) -> Contents:
        """Return all that the data hold, read once a process."""
        return _contents(self.place, folder, short(self.name), _state(self.place, folder))

    def check_splits(self, folder: Path, names: Iterable[str]) -> None:
        """Raise DataError for a split that is not there or has no question."""
        for name in names:
            self.examples(folder, name)

    def urls(self) -> list[str]:
        """Return the images that rows name by a URL. Raises DataError for data on a Hub."""
        if self.folder is None:
            raise DataError(f"{self.name}: is on a Hub. Fetch images into a folder of your own, and name that.")
        return Reader(self.place, self.folder, self.folder, short(self.name)).urls()

    def _primary(self, contents: Contents) -> str:
        """Return in words how the images of a row are used."""
        declared, columns = self.place.declared.primary, contents.columns.image
        named = declared or (columns[0] if len(columns) > 1 else "1")
        which = f"image {named}" if named.isdecimal() and named not in columns else f"the image in {named}"
        return f"methods without regions show all, regions are looked for in {which}"

    def shown(self, folder: Path) -> list[str]:
        """Return what was found and guessed, in a few lines for people."""
        contents, declared, source = self.contents(folder), self.place.declared, self.source
        made = ", splits made by hash" + (" of patients" if contents.patients else " of images")
        rows = ", ".join(path.name for path in contents.files[:NAMED])
        lines = [f"{source.name}: {rows}: {counted(contents)}{made if contents.made else ''}"]
        lines += [f"  columns: {contents.columns.shown()}"]
        regions = f", regions of {', '.join(declared.regions)}" if declared.regions else ""
        licence = declared.licence or "none declared"
        lines += [
            f"  {declared.modality}, {' '.join(declared.languages)}; licence {licence}; {source.privacy}{regions}"
        ]
        if contents.several:
            lines += [f"  {contents.several:,} rows have several images: {self._primary(contents)}"]
        if contents.broken:
            named = "; ".join(f"{one.where}: {one.why}" for one in contents.broken[:NAMED])
            lines += [f"  {len(contents.broken)} of {contents.rows:,} rows are left out: {named}"]
        return lines


@lru_cache(4)
def _contents(place: Place, folder: Path, name: str, state: tuple[object, ...]) -> Contents:
    # The files of a snapshot are links into the cache's folder of the repository, two levels above.
    top = folder if place.folder is not None else folder.parents[1]
    return Reader(place, folder, top, name).read()


def _state(place: Place, folder: Path) -> tuple[object, ...]:
    """Return what changes when a file of rows is written again while this process runs."""
    files = [file for found in files_of(place, folder).values() for file in found]
    return tuple((str(file), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files)
