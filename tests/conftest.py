"""Every test: one torch thread, no proxy, no telemetry, nothing that leaves this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ.update(
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_HUB_DISABLE_UPDATE_CHECK="1",
    HF_UPDATE_DOWNLOAD_COUNTS="0",
    HF_EVALUATE_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    NO_PROXY="127.0.0.1,localhost",
    HTTP_PROXY="http://127.0.0.1:9",  # a request that leaves loopback fails at once
    HTTPS_PROXY="http://127.0.0.1:9",
)
for name in ("HF_ENDPOINT", "HF_TOKEN"):
    os.environ.pop(name, None)
sys.path.insert(0, str(Path(__file__).parent))


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` a file is a group, whose fixtures are made once; some files are one group together."""
    runs = {item.path for item in items if "finished_run" in getattr(item, "fixturenames", ())}  # a minute to make
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            name = "finished run" if item.path in runs else item.path.name
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Ten tiny DPO steps take 29 s on two contended threads and 2.4 s on one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; skip, saying so, where a clone has none."""
    folder = Path(os.environ.get("CLINCOT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set CLINCOT_SHARED)")
    return folder
