"""Modules and entry points -> an installed package in a folder, as pip would leave it (files and a dist-info)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(
    folder: Path,
    name: str,
    files: Mapping[str, str],
    points: Mapping[str, Mapping[str, str]],
    version: str = "1.2",
) -> Path:
    """Write `files` (path -> text) and the metadata of a package `name` to `folder`, to be put on PYTHONPATH.

    `points` maps a kind (`methods`) to names and their `module:Class`.
    """
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [
        line
        for kind, names in points.items()
        for line in (f"[clincot.{kind}]", *(f"{one} = {place}" for one, place in names.items()), "")
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder
