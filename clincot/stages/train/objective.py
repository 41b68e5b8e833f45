"""A recipe's training -> what the lineage says of an objective that is not margin DPO, with its own numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from clincot.objectives import OBJECTIVES
from clincot.recipe import Train

DEFAULT = "margin_dpo"
OWN = {"povid_noise": "noise", "image_preference": "anchor"}  # the part of `train` that the objective alone reads


def objective_facts(train: Train) -> dict[str, Any]:
    """Return the name of an objective of the package and its own numbers; nothing for the default and for others."""
    name = train.objective
    if name == DEFAULT or name not in OBJECTIVES:
        return {}
    return {"objective": name} | ({OWN[name]: asdict(getattr(train, OWN[name]))} if name in OWN else {})
