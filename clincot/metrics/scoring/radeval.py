"""Reports, references and a RadEval metric -> its scores, or the error that names the optional extra `clinical`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from clincot.errors import ClincotError


def radeval_scores(metric: str, predictions: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
    """Return what RadEval >= 2.2 (jbdel/RadEval) gives for one `metric`: downloads its weights on first use.

    Raises ClincotError when radeval is not installed; {} for no reports, as RadEval itself returns.
    """
    try:
        radeval = import_module("radeval")
    except ImportError as missing:
        raise ClincotError(
            f"{metric}: needs the package radeval ({missing}). Run pip install 'clincot[clinical]'; "
            "chexpert_f1 needs no weights and no extra."
        ) from missing
    score = radeval.RadEval(metrics=[metric], show_progress=False)
    return dict(score(refs=list(references), hyps=list(predictions)))
