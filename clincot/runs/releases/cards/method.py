"""A method and the counts of a round -> what its lineage says of the method; a lineage of any age -> what cards say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from clincot.methods.clincot_facts import (
    how_pairs_were_drawn,
    of_chains_drawn_again,
    what_is_ours,
    what_was_done,
)
from clincot.records.lineage import Lineage

SFT = "SFT (our settings)"
# Lineages without `facts["method"]` were written while the package had one method.
CLINCOT = ("ClinCoT (reconstruction)", "arXiv 2603.01124")


@dataclass(frozen=True)
class Stated:
    """What cards say of a method: its title, its paper, and sentences (Markdown) on what it did in a round."""

    name: str
    title: str
    paper: str = ""
    sentences: tuple[str, ...] = ()

    @property
    def cited(self) -> str:
        """Return the title with the paper."""
        return f"{self.title}, {self.paper}" if self.paper else self.title

    def to_facts(self) -> dict[str, Any]:
        """Return the value of a lineage's `facts["method"]`."""
        return asdict(self) | {"sentences": list(self.sentences)}


class States(Protocol):
    """A method, as far as cards are concerned (clincot.methods.base.Method)."""

    name: str
    title: str
    paper: str

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]: ...


def stated_by(method: States, counts: Mapping[str, Any] | None = None) -> Stated:
    """Return what a method states of a round with these counts; of no round (None): its names alone."""
    said = method.facts(counts) if counts is not None else ()
    return Stated(method.name, method.title, method.paper, tuple(said))


def stated_in(lineage: Lineage) -> Stated:
    """Return what a round's lineage states of its method; an older lineage's facts are put into words.

    A start adapter was trained on gold answers, by no method.
    """
    if lineage.facts.get("objective") == "sft":
        return Stated("sft", SFT)
    known = lineage.facts.get("method")
    if isinstance(known, Mapping):
        return Stated(known["name"], known["title"], known["paper"], tuple(known.get("sentences", ())))
    if lineage.method != "clincot":
        return Stated(lineage.method, lineage.method)
    stated = Stated(lineage.method, *CLINCOT)
    return replace(stated, sentences=_in_words(lineage.facts)) if lineage.stage == "build-data" else stated


def _in_words(facts: Mapping[str, Any]) -> tuple[str, ...]:
    pairing, judges = facts.get("pairing"), len(facts.get("judges", ()))
    ahead = pairing is None or bool(pairing["gamma"])
    said = [what_was_done(judges=judges, ahead=ahead)]
    if pairing is not None:
        numbers = {name: pairing[name] for name in ("gamma", "pairs_per_step", "min_gap", "pair_scope")}
        said.append(how_pairs_were_drawn(**numbers, normalise=pairing.get("normalise", True)))
    if "paired_from" in facts:
        said.append(of_chains_drawn_again())
    return (*said, what_is_ours(judges=judges, ahead=ahead))
