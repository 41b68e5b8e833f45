"""The recipes' first comments and their methods -> the table in recipes/README.md; running this file rewrites it there.

A recipe says `# Row N: NAME` for each row of the paper's table N that it makes (`# Row none: NAME` for a row that no
table has) and `# Ours: ...` for what no paper fixes; `# Method: ...` and `# Needs: ...` where it does not run its
method. Text after ` | ` in a row replaces the usual command.
"""

from __future__ import annotations

import re
from pathlib import Path

from clincot import methods
from clincot.recipe import load_recipe, recipes_folder

BEGIN, END = "<!-- recipes: begin -->\n", "<!-- recipes: end -->"
HEAD = "| recipe | method | row of the paper's table | command | ours | needs |\n|---|---|---|---|---|---|\n"
WRITER = "python -m tests.recipe.recipes_page"


def render() -> str:
    """Return the table: a line for each row of each recipe, ClinCoT's first."""
    paths = sorted(recipes_folder().glob("*.yaml"), key=lambda path: (not path.stem.startswith("clincot"), path.stem))
    return HEAD + "".join(line for path in paths for line in _lines(path))


def _lines(path: Path) -> list[str]:
    said = comments(path)
    method = methods.load(load_recipe(path.stem).method.name)
    needs = ", ".join(sorted(method.needs)) or "the policy alone"
    lines, same = list[str](), said.method or method.title
    for table, row, command in said.rows:
        run = command or f"`clincot run --recipe {path.stem}`"
        name = f"none ({row})" if table == "none" else f"{table}: {row}"
        ours = "as above" if lines else said.ours
        lines.append(f"| `{path.stem}` | {same} | {name} | {run} | {ours} | {said.needs or needs} |\n")
    return lines


class Said:
    """What the first comments of a recipe say: `rows` of table, name and command, and what is `ours`.

    `method` and `needs` are said where a recipe does not run its method, else they are empty.
    """

    def __init__(self, text: str) -> None:
        head = re.match(r"(?:#.*\n)+", text)
        lines = [line.lstrip("# ") for line in (head[0] if head else "").splitlines()]
        self.rows = [
            (found[1], *(part.strip() for part in f"{found[2]} | ".split(" | ", 2)[:2]))
            for line in lines
            if (found := re.match(r"Row (\d|none): (.+)", line))
        ]
        self.ours, self.method, self.needs = (_after(f"{what}: ", lines) for what in ("Ours", "Method", "Needs"))


def _after(begin: str, lines: list[str]) -> str:
    return next((line.removeprefix(begin) for line in lines if line.startswith(begin)), "")


def comments(path: Path) -> Said:
    """Return what the comments at the beginning of a recipe's file say."""
    return Said(path.read_text(encoding="utf-8"))


def placed(readme: str) -> str:
    """Return `readme` with the table between its markers made anew."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}{render()}{END}", readme, flags=re.S)


if __name__ == "__main__":
    page = recipes_folder() / "README.md"
    page.write_text(placed(page.read_text(encoding="utf-8")), encoding="utf-8")
