"""The processes of one launch and a shared folder -> what rank 0 sends to the others, and who takes which shard.

Files are all they share: no process group, no network. torchrun gives two launches the same name (`none`, port 29500),
so a waiting process leaves its own token and believes only an answer that repeats it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from clincot.errors import RoundError
from clincot.executors.world import ALONE, World
from clincot.records.atomic import write_file
from clincot.records.lineage import content_key

ANSWER, PAUSE = "answer.json", 0.05
# Seconds: processes that were started together come at once; rank 0 may have to publish or download before it answers.
TO_COME, TO_ANSWER = 600.0, 3600.0
PER_FOLDER = 1000


@dataclass(frozen=True)
class Launch:
    """One start of `world`'s processes; `id` is new each time, so claims of a lost or hung launch bind nobody."""

    world: World = ALONE
    id: str = ""

    def claim(self, folder: Path, shard: int) -> bool:
        """Take a shard for this process; False when another process of the launch has it. Alone, all are free."""
        if self.world.size == 1:
            return True
        path = folder / self.id / f"{shard // PER_FOLDER:05d}" / f"{shard:08d}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        try:
            try:
                os.close(os.open(path, flags))
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(path, flags))
        except FileExistsError:
            return False
        return True


def open_launch(world: World, folder: Path, message: Mapping[str, Any]) -> Launch:
    """Rank 0: wait until every other process is at the rendezvous in `folder`, then send them all `message`."""
    launch = Launch(world, token_hex(8))
    if world.size == 1:
        return launch
    rendezvous = _rendezvous(world, folder)
    shutil.rmtree(rendezvous, ignore_errors=True)  # what an earlier launch left; who waits now leaves its token again
    rendezvous.mkdir(parents=True, exist_ok=True)
    others = {str(rank) for rank in range(1, world.size)}
    tokens: list[str] = []

    def all_there() -> bool:
        tokens[:] = [name for name in os.listdir(rendezvous) if name.partition("-")[0] in others]
        return {name.partition("-")[0] for name in tokens} == others

    _wait(all_there, lambda: f"only {len(tokens)} of {len(others)} other processes came to {rendezvous}", TO_COME)
    _write(rendezvous / ANSWER, {"id": launch.id, "tokens": tokens, "message": dict(message)})
    return launch


def join_launch(world: World, folder: Path) -> tuple[Launch, dict[str, Any]]:
    """Other ranks: wait for rank 0's answer and return the launch with its message. Raises RoundError in the end."""
    rendezvous, token = _rendezvous(world, folder), f"{world.rank}-{token_hex(8)}"
    parent, answer = os.getppid(), {}

    def answered() -> bool:
        if os.getppid() != parent:
            raise RoundError(f"rank {world.rank}: its launcher has gone. Start again.")
        if not (rendezvous / token).exists():
            _leave_token(rendezvous / token)
        if (rendezvous / ANSWER).exists():
            answer.update(_read(rendezvous / ANSWER))
        return token in answer.get("tokens", ())

    _wait(answered, lambda: f"rank {world.rank} heard nothing from rank 0 in {rendezvous}", TO_ANSWER)
    (rendezvous / token).unlink(missing_ok=True)
    return Launch(world, answer["id"]), answer["message"]


def close_launch(launch: Launch, folder: Path) -> None:
    """Remove the launch's rendezvous, unless a process has still to read the answer there."""
    rendezvous = _rendezvous(launch.world, folder)
    if rendezvous.is_dir() and not any(name[0].isdigit() for name in os.listdir(rendezvous)):
        shutil.rmtree(rendezvous, ignore_errors=True)


def _rendezvous(world: World, folder: Path) -> Path:
    return folder / content_key(world.label, world.size)[:16]


def _leave_token(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except (FileExistsError, FileNotFoundError):
        # Rank 0 is clearing the folder at this moment: the next look leaves the token. `mkdir` says that the folder
        # exists when it was there at the call and gone at the look for it.
        return


def _read(path: Path) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}  # an earlier launch's answer, cleared at this moment
    return answer


def _write(path: Path, answer: Mapping[str, Any]) -> None:
    write_file(path, json.dumps(answer))


def _wait(done: Callable[[], bool], complaint: Callable[[], str], patience: float) -> None:
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end:
            raise RoundError(
                f"{complaint()} within {patience / 60:.0f} minutes."
                " Start all processes together, in one folder that all machines share."
            )
        time.sleep(PAUSE)
