"""A template, the lineages of a repository's rounds and its front matter -> the text of a README.md."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clincot.records.lineage import Lineage

TAGS = ("medical", "clincot")
# From what binds least to what binds most; a licence that is not here counts as the strictest and is named in full.
LICENCES = [
    "cc0-1.0",
    "mit",
    "apache-2.0",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc-by-nc-3.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0",
]

Rounds = Mapping[str, Lineage]
Ordered = list[tuple[str, Lineage]]


def cards_folder() -> Path:
    """Return the folder of card templates, in the wheel or in a checkout."""
    inside = Path(__file__).parents[3] / "_hub_cards"
    return inside if inside.is_dir() else Path(__file__).parents[4] / "hub_cards"


def render(template: str, repo: str, rounds: Ordered, metadata: Mapping[str, Any], **more: Any) -> str:
    """Fill `template` (a name in `cards_folder`) with the rounds, oldest first, and `more`; leave out empty metadata.

    Every card has `repo`, `rounds`, `latest` (the newest round's name), `last` (its lineage), `licence` and `withheld`.
    """
    jinja = Environment(
        loader=FileSystemLoader(cards_folder()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters |= {"cell": _cell, "number": number, "bytes": _megabytes, "quoted": _quoted}
    filled = {key: value for key, value in metadata.items() if value not in (None, [], "")}
    front = yaml.safe_dump(filled, sort_keys=False, allow_unicode=True, width=1000)
    return jinja.get_template(f"{template}.md.jinja").render(
        metadata=front,
        repo=repo,
        rounds=rounds,
        latest=rounds[-1][0],
        last=rounds[-1][1],
        licence=_strictest(rounds),
        withheld=any(made.facts.get("withheld") for _, made in rounds),
        **more,
    )


def ordered(lineages: Rounds) -> Ordered:
    """Return the rounds, oldest first. Raises ValueError for none."""
    if not lineages:
        raise ValueError("a card needs the lineage of at least one round")
    return sorted(lineages.items(), key=lambda item: (item[1].round, item[0]))


def licence_of(rounds: Ordered) -> dict[str, str]:
    """Return the front matter's licence: the strictest of all rounds."""
    strictest = _strictest(rounds)
    if strictest.lower() in LICENCES or not strictest:
        return {"license": strictest.lower()}
    return {"license": "other", "license_name": strictest.lower().replace(" ", "-")}


def languages(rounds: Ordered) -> list[str]:
    """Return the languages of all rounds; English where none is named, none where rows came without their language."""
    found = distinct(code for _, made in rounds for code in made.facts.get("languages", ()))
    return found or ([] if any("imported" in made.facts for _, made in rounds) else ["en"])


def split(name: str, path: str) -> list[dict[str, str]]:
    """Return the data files of a config with one split."""
    return [{"split": name, "path": path}]


def distinct(values: Iterable[Any]) -> list[Any]:
    """Return each value that is not empty once, in order."""
    return list(dict.fromkeys(value for value in values if value))


def number(value: Any) -> str:
    """Write a number for a table's cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else _cell(value)


def _strictest(rounds: Ordered) -> str:
    named = {str(made.facts["licence"]) for _, made in rounds if made.facts.get("licence")}
    return max(sorted(named), key=_strictness, default="")


def _strictness(licence: str) -> int:
    return LICENCES.index(licence.lower()) if licence.lower() in LICENCES else len(LICENCES)


def _cell(value: Any) -> str:
    """Keep text within its table cell or list line."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def _quoted(value: Any) -> str:
    """Write a text of the data as text: no sign of it is Markdown, HTML or turns the line."""
    plain = "".join(sign if sign.isprintable() and unicodedata.category(sign) != "Cf" else " " for sign in str(value))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(plain.split()))


def _megabytes(value: int | None) -> str:
    return "" if value is None else f"{value / 1e6:,.2f} MB"
