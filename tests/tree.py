"""The package's folders -> the tree in README.md, one line per folder; `python tests/tree.py` rewrites it there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- tree: begin -->\n", "<!-- tree: end -->"
WIDTH = 15


def render() -> str:
    """Return the tree of `clincot/`: each folder and top file with the first sentence of its docstring."""
    package = ROOT / "clincot"
    inner = sorted(path for path in package.iterdir() if (path / "__init__.py").is_file())
    folders = [_line(f"  {path.name}/", path / "__init__.py") for path in inner]
    files = [_line(f"  {path.name}", path) for path in sorted(package.glob("*.py")) if not path.name.startswith("_")]
    return "```\n" + "\n".join([_line("clincot/", package / "__init__.py"), *folders, *files]) + "\n```\n"


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
