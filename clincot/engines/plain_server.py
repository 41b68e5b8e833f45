"""A path of a server and a body -> its status, its words and its JSON, asked once, to look at the server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from clincot.engines._session import NoAnswer, headers, open_session


@dataclass(frozen=True)
class Answer:
    """What came back: `status` 0 where nothing did; `said` is the server's reason, `seconds` its time."""

    status: int
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    said: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Return whether the server did what it was asked."""
        return self.status == 200


class PlainServer:
    """One server by its base URL (with or without `/v1`); it is asked once, and no redirect is followed."""

    def __init__(self, endpoint: str, *, key_env: str, timeout: float) -> None:
        self.root = endpoint.rstrip("/").removesuffix("/v1").rstrip("/")
        self._headers = headers(key_env)
        self._session = open_session(self.root, timeout)

    def get(self, path: str) -> Answer:
        """Ask for `path` below the root."""
        return self._ask("GET", path, None)

    def post(self, path: str, **body: Any) -> Answer:
        """Send `body` to `path` below the root."""
        return self._ask("POST", path, body)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        started = time.perf_counter()
        try:
            response = self._session.request(method, f"{self.root}/{path}", json=body, headers=self._headers)
        except NoAnswer as error:
            return Answer(0, said=_first_line(str(error) or type(error).__name__))
        seconds = time.perf_counter() - started
        if response.is_redirect:
            return Answer(response.status_code, said=f"sends on to {response.headers['location']}", seconds=seconds)
        try:
            read = response.json()
        except ValueError:
            read = None
        if isinstance(read, dict):
            return Answer(response.status_code, read, _reason(read), seconds)
        said = _first_line(response.text) or "no reason given"
        return Answer(
            response.status_code if response.status_code != 200 else 0, said=f"no JSON: {said}", seconds=seconds
        )


def _reason(body: dict[str, Any]) -> str:
    error = body.get("error", body)
    said = (error.get("message") or error.get("detail") or "") if isinstance(error, dict) else error
    return _first_line(str(said))


def _first_line(text: str) -> str:
    return " ".join(text.split())[:200]
