"""Pieces of work -> done by this process, or by several that it starts, one for each GPU, replaced when they die."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from clincot.executors.base import Done, Opener, Piece, Waiting

VISIBLE = "CUDA_VISIBLE_DEVICES"
FAREWELL = 10.0  # seconds that a process has to end when no work is left


class Local:
    """`workers` processes of this machine; with one (0: one), this process does the work itself."""

    def __init__(self, workers: int = 0, *, threads: int = 1) -> None:
        del threads  # a process sets its own, and no other command is kept off the machine
        self.workers = workers or 1

    @property
    def elsewhere(self) -> bool:
        return self.workers > 1

    def run(self, open_work: Opener, pieces: Sequence[Piece], done: Done) -> None:
        """Do all pieces (see `Executor.run`)."""
        if not pieces:
            return
        if self.elsewhere:
            return _share(open_work, Waiting.of(pieces), min(self.workers, len(pieces)), done)
        work = open_work()
        for piece in pieces:
            done(piece, work(piece))


@dataclass
class Helper:
    """A process that this one started, the pipe to it alone, and the piece that it does.

    Nothing is shared among helpers, no queue and no lock: one that is killed at any moment harms no other.
    """

    slot: int
    process: Any
    pipe: Connection
    piece: Piece | None = None

    @classmethod
    def start(cls, slot: int, open_work: Opener, gpus: Sequence[str]) -> Helper:
        context = get_context("spawn")
        here, there = context.Pipe()
        gpu = gpus[slot % len(gpus)] if gpus else None
        process = context.Process(target=_help, args=(there, open_work, gpu), daemon=True)
        process.start()
        there.close()  # so that the end of the process ends the pipe
        return cls(slot, process, here)

    def give(self, piece: Piece) -> None:
        self.piece = piece
        try:
            self.pipe.send(piece)
        except OSError:
            return  # it has died; `answer` will say so

    def answer(self) -> tuple[bool, Any] | None:
        """Return whether the piece succeeded, with its note or error; None where the process died."""
        try:
            return self.pipe.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError):
            self.process.join()
            return None

    def end(self) -> None:
        self.pipe.close()
        if self.piece is not None:
            self.process.terminate()
        self.process.join(FAREWELL)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _share(open_work: Opener, waiting: Waiting, workers: int, done: Done) -> None:
    gpus = _gpus()
    helpers: list[Helper] = []
    try:
        helpers += [Helper.start(slot, open_work, gpus) for slot in range(workers)]
        while waiting.pieces or any(helper.piece for helper in helpers):
            for helper in helpers:
                if helper.piece is None and waiting.pieces:
                    helper.give(waiting.pieces.popleft())
            busy = {helper.pipe: helper for helper in helpers if helper.piece}
            for pipe in wait(list(busy)):
                helper = busy[pipe]  # type: ignore[index]
                _take(helper, waiting, done)
                if helper.piece is not None:
                    helpers[helper.slot] = Helper.start(helper.slot, open_work, gpus)
    finally:
        for helper in helpers:
            helper.end()
    waiting.refuse_aside()


def _take(helper: Helper, waiting: Waiting, done: Done) -> None:
    """Take a helper's answer; one that died keeps its piece, which waits again."""
    piece, answer = helper.piece, helper.answer()
    assert piece is not None
    if answer is None:
        waiting.died(piece, f"exit code {helper.process.exitcode}")
        return
    helper.piece = None
    succeeded, said = answer
    if not succeeded:
        raise said
    done(piece, said)


def _gpus() -> tuple[str, ...]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES writes them."""
    if VISIBLE in os.environ:
        return tuple(filter(None, os.environ[VISIBLE].split(",")))
    import torch

    return tuple(map(str, range(torch.cuda.device_count())))


def _help(pipe: Connection, open_work: Opener, gpu: str | None) -> None:
    """What a started process does: one piece after another, until the pipe ends with the process that started it."""
    if gpu is not None:
        os.environ[VISIBLE] = gpu
    work = None
    try:
        while True:
            piece = pipe.recv()
            try:
                work = work or open_work()
                answer = True, work(piece)
            except Exception as error:
                error.add_note("".join(traceback.format_exception(error)))
                answer = False, error
            pipe.send(answer)
    except (EOFError, OSError, KeyboardInterrupt):
        return
