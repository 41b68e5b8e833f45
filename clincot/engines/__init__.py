"""The name of an engine and a policy's folders -> the engine; `ENGINES` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.choices import choose
from clincot.engines.base import Engine

ENGINES = {
    "transformers": "clincot.engines.transformers:TransformersEngine",
    "openai": "clincot.engines.openai:OpenAIEngine",
}


def load(kind: str, base: str | Path, adapter: str | Path | None = None, **options: Any) -> Engine:
    """Load the policy `base` + `adapter`; an empty `kind` is `transformers`, `options` go to its `from_pretrained`.

    `transformers` takes folders, `openai` the names that a server knows them by. Raises ClincotError for an unknown
    kind.
    """
    return choose(ENGINES, kind or "transformers", "engine").from_pretrained(base, adapter, **options)
