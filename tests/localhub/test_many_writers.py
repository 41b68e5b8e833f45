"""Eight processes push fifty commits each: every acknowledged commit is in the history exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from dulwich.repo import Repo

from clincot.localhub import LocalHub

WRITERS, COMMITS = 8, 50

# A writer says "repo sha title" for every commit the Hub has acknowledged; only refusals and broken connections repeat.
WRITE = """
import sys, time
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx
name, count, repos = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
if len(sys.argv) > 4:
    from pathlib import Path
    from clincot.localhub import LocalHub
    hub = LocalHub(Path(sys.argv[4])).start()
    api = HfApi(endpoint=hub.endpoint, token=hub.token)
else:
    api = HfApi()
for number in range(count):
    title, repo = f"{name}-{number}", repos[number % len(repos)]
    add = CommitOperationAdd(f"{name}/{number}.txt", title.encode())
    for attempt in range(200):
        try:
            done = api.create_commit(repo, [add], commit_message=title)
            break
        except HfHubHTTPError as error:
            if error.response.status_code not in (409, 412, 503):
                raise
            print("again", title, error.response.status_code, file=sys.stderr)
        except httpx.TransportError:
            time.sleep(0.1)
    print(repo, done.oid, title, flush=True)
print("done", flush=True)
"""


def write_all(hub_path: Path, repos: list[str], env: dict[str, str], own_servers: bool) -> list[tuple[str, str, str]]:
    """Run the writers -> (repo, sha, title) of every acknowledged commit."""
    own = [str(hub_path)] if own_servers else []
    commands = [
        [sys.executable, "-c", WRITE, f"writer{number}", str(COMMITS), ",".join(repos), *own]
        for number in range(WRITERS)
    ]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) for command in commands]
    try:
        lines = [process.communicate(timeout=280)[0].splitlines() for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [rows[-1] for rows in lines] == ["done"] * WRITERS
    return [tuple(row.split(" ")) for rows in lines for row in rows[:-1]]  # type: ignore[misc]


def history(hub_path: Path, repo: str) -> dict[str, str]:
    """Sha -> title of every commit on main, read from git itself."""
    with Repo(str(hub_path / "repos/models" / f"{repo}.git")) as stored:
        walker = stored.get_walker(include=[stored.refs[b"refs/heads/main"]])
        return {entry.commit.id.decode(): entry.commit.message.decode().strip() for entry in walker}


def check(hub_path: Path, acknowledged: list[tuple[str, str, str]], repos: list[str], repeated: bool = False) -> None:
    """With `repeated`, a writer whose answer was lost asked again and was told the head, perhaps another's commit."""
    assert len(acknowledged) == WRITERS * COMMITS == len({title for _, _, title in acknowledged})
    for repo in repos:
        held = history(hub_path, repo)
        counts = Counter(held.values())
        mine = [(sha, title) for name, sha, title in acknowledged if name == repo]
        assert [sha for sha, title in mine if held.get(sha) != title and not (repeated and sha in held)] == []
        assert counts == Counter([*(title for _, title in mine), "initial commit"])


def environment(hub: LocalHub, folder: Path) -> dict[str, str]:
    return os.environ | {
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": hub.token,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


@pytest.mark.long
@pytest.mark.parametrize("repos", [1, 4], ids=["one-repo", "four-repos"])
def test_eight_processes_with_a_server_each_lose_no_commit(api, hub: LocalHub, tmp_path: Path, repos: int, capsys):
    names = [f"clincot/shared-{number}" for number in range(repos)]
    for name in names:
        api.create_repo(name)
    started = time.monotonic()
    acknowledged = write_all(hub.path, names, environment(hub, tmp_path), own_servers=True)
    check(hub.path, acknowledged, names)
    with capsys.disabled():
        print(f"\n{len(acknowledged)} commits, {repos} repo(s), 8 servers: {time.monotonic() - started:.0f} s, 0 lost")


SERVE = """
import sys
from pathlib import Path
from clincot.localhub import serve_forever
serve_forever(Path(sys.argv[1]), port=int(sys.argv[2]), on_ready=lambda hub: print(hub.endpoint, flush=True))
"""


@pytest.mark.long
def test_acknowledged_commits_survive_a_server_that_is_killed_again_and_again(api, hub: LocalHub, tmp_path, capsys):
    names = ["clincot/shared"]
    api.create_repo(*names)
    hub.stop()
    env = environment(hub, tmp_path)
    ended = tmp_path / "ended"
    killer = subprocess.Popen([sys.executable, "-c", KILLER, str(hub.path), str(hub.port), str(ended)], env=env)
    try:
        acknowledged = write_all(hub.path, names, env, own_servers=False)
    finally:
        ended.touch()
        killer.wait(timeout=60)
    kills = json.loads(ended.read_text())["kills"]
    check(hub.path, acknowledged, names, repeated=True)
    assert kills >= 2
    with capsys.disabled():
        print(f"\n{len(acknowledged)} commits through {kills} kills of the server: 0 lost, 0 doubled")


KILLER = f"""
import json, random, subprocess, sys, time
from pathlib import Path
ended, kills = Path(sys.argv[3]), 0
while not ended.exists():
    server = subprocess.Popen([sys.executable, "-c", {SERVE!r}, *sys.argv[1:3]], stdout=subprocess.PIPE)
    server.stdout.readline()
    until = time.monotonic() + random.uniform(0.5, 1.5)
    while time.monotonic() < until and not ended.exists():
        time.sleep(0.02)
    server.send_signal({int(signal.SIGKILL)})
    server.wait()
    kills += not ended.exists()
ended.write_text(json.dumps({{"kills": kills}}))
"""
