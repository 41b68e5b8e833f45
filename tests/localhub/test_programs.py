"""Other programs, given only the environment: datasets at a tag, and the server as a command of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from clincot.localhub import LocalHub, environment

PUSH_AND_LOAD = """
from datasets import Dataset, DatasetDict, load_dataset
from huggingface_hub import HfApi, HfFileSystem
api = HfApi()
repo = "clincot/pairs"
def table(rows, suffix):
    return DatasetDict({"train": Dataset.from_dict({"text": [f"{n}{suffix}" for n in range(rows)]})})
table(3, "a").push_to_hub(repo, config_name="round-1")
api.create_tag(repo, tag="round-1", repo_type="dataset")
table(7, "b").push_to_hub(repo, config_name="round-1")
table(5, "c").push_to_hub(repo, config_name="round-2")
def rows(*config, **options):
    return load_dataset(repo, *config, split="train", **options)["text"][:]
assert rows("round-1", revision="round-1") == ["0a", "1a", "2a"]
assert len(rows("round-1")) == 7 and len(rows("round-2")) == 5
stream = load_dataset(repo, "round-1", split="train", streaming=True, revision="round-1")
assert [row["text"] for row in stream][0] == "0a"
folder = f"datasets/{repo}/round-2"
assert HfFileSystem().ls(folder, detail=False) == [f"{folder}/train-00000-of-00001.parquet"]
print("all rows as tagged")
"""

SERVE = """
import sys
from pathlib import Path
from clincot.localhub import serve_forever
serve_forever(Path(sys.argv[1]), on_ready=lambda hub: print(hub.endpoint, flush=True))
print("stopped", flush=True)
"""


def test_datasets_pushes_and_loads_at_a_tag_with_the_environment_alone(hub: LocalHub):
    outside = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    env = os.environ | environment(hub.endpoint, hub.path, hub.token) | outside
    env["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    done = subprocess.run([sys.executable, "-c", PUSH_AND_LOAD], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "all rows as tagged" in done.stdout
    assert all(record.status != 501 for record in hub.requests)


def test_the_server_as_a_program_stops_cleanly_at_ctrl_c(tmp_path: Path):
    # A background job of a shell ignores the signal, and so would its programs.
    serve = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{SERVE}"
    process = subprocess.Popen([sys.executable, "-c", serve, tmp_path / "hub"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "stopped\n"
    assert process.wait(timeout=10) == 0


def test_importing_the_package_loads_no_server_and_no_git():
    heavy = ("uvicorn", "starlette", "dulwich", "yaml")
    script = f"import sys, clincot.localhub; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
