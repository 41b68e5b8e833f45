"""Phantom questions and a policy's engine -> what building them took: seconds, prompt tokens read, and every text."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.benchmarks import load as load_benchmark
from clincot.engines.base import Engine
from clincot.engines.transformers import TransformersEngine
from clincot.judges.cache import CachedJudge
from clincot.judges.causal_lm import CausalLMJudge
from clincot.lm.requests import Completion, GenerateRequest
from clincot.phantom.dataset import phantom_files
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.regions.query_grounder import QueryGrounder
from clincot.stages.sample.build import build
from clincot.stages.sample.builder import BuildJob
from clincot.stages.sample.serving import Models
from perf.block_cache import Prompt

MODELS = Path(__file__).resolve().parents[1] / "clincot" / "phantom" / "models"
JUDGES = ("judge-a", "judge-b")


@dataclass(frozen=True)
class Run:
    """Wall and CPU seconds of this process and of the server, tokens of all prompts, those read, and the texts.

    `texts` holds, by candidate, its text and its look-ahead texts.
    """

    wall: float
    own: float
    server: float
    prompts: int
    read: int
    texts: dict[str, tuple[str, ...]]

    @property
    def saved(self) -> int:
        return self.prompts - self.read


class Recorder:
    """An engine that remembers what it was asked."""

    def __init__(self, engine: TransformersEngine) -> None:
        self.engine, self.counters = engine, engine.counters
        self.asked: list[GenerateRequest] = []

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.asked += requests
        return self.engine.generate(requests)

    def forget(self) -> None:
        self.engine.forget()

    def prompts(self) -> list[Prompt]:
        """Return the token ids of everything asked, by the processor; those of an image name it."""
        return [self._prompt(request) for request in self.asked]

    def _prompt(self, request: GenerateRequest) -> Prompt:
        policy = self.engine.policy
        text = policy.processor.apply_chat_template(list(request.messages), add_generation_prompt=True, tokenize=False)
        inputs = policy.processor(images=[list(request.images)], text=[text], add_special_tokens=False)
        ids = list(inputs["input_ids"][0])
        each = ids.count(policy.image_id) // len(request.images)
        names = [hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest() for image in request.images]
        seen = iter((name, number) for name in names for number in range(each))
        return [next(seen) if token == policy.image_id else token for token in ids]


@dataclass(frozen=True)
class Questions:
    """Questions and the models that all runs share."""

    recipe: Recipe
    examples: tuple[Example, ...]
    proposer: QueryGrounder
    judges: tuple[CausalLMJudge, ...]

    @classmethod
    def draw(cls, images: int, questions: int, shard_images: int) -> Questions:
        """Draw so many images, with so many questions each at most; texts are greedy."""
        values = {"method.temperature": 0.0, "build.shard_images": shard_images}
        recipe = load_recipe("clincot", "phantom", overrides=[f"{name}={value}" for name, value in values.items()])
        kept, asked = [], Counter[str]()
        with tempfile.TemporaryDirectory() as folder:
            phantom_files(Path(folder), seed=0, train=images, validation=1, test=1)
            for example in load_benchmark("phantom").examples(Path(folder), "train"):
                asked[example.image_id] += 1
                if asked[example.image_id] <= questions:
                    kept.append(example)
        judges = [CausalLMJudge.from_pretrained(MODELS / n, name=n, key=n, batch_size=64, threads=1) for n in JUDGES]
        return cls(recipe, tuple(kept), QueryGrounder.from_pretrained(MODELS / "grounder"), tuple(judges))

    def build(self, policy: Engine, server: Callable[[], float] = lambda: 0.0) -> Run:
        """Run the stage that samples, whole, with models that are loaded; `server` returns its CPU seconds so far."""
        models = Models(policy, self.proposer, tuple(CachedJudge(judge, {}) for judge in self.judges))
        counted = policy.counters
        with tempfile.TemporaryDirectory() as folder:
            job = BuildJob(self.recipe, 1, self.examples, "", Path(folder), lambda: models)
            before = time.monotonic(), time.process_time(), server()
            tokens = counted.unshared_prefill_tokens, counted.prefill_tokens
            files = build(job).files
            after = time.monotonic(), time.process_time(), server()
            texts = _texts(next(path for name, path in files.items() if "candidates" in name))
        wall, own, there = (end - start for start, end in zip(before, after, strict=True))
        prompts, read = counted.unshared_prefill_tokens - tokens[0], counted.prefill_tokens - tokens[1]
        return Run(wall, own, there, prompts, read, texts)


def _texts(candidates: Path) -> dict[str, tuple[str, ...]]:
    rows: list[dict[str, Any]] = pq.read_table(candidates).to_pylist()
    return {row["id"]: (row["text"], *row["lookahead"]) for row in rows}
