"""An image file, a question and names of policies -> an error for what cannot be asked, before a run is opened."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clincot import images
from clincot.errors import DataError
from clincot.hub.names import repo_fault, revision_fault
from clincot.runs.checks.rows import ROUND, named

BASE, NEWEST = "base", ""


def check_asked(image: Path, question: str, policies: Iterable[str]) -> None:
    """Raise DataError for an empty question, a file that is no image, or a name that no policy can have."""
    if not question.strip():
        raise DataError("the question is empty. Write one, in quotes.")
    check_policies(policies)
    if not image.is_file():
        raise DataError(f"{image}: there is no such file. Give an image: PNG, JPEG, TIFF, WebP or DICOM.")
    images.decode(image.read_bytes(), str(image))


def check_policies(policies: Iterable[str]) -> None:
    """Raise DataError for a name that no policy can have."""
    for name in policies:
        asked = named(name)
        fault = "/" not in asked.repo or repo_fault(asked.repo) or revision_fault(asked.revision)
        if name not in (BASE, NEWEST) and not ROUND.fullmatch(name) and fault:
            raise DataError(f"adapter {name!r}: is not known. Give base, round-2, OWNER/NAME@round-2 or RUN@round-2.")
