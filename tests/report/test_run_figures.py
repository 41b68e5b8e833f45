"""Figures of a run: what they count, on rows with ties, contradicting judges and values that are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from clincot.images import decode, encode_png
from clincot.records import Box, Example, TrueRegion
from clincot.records.lineage import Lineage, OwnPin, Pin, Stage
from clincot.report.figures.drawing import Label
from clincot.report.figures.figure import Figure, Missing, Section, Shown
from clincot.report.run import agreement, chain, curves, findings, lesions, lineage, pairs
from clincot.stages.evaluate import Prediction
from clincot.stages.evaluate.inference import Looked
from clincot.stages.evaluate.probes import Flip


def drawn(section: Section) -> Figure:
    assert isinstance(section, Figure), section
    return section


def rating(name: str, *own: float | None) -> dict[str, Any]:
    judges = [{"judge": f"me/{judge}", "own": score} for judge, score in zip("ab", own, strict=False)]
    return {"id": name, "judge_scores": judges}


def test_judges_are_compared_on_the_texts_that_both_rated() -> None:
    rows = [
        rating("1", 0.1, 0.9),
        rating("2", 0.1, 0.9),
        rating("3", 0.9, 0.1),
        rating("4", 0.5, None),
        rating("5", 0.2),
    ]
    figure = drawn(agreement.agreement_figure({"round-1": rows}))
    assert [row[3:] for row in figure.rows] == [(0.1, 0.9, 2), (0.9, 0.1, 1)]
    assert "correlation -1.00, of the ranks -1.00, on 3 texts" in figure.notes[1]
    one_sided = drawn(agreement.agreement_figure({"round-1": [rating("1", 0.5, 0.1), rating("2", 0.5, 0.9)]}))
    assert "no correlation" in one_sided.notes[1]
    assert isinstance(agreement.agreement_figure({"round-1": [rating("1", 0.5)]}), Missing)


def test_the_ranks_of_ties_are_shared() -> None:
    xs, ys = [0.1, 0.1, 0.5, 0.9], [0.2, 0.4, 0.4, 0.8]
    assert agreement._ranks(xs) == [1.5, 1.5, 3.0, 4.0]
    assert agreement.correlation(xs, ys) == pytest.approx(np.corrcoef(xs, ys)[0, 1])


def test_one_model_in_two_judges_is_two_judges() -> None:
    rows = [{"id": "1", "judge_scores": [{"judge": "me/a", "own": 0.1}, {"judge": "me/a", "own": 0.9}]}]
    assert agreement.own_scores(rows) == {"me/a": {"1": 0.1}, "me/a (2)": {"1": 0.9}}


def pair(chosen: str, rejected: str, *scores: float | None) -> dict[str, Any]:
    return {"chosen": chosen, "rejected": rejected, "chosen_score": scores[0], "rejected_score": scores[1]}


ROWS = {"round-1": [pair("yes", "no, none", 0.9, 0.1), pair("yes", "no", 0.55, 0.5), pair("a b c", "a", None, None)]}


def test_margins_scores_and_lengths_count_every_pair_once() -> None:
    figure = drawn(pairs.margins_figure(ROWS))
    assert [row[1] for row in figure.rows if row[3]] == pytest.approx([0.05, 0.8]) and "round-1 2" in figure.notes[0]
    sides = {
        side: sum(int(row[4] or 0) for row in drawn(pairs.scores_figure(ROWS)).rows if row[1] == side)
        for side in pairs.SIDES
    }
    assert sides == {"chosen": 2, "rejected": 2}
    lengths = drawn(pairs.lengths_figure(ROWS))
    assert [row[1:] for row in lengths.rows if row[4]] == [
        ("chosen", 1.0, 2.0, 2),
        ("chosen", 3.0, 4.0, 1),
        ("rejected", 1.0, 2.0, 2),
        ("rejected", 2.0, 3.0, 1),
    ]
    assert isinstance(pairs.margins_figure({"round-1": [pair("a", "b", None, None)]}), Missing)


def test_drops_of_building_and_of_training_are_told_apart() -> None:
    built = {"round-1": {"drops": {"steps without a pair": 3, "cut": 0}, "pairs": 7}}
    figure = drawn(pairs.drops_figure(built, {"round-1": {"dropped_pairs": {"odd": 2}}}))
    assert figure.rows == (("steps without a pair", "round-1", 3), ("pairs not trained on: odd", "round-1", 2))
    assert isinstance(pairs.drops_figure({"round-1": {"drops": {}}}, {}), Missing)


def test_the_log_of_a_trainer_is_stored_without_speeds_and_read_back() -> None:
    logs = [
        {"loss": 0.1 + 0.2, "rewards/margins": -1.5, "step": 1, "epoch": 0.5},
        {"loss": 0.5, "step": 2},
        {"train_runtime": 3.0, "train_loss": 0.4, "step": 2},
    ]
    text = curves.to_table(logs)
    assert "runtime" not in text and curves.from_table(text) == [logs[0], logs[1]]
    figure = curves.curves_figure({"round-1": curves.from_table(text)})
    assert [row[1:] for row in figure.rows] == [(1, "loss", 0.1 + 0.2), (1, "rewards/margins", -1.5), (2, "loss", 0.5)]


NODULE = Box(8, 8, 16, 16)


def example(name: str, grey: int) -> Example:
    """An image of 32 x 32 with a nodule of this grey on black, where `grey` is not 0."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[8:16, 8:16] = grey
    regions = (TrueRegion("nodule", NODULE),) if grey else ()
    data = encode_png(Image.fromarray(pixels))
    return Example(name, name, data, "q", "a", "open", "open", "phantom", "a", true_regions=regions)


