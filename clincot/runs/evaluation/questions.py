"""A benchmark, a split and a Hub -> the questions to answer elsewhere as JSON lines, with their images as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clincot import benchmarks
from clincot.errors import DataError
from clincot.hub import Hub
from clincot.phantom import publish
from clincot.records import Example, distinct_images
from clincot.runs.models.pins import benchmark_pin, examples_at

FILE, IMAGES = "questions.jsonl", "images"
SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"II*\x00": ".tif", b"MM\x00*": ".tif", b"BM": ".bmp"}


def questions_of(hub: Hub, name: str, split: str, revision: str, say: Callable[[str], None]) -> list[Example]:
    """Return the questions of a split of the pinned benchmark; an embedded Hub gets the phantom when it lacks it."""
    benchmark = benchmarks.load(name)
    publish.supply_dataset(hub, benchmark.source.repo, say)
    pin = benchmark_pin(hub, benchmark, revision)
    return examples_at(hub, benchmark, pin, split)


def question_lines(examples: Sequence[Example]) -> Iterator[str]:
    """Yield one JSON object per question: example_id, own number, question, kind of answer, image file.

    Questions about several images also list all of them, the primary one first. No answers.
    """
    files = _files(examples)
    for example in examples:
        line: dict[str, Any] = {"example_id": example.id}
        line |= {"own_id": example.own_id} if example.own_id else {}
        line |= {"question": example.question, "answer_type": example.answer_type, "image": files[example.image_id]}
        if example.more:
            line["images"] = [files[image_id] for image_id in example.image_ids]
        yield json.dumps(line, ensure_ascii=False)


def write_questions(examples: Sequence[Example], folder: Path) -> Path:
    """Write the lines and every image, as published, into a new or empty folder; return the file of questions."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: exists and is not empty. Give a new folder.")
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    shown = distinct_images(examples)
    for image_id, file in _files(examples).items():
        example, number = shown[image_id]
        (folder / file).write_bytes(example.encoded(number))
    path = folder / FILE
    path.write_text("".join(f"{line}\n" for line in question_lines(examples)), encoding="utf-8")
    return path


def _files(examples: Sequence[Example]) -> dict[str, str]:
    """Return image id -> its file within the folder, each image read once; no name of a patient gets into a path."""
    return {
        image_id: f"{IMAGES}/{image_id}{_suffix(example.encoded(number))}"
        for image_id, (example, number) in distinct_images(examples).items()
    }


def _suffix(data: bytes) -> str:
    return ".dcm" if data[128:132] == b"DICM" else next((s for m, s in SUFFIXES.items() if data.startswith(m)), "")
