"""The house: what loads when, what the tables name, and whether README tells the truth about the folders."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tree import ROOT, placed

import clincot
from clincot.benchmarks import BENCHMARKS
from clincot.editors import EDITORS
from clincot.engines import ENGINES
from clincot.errors import ClincotError
from clincot.executors import EXECUTORS
from clincot.judges import JUDGES
from clincot.methods import METHODS
from clincot.metrics import METRICS, SCORES
from clincot.objectives import OBJECTIVES
from clincot.recipe.choices import choose
from clincot.regions import PROPOSERS
from clincot.rows.formats import FORMATS

FILES = sorted((ROOT / "clincot").rglob("*.py"))
HEAVY = ("torch", "transformers", "datasets", "evaluate", "peft", "trl", "cv2", "numpy", "huggingface_hub")
TABLES = {
    "benchmarks": BENCHMARKS,
    "editors": EDITORS,
    "formats": FORMATS,
    "engines": ENGINES,
    "executors": EXECUTORS,
    "judges": JUDGES,
    "methods": METHODS,
    "metrics": METRICS,
    "scores": SCORES,
    "objectives": OBJECTIVES,
    "regions": PROPOSERS,
}


@pytest.mark.parametrize("words", [[], ["train"], ["hub"], ["phantom", "draw"]], ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['clincot', *{words!r}, '--help']\n"
        "import runpy\n"
        "try: runpy.run_module('clincot', run_name='__main__')\n"
        f"except SystemExit as end: print(end.code, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.splitlines()[-1] == "0 []", done.stdout + done.stderr


@pytest.mark.parametrize("table", TABLES)
def test_every_name_in_a_table_resolves_and_others_are_refused(table: str) -> None:
    for name in TABLES[table]:
        assert callable(choose(TABLES[table], name, table))
    with pytest.raises(ClincotError, match="is not known"):
        choose(TABLES[table], "nothing of the kind", table)


def test_every_module_can_be_imported() -> None:
    for module in pkgutil.walk_packages(clincot.__path__, "clincot."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_no_two_test_files_share_a_name() -> None:
    """Outside of packages pytest imports them by their name alone, and refuses the second one."""
    paths = [p for p in (ROOT / "tests").rglob("test_*.py") if not (p.parent / "__init__.py").exists()]
    assert len({path.name for path in paths}) == len(paths)


def test_type_checkers_see_the_public_names() -> None:
    tree = ast.parse((ROOT / "clincot/__init__.py").read_text())
    shown = {
        n.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for n in node.names if node.level == 0
    }
    assert shown - {"annotations", "import_module", "TYPE_CHECKING", "Any"} == {*clincot.__all__} - {"__version__"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import clincot, sys; print([m for m in {(*HEAVY, 'typer', 'yaml')!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_public_names_resolve() -> None:
    for name in clincot.__all__:
        assert getattr(clincot, name) is not None
    assert set(clincot.__all__) <= set(dir(clincot))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        clincot.nothing  # noqa: B018


def test_the_tree_in_the_readme_is_the_tree() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert placed(readme) == readme, "run `python tests/tree.py`"


def imported(path: Path) -> set[str]:
    """Every module and name that `path` imports, and every name that it reads from a module it imported, dotted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    read = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    return {*known.values()} | {f"{known[node.value.id]}.{node.attr}" for node in read if node.value.id in known}


def owner(name: str) -> Path | None:
    """The folder that the first private part of a dotted name of the package belongs to; None where all is public."""
    parts = name.split(".")
    hidden = next((i for i, part in enumerate(parts) if part.startswith("_") and not part.endswith("__")), None)
    if hidden is None or parts[0] != "clincot":
        return None
    folder = Path(*parts[:hidden])
    return folder if (ROOT / folder).is_dir() else folder.parent


@pytest.mark.parametrize("root", ["clincot", "perf", "tests"])
def test_what_is_private_to_a_folder_stays_there(root: str) -> None:
    """A file reads private names of its own folder alone; a test reads those of the folder it mirrors, and below it."""
    odd = []
    for path in sorted((ROOT / root).rglob("*.py")):
        own = path.parent.relative_to(ROOT)
        for name, folder in ((name, owner(name)) for name in sorted(imported(path))):
            mirrored = Path("clincot", *own.parts[1:]) in ((folder, *folder.parents) if folder else ())
            if folder not in (None, own) and not (root == "tests" and mirrored):
                odd.append(f"{path.relative_to(ROOT)}: {name}")
    assert odd == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small_and_say_what_they_do(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a file begins with what goes in and what comes out"
    assert text.count("\n") <= 250
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert [node.name for node in functions if (node.end_lineno or 0) - node.lineno > 60] == []
    assert path.stem not in {"utils", "helpers", "common", "misc"}
    assert not re.search(r"\bsd" + r"po\b", text)


def test_every_entry_of_the_shipped_weights_is_small_and_safe() -> None:
    weights = [path for path in (ROOT / "clincot/phantom/models").rglob("*") if path.is_file()]
    second = [path for path in weights if "v2" in path.parts]
    assert sum(path.stat().st_size for path in weights if path not in second) < 12_000_000
    assert sum(path.stat().st_size for path in second) < 16_000_000
    assert {path.suffix for path in weights} <= {".safetensors", ".json", ".md", ".jinja"}
