"""Every table takes its names, `package.module:Class` and `./file.py:Class`; mistakes in any of them are named."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from clincot import benchmarks, editors, engines, executors, judges, methods, metrics, objectives, protocols, regions
from clincot.errors import ClincotError
from clincot.recipe import load_recipe
from clincot.recipe.choices import check, choose, is_elsewhere, source_keys, trait
from clincot.rows import formats
from clincot.runs.checks import check_names

TABLES = {
    "benchmarks": benchmarks.BENCHMARKS,
    "editors": editors.EDITORS,
    "engines": engines.ENGINES,
    "executors": executors.EXECUTORS,
    "formats": formats.FORMATS,
    "judges": judges.JUDGES,
    "methods": methods.METHODS,
    "metrics": metrics.METRICS,
    "objectives": objectives.OBJECTIVES,
    "protocols": protocols.OUTSIDE,  # ours are objects in a file of theirs
    "scores": metrics.SCORES,
    "regions": regions.PROPOSERS,
}
CLASS = '''
from __future__ import annotations
from dataclasses import dataclass

MODULE = __name__

@dataclass(frozen=True)
class Mine:
    """One of each kind."""

    number: int = 3
    key: str = ""
    scoring: str = ""
    model_free = True
    heat_maps = rate = reads = generate = score_choices = forget = None

    @classmethod
    def from_pretrained(cls, *folders: object, **options: object) -> Mine:
        return cls()

class Trainer:
    REFERENCE = ()
    take = reference = pair_logps = preference_losses = train = None

    def __init__(self, **given: object) -> None: ...

    @classmethod
    def options(cls, train: object) -> dict[str, object]:
        return {}

    @classmethod
    def check_rows(cls, rows: object) -> None: ...

class Config:
    pass

class Loose:
    @dataclass
    class Config:
        number: int = 1
'''


@pytest.fixture()
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(CLASS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("table", TABLES)
def test_every_table_takes_a_file_and_a_module(table: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = TABLES[table]
    monkeypatch.syspath_prepend(folder)
    relative, absolute = (choose(known, f"{path}:Mine", table) for path in ("./mine.py", folder / "mine.py"))
    assert relative is absolute and relative().number == 3
    assert choose(known, "json.decoder:JSONDecoder", table).__name__ == "JSONDecoder"
    for name in [*known][:1]:
        assert choose(known, known[name], table) is choose(known, name, table)
    check(known, "./mine.py:Mine", table)


def test_the_class_of_a_file_can_be_pickled_and_is_made_once(folder: Path) -> None:
    made = choose({}, "./mine.py:Mine", "method")(5)
    assert pickle.loads(pickle.dumps(made)) == made
    assert choose({}, "mine.py:Mine", "method") is type(made)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("./none.py:Mine", r"there is no file none\.py"),
        (".:Mine", "is neither package.module:Class nor ./file.py:Class"),
        ("./mine.py:Mini", "mine.py has no 'Mini'. Did you mean 'Mine'"),
        ("./mine.py:", "mine.py has no ''"),
        ("./empty.py:Mine", "It defines none"),
        ("./broken.py:Mine", r"broken\.py, line 3: SyntaxError"),
        ("./raising.py:Mine", r"raising\.py, line 4: ValueError: no number"),
        ("./lacking.py:Mine", r"lacking\.py, line 2: ModuleNotFoundError: No module named 'not_here'"),
        ("json.decoder:JSONDecodr", "json.decoder has no 'JSONDecodr'. Did you mean 'JSONDecoder'"),
        ("jsno:Mine", "there is no module 'jsno'.* ./file.py:Class for a file"),
        ("json.none:Mine", "there is no module 'json.none'"),
        ("lacking:Mine", r"lacking\.py, line 2: ModuleNotFoundError: No module named 'not_here'"),
        ("clincto", "is not known. Did you mean 'clincot'"),
        ("a b:Mine", "is neither package.module:Class nor ./file.py:Class"),
    ],
)
def test_a_mistake_is_named(name: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(folder)
    (folder / "empty.py").write_text("", encoding="utf-8")
    (folder / "broken.py").write_text("a = 1\n\nclass Mine(:\n", encoding="utf-8")
    (folder / "raising.py").write_text("def no():\n    raise ValueError('no number')\n\nno()\n", encoding="utf-8")
    (folder / "lacking.py").write_text("a = 1\nimport not_here\n", encoding="utf-8")
    for look in (check, choose):
        with pytest.raises(ClincotError, match=rf"^method '{name}': .*{says}"):
            look(methods.METHODS, name, "method")
    with pytest.raises(ClincotError, match=says):
        load_recipe(overrides=[f"method='{name}'"])


def test_a_file_that_failed_is_read_again_once_it_is_corrected(folder: Path) -> None:
    (folder / "late.py").write_text("import not_here\n", encoding="utf-8")
    with pytest.raises(ClincotError, match=r"late\.py, line 1"):
        choose({}, "./late.py:Mine", "method")
    (folder / "late.py").write_text(CLASS, encoding="utf-8")
    assert choose({}, "./late.py:Mine", "method")().number == 3


def test_a_recipe_is_checked_with_classes_of_files(folder: Path) -> None:
    kinds = [f"models.{role}={{repo: '', kind: ./mine.py:Mine}}" for role in ("proposer",)]
    check_names(load_recipe(overrides=kinds))
    check_names(load_recipe(overrides=["models.judges=[{kind: ./mine.py:Mine}]", "train.objective=./mine.py:Trainer"]))
    check_names(load_recipe(overrides=["models.policy.kind=./mine.py:Mine"]))
    for key in ("models.policy.kind", "models.proposer.kind", "train.objective", "benchmark"):
        with pytest.raises(ClincotError, match="has no 'Mini'. Did you mean 'Mine'"):
            check_names(load_recipe(overrides=[f"{key}=./mine.py:Mini"]))
    with pytest.raises(ClincotError, match="has no dataclass `Config`"):
        load_recipe(overrides=["method=./mine.py:Mine"])
    with pytest.raises(ClincotError, match=r"Config can be changed. Write @dataclass\(frozen=True\)"):
        load_recipe(overrides=["method=./mine.py:Loose"])


def test_a_class_that_lacks_parts_of_its_contract_is_refused_by_what_it_lacks(folder: Path) -> None:
    with pytest.raises(
        ClincotError, match="benchmark './mine.py:Mine': has no source, patterns, splits, examples. Add"
    ):
        benchmarks.load("./mine.py:Mine")
    with pytest.raises(ClincotError, match="method './mine.py:Mine': has no name, title, paper, needs, on_policy, sam"):
        methods.load("./mine.py:Mine")
    assert all(methods.load(name) for name in methods.METHODS) and all(map(benchmarks.load, benchmarks.BENCHMARKS))


def test_a_class_elsewhere_says_itself_whether_it_needs_a_model(folder: Path) -> None:
    assert regions.is_model_free("./mine.py:Mine") and judges.is_model_free("./mine.py:Mine")
    assert regions.is_model_free("grid") and not regions.is_model_free("medklip")
    assert not trait({}, "json.decoder:JSONDecoder", {"json.decoder:JSONDecoder"}, "model_free")
    assert regions.load("./mine.py:Mine").number == 3  # type: ignore[attr-defined]


def test_who_edits_a_file_makes_something_else(folder: Path) -> None:
    table = methods.METHODS
    before = source_keys((table, "clincot"), (table, "./mine.py:Mine"), (regions.PROPOSERS, "grid"))
    assert len(before) == 1 and source_keys((table, "clincot")) == []
    (folder / "mine.py").write_text(CLASS.replace("= 3", "= 4"), encoding="utf-8")
    assert source_keys((table, "./mine.py:Mine")) != before


def test_a_name_of_a_table_has_no_colon() -> None:
    assert not any(is_elsewhere(name) for table in TABLES.values() for name in table)
    assert "mine" not in sys.modules
