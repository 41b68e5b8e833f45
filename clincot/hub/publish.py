"""Files, a card and a tag -> one commit on a Hub that holds them all, then the tag, each exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError

from clincot.errors import HubError, TagExists
from clincot.hub import pull
from clincot.hub.connection import Card, Connection, Content, FileInfo
from clincot.hub.contents import bytes_of, check_publishable, same_content
from clincot.hub.retry import with_retry
from clincot.hub.round_files import is_lineage
from clincot.records.lineage import Kind, Pin

CARD = "README.md"
KEPT_BY_THE_HUB = ".gitattributes"


@dataclass(frozen=True)
class Publication:
    """What `Hub.publish` was asked for."""

    kind: Kind
    repo: str
    files: Mapping[str, Content]
    tag: str | None
    message: str
    card: Card | None = None
    replace: tuple[str, ...] = ()

    def stale(self, held: Mapping[str, FileInfo]) -> list[str]:
        """Return the files of the replaced folders ("" is the whole repo) that the new version lacks."""
        folders = tuple(prefix.rstrip("/") + "/" if prefix else "" for prefix in self.replace)
        kept = {*self.files, KEPT_BY_THE_HUB} | ({CARD} if self.card else set())
        return [path for path in held if path not in kept and folders and path.startswith(folders)]


@dataclass(frozen=True)
class Change:
    """What still separates a version of the repo from the publication."""

    put: dict[str, Content] = field(default_factory=dict)
    drop: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.put or self.drop)


def publish(hub: Connection, wanted: Publication, private: bool) -> Pin:
    """See `Hub.publish`.

    Each try plans anew from the head it finds: after a lost answer the plan is empty (the commit is there), after a 412
    it holds the other writer's rounds too. `parent_commit` keeps a commit that arrives late from landing twice.
    """
    check_publishable(wanted.repo, wanted.files)
    if wanted.card is not None and CARD in wanted.files:
        raise HubError(f"{wanted.repo}: both `card` and {CARD} were given. Give one.")
    _make_repo(hub, wanted, private)
    tagged = _held_at_tag(hub, wanted)
    if tagged is not None:
        return tagged
    doing = f"pushing to {wanted.kind} {wanted.repo}"
    sha = with_retry(partial(_commit, hub, wanted), hub, doing)
    if wanted.tag is None:
        return Pin(wanted.kind, wanted.repo, "main", sha)
    return with_retry(partial(_put_tag, hub, wanted, sha), hub, f"tagging {wanted.kind} {wanted.repo} {wanted.tag}")


def mirrored(source: Connection, pin: Pin, select: Callable[[str], bool], with_readme: bool) -> dict[str, Content]:
    """Return path -> downloaded file of the selected part of a pinned version."""
    skipped = {KEPT_BY_THE_HUB} if with_readme else {KEPT_BY_THE_HUB, CARD}
    paths = [path for path in pull.list_files(source, pin) if path not in skipped and select(path)]
    if not paths:
        raise HubError(f"{source.label}: {pin.kind} {pin} holds none of the files to publish. Run its stage again.")
    folder: Path = pull.snapshot(source, pin, [pull.literal(path) for path in paths])
    return {path: folder / path for path in paths}


def _make_repo(hub: Connection, wanted: Publication, private: bool) -> None:
    found = pull.info(hub, wanted.kind, wanted.repo)
    if found is None:
        sdk = "static" if wanted.kind == "space" else None
        create = partial(
            pull.api_of(hub).create_repo,
            wanted.repo,
            repo_type=wanted.kind,
            private=private,
            exist_ok=True,
            space_sdk=sdk,
        )
        with_retry(create, hub, f"creating {wanted.kind} {wanted.repo}")
    elif private and found.private is False:
        raise HubError(
            f"{hub.label}: {wanted.kind} {wanted.repo} is public, this push is private. "
            "Add --public, or give another --name."
        )


def _held_at_tag(hub: Connection, wanted: Publication) -> Pin | None:
    """Return the pin when the tag holds this content, None when there is no such tag; raises TagExists otherwise."""
    sha = pull.tags(hub, wanted.kind, wanted.repo).get(wanted.tag) if wanted.tag else None
    if sha is None or wanted.tag is None:
        return None
    pin = Pin(wanted.kind, wanted.repo, wanted.tag, sha)
    held = pull.list_files(hub, pin)
    change = _difference(wanted, held)
    if not change:
        return pin
    odd = sorted([*change.put, *change.drop])
    raise TagExists(
        f"{hub.label}: tag {wanted.tag} of {wanted.kind} {wanted.repo} holds other content ({len(odd)} file(s) differ, "
        f"{odd[0]} is one). A tag never moves: push as another run with --name, or as a new version with --new-version."
    )


def _difference(wanted: Publication, held: Mapping[str, FileInfo]) -> Change:
    """Compare by content: a lineage is not content, it says how that was made (how long it took, on which Hub)."""

    def differs(path: str, content: Content) -> bool:
        return not (path in held and is_lineage(path)) and not same_content(held.get(path), content)

    return Change({path: c for path, c in wanted.files.items() if differs(path, c)}, wanted.stale(held))


def _commit(hub: Connection, wanted: Publication) -> str:
    """Return the sha of a commit on main that holds the publication, made now or found."""
    head = pull.resolve(hub, wanted.kind, wanted.repo)
    held = pull.list_files(hub, head)
    put = {path: c for path, c in wanted.files.items() if not same_content(held.get(path), c)}
    drop = wanted.stale(held)
    if wanted.card is not None:
        readme = wanted.card(_lineages(hub, wanted, head, held, drop)).encode()
        if not same_content(held.get(CARD), readme):
            put[CARD] = readme
    if not put and not drop:
        return head.sha
    additions = [CommitOperationAdd(path, c if isinstance(c, bytes) else str(c)) for path, c in put.items()]
    made = pull.api_of(hub).create_commit(
        wanted.repo,
        [*additions, *(CommitOperationDelete(path) for path in drop)],
        commit_message=wanted.message,
        repo_type=wanted.kind,
        parent_commit=head.sha,
    )
    return made.oid


def _lineages(
    hub: Connection, wanted: Publication, head: Pin, held: Mapping[str, FileInfo], drop: list[str]
) -> dict[str, bytes]:
    """Return every `rounds/*/lineage.json` that the repo will hold after the commit."""
    kept = [path for path in held if is_lineage(path) and path not in wanted.files and path not in drop]
    found = {path: pull.read(hub, head, path) for path in kept}
    found |= {path: bytes_of(content) for path, content in wanted.files.items() if is_lineage(path)}
    return dict(sorted(found.items()))


def _put_tag(hub: Connection, wanted: Publication, sha: str) -> Pin:
    """Create the tag; one that is there already must name this commit or the same content."""
    assert wanted.tag is not None
    try:
        pull.api_of(hub).create_tag(wanted.repo, tag=wanted.tag, revision=sha, repo_type=wanted.kind)
    except HfHubHTTPError as error:
        if error.response.status_code != 409:
            raise
        there = _held_at_tag(hub, wanted)
        if there is None:
            raise
        return there
    return Pin(wanted.kind, wanted.repo, wanted.tag, sha)
