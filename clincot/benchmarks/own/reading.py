"""The folder of own data and what is declared of it -> examples by split, what was left out, and a key of it all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path

from clincot.benchmarks.own.columns import Columns, columns_of, text_cell
from clincot.benchmarks.own.declared import Place
from clincot.benchmarks.own.dicom_tags import tag_of
from clincot.benchmarks.own.images import SCHEMES, ImageBook, Kept
from clincot.benchmarks.own.primary import check_primary, images_of
from clincot.benchmarks.own.questions import Asked, Unusable, asked_of
from clincot.benchmarks.own.regions import Find, finder_of, objects_of
from clincot.benchmarks.own.splits import groups_of, made_split
from clincot.benchmarks.own.tables import SPLITS, Row, files_of, rows_of, split_named
from clincot.errors import DataError
from clincot.records import Example, FurtherImage, TrueRegion, distinct_images
from clincot.records.lineage import content_key

HEAD = 100  # rows whose names are the columns, of files without a header
NAMED = 5  # rows that a message names


@dataclass(frozen=True)
class Broken:
    """A row that cannot be used, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class Used:
    """A row that can be used, the `number`th of all: what it asks, its images (the first is the primary one)."""

    number: int
    row: Row
    asked: tuple[Asked, ...]
    images: tuple[Kept, ...]
    patient: str


@dataclass(frozen=True)
class Contents:
    """What own data hold: `examples` by split, `patients` by example id, where a column or tag names them.

    `several` counts rows with more than one image. `made` says whether the splits were made here. `key` is the sha256
    of declarations, files of rows, files of regions and images.
    """

    examples: dict[str, list[Example]]
    patients: dict[str, str]
    broken: tuple[Broken, ...]
    columns: Columns
    files: tuple[Path, ...]
    rows: int
    several: int
    made: bool
    key: str


