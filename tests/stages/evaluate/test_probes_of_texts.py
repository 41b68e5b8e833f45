"""Probes of lengths, new questions and judges on texts whose numbers are computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from clincot.errors import ClincotError
from clincot.protocols import JUDGED, PROTOCOLS, load
from clincot.records import Box, Candidate, Example, JudgeScore, TrueRegion
from clincot.stages.evaluate.inference import Looked
from clincot.stages.evaluate.interventions import CROP_DIMMED, CROP_SWAPPED
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probe_tables import probe_grids
from clincot.stages.evaluate.probes import findings, judged, length, templates
from clincot.stages.evaluate.probes.agreement import kappa, tau_b
from clincot.stages.evaluate.probes.base import Probed
from clincot.stages.evaluate.probes.changed import changed
from clincot.stages.evaluate.probes.flips import Flip, flips
from clincot.stages.evaluate.results import Resampling, Row, Scoring

RESAMPLES = 50
BASE, NEWEST, PRIOR = Row("base", "direct"), Row("round-1", "direct"), Row("", "", "question_prior")


def question(number: int, text: str, answer: str, kind: str = "open") -> Example:
    """One question about its own image."""
    return Example(f"q{number}", f"image {number}", b"", text, answer, kind, kind, "ct", answer)  # type: ignore[arg-type]


def predictions(row: Row, texts: Sequence[str]) -> list[Prediction]:
    return [
        Prediction(f"q{i}", f"image {i}", row.policy, row.inference, text, (), None, None, row.control)
        for i, text in enumerate(texts)
    ]


ASKED = [
    question(0, "Where is the mass?", "left lung"),
    question(1, "Where is the cyst?", "liver"),
    question(2, "What organ is this?", "heart"),
    question(3, "Is there a mass in the lung?", "yes", "closed"),
]
KNOWN = {example.id: example for example in ASKED}
IMAGES = Resampling.of(ASKED, RESAMPLES, 0)


def only(found: Sequence[Probed], **wanted: str) -> Probed:
    (one,) = (p for p in found if all(getattr(p, name) == value for name, value in wanted.items()))
    return one


THERE, HALF, BARELY, AWAY = Box(8, 8, 16, 16), Box(8, 8, 16, 12), Box(8, 8, 16, 9), Box(32, 32, 40, 40)


def test_findings_count_by_what_their_regions_show() -> None:
    lesions = [replace(e, true_regions=(TrueRegion("nodule", THERE),)) for e in ASKED[:3]]
    known = {e.id: e for e in (*lesions, ASKED[3])}

    def chains(policy: str, *said: tuple[str, str, Box]) -> list[Prediction]:
        made = predictions(Row(policy, "region"), ["."] * 4)
        steps = [said[i::4] for i in range(4)]
        return [
            replace(one, findings=tuple(text for text, _, _ in some), regions=tuple(Looked(*at) for _, *at in some))
            for one, some in zip(made, steps, strict=True)
        ]

    base = chains(
        "base",
        ("There is a nodule.", "nodule", THERE),  # right
        ("No nodule.", "nodule", HALF),  # missed: half of the nodule is shown
        ("There is a nodule.", "nodule", BARELY),  # an eighth of it: neither
        ("There is a nodule.", "nodule", AWAY),  # invented, in an image without any
        ("There is a nodule.", "nodule", AWAY),  # invented
        ("There is an effusion.", "nodule", AWAY),  # right: it names no nodule
        ("There is an effusion.", "lesion", THERE),  # a lesion is any of them
        ("有结节。", "nodule", AWAY),  # the labels read English
    )
    base[0] = replace(  # the labels know no name for fluid
        base[0], findings=(*base[0].findings, "Fluid."), regions=(*base[0].regions, Looked("fluid", AWAY))
    )
    constant = chains("round-1", *[("There is a nodule.", "nodule", box) for box in (THERE, HALF, AWAY, AWAY)])
    rows = {Row("base", "region"): base, Row("round-1", "region"): constant, Row("base", "direct"): base}
    found = list(findings.measure(known, rows, Resampling.of(list(known.values()), RESAMPLES, 0)))
    one = only(found, policy="base")
    assert (one.value, one.control_value, one.n, one.of) == (2 / 3, 2 / 3, 3, "findings")
    same = only(found, policy="round-1", measure=findings.NAMED)
    assert (same.value, same.control_value, same.difference) == (1, 1, 0) and same.undecided
    gain = only(found, policy="round-1", measure=findings.GAIN)
    assert (gain.value, gain.control_value, gain.n) == (0, 0, 4)
    assert findings.notes(ASKED) and not findings.notes(lesions)
    assert not list(findings.measure({e.id: e for e in ASKED}, rows, IMAGES))


def test_a_chain_flips_where_other_crops_change_its_answer_and_dimmed_ones_do_not() -> None:
    row = Row("base", "region")

    def said(texts: Sequence[str], control: str = "") -> list[Prediction]:
        made = predictions(row._replace(control=control), texts)
        return [replace(one, box=Box(0, 0, 4, 4), findings=(f"of {one.text}",)) for one in made]

    before = said(["left lung", "liver", "heart", "yes"])
    before[2] = replace(before[2], box=None)  # it looked at nothing
    rows = {
        row: before,
        row._replace(control=CROP_SWAPPED): said(["right lung", "spleen", "brain", "Yes."], CROP_SWAPPED),
        row._replace(control=CROP_DIMMED): said(["left lung", "bile", "heart", "yes"], CROP_DIMMED),
    }
    # The liver changes with dimmed crops too, and "Yes." says the same as "yes".
    flip = Flip("base", "q0", ("of left lung",), "left lung", ("of right lung",), "right lung")
    assert list(flips(KNOWN, rows)) == [flip]
    many = {f"q{n}": question(n, "Where?", "left lung") for n in range(9)}
    long = {way: said([text] * 9, way.control) for way, text in zip(rows, ("a", "b", "a"), strict=True)}
    assert [one.example_id for one in flips(many, long)] == ["q0", "q1", "q2"]


def test_lengths_of_answers_are_held_against_the_gold_and_the_base() -> None:
    rows = {
        BASE: predictions(BASE, ["left lung", "the liver", "heart", "yes"]),
        NEWEST: predictions(NEWEST, ["in the left lung", "liver", "a heart", "yes it is"]),
    }
    found = list(length.of_answers(KNOWN, rows, IMAGES))
    of_base = only(found, policy="base")
    assert (of_base.value, of_base.control_value, of_base.n, of_base.unit) == (1.5, 1.25, 4, "words")
    gained = only(found, policy="round-1", control="the base's")
    assert (gained.value, gained.control_value, gained.difference) == (2.5, 1.5, 1.0)
    # Differences of 2, -1, 1 and 2 words: paired, so narrower than two unpaired intervals.
    assert -1 < gained.difference_low <= 1.0 <= gained.difference_high <= 2
    assert only(found, policy="round-1", control="the gold's").difference == 1.25


def test_thoughts_are_no_words_of_an_answer() -> None:
    thought = "<think>The heart looks large because its ratio is above one half.</think>yes"
    assert length.length(thought) == length.length("yes") == 1


def test_questions_of_a_language_without_known_words_have_no_templates() -> None:
    german = [question(i, text, "Herz") for i, text in enumerate(("Welches Organ ist gezeigt?", "Wo liegt die Masse?"))]
    said = templates.notes(german, german[:1])
    assert "no number of templates" in said[0] and not any("whose template" in one for one in said)
    rows = {BASE: predictions(BASE, ["Herz", "Leber"])}
    found = list(templates.measure(german, german[:1], rows, Scoring(load("clincot"), german, RESAMPLES, 0)))
    assert {one.what for one in found} == {"text unseen in training"}
    assert any("whose template" in one for one in templates.notes(ASKED, ASKED[:1]))


def test_where_value_and_control_count_others_both_numbers_are_shown() -> None:
    line = probe_grids([replace(only_line(), n=38, control_n=20)])[0][1][1][0]
    assert line[-1] == "38 / 20" and probe_grids([only_line()])[0][1][1][0][-1] == "4"


def only_line() -> Probed:
    rows = {BASE: predictions(BASE, ["left lung", "the liver", "heart", "yes"])}
    return next(iter(length.of_answers(KNOWN, rows, IMAGES)))


@pytest.mark.parametrize(
    ("kind", "gold", "before", "after", "differs"),
    [
        ("closed", "yes", "The heart is enlarged.", "The heart is normal in size.", True),
        ("closed", "yes", "normal", "abnormal", True),
        ("closed", "yes", "Yes.", "yes", False),
        ("closed", "yes", "Yes, it is.", "No.", True),
        ("report", "x", "左肺下叶见结节影。", "双肺清晰，未见异常。", True),
        ("report", "x", "large glioblastoma in the left frontal lobe", "Normal brain.", True),
        ("report", "x", "Normal  brain", "normal brain.", False),
        ("report", "x", "There is a pleural effusion.", "An effusion is seen.", False),
        ("report", "x", "There is a pleural effusion.", "No effusion.", True),
        ("report", "x", "No effusion.", "", True),
    ],
)
def test_answers_that_rules_cannot_read_change_with_their_words(
    kind: str, gold: str, before: str, after: str, differs: bool
) -> None:
    assert changed(question(0, "?", gold, kind), before, after) is differs


def test_normal_reports_of_the_chest_that_say_it_otherwise_have_not_changed() -> None:
    of_chest = replace(question(0, "?", "x", "report"), modality="chest x-ray")
    assert not changed(of_chest, "The lungs are clear.", "No acute abnormality.")


def test_lengths_of_sides_count_the_pairs_of_known_examples() -> None:
    sides = [
        length.Sides("q0", "left", "in the left lung"),
        length.Sides("q0", "left lung", "right"),
        length.Sides("q9", "of another benchmark", ""),
    ]
    (found,) = length.of_pairs("round-1", sides, KNOWN, RESAMPLES, 0)
    assert (found.value, found.control_value, found.n, found.of) == (1.5, 2.5, 2, "pairs")
    assert list(length.of_pairs("round-1", sides[2:], KNOWN, RESAMPLES, 0)) == []


def rated(example_id: str, text: str, own: float | None, step: int = 2) -> Candidate:
    score = JudgeScore("judge", own, None, own, 1.0)
    return Candidate(f"{example_id} {text}", example_id, step, text, None, (), None, None, judge_scores=(score,))


def test_a_judge_that_likes_length_is_told_from_one_that_likes_truth() -> None:
    likes_length = [
        rated("q0", "left lung", 0.2),
        rated("q0", "right", 0.3),
        rated("q0", "right upper base", 0.9),
        rated("q0", "It is in the left lung.", 0.95),  # as true as "left lung", and no word of the others
        rated("q0", "a finding that is long", 1.0, step=1),  # no answer
        rated("q1", "no idea", 0.4),
        rated("q1", "spleen", 0.4),  # a tie in the score
        rated("q1", "brain", 0.1),  # as long as "spleen": no pair with it
        rated("q2", "unread", None),
    ]
    (found,) = length.of_judges("round-1", likes_length, KNOWN, RESAMPLES, 0)
    # Equally true pairs of other lengths: (right, right upper base) +1, (no idea, spleen) 0, (no idea, brain) +1.
    assert found.value == pytest.approx(2 / 3) and found.n == 3 and found.unit == "correlation"
    # Of the two pairs of a right and a wrong answer the wrong one is higher in both.
    assert found.control_value == -1.0
    assert (found.policy, found.what) == ("round-1", "judge, longer of two equally true")


def test_new_templates_have_their_own_accuracy_and_counts() -> None:
    train = [replace(ASKED[0], id="t0", question="Where is the  Cyst?"), replace(ASKED[3], id="t1")]
    texts, new = (templates.unseen(ASKED, train, key) for key in templates.KEYS.values())
    assert texts == {"q0", "q2"} and new == {"q2"}
    rows = {
        BASE: predictions(BASE, ["left lung", "no", "liver", "yes"]),
        NEWEST: predictions(NEWEST, ["left lung", "no", "heart", "yes"]),
        PRIOR: predictions(PRIOR, ["left lung", "left lung", "left lung", "yes"]),
    }
    scoring = Scoring(load("clincot"), ASKED, RESAMPLES, 0)
    found = list(templates.measure(ASKED, train, rows, scoring))
    base = only(found, policy="base", what="template unseen in training")
    assert (base.value, base.n, base.control_value) == (0.0, 1, pytest.approx(2 / 3))
    gained = only(found, policy="round-1", what="template unseen in training", measure="accuracy gained over base")
    assert (gained.value, gained.control_value, gained.unit) == (1.0, 0.0, "points")
    assert only(found, policy="question prior", what="text unseen in training").value == 0.5
    lines = templates.notes(ASKED, train)
    assert lines[1] == "Questions whose template is unseen in training (2 there): 1 of 4 (1 of the images)."
    # A split that has nothing new has no line.
    assert list(templates.measure(ASKED[3:], train, rows, scoring)) == []


def verdicts(pairs: Sequence[tuple[bool, float]]) -> list[tuple[Example, bool, float]]:
    return [(question(i, "?", "x"), exact, rating) for i, (exact, rating) in enumerate(pairs)]


def test_kappa_and_tau_equal_their_formulas() -> None:
    given = verdicts([(True, 0.9), (True, 0.9), (True, 0.4), (False, 0.6), (False, 0.1), (False, 0.1)])
    images = Resampling.of([example for example, _, _ in given], RESAMPLES, 0)
    found = kappa(given, images)
    # Equal verdicts 4 of 6, both shares of "right" 1/2: (2/3 - 1/2) / (1 - 1/2).
    assert found is not None and found.value == pytest.approx(1 / 3)
    agreed = tau_b(given, images)
    # 15 pairs; 6 tied in the match, 2 in the rating; of the other 9 all but (0.4, 0.6) are ordered alike.
    assert agreed is not None and agreed.value == pytest.approx((8 - 1) / np.sqrt((15 - 6) * (15 - 2)))
    whole = replace(images, counts=np.ones((1, 6)))
    again = tau_b(given, whole)
    assert again is not None and again.draws[0] == pytest.approx(agreed.value)
    # An image that was drawn twice counts as two answers that tie: its pair with itself is in n0, n1 and n2.
    twice = tau_b(given, replace(images, counts=np.array([[2.0, 0, 1, 1, 0, 2]])))
    copied = verdicts([(True, 0.9), (True, 0.9), (True, 0.4), (False, 0.6), (False, 0.1), (False, 0.1)])
    same = tau_b(copied, Resampling.of([e for e, _, _ in copied], 1, 0))
    assert twice is not None and same is not None and twice.draws[0] == pytest.approx(same.value)


def test_agreement_is_nothing_where_all_verdicts_are_one() -> None:
    given = verdicts([(True, 0.9), (True, 0.8)])
    images = Resampling.of([example for example, _, _ in given], RESAMPLES, 0)
    for found in (kappa(given, images), tau_b(given, images)):
        assert found is not None and np.isnan(found.value)


def of_judges() -> judged.Judged:
    rows = [
        *predictions(BASE, ["left lung", "spleen", "heart", "yes"]),
        *predictions(NEWEST, ["left lung", "<think>so</think>liver", "the heart", "yes"]),
        *predictions(PRIOR, ["lung", "lung", "lung", "yes"]),
    ]
    answers = judged.open_rows(KNOWN, rows)
    kind = {("q0", "left lung"): 1.0, ("q1", "spleen"): 0.6, ("q1", "liver"): 0.8, ("q2", "heart"): 0.9}
    kind |= {("q2", "the heart"): 0.9, ("q0", "lung"): 0.7, ("q1", "lung"): 0.1, ("q2", "lung"): 0.1}
    strict = {key: (0.8 if value > 0.75 else 0.0) for key, value in kind.items()}
    return judged.Judged(KNOWN, answers, judged.with_mean({"kind": kind, "strict": strict}), IMAGES, 0)


def test_open_answers_have_a_protocol_of_judges_and_its_agreement_with_exact_match() -> None:
    found = of_judges()
    assert set(found.rows) == {BASE, NEWEST, PRIOR} and len(found.rows[BASE]) == 3  # the closed question is not rated
    results = {one.row: one for one in found.results("tiny")}
    assert {one.protocol for one in results.values()} == {"clincot-judge-v1"}
    assert results[BASE].value == pytest.approx((0.9 + 0.3 + 0.85) / 3)
    probed = list(found.probed())
    lenient = only(probed, policy="base", what="kind", measure=judged.CALLED)
    assert (lenient.value, lenient.control_value) == (1.0, pytest.approx(2 / 3))
    exact = only(probed, policy="base", what="strict", measure=judged.KAPPA)
    assert exact.value == 1.0 and exact.n == 3
    against = {(c.policy, c.against): c.value for c in found.comparisons()}
    assert against["round-1", "base"] == pytest.approx((0.8 - 0.3) / 3)
    assert ("base", "question_prior") in against and ("base", "base") not in against


def test_the_protocol_of_judges_is_known_by_name_and_scores_nothing_by_itself() -> None:
    assert load("clincot-judge") is load("clincot-judge-v1") is JUDGED
    assert JUDGED.label not in PROTOCOLS
    with pytest.raises(ClincotError, match="is not a protocol"):
        load("clincot-judge-v2")
