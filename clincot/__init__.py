"""Clinical, region-grounded preference learning for medical vision-language models: the public Python API."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names, for type checkers and editors
    from clincot.errors import ClincotError  # noqa: F401
    from clincot.hub import Hub  # noqa: F401
    from clincot.recipe import Recipe, load_recipe  # noqa: F401
    from clincot.records import Candidate, Example, Region  # noqa: F401
    from clincot.records.pairs import Pair  # noqa: F401
    from clincot.report.show import Shown, show  # noqa: F401
    from clincot.runs.api import build, check_push, evaluate, import_rows, open_run, pair, push, train  # noqa: F401
    from clincot.runs.results import RoundAdapter, RoundData, RunResults  # noqa: F401
    from clincot.runs.rounds.imported import RowsToImport  # noqa: F401
    from clincot.runs.run import Run  # noqa: F401

__version__ = "0.1.0"

_PUBLIC = {
    "Example": "clincot.records",
    "Region": "clincot.records",
    "Candidate": "clincot.records",
    "Pair": "clincot.records.pairs",
    "Recipe": "clincot.recipe",
    "load_recipe": "clincot.recipe",
    "Run": "clincot.runs.run",
    "open_run": "clincot.runs.api",
    "build": "clincot.runs.api",
    "import_rows": "clincot.runs.api",
    "RowsToImport": "clincot.runs.rounds.imported",
    "pair": "clincot.runs.api",
    "train": "clincot.runs.api",
    "evaluate": "clincot.runs.api",
    "check_push": "clincot.runs.api",
    "push": "clincot.runs.api",
    "RoundData": "clincot.runs.results",
    "RoundAdapter": "clincot.runs.results",
    "RunResults": "clincot.runs.results",
    "Shown": "clincot.report.show",
    "show": "clincot.report.show",
    "Hub": "clincot.hub",
    "ClincotError": "clincot.errors",
}
__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'clincot' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
