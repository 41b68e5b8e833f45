"""Examples and policies -> what can be answered and scored, or an error that names the example that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from clincot.errors import ClincotError, DataError
from clincot.records import Example


def checked(examples: Sequence[Example], where: str, max_images: int) -> list[Example]:
    """Return the examples of the first `max_images` images (0: all).

    `where` names benchmark and split. Raises DataError for an empty split, a repeated id, and a question or answer that
    is empty or no text (NaN included).
    """
    if not examples:
        raise DataError(f"{where}: has no examples. Choose another split with --set evaluate.split=NAME.")
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise DataError(f"{where}: the id {example.id!r} occurs twice. Give every example its own id.")
        seen.add(example.id)
        for name in ("question", "answer"):
            _check_text(getattr(example, name), f"{where}: the {name} of {example.id!r}")
    kept = dict.fromkeys(example.image_id for example in examples)
    if max_images:
        kept = dict.fromkeys(islice(kept, max_images))
    return [example for example in examples if example.image_id in kept]


def _check_text(value: object, where: str) -> None:
    if not isinstance(value, str):
        raise DataError(f"{where} is {value!r}, no text. Correct the row, or leave it out.")
    if not value.strip():
        raise DataError(f"{where} is empty, so nothing can be scored. Correct the row, or leave it out.")


def check_names(names: Sequence[str]) -> None:
    """Raise ClincotError for two policies of one name."""
    if len(set(names)) < len(names):
        raise ClincotError(f"evaluate: two policies are called the same ({', '.join(names)}). Name them apart.")
