"""Measured values and their bounds -> the table of gates, one line each, with whether they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """One requirement of the world: `value` must lie in [`least`, `most`]; `count` is what it was measured on."""

    name: str
    value: float
    least: float = float("-inf")
    most: float = float("inf")
    count: int = 0

    @property
    def holds(self) -> bool:
        """Whether the value keeps its bounds; one that is not a number does not."""
        return self.least <= self.value <= self.most


def gate_table(gates: Iterable[Gate]) -> str:
    """Render gates as a Markdown table."""
    lines = ["| gate | measured | required | measured on | holds |", "|---|---|---|---|---|"]
    for gate in gates:
        bounds = [f"at least {gate.least:g}"] if gate.least > float("-inf") else []
        bounds += [f"at most {gate.most:g}"] if gate.most < float("inf") else []
        holds = "yes" if gate.holds else "**no**"
        lines.append(f"| {gate.name} | {gate.value:.3f} | {', '.join(bounds)} | {gate.count:,} | {holds} |")
    return "\n".join(lines)
