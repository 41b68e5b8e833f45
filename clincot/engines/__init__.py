"""The name of an engine and a policy's folders -> the engine; `ENGINES` is the table to add one to."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from clincot.engines.base import Engine
from clincot.errors import ClincotError, did_you_mean

ENGINES = {
    "transformers": "clincot.engines.transformers:TransformersEngine",
}


def load(kind: str, base: str | Path, adapter: str | Path | None = None, **options: Any) -> Engine:
    """Load the policy `base` + `adapter`; an empty `kind` is `transformers`, `options` go to its `from_pretrained`.

    Raises ClincotError for an unknown kind.
    """
    kind = kind or "transformers"
    if kind not in ENGINES:
        raise ClincotError(f"engine: {kind!r} is not an engine.{did_you_mean(kind, ENGINES)}")
    module, _, name = ENGINES[kind].partition(":")
    return getattr(import_module(module), name).from_pretrained(base, adapter, **options)
