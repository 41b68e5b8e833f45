"""A file of questions with their gold answers -> whether a chosen text is one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.errors import DataError
from clincot.methods.text_key import text_key
from clincot.rows.files import records

QUESTIONS, ANSWERS = ("question",), ("answer", "report")
IMAGES = ("image", "image_name", "img_name", "image_path")
Key = tuple[str | None, str | None]


@dataclass(frozen=True)
class Gold:
    """Keys of the gold answers by image and question, either of which is None where the file has no such column."""

    answers: Mapping[Key, frozenset[str]]

    def says(self, image: str | None, question: str, text: str) -> bool | None:
        """Return whether `text` is a gold answer, ignoring case and punctuation; None for an unknown question."""
        asked = _key(question)
        for key in ((image, asked), (None, asked), (image, None)):
            if key != (None, None) and key in self.answers:
                return text_key(text) in self.answers[key]
        return None


def read_gold(path: Path) -> Gold:
    """Read a JSON, JSONL or Parquet file with columns for the answer and for question, image or both.

    Raises DataError where it has no such columns, naming those that it has.
    """
    found: defaultdict[Key, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for _, row in records(path):
        if row is None:
            continue
        seen |= set(row)
        image, question, answer = (_first(row, names) for names in (IMAGES, QUESTIONS, ANSWERS))
        if answer is not None and (image is not None or question is not None):
            found[image, None if question is None else _key(question)].add(text_key(answer))
    if not found:
        has = f"it has {', '.join(sorted(seen)[:12])}" if seen else "it has no rows"
        raise DataError(
            f"--gold {path.name}: has no question with an answer; {has}. Name the columns `question`, `answer` and"
            " `image`."
        )
    return Gold({key: frozenset(answers) for key, answers in found.items()})


def _key(question: str) -> str:
    """Return the words of a question; some copies of a benchmark leave its mark out."""
    return " ".join(text_key(question).replace("?", " ").split())


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    value = next((row[name] for name in names if row.get(name) is not None), None)
    return None if value is None else str(value)
