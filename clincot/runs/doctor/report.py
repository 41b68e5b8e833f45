"""What doctor found -> a report as lines of at most 80 columns, or as plain values for JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from clincot.runs.doctor.around import Around
from clincot.runs.doctor.machine import GIB, Machine
from clincot.runs.doctor.needs import SPARE, Need
from clincot.runs.doctor.packages import Package

WIDE, NAME, NUMBER = 80, 56, 12


@dataclass(frozen=True)
class Report:
    """Packages, the machine with its driver and torch's build, and what the stages of a recipe need there."""

    packages: tuple[Package, ...]
    machine: Machine
    torch_build: str
    driver: str
    title: str
    needs: tuple[Need, ...]
    around: Around | None = None

    @property
    def fits(self) -> bool:
        """Return whether no stage is known to exceed what is there."""
        return all(need.fits(self.machine) for need in self.needs)

    def values(self) -> dict[str, Any]:
        """Return plain values; bytes are whole numbers."""
        return {
            "packages": {package.name: package.version or None for package in self.packages},
            "torch_build": self.torch_build,
            "driver": self.driver or None,
            "machine": asdict(self.machine),
            **(asdict(self.around) if self.around else {}),
            "recipe": self.title,
            "stages": [self._stage(need) for need in self.needs],
            "fits": self.fits,
        }

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield from _packages(self.packages)
        yield ""
        yield from _machine(self.machine, self.torch_build, self.driver)
        if self.around:
            yield from _around(self.around)
        yield ""
        yield from _folded(f"Memory, estimated for {self.title}")
        for need in self.needs:
            yield ""
            yield from _need(need, self.machine)

    def _stage(self, need: Need) -> dict[str, Any]:
        places = {place: {"needs": need.at(place), "there": self.machine.room(place)} for place in need.places}
        fits = need.fits(self.machine)
        known = {"fits": fits if need.estimated or not fits else None, "places": places}
        parts = [asdict(part) for part in need.parts]
        more = {"unknown": list(need.unknown), "assumed": need.assumed, "advice": need.advice or None}
        return {"stage": need.stage, **known, "parts": parts, **more}


def _packages(packages: Sequence[Package]) -> Iterator[str]:
    there = [f"{package.name} {package.version}" for package in packages if not package.needed_by]
    yield from _folded(", ".join(there))
    for package in packages:
        if package.needed_by:
            state = package.version or "not installed"
            yield from _folded(f"  {package.name:<13} {state:<14} for {package.needed_by}", 33)


def _machine(machine: Machine, build: str, driver: str) -> Iterator[str]:
    yield f"torch {build}" + (f", NVIDIA driver {driver}" if driver else "")
    yield (f"CPU: {machine.cores:g} cores, memory {_gib(machine.memory)}, {_gib(machine.available)} of it available")
    for number, gpu in enumerate(machine.gpus):
        half = "bfloat16" if gpu.bfloat16 else "no bfloat16: set train.dtype and load.dtype to float32"
        yield f"GPU {number}: {gpu.name}, {_gib(gpu.total)}, {_gib(gpu.free)} free, {half}"
    if not machine.gpus:
        yield "GPU: none that torch sees; models run on the CPU"


def _around(around: Around) -> Iterator[str]:
    for disk in around.disks:
        low = " (LOW)" if disk.low else ""
        yield from _folded(f"disk: {_gib(disk.free)} free for {disk.holds}{low}: {disk.folder}")
    target = around.target
    if target.fault:
        yield from _folded(f"Hub {target.hub}: {target.fault}")
    else:
        who = f"token of {target.user}{f' (role {target.role})' if target.role else ''}" if target.user else "no token"
        push = f"; a push would be refused: {target.push}" if target.push else "; it may push"
        yield from _folded(f"Hub {target.hub}: answers; {who}{push}")
    for model in around.licences:
        said = model.licence or ("not known" if model.unknown else "none stated")
        why = f" ({model.unknown})" if model.unknown else ""
        yield from _folded(f"licence of {model.setting} ({model.repo}): {said}{why}")
        for clause in model.clauses:
            yield from _folded(f"  {clause}", 4)
    for one in around.added:
        state = f"CANNOT BE USED: {one.fault}" if one.fault else "can be used"
        yield from _folded(f"{one.kind}: {one.name} of {one.package} {one.version}: {state}")


def _need(need: Need, machine: Machine) -> Iterator[str]:
    places = _shown(need)
    yield _row(need.stage, [place.upper() for place in places])
    names = dict.fromkeys((part.name, part.turn) for part in need.parts)
    for name, turn in names:
        held = {p.place: p.bytes for p in need.parts if (p.name, p.turn) == (name, turn)}
        mark = " *" if turn else ""
        yield _row(f"  {name}{mark}", [_gib(held[p]) if p in held else "" for p in places])
    if need.parts:
        yield _row("  needs at most", [_gib(need.at(place)) for place in places])
        yield _row("  is there", [_gib(machine.room(place)) for place in places])
    for text in need.unknown:
        yield from _folded(f"  not known: {text}", 4)
    if need.parts:
        yield from _verdict(need, machine)


def _verdict(need: Need, machine: Machine) -> Iterator[str]:
    if any(part.turn for part in need.parts):
        yield "  * one after the other: the largest counts"
    yield from _folded(f"  counted with {need.assumed}", 4)
    if need.fits(machine):
        yield "  fits" if need.estimated else "  not known whether it fits"
        return
    short = [place for place in need.places if need.at(place) > SPARE * machine.room(place)]
    lacking = " and ".join(place.upper() for place in short)
    yield from _folded(f"  DOES NOT FIT on {lacking} ({SPARE:.0%} of what is there may be used)", 4)
    if need.advice:
        yield from _folded(f"  would fit with: {need.advice}" if need.advice[:2] != "no" else f"  {need.advice}", 4)


def _row(name: str, numbers: Sequence[str]) -> str:
    return f"{name:<{NAME}}" + "".join(f"{number:>{NUMBER}}" for number in numbers)


def _shown(need: Need) -> tuple[str, ...]:
    """Return the GPU that needs most and the CPU: of a model that is spread, the other GPUs hold as much or less."""
    gpus = sorted((place for place in need.places if place != "cpu"), key=lambda place: -need.at(place))
    return (*gpus[:1], *(place for place in need.places if place == "cpu"))


def _folded(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(text, WIDE, subsequent_indent=" " * indent, break_on_hyphens=False)


def _gib(amount: int) -> str:
    gib = amount / GIB
    return f"{gib:.1f} GiB" if gib >= 0.95 else f"{max(1, round(amount / 2**20))} MiB"
