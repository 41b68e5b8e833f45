"""Methods in files of their own: a round of each example method, from the command line to the cards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import clincot

from clincot.hub import connect
from clincot.records.lineage import Kind, Lineage

ROOT = Path(__file__).parents[2]
SMALL = (
    *("build.max_images=4", "build.max_questions=3", "train.conditioning=per_side"),
    *("train.dpo.max_steps=1", "train.dpo.per_device_train_batch_size=2"),
)
SELF = (
    *("method=./examples/self_rewarding.py:SelfRewarding", "models.judges=[{kind: policy_itself}]"),
    # The tiny policy writes no digits, and the same text again and again unless it is hot.
    *("build.judging.scoring=yesno", "method.temperature=3", "method.top_p=1"),
)
NOISY = ("method=./examples/noisy_image.py:NoisyImage", "train.margin.kind=none")
NOTHING_OF = (
    *("region", "crop", "heat map", "hypothes", "grounding", "canvas", "chain", "look-ahead", "eq. ", "consensus"),
    *("evaluator", "gamma", "reconstruction"),
)


class Round:
    """A built and trained round of a run `own`, as its store holds it."""

    def __init__(self, folder: Path, hub: Path, *values: str) -> None:
        shutil.copytree(ROOT / "examples", folder / "examples")
        words = ("--name", "own", "--hub", f"local:{hub}", *(f"--set={value}" for value in (*values, *SMALL)))
        for stage in ("build-data", "train"):
            clincot(stage, "--round", "1", *words, cwd=folder)
        self.store = connect(f"local:{folder / 'runs/own/store'}", main=False)

    def rows(self) -> list[dict]:
        pin = self.store.resolve("dataset", "demo/own-preferences", "round-1")
        (file,) = (self.store.snapshot(pin, ["round-1/*"]) / "round-1").glob("*.parquet")
        return pq.read_table(file).to_pylist()

    def card(self, kind: Kind, repo: str) -> str:
        return self.store.read(self.store.resolve(kind, repo, "round-1"), "README.md").decode()

    def close(self) -> None:
        self.store.close()


@pytest.fixture(scope="module")
def self_rewarding(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    made = Round(tmp_path_factory.mktemp("self"), small_hub, *SELF)
    yield made
    made.close()


@pytest.fixture(scope="module")
def noisy_image(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    made = Round(tmp_path_factory.mktemp("noisy"), small_hub, *NOISY)
    yield made
    made.close()


def facts_of(made: Round, kind: Kind, repo: str) -> dict:
    pin = made.store.resolve(kind, repo, "round-1")
    return Lineage.from_json(made.store.read(pin, "rounds/round-1/lineage.json").decode()).facts


@pytest.mark.long  # 20 s; tests/examples runs the same method on the workbench
def test_a_round_of_self_rewarding(self_rewarding: Round) -> None:
    rows = self_rewarding.rows()
    assert rows and all(row["chosen_score"] > row["rejected_score"] for row in rows)
    assert {(len(row["images"]), len(row["side_images"]), row["method"]) for row in rows} == {(1, 0, "self_rewarding")}
    facts = facts_of(self_rewarding, "dataset", "demo/own-preferences")
    assert facts["hypotheses"] == 0 and facts["rated"]["with_reference"] == 0
    dataset, adapter = self_rewarding.card("dataset", "demo/own-preferences"), self_rewarding.card("model", "demo/own")
    for card in (dataset, adapter):
        assert "Self-Rewarding-style, arXiv 2401.10020" in card
        assert [word for word in NOTHING_OF if word in card.lower()] == []
    assert "wrote 4 texts to each question (temperature 3, top-p 1) and rated them itself" in dataset
    assert "`policy_itself`, context `blind`: it did not see the reference answer" in dataset
    assert "DPO with a margin from the pairs' scores" in adapter
    assert facts_of(self_rewarding, "model", "demo/own")["steps"] == 1


def test_a_round_against_a_noised_image(noisy_image: Round) -> None:
    rows = noisy_image.rows()
    assert rows and {(len(row["images"]), len(row["side_images"])) for row in rows} == {(1, 0)}
    assert {row["chosen_score"] for row in rows} | {row["ref_rejected_logp"] for row in rows} == {None}
    facts = facts_of(noisy_image, "dataset", "demo/own-preferences")
    assert facts["candidate_views"] == {"diffusion noise": facts["candidate_sources"]["policy"]}
    dataset, adapter = noisy_image.card("dataset", "demo/own-preferences"), noisy_image.card("model", "demo/own")
    for card in (dataset, adapter):
        assert "POVID-style (stage 2, offline), arXiv 2402.11411" in card
        assert [word for word in (*NOTHING_OF, "judge", "score", "rated") if word in card.lower()] == []
    assert "at step 500 of 1,000 of POVID's schedule" in dataset
    assert "| gold 12, policy 12 | diffusion noise: 12 |" in dataset
    assert "The code of the method of round-1, `noisy_image.py:NoisyImage`, is not part of this repository." in dataset
    assert "DPO without a margin" in adapter
    assert facts_of(noisy_image, "model", "demo/own")["steps"] == 1
