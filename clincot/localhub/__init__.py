"""A folder -> a Hugging Face Hub on this machine for the unmodified clients; it imports nothing else of the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .env import environment, write_token
from .faults import Fault, RequestRecord
from .server import LocalHub, PortInUse, list_repos, serve_forever

if TYPE_CHECKING:
    from .routes.info import RepoSummary

__all__ = [
    "Fault",
    "LocalHub",
    "PortInUse",
    "RepoSummary",
    "RequestRecord",
    "environment",
    "list_repos",
    "serve_forever",
    "write_token",
]


def __getattr__(name: str) -> object:
    """RepoSummary is in a file that loads dulwich: it is imported when it is asked for."""
    if name == "RepoSummary":
        from .routes.info import RepoSummary

        return RepoSummary
    raise AttributeError(name)
