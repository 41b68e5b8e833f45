"""README text -> its data, what a Hub would refuse it for, and the tags by which its repo is found."""

from __future__ import annotations

from typing import Any

from .front_matter import front_matter
from .rules import review_card


def card_data(readme: bytes | None) -> dict[str, Any] | None:
    """Front matter of a stored README; None when it is absent or broken."""
    if readme is None:
        return None
    try:
        data = front_matter(readme.decode(errors="replace"))
    except ValueError:  # stored by plain git: the Hub shows such a repo without card data
        return None
    return data if isinstance(data, dict) else None


def complaints(text: str, kind: str) -> list[str]:
    """What is wrong with a card before it is stored; empty when it may be."""
    return list(review_card(text, kind).errors)


def _listed(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def tags_of(card: dict[str, Any]) -> list[str]:
    """Tags by which repos are found: the card's own, then license:, base_model:, dataset: and the rest."""
    tags = _listed(card.get("tags")) + _listed(card.get("library_name")) + _listed(card.get("pipeline_tag"))
    named = {"license": "license", "base_model": "base_model", "datasets": "dataset", "language": "language"}
    named |= {"task_categories": "task_categories", "size_categories": "size_categories"}
    for key, prefix in named.items():
        tags += [f"{prefix}:{value}" for value in _listed(card.get(key))]
    relation = card.get("base_model_relation")
    if isinstance(relation, str):
        tags += [f"base_model:{relation}:{base}" for base in _listed(card.get("base_model"))]
    return list(dict.fromkeys(tags))
