"""Served models by name -> the routes that load and unload adapters while a server runs, in vLLM's words and traps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from clincot.errors import ModelError


class RuntimeLora:
    """Loads adapters of the first model; a folder that was loaded before keeps its old weights, as in vLLM.

    `fault` returns what the server lacks: `no_lora` (the paths), `no_enable` (--enable-lora), `max_rank`, `unlisted`.
    """

    def __init__(
        self,
        models: dict[str, Any],
        folders: dict[str, list[str]],
        opened: Callable[[str, str], Any],
        fault: Callable[[], dict[str, Any]],
    ) -> None:
        self.models, self.folders, self.opened, self.fault = models, folders, opened, fault
        self.base = next(iter(folders.values()))[0]
        self.kept: dict[str, Any] = {}
        self.loaded: set[str] = set()
        self.asked: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        return [
            Route("/v1/load_lora_adapter", self.loading, methods=["POST"]),
            Route("/v1/unload_lora_adapter", self.unloading, methods=["POST"]),
        ]

    async def loading(self, request: Request) -> Response:
        body, fault = await request.json(), self.fault()
        if fault.get("no_lora"):
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        if not {"lora_name", "lora_path"} <= body.keys():
            return refused(400, "2 validation errors: Field required")
        self.asked.append(body)
        name, path = body["lora_name"], body["lora_path"]
        if name in self.models:
            return refused(
                400, f"The lora adapter '{name}' has already been loaded. If you want to load the adapter in"
            )
        config = Path(path) / "adapter_config.json"
        if fault.get("no_enable"):
            return refused(
                500, "Call to add_lora method failed: LoRA is not enabled. Use --enable-lora to enable LoRA."
            )
        if not config.is_file():
            return refused(404, f"Loading lora {name} failed: No adapter found for {path}")
        rank = json.loads(config.read_text())["r"]
        if rank > fault.get("max_rank", 16):
            return refused(500, f"LoRA rank {rank} is greater than max_lora_rank {fault['max_rank']}.")
        if path not in self.kept:
            try:
                self.kept[path] = await run_in_threadpool(self.opened, self.base, path)
            except (ModelError, KeyError, ValueError) as error:
                return refused(500, str(error))
        if not fault.get("unlisted"):
            self.models[name], self.folders[name] = self.kept[path], [self.base, path]
            self.loaded.add(name)
        return PlainTextResponse(f"Success: LoRA adapter '{name}' added successfully.")

    async def unloading(self, request: Request) -> Response:
        name = (await request.json())["lora_name"]
        if name not in self.loaded:
            return refused(404, f"The lora adapter '{name}' cannot be found.")
        self.loaded.remove(name)
        del self.models[name], self.folders[name]
        return PlainTextResponse(f"Success: LoRA adapter '{name}' removed successfully.")


def refused(status: int, message: str) -> JSONResponse:
    body = {"error": {"message": message, "type": "InvalidUserInput", "param": None, "code": status}}
    return JSONResponse(body, status_code=status)
