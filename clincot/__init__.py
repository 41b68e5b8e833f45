"""Clinical, region-grounded chain-of-thought preference learning: public names, resolved on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Example": "clincot.records",
    "Region": "clincot.records",
    "Candidate": "clincot.records",
    "Pair": "clincot.records.pairs",
    "Recipe": "clincot.recipe",
    "load_recipe": "clincot.recipe",
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
