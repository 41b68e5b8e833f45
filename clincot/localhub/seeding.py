"""Files in memory -> one commit (and a tag) in a repo of a store, without HTTP."""

from __future__ import annotations

import hashlib
import io

from dulwich.attrs import compile_gitattributes_patterns, match_path, parse_git_attributes

from .access import OWNER
from .names import check_path, kind_of
from .storage.commits import Note, Put, add_tag, commit
from .storage.largefiles import Pointer
from .storage.repository import MAIN, Repository
from .storage.staging import Staging
from .storage.store import ATTRIBUTES, Store

LARGE_BYTES = 10_000_000


def seed(store: Store, kind: str, repo_id: str, files: dict[str, bytes], tag: str | None = None) -> str:
    """Make the repo (public) when missing, commit the files to main, tag; returns the commit sha."""
    kind = kind_of(kind)
    if not store.exists(kind, repo_id):
        store.create(kind, repo_id, OWNER)
    repo = store.open(kind, repo_id)
    if repo is None:
        raise FileNotFoundError(f"{kind} {repo_id} disappeared while it was being seeded")
    with repo:
        stage = Staging(repo.objects)
        edits = [Put(check_path(path), stage.add_blob(_stored(repo, path, content))) for path, content in files.items()]
        head = commit(repo, MAIN, edits, Note(OWNER, f"Seed {len(files)} files"), stage)
        if tag is not None:
            add_tag(repo, tag, head, Note(OWNER, tag), annotated=False)
        return head.decode()


def _stored(repo: Repository, path: str, content: bytes) -> bytes:
    """The content itself, or the pointer of a large file stored outside of git."""
    patterns = compile_gitattributes_patterns(parse_git_attributes(io.BytesIO(ATTRIBUTES.encode())))
    by_name = match_path(patterns, path.encode()).get(b"filter") == b"lfs"
    if not content or not (by_name or len(content) > LARGE_BYTES):
        return content
    oid = hashlib.sha256(content).hexdigest()
    if not repo.large.is_stored(oid):
        incoming = repo.large.begin(oid, len(content))
        try:
            incoming.write(content)
            incoming.finish()
        finally:
            incoming.abandon()
    repo.large.link_all(repo.folder, [oid])
    return Pointer(oid, len(content)).to_bytes()
