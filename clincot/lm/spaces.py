"""Prompts that were read and the paths of their replies -> the scores of the replies, after a space piece too.

A row costs one more token on its cache; rows whose replies are single tokens cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import add
from typing import Any

import torch
from torch import Tensor

from clincot.lm.choice_tokens import Path
from clincot.lm.decoding import step
from clincot.lm.prefix_cache import Started
from clincot.lm.requests import ChoiceScores, Counters

After = dict[tuple[int, int], Tensor]  # (row, space piece) -> logits (vocabulary,) of the token after it


def pieces(paths: Sequence[Iterable[Path]]) -> list[tuple[int, int]]:
    """Return each row and space piece that its paths begin with, in order."""
    return sorted({(row, path[0]) for row, own in enumerate(paths) for path in own if len(path) > 1})


@torch.inference_mode()
def after_spaces(model: Any, started: Started, paths: Sequence[Iterable[Path]], counters: Counters) -> After:
    """Read the space pieces of `paths`, one list per row of `started`, whose cache is used up by it."""
    found = pieces(paths)
    if not found:
        return {}
    device = started.logits.device
    rows = started.rows(torch.tensor([row for row, _ in found], device=device))
    counters.decoded_tokens += len(found)
    tokens = torch.tensor([piece for _, piece in found], device=device)
    logits, _ = step(model, tokens, rows.cache, rows.mask, rows.positions)
    return dict(zip(found, logits, strict=True))


def path_weights(
    first: Tensor, row: int, paths: Iterable[Path], after: After, join: Callable[[float, float], float]
) -> dict[Path, float]:
    """Return the weight of each distinct path of a row: of its token, or of space piece and token, joined by `join`.

    `first` (vocabulary,) weighs the row's next token, `after` the tokens that follow its space pieces in the same way:
    probabilities that `mul` joins, log-probabilities that `add` does.
    """
    own = sorted(set(paths))
    read = dict(zip(own, first[[path[0] for path in own]].tolist(), strict=True))
    return {
        path: weight if len(path) == 1 else join(weight, float(after[row, path[0]][path[1]]))
        for path, weight in read.items()
    }


def scores_of(logits: Tensor, paths: Sequence[Sequence[Path]], after: After) -> list[ChoiceScores]:
    """Return the scores of each row's choices, given as `paths`; `logits` (rows, vocabulary) of the next token."""
    logps = logits.float().log_softmax(-1)
    later = {place: found.float().log_softmax(-1) for place, found in after.items()}

    def scores(row: int, own: Sequence[Path]) -> ChoiceScores:
        known = path_weights(logps[row], row, own, later, add)
        mass = sum(map(math.exp, known.values()))
        return ChoiceScores(
            tuple(known[path] for path in own), mass, tuple(path if len(path) > 1 else path[0] for path in own)
        )

    return [scores(row, own) for row, own in enumerate(paths)]
