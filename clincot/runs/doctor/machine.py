"""This machine -> its GPUs, cores and memory, within the limits of its container; or another that is described."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

GIB = 2**30
UNLIMITED = 2**60  # cgroups write a number near 2^63 where there is no limit
GROUPS = Path("/sys/fs/cgroup")
# Version 2 of cgroups, then version 1: the limit of memory and what is in use of it.
MEMORY = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))
CORES = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))


@dataclass(frozen=True)
class Gpu:
    """A GPU; `total` and `free` in bytes."""

    name: str
    total: int
    free: int
    bfloat16: bool = True


@dataclass(frozen=True)
class Machine:
    """What models run on: memory in bytes, `cores` and `available` within the limits of the container."""

    gpus: tuple[Gpu, ...]
    cores: float
    memory: int
    available: int
    described: bool = False

    def room(self, place: str) -> int:
        """Return the bytes that are free at a place, `gpu 0` or `cpu`; 0 for a GPU that is not there."""
        if place == "cpu":
            return self.available
        number = int(place.removeprefix("gpu "))
        return self.gpus[number].free if number < len(self.gpus) else 0


def here() -> Machine:
    """Look at this machine."""
    memory, available = whole_memory()
    limit, used = _limits(MEMORY[0]) or _limits(MEMORY[1]) or (UNLIMITED, 0)
    if limit < min(memory, UNLIMITED):
        memory, available = limit, min(available, limit - used)
    return Machine(_gpus(), _cores(), memory, max(0, available))


def described(gigabytes: float, count: int, cpu: Machine) -> Machine:
    """Return a machine of `count` GPUs of so many GiB that are free, with the CPU of another."""
    size = int(gigabytes * GIB)
    gpus = tuple(Gpu(f"a GPU of {gigabytes:g} GiB", size, size) for _ in range(count))
    return Machine(gpus, cpu.cores, cpu.memory, cpu.available, described=True)


def driver() -> str:
    """Return the version of NVIDIA's driver, "" where none is loaded."""
    path = Path("/sys/module/nvidia/version")
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def _gpus() -> tuple[Gpu, ...]:
    import torch

    found = []
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        free = torch.cuda.mem_get_info(number)[0]
        bfloat16 = (properties.major, properties.minor) >= (8, 0)  # before Ampere it is emulated
        found.append(Gpu(properties.name, properties.total_memory, free, bfloat16))
    return tuple(found)


def whole_memory() -> tuple[int, int]:
    """Return total and available bytes of the whole machine."""
    path = Path("/proc/meminfo")
    if path.is_file():
        rows = dict(line.split(":", 1) for line in path.read_text(encoding="ascii").splitlines() if ":" in line)
        total, free = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
        return total, free
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # macOS says no more without a library
    return total, total


def _limits(names: tuple[str, ...]) -> tuple[int, int] | None:
    found = [_read(GROUPS / name) for name in names]
    if not found[0] or found[0] == ["max"]:
        return None
    return int(found[0][0]), int((found[1] or ["0"])[0])


def _cores() -> float:
    affine = getattr(os, "sched_getaffinity", None)
    cores = float(len(affine(0)) if affine else os.cpu_count() or 1)
    for names in CORES:
        words = [word for name in names for word in _read(GROUPS / name)]
        if len(words) == 2 and words[0].isdigit() and int(words[1]):
            return min(cores, int(words[0]) / int(words[1]))
    return cores


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
