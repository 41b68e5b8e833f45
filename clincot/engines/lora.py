"""A round's adapter and a server of its base -> the adapter served there under its name, loaded while the server runs.

vLLM's runtime LoRA: POST /v1/load_lora_adapter, where the server allows it. A name or folder that was loaded before
keeps its old weights there, so every version has its own (`runs/models/served_adapters.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clincot.engines._server import Reach, Server
from clincot.errors import ModelError
from clincot.lm.requests import Counters

ALLOWED = "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"
ABSENT = (403, 404, 405, 501)  # the path is not there, or a gateway bars it
DISABLED = "lora is not enabled"


@dataclass(frozen=True)
class ServedAdapter:
    """An adapter by its name on servers, its folder as they see it, and its rank."""

    name: str
    folder: str
    rank: int


Every = Callable[[], Sequence[ServedAdapter]]


@dataclass(frozen=True)
class PolicyServers:
    """The servers of a policy, and how they are reached: each gets every adapter, since any of them may be asked."""

    endpoints: Sequence[str]
    key_env: str
    timeout: float
    tries: int

    def load(self, adapter: ServedAdapter, every: Every) -> list[str]:
        """Return the servers on which `adapter` was loaded now; see `load_adapter`."""
        return [server.url for server in self._servers() if load_adapter(server, adapter, every)]

    def without_loading(self) -> list[str]:
        """Return the servers that load no adapters while they run."""
        return [server.url for server in self._servers() if not loads_adapters(server)]

    def _servers(self) -> list[Server]:
        reach = Reach(self.key_env, self.timeout, self.tries)
        return [Server(url, Counters(), reach) for url in self.endpoints]


def load_adapter(server: Server, adapter: ServedAdapter, every: Every) -> bool:
    """Return whether `adapter` was loaded now; a server that lists its name has it.

    `every` returns the adapters that a server which loads none has to be started with. Raises ModelError with what to
    do; where nothing else is left, that is the command for starting it.
    """
    if adapter.name in server.models():
        return False
    asked = {"lora_name": adapter.name, "lora_path": adapter.folder}
    status, said = server.send("load_lora_adapter", asked)
    if status == 400 and "already been loaded" in said:  # by another process of the same build
        return False
    if status != 200:
        raise ModelError(f"server {server.url}: {_fault(server, adapter, status, said, every)}")
    listed = server.models()
    if listed and adapter.name not in listed:
        raise ModelError(
            f"server {server.url}: has loaded {adapter.name} and does not list it, as several API servers behind one"
            f" address do. {_restart(every)}"
        )
    return True


def loads_adapters(server: Server) -> bool:
    """Return whether the server has the path for loading adapters while it runs; nothing is loaded."""
    return server.send("load_lora_adapter", {})[0] not in ABSENT


def _fault(server: Server, adapter: ServedAdapter, status: int, said: str, every: Every) -> str:
    """Return why an adapter was not loaded, and what to do."""
    if status == 404 and adapter.folder in said:  # vLLM: "Loading lora NAME failed: No adapter found for FOLDER"
        return (
            f"finds no adapter in {adapter.folder} ({said}). Share that folder with the server, under the same path or"
            " with models.policy.adapter_root, the place where it sees the folder of all runs."
        )
    if status in ABSENT or DISABLED in said.lower():
        return f"loads no adapters while it runs ({status}: {said}). {_restart(every)}"
    if status == 401:
        return f"refuses the key ({said}). Set its variable (key_env) to the server's own."
    if "max_lora_rank" in said or "max-lora-rank" in said:
        return f"takes no adapter of rank {adapter.rank} ({said}). Start it with --max-lora-rank {adapter.rank}."
    if status == 0:
        return f"gives no answer to the request for {adapter.name} ({said}). Start it, then give the command again."
    return f"does not load the adapter {adapter.name} ({status}: {said}). See its log."


def _restart(every: Every) -> str:
    """Return how to start a server that has the adapters; the folders are its own names for them."""
    adapters = every()
    modules = " ".join(f"{one.name}={one.folder}" for one in adapters)
    rank = max(one.rank for one in adapters)
    return (
        f"Start it with {ALLOWED} in its environment and --enable-lora; or with the adapters that there are:\n"
        f"  --enable-lora --max-lora-rank {rank} --lora-modules {modules}\n"
        "Then give the same command again: what is finished is kept."
    )
