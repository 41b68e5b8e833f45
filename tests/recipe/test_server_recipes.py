"""recipes/servers and the hardware files for them: what is started is what the roles name, with what a run needs."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clincot.recipe import load_recipe, recipes_folder
from clincot.runs.checks import check_names
from clincot.runs.roles import sources_of
from tests.recipe.server_commands import FOLDER, composed, option, scripted

SETTINGS = {"served-cpu": ("phantom", "cpu"), "served-gpu": ("paper", "gpu"), "served-8gpu": ("paper", "8gpu")}
every_setting = pytest.mark.parametrize("hardware", SETTINGS)


@every_setting
def test_each_endpoint_of_a_hardware_file_is_a_service_with_its_model(hardware: str) -> None:
    setting, compose = SETTINGS[hardware]
    recipe = load_recipe("clincot", setting, hardware=hardware)
    check_names(recipe)
    sources = sources_of(recipe).values()
    named = {(urlsplit(url).port, source.repo) for source in sources for url in source.endpoint}
    started = set()
    for words in composed(compose).values():
        model = option(words, "--served-model-name") if "--served-model-name" in words else words[0]
        started.add((int(option(words, "--port")), model))
    assert started == named and len(started) == len(composed(compose))


@every_setting
def test_servers_are_started_with_what_a_run_needs_of_them(hardware: str) -> None:
    setting, compose = SETTINGS[hardware]
    recipe = load_recipe("clincot", setting, hardware=hardware)
    for service, words in composed(compose).items():
        assert option(words, "--generation-config") == "vllm"  # else the model's own top-k enters unasked
        assert option(words, "--host") == "127.0.0.1" and "--enable-prompt-tokens-details" in words
        if service.startswith("policy"):
            assert int(option(words, "--max-lora-rank")) >= recipe.train.lora["r"]
            assert option(words, "--limit-mm-per-prompt") == '{"image": 2}'
            assert option(words, "--mm-processor-kwargs") == '{"backend": "pil"}'
    text = (FOLDER / f"compose.{compose}.yaml").read_text(encoding="utf-8")
    assert 'VLLM_ALLOW_RUNTIME_LORA_UPDATING: "True"' in text


@pytest.mark.parametrize("role", composed("cpu"))
def test_the_script_starts_what_the_compose_file_for_cpus_does(role: str, tmp_path: Path) -> None:
    assert scripted(role, tmp_path) == composed("cpu")[role]


def test_each_file_says_whether_it_ran() -> None:
    hardware = (recipes_folder() / "hardware").glob("served-*.yaml")
    for path in (*FOLDER.glob("*.yaml"), *FOLDER.glob("*.sh"), *hardware):
        assert re.search(
            r"^# (?:All values ours\. )?(?:NOT RUN|RUN)\b", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path.name
