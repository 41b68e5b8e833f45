"""What the libraries of this process must know of a Hub -> environment variables, until they are put back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

BYPASS = ("127.0.0.1", "localhost")
# What a Hub that is not the libraries' target still needs, so that our own calls reach it and upload plainly.
OWN_CALLS = ("NO_PROXY", "HF_HUB_DISABLE_XET")
# Endpoints that this process has put into HF_ENDPOINT itself -> what the user had there before.
_USERS: dict[str, str | None] = {}


def users_endpoint() -> str | None:
    """Return HF_ENDPOINT as the user set it: a Hub that was opened before in this process is nobody's choice."""
    now = os.environ.get("HF_ENDPOINT")
    return _USERS.get(now, now) if now else None


def export(settings: Mapping[str, str], main: bool) -> Callable[[], None]:
    """Set `settings` for the libraries of this process, or without `main` only what our own calls need, for good."""
    chosen = {name: value for name, value in settings.items() if main or name in OWN_CALLS}
    before = {name: os.environ.get(name) for name in chosen}
    if "HF_ENDPOINT" in chosen:
        _USERS[chosen["HF_ENDPOINT"]] = users_endpoint()
    os.environ.update(chosen)
    if "HF_HUB_DISABLE_XET" in chosen:
        _without_xet()

    def restore() -> None:
        for name, value in before.items() if main else ():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    return restore


def loopback_settings() -> dict[str, str]:
    """Return what any Hub on this machine needs: no proxy, no Xet (huggingface_hub#4786), no bars for local copies."""
    named = [host for host in os.environ.get("NO_PROXY", "").split(",") if host]
    return {
        "NO_PROXY": ",".join(dict.fromkeys([*named, *BYPASS])),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
    }


def client_home() -> Path:
    """Return the folder where the user's own Hub clients keep their cache and login."""
    named = os.environ.get("HF_HOME")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"


def _without_xet() -> None:
    # The variable is read when huggingface_hub is imported; its constant works afterwards too (docs/hub.md#clients).
    if "huggingface_hub" in sys.modules:
        from huggingface_hub import constants

        constants.HF_HUB_DISABLE_XET = True
