"""A repo of a Hub -> its commits, newest first, each with the tags that name it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

from clincot.errors import NotOnHub
from clincot.hub import pull
from clincot.hub.client import Hub
from clincot.hub.retry import with_retry
from clincot.records.lineage import Kind

KINDS: tuple[Kind, ...] = ("model", "dataset", "space")


@dataclass(frozen=True)
class Entry:
    """A commit; `made` is in UTC, `tags` are those that point at it."""

    sha: str
    made: datetime
    title: str
    tags: tuple[str, ...]


def history(hub: Hub, kind: Kind, repo: str) -> list[Entry]:
    """Return the commits of main, newest first; raises NotOnHub for an absent repo."""
    pin = pull.resolve(hub, kind, repo)
    tags = pull.tags(hub, kind, repo)
    call = partial(pull.api_of(hub).list_repo_commits, repo, repo_type=kind, revision=pin.sha)
    commits = with_retry(call, hub, f"reading the history of {kind} {repo}")
    return [
        Entry(c.commit_id, c.created_at, c.title, tuple(sorted(t for t, sha in tags.items() if sha == c.commit_id)))
        for c in commits
    ]


def kind_of(hub: Hub, repo: str, kind: str = "") -> Kind:
    """Return `kind`, or the only kind of repo that has this name; NotOnHub when no kind or more than one has it."""
    if kind:
        return cast(Kind, kind)
    found = [kind for kind in KINDS if pull.info(hub, kind, repo) is not None]
    if len(found) != 1:
        what = f"is a {' and a '.join(found)} here" if found else "is not there, or not visible to this token"
        todo = "Say which with --kind." if found else "Check the name (NAMESPACE/NAME), or list what is there."
        raise NotOnHub(f"{hub.label}: {repo} {what}. {todo}")
    return found[0]
