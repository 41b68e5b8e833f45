"""A recipe and its target Hub -> what is around the work: disks, Hub and token, licences, names of installed packages.

Nothing is made, written or published.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clincot.errors import ClincotError, HubError
from clincot.hub import Hub
from clincot.hub.account import check_may_write
from clincot.hub.environment import client_home
from clincot.recipe import Recipe
from clincot.records.stored_images import spill_folder
from clincot.runs.doctor.licences import RoleLicence, licences
from clincot.runs.doctor.reach import Reach, one_line
from clincot.runs.plugins import Known, added_names

LOW = 5 * 2**30  # bytes free, below which a disk is called low: a 7B's adapter and a round of 1,000 images take less


@dataclass(frozen=True)
class Disk:
    """What lies in `folder` (or will), and the bytes that are free there."""

    holds: str
    folder: str
    free: int

    @property
    def low(self) -> bool:
        """Return whether little is free."""
        return self.free < LOW


@dataclass(frozen=True)
class Target:
    """The target Hub: `fault` says why it was not asked; whose token it is, its role, why a push would be refused."""

    hub: str
    fault: str = ""
    user: str = ""
    role: str = ""
    push: str = ""


@dataclass(frozen=True)
class Around:
    """Disks, the target Hub, licences of the recipe's models, and names that installed packages add."""

    disks: tuple[Disk, ...]
    target: Target
    licences: tuple[RoleLicence, ...]
    added: tuple[Known, ...]


def around(recipe: Recipe, reach: Reach, namespace: str) -> Around:
    """Look at them; a Hub that does not answer is named, and is asked once."""
    return Around(tuple(_disks(reach.target)), _target(reach, namespace), licences(recipe, reach), added_names())


def _disks(target: str) -> Iterator[Disk]:
    yield _disk("runs", Path("runs"))
    if target.startswith("local:"):
        yield _disk("the embedded Hub", Path(target.removeprefix("local:")).expanduser())
    else:
        yield _disk("models and datasets", Path(os.environ.get("HF_HUB_CACHE") or client_home() / "hub"))
    yield _disk("images of a split", Path(spill_folder()))
    if spill_folder() != tempfile.gettempdir():
        yield _disk("temporary files", Path(tempfile.gettempdir()))


def _disk(holds: str, folder: Path) -> Disk:
    whole = folder.absolute()
    there = next(path for path in (whole, *whole.parents) if path.exists())
    return Disk(holds, str(folder), shutil.disk_usage(there).free)


def _target(reach: Reach, namespace: str) -> Target:
    target = reach.target
    if target.startswith("local:") and not Path(target.removeprefix("local:")).expanduser().is_dir():
        return Target(target, "an embedded one, which the first command makes")
    try:
        return reach(lambda hub: _asked(hub, target, namespace))
    except ClincotError as error:
        return Target(target, f"does not answer ({one_line(error)})")


def _asked(hub: Hub, target: str, namespace: str) -> Target:
    try:
        who = hub.account()
    except HubError as error:
        if "401" not in str(error) and "token" not in str(error).lower():
            raise
        return Target(target, push=f"no token that it knows ({one_line(error)})")
    try:
        check_may_write(hub, who, namespace or who.name)
    except HubError as error:
        return Target(target, user=who.name, role=who.role, push=one_line(error))
    return Target(target, user=who.name, role=who.role)
