"""The packages installed here -> the lines of requirements.txt for a Space with the same versions."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

GRADIO = "6.31.0"  # the version that the page was tried with
MORE = ("gradio", "pydicom")  # the extras that the page uses
BELOW = {"pillow": 13}  # major versions that this Gradio does not take


def requirements() -> tuple[str, ...]:
    """Return a pin for each package that clincot needs, and for Gradio."""
    direct = [re.split(r"[^\w.-]", line)[0] for line in requires("clincot") or () if "extra ==" not in line]
    return tuple(_pin(name) for name in dict.fromkeys((*direct, *MORE)))


def python_version() -> str:
    """Return the minor version of Python, as a Space names it."""
    return ".".join(platform.python_version_tuple()[:2])


def gradio_version() -> str:
    """Return the version of Gradio, which the card of a Space names too."""
    return _version("gradio") or GRADIO


def _pin(name: str) -> str:
    found = gradio_version() if name == "gradio" else _version(name)
    most = BELOW.get(name.lower())
    if most is not None and (not found or int(found.partition(".")[0]) >= most):
        return f"{name}<{most}"
    return f"{name}=={found}" if found else name


def _version(name: str) -> str:
    """Return an installed version without its build (`2.13.0+cpu` is on no index), "" for a package that is absent."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return ""
