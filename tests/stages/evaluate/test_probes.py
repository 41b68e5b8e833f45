"""Probes on drawn lamps: policies that ignore the image or copy their chain, whose numbers are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clincot.records import Box, Example, TrueRegion
from clincot.report.terminal import table_lines
from clincot.stages.evaluate import Evaluation, PolicyUnderTest, evaluate_policies
from clincot.stages.evaluate.files import facts, result_files
from clincot.stages.evaluate.interventions import contradicted
from clincot.stages.evaluate.probe_tables import probe_grids, short_probe_grids
from clincot.stages.evaluate.probes import Probed
from tests.lamps import LampEngine, LampProposer, examples, recipe

SIDES = ("left", "right", "", "left", "", "right", "left")
LAMPS = {"left": Box(8, 24, 20, 36), "right": Box(44, 24, 56, 36)}
ASKED = "evaluate.probes=[faithfulness, image]"


def questions(*kinds: str) -> list[Example]:
    """The lamps' questions of these kinds, with the lamps as known regions."""
    sides = {f"lamps/{i}": side for i, side in enumerate(SIDES)}
    found = []
    for example in examples(SIDES):
        side = sides[example.id.rpartition("/")[0]]
        known = (TrueRegion("nodule", LAMPS[side]),) if side else ()
        found.append(replace(example, true_regions=known))
    return [example for example in found if example.kind in kinds]


@dataclass
class Watched(LampEngine):
    """Notes the prompts that it answers."""

    texts: list[str] = field(default_factory=list)

    def _say(self, text: str, images: Sequence[Image.Image]) -> str:
        self.texts.append(text)
        return super()._say(text, images)


class Blind(Watched):
    """Writes what the question alone decides, and that there is a finding."""

    def _say(self, text: str, images: Sequence[Image.Image]) -> str:
        self.texts.append(text)
        if "State in one sentence" in text:
            return "There is a nodule."
        return {"I": "Yes.", "O": "left"}.get(text[0], "there is a lamp on the left .")


class Copier(Watched):
    """Looks once, and then believes its finding alone."""

    def _say(self, text: str, images: Sequence[Image.Image]) -> str:
        found = text.partition("Findings so far:")[2]
        if "State in one sentence" in text or not found:
            bright = np.asarray(images[-1].convert("L"), np.float32).mean() > 60
            return super()._say(text, images) if not bright else "There is a nodule."
        return "No." if "There is no nodule" in found or "dark" in found else "Yes."


def probed(folder: Path, engine: LampEngine, asked: list[Example], *overrides: str) -> Evaluation:
    policy = PolicyUnderTest("base", f"key of {type(engine).__name__}", lambda: engine)
    return evaluate_policies(recipe(ASKED, *overrides), asked, asked, [policy], LampProposer, folder)


def found(evaluation: Evaluation, what: str, measure: str = "answers that change", inference: str = "region") -> Probed:
    return next(p for p in evaluation.probes if (p.what, p.measure, p.inference) == (what, measure, inference))


