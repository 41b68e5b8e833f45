"""How a role's model is reached on servers -> what a stored recipe keeps of it, and what of that decides results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY_ENV = "CLINCOT_SERVER_KEY"  # the environment variable that holds a server's key, unless a recipe names another
USUAL = {"key_env": KEY_ENV, "at_once": 0, "timeout": 600.0, "tries": 7, "tokenizer": "", "adapter_root": ""}
DECIDE = ("tokenizer",)  # it names the tokens that are weighed; addresses, keys and waits change no result


@dataclass(frozen=True)
class OneOrMore:
    """A list of texts of a recipe in which one text may be written without brackets; an empty text gives no entry."""

    what: str

    def listed(self, value: Any) -> Any:
        """Return a single text as a list, anything else as it is."""
        return ([value] if value else []) if isinstance(value, str) else value


def kept(source: Mapping[str, Any], places: bool) -> dict[str, Any]:
    """Return a source without the defaults of its servers; without `places`, only what decides results is left.

    One URL is kept as a text and none as an empty one, as recipes had it before there could be several.
    """
    urls = list(source.get("endpoint", ()))
    endpoint = (urls if len(urls) > 1 else "".join(urls)) if places else ""
    own = {name: value for name, value in source.items() if name not in USUAL or value != USUAL[name]}
    own = {name: value for name, value in own.items() if places or name not in USUAL or name in DECIDE}
    return own | {"endpoint": endpoint}
