"""Images and hypotheses -> heat maps and regions; `PROPOSERS` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clincot.errors import ModelError
from clincot.recipe.choices import check, choose, trait
from clincot.recipe.plugins import Table

if TYPE_CHECKING:
    from clincot.regions.base import Proposer

PROPOSERS = Table(
    "proposers",
    {
        "annotated": "clincot.regions.annotated:Annotated",
        "center": "clincot.regions.center:Center",
        "clip_grad_cam": "clincot.regions.clip_grad_cam:ClipGradCam",
        "clip_patches": "clincot.regions.clip_patches:ClipPatches",
        "grid": "clincot.regions.grid:Grid",
        "medklip": "clincot.regions.medklip:MedKlip",
        "query_grounder": "clincot.regions.query_grounder:QueryGrounder",
        "random": "clincot.regions.random:Random",
    },
)
MODEL_FREE = {"annotated", "center", "grid", "random"}  # the controls and the upper bound: kinds without a repository

MATCHING = ("clip_grad_cam", "clip_patches")  # kinds with a score of image and text (`regions.base.Matching`)


def can_match(kind: str) -> bool:
    """Return whether a proposer of this kind has a score of image and text; a class outside the table is imported."""
    if kind and kind not in PROPOSERS:
        return hasattr(choose(PROPOSERS, kind, "models.proposer.kind"), "similarity")
    return kind in MATCHING


def is_model_free(kind: str) -> bool:
    """Return whether the proposer `kind` reads no repository; one outside the table says so by `model_free = True`."""
    return trait(PROPOSERS, kind, MODEL_FREE, "model_free")


def load(kind: str, folder: str | Path | None = None, **options: Any) -> Proposer:
    """Load the proposer `kind` from `folder` (None for those of MODEL_FREE); `options` go to its `from_pretrained`.

    Raises ClincotError for an unknown or missing kind, since a folder does not name its kind, and where a model's
    folder is missing.
    """
    check(PROPOSERS, kind, "models.proposer.kind")
    if folder is None and not is_model_free(kind):
        raise ModelError(f"models.proposer.repo: {kind} is a model and none is named. Name its repository.")
    return choose(PROPOSERS, kind, "models.proposer.kind").from_pretrained(folder, **options)
