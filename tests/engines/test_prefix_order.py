"""The order of a server's requests: by what their prompts begin with, and what a cache of full blocks saves by it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest

from clincot.engines.openai import chat_messages
from clincot.engines.prefix_order import PrefixOrder, prefix_order
from clincot.lm.requests import GenerateRequest
from perf.block_cache import BlockCache, share_saved, tokens_read
from perf.prefix_orders import BLOCK, One, asked_by, in_order
from perf.scaled_chain import Size
from tests.engines.conftest import requests

ROOM = 2200 // BLOCK  # blocks: a prompt of 7B's lengths has 1,330 tokens, an image with its five crops 3,500


@pytest.fixture(scope="module")
def build() -> list[list[One]]:
    """The calls of a build: three images in one shard, two steps with look-ahead."""
    return asked_by(Size(images=3, questions=3, steps=2, samples=2), shard_images=3)


def messages_of(asked: Sequence[GenerateRequest]) -> list[list[dict[str, Any]]]:
    return [chat_messages(one.messages, [str(id(image)) for image in one.images]) for one in asked]


def test_images_come_as_they_first_appear_and_texts_by_their_letters():
    asked = requests(0.0)  # two images, three regions each, one question with and without findings; one without region
    names = [tuple(str(id(image)) for image in request.images) for request in asked]
    places = random.Random(3).sample(range(len(asked)), len(asked))
    ordered = [places[place] for place in prefix_order(messages_of([asked[place] for place in places]))]
    assert sorted(ordered) == list(range(len(asked)))
    first = [names[place][0] for place in ordered]
    assert len(list(groupby(first))) == len(set(first)) == 2
    regions = [names[place] for place in ordered]
    assert len(list(groupby(regions))) == len(set(regions)) == 8
    assert first[0] == names[places[0]][0]


def test_a_text_before_an_image_and_a_system_turn_count_where_they_are():
    def image(name: str) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": name}}

    look, now = {"type": "text", "text": "look"}, {"type": "text", "text": "now"}
    asked = [
        [{"role": "user", "content": [image("b"), look]}],
        [{"role": "user", "content": [now, image("a")]}],
        [{"role": "user", "content": [image("a"), look]}],
        [{"role": "system", "content": "be brief"}, {"role": "user", "content": [image("c"), now]}],
        [{"role": "user", "content": [look, image("a")]}],
        [{"role": "user", "content": "look"}],
    ]
    assert prefix_order(asked) == [3, 5, 4, 1, 0, 2]


def test_every_second_call_goes_backwards():
    order, asked = PrefixOrder(), messages_of(requests(0.0))
    forwards = prefix_order(asked)
    assert [order(asked) for _ in range(3)] == [forwards, forwards[::-1], forwards]


def test_within_a_call_room_for_two_prompts_is_enough(build: list[list[One]]) -> None:
    for number, call in enumerate(build):
        mixed = random.Random(number).sample(call, len(call))
        ours, chance = in_order(mixed), [one.prompt for one in mixed]
        assert share_saved(tokens_read(ours, BLOCK, ROOM), ours, BLOCK) >= 0.99
        assert share_saved(tokens_read(chance, BLOCK, ROOM), chance, BLOCK) < 0.9


def test_a_cache_that_holds_half_a_shard_is_used_by_the_next_call(build: list[list[One]]) -> None:
    order, room = PrefixOrder(), 9_000 // BLOCK
    turning = [prompt for call in build for prompt in in_order(call, order)]
    forwards = [prompt for call in build for prompt in in_order(call)]
    saved = [share_saved(tokens_read(prompts, BLOCK, room), prompts, BLOCK) for prompts in (turning, forwards)]
    assert saved[0] > saved[1] + 0.02


def test_blocks_are_known_by_all_before_them_and_the_last_token_is_read():
    cache = BlockCache(4)
    assert [cache.read("abcdefgh"), cache.read("abcdefghij"), cache.read("abcdefgh")] == [8, 2, 4]
    assert [cache.read("xbcdefgh"), cache.read("abcdxxxx"), cache.read("abc")] == [8, 4, 3]


def test_the_end_of_what_was_used_longest_ago_goes_first():
    cache = BlockCache(2, room=3)
    # The second takes the place of the first one's bb, whose aa is found; that takes the place of ee, and dd is found.
    assert [cache.read(prompt) for prompt in ("aabbc", "ddeef", "aabbc", "ddeef")] == [5, 5, 3, 3]
