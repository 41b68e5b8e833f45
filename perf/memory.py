"""Models of three sizes on a CPU -> what doctor estimates for a build and for training, the measured peak, their ratio.

`python perf/memory.py` measures each in a fresh process: a run of tiny models loads what is loaded on first use, then
the peak of resident memory over a run of the sized ones is taken, and what was there before it is subtracted. Exits 1
where an estimate is more than 15 % off. glibc is told to give freed memory back at once (MALLOC_MMAP_THRESHOLD_): by
itself it keeps holes between small tensors, up to half as much again at these sizes, and none between those of a 7B.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ALLOWED = 0.15
STAGES = ("build", "train")
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
OFFLINE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}


@dataclass(frozen=True)
class Peak:
    """Bytes: `libraries` were there before the run, `measured` and `estimated` come on top; `seconds` of CPU."""

    stage: str
    size: str
    libraries: int
    measured: int
    estimated: int
    seconds: float

    @property
    def ratio(self) -> float:
        return self.estimated / self.measured

    @property
    def good(self) -> bool:
        return abs(self.ratio - 1) <= ALLOWED


def measure(stage: str, size: str, folder: Path) -> Peak:
    """Measure one stage over one size in a fresh process; `folder` holds what `make_models` saved."""
    words = [sys.executable, __file__, "--child", stage, size, str(folder)]
    done = subprocess.run(words, env=os.environ | OFFLINE | ALLOCATOR, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    return Peak(**json.loads(done.stdout.splitlines()[-1]))


def make_models(folder: Path, sizes: list[str]) -> None:
    """Save policy and two judges of each size, and tiny ones, below `folder`."""
    from perf.sized_models import SIZES, Size, sized_judge, sized_policy

    for name, size in {"tiny": Size(32, 2), **{one: SIZES[one] for one in sizes}}.items():
        sized_policy(folder / name / "policy", size)
        for number in (1, 2):
            sized_judge(folder / name / f"judge-{number}", size, number)


def run_child(stage: str, size: str, folder: Path) -> Peak:
    """Run a stage with tiny models, then with those of `size`, and compare its peak with the estimate."""
    import time

    import torch

    from perf.memory_work import run_build, run_train

    torch.set_num_threads(1)
    run = run_build if stage == "build" else run_train
    with tempfile.TemporaryDirectory() as work:
        run(folder / "tiny", Path(work) / "tiny")
        gc.collect()
        before, started = _status("VmRSS"), time.process_time()
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        run(folder / size, Path(work) / "sized")
        measured, seconds = _status("VmHWM") - before, time.process_time() - started
    return Peak(stage, size, before, measured, _estimate(stage, folder / size), round(seconds, 1))


def _estimate(stage: str, folder: Path) -> int:
    from transformers import AutoTokenizer

    from clincot.runs.doctor.machine import here
    from clincot.runs.doctor.models import models_of
    from clincot.runs.doctor.stages import Plan
    from perf.memory_work import recipe_of, texts_of

    recipe = recipe_of(folder)
    plan = Plan(recipe, models_of(recipe, None), here())
    texts = texts_of(stage, AutoTokenizer.from_pretrained(folder / "policy"))
    need = plan.build(texts) if stage == "build" else plan.train(texts)
    for part in need.parts:
        print(f"  {part.name}{' *' if part.turn else ''}: {part.bytes / 2**20:.0f}", file=sys.stderr)
    return need.at("cpu") - sum(part.bytes for part in need.parts if part.name == "libraries")


def _status(name: str) -> int:
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def main() -> int:
    """Print the table; exits 1 when an estimate is further off than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", nargs=3, metavar=("STAGE", "SIZE", "FOLDER"))
    parser.add_argument("--sizes", nargs="+", default=["50 MB", "200 MB", "600 MB"])
    given = parser.parse_args()
    if given.child:
        stage, size, folder = given.child
        print(json.dumps(vars(run_child(stage, size, Path(folder)))))
        return 0
    found: list[Peak] = []
    print("| stage | policy | estimated, MiB | measured, MiB | estimated / measured | libraries, MiB | CPU s |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        make_models(Path(folder), given.sizes)
        for stage in STAGES:
            for size in given.sizes:
                peak = measure(stage, size, Path(folder))
                found.append(peak)
                mib = [f"{value / 2**20:.0f}" for value in (peak.estimated, peak.measured)]
                row = [*mib, f"{peak.ratio:.2f}", f"{peak.libraries / 2**20:.0f}", f"{peak.seconds:.0f}"]
                print(f"| {stage} | {size} | {' | '.join(row)} |", flush=True)
    return int(not all(peak.good for peak in found))


if __name__ == "__main__":
    sys.exit(main())
