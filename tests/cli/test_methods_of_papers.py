"""A round of each method with a recipe, built and trained on a small phantom in one process: its rows and its cards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FEW = (
    *("rounds=1", "build.max_images=4", "build.max_questions=3", "build.shard_images=2"),
    *("train.dpo.max_steps=1", "train.dpo.per_device_train_batch_size=2"),
)
SIMILAR = ("models.similarity.repo=clincot/phantom-clip",)
MORE = {"fisao": (*SIMILAR, "method.span=0.0001"), "uv-cot": ("method.min_gap=0", "method.samples=6")}
SHOWN = {  # images that both sides share, and those of each side
    "copo": {(0, 2)},
    "fisao": {(1, 0)},
    "mdpo": {(1, 0), (0, 2)},
    "mmedpo": {(1, 0), (0, 2)},
    "povid": {(1, 0)},
    "povid-lite": {(1, 0)},
    "povid-stage-2": {(1, 0)},
    "uv-cot": {(1, 0), (2, 0)},
}
SAID = {
    "copo": "a random crop of at most 20% of the image",
    "fisao": "Tokens of words that match the image count up to 2 times",
    "mdpo": "up to 3 places",
    "mmedpo": "normalised over the round",
    "povid": "a version of it that an editor made wrong",
    "povid-lite": "at step 500 of 1,000",
    "povid-stage-2": "a version of it that an editor made wrong",
    "uv-cot": "wrote 6 boxes",
}
TRAINED = {
    "copo": "DPO of each kind of pair that the round has (two texts, or one text with two images);",
    "fisao": "DPO of weighted tokens;",
    "mdpo": "two images) + 1 × the anchor of the preferred text (delta 0);",
    "povid-stage-2": "0.5 × DPO of the pair + 0.5 × DPO of the preferred text against the likeliest tokens under noise",
}
SCRIPT = """
import json, sys
import clincot
from clincot.hub import connect
hub, few, more = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
found = {}
for name in json.loads(sys.argv[4]):
    recipe = clincot.load_recipe(name, "phantom", overrides=[*few, *more.get(name, ())])
    run = clincot.open_run(recipe, name=name, hub=hub)
    if name == "fisao":
        from tests.methods.phantom_clip import put_clip
        put_clip(run.target)
    data = clincot.build(run, 1)
    adapter = clincot.train(run, 1)
    rows = data.load("pairs").remove_columns(["images", "side_images"]).to_list()
    counts = data.load("pairs").with_format("arrow")[:]
    shown = [[len(row) for row in counts[column].to_pylist()] for column in ("images", "side_images")]
    cards = [run.store.read(made.release.pin, "README.md").decode() for made in (data, adapter)]
    found[name] = {"rows": rows, "shown": list(zip(*shown)), "cards": cards, "facts": adapter.release.lineage.facts}
print(json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def made(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("methods")
    words = (f"local:{small_hub}", json.dumps(FEW), json.dumps(MORE), json.dumps(sorted(SHOWN)))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], cwd=folder, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long  # 60 s of one CPU for all methods; tests/methods has each of them on drawn lamps
@pytest.mark.parametrize("recipe", sorted(SHOWN))
def test_a_round_of_a_method(recipe: str, made: dict[str, dict]) -> None:
    one = made[recipe]
    assert one["rows"] and {tuple(shown) for shown in one["shown"]} <= SHOWN[recipe]
    assert one["facts"]["steps"] == 1 and one["facts"]["final_loss"] > 0
    dataset, adapter = one["cards"]
    for card in one["cards"]:
        assert "-style" in card and "reconstruction" not in card
    assert SAID[recipe] in dataset and "look-ahead (Eq. 3)" not in dataset
    assert TRAINED.get(recipe, "DPO with") in adapter
    trained = "projector trained at a rate of 2e-05" in adapter
    assert trained == (recipe in ("mmedpo", "povid", "povid-lite", "povid-stage-2"))
