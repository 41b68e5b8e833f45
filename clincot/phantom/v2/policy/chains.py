"""A policy, questions and the regions to look at -> findings and answers, greedily, by the prompts of the toolkit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.chain import prompts
from clincot.phantom.texts.questions import Question
from clincot.phantom.texts.tokenizer import IMAGE
from clincot.phantom.v2.draw import Radiograph
from clincot.records import Box, Message

BATCH = 64
LONGEST = 72  # tokens; a report of four nodules


@dataclass(frozen=True)
class Asked:
    """One question about one image, and the regions that the steps of its chain look at; none: the whole image."""

    drawn: Radiograph = field(repr=False)
    question: Question
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Told:
    """What a policy wrote: a finding for every region but the last, then the answer."""

    findings: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Policy:
    """The model with its processor."""

    model: LlavaForConditionalGeneration
    processor: LlavaProcessor

    def write(
        self,
        asked: Sequence[tuple[list[Message], list[Image.Image]]],
        *,
        prefix: str = "",
        banned: Sequence[str] = (),
        temperature: float = 0.0,
        longest: int = LONGEST,
    ) -> list[str]:
        """Continue each prompt after `prefix`, without the tokens `banned`; greedily unless a temperature is given."""
        tokenizer = self.processor.tokenizer
        suppressed = [tokenizer.convert_tokens_to_ids(IMAGE), *(self.token(word) for word in banned)]
        how = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
        texts = []
        for inputs in self._batches(asked, prefix):
            with torch.inference_mode():
                made = self.model.generate(**inputs, max_new_tokens=longest, suppress_tokens=suppressed, **how)
            own = made[:, inputs["input_ids"].shape[1] :]
            texts += [prefix + text for text in tokenizer.batch_decode(own, skip_special_tokens=True)]
        return texts

    def next_words(
        self, asked: Sequence[tuple[list[Message], list[Image.Image]]], words: Sequence[str], *, prefix: str = ""
    ) -> torch.Tensor:
        """Return the log-probability of each of `words` (one token each) after `prefix`: (prompts, words)."""
        tokens = [self.token(word) for word in words]
        found = []
        for inputs in self._batches(asked, prefix):
            with torch.inference_mode():
                logits = self.model(**inputs, logits_to_keep=1).logits[:, -1].float()
            found.append(torch.log_softmax(logits, -1)[:, tokens])
        return torch.cat(found)

    def token(self, word: str) -> int:
        """Return the first token of `word`."""
        return int(self.processor.tokenizer.encode(word, add_special_tokens=False)[0])

    def _batches(self, asked: Sequence[tuple[list[Message], list[Image.Image]]], prefix: str) -> list[dict]:
        made = []
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            texts = [self.processor.apply_chat_template(m, add_generation_prompt=True) + prefix for m, _ in part]
            images = [shown for _, shown in part]
            made.append(
                self.processor(images=images, text=texts, padding=True, add_special_tokens=False, return_tensors="pt")
            )
        return made


def run(policy: Policy, asked: Sequence[Asked]) -> list[Told]:
    """Walk every chain: a finding of each region but the last, then the answer with the last; direct without regions.

    All of `asked` must have equally many regions.
    """
    if not asked or not asked[0].boxes:
        direct = [
            (prompts.direct_messages(a.question.text, report=a.question.is_report), [whole(a.drawn)]) for a in asked
        ]
        return [Told((), text) for text in policy.write(direct)]
    steps = len(asked[0].boxes)
    said: list[tuple[str, ...]] = [() for _ in asked]
    for step in range(1, steps + 1):
        turns = []
        for a, before in zip(asked, said, strict=True):
            messages = prompts.step_messages(
                a.question.text, before, step=step, steps=steps, report=a.question.is_report
            )
            turns.append((messages, seen_at(a.drawn, a.boxes[step - 1])))
        said = [(*before, text) for before, text in zip(said, policy.write(turns), strict=True)]
    return [Told(texts[:-1], texts[-1]) for texts in said]


def whole(drawn: Radiograph) -> Image.Image:
    """Return the image as a policy is shown it."""
    return Image.fromarray(drawn.image).convert("RGB")


def seen_at(drawn: Radiograph, box: Box) -> list[Image.Image]:
    """Return what a policy sees when it looks at `box`: the whole image and the crop."""
    image = whole(drawn)
    return [image, image.crop(box)]
