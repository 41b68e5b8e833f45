"""A Hub folder and endpoint -> its write token and the environment that points any client at it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .storage.durable import make_folder, sync_folder

TOKEN_FILE = "token"


def write_token(path: Path) -> str:
    """The Hub's own write token, made on first use (mode 0600) and the same for every process over the folder."""
    file = path / TOKEN_FILE
    if not file.exists():
        make_folder(path)
        _make_token(file)
    token = file.read_text().strip()
    if len(token) < 20:
        raise ValueError(f"{file}: the token is shorter than 20 characters. Delete the file, a new one is made.")
    return token


def _make_token(file: Path) -> None:
    """Written under another name and linked, so that of two first processes one wins and none reads half a token."""
    temporary = file.with_name(f".token-{secrets.token_hex(6)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as opened:
            opened.write(f"hf_{secrets.token_hex(20)}\n")
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(temporary, file)
        except FileExistsError:
            return
        except PermissionError:  # a file system without hard links
            os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(file.parent)


def environment(endpoint: str, path: Path, token: str) -> dict[str, str]:
    """What a program must export before it imports a Hub client.

    One HF_HOME per Hub: cache folders are named without the endpoint, so two Hubs sharing one would mix. Xet has no
    server-side opt-out (huggingface_hub#4786).
    """
    return {
        "HF_ENDPOINT": endpoint,
        "HF_TOKEN": token,
        "HF_HOME": str(path.resolve() / "client"),
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }
