"""The URL of a server -> the HTTP client that asks it: it follows no redirect, and no proxy for this machine."""

from __future__ import annotations

import os

from huggingface_hub.utils import httpx

from clincot.engines.hosts import proxy_of

NO_KEY = "EMPTY"  # what vLLM's own examples send; with none, the client would send the user's Hub token
NoAnswer = httpx.HTTPError  # no connection, none in time, or one that broke off


def open_session(url: str, timeout: float) -> httpx.Client:
    """Return a client for requests to `url`, from any number of threads; requests may wait `timeout` seconds.

    A redirect would send images and texts to a host that nobody named, so it comes back as the answer. The proxy is
    that of `proxy_of`, which the check of restricted data reads too.
    """
    transport = httpx.HTTPTransport(proxy=proxy_of(url) or None)
    return httpx.Client(transport=transport, timeout=timeout, follow_redirects=False)


def headers(key_env: str) -> dict[str, str]:
    """Return the headers of a request: the key is that of the environment variable `key_env`."""
    return {"Authorization": f"Bearer {os.environ.get(key_env) or NO_KEY}"}
