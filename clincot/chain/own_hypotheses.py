"""A recipe's own hypotheses and a proposer's names -> which of them to look for, and which a question names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

Words = Mapping[str, Sequence[str]]  # name -> its other words


def asked_as(name: str, words: Sequence[str], known: Collection[str] | None) -> str | None:
    """Return what a proposer calls a hypothesis: its name or the first of its other words that it knows, or None.

    Upper and lower case are alike. A proposer that looks for anything (`known` is None) is asked for the name.
    """
    if known is None:
        return name
    spelt = {one.casefold(): one for one in known}
    return next((spelt[word.casefold()] for word in (name, *words) if word.casefold() in spelt), None)


def own_hypotheses(listed: Words, questions: Iterable[str], n: int, known: Collection[str] | None) -> tuple[str, ...]:
    """Return at most `n` of the listed ones as the proposer calls them: those that a question names come first."""
    texts = tuple(questions)
    named = [name for name, words in listed.items() if any(names(text, name, words) for text in texts)]
    asked = (asked_as(name, listed[name], known) for name in dict.fromkeys([*named, *listed]))
    return tuple(dict.fromkeys(name for name in asked if name is not None))[:n]


def names(text: str, name: str, words: Sequence[str]) -> bool:
    """Return whether a text holds a name or one of its other words, in any case, also in the plural with s."""
    return _pattern((name, *words)).search(text) is not None


@lru_cache(maxsize=4096)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # ASCII boundaries: a word of a language without spaces may be next to others.
    return re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(word)}s?(?![A-Za-z0-9])" for word in words), re.IGNORECASE)
