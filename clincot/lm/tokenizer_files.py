"""The folder of a model -> its tokenizer, or the reason why it cannot be read: a library that is missing, by name."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from clincot.errors import ModelError
from clincot.lm.loading import first_line
from clincot.records.lineage import shown

MODULES = {"protobuf": "google.protobuf"}
OF_SENTENCEPIECE = ("sentencepiece", "protobuf")  # without them transformers asks for tiktoken, which does not help


def read_tokenizer(folder: str | Path, role: str) -> Any:
    """Return the tokenizer of a folder. Raises ModelError, naming a library that is missing."""
    refuse_without_library(Path(folder), role)
    try:
        return AutoTokenizer.from_pretrained(folder)
    except (ImportError, OSError, ValueError, KeyError, RuntimeError) as error:
        reason = f"its tokenizer cannot be read ({first_line(error)})"
        raise ModelError(f"{role} {shown(folder)}: {reason}. Add the files of its tokenizer.") from error


def refuse_without_library(folder: Path, role: str) -> None:
    """Raise ModelError for a vocabulary of SentencePiece alone where what reads it is not installed."""
    if (folder / "tokenizer.json").is_file() or not (folder / "tokenizer.model").is_file():
        return
    if any(map(lacks, OF_SENTENCEPIECE)):
        packages = " and ".join(OF_SENTENCEPIECE)
        raise ModelError(
            f"{role} {shown(folder)}: has tokenizer.model and no tokenizer.json, which needs the packages {packages}."
            f" Run `pip install {' '.join(OF_SENTENCEPIECE)}`."
        )


def lacks(package: str) -> bool:
    """Return whether a package is not installed."""
    try:
        return find_spec(MODULES.get(package, package)) is None
    except ModuleNotFoundError:  # the package around it
        return True
