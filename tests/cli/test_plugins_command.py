"""`clincot plugins`: our names and those of packages with their files; what is broken is listed, nothing else fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import clincot

from clincot.recipe.plugins import KINDS
from tests.packages import install

POINTS = {
    "methods": {"ward_method": "ward_kinds:Mine", "raising": "ward_raising:No", "clincot": "ward_kinds:Mine"},
    "metrics": {"a_score_with_a_name_that_leaves_no_room_for_the_path_of_its_file": "ward_kinds:score"},
}
FILES = {
    "ward_kinds.py": "class Mine:\n    pass\n\ndef score():\n    pass\n",
    "ward_raising.py": "import sys\nprint('noise')\nraise ValueError('no key of ward')\n",
}


@pytest.fixture()
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in, with a package of plugins installed."""
    place = install(tmp_path / "site", "ward-plugins", FILES, POINTS)
    monkeypatch.setenv("PYTHONPATH", str(place))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_what_is_known_and_from_where(ward: Path) -> None:
    out, err = clincot("plugins", cwd=ward)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and [line for line in lines if not line.startswith(" ")] == [
        f"{kind} (entry points: clincot.{kind})" for kind in KINDS
    ]
    assert "    broken: ward_raising.py, line 3: ValueError: no key of ward. Update" in lines
    assert "    hidden: clincot is clincot's own" in lines
    (ours,) = (line.split() for line in lines if line.startswith("  ward_method"))
    assert ours[:3] == ["ward_method", "ward-plugins", "1.2"] and ours[-1].endswith("ward_kinds.py")
    assert err == "noise\n2 names of packages cannot be used.\n"


def test_the_same_as_json_with_whole_paths(ward: Path) -> None:
    out, err = clincot("plugins", "--json", cwd=ward)
    known = {(one["kind"], one["name"], one["package"]): one for one in json.loads(out)}
    mine = known["methods", "ward_method", "ward-plugins"]
    assert (mine["version"], mine["place"], mine["fault"]) == ("1.2", "ward_kinds:Mine", "")
    assert Path(mine["file"]) == ward.parent / "site/ward_kinds.py"
    assert known["methods", "raising", "ward-plugins"]["fault"].startswith("broken: ")
    assert all(Path(one["file"]).is_file() for one in known.values() if one["package"] == "clincot")


def test_a_broken_package_fails_the_commands_that_use_it_alone(ward: Path) -> None:
    _, err = clincot("build-data", "--set", "method=raising", cwd=ward, code=2)
    assert "method 'raising': of the package ward-plugins 1.2: cannot be imported: ward_raising.py, line 3" in err
    out, _ = clincot("build-data", "--help", cwd=ward)
    assert "ward_method" not in out
