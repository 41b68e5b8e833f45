from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from clincot.errors import HubError
from clincot.hub import connect
from clincot.hub.environment import users_endpoint


def test_a_local_hub_starts_serves_and_stops(tmp_path):
    hub = connect(f"local:{tmp_path / 'hub'}", main=False)
    assert hub.account().name == "clincot"
    assert httpx2.get(f"{hub.endpoint}/api/datasets", trust_env=False).status_code == 200
    hub.close()
    hub.close()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{hub.endpoint}/api/datasets", trust_env=False)


def test_two_connections_to_one_folder_share_a_server_until_the_last_closes(tmp_path):
    one, two = (connect(f"local:{tmp_path / 'hub'}", main=False) for _ in range(2))
    assert one.endpoint == two.endpoint
    one.close()
    assert two.account().name == "clincot"
    two.close()


def test_the_users_token_is_never_sent_to_a_local_hub(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_the_users_own")
    with connect(f"local:{tmp_path}", main=False) as hub:
        assert hub.token and hub.token != "hf_the_users_own"
        assert hub.token not in repr(hub)
        assert os.environ["HF_TOKEN"] == "hf_the_users_own"


def test_the_environment_points_at_the_main_hub_until_it_closes(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://elsewhere.example")
    with connect(f"local:{tmp_path}") as hub:
        assert os.environ["HF_ENDPOINT"] == hub.endpoint
        assert os.environ["HF_HOME"] == str(tmp_path / "client")
        assert hub.cache == tmp_path / "client" / "hub"
        assert "127.0.0.1" in os.environ["NO_PROXY"]
    assert os.environ["HF_ENDPOINT"] == "https://elsewhere.example"


@pytest.mark.parametrize("own", [None, "https://elsewhere.example"])
def test_a_hub_that_was_opened_before_is_not_the_users_choice(tmp_path, monkeypatch, own):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    if own:
        monkeypatch.setenv("HF_ENDPOINT", own)
    with connect(f"local:{tmp_path / 'a'}") as first, connect(f"local:{tmp_path / 'b'}") as second:
        assert os.environ["HF_ENDPOINT"] == second.endpoint != first.endpoint
        assert users_endpoint() == own
    assert os.environ.get("HF_ENDPOINT") == users_endpoint() == own


def test_a_url_uses_the_users_token_and_cache_and_keeps_its_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_the_users_own")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    hub = connect("https://mirror.example/artifactory/hf/", main=False)
    assert hub.endpoint == "https://mirror.example/artifactory/hf"
    assert (hub.token, hub.cache) == ("hf_the_users_own", tmp_path / "hub")


@pytest.mark.parametrize("target", ["local:", "clincot-hub", "ftp://host/x", "http://"])
def test_a_target_that_is_no_hub_is_refused(target):
    with pytest.raises(HubError, match="local:PATH"):
        connect(target, main=False)


def test_a_file_in_the_way_of_a_local_hub_is_an_error_to_act_on(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HubError, match="file is in the way"):
        connect(f"local:{tmp_path / 'file'}", main=False)


PROGRAM = """
import io, sys
import pyarrow, pyarrow.parquet
from clincot.hub import RoundFiles, connect, parse_lineages
from clincot.records.lineage import Lineage
assert "huggingface_hub" not in sys.modules
hub = connect("local:" + sys.argv[1])
assert "huggingface_hub" not in sys.modules
from clincot.runs.releases.cards import dataset_card
for number in (1, 2):
    name, rows = f"round-{number}", io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"chosen": [name] * number}), rows)
    lineage = Lineage("build-data", "x", number, "clincot", "phantom", "0" * 64, "k", 0, facts={"pairs": number})
    hub.publish("dataset", "clincot/x", {f"{name}/train-0.parquet": rows.getvalue(),
                **RoundFiles(name, "seed: 0", lineage).files()}, tag=name, message=name, private=True,
                card=lambda raw: dataset_card("clincot/x", parse_lineages(raw)))
from huggingface_hub import constants, dataset_info
from datasets import load_dataset
assert constants.ENDPOINT == hub.endpoint and constants.HF_HUB_DISABLE_XET
assert dataset_info("clincot/x", revision="round-1").sha == hub.resolve("dataset", "clincot/x", "round-1").sha
for revision, config in (("round-1", None), ("round-2", None), ("round-2", "round-1")):
    print(load_dataset("clincot/x", config, revision=revision, split="train")["chosen"][:])
"""


def test_unmodified_libraries_of_a_program_follow_the_main_hub_and_it_ends_by_itself(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in {"HF_ENDPOINT", "HF_HOME", "HF_TOKEN"}}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["['round-1']", "['round-2', 'round-2']", "['round-1']"]
