"""Edits of one request (put, drop, drop folder) and a branch -> one commit, all or nothing, durable on return."""

from __future__ import annotations

import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dulwich.objects import Commit, ObjectID, Tag, Tree

from ..names import check_new_ref, check_ref
from ..problems import HubError, bad_request, conflict, entry_not_found, moved_on, revision_not_found
from . import trees
from .repository import MAIN, Repository
from .staging import Staging


@dataclass(frozen=True)
class Put:
    path: bytes
    blob: ObjectID


@dataclass(frozen=True)
class Drop:
    """Delete a file, or with `folder` everything below a path."""

    path: bytes
    folder: bool = False


@dataclass(frozen=True)
class Note:
    """Who commits and why."""

    author: str
    title: str
    description: str = ""

    def message(self) -> bytes:
        title = " ".join(self.title.split()) or "Update"
        return "\n\n".join(filter(None, [title, self.description.strip()])).encode(errors="replace") + b"\n"

    def signature(self) -> bytes:
        name = "".join(char for char in self.author if char.isalnum() or char in " _.-").strip() or "unknown"
        return f"{name} <{name.replace(' ', '.')}@localhub.invalid>".encode()


Edits = Sequence[Put | Drop]


def writable_ref(revision: str) -> bytes:
    """Branches and pull requests take commits; tags and shas do not."""
    if revision.startswith("refs/pr/") or revision.startswith("refs/heads/"):
        return check_ref("", revision)
    if revision.startswith("refs/"):
        raise bad_request(f"{revision!r} is neither a branch nor a pull request: nothing can be committed to it")
    return check_ref("refs/heads/", revision)


def commit(
    repo: Repository, ref: bytes, edits: Edits, note: Note, stage: Staging, parent: str | None = None
) -> ObjectID:
    """Add one commit to `ref`; the same head again when the edits change nothing.

    Raises 412 when `parent` is not the head, 404 for an absent branch or a deleted file that is absent.
    """
    with repo.locked():
        while True:
            head = repo.head(ref)
            if head is None:
                raise revision_not_found(ref.decode())
            if parent is not None and not _names(parent, head):
                raise moved_on()
            new = write_commit(repo, edits, note, stage, head)
            if new == head or repo.move(ref, head, new):
                return new
            # Plain git pushed between our read and our swap: it does not know our lock.


def _names(parent: str, head: ObjectID) -> bool:
    return len(parent) >= 7 and head.decode().startswith(parent)


def write_commit(repo: Repository, edits: Edits, note: Note, stage: Staging, head: ObjectID) -> ObjectID:
    """Build and sync the commit that follows `head`, without moving a ref; `head` when nothing changes."""
    before = repo.commit(head).tree
    changes = _changes(stage, before, edits, head)
    after = trees.edit(stage, before, changes) or stage.add(Tree())
    if after == before:
        return head
    return store_commit(stage, after, [head], note)


def store_commit(stage: Staging, tree: ObjectID, parents: list[ObjectID], note: Note) -> ObjectID:
    made = Commit()
    made.tree, made.parents = tree, parents
    made.author = made.committer = note.signature()
    made.author_time = made.commit_time = int(time.time())
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    made.message = note.message()
    oid = stage.add(made)
    stage.flush()
    return oid


def _changes(stage: Staging, root: ObjectID, edits: Edits, head: ObjectID) -> dict[bytes, ObjectID | None]:
    """Edits in their order -> the last word on each path."""
    changes: dict[bytes, ObjectID | None] = {}
    for edit in edits:
        if isinstance(edit, Put):
            changes[edit.path] = edit.blob
        elif edit.folder:
            _drop_folder(stage, root, edit.path, head, changes)
        else:
            _drop_path(stage, root, edit.path, head, changes)
    return changes


def _drop_path(
    stage: Staging, root: ObjectID, path: bytes, head: ObjectID, changes: dict[bytes, ObjectID | None]
) -> None:
    """A folder may be named without its slash, as the Hub allows."""
    found = trees.find(stage, root, path)
    if changes.get(path) is None and found is not None and stat.S_ISDIR(found[0]):
        _drop_folder(stage, root, path, head, changes)
    elif found is None and path not in changes:
        raise entry_not_found(path.decode(), head.decode())
    else:
        changes[path] = None


def _drop_folder(
    stage: Staging, root: ObjectID, path: bytes, head: ObjectID, changes: dict[bytes, ObjectID | None]
) -> None:
    found = trees.find(stage, root, path)
    if found is None or not stat.S_ISDIR(found[0]):
        raise entry_not_found(path.decode(), head.decode())
    for name in trees.files(stage, found[1]):
        changes[path + b"/" + name] = None
    for name in [name for name in changes if name.startswith(path + b"/")]:
        changes[name] = None


def add_tag(repo: Repository, name: object, target: ObjectID, note: Note, annotated: bool) -> None:
    """Create an immutable tag; 409 when it exists, wherever it points."""
    ref = check_new_ref("refs/tags/", name)
    stage = Staging(repo.objects)
    with repo.locked():
        if repo.refs.read_ref(ref) is not None:  # type: ignore[arg-type]
            raise conflict(f"Reference {ref.decode()} already exists")
        oid = target
        if annotated:
            tag = Tag()
            tag.name, tag.object = ref.removeprefix(b"refs/tags/"), (Commit, target)
            tag.tagger, tag.tag_time, tag.tag_timezone = note.signature(), int(time.time()), 0
            tag.message = note.message()
            oid = stage.add(tag)
            stage.flush()
        add_ref(repo, ref, oid)


def add_ref(repo: Repository, ref: bytes, oid: ObjectID) -> None:
    """Create a ref; 409 when it, a ref above it or a ref below it exists. The caller holds the lock."""
    try:
        added = repo.move(ref, None, oid)
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise conflict(f"{ref.decode()} collides with the folder of another ref") from error
    if not added:
        raise conflict(f"Reference {ref.decode()} already exists")


def remove_ref(repo: Repository, ref: bytes) -> None:
    if ref == MAIN:
        raise HubError(403, "Cannot delete refs/heads/main: it is the default branch")
    with repo.locked():
        if repo.refs.read_ref(ref) is None:  # type: ignore[arg-type]
            raise revision_not_found(ref.decode())
        repo.drop(ref)


def squash(repo: Repository, branch: str, note: Note) -> ObjectID:
    """Replace a branch's history by one parentless commit with the same tree."""
    ref = writable_ref(branch)
    with repo.locked():
        head = repo.head(ref)
        if head is None:
            raise revision_not_found(branch)
        new = store_commit(Staging(repo.objects), repo.commit(head).tree, [], note)
        if not repo.move(ref, head, new):
            raise moved_on()
        return new
