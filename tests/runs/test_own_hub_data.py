"""A Hub dataset that is no benchmark of the package, with other column names: read at its commit, as it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clincot import benchmarks
from clincot.benchmarks.own import OwnData
from clincot.errors import DataError
from clincot.hub import Hub, connect
from clincot.runs.models.pins import benchmark_pins, examples_at
from tests.benchmarks.own.own_folders import png

CARD = """---
configs:
- config_name: default
  data_files:
  - {split: train, path: first/*.parquet}
  - {split: test, path: second/*.parquet}
---
"""


def parquet(path: Path, shades: range, column: str = "Frage") -> Path:
    rows = [{"Bild": {"bytes": png(s), "path": None}, column: f"Was? {s}", "Antwort": "ja"} for s in shades]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        files = {"first/a.parquet": parquet(tmp_path / "a", range(3)), "README.md": CARD.encode()}
        files |= {"second/b.parquet": parquet(tmp_path / "b", range(3, 5))}
        hub.publish("dataset", "someone/blut", files, tag="v1", message="one", private=False)
        yield hub


def declared(folder: Path, text: str) -> OwnData:
    (folder / "blut.yaml").write_text(f"repo: someone/blut\n{text}")
    benchmark = benchmarks.load(str(folder / "blut.yaml"))
    assert isinstance(benchmark, OwnData)
    return benchmark


COLUMNS = "image: Bild\nquestion: Frage\nanswer: Antwort\n"


def test_splits_and_columns_of_a_hub_dataset_are_read_at_its_commit(hub: Hub, tmp_path: Path) -> None:
    benchmark = declared(tmp_path, f"{COLUMNS}languages: de\n")
    pins = benchmark_pins(hub, benchmark)
    assert pins["benchmark"] == hub.resolve("dataset", "someone/blut")
    train, test = (examples_at(hub, benchmark, pins["benchmark"], split) for split in ("train", "test"))
    assert [e.encoded() for e in train] == [png(0), png(1), png(2)] and len(test) == 2
    assert {e.answer_type for e in train} == {"closed"} and benchmark.source.languages == ("de",)
    # What is declared decides the examples, and so it is pinned too.
    other = declared(tmp_path, f"{COLUMNS}answers: open\n")
    assert benchmark_pins(hub, other)["benchmark"] == pins["benchmark"]
    assert benchmark_pins(hub, other)["declared"].sha != pins["declared"].sha
    assert pins["declared"].repo == "./blut"  # and no folder


def test_a_revision_is_part_of_the_name(hub: Hub, tmp_path: Path) -> None:
    before = hub.resolve("dataset", "someone/blut", "v1")
    changed = {"first/a.parquet": parquet(tmp_path / "c", range(1), "question")}
    hub.publish("dataset", "someone/blut", changed, tag=None, message="two", private=False)
    named = benchmarks.load("someone/blut@v1")
    assert benchmark_pins(hub, named) == {"benchmark": before}
    with pytest.raises(DataError, match="no column is called like image or question"):
        examples_at(hub, named, before, "train")


def test_a_hub_dataset_of_one_split_is_divided(hub: Hub, tmp_path: Path) -> None:
    files = {"data/train-00000-of-00001.parquet": parquet(tmp_path / "d", range(40))}
    hub.publish("dataset", "someone/whole", files, tag=None, message="one", private=False)
    (tmp_path / "whole.yaml").write_text(f"repo: someone/whole\n{COLUMNS}")
    benchmark = benchmarks.load(str(tmp_path / "whole.yaml"))
    pin = benchmark_pins(hub, benchmark)["benchmark"]
    found = [{e.image_id for e in examples_at(hub, benchmark, pin, split)} for split in ("train", "test")]
    assert all(found) and not set.intersection(*found) and sum(map(len, found)) == 40


def test_a_folder_is_pinned_by_content_and_refused_when_it_changes(hub: Hub, tmp_path: Path) -> None:
    from tests.benchmarks.own.own_folders import row, write

    folder = write(tmp_path / "cells", [row(i) for i in range(20)])
    benchmark = benchmarks.load(str(folder))
    pins = benchmark_pins(hub, benchmark)
    assert list(pins) == ["benchmark"] and examples_at(hub, benchmark, pins["benchmark"], "train")
    with pytest.raises(DataError, match="./cells is a folder, which has no versions"):
        benchmark_pins(hub, benchmark, "v1")
    write(folder, [row(i, answer="another") for i in range(20)])
    with pytest.raises(DataError, match=r"./cells@\w{12}: the data in .* are other ones now"):
        examples_at(hub, benchmark, pins["benchmark"], "train")
