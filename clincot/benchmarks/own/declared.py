"""The name of own data -> where they lie, and what their `clincot.yaml` declares: columns, splits, regions, terms."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from clincot.benchmarks.base import Privacy
from clincot.errors import DataError
from clincot.recipe.own_data import DECLARED, TABLES, is_path
from clincot.recipe.ranges import Range
from clincot.recipe.values import build
from clincot.recipe.yaml_text import read_yaml

Answers = Literal["yes-no", "open", "closed", "report"]


@dataclass(frozen=True)
class Declared:
    """What a `clincot.yaml` says of a dataset; what it leaves out is guessed, or has the value here.

    Place: `path` (a folder, seen from the file) or `repo` with `revision` and `config`; `table`: the files of rows;
    `images`: the folder of the images, where rows do not name it.
    Columns: `image` (one, or several), `question`, `answer`, `id`, `kind`, `reference`,
    `answer_type`, `split`, `patient`, `objects`. `primary`: of several images of a row, the column or the number (from
    1) of the one in which regions are looked for; left out, the first. `ask` is the question of rows that have none.
    `answers` are the types of answers where no column gives them: `yes-no` makes yes and no closed.
    `test` and `validation` are the shares of splits that are made, by patient or image, with `seed`.
    `regions`: a COCO file, a folder of VOC files, or a folder of masks. `most_broken`: the share of rows that may be
    left out because they cannot be used.
    """

    path: str = ""
    repo: str = ""
    revision: str = "main"
    config: str = ""
    table: tuple[str, ...] = ()
    images: str = ""
    image: tuple[str, ...] = ()
    primary: str = ""
    question: str = ""
    answer: str = ""
    id: str = ""
    kind: str = ""
    reference: str = ""
    answer_type: str = ""
    split: str = ""
    patient: str = ""
    objects: str = ""
    ask: str = ""
    answers: Answers = "yes-no"
    test: Annotated[float, Range(0, 1)] = 0.2
    validation: Annotated[float, Range(0, 1)] = 0.0
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    regions: tuple[str, ...] = ()
    modality: str = "other"
    languages: tuple[str, ...] = ("en",)
    licence: str = ""
    privacy: Privacy = "restricted"
    most_broken: Annotated[float, Range(0, 1)] = 0.001

    def decided(self) -> dict[str, Any]:
        """Return what was declared, apart from where the data lie: part of what a folder is pinned by."""
        places = {"path", "repo", "revision"}
        values = {name: value for name, value in vars(self).items() if name not in places}
        defaults = vars(Declared())
        return {name: value for name, value in values.items() if value != defaults[name]}


@dataclass(frozen=True)
class Place:
    """Where own data lie: `folder` on this machine, or None for those of `declared.repo` on a Hub.

    `file` is what declares them, None where nothing does.
    """

    declared: Declared
    folder: Path | None
    file: Path | None

    @property
    def where(self) -> str:
        """Return what messages call the place where declarations are written."""
        return str(self.file or (self.folder / DECLARED if self.folder else DECLARED))


def place_of(name: str) -> Place:
    """Find own data by `--benchmark NAME` and read what is declared. Raises DataError, RecipeError naming the key."""
    if not is_path(name):
        repo, _, revision = name.partition("@")
        return Place(Declared(repo=repo, revision=revision or "main"), None, None)
    path = Path(name).expanduser()
    if not path.exists():
        raise DataError(
            f"--benchmark {name}: there is no such file or folder. Give its path from the working directory."
        )
    if path.is_dir():
        file = path / DECLARED
        declared = read_declared(file) if file.is_file() else Declared()
        return _placed(declared, path, file if file.is_file() else None)
    if path.suffix in TABLES:
        file = path.parent / DECLARED
        declared = read_declared(file) if file.is_file() else Declared()
        return Place(dataclasses.replace(declared, table=(path.name,)), path.parent, file if file.is_file() else None)
    return _placed(read_declared(path), path.parent, path)


def read_declared(file: Path) -> Declared:
    """Read a file of declarations strictly: unknown keys and values are refused with the nearest known one."""
    try:
        tree = read_yaml(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read ({error}). Write it as UTF-8 text.") from error
    tree = {} if tree is None else tree
    if isinstance(tree, dict):
        lists = {entry.name for entry in dataclasses.fields(Declared) if "tuple" in str(entry.type)}
        tree = {key: [value] if key in lists and isinstance(value, str) else value for key, value in tree.items()}
        tree |= {key: str(value) for key, value in tree.items() if key == "primary" and type(value) is int}
    declared = build(Declared, tree, str(file))
    if declared.repo and declared.path:
        raise DataError(f"{file}: gives a path and a repo. Keep the one where the data lie.")
    if declared.test + declared.validation >= 1:
        raise DataError(f"{file}: test and validation leave nothing to train on. Give shares below 1 together.")
    return declared


def _placed(declared: Declared, folder: Path, file: Path | None) -> Place:
    if declared.repo:
        return Place(declared, None, file)
    root = folder / Path(declared.path).expanduser()
    if not root.is_dir():
        raise DataError(f"{file}: path: {declared.path}: there is no such folder. Give it as seen from this file.")
    return Place(declared, root, file)
