"""The requests of ClinCoT's chain -> prefill tokens, image encodes and CPU time of the engine against plain `generate`.

Run as `python perf/generation.py`. A method's real walk (all candidates, look-ahead with their own regions, the best
extends) is written by the engine that shares prefixes; the requests it made are then answered again by the model's own
`generate`, one at a time and in left-padded batches. The texts must be equal. `--classes` compares shared and unshared
engines of other classes of models instead (perf/class_walks.py).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import transformers
from PIL import Image

from clincot.engines.transformers import TransformersEngine
from clincot.lm.requests import GenerateRequest
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.recipe import Recipe
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench, sample_shard
from perf.scaled_chain import ByDigest, Recorder, Size, Squares, examples_of, questions_of, recipe_of
from perf.scaled_policy import Geometry, scaled_policy

QUICK = Size(questions=5, width=64, layers=2)
TARGETS = {"prefill": 15.0, "encodes": 100.0, "cpu batch 1": 7.0, "cpu batched": 3.0}


@dataclass
class Cost:
    """What answering took: CPU seconds of the process, prompt tokens read, images encoded; and the texts."""

    seconds: float
    prefill: int
    encodes: int
    texts: list[str] = field(repr=False)


def repeated(engine: TransformersEngine, recipe: Recipe, size: Size, *, entities: bool) -> tuple[Recorder, Cost]:
    """Walk three times, each from nothing kept; the seconds are the median's."""
    walks = sorted((walk(engine, recipe, size, entities=entities) for _ in range(3)), key=lambda w: w[1].seconds)
    assert len({(cost.prefill, cost.encodes, *cost.texts) for _, cost in walks}) == 1
    print("engine, CPU s in three repeats:", ", ".join(f"{cost.seconds:.1f}" for _, cost in walks))
    return walks[1]


def walk(engine: TransformersEngine, recipe: Recipe, size: Size, *, entities: bool) -> tuple[Recorder, Cost]:
    """Run the method over one shard and return what it asked, and what the engine took for it."""
    recorder = Recorder(engine)
    before = (engine.counters.prefill_tokens, engine.counters.vision_encodes)
    bench = Workbench(recipe, 1, Models(recorder, Squares(), (ByDigest(),)))
    finish(sample_shard(of_recipe(recipe), examples_of(size, entities=entities), bench))
    after = (engine.counters.prefill_tokens, engine.counters.vision_encodes)
    return recorder, Cost(recorder.seconds, after[0] - before[0], after[1] - before[1], recorder.texts)


def plain(engine: TransformersEngine, calls: Sequence[Sequence[GenerateRequest]], batch: int) -> Cost:
    """Answer by processor and `generate` alone, greedy, `batch` requests of a call at a time."""
    policy = engine.policy
    started, prefill, encodes, texts = time.process_time(), 0, 0, []
    for call in calls:
        for start in range(0, len(call), batch):
            part = call[start : start + batch]
            inputs = _inputs(policy.processor, part)
            out = policy.model.generate(
                **inputs,
                do_sample=False,
                max_new_tokens=part[0].max_new_tokens,
                suppress_tokens=list(policy.suppressed),
            )
            new = out[:, inputs["input_ids"].shape[1] :]
            texts += policy.tokenizer.batch_decode(new, skip_special_tokens=True)
            prefill += int(inputs["attention_mask"].sum())
            encodes += sum(len(request.images) for request in part)
    return Cost(time.process_time() - started, prefill, encodes, texts)


def _inputs(processor: Any, part: Sequence[GenerateRequest]) -> Any:
    texts = [processor.apply_chat_template(list(r.messages), add_generation_prompt=True, tokenize=False) for r in part]
    images = [list(r.images) for r in part]
    return processor(images=images, text=texts, padding=True, return_tensors="pt", add_special_tokens=False)


