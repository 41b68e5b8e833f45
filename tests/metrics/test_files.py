"""Every metric file through `evaluate`'s own loader, as a user or a Space would load it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from clincot.errors import ClincotError
from clincot.metrics import METRICS, SCORES, load, load_score
from tests.metrics.inputs import GROUNDING, LOWER_IS_BETTER, runnable

TEXTS = ["yes there is a large effusion on the left"]
BOXES = [[0, 0, 4, 4]]


@pytest.fixture(scope="module", autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_EVALUATE_OFFLINE", "1")
        patch.setenv("HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
        yield


def perfect(name: str) -> dict[str, Any]:
    if name == "calibration":
        return {"predictions": [1.0], "references": ["yes"]}
    if name in GROUNDING:
        return {"predictions": BOXES, "references": [BOXES]}
    return {"predictions": TEXTS, "references": TEXTS}


@pytest.mark.parametrize("name", METRICS)
def test_each_file_loads_by_its_path_and_names_its_formula_and_source(name: str, tmp_path: Path) -> None:
    evaluate = import_module("evaluate")
    path = import_module(METRICS[name].split(":")[0]).__file__
    metric = evaluate.load(path, cache_dir=str(tmp_path))
    assert len(metric.description) > 40
    assert metric.citation
    assert "predictions" in metric.inputs_description
    if name in runnable([name]):
        expected = 0.0 if name in LOWER_IS_BETTER else 1.0
        values = metric.compute(**perfect(name))
        about = {key: value for key, value in values.items() if key not in ("closed_yesno_accuracy", "unparsed")}
        assert about == pytest.approx(dict.fromkeys(about, expected), abs=0.01)


@pytest.mark.parametrize("name", runnable(METRICS))
def test_each_metric_takes_no_examples_at_all(name: str) -> None:
    assert set(load(name).compute(predictions=[], references=[]).values()) == {0.0}


def test_all_text_metrics_combine_without_a_clash_of_names() -> None:
    evaluate = import_module("evaluate")
    names = [name for name in runnable(METRICS) if name not in (*GROUNDING, "calibration")]
    result = evaluate.combine([load(name) for name in names]).compute(predictions=["abnormal"], references=["no"])
    assert {"open_precision", "bleu_individual_mean", "rougeL_coco", "chexpert_micro_f1"} <= set(result)
    assert not [key for key in result if "Metric" in key or key[0].isupper()]
    assert result["closed_accuracy"] == 0.0
    assert result["unparsed"] == 1.0


def test_metrics_take_rules_tokens_and_masks() -> None:
    assert load("closed_accuracy").compute(predictions=["abnormal"], references=["no"], rule="llava-med-v1") == {
        "closed_accuracy": 1.0,
        "closed_yesno_accuracy": 1.0,
        "closed_other_accuracy": 0.0,
        "unparsed": 1.0,
    }
    said, wanted = ["No effusion."], ["no effusion ."]
    assert load("bleu").compute(predictions=said, references=wanted, tokens="r2gen-clean")["bleu1"] == 1.0
    assert load("bleu").compute(predictions=said, references=wanted, tokens="whitespace")["bleu1"] == 0.0
    mask = [[0, 1], [0, 1]]
    assert load("lesion_share").compute(predictions=[[1, 0, 2, 1]], references=[mask], truth="mask") == {
        "lesion_share": 0.5
    }


def test_metrics_of_different_options_combine_and_an_unknown_option_is_refused() -> None:
    evaluate = import_module("evaluate")
    texts = {"predictions": ["No effusion."], "references": ["no effusion ."]}
    some = [load(name) for name in ("bleu", "meteor", "closed_accuracy", "chexpert_f1")]
    both = evaluate.combine(some).compute(**texts, tokens="whitespace")
    assert both["bleu1"] == load("bleu").compute(**texts, tokens="whitespace")["bleu1"] == 0.0
    assert both["chexpert_micro_f1"] == load("chexpert_f1").compute(**texts)["chexpert_micro_f1"]
    alone = evaluate.combine(some).compute(**texts, meteor_tokens="whitespace", closed_accuracy_rule="lmms-eval")
    assert alone["bleu1"] == 1.0 and alone["meteor"] == both["meteor"] and alone["closed_accuracy"] == 1.0
    with pytest.raises(ClincotError, match="Did you mean 'tokens'"):
        load("bleu").compute(**texts, token="whitespace")


@pytest.mark.parametrize("name", ["bleu", "rougeL", "open_recall", "chexpert_f1"])
def test_several_references_a_row_are_refused_by_name(name: str) -> None:
    with pytest.raises(ClincotError, match="references, row 1: holds 2 texts. Give one text a row"):
        load(name).compute(predictions=["a", "b"], references=["a", ["b", "c"]])


@pytest.mark.parametrize(
    "text",
    [
        "心脏大小正常，双肺清晰。",
        "Сердце не увеличено, лёгкие чистые.",
        "القلب طبيعي والرئتان صافيتان",
        "हृदय का आकार सामान्य है और फेफड़े साफ हैं",
    ],
)
def test_reports_in_any_script_are_not_silently_zero(text: str) -> None:
    for name in ("rougeL", "rougeL_coco", "bleu", "meteor", "open_recall", "open_f1"):
        values = load(name).compute(predictions=[f"**{text}**"], references=[text])
        assert min(values.values()) > 0.98, name
    half = text[: len(text) // 2]
    assert 0.4 < load("rougeL").compute(predictions=[half], references=[text])["rougeL"] < 0.9


@pytest.mark.parametrize("name", runnable(SCORES))
def test_every_score_of_a_protocol_resolves(name: str) -> None:
    assert load_score(name).of([], []) == 0.0


def test_every_metric_and_score_stands_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    families = {re.sub(r"(?<=bleu)[1-4]$|(?<=_)([1-4]|mean)$", "", name) for name in SCORES}
    assert not [name for name in (*METRICS, *families) if f"`{name}" not in guide]


def test_an_unknown_metric_is_refused_with_a_near_name() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'open_recall'"):
        load("open_recal")
