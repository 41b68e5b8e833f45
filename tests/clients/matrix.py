"""Each supported version of the Hub's client and of `datasets`, in its environment, over one served embedded Hub.

The environments come from the package index (`environments.py`), so `make test-clients` alone runs it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clincot.localhub import LocalHub, environment
from tests.objectives.rows import make_row, write_rows

from .environments import READERS, VERSIONS, program

ROOT = Path(__file__).parents[2]
# How a version's command line deletes a repo; 0.36 cannot.
DELETE = {"1.6.0": ["delete"], "1.32.0": ["delete", "--yes"], "2.4.0": ["delete", "--yes"]}
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with LocalHub(tmp_path / "hub") as running:
        yield running


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    assert program(request.param, "hf").exists(), "run `python tests/clients/environments.py` first"
    return request.param


def run(hub: LocalHub, *command: object) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTHON"))}
    env = kept | environment(hub.endpoint, hub.path, hub.token) | {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_COLOR": "1"}
    done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_the_api_of_every_version_lives_a_repos_whole_life(version: str, hub: LocalHub, tmp_path: Path):
    said = run(hub, program(version, "python"), ROOT / "tests/clients/life_cycle.py", tmp_path / "work")
    assert "lived through" in said
    assert [record.path for record in hub.requests if record.status in (500, 501)] == []


def test_the_command_line_of_every_version_makes_uploads_tags_and_downloads(
    version: str, hub: LocalHub, tmp_path: Path
):
    hf = program(version, "hf")
    repos = "repo" if version.startswith("0.") else "repos"
    repo, source = "clincot/by-command", tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a.txt").write_text("text")
    (source / "sub/w.safetensors").write_bytes(b"w" * 50_000)
    assert "clincot" in run(hub, hf, "auth", "whoami")
    run(hub, hf, repos, "create", repo, "--repo-type", "dataset", "--private")
    run(hub, hf, "upload", repo, source, ".", "--repo-type", "dataset", "--commit-message", "by command")
    run(hub, hf, repos, "tag", "create", repo, "v1", "--repo-type", "dataset")
    run(hub, hf, "upload", repo, source / "a.txt", "b.txt", "--repo-type", "dataset")
    downloader = program(version, "huggingface-cli" if version.startswith("0.") else "hf")  # the name of its time
    target = tmp_path / "target"
    run(hub, downloader, "download", repo, "--repo-type", "dataset", "--revision", "v1", "--local-dir", target)
    assert (target / "sub/w.safetensors").read_bytes() == b"w" * 50_000
    assert (target / "a.txt").read_text() == "text" and not (target / "b.txt").exists()
    stored = clone_shows_the_same(hub, repo, tmp_path)
    assert stored == ["Upload b.txt with huggingface_hub", "by command", "initial commit"]
    if version in DELETE:
        word, *sure = DELETE[version]
        run(hub, hf, repos, word, repo, "--repo-type", "dataset", *sure)
        assert hub.repos() == []


@pytest.mark.parametrize("reader", READERS)
def test_every_version_of_datasets_reads_what_is_written(reader: str, hub: LocalHub, tmp_path: Path):
    assert program(reader, "python").exists(), "run `python tests/clients/environments.py` first"
    found = {"hypothesis": "nodule", "box": [1, 2, 30, 31], "confidence": 0.5}
    part = write_rows(tmp_path / "part.parquet", [make_row(0, chosen_region=found, rejected_region=None), make_row(1)])
    said = run(hub, program(reader, "python"), ROOT / "tests/clients/read_rows.py", part, tmp_path / "cache")
    assert f"{reader.replace('-', ' ')}: rows and images read" in said


def clone_shows_the_same(hub: LocalHub, repo: str, folder: Path) -> list[str]:
    """Clone the stored repository with plain git; returns the titles on main, newest first."""
    (held,) = [row for row in hub.repos() if row.id == repo]
    clone = folder / "clone"

    def git(*words: object) -> str:
        env = os.environ | {"GIT_LFS_SKIP_SMUDGE": "1"}
        return subprocess.run(["git", *map(str, words)], env=env, check=True, capture_output=True, text=True).stdout

    git("clone", "-q", hub.path / f"repos/{held.kind}s/{repo}.git", clone)
    assert git("-C", clone, "rev-parse", "origin/main").strip() == held.sha
    assert tuple(git("-C", clone, "tag", "--list").split()) == held.tags == ("v1",)
    git("-C", clone, "fsck", "--full", "--strict")
    return git("-C", clone, "log", "--format=%s").splitlines()
