"""A pinned model -> what the front matter of its card says of its licence and of the models that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clincot.errors import NotOnHub
from clincot.hub.client import Hub
from clincot.localhub.cards.front_matter import front_matter
from clincot.records.lineage import Pin

CARD = "README.md"


@dataclass(frozen=True)
class ModelTerms:
    """What a card says: `licence` is the Hub's id of one, with `name` and `link` where that is "other"; "" for nothing.

    `base_models` are those that the card names itself; their own cards are not read.
    """

    repo: str
    licence: str = ""
    name: str = ""
    link: str = ""
    base_models: tuple[str, ...] = ()

    @property
    def stated(self) -> str:
        """Return the licence by the name that says most, "" where the card names none."""
        return self.name if self.name and self.licence in ("", "other") else self.licence

    def to_facts(self) -> dict[str, Any]:
        """Return what a lineage keeps."""
        return asdict(self) | {"base_models": list(self.base_models)}


def read_terms(hub: Hub, pin: Pin) -> ModelTerms:
    """Return the terms on the card of a pinned model; all are empty where it has no card or none that can be read."""
    try:
        return terms_of(pin.repo, hub.read(pin, CARD).decode(errors="replace"))
    except NotOnHub:
        return ModelTerms(pin.repo)


def terms_of(repo: str, card: str) -> ModelTerms:
    """Return the terms in the front matter of a card; all are empty where it has none that can be read."""
    try:
        values = front_matter(card)
    except ValueError:  # a card is its author's: a damaged one states nothing
        values = None
    if not isinstance(values, Mapping):
        return ModelTerms(repo)
    names = {"licence": "license", "name": "license_name", "link": "license_link"}
    said = {field: ", ".join(_texts(values.get(key))) for field, key in names.items()}
    return ModelTerms(repo, **said, base_models=_texts(values.get("base_model")))


def _texts(value: Any) -> tuple[str, ...]:
    """Return a text or a list of texts without those that are empty."""
    several = value if isinstance(value, list) else [value]
    return tuple(one.strip() for one in several if isinstance(one, str) and one.strip())