def answer(
    name: str, policy: str, text: str, hypothesis: str = "nodule", box: Box = NODULE, control: str = ""
) -> Prediction:
    looked = (Looked(hypothesis, box), Looked(hypothesis, box))
    return Prediction(name, name, policy, "region", "yes", (text,), hypothesis, box, control, looked)


SEEN, NOTHING = "The local image shows a nodule.", "The local image shows no abnormality."


def test_findings_are_right_invented_or_missed() -> None:
    examples = {one.id: one for one in (example("dim", 40), example("none", 0), example("other", 90))}
    said = [
        answer("dim", "base", SEEN),
        answer("none", "base", SEEN),
        answer("other", "base", NOTHING),
        answer("other", "base", "There is no nodule.", hypothesis="effusion"),  # nobody looked for the nodule
        answer("dim", "base", SEEN, control="black_image"),
        answer("none", "round-1", NOTHING),
    ]
    figure = drawn(findings.findings_figure(said, examples))
    assert figure.rows == (
        ("base", "nodule", "right", 1),
        ("base", "nodule", "invented", 1),
        ("base", "nodule", "missed", 1),
        ("round-1", "nodule", "right", 0),
        ("round-1", "nodule", "invented", 0),
        ("round-1", "nodule", "missed", 0),
    )
    organ = Example("o", "o", b"", "q", "a", "open", "open", "ct", "a", true_regions=(TrueRegion("Liver", NODULE),))
    assert isinstance(findings.findings_figure(said, {"o": organ}), Missing)


def test_a_lesion_is_detected_where_a_chain_that_looked_at_it_states_it() -> None:
    greys = (20, 40, 60, 120, 180, 240)
    examples = {f"i{grey}": example(f"i{grey}", grey) for grey in greys}
    said = [answer(f"i{grey}", "base", SEEN if grey > 100 else NOTHING) for grey in greys]
    said += [answer(f"i{grey}", "round-1", SEEN) for grey in greys]
    said += [answer("i20", "base", SEEN, box=Box(20, 20, 30, 30))]  # looks elsewhere
    figure = drawn(lesions.lesions_figure(said, examples))
    assert [row[3] for row in figure.rows] == pytest.approx([grey / 255 for grey in greys])
    assert [row[2] for row in figure.rows] == [8.0] * 6  # the diameter
    assert [row[5:] for row in figure.rows] == [(0.0, 1.0)] * 3 + [(1.0, 1.0)] * 3
    groups = lesions._groups(lesions.lesions_of(said, examples), lambda one: one.detectability)
    gain = lesions._series("gain", groups, lambda one: one.found["round-1"] - one.found["base"])
    assert [y for _, y in gain.points] == [100.0, 0.0]  # what was hard to see has gained
    assert isinstance(lesions.lesions_figure(said[:2], examples), Missing)


