"""Who may see, read and change what: tokens with roles, namespaces and grants, private and gated repos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from clincot.localhub import LocalHub

from .conftest import REPO, Ask

API = f"/api/models/{REPO}"
ROWS = {
    "hf_member_who_writes": {"name": "ada", "role": "write", "namespaces": ["ada", "lab"]},
    "hf_member_who_reads_": {"name": "ben", "role": "read", "namespaces": ["ben", "lab"]},
    "hf_guest_with_a_grant": {"name": "guest", "role": "read", "grants": ["lab/gated"]},
    "hf_outsider_of_the_lab": {"name": "eve", "role": "write"},
}


@pytest.fixture
def people(hub: LocalHub) -> dict[str, HfApi]:
    """One client per person, and nobody: an anonymous one."""
    (hub.path / "tokens.json").write_text(json.dumps(ROWS))
    named = {str(row["name"]): HfApi(endpoint=hub.endpoint, token=token) for token, row in ROWS.items()}
    return named | {"nobody": HfApi(endpoint=hub.endpoint, token=False)}


def status_of(action, *arguments, **options) -> int:
    with pytest.raises(HfHubHTTPError) as refused:
        action(*arguments, **options)
    return refused.value.response.status_code


def test_a_token_says_who_it_is_what_it_may_and_where(people, ask: Ask):
    said = people["ada"].whoami()
    assert (said["name"], [org["name"] for org in said["orgs"]]) == ("ada", ["lab"])
    assert said["auth"]["accessToken"]["role"] == "write"
    assert people["ben"].whoami()["auth"]["accessToken"]["role"] == "read"
    assert ask("GET", "/api/whoami-v2").status == 401


def test_a_private_repo_of_a_namespace_is_its_members_alone(people):
    people["ada"].create_repo("lab/hidden", private=True)
    people["ada"].upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id="lab/hidden")
    assert people["ben"].model_info("lab/hidden").private
    assert [row.id for row in people["ben"].list_models(author="lab")] == ["lab/hidden"]
    for outsider in ("eve", "guest", "nobody"):
        assert list(people[outsider].list_models(author="lab")) == []
        with pytest.raises(RepositoryNotFoundError):
            people[outsider].model_info("lab/hidden")
    assert status_of(people["ben"].upload_file, path_or_fileobj=b"y", path_in_repo="a.txt", repo_id="lab/hidden") == 403
    assert status_of(people["eve"].create_repo, "lab/mine") == 403
    assert status_of(people["ben"].create_repo, "ben/mine") == 403
    assert status_of(people["nobody"].create_repo, "lab/mine") == 401


def test_a_repo_changes_between_private_and_public_and_only_by_its_owners(people):
    people["ada"].create_repo("lab/model")
    assert not people["nobody"].model_info("lab/model").private
    for person, code in (("ben", 403), ("eve", 403), ("nobody", 401)):
        assert status_of(people[person].update_repo_settings, "lab/model", private=True) == code
    people["ada"].update_repo_settings("lab/model", private=True)
    assert not people["nobody"].repo_exists("lab/model")
    people["ada"].update_repo_settings("lab/model", visibility="public")
    assert people["nobody"].repo_exists("lab/model")
    assert status_of(people["eve"].delete_repo, "lab/model") == 403
    people["ada"].delete_repo("lab/model")


@pytest.mark.parametrize("gate", ["auto", "manual"])
def test_a_gated_repo_opens_to_members_and_to_those_with_a_grant(people, ask: Ask, tmp_path: Path, gate: str):
    tokens = {str(row["name"]): token for token, row in ROWS.items()} | {"nobody": None}
    people["ada"].create_repo("lab/gated")
    people["ada"].upload_file(path_or_fileobj=b"w" * 50, path_in_repo="w.bin", repo_id="lab/gated")
    people["ada"].update_repo_settings("lab/gated", gated=gate)
    assert people["nobody"].model_info("lab/gated").gated == gate
    opened = {name: ask("GET", "/lab/gated/resolve/main/w.bin", token=token) for name, token in tokens.items()}
    assert {name: answer.body == b"w" * 50 for name, answer in opened.items()} == dict.fromkeys(opened, True) | {
        "eve": False,
        "nobody": False,
    }
    assert (opened["eve"].status, opened["nobody"].status) == (403, 401)
    with pytest.raises(GatedRepoError):
        people["eve"].hf_hub_download("lab/gated", "w.bin", cache_dir=tmp_path)
    batch = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}
    assert ask("POST", "/lab/gated.git/info/lfs/objects/batch", batch).status == 401
    assert ask("GET", "/api/models/lab/gated/auth-check").headers["x-error-code"] == "GatedRepo"
    people["ada"].update_repo_settings("lab/gated", gated=False)
    assert people["eve"].hf_hub_download("lab/gated", "w.bin", cache_dir=tmp_path)


def test_auth_checks_agree_with_what_is_then_allowed(api: HfApi, people, hub: LocalHub, ask: Ask):
    people["ada"].create_repo("lab/model", private=True)
    path = "/api/models/lab/model/auth-check"
    expected = {"hf_member_who_writes": (200, 200), "hf_member_who_reads_": (200, 403)}
    expected |= {"hf_outsider_of_the_lab": (404, 404), hub.token: (200, 200)}
    asked = {token: tuple(ask("GET", path + end, token=token).status for end in ("", "/write")) for token in expected}
    assert asked == expected
    assert ask("GET", path).status == 401


def test_pull_requests_are_opened_added_to_listed_and_merged_once(api: HfApi, hub: LocalHub, ask: Ask):
    opened = api.create_pull_request(REPO, title="a request", description="why")
    assert (opened.num, opened.status, opened.is_pull_request) == (1, "open", True)
    add = [CommitOperationAdd("pr.txt", b"new")]
    api.create_commit(REPO, add, commit_message="content", revision="refs/pr/1")
    assert [(row.num, row.title) for row in api.get_repo_discussions(REPO)] == [(1, "a request")]
    api.merge_pull_request(REPO, 1)
    assert "pr.txt" in api.list_repo_files(REPO)
    merge = ask("POST", f"{API}/discussions/1/merge", {}, token=hub.token)
    assert (merge.status, "merged" in merge.json["error"]) == (400, True)
    assert ask("POST", f"{API}/discussions/9/merge", {}, token=hub.token).status == 404


def test_a_merge_that_was_cut_off_before_it_was_noted_is_not_made_twice(api: HfApi, hub: LocalHub):
    api.create_commit(REPO, [CommitOperationAdd("pr.txt", b"new")], commit_message="p", create_pr=True)
    facts = hub.path / "repos/models/clincot/thing.git/hub.json"
    before = facts.read_bytes()
    api.merge_pull_request(REPO, 1)
    merged = api.repo_info(REPO).sha
    facts.write_bytes(before)  # what a server killed right after main moved leaves behind
    api.merge_pull_request(REPO, 1)
    assert api.repo_info(REPO).sha == merged
    assert api.get_discussion_details(REPO, 1).merge_commit_oid == merged


def test_paths_are_described_from_a_form_or_from_json(api: HfApi, ask: Ask):
    api.upload_file(path_or_fileobj=b"x" * 30, path_in_repo="sub/w.bin", repo_id=REPO)
    asked = {"paths": ["sub/w.bin", "sub/", "../up", "absent"], "expand": True}
    rows = ask("POST", f"{API}/paths-info/main", asked, Content_Type="application/json").json
    assert [(row["path"], row["type"]) for row in rows] == [("sub/w.bin", "file"), ("sub", "directory")]
    assert rows[0]["lfs"]["size"] == 30 and rows[0]["lastCommit"]["id"] == api.repo_info(REPO).sha
    form = b"paths=sub%2Fw.bin&paths=absent"
    assert [row["path"] for row in ask("POST", f"{API}/paths-info/main", form).json] == ["sub/w.bin"]
