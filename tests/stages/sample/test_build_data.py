"""Shards are built once by whoever takes them, made again when damaged, and merged to the same bytes every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clincot.errors import RoundError
from clincot.executors.base import Done, Opener, Piece, SetAside
from clincot.executors.journal import Journal
from clincot.images import encode_png
from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion, Counters, GenerateRequest
from clincot.recipe import load_recipe
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.regions.base import HeatMap, Subject
from clincot.stages.sample import finish
from clincot.stages.sample.build import BuildOutcome, build
from clincot.stages.sample.builder import Builder, BuildJob
from clincot.stages.sample.serving import Models

NAMES = ("nodule", "effusion", "cardiomegaly")
SHARDS = 5


class Policy:
    """Writes what its seed says; the first shard that it is asked about counts one memory split."""

    def __init__(self) -> None:
        self.counters, self.shards = Counters(), 0

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.counters.prefill_tokens += len(requests)
        self.counters.unshared_prefill_tokens += 4 * len(requests)
        return [Completion(f"text {request.seed % 9}", -1.5, 4, "stop") for request in requests]

    def forget(self) -> None:
        self.shards += 1
        self.counters.memory_splits += self.shards == 1


class Proposer:
    """Puts each hypothesis into its own column of the image."""

    name, key, known = "written", "1", NAMES

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        values = np.zeros((3, 6, 6), np.float32)
        for column in range(3):
            values[column, 2:4, 2 * column : 2 * column + 2] = 1
        return [[HeatMap(name, values[NAMES.index(name)], 0.5) for name in names] for names in hypotheses]


class Judge:
    name, key = "written", "1"

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        return [Rating(int(request.statement.split()[1]) / 9, 1.0) for request in requests]


def picture(number: int) -> bytes:
    return encode_png(Image.fromarray(np.full((60, 60), 20 * number, np.uint8)))


def job(folder: Path, loaded: list[Policy] | None = None, **changed: object) -> BuildJob:
    """A round of five images with two questions each, a shard per image; `loaded` gets each policy that was loaded."""

    def load() -> Models:
        policy = Policy()
        if loaded is not None:
            loaded.append(policy)
        return Models(policy, Proposer(), (Judge(),))  # type: ignore[arg-type]

    wanted = {"method.candidates": 3, "build.regions.least_side": 8, "build.shard_images": 1, **changed}
    recipe = load_recipe(overrides=[f"{name}={value}" for name, value in wanted.items()])
    examples = tuple(
        Example(f"q{i}-{j}", f"i{i}", picture(i), f"Is it {j}?", "Yes", "closed", "presence", "phantom", "Yes.")
        for i in range(SHARDS)
        for j in range(2)
    )
    return BuildJob(recipe, 1, examples, "key", folder, load, {"policy": "someone/policy@1"})


def sums(outcome: BuildOutcome) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in outcome.files.items()}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The checksums of an undisturbed build."""
    return sums(build(job(tmp_path_factory.mktemp("undisturbed"))))


def test_facts_are_the_shards_added_up_and_tell_of_memory_splits(tmp_path: Path) -> None:
    outcome = build(job(tmp_path))
    facts = outcome.facts
    assert (facts["questions"], facts["images"]) == (2 * SHARDS, SHARDS)
    assert facts["candidates"] == sum(facts["scores_histogram"]) > 0
    assert facts["memory_splits"] == 1


def test_heat_maps_stay_in_the_folder_and_shards_of_an_older_version_have_none(tmp_path: Path) -> None:
    outcome = build(job(tmp_path))
    merged = tmp_path / "merged/heat-maps.parquet"
    rows = pq.read_table(merged).to_pylist()
    assert len(rows) == outcome.facts["hypotheses"] and {row["hypothesis"] for row in rows} == set(NAMES)
    assert rows[0]["map"].startswith(b"\x89PNG") and not any(
        "heat-maps" in path.name for path in outcome.files.values()
    )
    merged.unlink()
    for shard in range(SHARDS):  # as they were before maps were kept
        folder = Journal(tmp_path).shard(shard)
        report = json.loads((folder / "shard.json").read_text())
        del report["sha256"], report["parts"]["heat-maps.parquet"]
        (folder / "shard.json").write_text(json.dumps({**report, "sha256": content_key(report)}))
    assert sums(build(job(tmp_path))) == sums(outcome) and not merged.exists()


