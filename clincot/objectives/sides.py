"""A row of preference pairs -> its chosen and rejected side: prompt text, completion text and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

from jinja2 import TemplateError
from PIL.Image import Image
from transformers import ProcessorMixin
from trl.data_utils import prepare_multimodal_messages

from clincot.chain.layout import arranged
from clincot.chain.steps import blocks
from clincot.errors import DataError, ModelError
from clincot.images import decode
from clincot.lm.escaping import Escape, escape_of
from clincot.recipe import Conditioning, ImageLayout
from clincot.rows.stored_messages import read_content

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One conversation: `completion` is what is trained on; `images` fill the prompt in order.

    An end token closes the completion, unless the text was cut before it ended. `weights` weigh the log-probability of
    each token of the completion, end token included; None weighs all alike.
    """

    prompt: str
    completion: str
    images: tuple[Image, ...] = field(repr=False)
    weights: tuple[float, ...] | None = field(default=None, repr=False)

    @cached_property
    def image_keys(self) -> tuple[str, ...]:
        """Equal for equal images: a digest of size and pixels."""
        return tuple(pixels_key(image) for image in self.images)


@dataclass(frozen=True)
class Renderer:
    """Turns rows into sides; `end_tokens` are the strings at which the policy's own generation stops.

    With `image_layout` canvas all images of a side are one image, as the build showed them to the policy.
    """

    processor: ProcessorMixin
    conditioning: Conditioning = "per_side"
    end_tokens: tuple[str, ...] = ()
    image_layout: ImageLayout = "separate"

    def pair(self, row: Row) -> tuple[Side, Side]:
        """Return the chosen and the rejected side of `row`. Raises DataError naming the row."""
        shared = list(row["images"] or [])
        chosen, rejected = crops(row, "chosen"), crops(row, "rejected")
        if self.conditioning == "winner":
            rejected = chosen
        elif self.conditioning == "global":
            chosen, rejected = [], []
        prompt = [_plain(message) for message in row["prompt"]]
        if self.conditioning == "global":
            prompt = keep_images(prompt, len(shared))
        sides = [
            self.side(row, prompt, self.seen(row, shared, own), row[name], row.get(f"{name}_finish"))
            for name, own in (("chosen", chosen), ("rejected", rejected))
        ]
        return _weighed(sides[0], row, "chosen"), _weighed(sides[1], row, "rejected")

    def seen(self, row: Row, shared: Sequence[Any], own: Sequence[Any]) -> list[Any]:
        """Return the images of one side in the order of its image blocks."""
        where = f"row {row.get('id', '?')}"
        return list(arranged([decoded(image, where) for image in (*shared, *own)], self.image_layout))

    def counts(self, shared: int, chosen: int, rejected: int, asked: int) -> list[tuple[int, int]]:
        """Return, for each side, how many images it has and how many of `asked` blocks its prompt keeps."""
        if self.conditioning == "global":
            return [(shared, min(shared, asked))] * 2
        owns = (chosen, chosen if self.conditioning == "winner" else rejected)
        return [(blocks(shared + own, self.image_layout), asked) for own in owns]

    def side(
        self, row: Row, prompt: list[dict[str, Any]], images: Sequence[Any], text: str, finish: str | None = None
    ) -> Side:
        """Render one side with the chat template, exactly as generation saw and wrote it.

        `finish` is why the text ends; None (gold answers, rows that do not say) counts as `stop`.
        """
        where = f"row {row.get('id', '?')}"
        images = [decoded(image, where) for image in images]
        try:
            messages = prepare_multimodal_messages(self.escape.messages(prompt), images=images)
        except ValueError as error:
            raise DataError(f"{where}: {error} Build the dataset again, or train with conditioning=global.") from error
        answer = {"role": "assistant", "content": [{"type": "text", "text": self.escape(text)}]}
        try:
            opening = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
            whole = self.processor.apply_chat_template([*messages, answer], tokenize=False)
        except TemplateError as error:
            raise DataError(f"{where}: the chat template refuses its turns ({error}). Change its prompt.") from error
        if not whole.startswith(opening):
            raise ModelError(
                "chat template: the prompt that generation sees does not begin the answered conversation, so other"
                " text would be trained than is generated. Use a base model whose template keeps prefixes."
            )
        rest = whole[len(opening) :]
        ended = finish in (None, "stop")
        return Side(opening, self.completion(rest, self.escape(text), ended), tuple(images))

    def completion(self, rest: str, text: str, ended: bool = True) -> str:
        """Cut the rendered answer after its end token, as some templates write a line break there; else before it."""
        ends = self.end_tokens or (self.processor.tokenizer.eos_token,)
        said = behind(rest, text)
        if said and not ended:
            return rest[:said]
        found = [(at, at + len(end)) for end in ends if (at := rest.find(end, said)) >= 0]
        if not ended:
            return rest[: min(found)[0]] if found else rest.rstrip()
        return rest[: min(found)[1]] if found else rest.rstrip() + ends[0]

    @cached_property
    def escape(self) -> Escape:
        """What breaks up literal special tokens, as the engine does before it writes."""
        return escape_of(self.processor)


def _weighed(side: Side, row: Row, name: str) -> Side:
    weights = row.get(f"{name}_token_weights")
    return side if weights is None else replace(side, weights=tuple(weights))


def behind(rest: str, text: str) -> int:
    """Return where `text` ends in the rendered answer, stripped or not; 0 where a template writes it otherwise."""
    core = text if text in rest else text.strip()
    at = rest.find(core)
    return at + len(core) if at >= 0 else 0


def crops(row: Row, side: str) -> list[Any]:
    """Return the side's own images: its part of `side_images` (chosen's, then rejected's) or its own column.

    `chosen_images_count` and `rejected_images_count` say how many are whose; rows without them have one each.
    """
    both = row.get("side_images") or []
    counts = [row.get(f"{name}_images_count") for name in ("chosen", "rejected")]
    if not both and not any(counts):
        return list(row.get(f"{side}_images") or [])
    first, second = (1 if count is None else count for count in counts)
    if len(both) != first + second:
        raise DataError(
            f"row {row.get('id', '?')}: side_images holds {len(both)} images, not {first + second}."
            " Build the dataset again."
        )
    return list(both[:first] if side == "chosen" else both[first:])


def keep_images(messages: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return the messages with their first `count` image blocks; those of the crops come later and go."""
    kept: list[dict[str, Any]] = []
    left = count
    for message in messages:
        if isinstance(message["content"], str):
            kept.append(message)
            continue
        blocks = []
        for block in message["content"]:
            if block["type"] == "image":
                left -= 1
            if block["type"] != "image" or left >= 0:
                blocks.append(block)
        kept.append({**message, "content": blocks})
    return kept


def pixels_key(image: Image) -> str:
    """Return a digest of a decoded image, which two encodings of it share."""
    return blake2b(image.tobytes(), digest_size=16, salt=f"{image.width}x{image.height}".encode()[:16]).hexdigest()


def decoded(image: Any, where: str) -> Image:
    """Decode an image of a row to RGB as the build does; accepts undecoded structs and PIL images."""
    if isinstance(image, Image):
        return image if image.mode == "RGB" else image.convert("RGB")
    if not image or not image.get("bytes"):
        raise DataError(f"{where}: an image has no bytes. Embed the images when writing the dataset.")
    return decode(image["bytes"], where)


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": message["role"], "content": read_content(message["content"])}
