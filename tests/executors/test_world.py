"""What a launcher says of a process is read once, and nonsense is named."""

from __future__ import annotations

import pytest

from clincot.errors import ClincotError
from clincot.executors.world import ALONE, World, world_of


def test_a_process_without_a_launcher_is_alone() -> None:
    assert world_of({"PATH": "/bin"}) == ALONE
    assert (ALONE.rank, ALONE.size) == (0, 1)


def test_a_launched_process_knows_its_place() -> None:
    said = {"WORLD_SIZE": "3", "RANK": "1", "LOCAL_RANK": "0"}
    assert world_of(said) == World(1, 3, 0)


@pytest.mark.parametrize("said", [{"RANK": "3", "WORLD_SIZE": "3"}, {"RANK": "0"}, {"RANK": "x", "WORLD_SIZE": "2"}])
def test_nonsense_is_named(said: dict[str, str]) -> None:
    with pytest.raises(ClincotError, match=r"RANK=.*torchrun"):
        world_of(said)


def test_a_command_for_one_process_refuses_several() -> None:
    ALONE.refuse_company("clincot run")
    with pytest.raises(ClincotError, match="clincot run: runs in one process, not in 2"):
        World(0, 2).refuse_company("clincot run")
