"""Token ids of prompts that begin alike -> prompts whose common beginnings are trunks, each read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from clincot.lm.segments import Prompt, Segment

LEAST = 8  # tokens; a shorter trunk saves less than its own forward pass costs


def common(ids: Sequence[tuple[int, ...]]) -> int:
    """Return how many tokens all of `ids` begin with alike; of the shortest, one always remains to be read."""
    first, last = min(ids), max(ids)
    longest = min(map(len, ids)) - 1
    return next((i for i in range(longest) if first[i] != last[i]), longest)


def with_trunks(ids: Sequence[tuple[int, ...]], levels: Sequence[Sequence[Hashable]]) -> list[Prompt]:
    """Cut each of `ids` after what it has in common with its group, at each level of grouping.

    `levels` go from coarse to fine (all prompts, one question, one state of its findings); each names the group of
    every prompt. Prompts come in the order of `ids`.
    """
    cuts: list[list[int]] = [[0] for _ in ids]
    for names in levels:
        groups: defaultdict[Hashable, list[int]] = defaultdict(list)
        for place, name in enumerate(names):
            groups[name].append(place)
        for places in groups.values():
            shared = common([ids[place] for place in places]) if len(places) > 1 else 0
            for place in places:
                if shared >= cuts[place][-1] + LEAST:
                    cuts[place].append(shared)
    return [_cut(own, at) for own, at in zip(ids, cuts, strict=True)]


def _cut(ids: tuple[int, ...], at: Sequence[int]) -> Prompt:
    trunk = tuple(Segment(ids[a:b]) for a, b in zip(at, at[1:], strict=False))
    return Prompt(trunk, Segment(ids[at[-1] :]))
