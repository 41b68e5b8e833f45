"""The drawn benchmark and the shipped tiny models -> public repositories of a Hub, like any user's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from clincot.hub import Hub
from clincot.phantom.dataset import phantom_files

DATASET = "clincot/phantom"
DATASETS = {DATASET: 1, f"{DATASET}-v2": 2}  # repository -> version of the world
FOLDER = Path(__file__).parent / "models"
FIRST = ("policy", "grounder", "judge-a", "judge-b")
# Each policy has its own image tower, and so its own similarity.
SECOND = (
    "policy",
    "policy-b",
    "grounder",
    "grounder-worse",
    "critic",
    "judge-a",
    "judge-b",
    "similarity",
    "similarity-b",
)
# Repository -> folder of the shipped weights; a model of version 2 that is not shipped is left out.
MODELS = {f"clincot/phantom-{name}": name for name in FIRST} | {
    f"clincot/phantom-v2-{name}": f"v2/{name}"
    for name in SECOND
    if (FOLDER / "v2" / name / "model.safetensors").is_file()
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
    files = {path.name: path for path in sorted(folder_of(repo).iterdir()) if path.is_file()}
    hub.publish("model", repo, files, tag=None, message="Publish the shipped weights", private=False)


def folder_of(repo: str) -> Path:
    """Return the folder of a shipped model, a key of MODELS."""
    return FOLDER / MODELS[repo]
