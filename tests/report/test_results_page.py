"""The results page: every table in it, marks, changed answers with images, and none of either for closed data."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from clincot.protocols import PROTOCOLS
from clincot.report.results_page import results_page
from clincot.stages.evaluate import Evaluation, PolicyUnderTest, evaluate_policies
from tests.lamps import LampEngine, LampProposer, examples, recipe
from tests.outline import Outline

HOSTILE = '<script>alert("x")</script> <image>\nnext line | cell'


def evaluation(folder: Path) -> Evaluation:
    policies = [PolicyUnderTest("base", "1", LampEngine), PolicyUnderTest("round-1", "2", LampEngine)]
    found = evaluate_policies(recipe(), examples(), examples(), policies, LampProposer, folder)
    changed = [
        replace(p, text=HOSTILE) if (p.policy, p.control, p.example_id) == ("round-1", "", "lamps/0/open") else p
        for p in found.predictions
    ]
    return replace(found, predictions=tuple(changed))


def test_the_page_is_whole_loads_nothing_and_runs_no_model_text(tmp_path: Path) -> None:
    page = results_page(evaluation(tmp_path), examples(), "a <run>")
    outline = Outline("meta", "img")
    outline.feed(page)
    assert outline.open == []
    assert outline.loads and all(load.startswith("data:image/jpeg;base64,") for load in outline.loads)
    assert "<script" not in page and "&lt;script&gt;" in page
    for label in PROTOCOLS:
        assert f"protocol {label}" in page
    assert "black image" in page and "shuffled images" in page and "question prior" in page
    assert re.search(r'class="doubt">\d+\.\d \[.*?°', page)


def test_a_changed_answer_is_shown_with_its_verdict_gold_and_image(tmp_path: Path) -> None:
    page = results_page(evaluation(tmp_path), examples(), "run")
    gallery = page.partition("Changed answers: base · region")[2].partition("<h2>")[0]
    assert "1 lost of 18" in gallery
    assert 'class="card lost"' in gallery and "gold: left" in gallery and "before: left" in gallery


def test_without_examples_there_is_no_image_and_no_gold(tmp_path: Path) -> None:
    page = results_page(evaluation(tmp_path), (), "run")
    assert "<img" not in page and "gold:" not in page
    assert "1 changed of 18" in page  # what changed is known, whether it is right is not said
