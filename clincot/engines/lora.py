"""A round's adapter and a server of its base -> the adapter served there under its name, loaded while the server runs.

vLLM's runtime LoRA: POST /v1/load_lora_adapter, where the server allows it. A name or folder that was loaded before
keeps its old weights there, so every version has its own (`runs/models/served_adapters.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clincot.engines._server import Server, ServerAway
from clincot.engines.plain_server import PlainServer
from clincot.engines.server_look import ServerLook
from clincot.errors import ModelError
from clincot.progress import notice

ALLOWED = "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"
ABSENT = (403, 404, 405, 501)  # the path is not there, or a gateway bars it
DISABLED = "lora is not enabled"
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM can be started for


@dataclass(frozen=True)
class ServedAdapter:
    """An adapter by its name on servers, its folder as they see it, and its rank."""

    name: str
    folder: str
    rank: int


@dataclass(frozen=True)
class Lora:
    """An adapter that servers are given; `every` returns all that a server which loads none has to be started with."""

    adapter: ServedAdapter
    every: Callable[[], Sequence[ServedAdapter]]

    def load(self, server: Server) -> None:
        """Load the adapter on a server that does not list its name.

        Raises ServerAway without an answer, else ModelError with what to do; where nothing else is left, that is the
        command for starting the server.
        """
        own = self.adapter
        if own.name in server.models():
            return
        status, said = server.send("load_lora_adapter", {"lora_name": own.name, "lora_path": own.folder})
        if status == 400 and "already been loaded" in said:  # by another process of the same build
            return
        where = f"server {server.url}"
        if status == 0:
            raise ServerAway(f"{where}: gives no answer to the request for {own.name} ({said}). Start it.")
        if status != 200:
            raise ModelError(f"{where}: {self._fault(status, said)}")
        listed = server.models()
        if listed and own.name not in listed:
            raise ModelError(
                f"{where}: has loaded {own.name} and does not list it, as several API servers behind one address do."
                f" {self._restart()}"
            )
        notice(f"{where}: loaded {own.name}")

    def _fault(self, status: int, said: str) -> str:
        """Return why the adapter was not loaded, and what to do."""
        own = self.adapter
        if status == 404 and own.folder in said:  # vLLM: "Loading lora NAME failed: No adapter found for FOLDER"
            return (
                f"finds no adapter in {own.folder} ({said}). Share that folder with the server, under the same path or"
                " with models.policy.adapter_root, the place where it sees the folder of all runs."
            )
        if status in ABSENT or DISABLED in said.lower():
            return f"loads no adapters while it runs ({status}: {said}). {self._restart()}"
        if status == 401:
            return f"refuses the key ({said}). Set its variable (models.policy.key_env) to the server's own."
        if "max_lora_rank" in said or "max-lora-rank" in said:
            option = f"--max-lora-rank {started_for(own.rank)}"
            return f"takes no adapter of rank {own.rank} ({said}). Start it with {option}."
        return f"does not load the adapter {own.name} ({status}: {said}). See its log."

    def _restart(self) -> str:
        """Return how to start a server that has the adapters."""
        adapters = self.every()
        modules = " ".join(f"{one.name}={one.folder}" for one in adapters)
        rank = started_for(max(one.rank for one in adapters))
        return (
            f"Start it with {ALLOWED} in its environment and --enable-lora; or with the adapters that there are:\n"
            f"  --enable-lora --max-lora-rank {rank} --lora-modules {modules}\n"
            "Then give the same command again: what is finished is kept."
        )


def loads_none(endpoint: str, *, key_env: str, timeout: float) -> bool:
    """Return whether the server is known to load no adapters while it runs; nothing is loaded."""
    return ServerLook(PlainServer(endpoint, key_env=key_env, timeout=timeout), "").adapters() in ("at start", "none")


def started_for(rank: int) -> int:
    """Return the smallest --max-lora-rank for adapters of `rank`."""
    return next((one for one in RANKS if one >= rank), rank)
