"""Questions about images -> CPU time of an evaluation grouped by image and batched, against one question at a time.

Run as `python perf/evaluation.py`: a constructed workload of ten questions per image, with the token proportions of a
7B LLaVA. `--vqa-rad FOLDER` (the official release) asks the embedded tiny policy about real images, 2.2 questions each.
Every text must be equal both ways.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import transformers

from clincot.benchmarks import load as load_benchmark
from clincot.benchmarks.vqa_rad_release import vqa_rad_files
from clincot.engines.transformers import TransformersEngine
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.regions.base import Proposer
from clincot.regions.query_grounder import QueryGrounder
from clincot.stages.evaluate import PolicyUnderTest, evaluate_policies
from perf.scaled_chain import Size, Squares, examples_of, questions_of, recipe_of
from perf.scaled_policy import Geometry, scaled_policy

TARGET = 5.0
ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "clincot" / "phantom" / "models"
Answers = dict[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the process, prompt tokens read and images encoded for all answers of one row."""

    seconds: float
    prefill: int
    encodes: int
    answers: Answers


def evaluated(
    base: Path, recipe: Recipe, asked: Sequence[Example], proposer: Callable[[], Proposer], *, batch: int, share: bool
) -> Cost:
    """Answer `asked` as the stage does, with nothing stored; loading the model does not count."""
    engine = TransformersEngine.from_pretrained(base, batch_size=batch, threads=1, share=share)
    before = (engine.counters.prefill_tokens, engine.counters.vision_encodes)
    policy = PolicyUnderTest("base", "1", lambda: engine)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        found = evaluate_policies(recipe, asked, [], [policy], proposer, Path(folder))
        seconds = time.process_time() - started
    after = (engine.counters.prefill_tokens, engine.counters.vision_encodes)
    answers = {(p.example_id, p.inference): (*p.findings, p.text) for p in found.predictions}
    return Cost(seconds, after[0] - before[0], after[1] - before[1], answers)


def compare(
    title: str, base: Path, recipe: Recipe, asked: Sequence[Example], proposer: Callable[[], Proposer]
) -> float:
    """Print both ways for each inference; return the least ratio. Raises AssertionError when a text differs."""
    ratios = []
    images = len({example.image_id for example in asked})
    print(f"\n{title}: {len(asked)} questions about {images} images")
    print(f"{'':10}{'':22}{'CPU s':>9}{'prompt tokens':>15}{'image encodes':>15}")
    for inference in ("direct", "region"):
        one_way = replace(recipe, evaluate=replace(recipe.evaluate, inference=(inference,)))
        alone = replace(one_way, build=replace(one_way.build, shard_images=1))
        grouped = evaluated(base, one_way, asked, proposer, batch=recipe.evaluate.batch_size, share=True)
        single = evaluated(base, alone, asked, proposer, batch=1, share=False)
        differ = sum(single.answers[key] != text for key, text in grouped.answers.items())
        assert not differ and len(single.answers) == len(asked), f"{inference}: {differ} answers differ"
        for name, cost in (("grouped, batched", grouped), ("one by one", single)):
            print(f"{inference:10}{name:22}{cost.seconds:9.1f}{cost.prefill:15,}{cost.encodes:15,}")
        ratios.append(single.seconds / grouped.seconds)
        distinct = len(set(grouped.answers.values()))
        print(f"{inference:10}{ratios[-1]:.1f} times less CPU; {distinct} distinct answers, all equal both ways")
    return min(ratios)


def constructed(size: Size, folder: Path) -> float:
    """Each question names a finding; an image's first five are looked for, so its questions look at five regions."""
    words = [word for i in range(size.images) for q in questions_of(i, size, entities=True) for word in q.split()]
    base = scaled_policy(folder, words, width=size.width, layers=size.layers)
    recipe = recipe_of(size)
    tokens = Geometry().response
    asked = replace(
        recipe.evaluate,
        controls=(),
        resamples=10,
        max_new_tokens=tokens,
        report_tokens=tokens,
        batch_size=size.batch,
        max_images=0,
        steps=2,
    )
    recipe = replace(recipe, evaluate=asked, build=replace(recipe.build, shard_images=size.images))
    asked_about = [replace(e, image_id=e.image_id.split("-")[0]) for e in examples_of(size, entities=True)]
    evaluated(base, recipe, asked_about[:1], lambda: Squares(), batch=1, share=True)  # first calls cost imports
    return compare("constructed", base, recipe, asked_about, lambda: Squares())


def vqa_rad(release: Path, folder: Path, images: int) -> float:
    """The real test split, or its first `images` images, with the embedded policy and grounder."""
    for path, local in vqa_rad_files(release, folder / "files").items():
        (folder / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        Path(local).rename(folder / "copy" / path)
    every = load_benchmark("vqa-rad").examples(folder / "copy", "test")
    kept = set(islice(dict.fromkeys(e.image_id for e in every), images or None))
    asked = [example for example in every if example.image_id in kept]
    recipe = load_recipe("clincot", "phantom", benchmark="vqa-rad")
    own = replace(recipe.evaluate, controls=(), resamples=10, max_images=0)
    recipe = replace(recipe, evaluate=own)
    return compare(
        "VQA-RAD test", MODELS / "policy", recipe, asked, lambda: QueryGrounder.from_pretrained(MODELS / "grounder")
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("images", "width", "layers", "batch", "questions"):
        options.add_argument(f"--{name}", type=int, default=getattr(Size(images=8), name))
    options.add_argument("--vqa-rad", type=Path, help="folder of the official release")
    options.add_argument("--rad-images", type=int, default=0, help="only the first images of its test split")
    wanted = options.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(f"Python {platform.python_version()}, {versions}, 1 thread")
    chosen = {name: getattr(wanted, name) for name in ("images", "width", "layers", "batch", "questions")}
    with tempfile.TemporaryDirectory() as folder:
        ratio = constructed(Size(**chosen), Path(folder))
    print(f"target {TARGET:g}: {'met' if ratio >= TARGET else 'MISSED'}")
    if wanted.vqa_rad:
        with tempfile.TemporaryDirectory() as folder:
            vqa_rad(wanted.vqa_rad, Path(folder), wanted.rad_images)
    if ratio < TARGET:
        sys.exit("missed")


if __name__ == "__main__":
    main()
