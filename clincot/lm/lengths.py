"""Texts and a model -> how many tokens the texts have and how many the model can hold; no weights are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

SPARE = 32  # tokens; what templates and normalisers add beyond a token for each byte


def lengths(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Return how many tokens each text has, without those that a tokenizer adds by itself."""
    if not texts:
        return []
    options = {"add_special_tokens": False, "return_attention_mask": False, "verbose": False}
    return [len(ids) for ids in tokenizer(list(texts), **options)["input_ids"]]


def most_tokens(texts: Iterable[str]) -> int:
    """Return a number of tokens that `texts` cannot exceed, without reading them.

    A token is a byte at least, and breaking up literal tokens (escaping.py) adds one to two bytes at most.
    """
    return 3 * sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) // 2


def context_length(model: Any) -> int:
    """Return the most tokens the language model can hold."""
    return context_of(model.config)


def context_of(config: Any) -> int:
    """Return the most tokens that a language model of this config can hold."""
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or 2**31)
