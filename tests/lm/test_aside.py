"""What is set aside comes back bit for bit: values, strides, what shares memory, and which is dropped first."""

from __future__ import annotations

import torch
from cachetools import LRUCache
from torch import Tensor

from clincot.lm.aside import Away, set_aside, take_back, taken
from clincot.lm.branches import Branch, Branches
from clincot.lm.segments import Prompt, Segment


def back(entries: list) -> list:
    left = set_aside(entries, of_cpu=True)
    assert not any(isinstance(value, Tensor) for _, value in left)
    return take_back(left)


def test_a_view_has_its_strides_and_its_memory_again() -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    ((_, one), (_, other)) = back([("a", whole[1:, ::2]), ("b", whole.T)])
    assert torch.equal(one, whole[1:, ::2]) and one.stride() == whole[1:, ::2].stride()
    assert torch.equal(other, whole.T) and other.stride() == (1, 6)
    assert one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr() != whole.untyped_storage().data_ptr()


def test_tensors_of_inference_nested_in_tuples_mappings_and_dataclasses_are_moved() -> None:
    with torch.inference_mode():
        keys = torch.randn(2, 5, 3).transpose(0, 1)
    kept = {"grid": (keys, [keys[:2]], None), "text": "two tokens"}
    ((key, found),) = back([(("trunk", 1), kept)])
    assert key == ("trunk", 1) and found["text"] == "two tokens" and found["grid"][2] is None
    assert torch.equal(found["grid"][0], keys) and torch.equal(found["grid"][1][0], keys[:2])


def test_tensors_of_the_cpu_and_empty_ones_stay() -> None:
    tensor, empty = torch.ones(3), torch.ones(0)
    assert set_aside([("a", tensor)])[0][1] is tensor
    assert not isinstance(set_aside([("a", empty)], of_cpu=True)[0][1], Away)


def test_the_least_recently_used_is_still_dropped_first() -> None:
    cache: LRUCache[str, int] = LRUCache(3)
    cache.update(a=1, b=2, c=3)
    assert cache["a"] == 1
    entries = taken(cache)
    assert not cache and entries == [("b", 2), ("c", 3), ("a", 1)]
    cache.update(entries)
    cache["d"] = 4
    assert set(cache) == {"c", "a", "d"}


def layers(tokens: int) -> tuple[tuple[Tensor, Tensor], ...]:
    return ((torch.randn(1, tokens, 2), torch.randn(1, tokens, 2)),)


def test_branches_find_the_same_beginnings_afterwards() -> None:
    trunk, branches = (Segment((1, 2)),), Branches(10_000)
    first, second = (Prompt(trunk, Segment(ids)) for ids in ((3, 4, 5, 6), (3, 4, 9)))
    branches.keep(first, (), layers(4))
    length, shared = branches.longest(second)
    branches.keep(second, shared, layers(1))
    asked = [Prompt(trunk, Segment(ids)) for ids in ((3, 4, 5, 6, 7), (3, 4, 9, 9), (8,))]
    before = [branches.longest(one) for one in asked]
    size = branches.currsize
    entries: list[tuple[object, Branch]] = taken(branches)
    assert branches.longest(asked[0]) == (0, ()) and length == 2
    for key, branch in back(entries):
        branches.put(key, branch)
    assert branches.currsize == size
    for one, (known, stretches) in zip(asked, before, strict=True):
        found, again = branches.longest(one)
        assert found == known
        for a, b in zip(stretches, again, strict=True):
            assert all(torch.equal(x, y) for x, y in zip(a[0], b[0], strict=True))
