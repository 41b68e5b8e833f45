"""Intervals against a bootstrap written out as a loop, corpus metrics recomputed per resample, images kept together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clincot.chain.hypotheses import BY_MODALITY
from clincot.images import encode_png
from clincot.metrics import load_score
from clincot.protocols import CLINCOT_V1
from clincot.records import AnswerType, Box, Example, TrueRegion
from clincot.regions.annotated import shows
from clincot.stages.evaluate.grounding import grounding_terms
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import Resampling, Row, Scoring
from clincot.stages.evaluate.tables import cell, difference


def example(i: int, image: str, answer: str, kind: AnswerType) -> Example:
    return Example(f"e{i}", image, b"", "question?", answer, kind, "kind", "other", answer)


def predictions(examples: list[Example], texts: list[str]) -> list[Prediction]:
    return [
        Prediction(e.id, e.image_id, "base", "direct", text, (), None, None)
        for e, text in zip(examples, texts, strict=True)
    ]


def test_questions_of_one_image_are_drawn_together() -> None:
    examples = [example(i, f"image {i // 10}", "yes", "closed") for i in range(20)]
    texts = ["yes"] * 10 + ["no"] * 10
    row = Row("base", "direct")
    results = Scoring(CLINCOT_V1, examples, 500, 0).results("test", {row: predictions(examples, texts)})
    accuracy = next(r for r in results if r.metric == "closed_accuracy")
    # 20 independent questions would give about .3 to .7; two images give all, half or nothing.
    assert (accuracy.value, accuracy.low, accuracy.high, accuracy.n) == (0.5, 0.0, 1.0, 20)


@pytest.mark.parametrize(("metric", "kind"), [("bleu_mean", "report"), ("open_recall", "open")])
def test_every_resample_equals_the_metric_computed_on_the_drawn_questions(metric: str, kind: AnswerType) -> None:
    golds = ["the lungs are clear", "no effusion is seen", "the heart is large and the lungs are clear", "no lesion"]
    texts = ["the lungs are clear .", "a small effusion is seen", "the heart is large", "no lesion in the left lung"]
    examples = [example(i, f"image {i % 3}", gold, kind) for i, gold in enumerate(golds)]
    score = load_score(metric)
    resampling = Resampling.of(examples, 20, seed=1)
    terms = [(e, score.terms(text, e.answer)) for e, text in zip(examples, texts, strict=True)]
    scored = resampling.score(terms, score)
    assert scored is not None
    assert scored.value == pytest.approx(score.of(texts, golds))
    for counts, draw in zip(resampling.counts, scored.draws, strict=True):
        drawn = [
            (text, e.answer)
            for e, text in zip(examples, texts, strict=True)
            for _ in range(int(counts[resampling.images[e.image_id]]))
        ]
        assert draw == pytest.approx(score.of(*zip(*drawn, strict=True)))


def test_a_resample_without_a_report_has_no_value_instead_of_a_zero() -> None:
    texts = ["no effusion is seen", "the heart is large"]
    examples = [example(i, f"image {i}", text, "report") for i, text in enumerate(texts)]
    examples += [example(2 + i, f"image {2 + i}", "yes", "closed") for i in range(3)]
    score = load_score("bleu_mean")
    resampling = Resampling.of(examples, 50, seed=0)
    terms = [(one, score.terms(one.answer, one.answer)) for one in examples[:2]]
    scored = resampling.score(terms, score)
    assert scored is not None
    drawn = resampling.counts[:, :2].any(1)
    assert 0 < drawn.sum() < 50
    assert np.isnan(scored.draws[~drawn]).all() and (scored.draws[drawn] == 1.0).all()
    assert scored.interval() == (1.0, 1.0)
    alone = resampling.score(terms[:1], score)  # one image says nothing of others, however often it is drawn
    assert alone is not None and alone.value == 1.0 and np.isnan(alone.interval()).all()


def test_a_difference_of_one_image_is_not_shown() -> None:
    examples = [example(0, "a", "yes", "closed"), example(1, "b", "left", "open")]
    rows = {
        Row(name, "direct"): predictions(examples, [text, "left"]) for name, text in (("base", "no"), ("new", "yes"))
    }
    found = Scoring(CLINCOT_V1, examples, 50, 0).comparisons(
        rows, [(Row("new", "direct"), Row("base", "direct"), "base")]
    )
    closed = next(one for one in found if one.metric == "closed_accuracy")
    assert closed.value == 1.0 and closed.undecided and difference(closed) == "+100.0 [–]°"
    results = Scoring(CLINCOT_V1, examples, 50, 0).results("test", rows)
    assert {cell(one) for one in results if one.metric == "closed_accuracy"} == {"0.0 [–]", "100.0 [–]"}


def test_the_interval_agrees_with_a_bootstrap_written_as_a_loop() -> None:
    generator = np.random.default_rng(0)
    examples = [example(i, f"image {i % 40}", "yes", "closed") for i in range(120)]
    texts = ["yes" if generator.random() < 0.7 else "no" for _ in examples]
    row = Row("base", "direct")
    results = Scoring(CLINCOT_V1, examples, 4000, 0).results("test", {row: predictions(examples, texts)})
    accuracy = next(r for r in results if r.metric == "closed_accuracy")
    hits = np.array([text == "yes" for text in texts]).reshape(3, 40)
    draws = [hits[:, generator.integers(0, 40, 40)].mean() for _ in range(4000)]
    assert (accuracy.low, accuracy.high) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.015)


def test_a_difference_is_computed_on_the_same_resamples() -> None:
    examples = [example(i, f"image {i}", "yes", "closed") for i in range(8)]
    texts = ["yes", "no"] * 4
    rows = {Row(name, "direct"): predictions(examples, texts) for name in ("base", "round-1")}
    pair = (Row("round-1", "direct"), Row("base", "direct"), "base")
    found = Scoring(CLINCOT_V1, examples, 200, 0).comparisons(rows, [pair])
    accuracy = next(c for c in found if c.metric == "closed_accuracy")
    # Each row alone has an interval of about .1 to .9; equal answers differ in no resample.
    assert (accuracy.value, accuracy.low, accuracy.high) == (0.0, 0.0, 0.0)


def test_the_same_seed_gives_the_same_interval_and_golds_narrow_the_closed_rows() -> None:
    examples = [example(0, "a", "yes", "closed"), example(1, "b", "left", "closed"), example(2, "c", "no", "closed")]
    rows = {Row("base", "direct"): predictions(examples, ["yes", "right", "maybe"])}
    once, twice = (Scoring(CLINCOT_V1, examples, 50, 3).results("test", rows) for _ in range(2))
    assert str(once) == str(twice)  # nan, of one image, equals nothing
    values = {r.metric: (r.value, r.n) for r in once if not r.subgroup}
    assert values["closed_yesno_accuracy"] == (0.5, 2)
    assert values["closed_other_accuracy"] == (0.0, 1)
    assert values["closed_unparsed"] == (0.5, 2)
    assert "open_recall" not in values


def test_grounding_counts_the_boxes_whose_hypothesis_the_benchmark_knows() -> None:
    truth = (TrueRegion("Nodule", Box(0, 0, 10, 10)), TrueRegion("effusion", Box(50, 50, 60, 60)))
    examples = [replace(example(i, f"image {i}", "yes", "closed"), true_regions=truth) for i in range(5)]
    looked = [("nodule", Box(0, 0, 10, 10)), ("nodule", Box(40, 40, 70, 70)), ("mass", Box(0, 0, 5, 5)), (None, None)]
    row = Row("base", "region")
    made = [
        replace(p, inference="region", hypothesis=name, box=box)
        for p, (name, box) in zip(predictions(examples[:4], ["yes"] * 4), looked, strict=True)
    ]
    dark = [replace(p, control="black_image") for p in made]
    rows = {row: made, Row("base", "region", "black_image"): dark}
    found = {(r.metric, r.control): r for r in Scoring(CLINCOT_V1, examples, 50, 0).results("test", rows)}
    for metric, value in {"pointing_game": 0.5, "region_iou": 0.5, "lesion_share": 0.5}.items():
        assert (found[metric, ""].value, found[metric, ""].n) == (value, 2)
        assert (metric, "black_image") not in found


def test_an_annotation_shows_what_its_words_name_as_for_the_annotated_proposer() -> None:
    truth = (TrueRegion("Left Lung", Box(0, 0, 10, 10)), TrueRegion("Liver Cancer", Box(50, 50, 60, 60)))
    known = replace(example(0, "image 0", "yes", "closed"), true_regions=truth)
    hits = {
        name: grounding_terms(
            "pointing_game", Prediction("e0", "image 0", "base", "region", "yes", (), name, box), known
        )
        for name, box in {"lung": truth[0].box, "lesion": truth[1].box, "liver": truth[1].box}.items()
    }
    assert hits == {"lung": (1.0, 1.0), "lesion": (1.0, 1.0), "liver": None}
    drawn = BY_MODALITY["phantom"]  # whose names stand for themselves alone
    assert all(shows(a, b) == (a == b) for a in drawn for b in drawn)


def test_a_region_with_a_mask_is_measured_by_its_pixels() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[0:10, 0:2] = 255  # a fifth of its box
    region = TrueRegion("nodule", Box(0, 0, 10, 10), encode_png(Image.fromarray(mask, "L")))
    known = replace(example(0, "image 0", "yes", "closed"), true_regions=(region,))
    looked = Prediction("e0", "image 0", "base", "region", "yes", (), "Nodule", Box(0, 0, 4, 5))
    half = grounding_terms("lesion_share", looked, known)
    assert half == (0.5, 1.0) and grounding_terms("pointing_game", looked, known) == (0.0, 1.0)
    assert grounding_terms("region_iou", looked, known) == (10 / 30, 1.0)
    boxed = replace(known, true_regions=(replace(region, mask=None),))
    assert grounding_terms("lesion_share", looked, boxed) == (0.2, 1.0)
