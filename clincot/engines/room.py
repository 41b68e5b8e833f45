"""A policy's processor and context -> which prompts it has no room for; no weights are read and no images decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image
from transformers import AutoConfig

from clincot.engines._image_tokens import image_tokens
from clincot.engines._reading import render
from clincot.lm.ends import end_texts
from clincot.lm.escaping import Escape, escape_of
from clincot.lm.image_fit import CropLoss, Size, crop_loss
from clincot.lm.lengths import SPARE, context_of, lengths, most_tokens
from clincot.lm.processors import read_processor
from clincot.lm.requests import GenerateRequest
from clincot.lm.templates import refuse_residue
from clincot.recipe import ImageFit
from clincot.records import Message


@dataclass(frozen=True)
class PolicyRoom:
    """Counts the tokens of prompts as the engine does.

    An image counts as many tokens as a small one has. Models that give larger images more tokens may refuse more.
    """

    processor: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    image_token: str
    context: int
    escape: Escape = field(repr=False)

    @classmethod
    def from_pretrained(cls, base: str | Path, image_fit: ImageFit = "as_is") -> PolicyRoom:
        """Open the processor and config of a folder, once before each build.

        Raises ModelError for a processor that cannot be read, and for one whose answers could not be trained.
        """
        processor, config = read_processor(base, image_fit), AutoConfig.from_pretrained(base)
        refuse_residue(processor, end_texts(Path(base), processor), base)
        image_token = str(getattr(processor, "image_token", "<image>"))
        return cls(processor, processor.tokenizer, image_token, context_of(config), escape_of(processor))

    def too_long(self, requests: Sequence[GenerateRequest]) -> list[bool]:
        """Return, for each request, whether prompt and new tokens exceed the context; `images` may be left out."""
        found = [False] * len(requests)
        odd = [i for i, request in enumerate(requests) if not self._surely_fits(request)]
        asked = [requests[i] for i in odd]
        texts = [render(self, request.messages, _blocks(request), request.prefill) for request in asked]
        for i, length in zip(odd, lengths(self.tokenizer, texts), strict=True):
            grown = length + _blocks(requests[i]) * (self._image_tokens - 1)
            found[i] = grown + requests[i].max_new_tokens > self.context
        return found

    def ids(self, messages: Sequence[Message], images: Sequence[Image]) -> tuple[int, ...]:
        """Return the token ids that the model reads, image tokens included, as the processor writes them."""
        text = render(self, messages, len(images))
        options: dict[str, Any] = {"text": [text], "add_special_tokens": False}
        read = self.processor(images=[list(images)], **options) if images else self.tokenizer(**options)
        return tuple(map(int, read["input_ids"][0]))

    def crop_loss(self, sizes: Sequence[Size]) -> CropLoss | None:
        """Return what the processor crops away of images of these sizes, None where it does not crop."""
        return crop_loss(self.processor.image_processor, sizes)

    def _surely_fits(self, request: GenerateRequest) -> bool:
        texts = (request.prefill, *_texts(request.messages))
        own = self._frame + most_tokens(texts) + _blocks(request) * self._image_tokens
        return own + request.max_new_tokens <= self.context

    @cached_property
    def _image_tokens(self) -> int:
        return image_tokens(self)

    @cached_property
    def _frame(self) -> int:
        """Tokens of the template around a text."""
        turn = ({"role": "user", "content": [{"type": "text", "text": "?"}]},)
        return lengths(self.tokenizer, [render(self, turn, 0)])[0] + SPARE


def _blocks(request: GenerateRequest) -> int:
    contents = [message["content"] for message in request.messages if not isinstance(message["content"], str)]
    return sum(block["type"] == "image" for content in contents for block in content)


def _texts(messages: Sequence[Any]) -> Iterator[str]:
    for message in messages:
        content = message["content"]
        yield from [content] if isinstance(content, str) else [block.get("text") or "" for block in content]