@pytest.fixture(scope="module")
def of_copier(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return probed(tmp_path_factory.mktemp("copier"), Copier(), questions("closed"))


def test_a_policy_that_ignores_its_image_depends_on_nothing(tmp_path: Path) -> None:
    evaluation = probed(tmp_path, Blind(), questions("closed", "open"))
    seen = [p for p in evaluation.probes if p.what != "finding contradicted"]
    assert {p.probe for p in seen} == {"faithfulness", "image"}
    for one in seen:
        assert (one.value, one.low, one.high, one.difference, one.control_value) == (0.0,) * 5, one
        assert one.undecided
    # Its words do not come from its chain either.
    assert found(evaluation, "finding contradicted").value == 0.0


def test_a_policy_that_copies_its_chain_flips_when_the_finding_is_contradicted(of_copier: Evaluation) -> None:
    flipped = found(of_copier, "finding contradicted")
    assert (flipped.value, flipped.low, flipped.high) == (1.0, 1.0, 1.0)
    assert flipped.control == "finding repeated" and flipped.control_value == 0.0
    assert not flipped.undecided
    lit = sum(bool(side) for side in SIDES)
    assert flipped.n == lit  # images without a region are answered directly: nothing to follow


def test_a_black_crop_changes_what_rests_on_the_crop_and_a_dimmed_one_does_not(
    of_copier: Evaluation,
) -> None:
    black = found(of_copier, "black crop")
    assert black.value == 1.0 and black.control_value == 0.0 and black.control == "dimmed crop"
    # The other image's region shows a lamp, too.
    swapped = found(of_copier, "crop of another image")
    assert swapped.value == 0.0 and 0 < swapped.n < black.n


def test_masked_lesions_cost_accuracy_and_as_much_masked_elsewhere_does_not(of_copier: Evaluation) -> None:
    masked = found(of_copier, "lesions masked")
    assert masked.value == 1.0 and masked.control_value == 0.0 and masked.n == 5
    lost = found(of_copier, "lesions masked", "accuracy that is lost")
    assert (lost.value, lost.control_value, lost.difference) == (1.0, 0.0, 1.0)
    # Directly, a lamp is too small to be seen: nothing is lost with it.
    assert found(of_copier, "lesions masked", inference="direct").value == 0.0


def test_accuracy_that_is_lost_counts_what_is_gained_by_chance(of_copier: Evaluation) -> None:
    black = found(of_copier, "black image", "accuracy that is lost")
    assert black.value == pytest.approx(5 / 7)  # five lit images go wrong, "No" of two dark ones stays right
    assert found(of_copier, "black image").value == pytest.approx(5 / 7)
    assert found(of_copier, "another image").control == "dimmed image"


def test_answers_are_shared_with_the_evaluation_and_each_probe_asks_once(tmp_path: Path) -> None:
    asked, plain, again = questions("closed"), Watched(), Watched()
    policy = PolicyUnderTest("base", "one key", lambda: plain)
    evaluate_policies(recipe(), asked, asked, [policy], LampProposer, tmp_path)
    without = plain.generated
    policy = PolicyUnderTest("base", "one key", lambda: again)
    evaluation = evaluate_policies(recipe(ASKED), asked, asked, [policy], LampProposer, tmp_path)
    images, lit = len(SIDES), sum(bool(side) for side in SIDES)
    swapped = found(evaluation, "crop of another image").n
    by_crop = 2 * (lit + lit + swapped)  # finding and answer: black, dimmed, of another image
    by_finding = 2 * lit  # the last step alone: contradicted, repeated
    dimmed = images + (2 * lit + images - lit)  # directly, and by region where there is one
    masked = 2 * (lit + 2 * lit)  # lesions and elsewhere, each directly and by region
    assert again.generated == by_crop + by_finding + dimmed + masked
    assert without > 0 and again.generated == len(again.texts)
    third = Watched()
    policy = PolicyUnderTest("base", "one key", lambda: third)
    assert evaluate_policies(recipe(ASKED), asked, asked, [policy], LampProposer, tmp_path).probes == evaluation.probes
    assert third.generated == 0


def test_probes_change_no_result_and_no_prediction(tmp_path: Path) -> None:
    asked = questions("closed", "open", "report")
    policy = PolicyUnderTest("base", "key", LampEngine)
    plain = evaluate_policies(recipe(), asked, asked, [policy], LampProposer, tmp_path / "plain")
    probing = evaluate_policies(recipe(ASKED), asked, asked, [policy], LampProposer, tmp_path / "probing")
    assert replace(probing, probes=()) == plain
    assert "probes" not in facts(plain)


def test_numbers_are_in_the_files_and_tables_fit_80_columns(of_copier: Evaluation, tmp_path: Path) -> None:
    files = result_files(of_copier, tmp_path)
    stored = json.loads(files["results.json"].read_text())["probes"]
    assert len(stored) == len(of_copier.probes)
    (flipped,) = (p for p in stored if p["what"] == "finding contradicted")
    assert flipped["value"] == 1.0 and flipped["undecided"] is False
    assert "## Probes" in files["results.md"].read_text()
    grids = probe_grids(of_copier.probes)
    assert "answers that change, percent: finding contradicted (control: finding repeated)" in [
        name for name, _ in grids
    ]
    for name, grid in grids:
        lines = table_lines(grid, 80, name)
        assert max(map(len, lines)) <= 80 and len(lines) == 3 + len(grid[1])  # one table, on one block of columns


def test_the_short_tables_are_of_the_newest_policy_and_name_the_controls(of_copier: Evaluation) -> None:
    newer = [replace(p, policy="round-1", value=0.25) for p in of_copier.probes if p.inference == "region"]
    last = [replace(newer[0], policy="question prior", inference="")]
    (first, *_, lost) = short_probe_grids([*of_copier.probes, *newer, *last])
    title, (header, lines), controls = first
    assert title == "answers that change, percent: round-1 · region"
    assert [line[0] for line in lines[:3]] == ["crop of another image", "black crop", "finding contradicted"]
    assert {line[1].split(" ")[0] for line in lines} == {"25.0"} and header[-1] == "n"
    assert controls.startswith("Controls, line by line: dimmed crop, dimmed crop, finding repeated, dimmed image")
    assert lost[0] == "accuracy that is lost, points: round-1 · region"
    for name, grid, _ in short_probe_grids(of_copier.probes):
        assert max(map(len, table_lines(grid, 80, name))) <= 80


def test_one_image_has_nothing_to_swap(tmp_path: Path) -> None:
    evaluation = probed(tmp_path, Copier(), questions("closed")[:1])
    assert {p.what for p in evaluation.probes if p.probe == "faithfulness"} == {"black crop", "finding contradicted"}


@pytest.mark.parametrize(
    ("finding", "wrong"),
    [
        ("There is a nodule in the left lung.", "There is no nodule in the left lung."),
        ("No effusion is seen.", "Effusion is seen."),
        ("zzz", ""),
    ],
)
def test_a_finding_is_denied_where_it_can_be(finding: str, wrong: str) -> None:
    (example,) = questions("closed")[:1]
    assert contradicted(example, (finding,)) == ((wrong,) if wrong else ())
