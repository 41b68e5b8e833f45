"""Every fault at every step of a push and a load: it ends right or with a clear error, and nothing is lost or doubled.

The Hub never answers 412 to anything but a commit, nor 409 to a preupload, an upload, a download or an info; a proxy
may, so those cells are run too. Reading must go on while the disk is full.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub.constants
import pytest
from dulwich.repo import Repo

from clincot.errors import ClincotError, DiskFull, HubError
from clincot.hub import Hub, connect, retry
from clincot.localhub import Fault, LocalHub, write_token

from .served import Door, Plan, serving

REPO = "clincot/pairs"
STEPS = {
    "create": ("POST", "/repos/create"),
    "preupload": ("POST", "/preupload/"),
    "upload": ("PUT", "/lfs/objects/"),
    "commit": ("POST", "/commit/"),
    "tag": ("POST", "/tag/"),
    "download": ("GET", "/resolve/"),
    "info": ("GET", r"/api/datasets/clincot/pairs(/revision/main)?$"),
}
ANSWERED = {
    "503": {"status": 503},
    "500": {"status": 500},
    "429": {"status": 429, "headers": {"Retry-After": "1"}},
    "412": {"status": 412},
    "409": {"status": 409},
    "dropped before": {"drop": True},
    "dropped after": {"drop": True, "after": True},
    "truncated": {"truncate": 1},
    "slow": {"status": None, "delay": 0.8},
}
KILLED = {"killed before": "before", "killed amid": "amid", "killed after": "after"}
CELLS = [(fault, step) for fault in [*ANSWERED, "disk full", *KILLED] for step in STEPS]
# One cell per fault, chosen where it hurts most.
ORDINARY = [(fault, "commit") for fault in [*ANSWERED, "disk full"]] + [("killed amid", "commit")]


@dataclass(frozen=True)
class Outcome:
    """`at_once`: it ended right by itself; otherwise a clear error came first and the same command then worked."""

    cell: tuple[str, str]
    at_once: bool


tally: list[Outcome] = []
begun: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow answer must exceed the client's own limit, and a restart must not exceed ours."""
    for name in ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.setattr(huggingface_hub.constants, name, 0.4)


@pytest.fixture
def rounds(round_files: Callable[..., dict[str, bytes]]) -> dict[str, bytes]:
    """A round whose payload goes through LFS and is longer than one buffer of the connection."""
    return round_files(1, bytes(range(256)) * 1200)


