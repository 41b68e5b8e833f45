"""What vLLM 0.32 answered, word for word, from a real HTTP server -> the facts read from it, and none invented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clincot.engines.plain_server import PlainServer
from clincot.engines.server_look import NOWHERE, Prompt, ServerLook, Written, differing
from tests.engines.canned import CannedServer

CHAT = "/v1/chat/completions"
ASKED = Prompt(({"role": "user", "content": "?"},))


@pytest.fixture(scope="module")
def server() -> Iterator[CannedServer]:
    made = CannedServer()
    yield made
    made.stop()


def test_a_server_that_is_away_or_is_none_has_status_0_and_its_reason(server: CannedServer) -> None:
    answer, names = ServerLook(PlainServer("http://127.0.0.1:9", key_env="X", timeout=1), "m").listed()
    assert (answer.status, names) == (0, ()) and "refused" in answer.said.lower()
    page, names = server.look(**{"/v1/models": (200, "<html>Welcome</html>")}).listed()
    assert (page.status, names) == (0, ()) and "Welcome" in page.said
    sent, _ = server.look(**{"/v1/models": (307, {})}).listed()
    assert not sent.good and "http://127.0.0.1:1/elsewhere" in sent.said
    barred, _ = server.look(**{"/v1/models": (401, {"error": "Unauthorized"})}).listed()
    assert (barred.status, barred.said) == (401, "Unauthorized")


def error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "InternalServerError", "param": None}}


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (404, error(f"Loading lora {NOWHERE} failed: No adapter found for /{NOWHERE}"), "at run time"),
        (500, error("Call to add_lora method failed: Worker failed with error 'LoRA is not enabled.'"), "none"),
        (404, {"detail": "Not Found"}, "at start"),
        (200, {"ok": True}, "unknown"),
    ],
)
def test_how_adapters_are_loaded_is_read_from_the_refusal(
    server: CannedServer, status: int, body: Any, found: str
) -> None:
    assert server.look(**{"/v1/load_lora_adapter": (status, body)}).adapters() == found


def reply(logprobs: Any, usage: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "no"}, "logprobs": logprobs}
    return {"choices": [choice | {"finish_reason": "stop"}], "usage": usage}


def test_a_text_has_what_the_server_says_of_it(server: CannedServer) -> None:
    logps = {"content": [{"token": "no", "logprob": -0.25}, {"token": "<|end|>", "logprob": -0.5}]}
    usage = {"prompt_tokens": 80, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 64}}
    found = server.look(**{CHAT: (200, reply(logps, usage))}).write(ASKED, 4)
    assert found == Written("no", 2, -0.75, 80, 64)
    assert server.asked[0]["max_tokens"] == 4 and server.asked[0]["temperature"] == 0
    bare = server.look(**{CHAT: (200, reply(None, {"prompt_tokens": 80, "completion_tokens": 2}))}).write(ASKED, 4)
    assert bare == Written("no", 2, None, 80, None)  # 0 cached tokens would be a finding
    partly = {"content": [{"token": "no", "logprob": None}]}
    assert server.look(**{CHAT: (200, reply(partly, None))}).write(ASKED, 4).logp is None


def test_a_refused_request_keeps_the_servers_reason(server: CannedServer) -> None:
    many = error("At most 1 image(s) may be provided in one prompt. (parameter=image)")
    assert "At most 1 image" in server.look(**{CHAT: (400, many)}).write(ASKED, 4).refused
    strict = server.look(**{CHAT: (422, {"detail": "Unsupported fields in the request: {'logprobs'}"})})
    assert strict.write(ASKED, 4).refused and ["logprobs" in body for body in server.asked] == [True, False]
    assert server.look(**{CHAT: (200, {"choices": []})}).write(ASKED, 4).refused


def test_ids_are_those_of_tokenize_and_none_without_it(server: CannedServer) -> None:
    assert server.look(**{"/tokenize": (200, {"tokens": [1, 5, 3], "count": 3})}).read(ASKED) == (1, 5, 3)
    assert server.look().read(ASKED) is None
    assert server.look(**{"/tokenize": (200, {"tokens": []})}).read(ASKED) is None


def test_the_first_differing_place() -> None:
    assert differing((1, 2, 3), (1, 2, 3)) == -1
    assert differing((1, 2, 3), (1, 4, 3)) == 1
    assert differing((1, 2), (1, 2, 3)) == differing((1, 2, 3), (1, 2)) == 2
