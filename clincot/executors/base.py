"""The contract of an executor: pieces of work and what does one -> every piece done at least once, in some process."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from clincot.errors import RoundError
from clincot.progress import few_of, notice

DEATHS = 3  # processes that one piece may kill before it is set aside

# A piece of work is some numbers (of shards). `Opener` is called once in each process that works: it loads what the
# work needs and returns what does one piece. It is sent to other processes: a function of a module, or a partial of it.
Piece = tuple[int, ...]
Worker = Callable[[Piece], Any]
Opener = Callable[[], Worker]
Done = Callable[[Piece, Any], None]


class SetAside(RoundError):
    """Pieces of work whose process died each time; all others are done."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(sorted(pieces))
        super().__init__(
            f"work {few_of([shown(piece) for piece in self.pieces], 'see the lines above')}: its process died {DEATHS}"
            " times, and all other work is done."
        )


class Executor(Protocol):
    """Who does pieces of work. Doing a piece twice must give the same result: a lost process's pieces are redone.

    `workers`: how many processes at most, 0: as many as there is room for. `elsewhere`: they are others than this one.
    """

    workers: int

    @property
    def elsewhere(self) -> bool: ...

    def run(self, open_work: Opener, pieces: Sequence[Piece], done: Done) -> None:
        """Do all pieces; `done(piece, what the work returned)` is called in this process, in the order of finishing.

        Nothing is opened without a piece. An exception of the work stops all and is raised here. Raises SetAside for
        pieces whose process died each time; all others are done then.
        """
        ...


@dataclass
class Waiting:
    """The pieces that nobody does at the moment; one whose process died waits again, `DEATHS` times."""

    pieces: deque[Piece]
    deaths: Counter[Piece] = field(default_factory=Counter)
    aside: list[Piece] = field(default_factory=list)

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Waiting:
        return cls(deque(pieces))

    def died(self, piece: Piece, how: str) -> None:
        """Count a process that died at `piece`, and say so; after the last of `DEATHS` the piece is set aside."""
        self.deaths[piece] += 1
        if self.deaths[piece] < DEATHS:
            notice(f"The process at work {shown(piece)} died ({how}); another one does it again.")
            self.pieces.append(piece)
        else:
            notice(f"The process at work {shown(piece)} died again ({how}); it is set aside.")
            self.aside.append(piece)

    def refuse_aside(self) -> None:
        """Raise SetAside when pieces were set aside."""
        if self.aside:
            raise SetAside(self.aside)


def shown(piece: Piece) -> str:
    """Return a piece as messages name it."""
    return ", ".join(map(str, piece))
