"""Packed rows against what each text reads alone: same ancestors, same positions, nothing of its neighbours."""

from __future__ import annotations

import torch

from clincot.objectives.tree import PADDING, PROMPT, Text, block_mask, padded, plant


def text(prompt: str, completion: str) -> Text:
    ids = tuple(map(ord, prompt))
    return Text(ids, ids, tuple(map(ord, completion)))


def seen_by(tree, place: int) -> str:
    mask = block_mask(tree, len(tree.ids))
    return "".join(chr(tree.ids[at]) for at in torch.nonzero(mask[place]).flatten().tolist())


def last_places(tree) -> dict[int, int]:
    return {owner: place for place, owner in enumerate(tree.owners) if owner >= 0}


def test_every_text_sees_itself_as_if_it_stood_alone():
    texts = [text("SGaq?", "xy"), text("SGaq?", "z"), text("SGbq?", "xy"), text("SGbq?", "www"), text("T", "v")]
    tree = plant(texts, first=10)
    places = last_places(tree)
    assert sorted(places) == [10, 11, 12, 13, 14]
    for number, one in enumerate(texts):
        whole = "".join(map(chr, one.prompt + one.completion))
        place = places[10 + number]
        assert seen_by(tree, place) == whole
        assert tree.positions[place] == len(whole) - 1
        path = [p for p, seen in enumerate(block_mask(tree, len(tree.ids))[place]) if seen]
        assert [tree.positions[p] for p in path] == list(range(len(whole)))


def test_what_prompts_share_stands_once_but_for_their_last_token():
    tree = plant([text("SGaq?", "xy"), text("SGaq?", "z")])
    assert "".join(map(chr, tree.ids)) == "SGaq" + "?xy" + "?z"
    own_crops = plant([text("SGaq?", "xy"), text("SGbq?", "z")])
    assert "".join(map(chr, own_crops.ids)) == "SG" + "aq?xy" + "bq?z"
    within = plant([text("SGaq?", "x"), text("SGbq?", "y"), text("SGaq?", "z")])
    assert "".join(map(chr, within.ids)) == "SG" + "aq" + "?x" + "?z" + "bq?y"


def test_equal_tokens_of_different_images_are_not_shared():
    first = Text((1, 9, 9, 2), (1, ("a", 0), ("a", 1), 2), (5,))
    other = Text((1, 9, 9, 2), (1, ("b", 0), ("b", 1), 2), (5,))
    assert plant([first, other]).ids == [1, 9, 9, 2, 5, 9, 9, 2, 5]
    assert plant([first, Text(first.prompt, first.keys, (6,))]).ids == [1, 9, 9, 2, 5, 2, 6]


def test_prompts_that_begin_differently_share_nothing_and_one_text_is_a_plain_row():
    tree = plant([text("ab", "x"), text("cd", "y")])
    assert "".join(map(chr, tree.ids)) == "abxcdy"
    assert seen_by(tree, 5) == "cdy"
    alone = plant([text("abc", "x")])
    assert torch.equal(block_mask(alone, 4), torch.ones(4, 4, dtype=torch.bool).tril())


def test_a_prompt_that_another_continues_is_read_by_both():
    texts = [text("ab", "x"), text("abc", "y")]
    tree = plant(texts)
    for number, place in last_places(tree).items():
        assert seen_by(tree, place) == "".join(map(chr, texts[number].prompt + texts[number].completion))


def test_padding_belongs_to_no_text_and_sees_only_itself():
    batch = padded([plant([text("abc", "x"), text("abc", "y")]), plant([text("a", "z")], first=2)], pad=0)
    assert batch["owner"].tolist() == [
        [PROMPT, PROMPT, PROMPT, 0, PROMPT, 1],
        [PROMPT, 2, PADDING, PADDING, PADDING, PADDING],
    ]
    assert torch.equal(batch["completion_mask"], (batch["owner"] >= 0).long())
    assert torch.equal(batch["attention_mask"][1, 0, 2:], torch.eye(6, dtype=torch.bool)[2:])
