"""Injected faults happen as asked, and the work is or is not done as they say."""

from __future__ import annotations

import time

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx

from clincot.localhub import Fault, LocalHub

from .conftest import REPO, Ask


def push(api: HfApi) -> str:
    return api.create_commit(REPO, [CommitOperationAdd("a.txt", b"a" * 1000)], commit_message="push").oid


def files(api: HfApi) -> list[str]:
    return api.list_repo_files(REPO)


def test_an_answer_instead_of_the_work(api: HfApi, hub: LocalHub):
    hub.faults.append(Fault("/commit/", status=503, headers={"Retry-After": "1"}))
    with pytest.raises(HfHubHTTPError) as failed:
        push(api)
    assert failed.value.response.headers["Retry-After"] == "1"
    assert files(api) == [".gitattributes"]
    push(api)  # the fault was due once
    assert [record.fault for record in hub.requests if "/commit/" in record.path] == ["503 /commit/", None]


@pytest.mark.parametrize(("after", "kept"), [(False, [".gitattributes"]), (True, [".gitattributes", "a.txt"])])
def test_a_connection_dropped_before_or_after_the_work(api: HfApi, hub: LocalHub, after: bool, kept: list[str]):
    hub.faults.append(Fault("/commit/", drop=True, after=after))
    with pytest.raises(httpx.TransportError):
        push(api)
    assert files(api) == kept


def test_a_replaced_answer_after_the_work(api: HfApi, hub: LocalHub):
    hub.faults.append(Fault("/commit/", status=500, after=True))
    with pytest.raises(HfHubHTTPError):
        push(api)
    assert files(api) == [".gitattributes", "a.txt"]


def test_a_download_cut_short_is_resumed_by_the_client(api: HfApi, hub: LocalHub, monkeypatch: pytest.MonkeyPatch):
    push(api)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50)  # what is kept of a cut download
    hub.faults.append(Fault("/resolve/", method="GET", truncate=100))
    with open(api.hf_hub_download(REPO, "a.txt"), "rb") as file:
        assert file.read() == b"a" * 1000
    gets = [record for record in hub.requests if record.method == "GET" and "/resolve/" in record.path]
    assert [record.status for record in gets] == [200, 206]


def test_skip_times_and_delay_count_matching_requests(hub: LocalHub, ask: Ask):
    hub.faults.append(Fault("/api/models", status=429, skip=1, times=2))
    assert [ask("GET", "/api/models").status for _ in range(4)] == [200, 429, 429, 200]
    hub.faults.append(Fault("/api/models", status=None, delay=0.3))
    started = time.monotonic()
    assert ask("GET", "/api/models").status == 200
    assert time.monotonic() - started >= 0.3


def test_a_full_disk_is_said_so_and_changes_nothing(api: HfApi, hub: LocalHub, monkeypatch: pytest.MonkeyPatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(HfHubHTTPError, match="disk is full"):
            push(api)
    assert files(api) == [".gitattributes"]
    push(api)
    assert files(api) == [".gitattributes", "a.txt"]
