from __future__ import annotations

import errno

import pytest

from clincot.errors import DiskFull, HubError
from clincot.hub.explain import explain
from clincot.localhub import Fault

REPO = "clincot/pairs"
COMMIT, TAG, CREATE, INFO = "/commit/", "/tag/", "/repos/create", r"/api/datasets/clincot/pairs(/revision/main)?$"

SIGNED = b'{"error": "Bad request for http://h/lfs/objects/a?size=4&ticket=secret: try again"}'

FAULTS = {
    "503 on the commit": Fault(COMMIT, method="POST"),
    "500 on the commit": Fault(COMMIT, method="POST", status=500),
    "429 on the commit": Fault(COMMIT, method="POST", status=429, headers={"Retry-After": "7"}),
    "412 on the commit": Fault(COMMIT, method="POST", status=412),
    "409 on the commit": Fault(COMMIT, method="POST", status=409),
    "425 on the commit": Fault(COMMIT, method="POST", status=425),
    "connection lost before the commit": Fault(COMMIT, method="POST", drop=True),
    "connection lost after the commit": Fault(COMMIT, method="POST", drop=True, after=True),
    "gateway timeout after the commit": Fault(COMMIT, method="POST", status=504, after=True),
    "answer of the commit cut short": Fault(COMMIT, method="POST", truncate=10),
    "answer of the commit is no JSON": Fault(COMMIT, method="POST", status=200, after=True, body=b"<html>"),
    "503 on the tag": Fault(TAG, method="POST"),
    "connection lost after the tag": Fault(TAG, method="POST", drop=True, after=True),
    "500 on create": Fault(CREATE, method="POST", status=500),
    "connection lost after create": Fault(CREATE, method="POST", drop=True, after=True),
    "503 on preupload": Fault("/preupload/", method="POST"),
    "connection lost after the upload": Fault("/lfs/", method="PUT", drop=True, after=True),
    "409 on the upload": Fault("/lfs/objects/", method="PUT", status=409),
    "500 on the upload": Fault("/lfs/objects/", method="PUT", status=500),
    "500 on info": Fault(INFO, method="GET", status=500),
    "tree cut short": Fault("/tree/", method="GET", truncate=20),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_push_through_a_fault_ends_with_one_commit_and_its_tag(name, hub, server, round_files, card, commits):
    server.faults.append(FAULTS[name])
    pin = hub.publish(
        "dataset", REPO, round_files(1), tag="round-1", message="build-data round-1", private=True, card=card
    )
    assert any(request.fault for request in server.requests), "the fault never happened"
    assert commits(REPO) == ["build-data round-1", "initial commit"]
    assert hub.tags("dataset", REPO) == {"round-1": pin.sha}
    assert hub.read(pin, "round-1/train-0.parquet") == b"rows"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7.0), ({"RateLimit": '"api";r=0;t=55'}, 55.0), ({"Retry-After": "99999"}, 310.0)],
)
def test_the_wait_is_the_one_the_hub_asks_for(hub, server, waits, round_files, headers, seconds):
    server.faults.append(Fault(COMMIT, method="POST", status=429, headers=headers))
    hub.publish("dataset", REPO, round_files(1), tag="round-1", message="m", private=True)
    assert waits == [seconds]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/resolve/", method="GET", status=500),
        Fault("/resolve/", method="GET", truncate=3),
        Fault("/resolve/", method="HEAD", status=503),
        Fault("/tree/", method="GET", status=500),
    ],
    ids=["500", "cut short", "503 on the head", "500 on the tree"],
)
def test_a_download_through_a_fault_is_whole(fault, hub, server, round_files):
    pin = hub.publish("dataset", REPO, round_files(1, b"many rows"), tag="round-1", message="m", private=True)
    server.faults.append(fault)
    folder = hub.snapshot(pin)
    assert any(request.fault for request in server.requests), "the fault never happened"
    assert {path: (folder / path).read_bytes() for path in round_files(1)} == round_files(1, b"many rows")


def test_a_hub_that_stays_down_is_an_error_after_a_bounded_time(hub, server, waits, round_files, commits):
    server.faults.append(Fault(COMMIT, method="POST", times=1000))
    with pytest.raises(HubError, match=f"{REPO}: still failing after 7 tries.*same command again"):
        hub.publish("dataset", REPO, round_files(1), tag="round-1", message="m", private=True)
    assert sum(waits) < 40
    assert hub.tags("dataset", REPO) == {}
    server.faults.clear()
    hub.publish("dataset", REPO, round_files(1), tag="round-1", message="m", private=True)
    assert commits(REPO) == ["m", "initial commit"]


def test_a_refused_upload_is_an_error_to_act_on_without_its_permission_in_it(hub, server, waits, round_files):
    """The client wraps the answer in a RuntimeError; both may hold the signed URL."""
    server.faults.append(Fault("/lfs/objects/", method="PUT", status=400, body=SIGNED, times=9))
    with pytest.raises(HubError, match=f"{REPO}: the Hub refused it .400: .*/lfs/objects/") as refused:
        hub.publish("dataset", REPO, round_files(1), tag="round-1", message="m", private=True)
    assert "ticket" not in str(refused.value) and waits == []


def test_a_full_disk_of_the_hub_is_said_at_once(hub, server, waits, round_files):
    server.faults.append(Fault(COMMIT, method="POST", status=507, times=9))
    with pytest.raises(DiskFull, match="no room left"):
        hub.publish("dataset", REPO, round_files(1), tag="round-1", message="m", private=True)
    assert waits == []


def test_a_full_or_forbidden_disk_of_ours_is_an_error_to_act_on(hub):
    assert isinstance(explain(OSError(errno.ENOSPC, "full"), hub, "downloading"), DiskFull)
    forbidden = explain(PermissionError(errno.EACCES, "no", "/cache/x"), hub, "downloading")
    assert isinstance(forbidden, HubError) and "/cache/x" in str(forbidden)
    bug = RuntimeError("ours")
    assert explain(bug, hub, "downloading") is bug
