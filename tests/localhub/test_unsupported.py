"""A call, filter or field that is not supported is answered 501 and named; ignored, it would give a wrong answer."""

from __future__ import annotations

from huggingface_hub import CommitOperationAdd, HfApi

from clincot.localhub import LocalHub

from .conftest import REPO, Ask, commit_body, text_file

API = f"/api/models/{REPO}"
QUERIES = [
    ("/api/models", "apps=vllm"),
    ("/api/models", "inference=warm"),
    ("/api/models", "num_parameters=min:1B"),
    ("/api/models", "sort=alphabet"),
    ("/api/spaces", "models=a/b"),
    (API, "securityStatus=true"),
    (f"{API}/revision/main", "base_model=1"),
    (f"{API}/tree/main", "path=sub"),
    (f"{API}/commits/main", "path=a.txt"),
    (f"{API}/commits/main", "expand=signature"),
    (f"{API}/refs", "include_converts=1"),
    (f"{API}/discussions", "search=x"),
    (f"/{REPO}/resolve/main/.gitattributes", "convert=parquet"),
    ("/api/whoami-v2", "as=other"),
]


def test_an_unknown_parameter_is_named(api: HfApi, ask: Ask, hub: LocalHub):
    for path, query in QUERIES:
        answer = ask("GET", f"{path}?{query}", token=hub.token)
        assert (answer.status, answer.headers["x-error-code"]) == (501, "NotImplemented"), query
        name, value = query.split("=")
        word = value if name in ("sort", "expand") else name
        assert word in answer.json["error"] and word in answer.headers["x-error-message"]
        if word == name:
            assert ask("GET", f"{path}?{name}=false", token=hub.token).status == 200  # as good as left out


BODIES = [
    ("POST", "/api/repos/create", {"name": "x", "resourceGroupId": "g"}),
    ("POST", "/api/repos/create", {"name": "x", "visibility": "protected"}),
    ("POST", "/api/repos/create", {"name": "x", "type": "space", "sdk": "docker", "secrets": [{"key": "a"}]}),
    ("DELETE", "/api/repos/delete", {"name": "thing", "organization": "clincot", "keep": ["lfs"]}),
    ("PUT", f"{API}/settings", {"discussionsDisabled": True}),
    ("POST", f"{API}/branch/b", {"emptyBranch": True}),
    ("POST", f"{API}/tag/main", {"tag": "v1", "force": True}),
    ("POST", f"{API}/super-squash/main", {"message": "m", "since": "v1"}),
    ("POST", f"{API}/discussions", {"title": "t", "description": "d", "pullRequest": True, "base": "dev"}),
    ("POST", f"{API}/discussions", {"title": "t", "description": "d"}),
    ("POST", f"{API}/discussions/1/status", {"status": "closed", "comment": "why"}),
    ("POST", f"{API}/preupload/main", {"files": [], "lfsRules": "*.txt"}),
    ("POST", f"{API}/preupload/main", {"files": [{"path": "a", "size": 1, "sample": "", "mode": "x"}]}),
    ("POST", f"{API}/paths-info/main", b"paths=a&follow=links"),
    ("POST", f"/{REPO}.git/info/lfs/objects/batch", {"operation": "upload", "objects": [], "hash_algo": "sha512"}),
    ("POST", "/api/validate-yaml", {"content": "", "strictness": 2}),
    ("POST", f"{API}/discussions/1/comment", {"comment": "hello"}),
    ("POST", "/api/repos/move", {"fromRepo": REPO, "toRepo": "clincot/other"}),
]


def test_an_unknown_field_changes_nothing(api: HfApi, ask: Ask, hub: LocalHub):
    api.create_pull_request(REPO, title="open")
    for method, path, body in BODIES:
        answer = ask(method, path, body, token=hub.token)
        assert (answer.status, answer.headers["x-error-code"]) == (501, "NotImplemented"), (path, body)
    assert [row.id for row in hub.repos()] == [REPO]
    assert [row.num for row in api.get_repo_discussions(REPO, discussion_status="open")] == [1]
    refs = api.list_repo_refs(REPO)
    assert ([ref.name for ref in refs.branches], refs.tags) == (["main"], [])
    assert len(api.list_repo_commits(REPO)) == 1


def test_fields_of_a_commit_are_checked_before_anything_is_written(api: HfApi, ask: Ask, hub: LocalHub):
    rows = [text_file("a.txt", "x"), {"key": "file", "value": {"path": "b.txt", "content": "y", "executable": True}}]
    assert ask("POST", f"{API}/commit/main", commit_body(*rows), token=hub.token).status == 501
    header = b'{"key": "header", "value": {"summary": "s", "amend": true}}\n'
    assert ask("POST", f"{API}/commit/main", header, token=hub.token).status == 501
    assert ask("POST", f"{API}/commit/main?hot_reload=1", commit_body(rows[0]), token=hub.token).status == 501
    assert api.list_repo_files(REPO) == [".gitattributes"]


