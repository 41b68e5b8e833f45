"""Every metric file through `evaluate`'s own loader, as a user or a Space would load it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from clincot.errors import ClincotError
from clincot.metrics import METRICS, SCORES, load, load_score

KEYS = {"bleu": "bleu_mean"}


@pytest.fixture(scope="module", autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_EVALUATE_OFFLINE", "1")
        patch.setenv("HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
        yield


@pytest.mark.parametrize("name", METRICS)
def test_each_file_loads_by_its_path_and_scores_a_perfect_answer_one(name: str, tmp_path: Path) -> None:
    evaluate = import_module("evaluate")
    path = import_module(METRICS[name].split(":")[0]).__file__
    metric = evaluate.load(path, cache_dir=str(tmp_path))
    texts = ["yes there is a large effusion on the left"]
    result = metric.compute(predictions=texts, references=texts)
    assert result[KEYS.get(name, name)] == pytest.approx(1.0, abs=0.01)


def test_metrics_combine_and_take_rules(tmp_path: Path) -> None:
    evaluate = import_module("evaluate")
    both = evaluate.combine([load("open_recall"), load("closed_accuracy")])
    result = both.compute(predictions=["abnormal"], references=["no"])
    assert result["closed_accuracy"] == 0.0
    assert result["unparsed"] == 1.0
    assert load("closed_accuracy").compute(predictions=["abnormal"], references=["no"], rule="llava-med-v1") == {
        "closed_accuracy": 1.0,
        "closed_yesno_accuracy": 1.0,
        "closed_other_accuracy": 0.0,
        "unparsed": 1.0,
    }


def test_every_score_resolves_and_stays_between_zero_and_one() -> None:
    for name in SCORES:
        for said in ("", "x" * 10_000, "Ünïcode \u202e ﷽", ". , ; yes no"):
            assert 0.0 <= load_score(name).of([said], ["no effusion"]) <= 1.0


def test_an_unknown_metric_is_refused_with_a_near_name() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'open_recall'"):
        load("open_recal")
