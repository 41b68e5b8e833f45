"""One call to a Hub -> its result, repeated with growing waits while the failure is of a temporary kind."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import TypeVar

from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.utils import httpx, parse_ratelimit_headers

from clincot.hub.connection import Connection
from clincot.hub.explain import explain

Result = TypeVar("Result")
sleep = time.sleep

# Another writer was faster: harmless, so many quick tries; a Hub in trouble gets few and slow ones.
CONFLICTS = {409, 412}
PASSING = {408, 425, 429}
# Not implemented, unsupported HTTP version, disk full: a second try meets the same answer.
LASTING = {501, 505, 507}
TRIES = 7
CONFLICT_TRIES = 100
LONGEST_WAIT = 16.0
# Rate limits of the public Hub count in windows of five minutes.
LONGEST_ORDERED_WAIT = 310.0
TOTAL_WAIT = 600.0


def with_retry(action: Callable[[], Result], hub: Connection, doing: str) -> Result:
    """Run `action` until it succeeds; raises a ClincotError that says which Hub and what for once it cannot.

    `action` must be safe to repeat. Repeats {408, 409, 412, 425, 429, 5xx} and transport errors, honouring Retry-After
    and the RateLimit header; waits 10 minutes in all at most.
    """
    tries = conflicts = 0
    waited = 0.0
    while True:
        try:
            return action()
        except Exception as raised:
            error = underlying(raised)
            status = passing(error)
            if status is None:
                if (explained := explain(error, hub, doing)) is error:
                    raise
                raise explained from raised
            conflict = status in CONFLICTS
            conflicts, tries = conflicts + conflict, tries + (not conflict)
            wait = _conflict_wait(conflicts) if conflict else _wait(error, tries)
            waited += wait
            if tries >= TRIES or conflicts >= CONFLICT_TRIES or waited > TOTAL_WAIT:
                raise explain(error, hub, doing, tries + conflicts) from raised
        sleep(wait)


def underlying(error: Exception) -> Exception:
    """Return what the client wrapped: a failed upload is `RuntimeError("Error while uploading ...") from` its cause."""
    wrapped = type(error) is RuntimeError and str(error).startswith("Error while uploading")
    return error.__cause__ if wrapped and isinstance(error.__cause__, Exception) else error


def passing(error: BaseException) -> int | None:
    """Return the HTTP status of a failure worth repeating (0: the connection broke), None for one that is not."""
    if isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        return passing(error.__cause__)  # the client looked into its cache after the request had failed
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        lasting = status in LASTING or (status < 500 and status not in PASSING | CONFLICTS)
        return None if lasting else status
    if isinstance(error, (OfflineModeIsEnabled, httpx.UnsupportedProtocol)):
        return None
    broken = (httpx.TransportError, ConnectionError, TimeoutError, json.JSONDecodeError)
    cut = isinstance(error, OSError) and "Consistency check failed" in str(error)
    return 0 if cut or isinstance(error, broken) else None


def ordered_wait(error: BaseException) -> float | None:
    """Return the seconds the Hub asked to wait (Retry-After, else RateLimit `t=`), None when it asked nothing."""
    response = getattr(error, "response", None)
    if response is None:
        return ordered_wait(error.__cause__) if error.__cause__ is not None else None
    after = response.headers.get("Retry-After", "").strip()
    if after.isdigit():
        return min(float(after), LONGEST_ORDERED_WAIT)
    limit = parse_ratelimit_headers(response.headers)
    if limit is not None and limit.remaining == 0:
        return min(float(limit.reset_in_seconds), LONGEST_ORDERED_WAIT)
    return None


def _wait(error: BaseException, tries: int) -> float:
    ordered = ordered_wait(error)
    return min(LONGEST_WAIT, 0.5 * 2.0 ** (tries - 1)) if ordered is None else ordered


def _conflict_wait(conflicts: int) -> float:
    # Spread at random, so that several writers do not meet again.
    return random.uniform(0.01, min(1.0, 0.05 * 2.0**conflicts))
