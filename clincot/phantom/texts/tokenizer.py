"""Every text of the phantom world -> a byte-level BPE tokenizer with a chat template: one recipe for all the models."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from clincot.chain import prompts
from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.drawing.draw import Phantom
from clincot.phantom.drawing.findings import FINDINGS, Finding
from clincot.phantom.texts import questions
from clincot.phantom.texts.questions import finding_sentence, report
from clincot.records import Box

PAD, BOS, END, IMAGE = "<pad>", "<s>", "<|end|>", "<image>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
ENTRIES = 800

# Image blocks come first in every prompt, so the text needs no separator. The template writes <s> itself
# (trl and vLLM tokenise with add_special_tokens=False); the generation marks let trl mask all but the answer.
CHAT_TEMPLATE = (
    "{{- bos_token -}}"
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>' -}}"
    "{%- if message['role'] == 'assistant' -%}{%- generation -%}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}"
    "{%- else -%}{%- for block in message['content'] -%}"
    "{%- if block['type'] == 'text' -%}{{- block['text'] -}}{%- endif -%}{%- endfor -%}{%- endif -%}"
    "{{- eos_token -}}{%- endgeneration -%}"
    "{%- elif message['content'] is string -%}{{- message['content'] -}}"
    "{%- else -%}{%- for block in message['content'] -%}"
    "{%- if block['type'] == 'image' -%}<image>{%- elif block['type'] == 'text' -%}{{- block['text'] -}}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)


def train_tokenizer(texts: Iterable[str] | None = None, entries: int = ENTRIES) -> PreTrainedTokenizerFast:
    """Train on `texts` (default: all texts of the phantom world); at most `entries` entries, one entry a digit."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=entries,
        special_tokens=[PAD, BOS, END, IMAGE, *ROLES],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(world_texts() if texts is None else texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=END,
        extra_special_tokens={"image_token": IMAGE},
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
        chat_template=CHAT_TEMPLATE,
    )


def world_texts() -> Iterator[str]:
    """Yield every question, answer, step sentence and report form, and both prompts' texts; no image is drawn."""
    for _ in range(50):  # the prompts are in every row, so their words become whole tokens
        yield from prompt_texts()
        yield from (*(" " + name for name in FINDINGS), *FINDINGS)
    for names in _choices():
        found = tuple(_somewhere(name, side, zone) for name, side, zone in names)
        phantom = Phantom(0, 0, np.zeros((1, 1), np.uint8), found, {})
        yield report(found)
        yield f" {finding_sentence(f.name for f in found)}"
        for seed in range(6):
            for question in questions.questions(phantom, np.random.default_rng(seed)):
                yield question.text
                yield question.answer


def prompt_texts() -> Iterator[str]:
    """Yield every text of the prompts of policies and judges."""
    yield from (
        prompts.SHOW_FINDING,
        prompts.ANSWER_WITH_REGION,
        prompts.ANSWER_DIRECTLY,
        prompts.SHOW_FINDING_OF_REPORT,
        prompts.REPORT_WITH_REGION,
        prompts.REPORT_DIRECTLY,
        prompts.JUDGE_SYSTEM,
        prompts.JUDGE_RUBRIC,
        prompts.JUDGE_REPORT_RUBRIC,
    )
    yield prompts.answer_messages("yes", ["no", "left", "right"])[0]["content"][-1]["text"]
    yield prompts.judge_messages("yes", "no", ("left",), "right")[1]["content"]
    yield prompts.judge_messages("yes", "no", (), "right")[1]["content"]


def _choices() -> Iterator[tuple[tuple[str, str, str], ...]]:
    single = list(itertools.product(FINDINGS, SIDES, ZONES))
    yield ()
    yield from ((one,) for one in single)
    yield from ((a, b) for a, b in itertools.combinations(single, 2) if a[0] != b[0])


def _somewhere(name: str, side: str, zone: str) -> Finding:
    return Finding(name, side, zone, Box(0, 0, 1, 1), np.zeros((1, 1), bool))
