from __future__ import annotations

import hashlib

import pytest

from clincot.errors import HubError, NotOnHub
from clincot.hub import FileInfo

REPO = "clincot/pairs"


@pytest.fixture
def seeded(server):
    """Two tags of one dataset with different rows."""
    one = server.seed("dataset", REPO, {"a.txt": b"one", "round-1/x.parquet": b"first"}, tag="round-1")
    two = server.seed("dataset", REPO, {"a.txt": b"two"}, tag="round-2")
    return one, two


def test_a_revision_is_resolved_to_its_sha(hub, seeded):
    assert hub.resolve("dataset", REPO, "round-1").sha == seeded[0]
    assert hub.resolve("dataset", REPO).sha == seeded[1]
    assert hub.resolve("dataset", REPO, seeded[0]).sha == seeded[0]
    assert hub.tags("dataset", REPO) == {"round-1": seeded[0], "round-2": seeded[1]}


def test_a_missing_tag_is_answered_with_the_tags_that_exist(hub, seeded):
    with pytest.raises(NotOnHub, match=r"'round-3'.*round-1, round-2"):
        hub.resolve("dataset", REPO, "round-3")


def test_an_absent_repo_is_said_and_has_no_tags(hub):
    assert not hub.exists("model", REPO)
    assert hub.tags("model", REPO) == {}
    with pytest.raises(NotOnHub, match=f"no model {REPO}"):
        hub.resolve("model", REPO, "round-1")


def test_a_folder_with_a_revision_is_refused(hub, tmp_path, monkeypatch):
    with pytest.raises(HubError, match="folder, which has no versions"):
        hub.resolve("dataset", str(tmp_path), "round-1")
    (tmp_path / "out" / "export").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("./out", "out/export"):
        with pytest.raises(HubError, match="no versions"):
            hub.resolve("dataset", name, "round-1")


def test_a_repo_named_like_a_folder_here_is_still_the_repo(hub, seeded, tmp_path, monkeypatch):
    (tmp_path / REPO).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert hub.resolve("dataset", REPO, "round-1").sha == seeded[0]


def test_a_snapshot_is_of_the_pinned_version_even_after_main_moved(hub, seeded):
    pin = hub.resolve("dataset", REPO, "round-1")
    folder = hub.snapshot(pin, ["*.txt"])
    assert (folder / "a.txt").read_bytes() == hub.read(pin, "a.txt") == b"one"
    assert not (folder / "round-1").exists()
    assert folder.is_relative_to(hub.cache)


def test_a_snapshot_of_a_branch_is_of_the_commit_that_it_was_resolved_to(hub, server, seeded):
    pin = hub.resolve("dataset", REPO)
    server.seed("dataset", REPO, {"a.txt": b"three"})
    assert (hub.snapshot(pin) / "a.txt").read_bytes() == b"two"
    assert hub.list_files(pin)["a.txt"].oid == hashlib.sha1(b"blob 3\0two").hexdigest()


def test_files_are_listed_with_size_and_content_id(hub, seeded):
    files = hub.list_files(hub.resolve("dataset", REPO, "round-2"))
    assert files["a.txt"] == FileInfo(3, hashlib.sha1(b"blob 3\0two").hexdigest())
    assert files["round-1/x.parquet"] == FileInfo(5, hashlib.sha256(b"first").hexdigest())


def test_a_missing_file_is_named(hub, seeded):
    pin = hub.resolve("dataset", REPO, "round-2")
    with pytest.raises(NotOnHub, match="nothing.json"):
        hub.read(pin, "nothing.json")
    with pytest.raises(NotOnHub, match=r"\*\.nothing"):
        hub.snapshot(pin, ["*.nothing"])