@contextmanager
def policy_of(size: Size) -> Iterator[TransformersEngine]:
    """The engine over a scaled model; warmed up, so that no first-call cost enters a figure."""
    words = " ".join(q for e in (True, False) for i in range(size.images) for q in questions_of(i, size, entities=e))
    with tempfile.TemporaryDirectory() as folder:
        transformers.utils.logging.disable_progress_bar()
        base = scaled_policy(Path(folder), words.split(), width=size.width, layers=size.layers)
        engine = TransformersEngine.from_pretrained(base, batch_size=size.batch, threads=1)
    picture = Image.new("RGB", (50, 50))
    blocks = [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "Is there ?"}]
    request = GenerateRequest(({"role": "user", "content": blocks},), (picture, picture), 0, 0.0, 1.0, 4)
    engine.generate([request])
    plain(engine, [[request]], 1)
    yield engine


def compare(size: Size, *, entities: bool) -> dict[str, Cost]:
    """Answer the same requests three ways; raises AssertionError when a text differs."""
    with policy_of(size) as engine:
        recorder, shared = repeated(engine, recipe_of(size), size, entities=entities)
        costs = {"engine": shared, "batched": plain(engine, recorder.calls, size.batch)}
        costs["batch 1"] = plain(engine, recorder.calls, 1)
    for name, cost in costs.items():
        differ = sum(a != b for a, b in zip(cost.texts, shared.texts, strict=True))
        assert not differ, f"{name}: {differ} of {len(shared.texts)} texts differ from the engine's"
    return costs


def ratios(costs: dict[str, Cost]) -> dict[str, float]:
    one, many, shared = costs["batch 1"], costs["batched"], costs["engine"]
    return {
        "prefill": one.prefill / shared.prefill,
        "encodes": one.encodes / shared.encodes,
        "cpu batch 1": one.seconds / shared.seconds,
        "cpu batched": many.seconds / shared.seconds,
    }


def show(title: str, costs: dict[str, Cost], targets: dict[str, float]) -> None:
    texts = costs["engine"].texts
    print(f"\n{title}: {len(texts)} responses, {len(set(texts))} distinct, equal in all three")
    print(f"{'':24}{'CPU s':>10}{'prefill tokens':>16}{'image encodes':>15}")
    for name in ("batch 1", "batched", "engine"):
        cost = costs[name]
        print(f"{name:24}{cost.seconds:10.1f}{cost.prefill:16,}{cost.encodes:15,}")
    for name, ratio in ratios(costs).items():
        wanted = f"target {targets[name]:g}: {'met' if ratio >= targets[name] else 'MISSED'}" if name in targets else ""
        print(f"  {name:22}{ratio:10.1f} x  {wanted}".rstrip())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--classes", nargs="*", metavar="NAME", help="of tests/vlms; all where none is named")
    options.add_argument("--quick", action="store_true", help="five questions and a small model: the counts only")
    for name in ("images", "width", "layers", "batch", "questions"):
        options.add_argument(f"--{name}", type=int, default=getattr(Size(), name))
    wanted = options.parse_args()
    chosen = {name: getattr(wanted, name) for name in ("images", "width", "layers", "batch", "questions")}
    size = QUICK if wanted.quick else Size(**chosen)
    torch.set_num_threads(1)
    shape = Geometry()
    print(f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}")
    if wanted.classes is not None:
        from perf.class_walks import show as show_classes  # it needs this file

        return show_classes(wanted.classes)
    print(f"model: Llama of width {size.width}, {size.layers} layers; 1 thread, float32; batch {size.batch}")
    lengths = f"{shape.image} : {shape.template} : {shape.question} : {shape.response}"
    print(f"tokens, one image : template : question : response = {lengths} (576 : 35 : 60 : 100 over 5.76);")
    print(f"  first prompt, two images : response = {shape.prompt / shape.response:.1f}, findings make it longer")
    walked = f"n={size.candidates} candidates, T={size.steps} steps, S={size.samples} look-ahead samples"
    print(f"{walked}; {size.questions} questions per image; images: {size.images}")
    # So small a model spends its time on Python, not on tokens.
    targets = {name: TARGETS[name] for name in ("prefill", "encodes")} if wanted.quick else TARGETS
    fixed = compare(size, entities=False)
    show("fixed hypotheses", fixed, targets)
    show("hypotheses named by each question", compare(size, entities=True), {})
    if missed := [name for name, target in targets.items() if ratios(fixed)[name] < target]:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
