"""Closed-question rules against cases made by hand from their sources and the measured table of released texts."""

from __future__ import annotations

import pytest

from clincot.errors import ClincotError
from clincot.metrics.scoring.closed import RULES, accuracy, is_yes_no, unparsed
from tests.metrics.golden import released

# Above each group: its source and what decides there (docs/metrics.md#closed-rules).
CASES = [
    # this project: the first standalone yes or no of N(p) decides; other golds are a run of whole words of N(p)
    ("default", "No, not yes", "no", True),
    ("default", "The lungs are normal", "no", False),
    ("default", "It lies in the left lung.", "Left lung", True),
    ("default", "leftish lung", "left", False),
    ("default", "anything", "", False),
    # microsoft/LLaVA-Med run_eval.py after b9a98a7: the substring yes or no is a gate, then N(g) in N(p)
    ("llava-med-v1", "abnormal", "no", True),
    ("llava-med-v1", "I do not know", "no", True),
    ("llava-med-v1", "MRI", "MRI", False),
    ("llava-med-v1", "no, MRI", "MRI", True),
    # microsoft/LLaVA-Med run_eval_batch.py: N(g) in N(p), no gate
    ("llava-med-batch", "MRI scan", "MRI", True),
    ("llava-med-batch", "anything", "", True),
    ("llava-med-batch", "CT", "MRI", False),
    # EvolvingLMMs-Lab/lmms-eval tasks/slake@75571cf: brackets and punctuation to spaces, whole-text synonyms, equality
    ("lmms-eval", "Yep (sure)!", "yes", True),
    ("lmms-eval", "Yes, it is", "yes", False),
    ("lmms-eval", "X-Ray", "xray", True),
    ("lmms-eval", "\u662f\u7684\u3002", "yes", True),
    ("lmms-eval", "yes (unclosed", "yes", False),
    # alibaba-damo-academy/MedEvalKit@9b12e3b: the last answer mark, yes and no by XOR, other golds by equality
    ("medevalkit", "I think no. Final answer: yes.", "Yes", True),
    ("medevalkit", "\\boxed{yes}", "yes", True),
    ("medevalkit", "<answer>no</answer> yes", "no", True),
    ("medevalkit", "<answer>no yes", "no", False),
    ("medevalkit", "yes and no", "yes", False),
    ("medevalkit", " MRI", "MRI", False),
    # the same, with mathruler's box: the last one, its braces balanced; "boxed" without a box is the text None
    ("medevalkit-v2", "First \\boxed{no}, then \\boxed{yes}.", "Yes", True),
    ("medevalkit-v2", "\\boxed{\\text{MRI}}", "\\text{MRI}", True),
    ("medevalkit-v2", "\\boxed{yes", "yes", False),
    ("medevalkit-v2", "It is boxed in. Answer: yes", "yes", False),
    ("medevalkit-v2", "<answer>no</answer> or <answer>yes</answer>", "no", False),
    ("medevalkit-v2", "<answer>Left</answer> <answer>lung</answer>", "Left lung", True),
    ("medevalkit-v2", "I think no. Final answer: yes.", "Yes", True),
    ("medevalkit-v2", " MRI", "MRI", False),
    # this project, in any script; tests/metrics/test_answers.py has the whole series
    ("clincot-v2", "**Yes**\u2014there is", "yes", True),
    ("clincot-v2", "I cannot say yes or no", "no", False),
    ("clincot-v2", "MRI or CT", "MRI", False),
    # richard-peng-xia/CARES eval_yesno.py@a743fe0: No, not, no before the first full stop, case-sensitive; else yes
    ("cares-yesno", "Certainly", "yes", True),
    ("cares-yesno", "NO", "no", False),
    ("cares-yesno", "Yes. No doubt", "yes", True),
    # Xiwei-web/ClinCoT evaluation/vqa_metrics.py@836fd3d: strip, lower, one space, equality
    ("clincot-strict", " YES ", "yes", True),
    ("clincot-strict", "yes.", "yes", False),
    ("clincot-strict", "left\n lung", "Left lung", True),
]


@pytest.mark.parametrize(("rule", "said", "gold", "hit"), CASES)
def test_each_rule_decides_as_its_source_does(rule: str, said: str, gold: str, hit: bool) -> None:
    assert RULES[rule](said, gold) is hit


def test_every_rule_has_cases_of_its_own() -> None:
    assert {case[0] for case in CASES} == set(RULES)


def test_an_answer_that_says_neither_is_unparsed() -> None:
    assert unparsed("The lungs are normal", "Yes")
    assert not unparsed("The lungs are normal", "Left")


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'lmms-eval'"):
        accuracy("lmms_eval")


# docs/benchmarks.md#rules-compared; its question prior is reproduced in tests/stages/evaluate/test_controls.py.
COLUMNS = (("slake", "chosen"), ("slake", "rejected"), ("vqa-rad", "chosen"), ("vqa-rad", "rejected"))
TABLE = {
    "llava-med-v1": ((85.9, 99.1, 1.1), (7.2, 7.3, 6.5), (92.3, 99.9, 8.2), (9.4, 9.3, 10.6)),
    "llava-med-batch": ((98.9, 99.1, 97.3), (11.5, 7.3, 38.5), (99.8, 99.9, 98.8), (9.6, 9.3, 12.9)),
    "medevalkit": ((83.0, 95.9, 0.4), (0.8, 1.0, 0.0), (91.1, 99.3, 1.2), (0.5, 0.5, 0.0)),
    "medevalkit-v2": ((83.0, 95.9, 0.4), (0.8, 1.0, 0.0), (91.1, 99.3, 1.2), (0.5, 0.5, 0.0)),
    "clincot-v2": ((98.8, 99.1, 96.9), (5.4, 0.8, 35.1), (99.8, 99.9, 98.8), (0.6, 0.2, 4.7)),
    "lmms-eval": ((87.6, 86.8, 93.1), (0.1, 0.1, 0.0), (95.8, 96.0, 94.1), (0.0, 0.0, 0.0)),
    "cares-yesno": ((98.6, 98.4, 100), (17.3, 5.6, 92.4), (99.9, 99.9, 100), (9.8, 2.9, 87.1)),
    "default": ((98.9, 99.1, 97.3), (5.5, 0.8, 35.5), (99.8, 99.9, 98.8), (1.0, 0.2, 9.4)),
    "clincot-strict": ((87.0, 86.1, 92.4), (0.1, 0.1, 0.0), (95.3, 95.4, 94.1), (0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize("rule", TABLE)
def test_the_measured_closed_table_is_reproduced_to_the_printed_digit(rule: str) -> None:
    def share(pairs: list[tuple[str, str]]) -> float:
        return round(100 * sum(RULES[rule](*pair) for pair in pairs) / len(pairs), 1)

    for column, expected in zip(COLUMNS, TABLE[rule], strict=True):
        asked = [(text, gold) for text, gold, kind in released(*column) if kind == "CLOSED"]
        yes_no = [pair for pair in asked if is_yes_no(pair[1])]
        other = [pair for pair in asked if not is_yes_no(pair[1])]
        assert (share(asked), share(yes_no), share(other)) == expected, column


def test_the_measured_counts_of_unparsed_answers_are_reproduced() -> None:
    counts = [sum(unparsed(t, g) for t, g, kind in released(*column) if kind == "CLOSED") for column in COLUMNS]
    assert counts == [0, 62, 0, 27]
