"""Classes of one's own that their role cannot use are refused by name before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.errors import ClincotError
from clincot.recipe import load_recipe
from clincot.runs.checks import check_names

JUDGE = """
class Own:
    model_free = {free}
    name, key, scoring = "own", "own-1", "expected"
    def __init__(self, {own}): ...
    @classmethod
    def from_pretrained(cls, {made}): ...
    def rate(self, requests): ...
    def {reads}(self, request): ...
"""
WHOLE = {"free": "False", "own": "", "made": "folder, **options", "reads": "reads"}


def refused(tmp_path: Path, role: str, text: str) -> str:
    """Return what is said of a recipe whose `role` is the class `Own` of a file with `text`."""
    file = tmp_path / f"own_{len(list(tmp_path.iterdir()))}.py"  # a file is imported once
    file.write_text(text)
    repo = "''" if "model_free = True" in text else "a/b"
    kind = f"{{kind: {file}:Own, repo: {repo}}}"
    return refused_of((f"models.{role}={f'[{kind}]' if role == 'judges' else kind}",))


def refused_of(choices: tuple[str, ...]) -> str:
    """Return what is said of the demo recipe with `choices`; empty where nothing is wrong with it."""
    try:
        check_names(load_recipe(overrides=choices))
    except ClincotError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"reads": "read"}, "has no reads"),
        ({"made": "folder, name, key"}, "got an unexpected keyword argument 'batch_size'"),
        ({"made": "folder, name, key, batch_size, threads, scoring"}, ""),
        ({"made": "folder, more, **options"}, "missing a required argument: 'more'"),
        ({"free": "True", "own": "engine, *, key, scoring"}, ""),
        ({"free": "True", "own": "engine, key"}, "got an unexpected keyword argument 'scoring'"),
    ],
)
def test_a_judge_is_looked_at_before_it_is_made(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    found = refused(tmp_path, "judges", JUDGE.format(**WHOLE | changes))
    assert says in found if says else not found
    assert not says or (found.startswith("models.judges.kind") and "own_0.py:Own" in found)


@pytest.mark.parametrize(
    ("role", "part", "made"),
    [
        ("policy", "generate", "base, adapter=None, **options"),
        ("proposer", "heat_maps", "folder=None, **options"),
        ("editor", "rewrite", "folder=None"),
    ],
)
def test_other_roles_name_what_is_lacking(tmp_path: Path, role: str, part: str, made: str) -> None:
    parts = {"generate", "score_choices", "forget", "heat_maps", "rewrite"}

    def text(kept: set[str], made: str = made) -> str:
        members = "".join(f"    def {name}(self, requests): ...\n" for name in sorted(kept))
        return f"class Own:\n    @classmethod\n    def from_pretrained(cls, {made}): ...\n{members}"

    assert refused(tmp_path, role, text(parts)) == ""
    assert f"has no {part}" in refused(tmp_path, role, text(parts - {part}))
    assert "does not take that" in refused(tmp_path, role, text(parts, "folder, one, two, three"))


METHOD = """
from dataclasses import dataclass
@dataclass(frozen=True)
class Config:
    number: int = 1
class Own:
    name, title, paper, needs, on_policy = "own", "Own", "", frozenset(), True
    Config = Config
    def __init__(self, {made}): ...
    {sample} sample(self, example, tools): ...
    {pair}
    def facts({facts}): ...
"""
TAKEN = {
    "made": "config",
    "sample": "async def",
    "pair": "def pair(self, example, candidates, draw): ...",
    "facts": "self, counts",
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"made": ""}, "the class is called with (config)"),
        ({"sample": "def"}, "sample is no `async def`"),
        ({"pair": "def pair(self, example, candidates): ..."}, "pair is called with (example, candidates, draw)"),
        ({"pair": "pair = staticmethod(lambda example, candidates, draw: [])"}, ""),
        ({"facts": "self"}, "facts is called with (counts)"),
        ({"facts": "self, *counts"}, ""),
    ],
)
def test_a_method_is_looked_at_before_its_first_text(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    (tmp_path / "own.py").write_text(METHOD.format(**TAKEN | changes))
    choices = (f"method={tmp_path}/own.py:Own", "train.conditioning=per_side", "train.margin.kind=none")
    found = refused_of(choices)
    assert says in found if says else not found
    assert not says or found.startswith(f"method {tmp_path}/own.py:Own")


OBJECTIVE = """
from clincot.objectives.margin_dpo import MarginDPOTrainer
class Own(MarginDPOTrainer):
    def __init__(self, *args, {made}**kwargs): ...
    @classmethod
    def options(cls, {train}):
        {returns}
class Bare:
    def train(self): ...
"""


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("Own", {}, ""),
        ("Own", {"made": "sharpness, "}, "missing a required argument: 'sharpness'"),
        ("Own", {"made": "sharpness, ", "returns": "return {'sharpness': train.nll_weight}"}, ""),
        ("Own", {"train": ""}, "options is called with (train)"),
        ("Own", {"returns": "return {'sharpness': train.sharpness}"}, "options raised AttributeError"),
        ("Bare", {}, "has no options, check_rows, take, reference"),
    ],
)
@pytest.mark.parametrize("key", ["train.objective", "train.later_rounds.objective"])
def test_an_objective_is_tried_before_a_round_is_built(
    tmp_path: Path, key: str, name: str, changes: dict[str, str], says: str
) -> None:
    (tmp_path / "own.py").write_text(
        OBJECTIVE.format(**{"made": "", "train": "train", "returns": "return {}"} | changes)
    )
    found = refused_of((f"{key}={tmp_path}/own.py:{name}", "rounds=2"))
    assert says in found if says else not found
    assert not says or found.startswith(f"{key} {tmp_path}/own.py:{name}")
