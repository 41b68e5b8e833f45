"""Requests that a server answered without a text -> failed completions, counted; too many of them stop the work."""

from __future__ import annotations

import threading
from collections import Counter

from clincot.engines._server import RequestRefused
from clincot.errors import ModelError
from clincot.lm.requests import Completion
from clincot.progress import notice

# Among fewer requests a share says little: the six candidates of one image that a filter refuses are one case.
LEAST = 20
LIMIT = 0.5


class Failures:
    """How many requests of a server gave a text and how many did not, by reason; safe for threads."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.written = 0
        self.reasons: Counter[str] = Counter()
        self.subjects: set[int] = set()
        self.refused: ModelError | None = None
        self._lock = threading.Lock()

    def success(self) -> None:
        """Count a request that gave a text."""
        with self._lock:
            self.written += 1

    def fail(self, reason: str, subject: str) -> Completion:
        """Count a request without a text and return its completion; the first of each reason is reported on stderr.

        `subject` names the image, or the text, that the request is about.
        """
        with self._lock:
            self.reasons[reason] += 1
            self.subjects.add(hash(subject))
            first = self.reasons[reason] == 1
        if first:
            notice(
                f"{self.server}: a request gave no text: {reason}. It is left out and counted; so are others like it."
            )
        return Completion(text="", logp=float("nan"), tokens=0, finish="failed", retokenises=False, failure=reason)

    def refuse(self, error: RequestRefused, subject: str) -> Completion:
        """Count a request that the server refused, as `fail` does."""
        if not error.filtered:
            with self._lock:
                self.refused = self.refused or error
        return self.fail(error.said, subject)

    def check(self) -> None:
        """Raise ModelError, naming the server, when no request gave a text, or too few did.

        A filter may refuse all that is asked about one image. Any other one, when nothing was ever written, is about
        how the server was started.
        """
        if self.written == 0 and self.refused is not None:
            raise self.refused
        failed = self.reasons.total()
        asked = failed + self.written
        none = self.written == 0 and len(self.subjects) > 1
        if none or (asked >= LEAST and failed > LIMIT * asked):
            causes = ", ".join(f"{reason} ({n})" for reason, n in self.reasons.most_common(3))
            raise ModelError(
                f"{self.server}: {failed} of {asked} requests gave no text: {causes}. Switch filters, tools and"
                " reasoning parsers off, or raise the length; then run the command again."
            )
