"""Texts after prompts that begin alike -> one packed row in which each common beginning occurs once, and its mask.

A node is a stretch of tokens; its tokens see the node itself up to themselves, and all nodes above it. Every text keeps
its prompt's last token for its own, so that each token predicts the one after it and no head needs a special case.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

PADDING = -2  # owner of a padding token
PROMPT = -1  # owner of a token that is not scored


@dataclass(frozen=True)
class Text:
    """`keys` distinguish prompt tokens: the id of a word, (image, place) of an image token; as long as `prompt`."""

    prompt: tuple[int, ...]
    keys: tuple[Hashable, ...]
    completion: tuple[int, ...]
    weights: tuple[float, ...] | None = None  # of the completion's tokens; None: 1 each


@dataclass
class Tree:
    """A packed row: per token its id, its position, the node that holds it and the text it belongs to.

    `above` holds each node's ancestors, `keys` those of the prompt tokens in the row's order.
    """

    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    above: list[tuple[int, ...]] = field(default_factory=list)
    weights: dict[int, float] = field(default_factory=dict)  # place of a token -> its weight, where it has one
    keys: list[Hashable] = field(default_factory=list)


def plant(texts: Sequence[Text], first: int = 0) -> Tree:
    """Pack different `texts`, which own their completions under the numbers `first`, `first` + 1, ..."""
    tree = Tree()
    _grow(tree, [(first + number, text) for number, text in enumerate(texts)], 0, ())
    return tree


def _grow(tree: Tree, members: list[tuple[int, Text]], depth: int, above: tuple[int, ...]) -> None:
    if len(members) == 1:
        _leaf(tree, *members[0], depth, above)
        return
    shared = _shared(members, depth)
    if shared > depth:
        text = members[0][1]
        above = (*above, _node(tree, above, text, depth, shared))
    for branch in _branches(members, shared):
        _grow(tree, branch, shared, above)


def _shared(members: list[tuple[int, Text]], depth: int) -> int:
    """Return up to where all members' prompts agree, short of each one's last token."""
    first = members[0][1].keys
    limit = min(len(text.keys) for _, text in members) - 1
    while depth < limit and all(text.keys[depth] == first[depth] for _, text in members):
        depth += 1
    return depth


def _branches(members: list[tuple[int, Text]], depth: int) -> list[list[tuple[int, Text]]]:
    """Group members that go on alike; one at its last prompt token goes on alone."""
    found: dict[Hashable, list[tuple[int, Text]]] = {}
    for number, text in members:
        ended = depth >= len(text.keys) - 1
        found.setdefault(("end", number) if ended else ("key", text.keys[depth]), []).append((number, text))
    return list(found.values())


def _node(tree: Tree, above: tuple[int, ...], text: Text, start: int, stop: int) -> int:
    number = len(tree.above)
    tree.above.append(above)
    tree.ids.extend(text.prompt[start:stop])
    tree.keys.extend(text.keys[start:stop])
    tree.positions.extend(range(start, stop))
    tree.nodes.extend([number] * (stop - start))
    tree.owners.extend([PROMPT] * (stop - start))
    return number


def _leaf(tree: Tree, owner: int, text: Text, start: int, above: tuple[int, ...]) -> None:
    end = len(text.prompt)
    number = _node(tree, above, text, start, end)
    if text.weights is not None:
        tree.weights.update(enumerate(text.weights, len(tree.ids)))
    tree.ids.extend(text.completion)
    tree.positions.extend(range(end, end + len(text.completion)))
    tree.nodes.extend([number] * len(text.completion))
    tree.owners.extend([owner] * len(text.completion))


def block_mask(tree: Tree, length: int) -> Tensor:
    """Return who sees whom, boolean (length, length); padding after the row sees itself, for no row may be empty."""
    seen = torch.eye(len(tree.above), dtype=torch.bool)
    for number, above in enumerate(tree.above):
        seen[number, list(above)] = True
    nodes = torch.tensor(tree.nodes)
    mask = torch.eye(length, dtype=torch.bool)
    size = len(nodes)
    mask[:size, :size] = (seen[nodes][:, nodes]).tril()
    return mask


def padded(trees: Sequence[Tree], pad: int) -> dict[str, Tensor]:
    """Return input_ids, position_ids, owner (rows, tokens), completion_mask and the mask (rows, 1, tokens, tokens)."""
    length = max(len(tree.ids) for tree in trees)

    def column(name: str, fill: int) -> Tensor:
        return torch.tensor([getattr(t, name) + [fill] * (length - len(t.ids)) for t in trees])

    owner = column("owners", PADDING)
    weights: dict[str, Tensor] = {}
    if any(tree.weights for tree in trees):
        weights["token_weights"] = torch.tensor([[t.weights.get(i, 1.0) for i in range(length)] for t in trees])
    return weights | {
        "input_ids": column("ids", pad),
        "position_ids": column("positions", 0),
        "attention_mask": torch.stack([block_mask(tree, length) for tree in trees])[:, None],
        "completion_mask": (owner >= 0).long(),
        "owner": owner,
    }
