"""How one judge is built and trained: its sizes, its rows and its noise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgePlan:
    """One judge: its sizes, its rows and its noise; `first` is where its phantoms start in the judges' range."""

    name: str
    seed: int
    first: int
    phantoms: int
    width: int
    layers: int
    inner: int
    shift: float = 0.0
    flip: float = 0.0
    per_context: int = 8
    epochs: int = 1
    heads: int = 4
    batch: int = 16
    learning_rate: float = 2e-3
    entries: int = 560
    held_out: int = 150
    text_weight: float = 0.3
