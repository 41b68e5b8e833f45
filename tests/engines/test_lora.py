"""A round's adapter is loaded on running servers under its name; what a server lacks is said with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clincot.engines.lora import PolicyServers, ServedAdapter
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


def servers(*endpoints: str) -> PolicyServers:
    return PolicyServers(endpoints, "CLINCOT_SERVER_KEY", timeout=60, tries=1)


def load(served: ServedModels, name: str, folder: Path | str, rank: int = 4) -> list[str]:
    adapter = ServedAdapter(name, str(folder), rank)
    return servers(served.endpoint).load(adapter, lambda: [adapter, ServedAdapter("run-round-1-aa", "/runs/aa", 8)])


def refusal(served: ServedModels, folder: Path | str, **lacks: Any) -> str:
    served.fail_next(0, 200, **lacks)
    with pytest.raises(ModelError) as refused:
        load(served, "run-round-2-bb", folder)
    return str(refused.value)


def test_an_adapter_is_loaded_once_on_every_server_and_answers_as_in_process(
    served: ServedModels, policy_folder: Path, adapter_folder: Path
) -> None:
    adapter = ServedAdapter("run-round-1-aaaa", str(adapter_folder), 4)
    both = servers(served.endpoint, f"{served.endpoint}/v1/")  # one server twice: the second has it already
    assert both.load(adapter, list) == [f"{served.endpoint}/v1"]
    assert both.load(adapter, list) == []
    assert served.seen()["loras"] == [{"lora_name": adapter.name, "lora_path": adapter.folder}]
    here = TransformersEngine.from_pretrained(policy_folder, adapter_folder, batch_size=4)
    there = OpenAIEngine.from_pretrained(BASE, adapter.name, endpoint=served.endpoint)
    asked = requests(0.0)
    texts = [completion.text for completion in there.generate(asked)]
    assert texts == [completion.text for completion in here.generate(asked)]
    base = OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint)
    assert texts != [completion.text for completion in base.generate(asked)]


def test_a_server_that_loads_none_is_found_at_once_and_ends_with_the_command_for_starting_it(
    served: ServedModels, adapter_folder: Path
) -> None:
    assert servers(served.endpoint).without_loading() == []
    said = refusal(served, adapter_folder, no_lora=True)
    assert servers(served.endpoint).without_loading() == [f"{served.endpoint}/v1"]
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
    assert "Start it with --max-lora-rank 4" in refusal(served, adapter_folder, max_rank=2)


def test_an_adapter_that_cannot_be_loaded_is_said_in_the_server_s_words(served: ServedModels, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"r": 4, "peft_type": "LORA"}')
    said = refusal(served, tmp_path)
    assert "does not load the adapter run-round-2-bb (500" in said and said.endswith("See its log.")


def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(ModelError, match="server http://127.0.0.1:9/v1: gives no answer"):
        servers("http://127.0.0.1:9").load(ServedAdapter("a", "/a", 4), list)
