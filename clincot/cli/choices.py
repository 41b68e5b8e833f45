"""The tables of names and the shipped recipes -> what `--help` lists and the shell completes, without heavy imports."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clincot.engines import ENGINES
from clincot.executors import EXECUTORS
from clincot.judges import JUDGES
from clincot.methods import METHODS
from clincot.objectives import OBJECTIVES
from clincot.protocols import ALL, JUDGED, PROTOCOLS
from clincot.recipe import recipes_folder
from clincot.regions import PROPOSERS

RECIPES = sorted(path.stem for path in recipes_folder().glob("*.yaml"))
SETTINGS = sorted(path.stem for path in (recipes_folder() / "settings").glob("*.yaml"))
HARDWARE = sorted(path.stem for path in (recipes_folder() / "hardware").glob("*.yaml"))
LABELS = [ALL, *PROTOCOLS, JUDGED.label]
BY = list(EXECUTORS)
KINDS = {
    "method": METHODS,
    "models.policy.kind": ENGINES,
    "models.proposer.kind": PROPOSERS,
    "models.judges.kind": JUDGES,
    "train.objective": OBJECTIVES,
}


def listed(names: Iterable[str]) -> str:
    """Return names as a help text ends with them."""
    return f"Known: {', '.join(names)}."


def kinds() -> str:
    """Return the names that the values of a recipe choose from."""
    known = " ".join(f"{key}: {', '.join(table)}." for key, table in KINDS.items())
    return f"{known} A class of your own: package.module:Class or ./file.py:Class."


def completing(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what completes the beginning of one of `names`."""
    known = tuple(names)

    def complete(incomplete: str) -> list[str]:
        return [name for name in known if name.startswith(incomplete)]

    return complete
