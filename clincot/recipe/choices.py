"""A plug point's table and a name, of ours or of a plugin, `module:Class` or `./file.py:Class` -> what it names."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Collection, Mapping
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from clincot.errors import ClincotError, did_you_mean
from clincot.recipe.plugins import Plugin, name_clash, named, of_table


def check(table: Mapping[str, str], name: str, what: str) -> None:
    """Raise ClincotError unless `table` knows `name` or it names a class elsewhere; `what` is the key that gave it.

    Classes of the table are not imported; one elsewhere is, so that a mistake in its name, file or package is found
    now.
    """
    if name in table:
        name_clash(table, name, what)
    else:
        choose(table, name, what)


def check_parts(found: object, parts: Collection[str], where: str) -> None:
    """Raise ClincotError unless `found`, a class or an object of one, has all `parts` of its contract."""
    lacking = [part for part in parts if not hasattr(found, part)]
    if lacking:
        raise ClincotError(f"{where}: has no {', '.join(lacking)}. Add them: docs/extending.md has a complete file.")


def is_known(table: Mapping[str, str], name: str) -> bool:
    """Return whether `name` is of the table, of a plugin, or has the form of a class elsewhere; nothing is imported."""
    return name in table or is_elsewhere(name) or any(plugin.name == name for plugin in of_table(table))


def is_elsewhere(name: str) -> bool:
    """Return whether `name` has the form of a class outside: `package.module:Class` or `./file.py:Class`."""
    return ":" in name


def is_outside(table: Mapping[str, str], name: str) -> bool:
    """Return whether `name` is a class elsewhere or of a plugin; nothing is imported."""
    return is_elsewhere(name) or named(table, name) is not None


def trait(table: Mapping[str, str], name: str, those: Collection[str], attribute: str) -> bool:
    """Return whether `name` is one of `those` of the table, or a class elsewhere with a true `attribute`."""
    if is_outside(table, name):
        return bool(getattr(choose(table, name, attribute), attribute, False))
    return name in those


def source_keys(*chosen: tuple[Mapping[str, str], str]) -> list[str]:
    """Return a sha256 of the file of every class elsewhere among (table, name): who edits it makes something else."""
    outside = [(table, name) for table, name in chosen if is_outside(table, name)]
    return [sha256(file_of(table, name).read_bytes()).hexdigest() for table, name in outside]


def file_of(table: Mapping[str, str], name: str) -> Path:
    """Return the file of what `name` means, imported for it; of an object (a protocol), that of the module."""
    found = choose(table, name, "source")
    try:
        return Path(inspect.getfile(found))
    except TypeError:
        plugin = named(table, name)
        place = plugin.module if plugin else table.get(name, name).rpartition(":")[0]
        return Path(place if place.endswith(".py") else str(import_module(place).__file__))


def code_of(table: Mapping[str, str], name: str) -> str:
    """Return what to call the code of a class elsewhere, without the folder of a file; "" for one of ours."""
    plugin = named(table, name)
    return f"{name} of {plugin.label}" if plugin else name.rsplit("/", 1)[-1] if is_elsewhere(name) else ""


def choose(table: Mapping[str, str], name: str, what: str) -> Any:
    """Import and return what `table` calls `name`, or the class that `name` itself gives; raises as `check` does.

    Our own names come before those of plugins. A file's path is absolute, or relative to the working directory.
    """
    if name in table:
        module, _, attribute = table[name].partition(":")
        return getattr(import_module(module), attribute)
    where = f"{what} {name!r}"
    if not is_elsewhere(name):
        plugin = named(table, name, where)
        if plugin is None:
            known = {*table, *(plugin.name for plugin in of_table(table))}
            raise ClincotError(f"{where}: is not known.{did_you_mean(name, known)}")
        return load_plugin(plugin, where)
    place, _, attribute = name.rpartition(":")
    found = _file(Path(place), where) if place.endswith(".py") else _module(place, where)
    if not attribute.isidentifier() or not hasattr(found, attribute):
        raise ClincotError(f"{where}: {place} has no {attribute!r}.{_near(attribute, found)}")
    return getattr(found, attribute)


def load_plugin(plugin: Plugin, where: str) -> Any:
    """Import and return what a plugin names; raises ClincotError with its package and what failed."""
    of = f"{where}: of the package {plugin.label}"
    todo = f"Update {plugin.package}, or remove it: pip uninstall {plugin.package}."
    try:
        found = import_module(plugin.module)
        for part in plugin.attribute.split("."):
            found = getattr(found, part)
        return found
    except (Exception, SystemExit) as error:
        raise ClincotError(f"{of}: cannot be imported: {_why(error)}. {todo}") from error


def _module(place: str, where: str) -> ModuleType:
    if not all(part.isidentifier() for part in place.split(".")):
        raise ClincotError(f"{where}: is neither package.module:Class nor ./file.py:Class. Correct the name.")
    try:
        return import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise _failed(error, where) from error
        raise ClincotError(
            f"{where}: there is no module {error.name!r}. Install its package, or write ./file.py:Class for a file."
        ) from error
    except Exception as error:
        raise _failed(error, where) from error


def _file(path: Path, where: str) -> ModuleType:
    """Import a file once; it is listed as a module, since dataclasses and pickle look their module up by its name."""
    full = path.absolute()
    if not full.is_file():
        raise ClincotError(f"{where}: there is no file {path}. Give its path from the working directory.")
    name = f"clincot_file_{sha256(str(full).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise ClincotError(f"{where}: {path} cannot be imported. Give a Python file.")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _failed(error, where) from error
    return module


def _failed(error: Exception, where: str) -> ClincotError:
    """Return the error of a module that fails at import, with the line that failed."""
    return ClincotError(f"{where}: {_why(error)}. Correct the file.")


def _why(error: BaseException) -> str:
    """Return in one line where and how an import failed."""
    if isinstance(error, SyntaxError):
        place = f"{Path(error.filename or '').name}, line {error.lineno}"
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
        own = [frame for frame in frames if frame.filename != __file__]
        place = f"{Path(own[0].filename).name}, line {own[0].lineno}" if own else "its import"
    said = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    return f"{place}: {type(error).__name__}: {said}"


def _near(attribute: str, module: ModuleType) -> str:
    own = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    return did_you_mean(attribute, own) if own else " It defines none. Add the class."
