"""Memory and cores of this machine, within the limits that a container's files set."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.runs.doctor import machine
from clincot.runs.doctor.machine import GIB, described, here


def test_this_machine_has_memory_and_cores() -> None:
    found = here()
    assert 0 < found.available <= found.memory and found.cores >= 0.1
    assert found.room("cpu") == found.available and found.room("gpu 7") == 0


@pytest.mark.parametrize(
    "files",
    [
        {"memory.max": "1073741824\n", "memory.current": "268435456\n", "cpu.max": "50000 100000\n"},
        {
            "memory/memory.limit_in_bytes": "1073741824\n",
            "memory/memory.usage_in_bytes": "268435456\n",
            "cpu/cpu.cfs_quota_us": "50000\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        },
    ],
    ids=["version 2", "version 1"],
)
def test_a_containers_limits_count(files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    found = here()
    assert (found.memory, found.available, found.cores) == (GIB, 3 * GIB // 4, 0.5)


@pytest.mark.parametrize(
    "files", [{"memory.max": "max\n", "cpu.max": "max 100000\n"}, {"memory/memory.limit_in_bytes": f"{2**63 - 4096}\n"}]
)
def test_no_limit_is_none(files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = here()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    assert here().memory == machine.whole_memory()[0] >= whole.memory


def test_another_machine_can_be_described() -> None:
    other = described(24, 2, here())
    assert [gpu.total for gpu in other.gpus] == [24 * GIB] * 2 and other.described
