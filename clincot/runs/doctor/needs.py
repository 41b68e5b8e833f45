"""Parts of a stage's memory -> what it needs at each place, where some parts follow one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clincot.runs.doctor.machine import Machine

LANGUAGE = ("policy", "judge", "critic")  # roles that read texts by a transformer; others are small encoders
SPARE = 0.85  # of what is free: fragmentation and buffers that no part names (stages/train/memory.py has the same)


@dataclass(frozen=True)
class Part:
    """`bytes` at a `place` (`cpu`, `gpu 0`); parts of different turns are never there at the same time.

    A part without a turn is there for the whole stage.
    """

    name: str
    bytes: int
    place: str
    turn: str = ""


@dataclass(frozen=True)
class Need:
    """What a stage needs. `unknown` says what could not be estimated, `advice` what would make it fit."""

    stage: str
    parts: tuple[Part, ...]
    unknown: tuple[str, ...] = ()
    assumed: str = ""
    advice: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Return where the stage needs memory, GPUs first."""
        return tuple(sorted({part.place for part in self.parts}, key=lambda place: (place == "cpu", place)))

    def at(self, place: str) -> int:
        """Return the bytes at a place when they are most: parts for the whole stage, and the largest turn."""
        turns: dict[str, int] = {}
        for part in self.parts:
            if part.place == place:
                turns[part.turn] = turns.get(part.turn, 0) + part.bytes
        whole = turns.pop("", 0)
        return whole + max(turns.values(), default=0)

    def largest_turn(self, place: str) -> str:
        """Return the turn that decides `at`, "" where no part has one."""
        turns = {part.turn for part in self.parts if part.place == place and part.turn}
        sums = {turn: sum(p.bytes for p in self.parts if (p.place, p.turn) == (place, turn)) for turn in turns}
        return max(sorted(sums), key=lambda turn: sums[turn], default="")

    @property
    def estimated(self) -> bool:
        """Return whether the sizes of its language models are known; without them, that the rest fits says little."""
        return bool(self.parts) and not any(text.startswith(LANGUAGE) for text in self.unknown)

    def fits(self, machine: Machine) -> bool:
        """Return whether every place has the room, with some to spare."""
        return all(self.at(place) <= SPARE * machine.room(place) for place in self.places)


def spread(name: str, amount: int, places: Iterable[str], turn: str = "") -> list[Part]:
    """Return a part for each of `places`, which share `amount` evenly; nothing for 0 bytes."""
    these = tuple(places)
    return [Part(name, amount // len(these), place, turn) for place in these] if amount > 0 else []
