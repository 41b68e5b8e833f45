"""A snapshot of SLAKE (question JSON and a zip of images) -> examples of one language; the zip is read, not unpacked.

The language is filtered first: within one language the splits share no image, but 72 of the 96 English test images are
in the Chinese train split.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from clincot.benchmarks._reading import name_of, require_columns
from clincot.benchmarks.base import Source
from clincot.errors import DataError
from clincot.images import content_id
from clincot.records import Example

MODALITIES = {"CT": "ct", "MRI": "mri", "X-Ray": "chest x-ray"}
COLUMNS = ("qid", "img_name", "question", "answer", "q_lang", "modality", "answer_type", "content_type")
ARCHIVE = "imgs.zip"


class Slake:
    """BoKelvin/SLAKE: 4,919 / 1,053 / 1,061 English questions about 642 images, 450 / 96 / 96 by split."""

    source = Source("slake", "BoKelvin/SLAKE", "main", "cc-by-4.0", True, "mixed")
    patterns = ("train.json", "valid*.json", "test.json", ARCHIVE)
    splits = {"train": "train", "validation": "validation", "test": "test"}

    def __init__(self, language: str = "en") -> None:
        self.language = language

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Read SPLIT.json; ids are `slake/QID`.

        A question without an answer (qid 1622 of train) can be neither learnt nor scored and is left out.
        """
        rows = _rows(folder, name_of(split, self.source, self.splits))
        asked = [row for row in rows if row["q_lang"] == self.language and str(row["answer"]).strip()]
        images = _images(folder / ARCHIVE, {row["img_name"] for row in asked})
        return [_example(self.source.name, row, *images[row["img_name"]]) for row in asked]


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
    if rows:
        require_columns(list(rows[0]), COLUMNS, f"slake: {path.name}")
    return rows


def _images(archive: Path, names: set[str]) -> dict[str, tuple[str, bytes]]:
    """Return image name -> (content id, bytes); members lie at `imgs/NAME` or at NAME."""
    if not archive.is_file():
        raise DataError(f"slake: no {ARCHIVE} in {archive.parent}. Pull BoKelvin/SLAKE again.")
    found = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            members = set(opened.namelist())
            for name in sorted(names):
                member = next((m for m in (f"imgs/{name}", name) if m in members), None)
                if member is None:
                    raise DataError(f"slake: {ARCHIVE} has no image {name}. Pull BoKelvin/SLAKE again.")
                data = opened.read(member)
                found[name] = (content_id(data), data)
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive}: is not a readable zip ({error}). Pull BoKelvin/SLAKE again.") from error
    return found


def _example(benchmark: str, row: dict[str, Any], image_id: str, image: bytes) -> Example:
    answer = str(row["answer"])
    return Example(
        id=f"{benchmark}/{row['qid']}",
        image_id=image_id,
        image=image,
        question=row["question"],
        answer=answer,
        answer_type="closed" if row["answer_type"].strip() == "CLOSED" else "open",
        kind=row["content_type"],
        modality=MODALITIES.get(row["modality"], "other"),
        reference=answer,
    )
