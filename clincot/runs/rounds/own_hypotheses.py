"""A recipe's own hypotheses, its proposer and the round's examples -> lines on what each is looked for as."""

from __future__ import annotations

import json
from collections.abc import Iterable

from clincot.chain.own_hypotheses import Words, asked_as
from clincot.errors import NotOnHub
from clincot.records import Example
from clincot.records.lineage import Pin
from clincot.runs.run import Run


def mapping_lines(run: Run, proposer: Pin | None, examples: Iterable[Example]) -> list[str]:
    """Return a line for each modality of the recipe's own hypotheses: name -> what the proposer calls it.

    Names that it does not know are said to be left out. The proposer `annotated` knows what the examples' regions are
    called; others that list no names (`entities` of their configuration) look for anything.
    """
    own = run.recipe.hypotheses
    if not own:
        return []
    every = tuple(examples)
    there = {example.modality for example in every}
    annotated = run.recipe.models.proposer.kind == "annotated"
    known = {region.finding for one in every for region in one.true_regions} if annotated else _entities(run, proposer)
    absent = "annotated nowhere, so without a region" if annotated else "not known to the proposer, left out"
    lines = [_line(modality, words, known, absent) for modality, words in own.items() if modality in there]
    lines += [f"hypotheses of {modality}: no image of this round has this modality" for modality in own.keys() - there]
    return lines


def _line(modality: str, listed: Words, known: Iterable[str] | None, absent: str) -> str:
    names = None if known is None else tuple(known)
    said = []
    for name, words in listed.items():
        asked = asked_as(name, words, names)
        said.append(f"{name} ({absent})" if asked is None else name if asked == name else f"{name} -> {asked}")
    how = " (looked for in these words)" if names is None else ""
    return f"hypotheses of {modality}{how}: {', '.join(said)}"


def _entities(run: Run, proposer: Pin | None) -> tuple[str, ...] | None:
    """Return the names that a proposer lists in its configuration, None where it looks for anything."""
    if proposer is None:
        return None
    try:
        listed = json.loads(run.target.read(proposer, "config.json")).get("entities")
    except (NotOnHub, ValueError, AttributeError):  # no configuration: its loader says what is wrong with it
        return None
    return tuple(listed) if isinstance(listed, list) else None
