"""The URL of a server -> the HTTP client that asks it: it follows no redirect, and no proxy for this machine."""

from __future__ import annotations

from huggingface_hub.utils import httpx

from clincot.engines.hosts import proxy_of

NoAnswer = httpx.HTTPError  # no connection, none in time, or one that broke off


def open_session(url: str, timeout: float) -> httpx.Client:
    """Return a client for requests to `url`, from any number of threads; requests may wait `timeout` seconds.

    A redirect would send images and texts to a host that nobody named, so it comes back as the answer. The proxy is
    that of `proxy_of`, which the check of restricted data reads too.
    """
    transport = httpx.HTTPTransport(proxy=proxy_of(url) or None)
    return httpx.Client(transport=transport, timeout=timeout, follow_redirects=False)
