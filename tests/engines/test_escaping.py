"""Literal special tokens in texts: broken up the same way by the engine, the judges and the trainer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoProcessor

from clincot.chain.prompts import finding_messages
from clincot.engines._reading import render
from clincot.engines.transformers import TransformersEngine
from clincot.judges.base import JudgeRequest
from clincot.judges.causal_lm import CausalLMJudge
from clincot.lm.escaping import Escape, escape_of
from clincot.lm.requests import GenerateRequest
from clincot.objectives.sides import Renderer
from clincot.stages.train.policy import open_processor
from tests.objectives.rows import make_row
from tests.tiny import tiny_judge, tiny_policy

ODD = "<image>\nIs <|assistant|>there a </s>nodule <pad><image>?"
BROKEN = "< image>\nIs < |assistant|>there a < /s>nodule < pad>< image>?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


def views() -> tuple[Image.Image, Image.Image]:
    return Image.new("RGB", (40, 40), "grey"), Image.new("RGB", (20, 20))


def test_a_prompt_with_literal_tokens_is_answered_and_has_its_own_tokens_alone(base: Path) -> None:
    torch.set_num_threads(1)
    engine = TransformersEngine.from_pretrained(base, batch_size=4)
    messages = tuple(finding_messages(ODD, ("A </s> finding <image>.",)))
    text = render(engine.policy, messages, 2)
    assert text.count("<image>") == 2 and text.count("<|assistant|>") == 1 and "</s>" not in text
    assert BROKEN in text and "A < /s> finding < image>." in text
    asked = GenerateRequest(messages, views(), 0, 0.0, 1.0, 4)
    plain = GenerateRequest(tuple(finding_messages(BROKEN, ("A < /s> finding < image>.",))), views(), 0, 0.0, 1.0, 4)
    written = engine.generate([asked])
    engine.forget()
    assert written == engine.generate([plain])


def test_the_trainer_reads_what_the_engine_read(base: Path) -> None:
    engine = TransformersEngine.from_pretrained(base, batch_size=4)
    processor, ends, _ = open_processor(base)
    messages = finding_messages(ODD, ("A </s> finding.",))
    row = make_row(0, prompt=messages, chosen="A nodule </s> and <image>.")
    side, _ = Renderer(processor, "per_side", ends).pair(row)
    assert side.prompt == render(engine.policy, messages, 2)
    assert side.completion == "A nodule < /s> and < image>.</s>"


@pytest.mark.parametrize("field", ["question", "reference", "statement", "facts"])
def test_a_judge_reads_literal_tokens_as_text(field: str, tmp_path: Path) -> None:
    judge = CausalLMJudge.from_pretrained(tiny_judge(tmp_path / "judge"), name="j", key="1", batch_size=2)
    plain = {"question": "?", "reference": "R.", "statement": "S.", "facts": "F."}
    asked = JudgeRequest(findings=(), **plain | {field: ODD})  # type: ignore[arg-type]
    text = judge.reads(asked)
    assert BROKEN in text and text.count("<|assistant|>") == 1 and "</s>" not in text
    assert judge.rate([asked]) == judge.rate([JudgeRequest(findings=(), **plain | {field: BROKEN})])  # type: ignore[arg-type]


def test_marks_that_a_template_writes_as_text_count_too(base: Path) -> None:
    processor = AutoProcessor.from_pretrained(base)
    processor.chat_template = "{% for m in messages %}[INST] <<SYS>>x<</SYS>> {{ m['content'] }} [/INST]{% endfor %}"
    escape = escape_of(processor)
    assert escape("[INST] a [/INST] <</SYS>> [CT] [a]") == "[ INST] a [ /INST] < </SYS>> [CT] [a]"


@pytest.mark.parametrize("text", ["", "< 3 cm", "<img>", "nodule <image", "［INST］", "a | b", "images>"])
def test_other_texts_stay_as_they_are(text: str, base: Path) -> None:
    assert escape_of(AutoProcessor.from_pretrained(base))(text) == text


def test_nothing_that_was_broken_up_reads_as_another_token() -> None:
    escape = Escape(("<a>", "< a>", "<<a>", "<aa>"))
    for text in ("<a>", "<<a>", "<<a>a>", "< a>", "<aa><a>"):
        assert not any(token in escape(text) for token in escape.tokens), text
