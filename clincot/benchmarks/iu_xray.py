"""A snapshot of a copy of IU-Xray -> one report per study of R2Gen's split, from the frontal view or a canvas of both.

Copies differ in what they hold; a split that a copy does not hold completely is refused, with counts. References are
the FINDINGS sections word for word, in the copy's case and punctuation, `XXXX` of the de-identification included (212
of the 590 of test).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clincot.benchmarks._iu_xray_copies import Copy, read_copy
from clincot.benchmarks._r2gen import Study, complete, match
from clincot.benchmarks.base import Source
from clincot.benchmarks.reading import ImageStore, checked, name_of
from clincot.errors import DataError
from clincot.records import Example
from clincot.records.stored_images import StoredImage

QUESTION = "Please generate a report based on the input medical image."  # RULE and MMed-RAG's prompt for this split
SIZES = {"train": 2069, "validation": 296, "test": 590}
Frontal = tuple[str, StoredImage]  # content id, image


class IuXray:
    """R2Gen's 2,069 / 296 / 590 studies; CC BY-NC-ND: nothing of the images or texts is ever pushed."""

    source = Source(
        "iu-xray",
        "ykumards/open-i",
        "main",
        "cc-by-nc-nd-4.0",
        redistributable=False,
        modality="chest x-ray",
        privacy="public",
        sizes=SIZES,
    )
    patterns = ("*.parquet", "**/*.parquet", "README.md")
    splits = {name: name for name in SIZES}

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Return the studies of `split` in R2Gen's order; ids are `NAME/STUDY`.

        The first image of a study is taken as its frontal view, by the convention of R2Gen's `0.png`. Raises
        DataError when the copy lacks a study of the split, or its image.
        """
        name_of(split, self.source, self.splits)
        copy = read_copy(folder)
        found = match(copy.rows)
        asked = complete(found, split, f"{self.source.name}: {self.source.repo}")
        rows = {study.id: found.rows[study.id] for study in asked}
        images, wanted = ImageStore(), [i for few in rows.values() for i in few]
        frontals = {
            i: images.keep(views[0], f"{self.source.name}, row {i}")
            for i, views in copy.images(wanted, lateral=False)
            if views
        }
        examples = [self._example(study, copy, rows[study.id], frontals) for study in asked]
        return checked(examples, self.source, split)

    def _example(self, study: Study, copy: Copy, rows: list[int], frontals: dict[int, Frontal]) -> Example:
        frontal = next((frontals[i] for i in rows if i in frontals), None)
        if frontal is None:
            raise DataError(f"{self.source.name}: {study.id} has no frontal image. Use another copy.")
        findings = copy.rows[rows[0]].text.strip()
        return Example(
            id=f"{self.source.name}/{study.id}",
            image_id=frontal[0],
            image=frontal[1],
            question=QUESTION,
            answer=findings,
            answer_type="report",
            kind="report",
            modality=self.source.modality,
            reference=findings,
            image_name=f"{self.source.name}/{study.id}",
        )


class IuXrayTwoViews(IuXray):
    """The same studies with both views side by side on one canvas, as R2Gen's own models see both.

    An example has one image, so both share its token budget: a view has about half the resolution of the frontal
    alone. That is another task, and so another name. The canvases are drawn once, by `clincot benchmarks import`: at
    every reading they would take minutes (2,955 pairs of full-size radiographs).
    """

    source = replace(IuXray.source, name="iu-xray-two-views", repo="clincot/iu-xray-two-views")
