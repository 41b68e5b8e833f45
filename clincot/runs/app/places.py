"""A run and the address of its page -> an error where the terms of its data do not let others ask its models."""

from __future__ import annotations

import os
from ipaddress import ip_address

from clincot import benchmarks
from clincot.engines.hosts import place_fault
from clincot.errors import DataError
from clincot.recipe import Recipe
from clincot.runs.checks.places import privacy_of

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"


def in_space() -> bool:
    """Return whether this process runs inside a Space."""
    return bool(os.environ.get("SPACE_ID"))


def host_of_page(given: str) -> str:
    """Return the address that the page listens on: loopback unless another is given, every one inside a Space."""
    return given or (EVERYWHERE if in_space() else LOOPBACK)


def check_place(recipe: Recipe, host: str, port: int) -> None:
    """Raise DataError where what was made of the benchmark may not be reached at this address.

    What a restricted benchmark trained is asked on this machine and on trusted hosts alone: its answers may repeat it.
    """
    where = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    fault = place_fault(where, recipe.models.trusted_hosts)
    if privacy_of(benchmarks.load(recipe.benchmark).source) == "restricted" and (fault or in_space()):
        raise DataError(
            f"--host {host}: {fault or 'a Space is not this machine'}. Benchmark {recipe.benchmark} is restricted: what"
            " was trained on it is asked on this machine or on a host of models.trusted_hosts. Leave --host out."
        )


def reaches_others(host: str) -> bool:
    """Return whether other machines may reach what listens on this address."""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"
