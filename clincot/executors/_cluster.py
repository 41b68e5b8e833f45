"""RAY_ADDRESS -> a connection to that Ray cluster, or to one on this machine; what is wrong is named at once."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from clincot.errors import ClincotError

ADDRESS = "RAY_ADDRESS"
CLIENT = "ray://"
PATIENCE = 5.0  # seconds to connect; Ray itself tries for over five minutes


def check_cluster() -> None:
    """Raise ClincotError where nothing answers at RAY_ADDRESS or Ray is not installed; starts nothing."""
    if "ray" in sys.modules and sys.modules["ray"] is not None and sys.modules["ray"].is_initialized():
        return
    address = os.environ.get(ADDRESS, "")
    if address not in ("", "auto", "local"):
        _check_address(address)
    if find_spec("ray") is None:
        raise ClincotError("--executor ray: needs Ray. Run `pip install 'clincot[ray]'`.")


def _check_address(address: str) -> None:
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ClincotError(
            f"{ADDRESS}={address}: is no address of a cluster. Write HOST:PORT as `ray start` prints it, or unset it."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClincotError(
            f"{ADDRESS}={address}: nothing answers there ({error}). Start a cluster (`ray start --head`), correct the"
            " address, or unset it for a cluster on this machine."
        ) from error


@contextmanager
def connected() -> Iterator[ModuleType]:
    """Connect to the cluster, or start one; a connection that the caller made is used and left as it is."""
    check_cluster()
    import ray

    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(logging_level=logging.ERROR)  # reads RAY_ADDRESS
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise ClincotError(_no_cluster(str(error).strip().partition("\n")[0])) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _no_cluster(said: str) -> str:
    if "object store" in said:
        return (
            f"--executor ray: Ray finds too little memory for its object store ({said.rstrip('.')}). Start the cluster"
            " yourself (`ray start --head --object-store-memory 80000000`); clincot needs no more."
        )
    return f"--executor ray: no cluster ({said.rstrip('.')}). Start one, or correct {ADDRESS}."


def lack_of_room(nodes: list[dict[str, Any]], *, cpus: int, gpus: int) -> str | None:
    """Return why no node of a cluster has room for a process, were it idle; None where one has."""
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in alive):
        return None
    most = int(max((node.get("CPU", 0) for node in alive), default=0))
    needs = f"{cpus} CPUs" + (" and a GPU" if gpus else "")
    return (
        f"No node of the cluster has room for a process, which takes {needs} (build.threads); the largest node has"
        f" {most} CPUs. Waiting for a larger one to join; Ctrl-C and a lower build.threads help otherwise."
    )
