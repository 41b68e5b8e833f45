"""Names that another system reads as something else are refused; ids are one name in every case."""

from __future__ import annotations

import json
import os
import time

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import BadRequestError, EntryNotFoundError, HfHubHTTPError

from clincot.localhub import LocalHub
from clincot.localhub.names import check_new_ref, check_path, check_repo_id
from clincot.localhub.problems import HubError

from .conftest import REPO, Ask, commit_body, text_file

API = f"/api/models/{REPO}"
GIT = [".git", ".GIT", ".Git/config", "sub/.git/hooks/x", "git~1", "GIT~1/x", ".git.", ".git ", ".git. . /x", "git~1."]
GIT += [
    ".git::$INDEX_ALLOCATION",
    ".git:stream",
    "git~1::$INDEX_ALLOCATION/x",
    ".g\u200cit",
    "\ufeff.git",
    ".gi\u202et/x",
]
DEVICES = [
    "CON",
    "nul",
    "Aux.txt",
    "prn.tar.gz",
    "com1",
    "LPT9.csv",
    "sub/COM3/x",
    "conin$",
    "con .txt",
    "nul:x",
    "com\u00b9",
]
ENDS = ["a.", "a ", "sub./x", "sub /x", "a. .", "..."]
FINE = [
    "a.b",
    " a",
    ".gitignore",
    ".gitattributes",
    ".github/x",
    "git~2",
    "console",
    "com0",
    "com10",
    "nullable.py",
    "aux_/x",
]
FINE += ["a:b", "con-1.txt", "lpt", "...x"]


@pytest.mark.parametrize("path", [*GIT, *DEVICES, *ENDS])
def test_a_path_that_means_something_else_elsewhere_is_refused(path: str):
    with pytest.raises(HubError, match="Invalid path"):
        check_path(path)


@pytest.mark.parametrize("path", FINE)
def test_a_path_that_only_looks_like_one_is_kept(path: str):
    assert check_path(path) == path.encode()


def test_refused_paths_come_to_no_repo(api: HfApi, ask: Ask, hub: LocalHub):
    for path in ("CON", ".git::$INDEX_ALLOCATION/x", "a."):
        body = commit_body(text_file(path, "x"))
        assert ask("POST", f"{API}/commit/main", body, token=hub.token).status == 400
        rows = {"files": [{"path": path, "size": 1, "sample": ""}]}
        assert ask("POST", f"{API}/preupload/main", rows, token=hub.token).status == 422
    assert api.list_repo_files(REPO) == [".gitattributes"]


REFS = [
    "HEAD",
    "@",
    "-x",
    "--all",
    "refs/heads/x",
    "refs/pr/1",
    "a..b",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
]
REFS += [
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a/",
    "/a",
    "a//b",
    "a.",
    "a@{1}",
    "\x07",
    "0" * 40,
    "con",
    "x/NUL.txt",
    ".git",
]


@pytest.mark.parametrize("name", REFS)
def test_a_branch_or_tag_that_git_would_misread_is_refused(name: str):
    for folder in ("refs/heads/", "refs/tags/"):
        with pytest.raises(HubError) as refused:
            check_new_ref(folder, name)
        assert refused.value.status == 400


def test_other_branches_and_tags_are_made(api: HfApi):
    for name in ("feature/x", "v1.0", "round-1", "x-", "head", "0" * 39, "日本"):
        api.create_branch(REPO, branch=name)
        api.create_tag(REPO, tag=name)
    for name in ("HEAD", "-x"):
        with pytest.raises(BadRequestError, match="Invalid reference for a branch"):
            api.create_branch(REPO, branch=name)
        with pytest.raises(BadRequestError, match="Invalid reference for a tag"):
            api.create_tag(REPO, tag=name)


def test_ids_are_compared_without_case(api: HfApi, ask: Ask, hub: LocalHub):
    other = REPO.upper()
    assert api.model_info(other).id == REPO
    api.create_commit(other, [CommitOperationAdd("w.bin", b"\0" * 99)], commit_message="in another case")
    assert ask("GET", f"/{other}/resolve/main/w.bin").body == b"\0" * 99
    with pytest.raises(HfHubHTTPError, match=f"already created this model repo: {REPO}"):
        api.create_repo(other)
    assert api.create_repo(other, exist_ok=True).repo_id == REPO
    assert api.create_repo("Clincot/New").repo_id == "clincot/New"
    api.create_repo(other, repo_type="dataset")
    api.update_repo_settings(other, private=True)
    (hub.path / "tokens.json").write_text(json.dumps({"hf_o": {"name": "Clincot", "role": "write"}}))
    assert HfApi(endpoint=hub.endpoint, token="hf_o").model_info(REPO).private
    assert [row.id for row in api.list_models(author="CLINCOT")] == ["clincot/New", REPO]
    api.delete_repo(other)
    assert [row.id for row in api.list_models()] == ["clincot/New"]


def test_devices_name_no_repo():
    for repo_id in ("con", "org/nul", "AUX/x", "org/com1.v2"):
        with pytest.raises(HubError, match="device"):
            check_repo_id(repo_id)


def test_a_folder_is_deleted_under_its_name_alone(api: HfApi):
    adds = [CommitOperationAdd(path, b"x") for path in ("sub/a.txt", "sub/deep/b.txt", "subset.txt")]
    api.create_commit(REPO, adds, commit_message="files")
    api.create_commit(REPO, [CommitOperationDelete("sub", is_folder=False)], commit_message="gone")
    assert api.list_repo_files(REPO) == [".gitattributes", "subset.txt"]
    with pytest.raises(EntryNotFoundError):
        api.create_commit(REPO, [CommitOperationDelete("sub", is_folder=False)], commit_message="again")


def test_a_file_that_takes_the_folders_place_in_one_commit_wins(api: HfApi, ask: Ask, hub: LocalHub):
    api.create_commit(REPO, [CommitOperationAdd("sub/a.txt", b"x")], commit_message="files")
    lines = [{"key": "deletedFile", "value": {"path": "sub/"}}, text_file("b.txt", "y")]
    assert ask("POST", f"{API}/commit/main", commit_body(*lines), token=hub.token).status == 200
    assert api.list_repo_files(REPO) == [".gitattributes", "b.txt"]


def test_what_killed_writers_left_is_swept_at_start(api: HfApi, hub: LocalHub):
    repo = hub.path / f"repos/models/{REPO}.git"
    blobs = next(path for path in (repo / "objects").iterdir() if len(path.name) == 2)
    left = [
        "refs/heads/main.lock",
        "refs/tags/v1.lock",
        "packed-refs.lock",
        ".hub.json.0a1b",
        f"objects/{blobs.name}/x.lock",
    ]
    for name in left:
        (repo / name).touch()
        os.utime(repo / name, (time.time() - 60,) * 2)
    (repo / "HEAD.lock").touch()  # of a git that is at work right now
    LocalHub(hub.path)
    assert [name for name in left if (repo / name).exists()] == []
    assert (repo / "HEAD.lock").exists() and (repo / "hub.lock").exists()
    started = time.monotonic()
    api.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id=REPO)
    assert time.monotonic() - started < 2
