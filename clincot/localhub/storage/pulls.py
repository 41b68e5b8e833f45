"""Pull requests of a repo: opened at a commit of a branch, committed to at `refs/pr/N`, merged into it path by path."""

from __future__ import annotations

from dataclasses import replace

from dulwich.objects import ObjectID
from dulwich.walk import Walker

from ..names import check_ref
from ..problems import HubError, bad_request, conflict, moved_on, revision_not_found
from . import trees
from .commits import Edits, Note, add_ref, store_commit, write_commit
from .facts import PullRequest
from .repository import MAIN, Repository, iso
from .staging import Staging

HEADS = "refs/heads/"


def base_branch(repo: Repository, revision: str) -> bytes:
    """The full name of the branch a pull request is made against; a tag, a sha and another request are not branches."""
    name = revision.removeprefix(HEADS)
    if name.startswith("refs/"):
        raise revision_not_found(revision)
    try:
        ref = check_ref(HEADS, name)
    except HubError as error:  # no legal branch name, so no branch
        raise revision_not_found(revision) from error
    if repo.head(ref) is None:
        raise revision_not_found(revision)
    return ref


def open_pull(
    repo: Repository, note: Note, stage: Staging, edits: Edits = (), parent: str | None = None, branch: bytes = MAIN
) -> tuple[PullRequest, ObjectID]:
    """Open a pull request at `branch`'s head, or at its commit `parent`, with a first commit when there are edits.

    Returns the request and its head. Raises 404 for an absent branch, 412 when `parent` is no commit of it.
    """
    with repo.locked():
        tip = repo.head(branch)
        if tip is None:
            raise revision_not_found(branch.decode())
        base = tip if parent is None else _ancestor(repo, tip, parent)
        head = write_commit(repo, edits, note, stage, base) if edits else base
        numbers = [pull.number for pull in repo.facts.pulls]
        numbers += [int(name) for name in repo.names("refs/pr/") if name.isdecimal()]
        number = max(numbers, default=0) + 1
        pull = PullRequest(number, note.title, note.author, iso(), base.decode(), note.description)
        pull = replace(pull, base_ref=branch.decode())
        add_ref(repo, pull.ref, head)
        repo.facts = repo.facts.with_pull(pull)
        repo.facts.save(repo.folder)
        return pull, head


def _ancestor(repo: Repository, tip: ObjectID, parent: str) -> ObjectID:
    """The commit of the branch that the request leaves it at, by its sha or a prefix of at least 7 digits."""
    if len(parent) >= 7:
        for entry in Walker(repo.objects, [tip]):
            if entry.commit.id.decode().startswith(parent):
                return entry.commit.id
    raise moved_on()


def pull_of(repo: Repository, number: str) -> PullRequest:
    found = repo.facts.pull(int(number)) if number.isdecimal() and len(number) < 10 else None
    if found is None:
        raise HubError(404, f"Pull request {number} not found")
    return found


def merge_pull(repo: Repository, number: str, author: str, comment: str = "") -> PullRequest:
    """Apply what the request changed since its base to its branch; 409 when that changed the same paths otherwise."""
    with repo.locked():
        pull = pull_of(repo, number)
        if pull.status != "open":
            raise bad_request(f"Pull request {number} is {pull.status}")
        branch, head = repo.head(pull.base_ref.encode()), repo.head(pull.ref)
        if branch is None or head is None:
            raise revision_not_found(pull.base_ref if branch is None else pull.ref.decode())
        merged = _merged_before(repo, pull, branch, head)
        if merged is None:
            note = Note(author, f"{pull.title} (#{pull.number})", comment or pull.description)
            merged = _merge(repo, Staging(repo.objects), pull, branch, head, note)
            if not repo.move(pull.base_ref.encode(), branch, merged):
                raise moved_on()
        pull = replace(pull, status="merged", merge_commit=merged.decode())
        repo.facts = repo.facts.with_pull(pull)
        repo.facts.save(repo.folder)
        return pull


def set_status(repo: Repository, number: str, status: str) -> PullRequest:
    """Close an open request or open a closed one; a merged one stays merged."""
    with repo.locked():
        pull = pull_of(repo, number)
        if pull.status == "merged":
            raise bad_request(f"Pull request {number} is merged")
        pull = replace(pull, status=status)
        repo.facts = repo.facts.with_pull(pull)
        repo.facts.save(repo.folder)
        return pull


def _merged_before(repo: Repository, pull: PullRequest, branch: ObjectID, head: ObjectID) -> ObjectID | None:
    """The merge that a server killed between moving the branch and noting it has left, so that none is made twice."""
    for entry in Walker(repo.objects, [branch], exclude=[ObjectID(pull.base.encode())]):
        if head in entry.commit.parents[1:]:
            return entry.commit.id
    return None


def _merge(
    repo: Repository, stage: Staging, pull: PullRequest, branch: ObjectID, head: ObjectID, note: Note
) -> ObjectID:
    clashes = conflicts(repo, pull, branch, head)
    if clashes:
        into = pull.base_ref.removeprefix(HEADS)
        raise conflict(f"Pull request {pull.number} conflicts with {into} in: {', '.join(clashes)}")
    root = repo.commit(branch).tree
    present = trees.files(repo.objects, root)
    ours = _changed(repo, ObjectID(pull.base.encode()), head)
    kept = {path: oid for path, oid in ours.items() if oid is not None or path in present}
    return store_commit(stage, trees.edit(stage, root, kept) or root, [branch, head], note)


def conflicts(repo: Repository, pull: PullRequest, branch: ObjectID, head: ObjectID) -> list[str]:
    """Paths that the branch and the request changed differently since the base."""
    base = ObjectID(pull.base.encode())
    ours, theirs = _changed(repo, base, head), _changed(repo, base, branch)
    both = [path for path in ours if path in theirs and ours[path] != theirs[path]]
    return sorted(path.decode(errors="replace") for path in both)


def _changed(repo: Repository, old: ObjectID, new: ObjectID) -> dict[bytes, ObjectID | None]:
    before = trees.files(repo.objects, repo.commit(old).tree)
    after = trees.files(repo.objects, repo.commit(new).tree)
    return {path: after.get(path) for path in {**before, **after} if before.get(path) != after.get(path)}
