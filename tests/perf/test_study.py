"""Small rows, odds and results -> what the transforms, measures and tests of the study say of them, counted by hand."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))

from study.analysis import Analysis
from study.beliefs import BINS, area
from study.calibrated import fitted_cuts, fitted_offsets
from study.judges import drawn_digit
from study.looks import blurred
from study.measures import balanced, balanced_answers, measures, tau
from study.power import power, two_sided
from study.results import Result, packed_odds, read
from study.rows import CALIBRATED, LOOP, NAIVE, NLL, ROWS, SFT, tasks, trainings
from study.sums import Seen
from study.transforms import future_permuted, gaps_permuted, true_scores
from study.truth import report_counts

from clincot.phantom.v2.draw import Radiograph
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.texts.answers import report
from clincot.phantom.v2.texts.questions import questions
from clincot.phantom.v2.texts.statements import statement_of, write
from clincot.records import Example

IMAGES = 30


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Images, as they are laid out, with their questions."""
    layouts = [one for one in (objects(0, 3_000_000 + n) for n in range(60)) if questions(one)][:IMAGES]
    drawn = [Radiograph(np.zeros((256, 256), np.uint8), layout) for layout in layouts]  # no test reads a pixel
    asked = []
    for one in drawn:
        name = f"phantom-v2-0-{one.layout.index:07d}"
        for number, question in enumerate(questions(one.layout)):
            own = (question.text, question.answer, question.answer_type, question.kind)
            asked.append(Example(f"{name}-{number}", name, b"", *own, "phantom", ""))
    return Seen(tuple(asked), tuple(drawn))


def result(seen: Seen, row: str, seed: int, chance: float, shift: float = 0.0) -> Result:
    """A result whose answers are right with `chance` and whose log-odds know a nodule by `shift`."""
    rng = np.random.default_rng([seed, len(row)])
    answers = "".join(str(int(rng.random() < chance)) for _ in seen.asked)
    things = [thing for drawn in seen.bank for thing in drawn.layout.things]
    odds = np.array([rng.normal(shift * thing.lesion) for thing in things])
    reports = (1, 0, 1) * sum(example.answer_type == "report" for example in seen.asked)
    levels, points, orders = "5." * len(seen.asked), "." * len(seen.asked), (3, 1) * len(seen.bank)
    return Result(row, "one", seed, "key", "abc", answers, levels, points, reports, packed_odds(odds), orders, 1.0)


def test_rows_have_names_of_their_own_and_all_contrasts_come_first():
    assert len({row.slug for row in ROWS}) == len(ROWS)
    order = [(task.row.block, task.row.name, task.seed) for task in tasks(["one", "other"], [0, 1, 2], [])]
    blocks = [block for block, _, _ in order]
    assert blocks == sorted(blocks)
    assert {name for block, name, _ in order if block == 1} >= {CALIBRATED, SFT, NLL, NAIVE, LOOP, "base"}
    assert sum(name == "base" for _, name, _ in order) == 2  # no seed changes it: once a policy
    names = {row.name for row in ROWS}
    assert all(row.against in names for row in ROWS)


def test_a_name_takes_its_row_alone_and_what_is_no_name_takes_all_that_begin_so():
    def found(*wanted):
        return {task.row.name for task in tasks(["one"], [0], list(wanted))}

    assert found(NAIVE) == {NAIVE} and found("base", LOOP) == {"base", LOOP}
    assert found("naive") == {row.name for row in ROWS if row.name.startswith("naive")} > {NAIVE}


def test_every_plan_of_two_rounds_takes_as_many_epochs_as_it_says():
    assert trainings("rounds", 2) == [(((1, False),), 1.0), (((2, True),), 1.0)]
    assert trainings("base parts", 2) == [(((1, False),), 1.0), (((2, False),), 1.0)]
    assert trainings("restarts", 2) == [(((1, False), (2, False)), 0.5)] * 2
    assert trainings("first again", 2) == [(((1, False),), 1.0)] * 2


