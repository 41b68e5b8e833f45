"""README text and a repo kind -> the errors for which a Hub refuses the card, and its warnings, in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from .front_matter import front_matter
from .index import index_errors
from .terms import (
    COLOURS,
    LANGUAGES,
    LICENCES,
    RELATIONS,
    SDKS,
    SIZES,
    SPECIAL_LANGUAGES,
    TASKS,
)

REPO_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
LICENCE_NAME = re.compile(r"[a-z0-9.-]+")
MISSING = "empty or missing yaml metadata in repo card"
Complaints = list[str]
Rule = Callable[[str, Any], Complaints]


@dataclass(frozen=True)
class Review:
    """What a Hub answers to a card: with errors it is refused, warnings are shown."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def rows(self, name: str) -> list[dict[str, str]]:
        return [{"message": text} for text in getattr(self, name)]


def review_card(text: str, kind: str) -> Review:
    try:
        data = front_matter(text)
    except ValueError as error:
        return Review((f"YAML metadata cannot be read: {error}",))
    if data is None or data == {}:
        return Review(warnings=(MISSING,))
    if not isinstance(data, dict):
        return Review(("YAML metadata must be a mapping of keys to values",))
    rules = COMMON | BY_KIND[kind]
    found = {key: value for key, value in data.items() if value is not None}
    errors = [text for key, rule in rules.items() if key in found for text in rule(key, found[key])]
    return Review(tuple(errors), tuple(_warnings(found, kind)))


# -- rules: a key and its value -> errors; a key without a value is as good as absent ----------------------------------
def _text(key: str, value: Any) -> Complaints:
    return [] if isinstance(value, str) else [f'"{key}" must be a string']


def _flag(key: str, value: Any) -> Complaints:
    return [] if isinstance(value, bool) else [f'"{key}" must be a boolean']


def _texts(key: str, value: Any) -> Complaints:
    if not isinstance(value, list):
        return [f'"{key}" must be an array']
    return [text for number, item in enumerate(value) for text in _text(f"{key}[{number}]", item)]


def _each(rule: Rule, one: bool) -> Rule:
    """The rule for every item of an array and, with `one`, for a single value."""

    def check(key: str, value: Any) -> Complaints:
        if isinstance(value, list):
            return [text for number, item in enumerate(value) for text in rule(f"{key}[{number}]", item)]
        return rule(key, value) if one else [f'"{key}" must be an array']

    return check


def _member(choices: Collection[str]) -> Rule:
    shown = ", ".join(choices if isinstance(choices, tuple) else sorted(choices))

    def check(key: str, value: Any) -> Complaints:
        return [] if isinstance(value, str) and value in choices else [f'"{key}" must be one of [{shown}]']

    return check


def _id_of(what: str) -> Rule:
    advice = "Use a model id" if what == "models" else "If possible, use a dataset id"

    def check(key: str, value: Any) -> Complaints:
        if not isinstance(value, str):
            return _text(key, value)
        fits = REPO_ID.fullmatch(value) and ".." not in value
        return [] if fits else [f'"{key}" with value "{value}" is not valid. {advice} from https://hf.co/{what}.']

    return check


def _language(key: str, value: Any) -> Complaints:
    if not isinstance(value, str):
        return _text(key, value)
    if value != value.lower():
        return [f'"{key}" must only contain lowercase characters']
    if value in LANGUAGES | SPECIAL_LANGUAGES or re.fullmatch("[a-z]{3}", value):
        return []
    special = " or ".join(f'"{name}"' for name in sorted(SPECIAL_LANGUAGES))
    return [
        f'"{key}" with value "{value}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 code (two/three letters), '
        f"or a special value like {special}. If you want to use BCP-47 identifiers, you can specify them in "
        "language_bcp47."
    ]


def _licence_name(key: str, value: Any) -> Complaints:
    if not isinstance(value, str) or LICENCE_NAME.fullmatch(value):
        return _text(key, value)
    return [f'"{key}" with value "{value}" fails to match the required pattern: /^[a-z0-9-.]+$/']


def _configs(key: str, value: Any) -> Complaints:
    if not isinstance(value, list):
        return [f'"{key}" must be an array']
    found = []
    for number, config in enumerate(value):
        if not isinstance(config, dict):
            found.append(f'"{key}[{number}]" must be of type object')
        elif not isinstance(config.get("config_name"), str):
            found.append(f'"{key}[{number}].config_name" must be a string')
    return found


def _tables(key: str, value: Any) -> Complaints:
    rows = value if isinstance(value, list) else [value]
    return [] if all(isinstance(row, dict) for row in rows) else [f'"{key}" must be an object or an array of objects']


COMMON: dict[str, Rule] = {
    "license": _each(_member(LICENCES), one=True),
    "license_name": _licence_name,
    "license_link": _text,
    "language": _each(_language, one=True),
    "tags": _texts,
    "pretty_name": _text,
}
BY_KIND: dict[str, dict[str, Rule]] = {
    "model": {
        "base_model": _each(_id_of("models"), one=True),
        "base_model_relation": _member(RELATIONS),
        "datasets": _each(_id_of("datasets"), one=True),
        "metrics": _each(_text, one=True),
        "library_name": _text,
        "pipeline_tag": _text,
        "model-index": index_errors,
    },
    "dataset": {
        "task_categories": _each(_text, one=True),
        "task_ids": _each(_text, one=True),
        "size_categories": _each(_text, one=True),
        "source_datasets": _each(_text, one=True),
        "configs": _configs,
        "dataset_info": _tables,
        "viewer": _flag,
    },
    "space": {
        "title": _text,
        "sdk": _member(SDKS),
        "colorFrom": _member(COLOURS),
        "colorTo": _member(COLOURS),
        "pinned": _flag,
        "models": _each(_id_of("models"), one=False),
        "datasets": _each(_id_of("datasets"), one=False),
    },
}
OFFICIAL = {"pipeline_tag": TASKS, "task_categories": TASKS, "size_categories": SIZES}


def _warnings(data: dict[str, Any], kind: str) -> list[str]:
    found = []
    for key in OFFICIAL.keys() & BY_KIND[kind].keys():
        values = data.get(key) if isinstance(data.get(key), list) else [data.get(key)]
        unknown = [value for value in values or [] if isinstance(value, str) and value not in OFFICIAL[key]]
        found += [
            f'The {key} "{value}" is not in the official list: {", ".join(sorted(OFFICIAL[key]))}' for value in unknown
        ]
    if data.get("license") == "other" and "license_name" not in data:
        found.append('"license_name" is missing: it names a license that is "other"')
    return sorted(found)
