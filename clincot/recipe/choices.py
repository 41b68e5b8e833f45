"""A plug point's table and a name, `module:Class` or `./file.py:Class` -> the class or function that it names."""

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


def check(table: Mapping[str, str], name: str, what: str) -> None:
    """Raise ClincotError unless `table` knows `name` or it names a class elsewhere; `what` is the key that gave it.

    Classes of the table are not imported; one elsewhere is, so that a mistake in its name or file is found now.
    """
    if is_elsewhere(name):
        choose(table, name, what)
    elif name not in table:
        raise ClincotError(f"{what} {name!r}: is not known.{did_you_mean(name, table)}")


def is_elsewhere(name: str) -> bool:
    """Return whether `name` is no entry of a table but a class outside: `package.module:Class` or `./file.py:Class`."""
    return ":" in name


def trait(table: Mapping[str, str], name: str, those: Collection[str], attribute: str) -> bool:
    """Return whether `name` is one of `those` of the table, or a class elsewhere with a true `attribute`."""
    return bool(getattr(choose(table, name, attribute), attribute, False)) if is_elsewhere(name) else name in those


def source_keys(*names: str) -> list[str]:
    """Return a sha256 of the file of every class elsewhere among `names`: who edits it makes something else."""
    files = [Path(inspect.getfile(choose({}, name, "source"))) for name in names if is_elsewhere(name)]
    return [sha256(path.read_bytes()).hexdigest() for path in files]


def choose(table: Mapping[str, str], name: str, what: str) -> Any:
    """Import and return what `table` calls `name`, or the class that `name` itself gives; raises as `check` does.

    A file's path is absolute, or relative to the working directory.
    """
    if not is_elsewhere(name):
        check(table, name, what)
        module, _, attribute = table[name].partition(":")
        return getattr(import_module(module), attribute)
    place, _, attribute = name.rpartition(":")
    where = f"{what} {name!r}"
    found = _file(Path(place), where) if place.endswith(".py") else _module(place, where)
    if not attribute.isidentifier() or not hasattr(found, attribute):
        raise ClincotError(f"{where}: {place} has no {attribute!r}.{_near(attribute, found)}")
    return getattr(found, attribute)


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
    if isinstance(error, SyntaxError):
        place = f"{Path(error.filename or '').name}, line {error.lineno}"
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
        own = [frame for frame in frames if frame.filename != __file__]
        place = f"{Path(own[0].filename).name}, line {own[0].lineno}" if own else "its import"
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return ClincotError(f"{where}: {place}: {type(error).__name__}: {said}. Correct the file.")


def _near(attribute: str, module: ModuleType) -> str:
    own = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    return did_you_mean(attribute, own) if own else " It defines none. Add the class."
