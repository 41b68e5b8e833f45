from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from clincot.errors import HubError
from clincot.hub import connect


def test_a_local_hub_starts_serves_and_stops(tmp_path):
    hub = connect(f"local:{tmp_path / 'hub'}", main=False)
    assert hub.whoami() == "clincot"
    assert httpx2.get(f"{hub.endpoint}/api/datasets", trust_env=False).status_code == 200
    hub.close()
    hub.close()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{hub.endpoint}/api/datasets", trust_env=False)


def test_two_connections_to_one_folder_share_a_server_until_the_last_closes(tmp_path):
    one, two = (connect(f"local:{tmp_path / 'hub'}", main=False) for _ in range(2))
    assert one.endpoint == two.endpoint
    one.close()
    assert two.whoami() == "clincot"
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
import os, sys
from clincot.hub import connect
assert "huggingface_hub" not in sys.modules
hub = connect("local:" + sys.argv[1])
assert "huggingface_hub" not in sys.modules
hub.publish("dataset", "clincot/x", {"README.md": b"---\\nlicense: mit\\n---\\n", "d.csv": b"a,b\\n1,2\\n"},
            tag="v1", message="m", private=False)
from huggingface_hub import constants, dataset_info
from datasets import load_dataset
assert constants.ENDPOINT == hub.endpoint and constants.HF_HUB_DISABLE_XET
assert dataset_info("clincot/x", revision="v1").sha == hub.resolve("dataset", "clincot/x", "v1").sha
print(load_dataset("clincot/x", revision="v1", split="train")[0])
"""


def test_unmodified_libraries_of_a_program_follow_the_main_hub_and_it_ends_by_itself(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in {"HF_ENDPOINT", "HF_HOME", "HF_TOKEN"}}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "{'a': 1, 'b': 2}"
