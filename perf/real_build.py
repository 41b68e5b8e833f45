"""A LLaVA-Med-sized model of random weights -> responses a second of `build-data`'s chain, and what was read for them.

The real method walks over one image (perf/scaled_chain.py); proposer and judge are arithmetic, so that the policy alone
takes time. The engine with shared prefixes and the one that reads every prompt whole write in one run.
"""

from __future__ import annotations

import gc
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from clincot.engines.base import Abilities
from clincot.engines.transformers import TransformersEngine
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench, sample_shard
from perf.dpo_counting import Sizes
from perf.real_model import llava
from perf.scaled_chain import ByDigest, Recorder, Size, Squares, examples_of, recipe_of
from perf.scaled_policy import SPECIAL, SYSTEM
from perf.scaled_policy import tokenizer as word_tokenizer

# n=5 candidates, T=4 steps, S=3 samples: 65 responses a question.
REAL, SMALL = Size(questions=10, batch=32), Size(questions=2, candidates=2, steps=2, samples=1, batch=8)


@dataclass(frozen=True)
class Built:
    """Wall seconds of the engine, prompt tokens read, images encoded, most GPU bytes (0 on a CPU), and the texts."""

    seconds: float
    prefill: int
    encodes: int
    memory: int
    texts: tuple[str, ...]


def examples(sizes: Sizes, size: Size) -> list[Example]:
    """The chain's questions, long enough that template and question have as many tokens as at 7B."""
    filler = " ".join(f"more-{n}" for n in range(sizes.template + sizes.question - len(SYSTEM.split()) - 13))
    made = examples_of(size, entities=False)
    return [replace(example, question=f"{example.question} {filler}") for example in made]


def measure(sizes: Sizes, *, tiny: bool) -> dict[str, Built]:
    """Return what the chain of one image took in each way; the model is written to disk and loaded as any other is."""
    size = SMALL if tiny else REAL
    asked = examples(sizes, size)
    words = [word for example in asked for word in example.question.split()]
    tokenizer = word_tokenizer(words, sizes.vocabulary)
    recipe = recipe_of(size)
    recipe = replace(recipe, build=replace(recipe.build, max_new_tokens=sizes.answer))
    with tempfile.TemporaryDirectory() as folder:
        _save(sizes, tokenizer, Path(folder), tiny)
        gc.collect()
        torch.cuda.empty_cache()
        shared = TransformersEngine.from_pretrained(Path(folder), batch_size=size.batch)
    whole = TransformersEngine(shared.policy, batch_size=size.batch, abilities=Abilities(2, shared=False))
    return {name: _walk(engine, recipe, asked) for name, engine in (("shared", shared), ("whole", whole))}


def _save(sizes: Sizes, tokenizer: Any, folder: Path, tiny: bool) -> None:
    for part in llava(sizes, tokenizer, SPECIAL.index("<image>"), tiny):
        part.save_pretrained(folder)


def _walk(engine: TransformersEngine, recipe: Recipe, asked: list[Example]) -> Built:
    gpu = engine.policy.model.device.type == "cuda"
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    recorder = Recorder(engine)
    bench = Workbench(recipe, 1, Models(recorder, Squares(), (ByDigest(),)))
    started = time.monotonic()
    finish(sample_shard(of_recipe(recipe), asked, bench))
    if gpu:
        torch.cuda.synchronize()
    seconds, counted = time.monotonic() - started, engine.counters
    memory = torch.cuda.max_memory_allocated() if gpu else 0
    return Built(seconds, counted.prefill_tokens, counted.vision_encodes, memory, tuple(recorder.texts))


def equal(found: dict[str, Built]) -> float:
    """Return the share of texts that both ways wrote alike; in bfloat16 last digits decide some."""
    pairs = list(zip(found["shared"].texts, found["whole"].texts, strict=True))
    return sum(a == b for a, b in pairs) / len(pairs)


def show(found: dict[str, Built]) -> None:
    print("| prompts | responses | responses/s | prompt tokens read | images encoded | most memory, GB |")
    print("|---|---|---|---|---|---|")
    for name, row in found.items():
        memory = f"{row.memory / 1e9:.1f}" if row.memory else ""
        rate = f"{len(row.texts) / row.seconds:.3g}"
        print(f"| {name} | {len(row.texts)} | {rate} | {row.prefill:,} | {row.encodes:,} | {memory} |")
    print(f"texts equal both ways: {equal(found):.1%}")
