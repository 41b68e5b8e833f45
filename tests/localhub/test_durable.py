"""An acknowledged commit is on disk, and writers in several threads and processes lose none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from clincot.localhub import LocalHub

from .conftest import REPO

APPEND = """
import sys
from pathlib import Path
from clincot.localhub import LocalHub
import huggingface_hub.constants
huggingface_hub.constants.HF_HUB_DISABLE_XET = True
from huggingface_hub import CommitOperationAdd, HfApi
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with LocalHub(path) as hub:
    api = HfApi(endpoint=hub.endpoint, token=hub.token)
    for number in range(count):
        add = CommitOperationAdd(f"{name}-{number}.txt", name.encode())
        api.create_commit("clincot/thing", [add], commit_message=f"{name}-{number}")
"""


def test_processes_over_one_folder_and_threads_in_one_lose_no_commit(api: HfApi, hub: LocalHub):
    count = 6
    command = [sys.executable, "-c", APPEND, str(hub.path)]
    processes = [subprocess.Popen([*command, f"process{number}", str(count)]) for number in range(2)]

    def append(name: str) -> None:
        for number in range(count):
            add = CommitOperationAdd(f"{name}-{number}.txt", name.encode())
            api.create_commit(REPO, [add], commit_message=f"{name}-{number}")

    threads = [threading.Thread(target=append, args=(f"thread{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    names = [f"process{n}" for n in range(2)] + [f"thread{n}" for n in range(3)]
    expected = {f"{name}-{number}" for name in names for number in range(count)}
    titles = [commit.title for commit in api.list_repo_commits(REPO)]
    assert sorted(titles) == sorted([*expected, "initial commit"])
    assert set(api.list_repo_files(REPO)) == {f"{name}.txt" for name in expected} | {".gitattributes"}


def recorded(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[tuple[str, str]]:
    """Log every fsync and rename below `root` as (call, path relative to root)."""
    events: list[tuple[str, str]] = []
    sync, replace, link = os.fsync, os.replace, os.link

    def note(call: str, path: str) -> None:
        if path.startswith(str(root)):
            events.append((call, os.path.relpath(path, root)))

    def logged_sync(handle: int) -> None:
        sync(handle)
        note("fsync", os.readlink(f"/proc/self/fd/{handle}"))

    def logged(call: str, real: Callable[..., None]) -> Callable[..., None]:
        def run(source: str, target: str, **options: object) -> None:
            real(source, target, **options)
            note(call, os.fsdecode(target))

        return run

    monkeypatch.setattr(os, "fsync", logged_sync)
    monkeypatch.setattr(os, "replace", logged("replace", replace))
    monkeypatch.setattr(os, "link", logged("link", link))
    return events


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads the names of open files from /proc")
def test_objects_then_the_ref_then_its_folder_are_synced_before_the_answer(
    api: HfApi, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
):
    stored = hub.path / "repos/models/clincot/thing.git"
    events = recorded(monkeypatch, hub.path)
    adds = [CommitOperationAdd("a.txt", b"small"), CommitOperationAdd("w.bin", b"large" * 100)]
    oid = api.create_commit(REPO, adds, commit_message="durable").oid
    events.append(("answer", ""))
    order = {event: position for position, event in reversed(list(enumerate(events)))}
    repo = str(stored.relative_to(hub.path))
    moved = order["replace", f"{repo}/refs/heads/main"]

    objects = [path for call, path in events if call == "replace" and path.startswith(f"{repo}/objects/")]
    assert f"{repo}/objects/{oid[:2]}/{oid[2:]}" in objects
    assert len(objects) == 4  # blob, pointer, tree, commit
    for path in objects:
        assert order["fsync", f"{path}.lock"] < order["replace", path]
        assert order["replace", path] < last(events, ("fsync", os.path.dirname(path)), before=moved)
    assert last(events, ("fsync", f"{repo}/objects"), before=moved) > max(order["replace", path] for path in objects)

    (shared,) = [path for call, path in events if call == "replace" and path.startswith("lfs/objects/")]
    (linked,) = [path for call, path in events if call == "link"]
    assert any(
        call == "fsync" and path.startswith("lfs/incoming/") for call, path in events[: order["replace", shared]]
    )
    assert order["replace", shared] < last(events, ("fsync", os.path.dirname(shared)), before=moved)
    assert order["link", linked] < last(events, ("fsync", os.path.dirname(linked)), before=moved)

    assert order["fsync", f"{repo}/refs/heads/main.lock"] < moved
    assert moved < last(events, ("fsync", f"{repo}/refs/heads"), before=order["answer", ""])


def last(events: list[tuple[str, str]], event: tuple[str, str], before: int) -> int:
    """The latest position of `event` before another; fails when there is none."""
    return max(position for position, other in enumerate(events[:before]) if other == event)


def test_locks_left_by_a_killed_writer_do_not_block_the_repo(api: HfApi, hub: LocalHub):
    lock = hub.path / "repos/models/clincot/thing.git/refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    api.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id=REPO)
    assert not lock.exists()


def test_a_deleted_and_remade_repo_starts_afresh_while_a_writer_waits(api: HfApi, hub: LocalHub):
    api.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id=REPO)
    api.delete_repo(REPO)
    api.create_repo(REPO)
    assert api.list_repo_files(REPO) == [".gitattributes"]
    assert list((hub.path / "tmp").iterdir()) == []
