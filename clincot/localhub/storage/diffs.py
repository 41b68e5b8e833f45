"""A pull request -> what it changes against the commit it left its branch at, as a unified diff."""

from __future__ import annotations

import io

from dulwich.diff_tree import TreeEntry, tree_changes
from dulwich.objects import ObjectID
from dulwich.patch import write_object_diff

from . import trees
from .facts import PullRequest
from .repository import Repository

MAX_FILE = 1_000_000
MAX_DIFF = 8_000_000
Side = tuple[bytes | None, int | None, ObjectID | None]


def diff_of(repo: Repository, pull: PullRequest) -> str:
    """Files over 1 MB are named without their lines; the diff ends after 8 MB. Large files appear as their pointers."""
    head = repo.head(pull.ref)
    if head is None:
        return ""
    before, after = repo.commit(ObjectID(pull.base.encode())).tree, repo.commit(head).tree
    out = io.BytesIO()
    for change in tree_changes(repo.objects, before, after):
        if out.tell() > MAX_DIFF:
            break
        old, new = _side(change.old), _side(change.new)
        if any(oid is not None and _size(repo, oid) > MAX_FILE for _, _, oid in (old, new)):
            name = (new[0] or old[0] or b"").decode(errors="replace")
            out.write(f"diff --git a/{name} b/{name}\nBinary files a/{name} and b/{name} differ\n".encode())
        else:
            write_object_diff(out, repo.objects, old, new)
    return out.getvalue().decode(errors="replace")


def _side(entry: TreeEntry | None) -> Side:
    return (None, None, None) if entry is None else (entry.path, entry.mode, entry.sha)


def _size(repo: Repository, oid: ObjectID) -> int:
    return len(trees.blob_bytes(repo.objects, oid))
