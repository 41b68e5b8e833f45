"""Folders of a policy and an adapter -> a real OpenAI-compatible server over them.

Run as `python -m tests.engines.openai_app PORT POLICY ADAPTER NAME ADAPTER_NAME`.
It writes with the model's own `generate`, one request
at a time, draws from the request's own seed, and answers errors in vLLM's words. POST /faults decides what fails next.
"""

from __future__ import annotations

import base64
import io
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import torch
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from clincot.engines import _plain
from clincot.engines._reading import render
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm.requests import GenerateRequest
from clincot.lm.sampling import Sampler


class Recorded(Sampler):
    """Remembers the log-probability of every token, and all of them before the first."""

    steps: list[float]
    first: torch.Tensor

    def choose(self, logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        before = self.logps[0]
        if not self.tokens[0]:
            self.steps, self.first = [], logits[0].float().log_softmax(-1)
        chosen = super().choose(logits, rows)
        self.steps.append(self.logps[0] - before)
        return chosen


class Served:
    """The models by name, what fails next, and what was seen."""

    def __init__(self, policy: Path, adapter: Path, names: Sequence[str]) -> None:
        self.engines = {
            names[0]: TransformersEngine.from_pretrained(policy, batch_size=1, share=False),
            names[1]: TransformersEngine.from_pretrained(policy, adapter, batch_size=1, share=False),
        }
        self.lock = threading.Lock()
        self.fault: dict[str, Any] = {"times": 0}
        self.seen: dict[str, Any] = {"requests": 0, "now": 0, "at_once": 0, "keys": [], "messages": []}

    async def chat(self, request: Request) -> Response:
        self.seen["requests"] += 1
        self.seen["keys"].append(request.headers.get("authorization"))
        body = await request.json()
        self.seen["messages"].append(body["messages"])
        if self.fault["times"] > 0:
            self.fault["times"] -= 1
            return self.failure()
        if self.fault.get("strict") and "logprobs" in body:
            return refusal(422, "Unsupported fields in the request: {'logprobs'}")
        if body["model"] not in self.engines:
            return refusal(404, f"The model `{body['model']}` does not exist.")
        self.seen["now"] += 1
        self.seen["at_once"] = max(self.seen["at_once"], self.seen["now"])
        try:
            return JSONResponse(await run_in_threadpool(self.written, body))
        except ModelError as error:
            return refusal(400, f"This model's maximum context length is exceeded: {error}")
        finally:
            self.seen["now"] -= 1

    def failure(self) -> Response:
        status = self.fault["status"]
        if status == 0:
            return StreamingResponse(broken(), headers={"content-length": "1000"})
        if status == 200:
            return JSONResponse({"choices": [] if self.fault.get("empty") else [{"message": {"content": None}}]})
        return refusal(status, self.fault.get("message", "busy"), {"Retry-After": "0"})

    def written(self, body: dict[str, Any]) -> dict[str, Any]:
        engine, request = self.engines[body["model"]], asked_of(body)
        loaded = engine.policy
        text = render(loaded, request.messages, len(request.images))
        sampler = Recorded([request], loaded.stops, loaded.suppressed, loaded.model.device)
        with self.lock:
            before = engine.counters.prefill_tokens
            inputs = _plain.inputs(loaded, [text], [request.images], engine.counters)
            if inputs["input_ids"].shape[1] + request.max_new_tokens > loaded.context:
                raise ModelError(f"{loaded.context} tokens")
            _plain.generate(loaded, inputs, sampler, engine.counters)
            prompt = engine.counters.prefill_tokens - before
        done = sampler.completions(loaded.tokenizer)[0]
        tell = body.get("logprobs") and not self.fault.get("silent")
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": done.text},
            "finish_reason": self.fault.get("finish") or done.finish,
            "logprobs": {"content": tokens_of(sampler, loaded.tokenizer, body.get("top_logprobs"))} if tell else None,
        }
        usage = {"prompt_tokens": prompt, "completion_tokens": done.tokens, "total_tokens": prompt + done.tokens}
        return {"id": "1", "created": 0, "model": body["model"], "choices": [choice], "usage": usage}

    async def faults(self, request: Request) -> Response:
        self.fault = await request.json()
        return JSONResponse({})

    async def models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in self.engines]})

    async def told(self, request: Request) -> Response:
        return JSONResponse(self.seen)


def asked_of(body: dict[str, Any]) -> GenerateRequest:
    """What the body of a request asks, images decoded."""
    messages, pictures = [], []
    for message in body["messages"]:
        content = message["content"]
        if not isinstance(content, str):
            pictures += [opened(block["image_url"]["url"]) for block in content if block["type"] == "image_url"]
            content = [{"type": "image"} if block["type"] == "image_url" else block for block in content]
        messages.append({**message, "content": content})
    numbers = (body.get("seed") or 0, body["temperature"], body.get("top_p") or 1.0, body["max_tokens"])
    return GenerateRequest(tuple(messages), tuple(pictures), *numbers)


def opened(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def tokens_of(sampler: Recorded, tokenizer: Any, top: int | None) -> list[dict[str, Any]]:
    """The written tokens with their log-probabilities; the first with the `top` likeliest beside it."""
    likeliest = sampler.first.topk(top) if top else None
    pairs = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True) if likeliest else ()
    beside = [{"token": tokenizer.decode([i]), "logprob": logp} for i, logp in pairs]
    return [
        {"token": tokenizer.decode([i]), "logprob": logp, "top_logprobs": [] if place else beside}
        for place, (i, logp) in enumerate(zip(sampler.tokens[0], sampler.steps, strict=False))
    ]


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": {"message": message, "type": "BadRequestError", "code": status}}
    return JSONResponse(body, status_code=status, headers=headers)


async def broken() -> AsyncIterator[bytes]:
    yield b'{"id": "1", "choi'
    raise ConnectionResetError("as a server that is killed")


def application(policy: Path, adapter: Path, names: Sequence[str]) -> Starlette:
    torch.set_num_threads(1)
    served = Served(policy, adapter, names)
    return Starlette(
        routes=[
            Route("/v1/models", served.models),
            Route("/v1/chat/completions", served.chat, methods=["POST"]),
            Route("/faults", served.faults, methods=["POST"]),
            Route("/seen", served.told),
        ]
    )


if __name__ == "__main__":
    app = application(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:6])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
