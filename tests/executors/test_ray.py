"""Actors of a cluster do every piece: nodes join late and die, and what kills its process is named."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clincot.errors import ClincotError, DataError
from clincot.executors.base import SetAside
from clincot.executors.ray import Ray
from tests.executors.toys import squares

pytestmark = pytest.mark.xdist_group("ray")  # a program without an address joins any cluster of this machine
STORE = 80 * 2**20  # bytes of a node's object store, close to the least that Ray takes


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClincotError, match=r"--executor ray: needs Ray. Run `pip install 'clincot\[ray\]'`"):
        Ray().run(partial(squares, Path()), pieces(1), lambda piece, note: None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one CPU each on this machine, whose processes import these tests, with this process connected."""
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        yield from nodes(ray)


def nodes(ray: Any) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": STORE}
    made = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    made.add_node(**node)
    ray.init(address=made.address, log_to_driver=False, logging_level=logging.ERROR)
    yield made
    ray.shutdown()
    made.shutdown()


def pieces(count: int) -> list[tuple[int, ...]]:
    return [(number,) for number in range(count)]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_cluster_does_every_piece_whatever_dies(cluster: Any, tmp_path: Path) -> None:
    done: dict[int, int] = {}

    def mark(piece: tuple[int, ...], note: int) -> None:
        assert piece[0] not in done
        done[piece[0]] = note

    Ray().run(partial(squares, tmp_path, dies=(0, 5)), pieces(12), mark)
    assert done == {number: number**2 for number in range(12)}

    with pytest.raises(SetAside, match="work 3: its process died 3 times"):
        Ray().run(partial(squares, tmp_path, dies=(3,), once=False), pieces(5), lambda piece, note: None)
    with pytest.raises(DataError, match="piece 1: is bad. Correct it"):
        Ray().run(partial(squares, tmp_path, fails=(1,)), pieces(5), lambda piece, note: None)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_node_that_dies_loses_nothing_and_one_that_joins_gets_work(cluster: Any, tmp_path: Path) -> None:
    doomed, done = cluster.add_node(num_cpus=1, object_store_memory=STORE), []

    def mark(piece: tuple[int, ...], note: int) -> None:
        done.append(piece[0])
        if len(done) == 20:
            cluster.remove_node(doomed, allow_graceful=False)
            cluster.add_node(num_cpus=1, object_store_memory=STORE)

    Ray().run(partial(squares, tmp_path, pause=0.5), pieces(120), mark)
    assert sorted(done) == list(range(120))
    assert len(list(tmp_path.glob("opened-*"))) == 4


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_cluster_whose_processes_cannot_import_the_package_is_named(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clincot.executors.ray.Actor.__init__", of_this_file_alone)
    with pytest.raises(ClincotError, match=r"no process starts on the cluster .*No module named.*Install the same"):
        Ray().run(partial(squares, tmp_path), pieces(3), lambda piece, note: None)


def of_this_file_alone(self: object) -> None:
    """A function that the processes of a cluster cannot import, as nothing is where clincot is not installed."""
