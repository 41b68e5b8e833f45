"""Language models as editors: replies are read bare, the same again is a bounded failure; served ones are equal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from clincot import editors
from clincot.editors.base import LEAST, UNCHANGED, RewriteRequest
from clincot.editors.instructed import CUT, EMPTY, TRIES, Instructed, instruction
from clincot.errors import ModelError
from clincot.lm.requests import Completion, Counters, GenerateRequest
from tests.engines.served import ServedModels
from tests.tiny import tiny_judge, tiny_policy

torch.set_num_threads(1)
ASKED = RewriteRequest("A nodule in the left lung.", "What is shown?", seed=3)


class Says:
    """A writer whose replies are given, by attempt; it keeps what it was asked."""

    def __init__(self, *replies: str | Completion) -> None:
        self.replies, self.counters = list(replies), Counters()
        self.asked: list[GenerateRequest] = []

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.asked += requests
        said = [self.replies[min(len(self.asked) - 1, len(self.replies) - 1)] for _ in requests]
        return [one if isinstance(one, Completion) else Completion(one, -1.0, 3, "stop") for one in said]


def editor(*replies: str | Completion) -> Instructed:
    return Instructed(Says(*replies), name="ns/editor", key="k")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("A nodule in the right lung.", "A nodule in the right lung."),
        ('Answer: "A nodule in the right lung."', "A nodule in the right lung."),
        ("<think>left, so right</think>\n**Rewritten answer:** A mass.", "A mass."),
        ('"Left" and "right" are the same.', '"Left" and "right" are the same.'),
    ],
)
def test_a_reply_is_read_without_thoughts_labels_and_quotation_marks(reply: str, text: str) -> None:
    (found,) = editor(reply).rewrite([ASKED])
    assert (found.text, found.failure) == (text, None)


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("a nodule  in the left lung", UNCHANGED),
        ("<think>hm</think>", EMPTY),
        (Completion("A nodule in the", -1.0, 9, "length"), CUT),
        (Completion("", float("nan"), 0, "failed", failure="a filter"), "a filter"),
    ],
)
def test_what_says_the_same_or_nothing_is_asked_for_again_and_then_a_failure(
    reply: str | Completion, failure: str
) -> None:
    always, once = editor(reply), editor(reply, "A mass.")
    (found,) = always.rewrite([ASKED])
    assert (found.text, found.failure) == (None, failure) and always.failures == {failure: 1}
    seeds = [request.seed for request in always.writer.asked]
    assert len(set(seeds)) == TRIES and seeds[0] == ASKED.seed
    (found,) = once.rewrite([ASKED])
    assert found.text == "A mass." and not once.failures and once.rewritten == 1


def test_too_many_failures_stop_the_work_with_their_reasons() -> None:
    stuck = editor(ASKED.text)
    stuck.rewrite([ASKED] * (LEAST - 1))
    with pytest.raises(ModelError, match=rf"editor ns/editor: 20 of 20 texts .* {UNCHANGED} \(20\).*kind: rules"):
        stuck.rewrite([ASKED])


def test_the_number_of_changes_and_the_findings_are_asked_for() -> None:
    several = RewriteRequest("x", "y", 0, vocabulary=("effusion", "edema"), changes=2)
    assert "2 clinically wrong details" in instruction(several) and "effusion, edema" in instruction(several)
    assert "one clinically wrong detail" in instruction(ASKED) and instruction(ASKED).endswith(f"Answer: {ASKED.text}")


@pytest.mark.long
def test_a_served_model_writes_what_it_writes_in_process(tmp_path: Path) -> None:
    folders = {"causal_lm": tiny_judge(tmp_path / "text"), "vlm": tiny_policy(tmp_path / "sees")}
    asked = [ASKED, RewriteRequest("Yes", "Is there an effusion?", 4), RewriteRequest("无", "有结节吗?", 5)]
    server = ServedModels({kind: (folder,) for kind, folder in folders.items()})
    try:
        for kind, folder in folders.items():
            here = editors.load(kind, folder, batch_size=2, name=kind, key="k")
            expected = here.rewrite(asked)
            assert here.rewrite(asked[:1]) == expected[:1] and here.key == "k-instructed-1"
            served = editors.load("openai", None, endpoint=server.endpoint, batch_size=2, name=kind, key="k")
            assert served.rewrite(asked) == expected
    finally:
        server.stop()
