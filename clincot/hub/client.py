"""A connection to a Hub -> the calls that the stages make of it, each with endpoint, token and cache passed explicitly.

huggingface_hub reads HF_ENDPOINT when it is imported, and `connect` sets it: so this module imports what needs it late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clincot.hub.connection import Account, Card, Connection, Content, FileInfo
from clincot.records.lineage import Kind, Pin


class Hub(Connection):
    """One Hub; all calls raise HubError (or its children NotOnHub, TagExists) or DiskFull."""

    def account(self) -> Account:
        """Return whose token this is and what it may do; raises HubError without a token that the Hub knows."""
        from clincot.hub.account import account

        return account(self)

    def resolve(self, kind: Kind, repo: str, revision: str = "main") -> Pin:
        """Ask once what `revision` (branch, tag, sha) is; NotOnHub names what exists instead."""
        from clincot.hub import pull

        return pull.resolve(self, kind, repo, revision)

    def exists(self, kind: Kind, repo: str) -> bool:
        """Return whether this token can see the repo."""
        from clincot.hub import pull

        return pull.info(self, kind, repo) is not None

    def tags(self, kind: Kind, repo: str) -> dict[str, str]:
        """Return tag -> commit sha; empty when the repo is absent."""
        from clincot.hub import pull

        return pull.tags(self, kind, repo)

    def list_files(self, pin: Pin) -> dict[str, FileInfo]:
        """Return every file of the pinned version by its path."""
        from clincot.hub import pull

        return pull.list_files(self, pin)

    def snapshot(self, pin: Pin, patterns: Sequence[str] | None = None) -> Path:
        """Download the pinned version (or the files that match the globs) and return its folder in the cache."""
        from clincot.hub import pull

        return pull.snapshot(self, pin, patterns)

    def read(self, pin: Pin, path: str) -> bytes:
        """Return the bytes of one file of the pinned version."""
        from clincot.hub import pull

        return pull.read(self, pin, path)

    def publish(
        self,
        kind: Kind,
        repo: str,
        files: Mapping[str, Content],
        *,
        tag: str | None,
        message: str,
        private: bool,
        card: Card | None = None,
        replace: Sequence[str] = (),
    ) -> Pin:
        """Put `files` into the repo (made when absent) as ONE commit, then tag it.

        `card` renders README.md from the bytes of every `rounds/*/lineage.json` that the repo will hold. Files below
        the folders `replace` that are not in `files` are deleted in the same commit. A tag that already holds the same
        files is success without a commit; other content raises TagExists. `private` applies to a new repo; a private
        push into a public repo is refused, and a private repo stays private.
        """
        from clincot.hub.publish import Publication, publish

        return publish(self, Publication(kind, repo, files, tag, message, card, tuple(replace)), private)

    def mirror(
        self,
        source: Hub,
        kind: Kind,
        source_pin: Pin,
        repo: str,
        *,
        tag: str | None,
        private: bool,
        select: Callable[[str], bool] = lambda path: True,
        card: Card | None = None,
        replace: Sequence[str] = (),
    ) -> Pin:
        """Publish here, as `repo`, the files of `source` at `source_pin` whose path passes `select`.

        With `card`, README.md is rendered anew (its links name this repo) instead of copied.
        """
        from clincot.hub.publish import Publication, mirrored, publish

        files = mirrored(source, source_pin, select, with_readme=card is None)
        message = f"{tag or source_pin.revision} ({source_pin.sha[:12]})"
        return publish(self, Publication(kind, repo, files, tag, message, card, tuple(replace)), private)
