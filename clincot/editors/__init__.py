"""Texts -> wrong versions of them, to be rejected; `EDITORS` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.editors.base import Editor
from clincot.recipe.choices import choose
from clincot.recipe.plugins import Table

EDITORS = Table(
    "editors",
    {
        "rules": "clincot.editors.rules:Rules",
        "causal_lm": "clincot.editors.instructed:TextEditor",
        "vlm": "clincot.editors.instructed:SeeingEditor",
        "openai": "clincot.editors.instructed:ServedEditor",
    },
)
MODEL_FREE = {"rules"}  # kinds without a repository
SERVED = {"openai"}  # kinds that no folder is read for


def load(kind: str, folder: str | Path | None = None, **options: Any) -> Editor:
    """Load the editor `kind` from `folder` (None for those of MODEL_FREE and SERVED).

    `options` go to its `from_pretrained`. Raises ClincotError for an unknown kind.
    """
    return choose(EDITORS, kind, "models.editor.kind").from_pretrained(folder, **options)


__all__ = ["EDITORS", "MODEL_FREE", "Editor", "load"]
