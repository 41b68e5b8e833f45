"""A method and the counts of a round -> what its lineage says of the method; a lineage of any age -> what cards say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from clincot.records.lineage import Lineage

SFT = "SFT (our settings)"
# Lineages without `facts["method"]` were written while the package had one method.
CLINCOT = ("ClinCoT (reconstruction)", "arXiv 2603.01124")
SCOPES = {"any": "among all", "across_regions": "across regions", "within_region": "within a region"}


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
    scores = "scores of the judges in [0, 1]" if judges != 1 else "scores of one judge in [0, 1]"
    steps = [
        "For every question: clinical hypotheses, a heat map and a region for each (Eq. 1), candidate texts of the"
        f" round's policy about the image and the region's crop (Eq. 2), {scores}"
        f"{' with look-ahead (Eq. 3)' if ahead else ''}{', their consensus (Eq. 4)' if judges != 1 else ''}, then pairs"
        " of a higher and a lower scored candidate of the same step. All texts are written by models."
    ]
    if pairing is not None:
        weight = (
            f"Look-ahead weight gamma {pairing['gamma']:g}{' (Eq. 3 undivided)' if 'normalise' in pairing else ''}; "
        )
        steps.append(
            f"{weight if ahead else ''}at most {pairing['pairs_per_step']} pairs a step with a gap of"
            f" {pairing['min_gap']:g}, drawn {SCOPES[pairing['pair_scope']]}."
        )
    return (*steps, _ours(ahead=ahead, judges=judges))


def _ours(*, ahead: bool, judges: int) -> str:
    return (
        "The paper fixes the outline (hypotheses, regions, candidates per step, two evaluators, margin DPO, rounds). It"
        " gives no number of steps, candidates, pairs per step or rounds,"
        f"{' no weight of the look-ahead,' if ahead else ''}{' no consensus of the judges,' if judges != 1 else ''} no"
        " score scale and function g, no region threshold, no crop rules and no prompts: these are ours. No code of the"
        " paper's authors was used."
    )