def pairs_of(scores: dict[str, float]) -> tuple[list[dict], list[dict]]:
    """All pairs of two questions with three candidates each, and these candidates."""
    candidates = [{"id": id_, "example_id": id_[0], "step": 1, "score": score} for id_, score in scores.items()]
    pairs = []
    for name in "ab":
        own = sorted((c for c in candidates if c["example_id"] == name), key=lambda c: -c["score"])
        for i, winner in enumerate(own):
            for loser in own[i + 1 :]:
                both = {"chosen_candidate": winner["id"], "rejected_candidate": loser["id"]}
                values = {"chosen_score": winner["score"], "rejected_score": loser["score"]}
                pairs.append({"id": f"{winner['id']}{loser['id']}", "example_id": name, "step": 1, **both, **values})
    return pairs, candidates


def gaps(pairs: list[dict], number: int) -> set[tuple[float, float]]:
    return {(pair["chosen_score"], pair["rejected_score"]) for pair in (pairs[number], pairs[number + 3])}


def test_permuted_gaps_stay_among_pairs_of_equal_ranks():
    pairs, candidates = pairs_of({"a1": 0.9, "a2": 0.5, "a3": 0.1, "b1": 0.7, "b2": 0.6, "b3": 0.55})
    made = [gaps_permuted(pairs, {}, candidates, 2, seed) for seed in range(8)]
    for changed in made:
        for number in range(3):  # pairs of ranks (1, 2), (1, 3), (2, 3) of both questions
            gaps = [
                {(p["chosen_score"], p["rejected_score"]) for p in (some[number], some[number + 3])}
                for some in (pairs, changed)
            ]
            assert gaps[0] == gaps[1]
    assert any(changed != pairs for changed in made)
    assert all([p["id"] for p in changed] == [p["id"] for p in pairs] for changed in made)


def futures(rows: list[dict]) -> Counter:
    return Counter((*row["lookahead"], *(score["next"] for score in row["judge_scores"])) for row in rows)


def test_permuted_futures_move_whole_between_siblings_and_leave_own_scores():
    rows = [
        {"id": str(i), "example_id": "a", "step": 1 + (i > 3), "lookahead": [str(i)],
         "judge_scores": [{"judge": j, "own": i / 10, "next": (i + k) / 20} for k, j in enumerate("xy")]}
        for i in range(6)
    ]  # fmt: skip
    moved = future_permuted(rows, {}, 2, 3)
    assert [[s["own"] for s in row["judge_scores"]] for row in moved] == [[i / 10] * 2 for i in range(6)]
    assert moved != rows
    for some in (slice(0, 4), slice(4, 6)):
        futures = [
            Counter((*r["lookahead"], *(s["next"] for s in r["judge_scores"])) for r in x[some]) for x in (rows, moved)
        ]
        assert futures[0] == futures[1]


def test_truth_rates_findings_by_parts_and_reports_by_nodules(seen):
    drawn = next(one for one in seen.bank if len(one.layout.lesions) == 1)
    (lesion,) = drawn.layout.lesions
    box = around(lesion, np.random.default_rng(0))
    example = next(e for e in seen.asked if e.image_id.endswith(f"{drawn.layout.index:07d}"))
    right, wrong = write(statement_of([lesion])), "This region shows no nodule."
    row = {
        "example_id": example.id,
        "step": 1,
        "text": right,
        "region": {"box": list(box)},
        "lookahead": [right, wrong],
    }
    (made,) = true_scores([row], {example.id: example}, 3, 0)
    assert (made["judge_scores"][0]["own"], made["judge_scores"][0]["next"]) == (1.0, 0.5)
    lesions = objects(0, drawn.layout.index).lesions
    assert report_counts(report(lesions), lesions) == (1, 0, 0)
    assert report_counts("No nodule is seen.", lesions) == (0, 0, 1)


def test_the_area_is_that_of_the_pairs_it_is_made_of():
    rng = np.random.default_rng(1)
    high, low = rng.integers(0, BINS, 200), rng.integers(0, BINS - 9, 300)
    sums = np.concatenate([np.bincount(high, minlength=BINS), np.bincount(low, minlength=BINS)])
    by_pairs = np.mean((high[:, None] > low) + (high[:, None] == low) / 2)
    assert area(sums) == pytest.approx(by_pairs)
    assert tau(np.array([6.0, 2.0])) == 0.5


