"""The name of a recipe -> the text of a new one that extends it: each value commented out, with meaning and range."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from clincot.errors import RecipeError
from clincot.recipe import laid
from clincot.recipe.commented import WIDTH, Noted, commented
from clincot.recipe.files import Layer, read_recipe
from clincot.recipe.meanings import meaning, summary, takes, takes_passed
from clincot.recipe.method import MethodChoice

Keys = tuple[str, ...]
OF_SETTINGS = ("name", "setting", "benchmark", "models", "hub", "namespace")
BARE = {"setting": "", "benchmark": "", "models": {"policy": {}}}  # what settings add, and no value here depends on
HEAD = """\
# {name}: {parent} with values of your own.
# Each value below is commented out, with what {parent} has. To change one,
# remove the first "# " of its line and of the lines that it is indented below,
# and say why in a comment.
# A setting is laid over these values, and a hardware file over the setting;
# what is below `always:` is laid over both:
#   always: {{build: {{max_new_tokens: 200}}}}
# Models, benchmark and Hub are in settings. What a recipe comes to, and where
# each value is from: clincot recipe show --recipe {name}.yaml
extends: {extends}
name: {name}

"""


def starting_text(name: str, parent: str | Path, folder: Path) -> str:
    """Return the text of a recipe `name` in `folder` that extends `parent`, a shipped name or a path.

    Raises RecipeError for a parent that cannot be read, or extends another one.
    """
    layers, always = read_recipe(parent)
    if len(layers) > 1:
        above = Path(layers[0].path).stem
        raise RecipeError(
            f"--extends {parent}: extends {above} itself, and a new recipe lists one file's values. Extend {above}, and"
            " copy what differs."
        )
    base = layers[0]
    recipe = laid([BARE, base.values, *(one.values for one in always)], f"recipe {parent}")
    parts: dict[Any, tuple[str, ...]] = {}
    values = list(_part(recipe, _notes(base), parts, (), OF_SETTINGS))
    lines = commented(values, parts, width=WIDTH - 2, column=32)
    body = "\n".join(f"# {line}" for line in lines)
    extends = yaml.safe_dump(_name(base, str(parent), folder)).splitlines()[0]
    return HEAD.format(name=name, parent=Path(base.path).stem, extends=extends) + body + "\n"


def _name(base: Layer, parent: str, folder: Path) -> str:
    """Return what `extends` says: a name for shipped recipes and those of the same folder, else the whole path."""
    path = Path(base.path).resolve()
    same = path.parent == folder.resolve() and path.suffix == ".yaml"
    return path.stem if same else str(path) if Path(parent).suffix in {".yaml", ".yml"} else parent


def _part(
    part: Any, said: Mapping[Keys, str], parts: dict[Keys, tuple[str, ...]], path: Keys, without: Sequence[str] = ()
) -> Iterator[Noted]:
    """Yield the fields of a part of a recipe; what is to be said above the parts below it is added to `parts`."""
    cls = type(part)
    hints = get_type_hints(cls, include_extras=True)
    for name in (entry.name for entry in dataclasses.fields(cls) if entry.name not in without):
        value, here = getattr(part, name), (*path, name)
        if isinstance(value, MethodChoice):
            yield Noted((*here, "name"), value.name, "a name of `clincot plugins`, or a class of your own")
            value = value.config
        if dataclasses.is_dataclass(value):
            parts[here] = (summary(type(value)),)
            yield from _part(value, said, parts, here)
        elif isinstance(value, dict) and value:
            parts[here] = meaning(cls, name)
            for key, one in value.items():
                there = (*here, key)
                yield Noted(there, one, takes_passed(there), _comment(said, there))
        else:
            plain = list(value) if isinstance(value, tuple) else value
            own = [one for one in meaning(cls, name) if one != summary(cls)]  # which is above the part
            yield Noted(here, plain, takes(hints[name]), (*own, *_comment(said, here)))


def _comment(said: Mapping[Keys, str], path: Keys) -> tuple[str, ...]:
    return (said[path],) if path in said else ()


def _notes(base: Layer) -> dict[Keys, str]:
    """Return the comments after the values of the parent's file, which say where each number is from."""
    text = Path(base.path).read_text(encoding="utf-8-sig")
    return dict(_comments(yaml.compose(text, yaml.SafeLoader), text.splitlines(), (), Path(base.path).stem))


def _comments(node: Any, lines: list[str], path: Keys, name: str) -> Iterator[tuple[Keys, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield from _comments(value, lines, here, name)
            end = value.end_mark
            behind = lines[end.line][end.column :].strip() if end.line < len(lines) else ""
            if behind.startswith("#") and not isinstance(value, yaml.MappingNode):
                yield here, f"In {name}: {behind.lstrip('# ')}"
