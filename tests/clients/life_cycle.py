"""One Hub client of any version (HF_ENDPOINT is set) -> a repo's whole life through its API, or a failed assertion."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

import huggingface_hub
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    hf_hub_download,
    snapshot_download,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

WEIGHTS = bytes(range(256)) * 2000
ODD_NAME = "odd/na me %41 é 日本 #1+2?.txt"


def refused(status: int, action, *arguments, **options) -> None:
    try:
        action(*arguments, **options)
    except HfHubHTTPError as error:
        assert error.response.status_code == status, error
        return
    raise AssertionError(f"{action} was not refused")


def raises(kind: type[Exception], action, *arguments, **options) -> None:
    try:
        action(*arguments, **options)
    except kind:
        return
    raise AssertionError(f"{action} raised no {kind.__name__}")


def create(api: HfApi, repo: str, kind: str) -> None:
    assert api.whoami()["name"] == "clincot"
    url = api.create_repo(repo, repo_type=kind, private=True)
    assert url.repo_id == repo
    api.create_repo(repo, repo_type=kind, exist_ok=True)
    refused(409, api.create_repo, repo, repo_type=kind)
    assert api.repo_info(repo, repo_type=kind).private
    raises(RepositoryNotFoundError, HfApi(token=False).repo_info, repo, repo_type=kind)
    settings = {"private": False} if hasattr(api, "update_repo_settings") else {}
    api.update_repo_settings(repo, repo_type=kind, gated="auto", **settings)
    raises(GatedRepoError, hf_hub_download, repo, ".gitattributes", repo_type=kind, token=False)
    api.update_repo_settings(repo, repo_type=kind, gated=False)


def upload(api: HfApi, repo: str, kind: str, folder: Path) -> str:
    """Regular and large files, from memory, a file and a folder; returns the head."""
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/model.safetensors").write_bytes(WEIGHTS)
    (folder / "README.md").write_text("---\nlicense: mit\ntags: [medical]\n---\n# A card\n")
    (folder / "empty.txt").write_bytes(b"")
    api.upload_folder(repo_id=repo, folder_path=folder, repo_type=kind, commit_message="a folder")
    api.upload_file(path_or_fileobj=io.BytesIO(b"bytes"), path_in_repo="a.txt", repo_id=repo, repo_type=kind)
    adds = [CommitOperationAdd(ODD_NAME, b"odd"), CommitOperationAdd("again.safetensors", WEIGHTS)]
    done = api.create_commit(repo, adds, commit_message="title", commit_description="more", repo_type=kind)
    head = api.repo_info(repo, repo_type=kind).sha
    assert done.oid == head
    late = [CommitOperationAdd("late.txt", b"late")]
    refused(412, api.create_commit, repo, late, commit_message="late", parent_commit="0" * 40, repo_type=kind)
    return head


def read(api: HfApi, repo: str, kind: str, cache: Path) -> None:
    files = {row.path: row for row in api.list_repo_tree(repo, recursive=True, repo_type=kind) if hasattr(row, "size")}
    assert files["sub/model.safetensors"].lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["sub/model.safetensors"].size == len(WEIGHTS)
    assert [row.path for row in api.get_paths_info(repo, [ODD_NAME, "absent"], repo_type=kind)] == [ODD_NAME]
    assert Path(hf_hub_download(repo, ODD_NAME, repo_type=kind, cache_dir=cache)).read_bytes() == b"odd"
    assert api.file_exists(repo, "a.txt", repo_type=kind) and not api.file_exists(repo, "absent", repo_type=kind)
    info = api.repo_info(repo, repo_type=kind, files_metadata=True)
    assert {"license:mit", "medical"} <= set(info.tags)
    assert {row.rfilename: row.size for row in info.siblings}["again.safetensors"] == len(WEIGHTS)
    raises(EntryNotFoundError, hf_hub_download, repo, "absent", repo_type=kind, cache_dir=cache)
    raises(RevisionNotFoundError, api.repo_info, repo, revision="absent", repo_type=kind)


def name_versions(api: HfApi, repo: str, kind: str, head: str, cache: Path) -> None:
    api.create_tag(repo, tag="round-1", tag_message="the first", repo_type=kind)
    refused(409, api.create_tag, repo, tag="round-1", repo_type=kind)
    api.create_branch(repo, branch="feature/x", repo_type=kind)
    api.upload_file(path_or_fileobj=b"two", path_in_repo="a.txt", repo_id=repo, repo_type=kind, revision="feature/x")
    api.upload_file(path_or_fileobj=b"three", path_in_repo="a.txt", repo_id=repo, repo_type=kind)
    refs = api.list_repo_refs(repo, repo_type=kind, include_pull_requests=True)
    assert {ref.name: ref.target_commit for ref in refs.tags} == {"round-1": head}
    assert {ref.name for ref in refs.branches} == {"main", "feature/x"}
    expected = {"round-1": b"bytes", head: b"bytes", "feature/x": b"two", "main": b"three"}
    for revision, content in expected.items():
        folder = Path(snapshot_download(repo, repo_type=kind, revision=revision, cache_dir=cache))
        assert (folder / "a.txt").read_bytes() == content, revision
        assert (folder / "sub/model.safetensors").read_bytes() == WEIGHTS
    titles = [row.title for row in api.list_repo_commits(repo, repo_type=kind)]
    assert titles[-1] == "initial commit" and titles[1:3] == ["title", "Upload a.txt with huggingface_hub"]


def through_the_file_system(repo: str, kind: str) -> None:
    files = HfFileSystem(skip_instance_cache=True, use_listings_cache=False)
    root = {"model": "", "dataset": "datasets/"}[kind] + repo
    assert files.read_bytes(f"{root}@round-1/a.txt") == b"bytes"
    with files.open(f"{root}@round-1/sub/model.safetensors", "rb") as file:
        file.seek(300)
        assert file.read(10) == WEIGHTS[300:310]
    with files.open(f"{root}/written.txt", "w") as file:
        file.write("by the file system")
    assert files.cat(f"{root}/written.txt") == b"by the file system"
    assert f"{root}/written.txt" in files.glob(f"{root}/*.txt")
    files.rm(f"{root}/written.txt")
    files.invalidate_cache()
    assert not files.exists(f"{root}/written.txt")


def pull_requests(api: HfApi, repo: str, kind: str) -> None:
    add = [CommitOperationAdd("pr.txt", b"by a pull request")]
    done = api.create_commit(repo, add, commit_message="a request", create_pr=True, repo_type=kind)
    assert done.pr_num == 1 and done.pr_revision == "refs/pr/1"
    assert not api.file_exists(repo, "pr.txt", repo_type=kind)
    more = [CommitOperationAdd("pr2.txt", b"more")]
    api.create_commit(repo, more, commit_message="more", revision="refs/pr/1", repo_type=kind)
    api.merge_pull_request(repo, 1, repo_type=kind)
    assert api.file_exists(repo, "pr2.txt", repo_type=kind)
    assert api.get_discussion_details(repo, 1, repo_type=kind).status == "merged"


def change_and_delete(api: HfApi, repo: str, kind: str) -> None:
    edits = [
        CommitOperationCopy("again.safetensors", "copied.safetensors"),
        CommitOperationCopy("a.txt", "copied.txt"),
        CommitOperationDelete("sub/", is_folder=True),
        CommitOperationDelete("again.safetensors"),
    ]
    api.create_commit(repo, edits, commit_message="edits", repo_type=kind)
    left = set(api.list_repo_files(repo, repo_type=kind))
    assert {"copied.safetensors", "copied.txt"} <= left and not {"again.safetensors", "sub/model.safetensors"} & left
    api.delete_tag(repo, tag="round-1", repo_type=kind)
    api.delete_branch(repo, branch="feature/x", repo_type=kind)
    api.super_squash_history(repo, repo_type=kind)
    assert len(api.list_repo_commits(repo, repo_type=kind)) == 1
    api.delete_repo(repo, repo_type=kind)
    assert not api.repo_exists(repo, repo_type=kind)


def main(folder: Path) -> None:
    api = HfApi()
    for kind in ("model", "dataset"):
        repo, place = f"clincot/{kind}-life", folder / kind
        create(api, repo, kind)
        head = upload(api, repo, kind, place / "source")
        read(api, repo, kind, place / "cache")
        name_versions(api, repo, kind, head, place / "cache")
        through_the_file_system(repo, kind)
        pull_requests(api, repo, kind)
        change_and_delete(api, repo, kind)
    print(f"huggingface_hub {huggingface_hub.__version__}: a model's and a dataset's life lived through")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
