"""The models of a recipe -> their pinned repositories on the target Hub; kinds that need no model have none."""

from __future__ import annotations

from collections.abc import Mapping

from clincot.errors import NotOnHub
from clincot.lineage import Pin
from clincot.recipe import ModelSource
from clincot.rounds.run import Run


def model_pins(run: Run, sources: Mapping[str, ModelSource]) -> dict[str, Pin]:
    """Pin the models that have a repository. Raises NotOnHub, for a MedKLIP with the way to make one's own."""
    return {name: _pin(run, source) for name, source in sources.items() if source.repo}


def _pin(run: Run, source: ModelSource) -> Pin:
    try:
        return run.target.resolve("model", source.repo, source.revision)
    except NotOnHub as error:
        if source.kind != "medklip":
            raise
        # Nobody may pass the authors' weights on, so an absent repository is the usual state and no slip.
        place = run.target.label
        raise NotOnHub(
            f"{place}: has no model {source.repo}. MedKLIP's weights are not shipped; convert your own copy:\n"
            '  clincot convert medklip CHECKPOINT.pth medklip --descriptions "observation explanation.json"'
            " --text-encoder emilyalsentzer/Bio_ClinicalBERT\n"
            f"  clincot hub import medklip --as {source.repo} --kind model --hub {place}\n"
            "docs/proposers.md says more. Without them, set models.proposer to another kind."
        ) from error
