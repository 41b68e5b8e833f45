"""Protocols: every score they name exists, and a label names exactly one."""

from __future__ import annotations

import pytest

from clincot import protocols
from clincot.chain import prompts
from clincot.errors import ClincotError
from clincot.metrics import load_score
from clincot.recipe import Evaluate
from clincot.records import Example
from clincot.stages.evaluate.grounding import GROUNDING
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import Row, Scoring


@pytest.mark.parametrize("label", protocols.PROTOCOLS)
def test_every_score_of_a_protocol_scores_a_perfect_answer(label: str) -> None:
    protocol = protocols.load(label)
    assert protocol.label == label
    for measure in protocol.measures:
        for _, name, rule in measure.scores:
            perfect = 0.0 if measure.lower else 1.0
            if name in GROUNDING:
                assert GROUNDING[name]().of([(0, 0, 4, 4)], [[(0, 0, 4, 4)]]) == 1.0
                continue
            score = load_score(name, rule)
            assert score.of(["yes there is a large left effusion"], ["yes there is a large left effusion"]) == (
                pytest.approx(perfect, abs=0.01)
            )


def test_the_prompts_of_the_default_protocol_are_those_that_are_asked() -> None:
    protocol = protocols.load(Evaluate().protocol)
    text = prompts.direct_messages("Is it?")[0]["content"][-1]["text"]
    assert text.endswith(protocol.direct_instruction)
    text = prompts.step_messages("Is it?", (), step=2, steps=2)[0]["content"][-1]["text"]
    assert text.endswith(protocol.region_instruction)


def test_an_unknown_protocol_is_refused_with_a_near_name() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'clincot-v2'"):
        protocols.load("clincot-v9")


def test_a_bare_name_is_the_newest_version_and_older_ones_stay() -> None:
    assert [protocols.load(name).label for name in ("clincot", "paper", "lmms-eval")] == [
        "clincot-v2",
        "paper-v2",
        "lmms-eval-v2",
    ]
    assert protocols.load("clincot-v1").version == 1
    assert protocols.chosen("clincot", []) == protocols.chosen("clincot-v2", ["clincot"]) == ("clincot-v2",)
    assert protocols.chosen("paper", ["all"])[:2] == ("paper-v2", "clincot-v2")


CHINESE = "\u56fe\u50cf\u91cc\u6709\u80ba\u5417?"


def test_lmms_eval_asks_chinese_questions_in_chinese() -> None:
    old, new = protocols.load("lmms-eval-v1"), protocols.load("lmms-eval-v2")
    for kind in ("closed", "open"):
        assert (
            new.asking.text(CHINESE, kind)
            == CHINESE + "\n\u8bf7\u7528\u4e00\u4e2a\u8bcd\u6216\u77ed\u8bed\u56de\u7b54\u95ee\u9898\u3002"
        )
        assert new.asking.text(" Is it? ", kind) == old.asking.text("Is it?", kind)
    assert new.asking.text(CHINESE, "report") == CHINESE
    assert not old.as_asked(new) and not new.as_asked(old)


def test_cares_counts_questions_that_can_be_answered_by_yes_or_no_alone() -> None:
    def example(name: str, answer: str) -> Example:
        return Example(name, "image", b"", "Which?", answer, "closed", "", "", answer)

    examples = [example("1", "Yes"), example("2", "no"), example("3", "Lung")]
    said = [Prediction(e.id, "image", "p", "direct", "Certainly", (), None, None) for e in examples]
    rows = {Row("p", "direct"): said}
    values = {
        (label, r.metric): (r.value, r.n)
        for label in ("cares-yesno-v1", "cares-yesno-v2")
        for r in Scoring(protocols.load(label), examples, 10, 0).results("test", rows)
    }
    assert values["cares-yesno-v1", "closed_accuracy"] == (pytest.approx(2 / 3), 3)
    assert values["cares-yesno-v2", "closed_yesno_accuracy"] == (0.5, 2)
    assert [m.name for m in protocols.load("cares-yesno").measures if m.headline] == ["closed_yesno_accuracy"]


def test_a_thought_is_no_part_of_an_answer_or_a_report() -> None:
    asked = Example("1", "image", b"", "Is it?", "no", "closed", "", "", "no")
    report = Example("2", "image", b"", "Report.", "No pleural effusion.", "report", "", "", "")
    texts = {"1": "<think>Yes, surely yes.</think>\n\nNo.", "2": "<think>Large effusion?</think>No pleural effusion."}
    rows = {Row("p", "direct"): [Prediction(i, "image", "p", "direct", t, (), None, None) for i, t in texts.items()]}
    plain = {
        Row("p", "direct"): [
            Prediction(i, "image", "p", "direct", t.rpartition(">")[2], (), None, None) for i, t in texts.items()
        ]
    }
    for label in ("clincot-v2", "paper-v2"):
        scoring = Scoring(protocols.load(label), [asked, report], 10, 0)
        assert str(scoring.results("test", rows)) == str(scoring.results("test", plain))  # nan: one image
    old = Scoring(protocols.load("clincot-v1"), [asked], 10, 0).results("test", rows)
    assert next(r.value for r in old if r.metric == "closed_accuracy") == 0.0  # frozen with its faults
