"""A snapshot of VQA-RAD's Hub copy (image, question, answer) -> examples with answer type, kind and modality restored.

The copy has no answer types; deriving them from the text would count 251 closed test questions where the release has
272. They come from `vqa_rad_answer_types.json`, made from the CC0 release by `vqa_rad_release.py`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.benchmarks.reading import ImageStore, checked, image_name, name_of, parquet_rows, text_of
from clincot.benchmarks.vqa_rad_release import NUMBERS, TABLE, pair_hash
from clincot.records import AnswerType, Example
from clincot.records.stored_images import StoredImage

# The release: 107 chest radiographs, 104 abdominal CT slices, 104 head slices that are CT or MRI (Lau et al. 2018).
MODALITIES = {"CHEST": "chest x-ray", "ABD": "ct", "HEAD": "other"}
UNKNOWN = "?"


@dataclass(frozen=True)
class PairFacts:
    """What the release knows about a (question, answer) pair; `?` where pairs of several images differ."""

    answer_type: AnswerType
    organ: str
    kind: str


@cache
def known_pairs() -> dict[str, PairFacts]:
    """Return hash -> facts from the table in the package."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    table.pop("ambiguous")
    facts = {name: PairFacts(*_words(name)) for name in table}
    return {key: facts[name] for name, keys in table.items() for key in keys}


def _words(name: str) -> tuple[AnswerType, str, str]:
    answer_type, organ, kind = name.split(" ", 2)
    return ("closed" if answer_type == "CLOSED" else "open"), organ, kind


def pair_facts(question: str, answer: str) -> PairFacts:
    """Return what the release knows; a pair that is not of the release is closed when its answer is yes or no."""
    guess: AnswerType = "closed" if answer.strip().lower() in {"yes", "no"} else "open"
    return known_pairs().get(pair_hash(question, answer), PairFacts(guess, UNKNOWN, UNKNOWN))


class VqaRad:
    """flaviagiammarino/vqa-rad: 1,793 train and 451 test questions; 202 of the 203 test images are also in train."""

    source = Source(
        "vqa-rad",
        "flaviagiammarino/vqa-rad",
        "main",
        "cc0-1.0",
        redistributable=True,
        modality="mixed",
        privacy="public",
        sizes={"train": 1793, "test": 451},
        sha="bcf91e7654fb9d51c8ab6a5b82cacf3fafd2fae9",
        cut="official split: 202 of its 203 test images are also in train",
    )
    patterns = ("data/*.parquet", "README.md")
    splits = {"train": "train", "test": "test"}

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Read `data/SPLIT-*.parquet`; ids are `vqa-rad/SPLIT/ROW`."""
        name_of(split, self.source, self.splits)
        return checked(restored(read_asked(folder, split, self.source, ImageStore())), self.source, split)


@dataclass(frozen=True)
class Asked:
    """A row of the copy with its id; `image_id` is the content id of its image."""

    id: str
    image_id: str
    image: StoredImage
    question: str
    answer: str
    image_name: str
    number: str = ""


def read_asked(folder: Path, split: str, source: Source, images: ImageStore) -> list[Asked]:
    """Return the rows of an official split, with ids `BENCHMARK/SPLIT/ROW`."""
    rows = parquet_rows(folder, f"data/{split}-*.parquet", ("image", "question", "answer"), source)
    asked = [_asked(row, f"{source.name}/{split}/{i}", images) for i, row in enumerate(rows)]
    numbers = own_numbers()[split]
    if len(numbers) != len(asked):  # a copy of other rows: which is which is not known
        return asked
    return [replace(one, number=str(number)) for one, number in zip(asked, numbers, strict=True)]


@cache
def own_numbers() -> dict[str, list[int]]:
    """Return split -> the release's number (qid) of each row of the public copy."""
    table: dict[str, list[int]] = json.loads(NUMBERS.read_text(encoding="utf-8"))
    return table


def restored(asked: list[Asked]) -> list[Example]:
    """Return the rows as examples with the answer types, kinds and modalities that the copy lacks."""
    facts = [pair_facts(one.question, one.answer) for one in asked]
    modalities = _modalities([one.image_id for one in asked], facts)
    return [_example(one, fact, modalities[one.image_id]) for one, fact in zip(asked, facts, strict=True)]


def _asked(row: dict[str, Any], id: str, images: ImageStore) -> Asked:
    question, answer = (text_of(row, column, id) for column in ("question", "answer"))
    return Asked(id, *images.keep(row["image"], id), question, answer, image_name(row["image"], id))


def _modalities(ids: list[str], facts: list[PairFacts]) -> dict[str, str]:
    """Return image id -> modality, by the organ that most of the image's pairs name: a few pairs fit several organs."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for image_id, fact in zip(ids, facts, strict=True):
        votes[image_id][fact.organ] += fact.organ != UNKNOWN
    return {image_id: MODALITIES.get(count.most_common(1)[0][0], "other") for image_id, count in votes.items()}


def _example(asked: Asked, facts: PairFacts, modality: str) -> Example:
    return Example(
        id=asked.id,
        image_id=asked.image_id,
        image=asked.image,
        question=asked.question,
        answer=asked.answer,
        answer_type=facts.answer_type,
        kind="OTHER" if facts.kind == UNKNOWN else facts.kind,
        modality=modality,
        reference=asked.answer,
        image_name=asked.image_name,
        own_id=asked.number,
    )
