"""What the Hub must refuse: writes without a token, private names, escaping paths, bytes not as announced."""

from __future__ import annotations

import hashlib
import itertools
import json
import stat
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from clincot.localhub import LocalHub, PortInUse

from .conftest import REPO, Ask, commit_body, text_file

API = f"/api/models/{REPO}"


def add_tokens(hub: LocalHub, **rows: dict) -> None:
    (hub.path / "tokens.json").write_text(json.dumps(rows))


WRITES = [
    ("POST", f"{API}/commit/main"),
    ("POST", f"{API}/tag/main"),
    ("DELETE", f"{API}/tag/v1"),
    ("POST", f"{API}/branch/b"),
    ("PUT", f"{API}/settings"),
    ("POST", f"{API}/preupload/main"),
    ("POST", f"{API}/discussions"),
    ("POST", "/api/repos/create"),
    ("DELETE", "/api/repos/delete"),
    ("POST", f"/{REPO}.git/info/lfs/objects/batch"),
]


def test_every_write_without_a_token_is_refused(api: HfApi, ask: Ask):
    body = {"name": "thing", "organization": "clincot", "pullRequest": True, "operation": "upload", "objects": []}
    for method, path in WRITES:
        answer = ask(method, path, body)
        assert (answer.status, answer.headers.get("x-error-code")) == (401, None), (method, path)
    assert api.repo_exists(REPO)


def test_an_unknown_token_is_named_as_such(ask: Ask, hub: LocalHub):
    answer = ask("GET", "/api/whoami-v2", token="hf_wrong")
    assert (answer.status, answer.json["error"]) == (401, "Invalid credentials in Authorization header")


def test_a_private_repo_looks_absent_to_others_everywhere(api: HfApi, ask: Ask, hub: LocalHub):
    api.upload_file(path_or_fileobj=b"secret", path_in_repo="a.txt", repo_id=REPO)
    api.update_repo_settings(REPO, private=True)
    add_tokens(hub, hf_stranger={"name": "stranger", "role": "write"})
    for path in (API, f"{API}/tree/main", f"{API}/refs", f"/{REPO}/resolve/main/a.txt", f"{API}/commits/main"):
        assert (ask("GET", path).status, ask("GET", path).headers["x-error-code"]) == (401, "RepoNotFound")
        assert ask("GET", path, token="hf_stranger").status == 404
        assert ask("GET", path, token=hub.token).status == 200
    assert ask("GET", "/api/models").json == []
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.endpoint, token=False).model_info(REPO)


def test_tokens_write_only_with_their_role_and_in_their_namespaces(api: HfApi, ask: Ask, hub: LocalHub):
    rows = {"hf_reader": {"name": "r", "role": "read"}, "hf_writer": {"name": "w", "role": "write"}}
    add_tokens(hub, **rows)
    body = commit_body(text_file("a.txt", "x"))
    assert ask("POST", f"{API}/commit/main", body, token="hf_reader").status == 403
    assert ask("POST", f"{API}/commit/main", body, token="hf_writer").status == 403
    HfApi(endpoint=hub.endpoint, token="hf_writer").create_repo("mine")
    assert ask("POST", "/api/models/w/mine/commit/main", body, token="hf_writer").status == 200


def test_a_gated_repo_shows_its_info_but_not_its_contents(api: HfApi, hub: LocalHub):
    api.update_repo_settings(REPO, gated="auto")
    stranger = HfApi(endpoint=hub.endpoint, token=False)
    assert stranger.model_info(REPO).gated == "auto"
    with pytest.raises(GatedRepoError):
        stranger.hf_hub_download(REPO, ".gitattributes")
    assert Path(api.hf_hub_download(REPO, ".gitattributes")).exists()


ESCAPES = ["../a", "a/../../b", "/etc/x", "a//b", "a/./b", "nul\0", ".git/config", "x/.GIT/y", "a\\b", "", "a/" * 200]
ESCAPES += [".g\u200cit/hooks", "git~1/x", ".git./x", "\ud800", "x" * 300]


def test_a_path_that_could_leave_a_folder_is_refused(api: HfApi, ask: Ask, hub: LocalHub):
    for key, path in itertools.product(["file", "deletedFile"], ESCAPES):
        line = {"key": key, "value": {"path": path, "content": "x", "encoding": "utf-8"}}
        assert ask("POST", f"{API}/commit/main", commit_body(line), token=hub.token).status == 400, (key, path)
    assert api.list_repo_files(REPO) == [".gitattributes"]


URLS = [
    "/api/models/..%2f..%2fetc/passwd",
    "/api/models/a%2f..%2fb/c",
    "/api/models/a%00b/c",
    f"/{REPO}/resolve/main/..%2f..%2ftoken",
    f"/{REPO}/resolve/main/../../../../token",
    f"/{REPO}/resolve/..%2f..%2fhub.json/x",
    f"/{REPO}/resolve/main/%ff",
    f"/{REPO}/resolve/main/%00",
    f"{API}/tree/main/..",
    f"/{REPO}.git/info/lfs/objects/..%2f..%2ftoken",
    "/../token",
]


def test_no_url_reads_outside_a_repo(api: HfApi, ask: Ask, hub: LocalHub):
    for path in URLS:
        answer = ask("GET", path, token=hub.token)
        assert 400 <= answer.status < 500 or answer.status == 501, path
        assert hub.token.encode() not in answer.body, path


