"""A snapshot of SLAKE (question JSON and a zip of images) -> examples of one language; the zip is read, not unpacked.

The language is filtered first: within one language the splits share no image, but 72 of the 96 English test images are
in the Chinese train split.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from clincot.benchmarks._slake_regions import Annotations, mask_names
from clincot.benchmarks.base import Source
from clincot.benchmarks.reading import ImageStore, checked, name_of, require_columns, text_of
from clincot.errors import DataError
from clincot.images import content_id
from clincot.records import Example, TrueRegion
from clincot.records.stored_images import StoredImage

MODALITIES = {"CT": "ct", "MRI": "mri", "X-Ray": "chest x-ray"}
ANSWER_TYPES = ("OPEN", "CLOSED")
COLUMNS = ("qid", "img_name", "question", "answer", "q_lang", "modality", "answer_type", "content_type")
ARCHIVE, NAMES = "imgs.zip", "mask.txt"
# "Does the image contain liver?", train: published with an empty answer (docs/benchmarks.md#what-is-handled-and-how).
UNANSWERED = {1622}
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
COMMIT = "a9083ce6c34ac3ffb17671a605962924d8a8f9e9"  # the one that calls its file validation.json
Loaded = tuple[str, StoredImage, tuple[TrueRegion, ...]]  # content id, image, regions


class Slake:
    """BoKelvin/SLAKE in English: 642 images, 450 / 96 / 96 by split; organs and lesions have boxes and masks."""

    language = "en"
    source = Source(
        "slake",
        "BoKelvin/SLAKE",
        "main",
        "cc-by-4.0",
        redistributable=True,
        modality="mixed",
        privacy="public",
        sizes={"train": 4919, "validation": 1053, "test": 1061},
        sha=COMMIT,
    )
    patterns: tuple[str, ...] = ("train.json", "valid*.json", "test.json", ARCHIVE, NAMES)
    splits = {"train": "train", "validation": "validation", "test": "test"}

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Read SPLIT.json; ids are `slake/QID`.

        A question without an answer (qid 1622 of train) can be neither learnt nor scored and is left out.
        """
        rows = _rows(folder, name_of(split, self.source, self.splits))
        asked = [row for row in rows if row["q_lang"] == self.language and row["qid"] not in UNANSWERED]
        images = _images(folder, {row["img_name"] for row in asked})
        return checked([_example(self.source.name, row, images[row["img_name"]]) for row in asked], self.source, split)


class SlakeChinese(Slake):
    """The same images asked about in Chinese: never train on both languages, the splits share images across them."""

    language = "zh"
    source = Source(
        "slake-zh",
        "BoKelvin/SLAKE",
        "main",
        "cc-by-4.0",
        redistributable=True,
        modality="mixed",
        privacy="public",
        languages=("zh",),
        sizes={"train": 4916, "validation": 1046, "test": 1033},
        sha=COMMIT,
    )


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    # Revision be157e9 calls the file validate.json, a9083ce validation.json.
    names = (f"{name}.json", "validate.json") if name == "validation" else (f"{name}.json",)
    path = next((folder / n for n in names if (folder / n).is_file()), None)
    if path is None:
        raise DataError(f"slake: no {names[0]} in {folder}. Pull BoKelvin/SLAKE again.")
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error}). Pull BoKelvin/SLAKE again.") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: is no list of questions. Pull BoKelvin/SLAKE again.")
    for row in rows:
        require_columns(list(row), COLUMNS, f"slake: {path.name}")
    return rows


def _images(folder: Path, names: set[str]) -> dict[str, Loaded]:
    """Return image name -> (content id, image, regions); members lie at `imgs/NAME` or at NAME."""
    archive = folder / ARCHIVE
    if not archive.is_file():
        raise DataError(f"slake: no {ARCHIVE} in {folder}. Pull BoKelvin/SLAKE again.")
    found: dict[str, Loaded] = {}
    images = ImageStore()
    try:
        with zipfile.ZipFile(archive) as opened:
            annotations = Annotations(opened, mask_names(folder / NAMES))
            for name in sorted(names):
                member = next((m for m in (f"imgs/{name}", name) if m in annotations.members), None)
                if member is None:
                    raise DataError(f"slake: {ARCHIVE} has no image {name}. Pull BoKelvin/SLAKE again.")
                data = opened.read(member)
                image_id = content_id(data)
                found[name] = (image_id, images.named(image_id, data), annotations.regions(member, data))
    except DAMAGED as error:
        raise DataError(f"{archive}: is not a readable zip ({error}). Pull BoKelvin/SLAKE again.") from error
    return found


def _example(benchmark: str, row: dict[str, Any], image: Loaded) -> Example:
    where = f"{benchmark}/{row['qid']}"
    question, answer = (text_of(row, column, where) for column in ("question", "answer"))
    answer_type = text_of(row, "answer_type", where).strip()
    if answer_type not in ANSWER_TYPES:
        raise DataError(f"{where}: its answer_type is {answer_type!r}. SLAKE's are {' and '.join(ANSWER_TYPES)}.")
    image_id, stored, regions = image
    return Example(
        id=where,
        image_id=image_id,
        image=stored,
        question=question,
        answer=answer,
        answer_type="closed" if answer_type == "CLOSED" else "open",
        kind=row["content_type"],
        modality=MODALITIES.get(row["modality"], "other"),
        reference=answer,
        true_regions=regions,
        image_name=row["img_name"],
        own_id=str(row["qid"]),
    )
