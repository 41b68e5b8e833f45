"""Folders of models by name -> a real OpenAI-compatible server over them.

Run as `python -m tests.engines.openai_app PORT,PORT {"NAME": ["POLICY", "ADAPTER"], "OTHER": ["JUDGE"]}`; a folder
without a vision tower is a text-only model. It writes with the model's own `generate`, one request at a time, draws
from the request's own seed, and answers errors, tokens and log-probabilities in vLLM's shapes. POST /faults decides
what fails next, and what the server lacks.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import uvicorn
from jinja2 import TemplateError
from PIL import Image
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from clincot.engines import _plain
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm.ends import end_ids
from clincot.lm.escaping import escape_of
from clincot.lm.lengths import context_length
from clincot.lm.loading import no_text_ids
from clincot.lm.requests import Counters, GenerateRequest
from clincot.lm.sampling import Sampler
from tests.engines.lora_routes import RuntimeLora


class Recorded(Sampler):
    """Remembers the log-probabilities before every token, and writes none but the `forced` one where there is one."""

    forced: int | None = None

    def choose(self, logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        if not self.tokens[0]:
            self.before: list[torch.Tensor] = []
        self.before.append(logits[0].float().log_softmax(-1))
        if self.forced is None:
            return super().choose(logits, rows)
        self.tokens[0].append(self.forced)
        return torch.full((len(rows),), self.forced)


class Served:
    """The models by name, what fails next, and what was seen."""

    def __init__(self, folders: dict[str, list[str]]) -> None:
        self.models = {name: opened_model(*own) for name, own in folders.items()}
        self.folders = folders
        self.lora = RuntimeLora(self.models, folders, opened_model, lambda: self.fault)
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
        lacking = [name for name in self.fault.get("refused", ()) if name in body]
        if lacking:
            return refusal(422, f"Unsupported fields in the request: {set(lacking)}")
        for name in self.fault.get("ignored", ()):
            body.pop(name, None)
        if self.fault.get("model"):
            body["model"] = next(iter(self.models))
        if body["model"] not in self.models:
            return refusal(404, f"The model `{body['model']}` does not exist.")
        self.seen["now"] += 1
        self.seen["at_once"] = max(self.seen["at_once"], self.seen["now"])
        try:
            if self.fault.get("slow"):
                await asyncio.sleep(self.fault["slow"])
            return JSONResponse(await run_in_threadpool(self.written, body))
        except ModelError as error:
            return refusal(400, str(error))
        finally:
            self.seen["now"] -= 1

    def failure(self) -> Response:
        status = self.fault["status"]
        if status == 0:
            return StreamingResponse(broken(), headers={"content-length": "1000"})
        if status == 200 and self.fault.get("cut"):
            return Response(b'{"id": "1", "choices": [{"mess', media_type="application/json")
        if status == 200:
            return JSONResponse({"choices": [] if self.fault.get("empty") else [{"message": {"content": None}}]})
        return refusal(status, self.fault.get("message", "busy"), {"Retry-After": "0"})

    def written(self, body: dict[str, Any]) -> dict[str, Any]:
        engine, request = self.models[body["model"]], asked_of(body)
        loaded = engine.policy
        if request.images and (not loaded.image_token or self.fault.get("blind")):
            raise ModelError(f"{body['model']} is not a multimodal model")
        if self.fault.get("passes_over"):
            request = replace(request, images=(), messages=tuple(without_images(request.messages)))
        text = render(loaded, request.messages, len(request.images))
        sampler = Recorded([request], loaded.stops, loaded.suppressed, loaded.model.device)
        (sampler.forced,) = body.get("allowed_token_ids") or (None,)
        with self.lock:
            before = engine.counters.prefill_tokens
            inputs = _plain.inputs(loaded, [text], [request.images], engine.counters)
            if inputs["input_ids"].shape[1] + request.max_new_tokens > loaded.context:
                raise ModelError(f"This model's maximum context length is exceeded: {loaded.context} tokens")
            _plain.generate(loaded, inputs, sampler, engine.counters)
            prompt = engine.counters.prefill_tokens - before
        done = sampler.completions(loaded.tokenizer)[0]
        tell = body.get("logprobs") and not self.fault.get("silent")
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": done.text},
            "finish_reason": self.fault.get("finish") or done.finish,
            "logprobs": {"content": tokens_of(sampler, loaded.tokenizer, body)} if tell else None,
        }
        if body.get("return_token_ids"):
            choice["token_ids"] = sampler.tokens[0]
        usage = {"prompt_tokens": prompt, "completion_tokens": done.tokens, "total_tokens": prompt + done.tokens}
        return {"id": "1", "created": 0, "model": body["model"], "choices": [choice], "usage": usage}

    async def faults(self, request: Request) -> Response:
        self.fault = await request.json()
        return JSONResponse({})

    async def listed(self, request: Request) -> Response:
        if self.fault.get("away"):
            return refusal(503, "starting")
        cards = [
            {"id": self.fault.get("named", name), "object": "model", "root": self.fault.get("root", own[-1])}
            for name, own in self.folders.items()
        ]
        return JSONResponse({"object": "list", "data": cards[:1] if self.fault.get("model") else cards})

    async def told(self, request: Request) -> Response:
        return JSONResponse(self.seen | {"loras": self.lora.asked})

    async def version(self, request: Request) -> Response:
        return JSONResponse({"version": "0.0.1"})

    async def tokenize(self, request: Request) -> Response:
        body = await request.json()
        if self.fault.get("no_tokens"):
            return refusal(404, "Not Found")
        loaded = self.models[body["model"]].policy
        text = body.get("prompt")
        if text is not None:
            ids = loaded.tokenizer(text, add_special_tokens=body["add_special_tokens"])["input_ids"]
        else:
            ids = prompt_ids(loaded, *shown_in(body["messages"]))
        return JSONResponse({"tokens": ids, "count": len(ids)})

    async def detokenize(self, request: Request) -> Response:
        body = await request.json()
        return JSONResponse({"prompt": self.models[body["model"]].policy.tokenizer.decode(body["tokens"])})


def opened_model(folder: str, adapter: str | None = None) -> Any:
    """A policy with its adapter, or a text-only model in the shape of one."""
    if "vision_config" in json.loads((Path(folder) / "config.json").read_text()):
        return TransformersEngine.from_pretrained(folder, adapter, batch_size=1, share=False)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    stops = frozenset(end_ids(tokenizer, model.generation_config, model.config))
    suppressed = no_text_ids(tokenizer, model.get_output_embeddings().out_features, stops)
    model.generation_config = GenerationConfig(eos_token_id=sorted(stops), pad_token_id=min(stops))
    policy = SimpleNamespace(
        model=model, tokenizer=tokenizer, processor=tokenizer, image_token="", stops=stops, suppressed=suppressed,
        context=context_length(model), escape=escape_of(tokenizer),
    )  # fmt: skip
    return SimpleNamespace(policy=policy, counters=Counters())


def render(loaded: Any, messages: Sequence[Any], images: int) -> str:
    """The prompt as vLLM makes it: by the template alone, whose refusal is an error of the request."""
    try:
        text = loaded.processor.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
    except TemplateError as error:
        raise ModelError(f"the chat template refuses the messages: {error}") from error
    if loaded.image_token and text.count(loaded.image_token) != images:
        raise ModelError(f"{text.count(loaded.image_token)} image tokens for {images} images")
    return text


def without_images(messages: Sequence[Any]) -> list[Any]:
    return [
        {**m, "content": m["content"] if isinstance(m["content"], str) else [b for b in m["content"] if "text" in b]}
        for m in messages
    ]


def shown_in(messages: Sequence[Any]) -> tuple[list[Any], list[Image.Image]]:
    """The messages with plain image blocks, and the images of these."""
    plain, pictures = [], []
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            pictures += [opened(block["image_url"]["url"]) for block in content if block["type"] == "image_url"]
            content = [{"type": "image"} if block["type"] == "image_url" else block for block in content]
        plain.append({**message, "content": content})
    return plain, pictures


def prompt_ids(loaded: Any, messages: Sequence[Any], pictures: Sequence[Image.Image]) -> list[int]:
    """The tokens of a prompt, those of its images included."""
    text = render(loaded, messages, len(pictures))
    if pictures:
        return loaded.processor(images=[list(pictures)], text=[text], add_special_tokens=False)["input_ids"][0]
    return loaded.tokenizer(text, add_special_tokens=False)["input_ids"]


def asked_of(body: dict[str, Any]) -> GenerateRequest:
    """What the body of a request asks, images decoded."""
    messages, pictures = shown_in(body["messages"])
    numbers = (body.get("seed") or 0, body["temperature"], body.get("top_p") or 1.0, body["max_tokens"])
    return GenerateRequest(tuple(messages), tuple(pictures), *numbers)


def opened(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def tokens_of(sampler: Recorded, tokenizer: Any, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The written tokens with their log-probabilities, and with those of the ids asked for, else the likeliest."""

    def named(token: int, logps: torch.Tensor) -> dict[str, Any]:
        name = f"token_id:{token}" if body.get("return_tokens_as_token_ids") else tokenizer.decode([token])
        return {"token": name, "logprob": float(logps[token])}

    found = []
    for token, logps in zip(sampler.tokens[0], sampler.before, strict=False):
        beside = logps.topk(body.get("top_logprobs") or 0).indices.tolist()
        beside = body.get("logprob_token_ids") or beside
        found.append(named(token, logps) | {"top_logprobs": [named(other, logps) for other in beside]})
    return found


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": {"message": message, "type": "BadRequestError", "code": status}}
    return JSONResponse(body, status_code=status, headers=headers)


async def broken() -> AsyncIterator[bytes]:
    yield b'{"id": "1", "choi'
    raise ConnectionResetError("as a server that is killed")


def application(folders: dict[str, list[str]]) -> Starlette:
    torch.set_num_threads(1)
    served = Served(folders)
    return Starlette(
        routes=[
            Route("/v1/models", served.listed),
            Route("/v1/chat/completions", served.chat, methods=["POST"]),
            Route("/tokenize", served.tokenize, methods=["POST"]),
            Route("/detokenize", served.detokenize, methods=["POST"]),
            Route("/version", served.version),
            Route("/faults", served.faults, methods=["POST"]),
            Route("/seen", served.told),
            *served.lora.routes(),
        ]
    )


async def serve(ports: Sequence[str], folders: dict[str, list[str]]) -> None:
    """Serve on every port, each with its own faults."""
    configs = [
        uvicorn.Config(application(folders), host="127.0.0.1", port=int(port), log_level="critical") for port in ports
    ]
    await asyncio.gather(*(uvicorn.Server(config).serve() for config in configs))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1].split(","), json.loads(sys.argv[2])))
