"""A pull request has a branch: it leaves it at a commit, is compared with it and merged into it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError

from clincot.localhub import LocalHub

from .conftest import REPO, Ask, commit_body, text_file

API = f"/api/models/{REPO}"


def push(api: HfApi, revision: str = "main", create_pr: bool = False, parent: str | None = None, **files: bytes):
    adds = [CommitOperationAdd(path.replace("_", "."), data) for path, data in files.items()]
    return api.create_commit(
        REPO, adds, commit_message="push", revision=revision, create_pr=create_pr, parent_commit=parent
    )


def files(api: HfApi, revision: str) -> dict[str, bytes]:
    names = [name for name in api.list_repo_files(REPO, revision=revision) if name != ".gitattributes"]
    return {name: Path(api.hf_hub_download(REPO, name, revision=revision)).read_bytes() for name in names}


def test_a_pull_request_against_a_branch_leaves_main_alone(api: HfApi):
    push(api, a_txt=b"main", b_txt=b"main")
    api.create_branch(REPO, branch="dev")
    push(api, "dev", a_txt=b"dev", c_txt=b"dev")
    # a.txt is main's and c.txt is dev's: compared with the wrong branch, one of them would be dropped as unchanged.
    done = push(api, "dev", create_pr=True, a_txt=b"main", c_txt=b"dev", d_txt=b"new")
    details = api.get_discussion_details(REPO, done.pr_num)
    assert (details.target_branch, details.conflicting_files) == ("refs/heads/dev", [])
    assert "d.txt" in details.diff and "-dev\n" in details.diff and "c.txt" not in details.diff
    assert files(api, done.pr_revision) == {"a.txt": b"main", "b.txt": b"main", "c.txt": b"dev", "d.txt": b"new"}
    api.merge_pull_request(REPO, done.pr_num)
    assert files(api, "dev") == files(api, done.pr_revision)
    assert files(api, "main") == {"a.txt": b"main", "b.txt": b"main"}
    assert api.list_repo_commits(REPO, revision="main")[0].title == "push"


def test_a_conflict_is_one_with_the_requests_own_branch(api: HfApi):
    push(api, a_txt=b"1")
    api.create_branch(REPO, branch="dev")
    fine = push(api, "dev", create_pr=True, a_txt=b"2")
    push(api, a_txt=b"main went its way")
    assert api.get_discussion_details(REPO, fine.pr_num).conflicting_files == []
    push(api, "dev", a_txt=b"dev went its way")
    assert api.get_discussion_details(REPO, fine.pr_num).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match=r"conflicts with dev in: a\.txt"):
        api.merge_pull_request(REPO, fine.pr_num)
    assert api.get_discussion_details(REPO, fine.pr_num).status == "open"


def test_only_a_branch_can_be_the_base(api: HfApi):
    head = push(api, a_txt=b"1").oid
    api.create_tag(REPO, tag="v1")
    push(api, create_pr=True, a_txt=b"2")
    for base in (head, head[:10], "v1", "absent", "refs/pr/1", "refs/tags/v1"):
        with pytest.raises(RevisionNotFoundError):
            push(api, base, create_pr=True, a_txt=b"3")
    assert push(api, "refs/heads/main", create_pr=True, a_txt=b"3").pr_num == 2


def test_a_request_can_leave_its_branch_at_an_older_commit(api: HfApi):
    first = push(api, a_txt=b"1").oid
    push(api, a_txt=b"1", b_txt=b"2")
    done = push(api, create_pr=True, parent=first, c_txt=b"3")
    assert files(api, done.pr_revision) == {"a.txt": b"1", "c.txt": b"3"}
    api.merge_pull_request(REPO, done.pr_num)
    assert files(api, "main") == {"a.txt": b"1", "b.txt": b"2", "c.txt": b"3"}
    with pytest.raises(HfHubHTTPError, match="412"):
        push(api, create_pr=True, parent=done.oid[:7] + "0" * 33, c_txt=b"4")


def test_the_branch_of_an_open_request_may_be_gone(api: HfApi):
    push(api, a_txt=b"1")
    api.create_branch(REPO, branch="dev")
    done = push(api, "dev", create_pr=True, a_txt=b"2")
    api.delete_branch(REPO, branch="dev")
    assert api.get_discussion_details(REPO, done.pr_num).status == "open"
    with pytest.raises(RevisionNotFoundError):
        api.merge_pull_request(REPO, done.pr_num)


def test_requests_are_found_by_what_they_are(api: HfApi, ask: Ask, hub: LocalHub):
    merged, closed, opened = (push(api, create_pr=True, **{f"{name}_txt": b"x"}).pr_num for name in "abc")
    api.merge_pull_request(REPO, merged)
    assert api.change_discussion_status(REPO, closed, "closed").new_status == "closed"

    def found(**asked: str) -> list[int]:
        return [row.num for row in api.get_repo_discussions(REPO, **asked)]

    assert found(discussion_status="open") == [opened]
    assert found(discussion_status="closed") == [closed, merged]
    assert found() == found(discussion_type="pull_request") == [opened, closed, merged]
    assert found(discussion_type="discussion") == found(author="nobody") == []
    assert found(author="clincot", discussion_status="open") == [opened]
    with pytest.raises(HfHubHTTPError):
        api.merge_pull_request(REPO, closed)
    with pytest.raises(HfHubHTTPError):
        api.change_discussion_status(REPO, merged, "open")
    api.change_discussion_status(REPO, closed, "open")
    api.merge_pull_request(REPO, closed)
    for query, status in (("status=draft", 400), ("type=x", 400), ("p=-1", 400), ("sort=top", 501)):
        assert ask("GET", f"{API}/discussions?{query}").status == status, query


def test_pages_of_requests_add_up(api: HfApi, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("clincot.localhub.routes.pulls.PAGE", 2)
    for number in range(5):
        api.create_pull_request(REPO, title=f"number {number}")
    assert [row.title for row in api.get_repo_discussions(REPO)] == [f"number {number}" for number in range(4, -1, -1)]


def test_anybody_with_a_token_may_propose_and_only_owners_merge(api: HfApi, ask: Ask, hub: LocalHub):
    rows = {"hf_w": {"name": "w", "role": "write"}, "hf_r": {"name": "r", "role": "read"}}
    (hub.path / "tokens.json").write_text(json.dumps(rows))
    other = HfApi(endpoint=hub.endpoint, token="hf_w")
    adds = [CommitOperationAdd("a.txt", b"1"), CommitOperationAdd("w.bin", b"\0" * 100)]
    done = other.create_commit(REPO, adds, commit_message="from outside", create_pr=True)
    more = [CommitOperationAdd("b.txt", b"2"), CommitOperationDelete("a.txt")]
    other.create_commit(REPO, more, commit_message="more", revision=done.pr_revision)
    with pytest.raises(HfHubHTTPError, match="403"):
        other.merge_pull_request(REPO, done.pr_num)
    with pytest.raises(HfHubHTTPError, match="403"):
        other.create_commit(REPO, [CommitOperationAdd("b.txt", b"2")], commit_message="to main")
    theirs = push(api, create_pr=True, c_txt=b"owner").pr_revision
    body = commit_body(text_file("x.txt", "x"))
    for url in ("commit/main?create_pr=1", f"commit/{theirs.replace('/', '%2F')}"):
        assert ask("POST", f"{API}/{url}", body, token="hf_r").status == 403, url
    assert ask("POST", f"{API}/commit/{theirs.replace('/', '%2F')}", body, token="hf_w").status == 403
    api.update_repo_settings(REPO, private=True)
    assert ask("POST", f"{API}/commit/main?create_pr=1", body, token="hf_w").status == 404
    api.update_repo_settings(REPO, private=False)
    api.merge_pull_request(REPO, done.pr_num)
    assert files(api, "main") == {"w.bin": b"\0" * 100, "b.txt": b"2"}


def test_requests_of_a_hub_made_before_they_had_a_branch_are_against_main(api: HfApi, hub: LocalHub):
    done = push(api, create_pr=True, a_txt=b"1")
    facts = hub.path / f"repos/models/{REPO}.git/hub.json"
    table = json.loads(facts.read_text())
    del table["pulls"][0]["base_ref"]
    facts.write_text(json.dumps(table))
    assert api.get_discussion_details(REPO, done.pr_num).target_branch == "refs/heads/main"
    api.merge_pull_request(REPO, done.pr_num)
    assert files(api, "main") == {"a.txt": b"1"}
