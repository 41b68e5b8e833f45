"""A number of questions, three of them too long -> seconds and memory of the check of lengths before a build.

    python perf/lengths.py [QUESTIONS]

The phantom's own policy and judges; no weights are read, no image is decoded.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import clincot
from clincot import engines, judges, methods
from clincot.recipe import load_recipe
from clincot.records import Example
from clincot.stages.sample.lengths import Rooms, check_lengths

MODELS = Path(clincot.__file__).parent / "phantom/models"
MEGABYTE = 1024  # of ru_maxrss, which counts kB on Linux


def question(number: int) -> Example:
    """Return a question of ordinary length with a report of 90 words as its reference; three of all are too long."""
    text = f"Is there a nodule of more than {number} mm in the left upper lobe of the lung on this radiograph?"
    reference = "The heart size is normal. No effusion is seen. " * 10
    if number in (1_000, 2_000):
        text = f"{text} {'word ' * 3000}"
    if number == 3_000:
        reference = "word " * 3000
    return Example(f"q{number}", f"i{number // 10}", b"", text, "yes", "closed", "k", "phantom", reference)


def main() -> None:
    """Print the figures as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    examples = [question(number) for number in range(count)]
    started = time.monotonic()
    policy = engines.open_room("transformers", MODELS / "policy")
    rooms = [judges.open_room("causal_lm", MODELS / f"judge-{name}", policy, "expected") for name in "ab"]
    opened, before = time.monotonic(), _peak()
    recipe, found_rooms = load_recipe(), Rooms(policy, tuple(room for room in rooms if room is not None))
    found = check_lengths(recipe, methods.of_recipe(recipe), examples, found_rooms)
    ended = time.monotonic()
    figures = {
        "questions": count,
        "dropped": found,
        "seconds_to_open": round(opened - started, 2),
        "seconds_to_check": round(ended - opened, 2),
        "more_megabytes": round(_peak() - before, 1),
    }
    print(json.dumps(figures, indent=2))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


if __name__ == "__main__":
    main()
