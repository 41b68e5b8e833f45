"""SFT: no pairs at all; a run of this method trains the start `sft` on gold answers and evaluates it (`rounds: 0`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clincot.methods.base import Draw, Tools
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair


@dataclass(frozen=True)
class SftConfig:
    """SFT has no numbers of pairs; those of its training are `train.sft`."""


class Sft:
    """The row "+ SFT", and the start of the lower block of Table 1; with `train.start: base`, the untrained policy."""

    name, title, paper = "sft", "SFT (our settings)", ""
    Config, on_policy = SftConfig, False
    needs: frozenset[str] = frozenset()
    draws_by: frozenset[str] = frozenset()
    pairs = False

    def __init__(self, config: SftConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Return no candidates."""
        return []

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Return no pairs."""
        return []

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return nothing: there is no round to speak of."""
        return ()
