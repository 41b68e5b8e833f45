"""A repo and a revision -> its sha (asked once), and from then on files, folders and listings of exactly that sha."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from clincot.errors import HubError, NotOnHub
from clincot.hub.connection import Connection, FileInfo
from clincot.hub.licences import refuse_credentialed
from clincot.hub.retry import with_retry
from clincot.records.lineage import Kind, Pin

REPO_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(/[\w.-]+)?")


def api_of(hub: Connection) -> HfApi:
    """Return a client bound to this Hub; `token=False` keeps the token of another Hub from being sent."""
    return HfApi(endpoint=hub.endpoint, token=hub.token or False, library_name="clincot")


def info(hub: Connection, kind: Kind, repo: str, revision: str | None = None) -> Any | None:
    """Return the client's info object, None when the repo is absent or invisible; NotOnHub for an absent revision."""
    call = partial(api_of(hub).repo_info, repo, repo_type=kind, revision=revision)
    try:
        return with_retry(call, hub, f"{kind} {repo}")
    except NotOnHub as absent:
        if isinstance(absent.__cause__, RepositoryNotFoundError):
            return None
        raise


def resolve(hub: Connection, kind: Kind, repo: str, revision: str = "main") -> Pin:
    """See `Hub.resolve`."""
    _refuse_path(repo, revision)
    if kind == "dataset":
        refuse_credentialed(repo)
    try:
        found = info(hub, kind, repo, revision)
    except NotOnHub as absent:
        known = ", ".join(sorted(tags(hub, kind, repo))) or "none yet"
        raise NotOnHub(
            f"{hub.label}: {kind} {repo} has no revision {revision!r}. Its tags: {known}. "
            "Name one of them, or run the stage that makes it."
        ) from absent
    if found is None:
        folder = f" The folder {repo} has no versions: `clincot hub import` it." if Path(repo).is_dir() else ""
        raise NotOnHub(
            f"{hub.label}: no {kind} {repo}, or not visible to this token. "
            f"Check the name and --hub, or run the stage that makes it.{folder or _fetched(hub, kind, repo)}"
        )
    return Pin(kind, repo, revision, str(found.sha))


def _fetched(hub: Connection, kind: Kind, repo: str) -> str:
    """Return how a repository of another Hub comes onto an embedded one."""
    if not hub.label.startswith("local:"):
        return ""
    more = " --kind dataset" if kind == "dataset" else ""
    return f" A public one is copied with `clincot hub import {repo}{more}`."


def _refuse_path(repo: str, revision: str) -> None:
    # datasets and peft ignore `revision=` for a folder, without a warning (measured, docs/hub.md#clients).
    if not REPO_ID.fullmatch(repo):
        folder = Path(repo).expanduser().is_dir()
        what = "is a folder, which has no versions" if folder else "is no repo id (NAMESPACE/NAME)"
        raise HubError(
            f"{repo}@{revision}: {what}. Put it on a Hub with `clincot hub import`, and give its name there."
        )


def tags(hub: Connection, kind: Kind, repo: str) -> dict[str, str]:
    """See `Hub.tags`."""
    call = partial(api_of(hub).list_repo_refs, repo, repo_type=kind)
    try:
        refs = with_retry(call, hub, f"{kind} {repo}")
    except NotOnHub:
        return {}
    return {ref.name: ref.target_commit for ref in refs.tags}


def list_files(hub: Connection, pin: Pin) -> dict[str, FileInfo]:
    """See `Hub.list_files`."""

    def walk() -> list[RepoFile]:
        rows = api_of(hub).list_repo_tree(pin.repo, repo_type=pin.kind, revision=pin.sha, recursive=True)
        return [row for row in rows if isinstance(row, RepoFile)]

    rows = with_retry(walk, hub, f"listing {pin.kind} {pin}")
    return {row.path: FileInfo(row.size, row.lfs.sha256 if row.lfs else row.blob_id) for row in rows}


def snapshot(hub: Connection, pin: Pin, patterns: Sequence[str] | None = None) -> Path:
    """See `Hub.snapshot`; what an interrupted try has fetched is not fetched again."""
    call = partial(
        snapshot_download,
        pin.repo,
        repo_type=pin.kind,
        revision=pin.sha,
        cache_dir=hub.cache,
        endpoint=hub.endpoint,
        token=hub.token or False,
        library_name="clincot",
        allow_patterns=list(patterns) if patterns is not None else None,
    )
    folder = Path(with_retry(call, hub, f"downloading {pin.kind} {pin}"))
    if not folder.is_dir():
        wanted = ", ".join(patterns or ["*"])
        raise NotOnHub(f"{hub.label}: {pin.kind} {pin} has no file like {wanted}. Check its revision.")
    return folder


def read(hub: Connection, pin: Pin, path: str) -> bytes:
    """See `Hub.read`."""
    call = partial(
        hf_hub_download,
        pin.repo,
        path,
        repo_type=pin.kind,
        revision=pin.sha,
        cache_dir=hub.cache,
        endpoint=hub.endpoint,
        token=hub.token or False,
        library_name="clincot",
    )
    return Path(with_retry(call, hub, f"reading {path} of {pin.kind} {pin}")).read_bytes()


def literal(path: str) -> str:
    """Return a glob that matches this path alone."""
    return glob.escape(path)
