"""Pull requests of a repo: opened at the head of a branch, committed to at `refs/pr/N`, merged path by path."""

from __future__ import annotations

from dataclasses import replace

from dulwich.objects import ObjectID
from dulwich.walk import Walker

from . import trees
from .commits import Edits, Note, add_ref, store_commit, write_commit
from .facts import PullRequest
from .problems import HubError, bad_request, conflict, moved_on, revision_not_found
from .repository import MAIN, Repository, iso
from .staging import Staging


def open_pull(
    repo: Repository, note: Note, stage: Staging, edits: Edits = (), parent: str | None = None
) -> tuple[PullRequest, ObjectID]:
    """Open a pull request at main's head, with a first commit when there are edits -> (request, its head)."""
    with repo.locked():
        base = repo.head(MAIN)
        if base is None:
            raise revision_not_found("main")
        if parent is not None and not base.decode().startswith(parent):
            raise moved_on()
        head = write_commit(repo, edits, note, stage, base) if edits else base
        numbers = [pull.number for pull in repo.facts.pulls]
        numbers += [int(name) for name in repo.names("refs/pr/") if name.isdecimal()]
        number = max(numbers, default=0) + 1
        pull = PullRequest(number, note.title, note.author, iso(), base.decode(), note.description)
        add_ref(repo, pull.ref, head)
        repo.facts = repo.facts.with_pull(pull)
        repo.facts.save(repo.folder)
        return pull, head


def pull_of(repo: Repository, number: str) -> PullRequest:
    found = repo.facts.pull(int(number)) if number.isdecimal() and len(number) < 10 else None
    if found is None:
        raise HubError(404, f"Pull request {number} not found")
    return found


def merge_pull(repo: Repository, number: str, author: str) -> PullRequest:
    """Apply what the request changed since its base to main; 409 when main changed the same paths otherwise."""
    with repo.locked():
        pull = pull_of(repo, number)
        if pull.status != "open":
            raise bad_request(f"Pull request {number} is {pull.status}")
        main, head = repo.head(MAIN), repo.head(pull.ref)
        if main is None or head is None:
            raise revision_not_found(pull.ref.decode())
        merged = _merged_before(repo, pull, main, head)
        if merged is None:
            merged = _merge(repo, Staging(repo.objects), pull, main, head, author)
            if not repo.move(MAIN, main, merged):
                raise moved_on()
        pull = replace(pull, status="merged", merge_commit=merged.decode())
        repo.facts = repo.facts.with_pull(pull)
        repo.facts.save(repo.folder)
        return pull


def _merged_before(repo: Repository, pull: PullRequest, main: ObjectID, head: ObjectID) -> ObjectID | None:
    """The merge that a server killed between moving main and noting it has left, so that none is made twice."""
    for entry in Walker(repo.objects, [main], exclude=[ObjectID(pull.base.encode())]):
        if head in entry.commit.parents[1:]:
            return entry.commit.id
    return None


def _merge(
    repo: Repository, stage: Staging, pull: PullRequest, main: ObjectID, head: ObjectID, author: str
) -> ObjectID:
    clashes = conflicts(repo, pull, main, head)
    if clashes:
        raise conflict(f"Pull request {pull.number} conflicts with main in: {', '.join(clashes)}")
    present = trees.files(repo.objects, repo.commit(main).tree)
    ours = _changed(repo, ObjectID(pull.base.encode()), head)
    kept = {path: oid for path, oid in ours.items() if oid is not None or path in present}
    tree = trees.edit(stage, repo.commit(main).tree, kept) or repo.commit(main).tree
    return store_commit(stage, tree, [main, head], Note(author, f"{pull.title} (#{pull.number})", pull.description))


def conflicts(repo: Repository, pull: PullRequest, main: ObjectID, head: ObjectID) -> list[str]:
    """Paths that main and the request changed differently since the base."""
    base = ObjectID(pull.base.encode())
    ours, theirs = _changed(repo, base, head), _changed(repo, base, main)
    both = [path for path in ours if path in theirs and ours[path] != theirs[path]]
    return sorted(path.decode(errors="replace") for path in both)


def _changed(repo: Repository, old: ObjectID, new: ObjectID) -> dict[bytes, ObjectID | None]:
    before = trees.files(repo.objects, repo.commit(old).tree)
    after = trees.files(repo.objects, repo.commit(new).tree)
    return {path: after.get(path) for path in {**before, **after} if before.get(path) != after.get(path)}
