"""A round and its version <-> the tag that names it, and the files of a repository that belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

VERSION = re.compile(r"-v(\d+)$")


def tag_of(round_: int, start: str = "base") -> str:
    """Return the tag of the first version of a round; round 0 is what the rounds start from, `base` or `sft`."""
    return f"round-{round_}" if round_ else start


def latest_tag(tags: Mapping[str, str], round_: int, start: str = "base") -> str | None:
    """Return the newest version's tag of a round (`round-2-v3` before `round-2`), None when the round has no tag."""
    return max(versions(tags, round_, start), key=version_of, default=None)


def versions(tags: Iterable[str], round_: int, start: str = "base") -> list[str]:
    """Return the tags of a round's versions, the oldest first."""
    first = tag_of(round_, start)
    found = [tag for tag in tags if tag == first or (tag.startswith(first + "-v") and VERSION.search(tag))]
    return sorted(found, key=version_of)


def name_of(tag: str) -> str:
    """Return the name of the round that a tag is a version of: `round-2` for `round-2` and `round-2-v3`."""
    return VERSION.sub("", tag)


def version_of(tag: str) -> int:
    """Return the number of a tag's version: 1 for `round-2`, 3 for `round-2-v3`."""
    found = VERSION.search(tag)
    return int(found.group(1)) if found else 1


def belongs(path: str, round_: str) -> bool:
    """Return whether a repository's file is of `round_`: its own folders, or the adapter's files at the top."""
    top, _, rest = path.partition("/")
    if top == "rounds":
        return rest.startswith(f"{round_}/")
    return top in folders_of(round_) or (not rest and top.startswith("adapter_"))


def folders_of(round_: str) -> tuple[str, ...]:
    """Return the folders that belong to one round of a repository, without `rounds/`."""
    return (round_, f"{round_}-candidates", f"{round_}-regions", f"{round_}-predictions")
