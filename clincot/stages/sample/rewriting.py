"""An editor and requests -> its wrong versions; those that say the same again are failures, and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clincot.editors.base import LEAST, LIMIT, UNCHANGED, Editor, Rewrite, RewriteRequest
from clincot.errors import ModelError
from clincot.methods.text_key import text_key


@dataclass
class Rewriting:
    """Of any editor: `same` of its `texts` so far were those of their requests."""

    editor: Editor
    texts: int = 0
    same: int = 0

    def __call__(self, requests: Sequence[Any]) -> list[Rewrite]:
        """Return a wrong version of each text, or why it has none.

        Raises ModelError when most of LEAST texts and more came back unchanged.
        """
        found = [_checked(request, made) for request, made in zip(requests, self.editor.rewrite(requests), strict=True)]
        self.texts += len(found)
        self.same += sum(one.failure == UNCHANGED for one in found)
        if self.texts >= LEAST and self.same > LIMIT * self.texts:
            raise ModelError(
                f"editor {self.editor.name}: {self.same} of {self.texts} texts came back unchanged. Name another model,"
                " or use `kind: rules`."
            )
        return found


def _checked(request: RewriteRequest, made: Rewrite) -> Rewrite:
    """Return a failure for a text that has the same words with other marks, or no word."""
    if made.text is None or (text_key(made.text) and text_key(made.text) != text_key(request.text)):
        return made
    return Rewrite(None, failure=UNCHANGED)
