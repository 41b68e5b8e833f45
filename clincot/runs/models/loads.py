"""The `load` of a run's roles -> options of their loaders, what this machine refuses, and a line for each role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot.progress import notice
from clincot.recipe import ModelSource
from clincot.recipe.load import DEFAULT, SPREAD, Load
from clincot.runs.roles import where_of


def options_of(source: ModelSource) -> dict[str, Any]:
    """Return `load` for an engine, judge or editor where it is not the default; own classes need not take one."""
    return {"load": source.load} if source.load != DEFAULT else {}


def device_of_proposer(source: ModelSource) -> dict[str, str]:
    """Return the device of a proposer or similarity where the setting names one."""
    return {"device": source.load.device_map} if source.load.device_map else {}


def refuse_unloadable(sources: Mapping[str, ModelSource]) -> None:
    """Raise ModelError for the first role whose device, kernels or library this machine lacks; nothing is loaded."""
    given = {where_of(role): source.load for role, source in sources.items() if source.load != DEFAULT}
    if given:
        from clincot.lm import placing  # imports torch

        for where, load in given.items():
            placing.refuse_unloadable(load, f"{where}.load")


def load_facts(sources: Mapping[str, ModelSource]) -> dict[str, Any]:
    """Return what a lineage says of the roles whose numbers depend on how they are loaded; nothing where none does."""
    loads = {role: source.load.numbers for role, source in sources.items() if source.load.numbers}
    return {"loads": loads} if loads else {}


def report_loads(sources: Mapping[str, ModelSource]) -> None:
    """Print one line for each role that is not loaded by default."""
    for role, source in sources.items():
        if source.load != DEFAULT:
            notice(f"{where_of(role)} {source.repo}: loaded {described(source.load)}")


def described(load: Load) -> str:
    """Return how a model is loaded, in words; only what is not the default."""
    parts = {
        "dtype": f"in {load.dtype}",
        "attention": f"with attention {load.attention}",
        "quantization": f"in {'8 bits (int8' if load.quantization == 'int8' else '4 bits (nf4'}, bitsandbytes)",
        "device_map": f"over several devices ({load.device_map})"
        if load.device_map in SPREAD
        else f"on {load.device_map}",
    }
    return ", ".join(text for name, text in parts.items() if name in load.given)
