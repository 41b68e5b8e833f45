"""Vetoes of pairs and their round -> an error for those of another round, and what the lineage says of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.hub import Hub
from clincot.progress import few_of
from clincot.records.lineage import Lineage, Pin
from clincot.runs import releases
from clincot.runs.checks.vetoes import MAKE, Vetoes
from clincot.runs.releases.tags import versions
from clincot.runs.run import Run
from clincot.stages.pair.draw import VETOED

FACT = "vetoed"  # in the facts of a round: how many pairs, and the ids of all that were vetoed


def check_vetoes(vetoes: Vetoes, run: Run, hub: Hub, data: Pin, round_: int) -> None:
    """Raise DataError for vetoes of another round, or of a pair that no version of this round has."""
    if vetoes.round is not None and vetoes.round != round_:
        raise DataError(
            f"{vetoes.file}: its vetoes are of round {vetoes.round}, and these are the pairs of round {round_}."
            f" Give --round {vetoes.round}, or the veto file of round {round_}."
        )
    unknown = sorted(vetoes.ids - _ids_of(hub, data.repo, round_)) if vetoes.ids else []
    if unknown:
        raise DataError(
            f"{vetoes.file}: {len(unknown)} of its {len(vetoes.ids)} pairs are not of round {round_} of {data.repo}:"
            f" {few_of(unknown, 'of the same file')}{_where(run, hub, data.repo, round_, unknown[0])}. {MAKE}"
        )


def vetoed_facts(vetoes: Vetoes, counted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the round's lineage says of the vetoes; `counted` are the facts of drawing without them.

    `pairs` were left out; the other ids are of pairs that these settings do not draw.
    """
    if not vetoes.ids:
        return {}
    return {FACT: {"pairs": counted["unpaired"].get(VETOED, 0), "ids": sorted(vetoes.ids)}}


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
