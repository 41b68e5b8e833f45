"""Which commit of a benchmark is read: the one asked for, the public one, or what a Hub with its own copy holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clincot.benchmarks import BENCHMARKS, load
from clincot.benchmarks.base import Benchmark
from clincot.errors import NotOnHub
from clincot.hub import Hub, connect
from clincot.runs.models import pins
from clincot.runs.models.pins import benchmark_pin

SLAKE = load("slake").source


def slake(sha: str) -> Benchmark:
    """SLAKE, whose source names the commit `sha`."""
    benchmark = load("slake")
    benchmark.source = replace(SLAKE, sha=sha)
    return benchmark


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A Hub with two commits of its own copy; the first is tagged."""
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        for tag in ("as-published", None):
            files = {"test.json": (tag or "later").encode()}
            hub.publish("dataset", SLAKE.repo, files, tag=tag, message="copy", private=False)
        yield hub


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_source_names_a_full_commit_or_none_and_a_branch(name: str) -> None:
    source = load(name).source
    assert re.fullmatch(r"[0-9a-f]{40}|", source.sha) and source.revision == "main"


def test_the_commit_of_the_source_is_read_where_the_hub_has_it(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    first = hub.resolve("dataset", SLAKE.repo, "as-published").sha
    pin = benchmark_pin(hub, slake(first))
    assert (pin.sha, pin.revision) == (first, first) and pin.sha != hub.resolve("dataset", SLAKE.repo).sha
    assert capsys.readouterr().err == ""


def test_a_hub_with_a_copy_of_its_own_is_read_at_main_and_that_is_said(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = benchmark_pin(hub, load("slake"))
    assert pin == hub.resolve("dataset", SLAKE.repo) and pin.revision == "main"
    said = capsys.readouterr().err
    assert f"without its public commit {SLAKE.sha[:12]}; reading main ({pin})" in said


def test_the_public_hub_must_have_the_commit(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "PUBLIC", hub.endpoint)
    with pytest.raises(NotOnHub, match=f"no revision '{SLAKE.sha}'.*--set benchmark_revision=main"):
        benchmark_pin(hub, load("slake"))


def test_a_revision_that_is_asked_for_is_read_or_refused(hub: Hub) -> None:
    assert (
        benchmark_pin(hub, load("slake"), "as-published").sha == hub.resolve("dataset", SLAKE.repo, "as-published").sha
    )
    with pytest.raises(NotOnHub, match=r"BoKelvin/SLAKE has no revision 'v9'.*as-published"):
        benchmark_pin(hub, load("slake"), "v9")


def test_an_absent_benchmark_is_refused_as_before(hub: Hub) -> None:
    with pytest.raises(NotOnHub, match="no dataset flaviagiammarino/vqa-rad"):
        benchmark_pin(hub, load("vqa-rad"))
