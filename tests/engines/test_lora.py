"""A round's adapter is loaded on running servers under its name; what a server lacks is said with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.utils import httpx

from clincot.engines.lora import Lora, ServedAdapter, loads_none
from clincot.engines.openai import OpenAIEngine
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from tests.engines.conftest import requests
from tests.engines.served import BASE, ServedModels


@pytest.fixture(scope="module")
def process(policy_folder: Path) -> Iterator[ServedModels]:
    server = ServedModels({BASE: (policy_folder,)})
    yield server
    server.stop()


@pytest.fixture
def served(process: ServedModels) -> ServedModels:
    process.fail_next(0, 200)
    return process


def lora(name: str, folder: Path | str) -> Lora:
    own = ServedAdapter(name, str(folder), 4)
    return Lora(own, lambda: [own, ServedAdapter("run-round-1-aa", "/runs/aa", 8)])


def engine(given: Lora, *endpoints: str) -> OpenAIEngine:
    return OpenAIEngine.from_pretrained(BASE, given.adapter.name, endpoint=endpoints, tries=1, lora=given)


def refusal(served: ServedModels, folder: Path | str, **lacks: Any) -> str:
    served.lack(**lacks)
    with pytest.raises(ModelError) as refused:
        engine(lora("run-round-2-bb", folder), served.endpoint)
    return str(refused.value)


def texts(engine: OpenAIEngine | TransformersEngine) -> list[str]:
    return [completion.text for completion in engine.generate(requests(0.0))]


def test_an_adapter_is_loaded_once_and_again_where_it_was_lost_and_answers_as_in_process(
    served: ServedModels, policy_folder: Path, adapter_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = lora("run-round-1-aaaa", adapter_folder)
    there = engine(given, served.endpoint, "http://127.0.0.1:9")  # nobody is at the second one
    assert "http://127.0.0.1:9/v1: gives no answer" in capsys.readouterr().err
    engine(given, served.endpoint)
    asked = {"lora_name": given.adapter.name, "lora_path": given.adapter.folder}
    assert served.seen()["loras"] == [asked]
    here = texts(TransformersEngine.from_pretrained(policy_folder, adapter_folder, batch_size=4))
    assert texts(there) == here != texts(OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint))
    # A server that was started again has lost it; whoever asks first puts it back.
    httpx.post(f"{served.endpoint}/v1/unload_lora_adapter", json={"lora_name": given.adapter.name}, trust_env=False)
    assert texts(there) == here
    assert {one["lora_name"] for one in served.seen()["loras"]} == {given.adapter.name}
    assert len(served.seen()["loras"]) >= 2


def test_a_server_that_loads_none_is_found_at_once_and_ends_with_the_command_for_starting_it(
    served: ServedModels, adapter_folder: Path
) -> None:
    reach: dict[str, Any] = {"key_env": "CLINCOT_SERVER_KEY", "timeout": 60.0}
    assert not loads_none(served.endpoint, **reach) and not loads_none("http://127.0.0.1:9", **reach)
    said = refusal(served, adapter_folder, no_lora=True)
    assert loads_none(served.endpoint, **reach)
    assert f"server {served.endpoint}/v1: loads no adapters while it runs (404: Not Found)" in said
    modules = f"--lora-modules run-round-2-bb={adapter_folder} run-round-1-aa=/runs/aa"
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True" in said and f"--enable-lora --max-lora-rank 8 {modules}" in said
    assert "give the same command again" in said
    assert "--enable-lora" in refusal(served, adapter_folder, no_enable=True)
    assert "does not list it" in refusal(served, adapter_folder, unlisted=True)


def test_a_folder_that_the_server_does_not_see_and_a_rank_too_high_are_said(
    served: ServedModels, adapter_folder: Path, tmp_path: Path
) -> None:
    assert f"finds no adapter in {tmp_path}" in refusal(served, tmp_path)
    assert "models.policy.adapter_root" in refusal(served, tmp_path)
    said = refusal(served, adapter_folder, max_rank=2)
    assert "takes no adapter of rank 4" in said and "Start it with --max-lora-rank 8." in said


def test_an_adapter_that_cannot_be_loaded_is_said_in_the_server_s_words(served: ServedModels, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"r": 4, "peft_type": "LORA"}')
    said = refusal(served, tmp_path)
    assert "does not load the adapter run-round-2-bb (500" in said and said.endswith("See its log.")
