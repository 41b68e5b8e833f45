"""A phantom round built by the command line -> its pins: what its rows say, image by image, in a few kilobytes.

Texts, prompts, pairs and crops are kept as hashes, scores as numbers. The rows are read by their published columns, as
a user of the dataset reads them, so that a change inside the package leaves this file alone.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from warm import Program, nursery  # noqa: E402

NAMESPACE, NAME = "pins", "pinned"
SCORE_DIGITS = 6
Rows = dict[str, list[dict[str, Any]]]
Pins = dict[str, Any]


@dataclass(frozen=True)
class PinnedRound:
    """A round of fixed numbers: `train` images are drawn, half of them belong to round 1."""

    name: str
    train: int
    overrides: tuple[str, ...]

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.json"


ROUNDS = {
    "round-64": PinnedRound("round-64", 128, ("build.max_images=64",)),
    # Masked crops and few look-aheads: what the whole round does not do, in seconds.
    "round-8": PinnedRound(
        "round-8", 16, ("build.max_images=8", "build.regions.crop=masked", "method.lookahead.samples=1")
    ),
}


def build(pinned: PinnedRound, folder: Path) -> Path:
    """Draw the phantom, build round 1 below `folder` and return the folder of its dataset's files."""
    sizes = ("--train", str(pinned.train), "--validation", "1", "--test", "1")
    _clincot(folder, "phantom", "draw", "drawn", *sizes, "--push", "--hub", "local:hub")
    sets = [f"--set={override}" for override in pinned.overrides]
    _clincot(folder, "build-data", "--name", NAME, "--hub", "local:hub", "--namespace", NAMESPACE, *sets)
    from clincot.hub import connect

    with connect(f"local:{folder}/runs/{NAME}/store") as store:
        return store.snapshot(store.resolve("dataset", f"{NAMESPACE}/{NAME}-preferences", "round-1"))


def pins_of(dataset: Path) -> Pins:
    """Return the pins of the round in `dataset`, with the machine that they were made on."""
    rows = {
        kind: _rows(dataset / f"round-1{suffix}")
        for kind, suffix in (("pairs", ""), ("candidates", "-candidates"), ("regions", "-regions"))
    }
    return {
        "machine": machine(),
        "counts": {kind: len(found) for kind, found in rows.items()},
        "images": {image: _image_pins(found) for image, found in sorted(_by_image(rows).items())},
    }


def differences(recorded: Pins, made: Pins) -> list[str]:
    """Return one line for each count and each part of an image that differs; scores may differ by rounding."""
    lines = [
        f"{kind}: {count} rows were recorded, {made['counts'][kind]} were made"
        for kind, count in recorded["counts"].items()
        if made["counts"][kind] != count
    ]
    for image in sorted(recorded["images"].keys() | made["images"].keys()):
        before, after = recorded["images"].get(image, {}), made["images"].get(image, {})
        parts = [part for part in (before or after) if not _equal(before.get(part), after.get(part))]
        if parts:
            lines.append(f"{image}: {', '.join(parts)}")
    return lines


def machine() -> dict[str, str]:
    """Return what may change the last digits of a model, and with them a sampled text."""
    import torch
    import transformers

    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "processor": _processor(),
    }


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _clincot(folder: Path, *words: str) -> None:
    env = {"PYTHONPATH": str(FOLDER.parents[1])} | os.environ | {"OMP_NUM_THREADS": "1"}
    done = nursery().run(Program(("clincot", *words), str(folder), env), timeout=3600)
    if done.returncode:
        raise SystemExit(f"clincot {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def _rows(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def _by_image(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(lambda: {kind: [] for kind in rows})
    for kind, several in rows.items():
        for row in several:
            image = row["image_id"] if kind == "regions" else row["example_id"].rpartition("-")[0]
            found[image][kind].append(row)
    return found


def _image_pins(rows: Rows) -> Pins:
    pairs, candidates, regions = rows["pairs"], rows["candidates"], rows["regions"]
    return {
        "texts": _hash((row["id"], row["step"], row["text"], row["findings"], row["lookahead"]) for row in candidates),
        "prompts": _hash((row["id"], row["prompt"], _content(row["images"])) for row in pairs),
        "pairs": _hash(
            (row["id"], row["chosen_candidate"], row["chosen"], row["rejected_candidate"], row["rejected"])
            for row in pairs
        ),
        "crops": _hash(
            [(row["id"], _content(row["side_images"])) for row in pairs]
            + [(row["hypothesis"], row["box"], row["crop_id"]) for row in regions]
        ),
        "scores": [None if row["score"] is None else round(row["score"], SCORE_DIGITS) for row in candidates],
    }


def _content(images: list[dict[str, Any]]) -> list[str]:
    return [sha256(image["bytes"]).hexdigest() for image in images]


def _hash(values: Iterable[object]) -> str:
    return sha256(json.dumps(list(values)).encode()).hexdigest()[:12]


def _equal(one: Any, other: Any) -> bool:
    if not (isinstance(one, list) and isinstance(other, list)):
        return bool(one == other)
    return len(one) == len(other) and all(_near(a, b) for a, b in zip(one, other, strict=True))


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < 1.5 * 10**-SCORE_DIGITS
