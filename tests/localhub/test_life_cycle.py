"""Create, push, tag, list, download, merge and delete with the unmodified client over loopback HTTP."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from clincot.localhub import LocalHub, list_repos

from .conftest import REPO


def push(api: HfApi, message: str = "push", parent: str | None = None, **files: bytes) -> str:
    adds = [CommitOperationAdd(path.replace("__", "/").replace("_", "."), data) for path, data in files.items()]
    return api.create_commit(REPO, adds, commit_message=message, parent_commit=parent).oid


def test_a_snapshot_at_a_tag_holds_what_was_tagged_and_main_holds_the_rest(api: HfApi, hub: LocalHub, tmp_path: Path):
    weights = os.urandom(50_000)
    push(api, a_txt=b"one", sub__w_safetensors=weights)
    api.create_tag(REPO, tag="round-1", tag_message="the first round")
    push(api, a_txt=b"two", sub__w_safetensors=weights[::-1])

    def read(revision: str) -> tuple[bytes, bytes]:
        folder = Path(
            snapshot_download(REPO, revision=revision, endpoint=hub.endpoint, cache_dir=tmp_path / "cache", token=False)
        )
        return (folder / "a.txt").read_bytes(), (folder / "sub/w.safetensors").read_bytes()

    assert read("round-1") == (b"one", weights)
    assert read("main") == (b"two", weights[::-1])


def test_regular_and_large_files_are_listed_with_their_own_ids_and_true_sizes(api: HfApi):
    push(api, a_txt=b"hello\n", sub__w_safetensors=b"w" * 1000)
    rows = {row.path: row for row in api.list_repo_tree(REPO, recursive=True, expand=True)}
    assert list(rows) == [".gitattributes", "a.txt", "sub", "sub/w.safetensors"]
    assert rows["a.txt"].blob_id == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object of "hello\n"
    assert rows["a.txt"].lfs is None
    large = rows["sub/w.safetensors"].lfs
    assert (large.size, large.sha256) == (1000, hashlib.sha256(b"w" * 1000).hexdigest())
    assert [info.path for info in api.get_paths_info(REPO, ["sub", "absent", "a.txt"])] == ["sub", "a.txt"]


def test_refs_name_branches_tags_and_pull_requests_by_their_commits(api: HfApi):
    first = push(api, a_txt=b"1")
    api.create_tag(REPO, tag="v1", tag_message="annotated")
    api.create_branch(REPO, branch="feature/x", revision=first)
    api.create_commit(REPO, [CommitOperationAdd("b.txt", b"b")], commit_message="p", create_pr=True)
    refs = api.list_repo_refs(REPO, include_pull_requests=True)
    assert {ref.name: ref.target_commit for ref in refs.branches} == {"feature/x": first, "main": first}
    assert [(ref.name, ref.target_commit) for ref in refs.tags] == [("v1", first)]
    assert [ref.ref for ref in refs.pull_requests] == ["refs/pr/1"]
    assert api.repo_info(REPO, revision=first[:10]).sha == first


def test_a_stale_parent_commit_is_refused_and_changes_nothing(api: HfApi):
    first = push(api, a_txt=b"1")
    second = push(api, a_txt=b"2", parent=first)
    with pytest.raises(HfHubHTTPError) as refused:
        push(api, a_txt=b"3", parent=first)
    assert refused.value.response.status_code == 412
    assert api.repo_info(REPO).sha == second


def test_an_existing_tag_is_never_moved(api: HfApi):
    first = push(api, a_txt=b"1")
    api.create_tag(REPO, tag="v1")
    push(api, a_txt=b"2")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_tag(REPO, tag="v1")
    assert refused.value.response.status_code == 409
    api.create_tag(REPO, tag="v1", exist_ok=True)
    assert api.repo_info(REPO, revision="v1").sha == first


def test_a_commit_that_changes_nothing_is_not_made_twice(api: HfApi):
    first = push(api, a_txt=b"1")
    assert push(api, a_txt=b"1") == first
    assert len(api.list_repo_commits(REPO)) == 2


def test_files_and_folders_are_copied_and_deleted(api: HfApi):
    push(api, a_txt=b"a", d__b_txt=b"b", d__c_safetensors=b"c" * 99)
    edits = [CommitOperationCopy("d/c.safetensors", "e.safetensors"), CommitOperationDelete("d/", is_folder=True)]
    api.create_commit(REPO, edits, commit_message="move")
    assert api.list_repo_files(REPO) == [".gitattributes", "a.txt", "e.safetensors"]
    with pytest.raises(EntryNotFoundError):
        api.delete_file("absent.txt", REPO)


def test_what_is_absent_raises_the_clients_own_errors(api: HfApi):
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("clincot/absent")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPO, revision="absent")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(REPO, "absent"))
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(REPO, "absent.txt")


def test_a_pull_request_leaves_main_alone_until_it_is_merged_path_by_path(api: HfApi):
    push(api, a_txt=b"1", b_txt=b"1")
    done = api.create_commit(REPO, [CommitOperationAdd("a.txt", b"pr")], commit_message="p", create_pr=True)
    push(api, b_txt=b"main moved on")
    assert api.repo_info(REPO).sha != done.oid
    api.merge_pull_request(REPO, done.pr_num)
    read = {path: Path(api.hf_hub_download(REPO, path)).read_bytes() for path in ("a.txt", "b.txt")}
    assert read == {"a.txt": b"pr", "b.txt": b"main moved on"}
    assert api.get_discussion_details(REPO, done.pr_num).status == "merged"


def test_a_pull_request_that_clashes_with_main_is_not_merged(api: HfApi):
    push(api, a_txt=b"1")
    done = api.create_commit(REPO, [CommitOperationAdd("a.txt", b"pr")], commit_message="p", create_pr=True)
    push(api, a_txt=b"main")
    assert api.get_discussion_details(REPO, done.pr_num).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match=r"conflicts with main in: a\.txt"):
        api.merge_pull_request(REPO, done.pr_num)


def test_info_shows_the_cards_data_and_tags(api: HfApi):
    card = (
        b"---\nlicense: mit\nlibrary_name: peft\nbase_model: clincot/base\ntags: [medical]\ndate: 2026-01-02\n---\nText"
    )
    push(api, README_md=card)
    info = api.model_info(REPO)
    assert set(info.tags) >= {"medical", "license:mit", "peft", "base_model:clincot/base"}
    assert info.card_data.to_dict()["date"] == "2026-01-02"
    assert [row.id for row in api.list_models(filter="medical")] == [REPO]
    with pytest.raises(ValueError, match="license"):
        push(api, README_md=b"---\nlicense: 3\n---\n")


def test_pages_of_tree_and_history_add_up(api: HfApi, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("clincot.localhub.routes.reading.PAGE", 4)
    for number in range(6):
        push(api, message=f"number {number}", **{f"f{number}_txt": b"x"})
    assert [row.path for row in api.list_repo_tree(REPO)] == [".gitattributes", *(f"f{n}.txt" for n in range(6))]
    titles = [row.title for row in api.list_repo_commits(REPO)]
    assert titles == [*(f"number {n}" for n in reversed(range(6))), "initial commit"]


def test_squash_and_deletions(api: HfApi, hub: LocalHub):
    push(api, a_txt=b"1")
    push(api, a_txt=b"2")
    api.super_squash_history(REPO)
    assert len(api.list_repo_commits(REPO)) == 1
    api.create_branch(REPO, branch="b")
    api.delete_branch(REPO, branch="b")
    with pytest.raises(HfHubHTTPError):
        api.delete_branch(REPO, branch="main")
    api.delete_repo(REPO)
    api.delete_repo(REPO, missing_ok=True)
    assert hub.repos() == []


def test_seeded_repos_are_listed_without_a_server(tmp_path: Path):
    hub = LocalHub(tmp_path / "hub")  # never started
    sha = hub.seed("dataset", "someone/data", {"a.csv": b"a,b\n", "i.png": b"\x89PNG"}, tag="v1")
    (row,) = list_repos(tmp_path / "hub")
    assert (row.kind, row.id, row.private, row.sha, row.tags) == ("dataset", "someone/data", False, sha, ("v1",))
    assert list_repos(tmp_path / "nothing") == []


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_plain_git_accepts_and_clones_what_is_stored(api: HfApi, hub: LocalHub, tmp_path: Path):
    adds = [CommitOperationAdd(f"many/{number}.txt", str(number).encode()) for number in range(60)]
    head = api.create_commit(REPO, adds, commit_message="one pack").oid
    api.create_tag(REPO, tag="v1", tag_message="annotated")
    stored = hub.path / "repos/models" / f"{REPO}.git"
    run = {"check": True, "capture_output": True, "text": True}
    subprocess.run(["git", "-C", stored, "fsck", "--full", "--strict"], **run)
    subprocess.run(
        ["git", "clone", "-q", stored, tmp_path / "clone"], **run, env=os.environ | {"GIT_LFS_SKIP_SMUDGE": "1"}
    )
    shown = subprocess.run(["git", "-C", tmp_path / "clone", "rev-parse", "HEAD", "v1^{commit}"], **run).stdout.split()
    assert shown == [head, head]
    assert (tmp_path / "clone/many/7.txt").read_text() == "7"
