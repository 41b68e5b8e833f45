"""A veto file, written by the page of `clincot view` -> the ids of pairs to leave out, checked against their round."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.hub import Hub
from clincot.progress import few_of
from clincot.records.lineage import Lineage, Pin
from clincot.runs import releases
from clincot.runs.releases.tags import versions
from clincot.runs.run import Run
from clincot.stages.pair.draw import VETOED

FORMAT = "clincot-veto-1"
FACT = "vetoed"  # in the facts of a round: how many pairs, and the ids of all that were vetoed
MAKE = "Mark pairs on the page of `clincot view ROUND` and download its veto file."


@dataclass(frozen=True)
class Vetoes:
    """The pairs that a reader vetoed: their ids, and the number of the round that the file names (None: it does not).

    What a reader wrote about a pair stays in the file: free text may name a patient.
    """

    file: str
    ids: frozenset[str] = field(repr=False)
    round: int | None = None

    def check(self, run: Run, hub: Hub, data: Pin, round_: int) -> None:
        """Raise DataError for vetoes of another round, or of a pair that no version of this round has."""
        if self.round is not None and self.round != round_:
            raise DataError(
                f"{self.file}: its vetoes are of round {self.round}, and these are the pairs of round {round_}."
                f" Give --round {self.round}, or the veto file of round {round_}."
            )
        unknown = sorted(self.ids - _ids_of(hub, data.repo, round_)) if self.ids else []
        if unknown:
            raise DataError(
                f"{self.file}: {len(unknown)} of its {len(self.ids)} pairs are not of round {round_} of {data.repo}:"
                f" {few_of(unknown, 'of the same file')}{_where(run, hub, data.repo, round_, unknown[0])}. {MAKE}"
            )

    def facts(self, counted: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the round's lineage says of the vetoes; `counted` are the facts of drawing without them.

        `pairs` were left out; the other ids are of pairs that these settings do not draw.
        """
        if not self.ids:
            return {}
        return {FACT: {"pairs": counted["unpaired"].get(VETOED, 0), "ids": sorted(self.ids)}}


NOTHING = Vetoes("", frozenset())


def read_vetoes(path: Path) -> Vetoes:
    """Read a veto file. Raises DataError for a file that is absent, of another format, or names no pair."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). {MAKE}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no veto file ({error}). {MAKE}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DataError(f"{path}: is no veto file: it has no format {FORMAT!r}. {MAKE}")
    listed, number = found.get("pairs"), found.get("round")
    entries = listed if isinstance(listed, list) else []
    ids = [one["id"] for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str)]
    if not ids or len(ids) < len(entries):
        raise DataError(f"{path}: names no pair, or one without an id. {MAKE}")
    if number is not None and type(number) is not int:
        raise DataError(f"{path}: its round is {number!r}, which is no number. {MAKE}")
    return Vetoes(str(path), frozenset(ids), number)


def vetoed_in(made: Lineage) -> frozenset[str]:
    """Return the ids that a version of a round was drawn without."""
    return frozenset(made.facts.get(FACT, {}).get("ids", ()))


def _ids_of(hub: Hub, repo: str, round_: int) -> frozenset[str]:
    """Return the ids of the pairs of all versions of a round: other settings draw other pairs."""
    tags, config = hub.tags("dataset", repo), releases.tag_of(round_)
    found: set[str] = set()
    for tag in versions(tags, round_):
        folder = hub.snapshot(Pin("dataset", repo, tag, tags[tag]), [f"{config}/*"])
        for path in sorted((folder / config).glob("*.parquet")):
            found.update(pq.read_table(path, columns=["id"])["id"].to_pylist())
    return frozenset(found)


def _where(run: Run, hub: Hub, repo: str, round_: int, pair: str) -> str:
    """Return which other round has the pair, as the end of a sentence."""
    others = (number for number in range(1, run.recipe.rounds + 1) if number != round_)
    found = next((number for number in others if pair in _ids_of(hub, repo, number)), None)
    return f" ({pair} is of round {found})" if found else ""
