"""Messages and images -> texts and log-probabilities of the policy; `ENGINES` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.engines.base import Engine, Fitting
from clincot.recipe import ImageFit
from clincot.recipe.choices import choose
from clincot.recipe.plugins import Table

ENGINES = Table(
    "engines",
    {
        "transformers": "clincot.engines.transformers:TransformersEngine",
        "openai": "clincot.engines.openai:OpenAIEngine",
    },
)

ROOMS = {"transformers": "clincot.engines.room:PolicyRoom"}
REPAIRS = {"transformers": "clincot.lm.processors:repairs_of"}
SERVED = {"openai"}  # kinds that no folder is read for


def open_room(kind: str, base: str | Path, image_fit: ImageFit = "as_is") -> Fitting | None:
    """Return what says which prompts an engine of this kind has no room for, without weights; None where none can."""
    name = kind or "transformers"
    return choose(ROOMS, name, "engine").from_pretrained(base, image_fit) if name in ROOMS else None


def repairs_of(kind: str, base: str | Path) -> tuple[str, ...]:
    """Return the rules by which an engine of this kind repairs the prompts of `base`, as lineages name them."""
    name = kind or "transformers"
    return choose(REPAIRS, name, "engine")(base) if name in REPAIRS else ()


def load(kind: str, base: str | Path, adapter: str | Path | None = None, **options: Any) -> Engine:
    """Load the policy `base` + `adapter`; an empty `kind` is `transformers`, `options` go to its `from_pretrained`.

    `transformers` takes folders, `openai` the names that a server knows them by. Raises ClincotError for an unknown
    kind.
    """
    return choose(ENGINES, kind or "transformers", "engine").from_pretrained(base, adapter, **options)