def test_a_lesion_that_fills_its_image_has_no_rim() -> None:
    assert lesions.contrast_of(np.ones((8, 8), np.float32), Box(0, 0, 8, 8)) == 0.0


def test_a_probe_is_drawn_with_its_control_and_its_command_named_where_it_lacks() -> None:
    line = {"probe": "faithfulness", "measure": "answers that change", "what": "black crop", "control": "dimmed crop"}
    line |= {"policy": "base", "inference": "region", "value": 0.4, "low": 0.3, "high": 0.5, "control_value": 0.1}
    line |= {"difference": 0.3, "n": 10}
    other = line | {"probe": "length"}
    figure = drawn(chain.chain_figure([line, other], "clincot evaluate"))
    assert figure.rows == (("base", "black crop", "dimmed crop", 0.4, 0.3, 0.5, 0.1, 0.3, 10),)
    assert chain.chain_figure([other], "clincot evaluate") == Missing(
        chain.TITLE, "It was not measured whether an answer changes when the crops are swapped.", "clincot evaluate"
    )


def test_a_chain_that_flips_is_shown_with_its_crops_and_texts_that_stay_texts() -> None:
    said, known = answer("dim", "base", "yes"), example("dim", 40)
    flip = Flip("base", "dim", (SEEN,), "yes", ("<script>alert(1)</script>",), "no")
    part = chain.flips_part([flip], {"dim": known}, [said], {"dim": decode(known.encoded(), "dim")})
    assert isinstance(part, Shown) and part.html.count("<img") == 2 and "&lt;script&gt;" in part.html
    assert "<strong>answer, crops swapped:</strong>" in part.html and "<script" not in part.html
    assert isinstance(chain.flips_part([flip], {}, [said], {}), Missing)  # its image is not at hand


def made() -> list[lineage.Made]:
    """Return two rounds and their results, as lineages say what they were made of."""

    def one(stage: Stage, kind: str, round_: int, own: dict[str, OwnPin]) -> lineage.Made:
        pins = {"policy": Pin("model", "me/policy", "main", "a" * 40)}
        found = Lineage(stage, "run", round_, "clincot", "phantom", "h", "i", 0, pins=pins, own=own)
        return lineage.Made(f"me/run{kind}", f"round-{round_}", found, "c" * 64)

    first = OwnPin("model", "run", "round-1", "c" * 64)
    data = [OwnPin("dataset", "run-preferences", f"round-{n}", "c" * 64) for n in (1, 2)]
    return [
        one("build-data", "-preferences", 1, {}),
        one("build-data", "-preferences", 2, {"parent": first}),
        one("train", "", 1, {"preferences": data[0]}),
        one("train", "", 2, {"preferences": data[1], "parent": first}),
        one("evaluate", "-results", 2, {"round-1": first}),
    ]


def test_the_lineage_names_every_edge_and_draws_each_release_once() -> None:
    figure = lineage.lineage_figure(made())
    assert ("run round-1", "run-preferences round-2", "parent", "c" * 64) in figure.rows
    assert ("me/policy", "run round-2", "policy", "a" * 40) in figure.rows and len(figure.rows) == 10
    names = [shape.text for shape in figure.panels[0].shapes if isinstance(shape, Label) and shape.bold]
    assert sorted(names) == [
        "base",
        "run round-1",
        "run round-2",
        "run-preferences round-1",
        "run-preferences round-2",
        "run-results round-2",
    ]
