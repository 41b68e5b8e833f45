"""A policy's tokenizer and texts -> where each token of a text ends, as training will read it."""

from __future__ import annotations

from collections.abc import Sequence

from clincot.engines._policy import Policy


class Splits:
    """What an engine in process knows of the tokens of its policy (`clincot.engines.base.Splitting`)."""

    policy: Policy

    def token_ends(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return, for each text, how many of its characters lie before the end of each token; no end token is added.

        A text with a literal mark of a turn has none: training reads it with the mark broken up.
        """
        if not texts:  # a tokenizer cannot read none
            return []
        known = [text if self.policy.escape(text) == text else "" for text in texts]
        read = self.policy.tokenizer(known, add_special_tokens=False, return_offsets_mapping=True)
        return [tuple(end for _, end in offsets) for offsets in read["offset_mapping"]]
