"""The package's folders -> the tree in README.md, one line per file; `python tests/tree.py` rewrites it there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- tree: begin -->\n", "<!-- tree: end -->"
WIDTH = 34


def render() -> str:
    """Return the tree of `clincot/`: each file with the first sentence of its docstring."""
    return "```\n" + "\n".join(_lines(ROOT / "clincot", "")) + "\n```\n"


def _lines(folder: Path, indent: str) -> Iterator[str]:
    yield _line(f"{indent}{folder.name}/", folder / "__init__.py")
    inner = indent + "  "
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            yield _line(f"{inner}{path.name}", path)
    for path in sorted(folder.iterdir()):
        if path.is_dir() and list(path.glob("*.py")):
            yield from _lines(path, inner)


def _line(name: str, path: Path) -> str:
    return f"{name:{WIDTH}}{_summary(path)}".rstrip()


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def placed(readme: str) -> str:
    """Return `readme` with the tree between its markers made anew."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}{render()}{END}", readme, flags=re.S)


if __name__ == "__main__":
    (ROOT / "README.md").write_text(placed((ROOT / "README.md").read_text(encoding="utf-8")), encoding="utf-8")
