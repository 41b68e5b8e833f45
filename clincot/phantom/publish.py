"""The drawn benchmark and the shipped tiny models -> public repositories of a Hub, like any user's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from clincot.hub import Hub
from clincot.phantom.dataset import phantom_files

DATASET = "clincot/phantom"
MODELS = {f"clincot/phantom-{name}": name for name in ("policy", "grounder", "judge-a", "judge-b")}
SEED, TRAIN, VALIDATION, TEST = 0, 400, 100, 200


def supply_dataset(hub: Hub, repo: str, say: Callable[[str], None]) -> None:
    """Publish the default phantom where `repo` is it and `hub` is an embedded one that lacks it."""
    if repo == DATASET and hub.label.startswith("local:") and not hub.exists("dataset", DATASET):
        publish_dataset(hub, say)


def publish_dataset(hub: Hub, say: Callable[[str], None]) -> None:
    """Draw the default phantom and publish it."""
    say(f"drawing {DATASET} ({TRAIN + VALIDATION + TEST} images) and publishing it to {hub.label}")
    with tempfile.TemporaryDirectory() as folder:
        files = phantom_files(Path(folder), seed=SEED, train=TRAIN, validation=VALIDATION, test=TEST)
        hub.publish("dataset", DATASET, files, tag=None, message="Draw the phantom benchmark", private=False)


def publish_model(hub: Hub, repo: str, say: Callable[[str], None]) -> None:
    """Publish one of the shipped models."""
    say(f"publishing {repo} to {hub.label}")
    folder = Path(__file__).parent / "models" / MODELS[repo]
    files = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    hub.publish("model", repo, files, tag=None, message="Publish the shipped weights", private=False)
