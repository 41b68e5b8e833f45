"""What a server answers -> what doctor says of it and what to change; lines fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from clincot.engines.server_look import Prompt
from clincot.recipe import load_recipe
from clincot.runs.doctor.reach import Reach
from clincot.runs.doctor.servers import checks
from clincot.runs.doctor.servers.files import reader_of
from clincot.runs.doctor.servers.questions import asked_of
from clincot.runs.doctor.servers.report import Check, Looked, ServersReport
from tests.engines.canned import CannedServer

CHAT, LORA, MODELS, TOKENS = "/v1/chat/completions", "/v1/load_lora_adapter", "/v1/models", "/tokenize"


@pytest.fixture(scope="module")
def server() -> Iterator[CannedServer]:
    made = CannedServer()
    yield made
    made.stop()


def pairs(images: int = 2) -> Any:
    seen = tuple(Image.new("RGB", (8, 8)) for _ in range(images))
    blocks = [*({"type": "image"} for _ in seen), {"type": "text", "text": "?"}]
    prompt = Prompt(({"role": "user", "content": blocks},), seen)
    return ((prompt, prompt), (prompt, prompt))


def error(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


def reply(cached: int | None) -> dict[str, Any]:
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    message = {"message": {"content": "no"}, "finish_reason": "stop"}
    return {"choices": [message], "usage": {"prompt_tokens": 80, "completion_tokens": 1} | details}


def test_a_refused_key_and_an_absent_model_are_named(server: CannedServer) -> None:
    barred, _ = checks.reachable(server.look(**{MODELS: (401, error("no"))}), "models.policy.endpoint", "MY_KEY")
    assert barred.state == "fails" and "MY_KEY" in barred.todo
    there, names = checks.reachable(server.look(**{MODELS: (200, {"data": [{"id": "me"}]})}), "x", "K")
    assert there.state == "ok" and names == ("me",)
    absent = checks.model(server.look(), names)
    assert absent.state == "fails" and "'me'" in absent.found + absent.todo or "me" in absent.found
    assert checks.model(server.look(), ()).state == checks.model(server.look(), ("m", "n")).state == "ok"
    away, _ = checks.reachable(server.look(**{MODELS: (503, error("starting"))}), "models.judges[0].endpoint", "K")
    assert away.state == "fails" and "starting" in away.found and "models.judges[0].endpoint" in away.todo


def test_adapters_are_advised_at_a_rank_that_vllm_takes(server: CannedServer) -> None:
    off = checks.adapters(server.look(**{LORA: (500, error("LoRA is not enabled."))}), 20)
    assert off.state == "fails" and "--max-lora-rank 32" in off.todo
    fixed = checks.adapters(server.look(), 16)
    assert fixed.state == "note" and "--max-lora-rank 16" in fixed.todo and "RUNTIME_LORA" in fixed.todo


@pytest.mark.parametrize(
    ("said", "todo"),
    [
        ("At most 1 image(s) may be provided in one prompt.", "--limit-mm-per-prompt"),
        ("m is not a multimodal model", "openai_text"),
        ("This model's maximum context length is 64 tokens", "--max-model-len"),
    ],
)
def test_refused_images_say_which_option_is_lacking(server: CannedServer, said: str, todo: str) -> None:
    (only,) = checks.texts(server.look(**{CHAT: (400, error(said))}), pairs(), True)
    assert (only.name, only.state) == ("images", "fails") and todo in only.todo


@pytest.mark.parametrize(("cached", "state"), [(64, "ok"), (0, "note"), (None, "unknown")])
def test_a_server_without_cached_tokens_is_told_from_one_that_does_not_say(
    server: CannedServer, cached: int | None, state: str
) -> None:
    found = {check.name: check for check in checks.texts(server.look(**{CHAT: (200, reply(cached))}), pairs(), True)}
    assert found["images"].state == "ok" and found["prefix cache"].state == state
    assert found["log-probabilities"].state == "note"  # the reply has none
    if cached:
        assert "128 of 160 tokens" in found["prefix cache"].found


def test_another_template_is_a_failure_that_names_its_place(server: CannedServer) -> None:
    def tokens(body: dict[str, Any]) -> dict[str, Any]:
        return {"tokens": [1, 5, 3, 7]}

    same = checks.prompt_tokens(server.look(**{TOKENS: (200, tokens)}), pairs(), lambda prompt: (1, 5, 3, 7), "me/it")
    assert same.state == "ok" and "4 of 4" in same.found
    odd = checks.prompt_tokens(server.look(**{TOKENS: (200, tokens)}), pairs(), lambda prompt: (1, 5, 9, 7), "me/it")
    assert odd.state == "fails" and "from token 2" in odd.found and "me/it" in odd.todo
    longer = checks.prompt_tokens(server.look(**{TOKENS: (200, tokens)}), pairs(), lambda prompt: (1, 5, 3), "me/it")
    assert longer.state == "fails" and "from token 3" in longer.found
    assert checks.prompt_tokens(server.look(), pairs(), lambda prompt: (1,), "me/it").state == "unknown"
    assert checks.prompt_tokens(server.look(), pairs(), "no files here", "me/it").found == "no files here"


def test_questions_are_those_of_the_benchmark_and_read_as_the_models_files_say(tmp_path: Any) -> None:
    recipe, reach = load_recipe(), Reach(f"local:{tmp_path / 'absent'}")
    asked = asked_of(recipe, reach)
    assert len(asked.seeing) == len(asked.reading) == 5 and not list(tmp_path.iterdir())
    assert len({pair[0].images[0].tobytes() for pair in asked.seeing}) == 5
    for first, last in asked.seeing:
        assert first.images == last.images and len(first.images) == 2 and first.messages != last.messages
    read = reader_of(recipe.models.policy, reach, recipe, True)
    judge = reader_of(recipe.models.judges[0], reach, recipe, False)
    assert callable(read) and callable(judge)
    assert [read(asked.seeing[0][0]).count(3), read(asked.seeing[1][1]).count(3)] == [72, 72]  # 36 tokens an image
    first, second = (judge(prompt) for prompt in asked.reading[0])
    shared = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert shared > 40  # rubric, question and reference are read once


def test_the_table_fits_80_columns_and_failures_are_named_by_role_and_server() -> None:
    url = "http://gpu-node-with-a-long-name.cluster.hospital.example:8001/v1"
    rows = (Check("reachable", "ok", "vLLM 0.32.0, 6 ms"), Check("images", "fails", "word " * 40, "todo " * 30))
    report = ServersReport("recipe r in setting s", "phantom", (Looked("policy", url, "me/model", rows),))
    lines = list(report.lines())
    assert max(map(len, lines)) <= 80 and any("FAILS" in line for line in lines)
    assert report.failed == (f"policy at {url}: images",)
    assert report.values()["servers"][0]["checks"][1]["state"] == "fails"