@pytest.mark.parametrize(("fault", "step"), ORDINARY, ids=lambda part: part.replace(" ", "-"))
def test_a_fault_at_a_step_loses_nothing(fault, step, tmp_path, rounds, card, monkeypatch):
    run(fault, step, tmp_path, rounds, card, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize(("fault", "step"), CELLS, ids=lambda part: part.replace(" ", "-"))
def test_every_fault_at_every_step_loses_nothing(fault, step, tmp_path, rounds, card, monkeypatch):
    begun.append((fault, step))
    tally.append(run(fault, step, tmp_path, rounds, card, monkeypatch))


@pytest.mark.long
def test_the_table_is_whole_and_has_no_losses(capsys):
    losses = sorted(set(begun) - {outcome.cell for outcome in tally})
    at_once = sum(outcome.at_once for outcome in tally)
    with capsys.disabled():
        print(
            f"\nfault table: {len(begun)} cases, {at_once} ended right by themselves, "
            f"{len(tally) - at_once} with a clear error and right when repeated, losses {len(losses)}"
        )
    assert losses == []
    assert begun == CELLS


def run(fault, step, folder, files, card, monkeypatch) -> Outcome:
    if fault in ANSWERED:
        return answered(fault, step, folder, files, card)
    with monkeypatch.context() as patch, serving(folder / "hub") as server:
        patch.setattr(retry, "sleep", lambda seconds: time.sleep(min(seconds, 1.0)))
        patch.setenv("HF_HOME", str(folder / "home"))
        door = Door(server.port)
        try:
            with connect(f"http://127.0.0.1:{door.port}", main=False, token=write_token(server.folder)) as hub:
                case = full if fault == "disk full" else killed
                return case(fault, step, hub, server, door, files, card)
        finally:
            door.close()


def answered(fault, step, folder, files, card) -> Outcome:
    with connect(f"local:{folder / 'hub'}", main=False) as hub:
        server = server_of(hub)
        method, match = STEPS[step]
        options = dict(ANSWERED[fault])
        if (fault, step) == ("409", "create"):  # what another process that made the repo meanwhile leads to
            url = json.dumps({"error": "exists", "url": f"{hub.endpoint}/datasets/{REPO}"})
            options |= {"after": True, "body": url.encode()}
        server.faults.append(Fault(match, method=method, **options))
        at_once = push_and_load(hub, files, card, mend=server.faults.clear)
        assert any(request.fault for request in server.requests), "the fault never happened"
        check(hub, folder / "hub", files, card)
        return Outcome((fault, step), at_once)


def killed(fault, step, hub, server, door, files, card) -> Outcome:
    def kill_and_restart() -> None:
        server.kill()
        threading.Thread(target=server.start).start()

    door.plan = Plan(*STEPS[step], when=KILLED[fault], act=kill_and_restart, lose_answer=True)
    at_once = push_and_load(hub, files, card, mend=lambda: None)
    assert door.plan.fired and server.starts == 2, "the server was never killed"
    check(hub, server.folder, files, card)
    return Outcome((fault, step), at_once)


def full(fault, step, hub, server, door, files, card) -> Outcome:
    door.plan = Plan(*STEPS[step], when="before", act=server.fill_disk, lose_answer=False)
    at_once = push_and_load(hub, files, card, mend=server.free_disk, expected=DiskFull)
    assert door.plan.fired, "the disk was never full"
    assert at_once == (step == "download"), "every other step comes before a write, and no write may seem to work"
    server.free_disk()
    check(hub, server.folder, files, card)
    assert list((server.folder / "lfs/incoming").glob("*")) == [] == list((server.folder / "tmp").iterdir())
    return Outcome((fault, step), at_once)


def push_and_load(hub: Hub, files, card, mend: Callable[[], None], expected: type[ClincotError] = HubError) -> bool:
    """Push, then load what was pushed; when that ends with a clear error, mend the Hub and do the same again."""

    def once() -> None:
        options = {"tag": "round-1", "message": "build-data round-1", "private": True, "card": card}
        pin = hub.publish("dataset", REPO, files, **options)
        folder = hub.snapshot(pin)
        assert {path: (folder / path).read_bytes() for path in files} == dict(files)

    try:
        once()
    except expected as error:
        assert ". " in str(error) and hub.label in str(error), "an error must say where, what and what to do"
        assert hub.token and hub.token not in str(error)
        mend()
        once()
        return False
    return True


def check(hub: Hub, folder: Path, files, card) -> None:
    """Read git itself: one commit, one tag, exactly the intended bytes; and the Hub serves the same."""
    pin = hub.resolve("dataset", REPO, "round-1")
    with Repo(str(folder / "repos/datasets" / f"{REPO}.git")) as stored:
        head = stored.refs[b"refs/heads/main"]
        walker = stored.get_walker(include=[head])
        titles = [entry.commit.message.decode().splitlines()[0] for entry in walker]
        assert titles == ["build-data round-1", "initial commit"]
        assert stored.refs.as_dict(b"refs/tags") == {b"round-1": head}
        assert set(stored.refs.as_dict(b"refs/heads")) == {b"main"}
        assert head.decode() == pin.sha
    held = hub.list_files(pin)
    assert set(held) == {*files, "README.md", ".gitattributes"}
    assert {path: hub.read(pin, path) for path in files} == dict(files)
    assert hub.read(pin, "README.md").decode() == card({p: c for p, c in files.items() if "lineage" in p})


def server_of(hub: Hub) -> LocalHub:
    from clincot.hub import embedded

    return embedded._running[hub.cache.parents[1]][0]