@pytest.mark.parametrize("name", ["regions.parquet", "candidates.parquet", "heat-maps.parquet", "shard.json"])
def test_a_damaged_file_is_found_and_its_shard_made_again(
    name: str, tmp_path: Path, expected: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    build(job(tmp_path))
    path = Journal(tmp_path).shard(2) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data if name != "shard.json" else data[: len(data) // 2])
    loaded: list[Policy] = []
    assert sums(build(job(tmp_path, loaded))) == expected
    assert [policy.shards for policy in loaded] == [1]
    err = capsys.readouterr().err
    assert "shard-00000002" in err and name in err and "built again" in err


def test_a_finished_round_is_merged_again_without_loading_a_model(tmp_path: Path, expected: dict[str, str]) -> None:
    build(job(tmp_path))
    loaded: list[Policy] = []
    assert sums(build(job(tmp_path, loaded))) == expected
    assert not loaded


def test_another_recipe_for_an_unfinished_round_is_refused_with_the_difference(tmp_path: Path) -> None:
    build(job(tmp_path))
    with pytest.raises(RoundError, match=r"method.min_gap: 0.05 -> 0.1\n  method.steps: 2 -> 3\n"):
        build(job(tmp_path, **{"method.steps": 3, "method.min_gap": 0.1}))
    fewer = job(tmp_path)
    with pytest.raises(RoundError, match=r"examples: 10 -> 8\n  made from.policy: someone/policy@1 -> .*@2\n"):
        build(replace(fewer, examples=fewer.examples[:-2], key="other", made_from={"policy": "someone/policy@2"}))


class Threads:
    """Three threads that each open the work and do every third piece; `aside` are pieces that nobody can do."""

    workers, elsewhere = 3, True

    def __init__(self, aside: tuple[Piece, ...] = ()) -> None:
        self.aside = aside

    def run(self, open_work: Opener, pieces: Sequence[Piece], done: Done) -> None:
        def one(rank: int) -> list[tuple[Piece, object]]:
            work = open_work()
            return [(piece, work(piece)) for piece in pieces[rank :: self.workers] if piece not in self.aside]

        with ThreadPoolExecutor(self.workers) as pool:
            for piece, note in chain.from_iterable(pool.map(one, range(self.workers))):
                done(piece, note)
        if self.aside:
            raise SetAside(self.aside)


def shared(folder: Path, loaded: list[Policy] | None = None) -> BuildJob:
    return replace(job(folder), elsewhere=lambda: Builder.of(job(folder, loaded)))


def test_processes_of_an_executor_build_the_shards_and_this_one_merges_them(
    tmp_path: Path, expected: dict[str, str]
) -> None:
    loaded: list[Policy] = []
    assert sums(build(shared(tmp_path, loaded), Threads())) == expected
    assert len(loaded) == 3 and sum(policy.shards for policy in loaded) == SHARDS


def test_a_shard_that_nobody_can_build_is_named_with_its_images_and_the_others_stay(
    tmp_path: Path, expected: dict[str, str]
) -> None:
    with pytest.raises(RoundError, match=r"shards 1, 3 \(images i1, i3\): their process died 3 times; all others"):
        build(shared(tmp_path), Threads(aside=((1,), (3,))))
    assert Journal(tmp_path).finished() == {0, 2, 4}
    assert sums(build(job(tmp_path))) == expected


def test_shards_that_were_built_in_another_folder_are_missed(tmp_path: Path) -> None:
    astray = replace(job(tmp_path / "here"), elsewhere=lambda: Builder.of(job(tmp_path / "there")))
    with pytest.raises(RoundError, match="shard-00000000: was built by another process, but is not here. Start in a"):
        build(astray, Threads())


def test_two_commands_at_once_on_one_folder_end_with_the_same_rows(tmp_path: Path, expected: dict[str, str]) -> None:
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda _: build(job(tmp_path)), "abc"))
    assert all(sums(outcome) == expected for outcome in outcomes)
    assert Journal(tmp_path).finished() == set(range(SHARDS))


@pytest.mark.parametrize("order", ["1", "2"])
def test_the_order_of_shards_decides_nothing(
    order: str, tmp_path: Path, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(finish.ORDER, order)
    taken: list[int] = []
    monkeypatch.setattr(Journal, "has", lambda journal, number: taken.append(number) or False)
    assert sums(build(job(tmp_path))) == expected
    assert sorted(taken) == list(range(SHARDS)) and taken != sorted(taken)


def test_progress_shows_rates_and_failures_once_a_while(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(job(tmp_path))
    err = capsys.readouterr().err
    assert "sampling candidates: 10 questions" in err
    assert "10 of 10 questions done" in err and "candidates/s" in err
    assert "75% of prefill tokens saved" in err and "0 judge failures" in err and "split for memory: 1" in err


def test_unreadable_images_are_named_by_their_benchmark_at_once_and_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = job(tmp_path)
    broken = {"i1": "xmlab1/source.jpg", "i3": ""}
    examples = tuple(
        replace(e, image=b"no image", image_name=broken[e.image_id]) if e.image_id in broken else e
        for e in whole.examples
    )
    outcome = build(replace(whole, examples=examples))
    lines = capsys.readouterr().err.splitlines()
    for name in ("xmlab1/source.jpg", "i3"):
        assert sum(line.startswith(f"left out: {name}: cannot be read as an image") for line in lines) == 1
    assert lines[-1] == "Left out, image unreadable (2): i3, xmlab1/source.jpg."
    assert outcome.facts["unreadable_images"] == ["i3", "xmlab1/source.jpg"]
