"""The value `hypotheses` of a recipe, a mapping or a YAML file -> names by modality, each with its other words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clincot.errors import RecipeError
from clincot.recipe.yaml_text import read_yaml

Own = dict[str, dict[str, list[str]]]
HOW = "Write {'blood smear': [white cell, platelet]}, or {white cell: [leukocyte, WBC]} for other words of a name."


def resolved(value: Any, where: str) -> Own:
    """Return modality -> name -> its other words, in the order of the recipe; a text is the path of a file.

    Raises RecipeError for a file that cannot be read, and for anything else than lists of texts.
    """
    if isinstance(value, str) and value:
        value, where = _file(Path(value).expanduser(), where), value
    if not isinstance(value, Mapping):
        raise RecipeError(f"{where}: hypotheses is no mapping of modalities. {HOW}")
    return {
        _text(modality, where): _names(names, f"{where}: hypotheses.{modality}") for modality, names in value.items()
    }


def _file(path: Path, where: str) -> Any:
    try:
        return read_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise RecipeError(f"{where}: hypotheses {path}: cannot be read ({why}). Give a YAML file. {HOW}") from error


def _names(value: Any, where: str) -> dict[str, list[str]]:
    if isinstance(value, list):
        value = dict.fromkeys((_text(name, where) for name in value), ())
    if not isinstance(value, Mapping) or not value:
        raise RecipeError(f"{where}: is no list of names. {HOW}")
    return {_text(name, where): _words(words, f"{where}.{name}") for name, words in value.items()}


def _words(value: Any, where: str) -> list[str]:
    several = [value] if isinstance(value, str) else value or []
    if not isinstance(several, (list, tuple)):
        raise RecipeError(f"{where}: is no list of words. {HOW}")
    return [_text(word, where) for word in several]


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RecipeError(f"{where}: {value!r} is no name. Quote it. {HOW}")
    return value.strip()
