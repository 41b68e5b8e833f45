"""The name of a kind of judge and a folder -> the judge; `JUDGES` is the table to add one to."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from clincot.errors import ClincotError, did_you_mean
from clincot.judges.base import Judge

JUDGES = {
    "causal_lm": "clincot.judges.causal_lm:CausalLMJudge",
}


def load(kind: str, folder: str | Path, *, name: str, key: str, **options: Any) -> Judge:
    """Load a judge from `folder`; an empty `kind` is `causal_lm`, `options` go to its `from_pretrained`.

    Raises ClincotError for an unknown kind.
    """
    kind = kind or "causal_lm"
    if kind not in JUDGES:
        raise ClincotError(f"models.judges.kind: {kind!r} is not a kind of judge.{did_you_mean(kind, JUDGES)}")
    module, _, cls = JUDGES[kind].partition(":")
    return getattr(import_module(module), cls).from_pretrained(folder, name=name, key=key, **options)
