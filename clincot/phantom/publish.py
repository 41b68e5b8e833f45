"""The drawn benchmark and the shipped tiny models -> public repositories of a Hub, like any user's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from clincot.hub import Hub
from clincot.phantom.dataset import phantom_files

DATASET = "clincot/phantom"
DATASETS = {DATASET: 1, f"{DATASET}-v2": 2}  # repository -> version of the world
# Repository -> folder of the shipped weights.
MODELS = {f"clincot/phantom-{name}": name for name in ("policy", "grounder", "judge-a", "judge-b")} | {
    f"clincot/phantom-v2-{name}": f"v2/{name}" for name in ("grounder", "grounder-worse", "critic")
}
SEED, TRAIN, VALIDATION, TEST = 0, 400, 100, 200


def supply_dataset(hub: Hub, repo: str, say: Callable[[str], None]) -> None:
    """Publish the default phantom of a version where `repo` is it and `hub` is an embedded one that lacks it."""
    if repo in DATASETS and hub.label.startswith("local:") and not hub.exists("dataset", repo):
        publish_dataset(hub, repo, say)


def publish_dataset(hub: Hub, repo: str, say: Callable[[str], None]) -> None:
    """Draw the default phantom of the version that `repo` holds, and publish it."""
    say(f"drawing {repo} ({TRAIN + VALIDATION + TEST} images) and publishing it to {hub.label}")
    with tempfile.TemporaryDirectory() as folder:
        files = phantom_files(
            Path(folder), seed=SEED, train=TRAIN, validation=VALIDATION, test=TEST, version=DATASETS[repo]
        )
        hub.publish("dataset", repo, files, tag=None, message="Draw the phantom benchmark", private=False)


def publish_model(hub: Hub, repo: str, say: Callable[[str], None]) -> None:
    """Publish one of the shipped models."""
    say(f"publishing {repo} to {hub.label}")
    folder = Path(__file__).parent / "models" / MODELS[repo]
    files = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    hub.publish("model", repo, files, tag=None, message="Publish the shipped weights", private=False)