def test_a_repo_folder_that_is_a_link_out_of_the_store_is_no_repo(api: HfApi, ask: Ask, hub: LocalHub):
    models = hub.path / "repos/models"
    (models / "clincot/thing.git").rename(hub.path.parent / "outside.git")
    (models / "clincot/thing.git").symlink_to(hub.path.parent / "outside.git")
    assert ask("GET", API, token=hub.token).status == 404
    assert hub.repos() == []


def upload(ask: Ask, hub: LocalHub, oid: str, size: int, content: bytes):
    batch = {"operation": "upload", "objects": [{"oid": oid, "size": size}]}
    (row,) = ask("POST", f"/{REPO}.git/info/lfs/objects/batch", batch, token=hub.token).json["objects"]
    href = row["actions"]["upload"]["href"].removeprefix(hub.endpoint)
    return href, ask("PUT", href, content)


def test_bytes_that_are_not_as_announced_are_refused_and_leave_nothing(api: HfApi, ask: Ask, hub: LocalHub):
    good = hashlib.sha256(b"good bytes").hexdigest()
    for content in (b"evil bytes", b"good byte", b"good bytes and more"):
        assert upload(ask, hub, good, 10, content)[1].status in (400, 413)
    href, _ = upload(ask, hub, good, 10, b"evil bytes")
    assert ask("PUT", href.replace("size=10", "size=11"), b"good bytes!").status == 403
    assert [path for path in (hub.path / "lfs").rglob("*") if path.is_file()] == []
    line = {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": good, "size": 10}}
    assert ask("POST", f"{API}/commit/main", commit_body(line), token=hub.token).status == 400
    assert upload(ask, hub, good, 10, b"good bytes")[1].status == 200
    assert ask("POST", f"{API}/commit/main", commit_body(line), token=hub.token).status == 200
    assert ask("GET", f"/{REPO}/resolve/main/w.bin").body == b"good bytes"


def test_knowing_the_sha256_of_a_private_file_does_not_open_it(api: HfApi, ask: Ask, hub: LocalHub):
    secret = b"private weights"
    api.create_repo("clincot/private", private=True)
    api.upload_file(path_or_fileobj=secret, path_in_repo="w.bin", repo_id="clincot/private")
    add_tokens(hub, hf_thief={"name": "thief", "role": "write"})
    HfApi(endpoint=hub.endpoint, token="hf_thief").create_repo("grab")
    oid, size = hashlib.sha256(secret).hexdigest(), len(secret)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"
    large = {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": oid, "size": size}}
    commit = "/api/models/thief/grab/commit/main"
    assert ask("POST", commit, commit_body(large), token="hf_thief").status == 400
    assert ask("POST", commit, commit_body(text_file("w.bin", pointer)), token="hf_thief").status == 200
    assert ask("GET", "/thief/grab/resolve/main/w.bin").body == pointer.encode()
    batch = {"operation": "download", "objects": [{"oid": oid, "size": size}]}
    rows = ask("POST", "/thief/grab.git/info/lfs/objects/batch", batch, token="hf_thief").json["objects"]
    assert rows[0]["error"]["code"] == 404


@pytest.mark.parametrize("name", ["a.txt", "w.bin"])
def test_parts_of_a_file_are_served_by_range(api: HfApi, ask: Ask, hub: LocalHub, name: str):
    content = bytes(range(200)) * 5
    sha = api.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=REPO).oid
    url = f"/{REPO}/resolve/main/{name}"
    whole = ask("HEAD", url)
    assert (whole.status, whole.headers["content-length"], whole.body) == (200, "1000", b"")
    assert whole.headers["x-repo-commit"] == sha
    part = ask("GET", url, Range="bytes=10-19")
    assert (part.status, part.body, part.headers["content-range"]) == (206, content[10:20], "bytes 10-19/1000")
    assert ask("GET", url, Range="bytes=990-").body == content[990:]
    assert ask("GET", url, Range="bytes=-7").body == content[-7:]
    beyond = ask("GET", url, Range="bytes=1000-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */1000")
    assert part.headers["etag"] == whole.headers["etag"]


def test_unserved_endpoints_answer_501_naming_themselves(ask: Ask, hub: LocalHub):
    answer = ask("POST", "/api/collections", {}, token=hub.token)
    assert answer.status == 501
    assert answer.headers["x-error-code"] == "NotImplemented"
    assert "POST /api/collections" in answer.json["error"]


def test_a_malformed_commit_is_a_400(api: HfApi, ask: Ask, hub: LocalHub):
    for body in (b"", b"\n", b"[]", b"{", b"\xff\xfe", b'{"key": "header"}', b"[" * 5000):
        assert ask("POST", f"{API}/commit/main", body, token=hub.token).status == 400, body[:20]


def test_the_write_token_is_private_stable_and_never_recorded(api: HfApi, hub: LocalHub):
    api.upload_file(path_or_fileobj=b"x" * 99, path_in_repo="w.bin", repo_id=REPO)
    assert stat.S_IMODE((hub.path / "token").stat().st_mode) == 0o600
    assert LocalHub(hub.path).token == hub.token
    recorded = repr(hub.requests)
    assert hub.token not in recorded
    assert "ticket=***" in recorded
    assert all(len(word) < 64 for record in hub.requests for word in record.query.split("="))


def test_a_port_in_use_is_said_so(hub: LocalHub, tmp_path: Path):
    with pytest.raises(PortInUse, match=f"port {hub.port}: in use"):
        LocalHub(tmp_path / "other", port=hub.port).start()
