"""Declared columns and the names that rows have -> which column is what; what was not declared is guessed by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clincot.benchmarks.own.declared import Declared, Place
from clincot.errors import DataError, did_you_mean

# What datasets call them, the likelier first; capitals, spaces and hyphens do not count.
GUESSES = {
    "image": ("image", "images", "file_name", "file_names", "image_path", "image_file", "image_name", "img_name", "img")
    + ("filename", "path", "dicom", "dicom_path"),
    "question": ("question", "query", "prompt", "instruction"),
    "answer": ("answer", "gold", "label", "response", "output", "report", "findings"),
    "id": ("id", "qid", "question_id"),
    "kind": ("kind", "content_type", "question_type"),
    "reference": ("reference",),
    "answer_type": ("answer_type",),
    "split": ("split",),
    "patient": ("patient", "patient_id", "patientid", "subject_id"),
    "objects": ("objects",),
}
SEVERAL = ("_file_name", "_file_names")
NEEDED = ("image", "question", "answer")
TURNS = ("conversations", "messages")  # of LLaVA's format and of chat templates


@dataclass(frozen=True)
class Columns:
    """What each column is ("" for an absent one); `turns` holds conversations, in place of question and answer."""

    image: tuple[str, ...]
    question: str
    answer: str
    id: str
    kind: str
    reference: str
    answer_type: str
    split: str
    patient: str
    objects: str
    turns: str
    guessed: tuple[str, ...]

    def shown(self) -> str:
        """Return which column is what, in one line."""
        named = {"image": "+".join(self.image), "question and answer": self.turns}
        named |= {name: getattr(self, name) for name in GUESSES if name != "image"}
        parts = (f"{n} = {c}{' (guessed)' if n in self.guessed else ''}" for n, c in named.items() if c)
        return ", ".join(parts)


def columns_of(place: Place, names: Sequence[str], where: str) -> Columns:
    """Return the columns among `names`; `where` names the file. Raises DataError for one that is not there."""
    declared = place.declared
    found: dict[str, Any] = {name: _declared(declared, name, names, f"{place.where}: {name}") for name in GUESSES}
    turns = next((name for name in TURNS if name in names), "")
    turns = "" if found["question"] or found["answer"] else turns
    free = {_plain(name): name for name in reversed(names) if name != turns}
    guessed = [name for name in GUESSES if not found[name] and not _left_out(name, turns, declared)]
    for name in guessed:
        taken = {c for value in found.values() for c in (value if isinstance(value, tuple) else (value,))}
        column = next((free[word] for word in GUESSES[name] if word in free and free[word] not in taken), "")
        found[name] = ((column,) if column else _file_names(names)) if name == "image" else column
    lacking = [name for name in NEEDED if not found[name] and not _left_out(name, turns, declared)]
    if lacking:
        raise DataError(
            f"{where}: no column is called like {' or '.join(lacking)} (it has {', '.join(names)}). Say which one is in"
            f" {place.where}: `{lacking[0]}: COLUMN`."
        )
    return Columns(
        **found, turns=turns, guessed=tuple(name for name in guessed if found[name]) + ("question and answer",)
    )


def _file_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of several images by the convention of datasets' imagefolder: `frontal_file_name`."""
    return tuple(name for name in names if _plain(name).endswith(SEVERAL))


def _left_out(name: str, turns: str, declared: Declared) -> bool:
    """Return whether a column is not looked for: conversations and `ask` take its place."""
    return (bool(turns) and name in ("question", "answer")) or (bool(declared.ask) and name == "question")


def _declared(declared: Declared, name: str, names: Sequence[str], where: str) -> Any:
    given = getattr(declared, name)
    for column in given if isinstance(given, tuple) else (given,):
        if column and column not in names and not column.startswith("dicom:"):
            raise DataError(f"{where}: there is no column {column!r}.{did_you_mean(column, names)}")
    return given


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def text_cell(values: Mapping[str, Any], column: str) -> str:
    """Return a cell as text: numbers as they are written, "" for an absent one, null and NaN."""
    value = values.get(column) if column else None
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip() if isinstance(value, (str, int, float)) else ""
