"""A repo at a commit -> the JSON rows clients read: info, tree entries, commits, refs, pull requests."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from dulwich.objects import Commit, ObjectID

from ..cards.card import card_data, tags_of
from ..storage.facts import PullRequest
from ..storage.pulls import conflicts
from ..storage.repository import MAIN, Repository, iso
from ..storage.store import Store
from ..storage.trees import Entry


@dataclass(frozen=True)
class RepoSummary:
    """One line of a list of repos; `tags` are the git tags, `sha` is main's head, `lastModified` ISO 8601 UTC."""

    kind: str
    id: str
    private: bool
    sha: str
    tags: tuple[str, ...]
    lastModified: str


def summaries(store: Store, kinds: tuple[str, ...]) -> list[RepoSummary]:
    return [_summary(repo) for kind in kinds for repo in store.repos(kind)]


def _summary(repo: Repository) -> RepoSummary:
    head = repo.head(MAIN)
    modified = iso(repo.commit(head).commit_time) if head else repo.facts.created
    tags = tuple(repo.names("refs/tags/"))
    sha = head.decode() if head else ""
    return RepoSummary(repo.facts.kind, repo.facts.id, repo.facts.private, sha, tags, modified)


def repo_info(repo: Repository, commit: ObjectID, blobs: bool = False) -> dict[str, Any]:
    facts, card = repo.facts, card_data(repo.read(commit, b"README.md"))
    row: dict[str, Any] = {
        "_id": facts.key,
        "id": facts.id,
        "author": facts.namespace or None,
        "sha": commit.decode(),
        "lastModified": iso(repo.commit(commit).commit_time),
        "createdAt": facts.created,
        "private": facts.private,
        "gated": facts.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags_of(card or {}),
        "cardData": card,
        "siblings": _siblings(repo, commit, blobs),
    }
    if facts.kind == "model":
        row["modelId"] = facts.id
        row |= {key: card[key] for key in ("library_name", "pipeline_tag") if card and isinstance(card.get(key), str)}
    if facts.kind == "space":
        row["sdk"] = facts.sdk
    return row


def _siblings(repo: Repository, commit: ObjectID, blobs: bool) -> list[dict[str, Any]]:
    if not blobs:
        return [{"rfilename": path} for path in repo.paths(commit)]
    return [_sibling(entry) for entry in repo.entries(commit) if not entry.folder]


def _sibling(entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {"rfilename": entry.path, "size": entry.size, "blobId": entry.oid}
    if entry.pointer:
        row["lfs"] = {"size": entry.size, "sha256": entry.pointer.oid, "pointerSize": entry.pointer_size}
    return row


def entry_row(entry: Entry, last: dict[str, Any] | None) -> dict[str, Any]:
    """A row of tree or paths-info; `oid` is the git blob, `lfs.oid` the sha256 of a large file."""
    kind = "directory" if entry.folder else "file"
    row: dict[str, Any] = {"type": kind, "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.pointer:
        row["lfs"] = {"oid": entry.pointer.oid, "size": entry.size, "pointerSize": entry.pointer_size}
    if last is not None:
        row["lastCommit"] = last
    return row


def last_commit(commit: Commit) -> dict[str, Any]:
    return {"id": commit.id.decode(), "title": _title(commit)[0], "date": iso(commit.commit_time)}


def _title(commit: Commit) -> tuple[str, str]:
    title, _, rest = commit.message.decode(errors="replace").partition("\n")
    return title, rest.strip()


def commit_row(commit: Commit, formatted: bool = False) -> dict[str, Any]:
    """`formatted` adds title and message as HTML."""
    title, message = _title(commit)
    author = commit.author.decode(errors="replace").split(" <")[0]
    row: dict[str, Any] = {"id": commit.id.decode(), "title": title, "message": message}
    row |= {"date": iso(commit.commit_time), "authors": [{"user": author, "avatar": ""}]}
    if formatted:
        row["formatted"] = {"title": html.escape(title), "message": html.escape(message)}
    return row


def refs_row(repo: Repository, pulls: bool) -> dict[str, Any]:
    def rows(folder: str, long_name: bool = False) -> list[dict[str, str]]:
        return [
            {"name": folder + name if long_name else name, "ref": folder + name, "targetCommit": oid}
            for name, oid in repo.names(folder).items()
        ]

    table: dict[str, Any] = {"branches": rows("refs/heads/"), "converts": [], "tags": rows("refs/tags/")}
    if pulls:
        table["pullRequests"] = rows("refs/pr/", long_name=True)
    return table


def pull_row(repo: Repository, pull: PullRequest) -> dict[str, Any]:
    branch, head = repo.head(pull.base_ref.encode()), repo.head(pull.ref)
    clashes = conflicts(repo, pull, branch, head) if pull.status == "open" and branch and head else []
    changes = {"base": pull.base_ref} | ({"mergeCommitId": pull.merge_commit} if pull.merge_commit else {})
    return {
        "num": pull.number,
        "title": pull.title,
        "author": {"name": pull.author},
        "createdAt": pull.created,
        "status": pull.status,
        "repo": {"name": repo.facts.id, "type": repo.facts.kind},
        "isPullRequest": True,
        "events": [],
        "diff": "",
        "filesWithConflicts": clashes,
        "changes": changes,
    }
