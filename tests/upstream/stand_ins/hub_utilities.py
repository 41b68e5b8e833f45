"""What huggingface_hub's tests import besides constants: fresh repo names and a network that fails."""

import enum
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import httpx2
from huggingface_hub import constants


def repo_name(prefix: str = "repo") -> str:
    return f"{prefix}-{secrets.token_hex(6)}"


class OfflineSimulationMode(enum.Enum):
    CONNECTION_FAILS = 0
    CONNECTION_TIMES_OUT = 1
    HF_HUB_OFFLINE_SET_TO_1 = 2


@contextmanager
def offline(mode: OfflineSimulationMode = OfflineSimulationMode.CONNECTION_FAILS) -> Iterator[None]:
    """No request leaves the process: it is refused, it times out, or the client knows that it is offline."""
    if mode is OfflineSimulationMode.HF_HUB_OFFLINE_SET_TO_1:
        with patch.object(constants, "HF_HUB_OFFLINE", True):
            yield
        return
    error = httpx2.ConnectError if mode is OfflineSimulationMode.CONNECTION_FAILS else httpx2.ConnectTimeout
    with patch("httpx2.HTTPTransport.handle_request", side_effect=error("Offline mode is simulated.")):
        yield
