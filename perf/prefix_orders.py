"""The policy's requests in ClinCoT's chain -> what a served 7B LLaVA saves of them, by order, shard and room.

Run as `python perf/prefix_orders.py`; no model is loaded. The real method walks (perf/scaled_chain.py), a digest writes
its texts, and perf/block_cache.py counts with the token lengths of a 7B LLaVA.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from clincot.engines.openai import chat_messages
from clincot.engines.prefix_order import Order, PrefixOrder, prefix_order
from clincot.lm.requests import Completion, Counters, GenerateRequest
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import cut_shards
from clincot.stages.sample.workbench import Workbench, sample_shard
from perf.block_cache import Prompt, share_saved, tokens_read
from perf.scaled_chain import ByDigest, Size, Squares, examples_of, recipe_of

BLOCK = 16  # vLLM's default on a GPU
ROOMS = (460_000, 115_000, 56_000, 14_000)
IMAGE, FRAME, WORD, RESPONSE = 576, 35, 3, 100  # tokens: an image, the template, a word of a question, a response
DIGEST = 8
Calls = list[list[GenerateRequest]]


class Digests:
    """An engine that writes a digest of what it is asked, and remembers it."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.calls: Calls = []

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.calls.append(list(requests))
        return [Completion(self._text(request), 0.0, RESPONSE, "stop") for request in requests]

    def _text(self, request: GenerateRequest) -> str:
        images = b"".join(image.tobytes() for image in request.images)
        return hashlib.blake2b(repr((request.messages, request.seed)).encode() + images, digest_size=DIGEST).hexdigest()

    def forget(self) -> None:
        pass


@dataclass(frozen=True)
class One:
    """A request's turns, with names of images as their URLs, and its prompt as tokens that say what they are."""

    messages: list[dict[str, Any]]
    prompt: Prompt


def asked_by(size: Size, shard_images: int) -> list[list[One]]:
    """Return the calls of a build of `size`, cut into shards of so many images."""
    recipe, engine = recipe_of(size), Digests()
    bench = Workbench(recipe, 1, Models(engine, Squares(), (ByDigest(),)))
    for shard in cut_shards(examples_of(size, entities=False), shard_images):
        finish(sample_shard(of_recipe(recipe), shard, bench))
    return [[asked(request) for request in call] for call in engine.calls]


def asked(request: GenerateRequest) -> One:
    """Return a request with its prompt: frame, images and words, each in as many tokens as at 7B."""
    names = tuple(hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest() for image in request.images)
    words = " ".join(block["text"] for block in request.messages[-1]["content"] if block["type"] == "text").split()
    lengths = [("", FRAME), *((name, IMAGE) for name in names), *((w, _tokens(w)) for w in words)]
    prompt = [(part, number) for part, length in lengths for number in range(length)]
    return One(chat_messages(request.messages, names), prompt)


def _tokens(word: str) -> int:
    return RESPONSE if len(word) == 2 * DIGEST else WORD


def in_order(call: Sequence[One], order: Order = prefix_order) -> list[Prompt]:
    """Return the prompts of a call as the engine sends them."""
    return [call[place].prompt for place in order([one.messages for one in call])]


def shuffled(call: Sequence[One], seed: int) -> list[Prompt]:
    """Return the prompts of a call in a random order."""
    return [one.prompt for one in random.Random(seed).sample(call, len(call))]


def saved(calls: Sequence[Sequence[One]], arrange: Callable[[Sequence[One]], list[Prompt]], room: int) -> float:
    """Return the share saved by a cache with room for so many tokens, by what one without limit saves."""
    prompts = [prompt for call in calls for prompt in arrange(call)]
    return share_saved(tokens_read(prompts, BLOCK, room // BLOCK), prompts, BLOCK)


def table(size: Size, shards: Sequence[int], rooms: Sequence[int]) -> None:
    """Print a row per order and length of shards, a column per room."""
    print(f"\n{size.images} images with {size.questions} questions each; shares of what a cache without limit saves")
    print("| images a shard | order in a call | " + " | ".join(f"room {room:,}" for room in rooms) + " |")
    print("|---" * (2 + len(rooms)) + "|")
    for shard in shards:
        calls, turning = asked_by(size, shard), PrefixOrder()
        numbers = iter(range(len(calls) * len(rooms)))
        ways: dict[str, Callable[[Sequence[One]], list[Prompt]]] = {
            "random": lambda call, n=numbers: shuffled(call, next(n)),
            "as asked": lambda call: [one.prompt for one in call],
            "by prefix": in_order,
            "by prefix, every second call backwards": lambda call, o=turning: in_order(call, o),
        }
        for name, arrange in ways.items():
            found = " | ".join(f"{saved(calls, arrange, room):.1%}" for room in rooms)
            print(f"| {shard} | {name} | {found} |")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=8)
    options.add_argument("--questions", type=int, nargs="+", default=[2, 10], help="of an image")
    options.add_argument("--shards", type=int, nargs="+", default=[8, 4, 2], help="images of a shard")
    options.add_argument("--rooms", type=int, nargs="+", default=ROOMS, help="tokens that the server's cache holds")
    wanted = options.parse_args()
    for questions in wanted.questions:
        table(Size(wanted.images, questions, candidates=5, steps=2, samples=2), wanted.shards, wanted.rooms)


if __name__ == "__main__":
    main()
