"""Entry points of installed packages: known in every table, ours first, broken ones named with their package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clincot import benchmarks, editors, engines, judges, methods, metrics, objectives, protocols, regions
from clincot.errors import ClincotError
from clincot.recipe import load_recipe, plugins
from clincot.recipe.choices import check, choose, code_of, source_keys
from clincot.rows import formats
from clincot.runs.checks import check_names
from tests.packages import install

TABLES = (
    *(methods.METHODS, judges.JUDGES, editors.EDITORS, engines.ENGINES, regions.PROPOSERS),
    *(metrics.SCORES, benchmarks.BENCHMARKS, objectives.OBJECTIVES, formats.FORMATS, protocols.OUTSIDE),
)
MINE = """
from dataclasses import dataclass
from clincot.metrics.base import mean
from clincot.protocols import Measure, Protocol

class Mine:
    model_free = True
    needs, on_policy = frozenset(), False
    name = title = paper = "mine"
    heat_maps = rate = reads = take = reference = pair_logps = preference_losses = train = REFERENCE = None

    async def sample(self, example, tools): ...
    def pair(self, example, candidates, draw): ...
    def facts(self, counts): ...
    @classmethod
    def options(cls, train): return {}
    @classmethod
    def check_rows(cls, rows): ...

    def __init__(self, engine=None, **options): ...

    @classmethod
    def from_pretrained(cls, folder, **options): ...

    @dataclass(frozen=True)
    class Config:
        number: int = 3

def score():
    return mean(lambda text, gold: 0.25)

WARD = Protocol("ward", 1, (Measure("a", "a", (("open", "mine", ""),)),))
OURS = Protocol("clincot", 9, ())
"""
POINTS = {kind: {"mine": "ward_mine:Mine"} for kind in plugins.KINDS} | {
    "metrics": {"mine": "ward_mine:score"},
    "protocols": {"ward": "ward_mine:WARD", "ours": "ward_mine:OURS", "none": "ward_mine:score"},
    "judges": {"mine": "ward_mine:Mine", "vlm": "ward_mine:Mine"},
    "methods": {
        "mine": "ward_mine:Mine",
        "raising": "ward_raising:No",
        "lacking": "ward_mine:No",
        "both": "ward_mine:Mine",
    },
}


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files = {"ward_mine.py": MINE, "ward_raising.py": "a = 1\nraise ValueError('no key\\nof ward')\n"}
    install(tmp_path / "one", "ward-plugins", files, POINTS)
    install(tmp_path / "two", "other-plugins", {}, {"methods": {"both": "ward_mine:Mine"}})
    monkeypatch.syspath_prepend(tmp_path / "one")
    monkeypatch.syspath_prepend(tmp_path / "two")
    plugins.installed.cache_clear()
    plugins.say_once.cache_clear()
    yield tmp_path
    plugins.installed.cache_clear()
    protocols.LOADED.clear()
    for name in ("ward_mine", "ward_raising"):
        sys.modules.pop(name, None)


def test_every_group_is_read_by_its_table() -> None:
    assert sorted(table.kind for table in TABLES) == sorted(plugins.KINDS)
    for table in TABLES[:-1]:
        check(table, "mine", table.kind)
        assert choose(table, "mine", table.kind).__module__ == "ward_mine"


def test_no_package_is_imported_before_its_name_is_used() -> None:
    check(methods.METHODS, "clincot", "method")
    assert plugins.installed("methods") and not {"ward_mine", "ward_raising"} & set(sys.modules)


def test_a_recipe_is_checked_with_names_of_packages() -> None:
    kinds = ["models.proposer={repo: '', kind: mine}", "models.judges=[{kind: mine}]", "train.objective=mine"]
    recipe = load_recipe(overrides=[*kinds, "method.number=4", "method=mine"])
    check_names(recipe)
    assert recipe.method.tree() == {"name": "mine", "number": 4}
    check_names(load_recipe(overrides=["method=mine", "benchmark=phantom", "evaluate.protocol=ward"]))
    assert regions.is_model_free("mine") and judges.is_model_free("mine") and not regions.can_match("mine")


def test_ours_win_and_the_clash_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        check(judges.JUDGES, "vlm", "models.judges.kind")
    said = capsys.readouterr().err
    assert choose(judges.JUDGES, "vlm", "kind").__module__ == "clincot.judges.vlm"
    assert said == (
        "warning: models.judges.kind 'vlm': is clincot's own; ward-plugins 1.2 adds one of the same name. Write"
        " ward_mine:Mine for that.\n"
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("raising", r"of the package ward-plugins 1\.2: cannot be imported: ward_raising\.py, line 2: ValueError: no"
         r" key of ward\. Update ward-plugins, or remove it: pip uninstall ward-plugins\."),
        ("lacking", r".*ward-plugins 1\.2: cannot be imported: .*AttributeError: .*'No'"),
        ("both", r"other-plugins 1\.2 and ward-plugins 1\.2 both add this name\. Write ward_mine:Mine"),
        ("minne", r"is not known\. Did you mean 'mine'\?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_package_is_named_when_its_name_is_used(name: str, says: str) -> None:
    for look in (check, choose):
        with pytest.raises(ClincotError, match=rf"^method '{name}': {says}"):
            look(methods.METHODS, name, "method")


def test_an_edit_of_a_package_makes_something_else(packages: Path) -> None:
    chosen = ((methods.METHODS, "mine"), (protocols.OUTSIDE, "ward"), (metrics.SCORES, "mine"))
    before = source_keys(*chosen, (judges.JUDGES, "vlm"), (regions.PROPOSERS, ""))
    assert len(before) == 3 and len(set(before)) == 1
    (packages / "one/ward_mine.py").write_text(MINE + "\n", encoding="utf-8")
    assert set(source_keys(*chosen)).isdisjoint(before)
    assert code_of(methods.METHODS, "mine") == "mine of ward-plugins 1.2"
    assert (code_of(methods.METHODS, "clincot"), code_of(methods.METHODS, "a/b.py:C")) == ("", "b.py:C")


def test_a_protocol_of_a_package_is_known_by_its_label_once_loaded() -> None:
    ward = protocols.load("ward")
    assert protocols.load("ward-v1") is ward and protocols.load("ward_mine:WARD") is ward
    assert protocols.chosen("ward", [protocols.ALL]) == ("ward-v1", *protocols.PROTOCOLS)
    with pytest.raises(ClincotError, match="'ours': clincot-v9 is a protocol of clincot. Give yours another name"):
        protocols.load("ours")
    with pytest.raises(ClincotError, match="'none': is no Protocol, and returns none"):
        protocols.load("none")
    with pytest.raises(ClincotError, match="'wards' is not a protocol"):
        protocols.load("wards")


def test_a_protocol_whose_score_is_not_known_is_refused_before_any_answer(packages: Path) -> None:
    place = packages / "odd.py"
    place.write_text(MINE.replace('"mine", ""', '"mein", ""').replace('"ward"', '"odd"'), encoding="utf-8")
    with pytest.raises(ClincotError, match="metric 'mein': is not known. Did you mean 'mine'"):
        protocols.load(f"{place}:WARD")
