"""A prompt and the replies it may get -> the one token id that each reply would be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clincot.errors import ModelError

TAIL = 64  # characters of the prompt that can change how its continuation is cut into tokens; generous


class ChoiceTokens:
    """Resolves replies to token ids, by encoding them behind the end of the prompt: vocabularies differ in spaces."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        self.tokenizer = tokenizer
        self.name = name
        self.resolved: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}

    def __call__(self, text: str, choices: Sequence[str]) -> tuple[int, ...]:
        """Return the last token id of `text` + choice for each choice.

        Raises ModelError when that token does not read as the choice: it takes several tokens, or none stands for it.
        """
        key = (text[-TAIL:], tuple(choices))
        if key not in self.resolved:
            self.resolved[key] = tuple(self._last(key[0], choice) for choice in choices)
        return self.resolved[key]

    def _last(self, tail: str, choice: str) -> int:
        last = self.tokenizer(tail + choice, add_special_tokens=False)["input_ids"][-1]
        if self.tokenizer.decode([last]).strip() != choice.strip():
            advice = "Name a model whose tokenizer has it"
            raise ModelError(f"{self.name}: {choice.strip()!r} is not a single token of its vocabulary. {advice}.")
        return last
