"""`local:PATH` or a URL -> a `Hub`; an embedded one is started in this process, and the libraries are pointed at it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from clincot.errors import HubError
from clincot.hub import embedded
from clincot.hub.client import Hub
from clincot.hub.environment import client_home, export, loopback_settings
from clincot.hub.names import PUBLIC, is_url

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def connect(target: str, *, main: bool = True, token: str | None = None) -> Hub:
    """Return the Hub at `target`: `local:PATH` (started here, stopped by `close` or at exit) or an http(s) URL.

    With `main`, HF_ENDPOINT, HF_HOME and their like are set for this process until `close`: call it before
    huggingface_hub, datasets or transformers are imported, which read them once. `token` replaces the Hub's own
    (local) or the user's (URL). Raises HubError for a target that is neither, or a folder that cannot be written.
    """
    check_target(target)
    scheme, _, rest = target.partition(":")
    if scheme == "local":
        return _local(Path(rest).expanduser(), main, token)
    return _remote(target.rstrip("/"), main, token)


def check_target(target: str) -> None:
    """Raise HubError for what is neither `local:PATH` nor an http(s) URL; nothing is made and nothing asked."""
    scheme, _, rest = target.partition(":")
    if scheme == "local" and rest.strip():
        try:
            Path(rest).expanduser()
        except RuntimeError as error:
            raise HubError(f"--hub {target}: names a user who is not here ({error}). Write the whole path.") from error
    elif not is_url(target):
        raise HubError(f"--hub {target}: is neither local:PATH nor a URL. Write local:./clincot-hub or {PUBLIC}.")


def _local(path: Path, main: bool, token: str | None) -> Hub:
    from clincot.localhub import environment

    server, give_back = embedded.start(path.resolve())
    token = token or server.token
    settings = environment(server.endpoint, path, token) | loopback_settings()
    cache = Path(settings["HF_HOME"]) / "hub"
    settings["HF_HUB_CACHE"] = str(cache)
    return Hub(server.endpoint, token, cache, f"local:{path}", _once(export(settings, main), give_back))


def _remote(url: str, main: bool, token: str | None) -> Hub:
    host = urlsplit(url).hostname or ""
    home = client_home()
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    settings = {"HF_ENDPOINT": url} | ({"HF_TOKEN": token} if token else {})
    if host in LOOPBACK:
        settings |= loopback_settings()
        if not {"HF_HOME", "HF_HUB_CACHE"} & os.environ.keys():
            # Cache folders are named without the endpoint: repos of a local Hub must not mix with the public ones.
            cache = home / "loopback" / urlsplit(url).netloc.replace(":", "-") / "hub"
            settings |= {"HF_HOME": str(cache.parent), "HF_HUB_CACHE": str(cache)}
    elif host != urlsplit(PUBLIC).hostname:
        # A self-hosted Hub cannot make the client do without Xet (huggingface_hub#4786); the user may know better.
        settings["HF_HUB_DISABLE_XET"] = os.environ.get("HF_HUB_DISABLE_XET", "1")
    restore = export(settings, main)
    return Hub(url, token or _user_token(host), cache, url, _once(restore))


def _user_token(host: str) -> str | None:
    """Return HF_TOKEN, else the login token, which a local Hub is never sent."""
    if host in LOOPBACK:
        return os.environ.get("HF_TOKEN") or None
    from huggingface_hub import get_token

    return get_token()


def _once(*actions: Callable[[], None]) -> Callable[[], None]:
    """Return a function whose first call runs the actions; closing twice is harmless."""
    left = list(actions)

    def run() -> None:
        while left:
            left.pop(0)()

    return run