def test_filters_of_the_list_of_repos_are_obeyed(api: HfApi):
    cards = {"one": "tags: [a, b]\npipeline_tag: text-generation", "two": "tags: [b]", "other": "license: mit"}
    for name, card in cards.items():
        api.create_repo(name)
        api.upload_file(
            path_or_fileobj=f"---\n{card}\n---\n".encode(), path_in_repo="README.md", repo_id=f"clincot/{name}"
        )
    api.update_repo_settings("clincot/two", gated="auto")

    def found(**asked: object) -> list[str]:
        return [row.id.split("/")[1] for row in api.list_models(**asked)]

    assert found() == ["one", "other", "thing", "two"]
    assert found(filter=["b", "a"]) == found(pipeline_tag="text-generation") == ["one"]
    assert found(gated=True) == ["two"] and found(gated=False) == ["one", "other", "thing"]
    assert found(search="T/O", author="clincot") == ["one", "other"]
    assert found(sort="downloads") == found()  # nothing is counted here: all are equal
    assert found(author="nobody") == []


def test_a_row_names_the_commit_that_changed_it(api: HfApi):
    def push(title: str, revision: str = "main", create_pr: bool = False, **files: bytes):
        adds = [CommitOperationAdd(path.replace("__", "/"), data) for path, data in files.items()]
        return api.create_commit(REPO, adds, commit_message=title, revision=revision, create_pr=create_pr)

    def last(revision: str = "main") -> dict[str, str]:
        rows = api.list_repo_tree(REPO, recursive=True, expand=True, revision=revision)
        return {row.path: row.last_commit.title for row in rows if row.path != ".gitattributes"}

    push("first", a=b"1", b=b"1", sub__c=b"1", sub__d=b"1")
    push("second", b=b"2", sub__d=b"2")
    push("back", b=b"1")
    assert last() == {"a": "first", "b": "back", "sub": "second", "sub/c": "first", "sub/d": "second"}
    request = push("by request", create_pr=True, a=b"2")
    push("meanwhile", e=b"1")
    api.merge_pull_request(REPO, request.pr_num)
    assert last() | {"a": "by request", "e": "meanwhile"} == last()
    (row,) = api.get_paths_info(REPO, ["sub"], expand=True)
    assert row.last_commit.title == "second"


def test_commits_are_shown_as_html_on_request(api: HfApi):
    api.create_commit(REPO, [CommitOperationAdd("a", b"1")], commit_message="a < b", commit_description="<b>")
    row = api.list_repo_commits(REPO, formatted=True)[0]
    assert (row.formatted_title, row.formatted_message, row.title) == ("a &lt; b", "&lt;b&gt;", "a < b")


def test_texts_that_scripts_match_on(api: HfApi, ask: Ask, hub: LocalHub):
    api.create_branch(REPO, branch="dev")
    api.create_tag(REPO, tag="v1")
    said = {
        ("POST", f"{API}/branch/dev"): (409, None, "Reference refs/heads/dev already exists"),
        ("POST", f"{API}/branch/main"): (409, None, "Reference refs/heads/main already exists"),
        ("DELETE", f"{API}/branch/main"): (403, None, "Cannot delete refs/heads/main"),
        ("DELETE", f"{API}/branch/v1"): (404, "RevisionNotFound", "Invalid rev id"),
        ("DELETE", f"{API}/tag/dev"): (404, "RevisionNotFound", "Invalid rev id"),
        ("GET", f"{API}/tree/absent"): (404, "RevisionNotFound", "Invalid rev id: absent"),
        ("GET", f"/{REPO}/resolve/main/absent"): (404, "EntryNotFound", "Entry not found"),
        ("GET", "/api/models/clincot/absent"): (404, "RepoNotFound", "Repository not found"),
    }
    for (method, path), (status, code, text) in said.items():
        answer = ask(method, path, {}, token=hub.token)
        assert (answer.status, answer.headers.get("x-error-code")) == (status, code), path
        assert text in answer.json["error"] and text in answer.headers["x-error-message"], path
    stale = commit_body(text_file("a.txt", "x"), parent="0" * 40)
    answer = ask("POST", f"{API}/commit/main", stale, token=hub.token)
    assert answer.status == 412
    assert answer.json["error"] == "The branch was updated since you opened this page. Please refresh and try again."
