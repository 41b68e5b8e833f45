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
    recipe = load_recipe(overrides=(f"models.{role}={f'[{kind}]' if role == 'judges' else kind}",))
    try:
        check_names(recipe)
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
