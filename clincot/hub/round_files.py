"""A round's resolved recipe and lineage <-> `rounds/<name>/recipe.yaml` and `rounds/<name>/lineage.json` of a repo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clincot.errors import DataError
from clincot.hub.connection import Connection
from clincot.records.lineage import Lineage, Pin

LINEAGE = re.compile(r"rounds/([^/]+)/lineage\.json")


@dataclass(frozen=True)
class RoundFiles:
    """What every round leaves in addition to its data or weights; `name` is its folder (`sft`, `round-1`, ...)."""

    name: str
    recipe: str
    lineage: Lineage

    def files(self) -> dict[str, bytes]:
        """Return the two files by their paths, ready for `Hub.publish`."""
        folder = f"rounds/{self.name}"
        return {
            f"{folder}/recipe.yaml": self.recipe.encode(),
            f"{folder}/lineage.json": self.lineage.to_json().encode(),
        }

    @classmethod
    def read(cls, hub: Connection, pin: Pin, name: str) -> RoundFiles:
        """Read a round's files back; NotOnHub when the pinned version has no such round."""
        from clincot.hub import pull  # late, as client.py does

        path = f"rounds/{name}/lineage.json"
        lineage = parse_lineages({path: pull.read(hub, pin, path)})[name]
        return cls(name, pull.read(hub, pin, f"rounds/{name}/recipe.yaml").decode(), lineage)


def is_lineage(path: str) -> bool:
    """Return whether a path of a repo is a round's lineage."""
    return LINEAGE.fullmatch(path) is not None


def parse_lineages(contents: Mapping[str, bytes]) -> dict[str, Lineage]:
    """Turn path -> bytes (what a `card` of `Hub.publish` receives) into round name -> lineage, earliest round first."""
    found: dict[str, Lineage] = {}
    for path, content in contents.items():
        if match := LINEAGE.fullmatch(path):
            found[match[1]] = _parse(path, content)
    return dict(sorted(found.items(), key=lambda item: (item[1].round, item[0])))


def _parse(path: str, content: bytes) -> Lineage:
    try:
        return Lineage.from_json(content.decode())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: is not a lineage of clincot ({error}). Restore it from an earlier tag.") from error
