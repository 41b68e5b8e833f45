"""Pieces of work -> done by actors of a Ray cluster, one for each GPU or per some CPUs; nodes may join and leave."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from clincot.errors import ClincotError
from clincot.executors._cluster import check_cluster, connected, lack_of_room
from clincot.executors.base import DEATHS, Done, Opener, Piece, Waiting, Worker
from clincot.progress import notice

LOOK = 1.0  # seconds between two looks for nodes that joined
REST = 30.0  # seconds until a process is asked for again after several that did not start


class Actor:
    """What an actor runs: it opens the work at its first piece and keeps it open."""

    def __init__(self) -> None:
        self._work: Worker | None = None

    def ready(self) -> bool:
        return True

    def do(self, open_work: Opener, piece: Piece) -> Any:
        if self._work is None:
            self._work = open_work()
        return self._work(piece)


class Ray:
    """The cluster of RAY_ADDRESS, or one that is started on this machine; at most `workers` actors, 0: all that fit."""

    elsewhere = True

    def __init__(self, workers: int = 0, *, threads: int = 1) -> None:
        """Raises ClincotError where Ray is not installed or nothing answers at RAY_ADDRESS."""
        check_cluster()
        self.workers = workers
        self.threads = threads

    def run(self, open_work: Opener, pieces: Sequence[Piece], done: Done) -> None:
        """Do all pieces (see `Executor.run`); a node that joins late gets work, what a lost node did is done again."""
        if not pieces:
            return
        with connected() as ray:
            Crew(ray, self._actor(ray), self.workers or len(pieces)).finish(open_work, pieces, done)

    def _actor(self, ray: ModuleType) -> Any:
        gpus = int(any(node["Resources"].get("GPU") for node in ray.nodes() if node["Alive"]))
        if lacks := lack_of_room(ray.nodes(), cpus=self.threads, gpus=gpus):
            notice(lacks)
        return ray.remote(num_cpus=self.threads, num_gpus=gpus, max_restarts=0)(Actor)


class Crew:
    """The actors at work: as many as the cluster has room for, one more whenever a node joins."""

    def __init__(self, ray: ModuleType, actor: Any, most: int) -> None:
        self.ray, self.actor, self.most = ray, actor, most
        self.free: list[Any] = []  # actors that run and have nothing to do
        self.coming: dict[Any, Any] = {}  # reference of `ready` -> an actor that waits for room
        self.running: dict[Any, tuple[Any, Piece]] = {}  # reference of a result -> its actor and piece
        self.failed = 0  # actors in a row that did not start
        self.next_try = 0.0  # when another one may be asked for

    def finish(self, open_work: Opener, pieces: Sequence[Piece], done: Done) -> None:
        waiting = Waiting.of(pieces)
        while waiting.pieces or self.running:
            self._grow(len(waiting.pieces))
            while waiting.pieces and self.free:
                actor, piece = self.free.pop(), waiting.pieces.popleft()
                self.running[actor.do.remote(open_work, piece)] = (actor, piece)
            ready, _ = self.ray.wait([*self.running, *self.coming], timeout=LOOK)
            for reference in ready:
                if reference in self.coming:
                    self._arrive(reference)
                else:
                    self._take(reference, waiting, done)
        waiting.refuse_aside()

    def _grow(self, wanted: int) -> None:
        """Ask for one more actor than there is room for, while there is work for it: it starts when a node joins."""
        if self.coming or ((self.running or self.free) and time.monotonic() < self.next_try):
            return
        if wanted > len(self.free) and len(self.free) + len(self.running) < self.most:
            actor = self.actor.remote()
            self.coming[actor.ready.remote()] = actor

    def _arrive(self, reference: Any) -> None:
        actor = self.coming.pop(reference)
        try:
            self.ray.get(reference)
        except self.ray.exceptions.RayActorError as error:
            self.failed += 1  # its node may have gone; `_grow` asks for another
            if self.failed >= DEATHS:
                self._refuse(error)
            return
        self.failed = 0
        self.free.append(actor)

    def _refuse(self, error: Exception) -> None:
        """Stop where no process starts at all; where others work, say so once and ask again later."""
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        what = f"({said[-1]}). Install the same version of clincot and of Python on every node."
        if not (self.running or self.free):
            raise ClincotError(f"--executor ray: no process starts on the cluster {what}") from error
        if self.failed == DEATHS:
            notice(f"A node of the cluster starts no process {what} The others go on.")
        self.next_try = time.monotonic() + REST

    def _take(self, reference: Any, waiting: Waiting, done: Done) -> None:
        actor, piece = self.running.pop(reference)
        try:
            note = self.ray.get(reference)
        except self.ray.exceptions.RayActorError as error:
            self.ray.kill(actor)  # one that cannot be reached may be at work still
            waiting.died(piece, type(error).__name__)
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause if isinstance(error.cause, ClincotError) else error from None
        else:
            self.free.append(actor)
            done(piece, note)
