"""Questions with two answers each -> those of a sheet in a seeded order, and the key: which answer is whose."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clincot.errors import DataError
from clincot.records.atomic import write_file
from clincot.records.lineage import content_key

FORMAT = "clincot-blinded-key-1"
Scores = tuple[float | None, float | None]


@dataclass(frozen=True)
class Item:
    """A question about images (encoded bytes) with two different answers, the first side's first.

    `judges` holds what a judge, or a protocol, made of both answers: a higher number is better.
    """

    id: str
    image_id: str
    question: str
    images: tuple[bytes, ...] = field(repr=False)
    texts: tuple[str, str] = ("", "")
    judges: Mapping[str, Scores] = field(default_factory=dict)
    reference: str | None = None


@dataclass(frozen=True)
class Entry:
    """What the key says of an item: `first` is the letter under which the first side's answer is shown."""

    number: int
    id: str
    image_id: str
    first: str
    judges: Mapping[str, Scores] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """Which answer is whose; it stays with who wrote the sheet. `sides` names them, `source` where they are from."""

    sheet: str
    source: str
    sides: tuple[str, str]
    seed: int
    entries: tuple[Entry, ...]


def chosen_items(items: Iterable[Item], count: int, seed: int) -> list[Item]:
    """Return at most `count` items in an order that the seed draws, of as many images as there are.

    Intervals are over images, so that a second question about an image comes after a first one about each.
    """
    draw = random.Random(f"items {seed}")
    by_image: dict[str, list[Item]] = {}
    for item in items:
        by_image.setdefault(item.image_id, []).append(item)
    groups = [draw.sample(group, len(group)) for _, group in sorted(by_image.items())]
    draw.shuffle(groups)
    turns = max(map(len, groups), default=0)
    spread = [group[turn] for turn in range(turns) for group in groups if turn < len(group)][:count]
    return draw.sample(spread, len(spread))


def key_of(items: Sequence[Item], source: str, sides: tuple[str, str], seed: int) -> Key:
    """Return the key of a sheet of these items, in their order; the seed decides which answer of each is A."""
    sheet = content_key(seed, source, [(item.id, item.texts) for item in items])[:16]
    draw = random.Random(f"letters {seed} {sheet}")
    entries = (
        Entry(number, item.id, item.image_id, draw.choice("AB"), item.judges) for number, item in enumerate(items, 1)
    )
    return Key(sheet, source, sides, seed, tuple(entries))


def write_key(key: Key, path: Path) -> None:
    """Write the key as JSON."""
    write_file(path, json.dumps({"format": FORMAT, **asdict(key)}, indent=1))


def read_key(path: Path) -> Key:
    """Read a key. Raises DataError for a file that is absent or no key."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']!r}")
        entries = tuple(_entry(one) for one in found["entries"])
        first, second = found["sides"]
        return Key(str(found["sheet"]), str(found["source"]), (str(first), str(second)), int(found["seed"]), entries)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). Name the key of the sheet.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: is no key of a sheet ({error}). Name the file that `clincot blinded export` wrote next to it."
        ) from error


def _entry(one: Mapping[str, Any]) -> Entry:
    if one["first"] not in ("A", "B"):
        raise ValueError(f"first {one['first']!r}")
    judges = {name: (scores[0], scores[1]) for name, scores in one["judges"].items()}
    return Entry(int(one["number"]), one["id"], one["image_id"], one["first"], judges)
