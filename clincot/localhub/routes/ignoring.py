"""The `.gitignore` files of a repo and of an upload -> which of its paths must not be committed, as git decides."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from dulwich.ignore import Pattern, read_ignore_patterns
from dulwich.wildmatch import MalformedPattern

NAME = ".gitignore"
Reader = Callable[[str], bytes | None]


class IgnoreRules:
    """`read(path)` gives a `.gitignore` by its path in the repo, None for an absent file; each is parsed once."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._known: dict[str, list[Pattern]] = {}
        self._folders: dict[str, bool] = {}

    def ignores(self, path: str) -> bool:
        """True when the file or a folder above it is ignored: below an ignored folder nothing can be taken back."""
        parts = path.split("/")
        folders = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        return any(self._ignores_folder(folder) for folder in folders) or self._decided(path, folder=False)

    def _ignores_folder(self, folder: str) -> bool:
        if folder not in self._folders:
            self._folders[folder] = self._decided(folder, folder=True)
        return self._folders[folder]

    def _decided(self, path: str, folder: bool) -> bool:
        """The last matching line of the nearest `.gitignore` that has one decides."""
        parts = path.split("/")
        for depth in range(len(parts) - 1, -1, -1):
            below = "/".join(parts[depth:]) + ("/" if folder else "")
            for pattern in reversed(self._patterns("/".join(parts[:depth]))):
                if pattern.match(below.encode()):
                    return bool(pattern.is_exclude)
        return False

    def _patterns(self, folder: str) -> list[Pattern]:
        if folder not in self._known:
            content = self._read(f"{folder}/{NAME}" if folder else NAME)
            self._known[folder] = list(_parsed(content or b""))
        return self._known[folder]


def _parsed(content: bytes) -> Iterator[Pattern]:
    for line in read_ignore_patterns(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf"))):
        try:
            yield Pattern(line, ignorecase=False)
        except MalformedPattern:  # such as an unclosed bracket, which matches nothing in git either
            continue