def test_balanced_answers_weigh_every_answer_of_a_kind_alike(seen):
    kinds = ("presence",)
    gold = [example.answer for example in seen.asked if example.kind in kinds]
    always = "".join(str(int(example.answer == "yes")) for example in seen.asked)
    sums = balanced_answers(kinds, Result("", "", 0, "", "", always, "", "", ()), seen)
    assert set(gold) == {"yes", "no"}
    assert balanced(kinds, seen)(np.nansum(sums, 0)) == 0.5


def test_p_values_and_power_agree_with_tables():
    assert two_sided(2.228, 10) == pytest.approx(0.05, abs=2e-4)
    assert two_sided(-12.706, 1) == pytest.approx(0.05, abs=2e-4)
    assert power(2.0, 10.6, 0.7, 12, 2000) > 0.95 > power(2.0, 24.0, 1.2, 8, 1000)
    assert power(2.0, 10.6, 0.7, 1, 2000) == 0


def test_claims_need_both_tests_and_are_corrected(seen):
    known = [result(seen, LOOP, seed, 1.0, 3.0) for seed in range(6)]
    known += [result(seen, name, seed, 0.2, 0.5) for name in (NLL, NAIVE, SFT) for seed in range(6)]
    known += [result(seen, "base + regions", 0, 0.4, 1.0)]
    analysis = Analysis(known, seen, 400)
    endpoints = measures(seen)[:2]
    claims = analysis.claims(LOOP, endpoints)
    assert len(claims) == 6  # the fourth contrast has no result yet, and Holm still counts eight
    assert all(one.found.value > 0 and one.holm >= 8 * min(c.found.p for c in claims) for one in claims)
    same = analysis.difference(LOOP, LOOP, endpoints[0])
    assert same is not None and same.equivalent and same.value == 0 and same.p == 1
    base = analysis.difference(LOOP, "base + regions", endpoints[0])
    assert base is not None and len(base.seeds) == 6  # an untrained row is compared with every seed
    one = Analysis([k for k in known if k.seed == 0], seen, 400).difference(LOOP, NAIVE, endpoints[0])
    assert one is not None and one.p == 1  # one seed claims nothing
    one = Analysis([k for k in known if k.seed == 0], seen, 400).difference(LOOP, LOOP, endpoints[0])
    assert one is not None and not one.equivalent  # nor that something adds nothing


def test_offsets_find_the_best_constants_and_no_more():
    odds = np.array([-3.0, -2.0, -1.0, -0.5, 1.0, 2.0])
    some = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    cut = fitted_cuts(odds, [(0, 0)] * 6, some, 1 - some)[0, 0]
    assert -2.0 <= cut < -1.0
    logs = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]]))
    gold = np.array([0, 0, 1, 1])
    offsets = fitted_offsets({"presence": logs}, {"presence": gold})["presence"]
    assert ((logs + offsets).argmax(1) == gold).all()


def test_a_drawn_digit_is_the_same_for_the_same_distribution_and_other_for_the_other_judge():
    even = [0.1] * 10
    assert drawn_digit(even, 1) == drawn_digit(even, 1)
    draws = {number: [drawn_digit([0.1 + k * 1e-3, *even[1:]], number).value for k in range(30)] for number in (1, 2)}
    assert draws[1] != draws[2] and len(set(draws[1])) > 4
    assert drawn_digit([0.001] * 10, 1).value is None


def test_a_result_is_small_and_comes_back(seen, tmp_path):
    made = result(seen, LOOP, 3, 0.5)
    path = tmp_path / "one" / "a-s3.json"
    made.write(path)
    again = read(path)
    assert again == made and np.abs(again.log_odds - made.log_odds).max() == 0
    assert path.stat().st_size * 300 / IMAGES < 20_000 + 300 / IMAGES * 400
    assert read(tmp_path / "none.json") is None


def test_a_blurred_crop_keeps_its_size_and_no_line(seen):
    from PIL import Image

    lines = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (64, 32)))
    made = blurred(lines)
    assert made.size == lines.size
    assert np.asarray(made).std() < 10 < np.asarray(lines).std()
