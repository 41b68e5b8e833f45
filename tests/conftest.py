"""Every test: one torch thread, no proxy, no telemetry, nothing that leaves this machine."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file to one process, whose fixtures are made once; files of one group go to one process together.

    xdist's own `loadgroup` writes the group into the name of a test, which pytest 9.2 does not let it change.
    """
    from xdist.scheduler import LoadScopeScheduling

    groups = {
        path.relative_to(config.rootpath).as_posix(): _group(path) for path in Path(__file__).parent.rglob("*.py")
    }

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return groups.get(file) or file

    return ByGroup(config, log)


def _group(path: Path) -> str:
    """Return the group that a test file names, or that of the run of two rounds, which takes a minute to make."""
    text = path.read_text(encoding="utf-8")
    named = re.search(r"xdist_group\(\"(\w+)\"\)", text)
    return named[1] if named else "finished run" if "finished_run" in text else ""


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