@dataclass
class Reader:
    """Reads the data in `root` once; `top` is the folder that no link may leave, `name` begins the examples' ids."""

    place: Place
    root: Path
    top: Path
    name: str

    def read(self) -> Contents:
        """Read everything; no image is decoded.

        Raises DataError for columns that are not there, paths that lead out, and more broken rows than are allowed.
        """
        declared = self.place.declared
        files, rows, columns = self._open()
        book = ImageBook(self.root, self.top, declared.images)
        find, annotations = finder_of(self.root, self.top, declared.regions, self.place.where)
        broken: list[Broken] = []
        used = list(self._used(rows, columns, book, broken))
        self._check_broken(broken, len(used) + len(broken))
        made, splits = self._splits(used, columns)
        examples: dict[str, list[Example]] = {name: [] for name in SPLITS if name in splits}
        patients: dict[str, str] = {}
        for one, split in zip(used, splits, strict=True):
            for example in self._examples(one, columns, find):
                examples[split].append(example)
                patients |= {example.id: one.patient} if one.patient else {}
        key = self._key((*files, *annotations), book)
        several = sum(len(one.images) > 1 for one in used)
        total = len(used) + len(broken)
        return Contents(examples, patients, tuple(broken), columns, files, total, several, made, key)

    def urls(self) -> list[str]:
        """Return the images that rows name by a URL, each once."""
        _, rows, columns = self._open()
        cells = (row.values.get(column) for row in rows for column in columns.image)
        flat = (one for cell in cells for one in (cell if isinstance(cell, list) else [cell]))
        return list(dict.fromkeys(one for one in flat if isinstance(one, str) and one.startswith(SCHEMES)))

    def _open(self) -> tuple[tuple[Path, ...], Iterator[Row], Columns]:
        """Return the files of rows, their rows and what their columns are."""
        by_split = files_of(self.place, self.root)
        files = tuple(file for found in by_split.values() for file in found)
        rows = chain.from_iterable(rows_of(self.root, split, f) for split, found in by_split.items() for f in found)
        first = list(islice(rows, HEAD))
        if not first:
            raise DataError(f"{self.root}: {', '.join(f.name for f in files)} has no rows. Add some.")
        names = list(dict.fromkeys(key for row in first for key in row.values))
        if not names:
            raise DataError(f"{self.name}: no row can be read: {first[0].where} {first[0].fault}. Correct the file.")
        columns = columns_of(self.place, names, f"{self.name}: {files[0].name}")
        check_primary(self.place.declared.primary, columns.image, self.place.where)
        return files, chain(first, rows), columns

    def _used(self, rows: Iterator[Row], columns: Columns, book: ImageBook, broken: list[Broken]) -> Iterator[Used]:
        for number, row in enumerate(rows):
            try:
                if row.fault:
                    raise Unusable(row.fault)
                asked = asked_of(row.values, columns, self.place.declared)
                images = images_of(row, columns.image, self.place.declared.primary, book)
                yield Used(number, row, tuple(asked), images, self._patient(row, columns, images[0]))
            except Unusable as error:
                broken.append(Broken(row.where, str(error)))

    def _patient(self, row: Row, columns: Columns, image: Kept) -> str:
        if columns.patient.startswith("dicom:"):
            return tag_of(image.image, columns.patient.removeprefix("dicom:"), row.where)
        return text_cell(row.values, columns.patient)

    def _check_broken(self, broken: Sequence[Broken], rows: int) -> None:
        share = self.place.declared.most_broken
        if len(broken) > share * rows or len(broken) == rows:
            named = "\n".join(f"  {one.where}: {one.why}" for one in broken[:NAMED])
            more = f"\n  and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
            found = f"{len(broken)} of {rows:,} rows cannot be used, more than {share:g} of all"
            raise DataError(
                f"{self.name}: {found}:\n{named}{more}"
                f"\nCorrect them, or allow more in {self.place.where}: `most_broken: SHARE`."
            )

    def _splits(self, used: Sequence[Used], columns: Columns) -> tuple[bool, list[str]]:
        """Return whether splits are made here, and the split of each row: by file, by column, else by hash."""
        given = [
            split_named(text_cell(one.row.values, columns.split)) if columns.split else one.row.split for one in used
        ]
        for one, split in zip(used, given, strict=True):
            if columns.split and not split:
                said = text_cell(one.row.values, columns.split)
                raise DataError(
                    f"{one.row.where}: its split {said!r} is no split. Write {', '.join(SPLITS)}, or rename the column."
                )
        # A Hub dataset of one split has its rows under train: a test split is made of them too.
        if set(given) - {"", "train"}:
            return False, [split or "train" for split in given]
        asked = self.place.declared
        groups = groups_of(
            [tuple(kept.id for kept in one.images) for one in used],
            [one.patient for one in used],
            [one.row.where for one in used],
        )
        return True, [made_split(g, seed=asked.seed, test=asked.test, validation=asked.validation) for g in groups]

    def _examples(self, one: Used, columns: Columns, find: Find) -> Iterator[Example]:
        declared, row, image = self.place.declared, one.row, one.images[0]
        kind, reference, own = (text_cell(row.values, c) for c in (columns.kind, columns.reference, columns.id))
        regions: tuple[TrueRegion, ...] = find(image.name)
        if columns.objects:
            regions += objects_of(row.values.get(columns.objects), row.where)
        more = tuple(FurtherImage(kept.id, kept.image) for kept in one.images[1:])
        prefix = f"{self.name}/{one.number}"
        for asked in one.asked:
            yield Example(
                id=f"{prefix}-{asked.turn}" if asked.turn else prefix,
                image_id=image.id,
                image=image.image,
                more=more,
                question=asked.question,
                answer=asked.answer,
                answer_type=asked.answer_type,
                kind=kind or asked.answer_type,
                modality=declared.modality,
                reference=reference or asked.answer,
                true_regions=regions,
                image_name=row.where,  # a file's own name may be that of a patient, and lineages name images
                own_id=f"{own}-{asked.turn}" if own and asked.turn else own,
            )

    def _key(self, files: Sequence[Path], book: ImageBook) -> str:
        read = [(file.name, sha256(file.read_bytes()).hexdigest()) for file in files]
        return content_key(self.place.declared.decided(), read, sorted(book.hashes.items()))


def counted(contents: Contents) -> str:
    """Return the numbers of questions and images by split, in words."""
    parts = []
    for split, examples in contents.examples.items():
        images = len(distinct_images(examples))
        parts.append(f"{split} {len(examples):,} questions on {images:,} images")
    return ", ".join(parts)
