"""Protocols: every score they name exists, and a label names exactly one."""

from __future__ import annotations

import pytest

from clincot import prompts, protocols
from clincot.errors import ClincotError
from clincot.evaluation.grounding import GROUNDING
from clincot.metrics import load_score
from clincot.recipe import Evaluate


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
    with pytest.raises(ClincotError, match="Did you mean 'clincot-v1'"):
        protocols.load("clincot")
