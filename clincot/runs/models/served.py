"""A role whose model is on servers -> how its loader reaches them, and what names its results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot.engines.base import Probed, ServedAbilities
from clincot.recipe import ModelSource
from clincot.records.lineage import content_key
from clincot.runs.roles import where_of
from clincot.runs.run import Run

TOKENIZER_FILES = ("tokenizer*", "special_tokens_map.json", "*.jinja", "vocab*", "merges.txt", "config.json")


def reach_of(run: Run, role: str, source: ModelSource, batch_size: int) -> dict[str, Any]:
    """Return the options that loaders of served kinds take; `batch_size` is that of the role."""
    how = {"key_env": source.key_env, "timeout": source.timeout, "tries": source.tries}
    how |= {"endpoint": source.endpoint, "batch_size": source.at_once or batch_size}
    if source.tokenizer:
        pin = run.target.resolve("model", source.tokenizer)
        how["tokenizer"] = run.target.snapshot(pin, TOKENIZER_FILES)
    return how | {"setting": f"{where_of(role)}.endpoint"}


def is_elsewhere(role: str, source: ModelSource) -> bool:
    """Return whether nothing of a role's model is read here; a served policy is trained here all the same."""
    return bool(source.endpoint) and role != "policy"


def served_key(source: ModelSource, engine: object = None) -> str:
    """Return what names a served model's results: what the setting says, and what the servers of an `engine` say.

    Loaders of judges add the latter themselves.
    """
    abilities = engine.abilities if isinstance(engine, Probed) else None
    root = [abilities.root] if isinstance(abilities, ServedAbilities) else []
    return content_key("served", source.repo, source.revision, source.tokenizer, *root)


def names_of(sources: Mapping[str, ModelSource]) -> list[dict[str, str]]:
    """Return what decides results of models that no pin names; nothing where all are read here."""
    named = {role: served_key(source) for role, source in sources.items() if is_elsewhere(role, source)}
    return [named] if named else []
