"""What a user gives to import or export rows -> an error for what cannot work, before a run is opened."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clincot.benchmarks.base import PRIVACIES
from clincot.errors import DataError, RecipeError, did_you_mean
from clincot.hub.licences import refuse_credentialed
from clincot.hub.names import repo_fault, revision_fault
from clincot.rows import formats
from clincot.rows.files import ENDINGS
from clincot.stages.exchange.rules import KEEPABLE, NO_MARGIN, OWN_MARGIN

LONGEST = 100  # letters of a licence


ROUND = re.compile(r"(?:round-)?([1-9]\d{0,3})(-v\d+)?")


@dataclass(frozen=True)
class Asked:
    """A dataset of a Hub: `pattern` names its files of rows, "" where it does not."""

    repo: str
    revision: str
    pattern: str


def named(source: str) -> Asked:
    """Read REPO[@REV][:PATH]."""
    whole, _, pattern = source.partition(":")
    repo, _, revision = whole.partition("@")
    return Asked(repo, revision or "main", pattern)


def check_source(source: str) -> None:
    """Raise DataError for what is neither a file of rows nor can be a dataset's name."""
    refuse_credentialed(source)
    path = Path(source).expanduser()
    if path.is_dir():
        raise DataError(f"{source}: is a folder. Name the file of rows in it; --images is the folder of the images.")
    if path.is_file():
        if path.suffix.lower() not in ENDINGS:
            raise DataError(f"{source}: does not end in {', '.join(ENDINGS)}. Convert it, or name another file.")
        return
    asked = named(source)
    ends = asked.repo.lower().endswith(ENDINGS)
    if ends or "://" in source or repo_fault(asked.repo) or revision_fault(asked.revision):
        raise DataError(f"{source}: there is no such file, and no dataset of a Hub has such a name. Correct it.")


def check_view(source: str) -> None:
    """Raise DataError for what is neither a round, a folder nor can be a dataset's name."""
    refuse_credentialed(source)
    if ROUND.fullmatch(source) or Path(source).expanduser().is_dir():
        return
    asked = named(source)
    if "/" not in asked.repo or "://" in source or repo_fault(asked.repo) or revision_fault(asked.revision):
        raise DataError(
            f"{source}: is no round, no folder and no dataset. Give 1, round-1-v2, OWNER/NAME@round-1 or a folder."
        )


def check_format(name: str) -> None:
    """Raise RecipeError for a format that is not given, ClincotError for one that no table knows."""
    if not name:
        raise RecipeError(f"--format: is not given. Give one of {', '.join(formats.FORMATS)}, or ./file.py:Class.")
    formats.load(name)


def check_folder(folder: Path | None, option: str) -> None:
    """Raise DataError for a folder that is absent; `option` is how it was given."""
    if folder is not None and not folder.is_dir():
        raise DataError(f"{option} {folder}: there is no such folder. Correct the path.")


def check_file(file: Path | None, option: str) -> None:
    """Raise DataError for a file that is absent."""
    if file is not None and not file.is_file():
        raise DataError(f"{option} {file}: there is no such file. Correct the path.")


def check_margin(margin: str) -> None:
    """Raise RecipeError for what is neither `none`, `column` nor a number from 0 on."""
    if margin in (NO_MARGIN, OWN_MARGIN):
        return
    try:
        value = float(margin)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise RecipeError(f"--margin {margin}: is no margin. Give none, column, or a number of nats from 0 on.")


def check_keep(keep: Sequence[str]) -> None:
    """Raise RecipeError for a rule that has no such name."""
    for name in keep:
        if name not in KEEPABLE:
            raise RecipeError(f"--keep {name}: is no rule.{did_you_mean(name, KEEPABLE)}")


def check_licence(licence: str) -> None:
    """Raise RecipeError for a licence that no card can show: it is one line, the name of a licence."""
    if len(licence) > LONGEST or not licence.isprintable() or licence != licence.strip():
        raise RecipeError(f"--licence {licence[:40]!r}: is no name of a licence. Write it as the Hub does, cc-by-4.0.")


def check_privacy(privacy: str) -> None:
    """Raise RecipeError for a place that has no such name."""
    if privacy not in PRIVACIES:
        raise RecipeError(f"--privacy {privacy}: is not known.{did_you_mean(privacy, PRIVACIES)}")
