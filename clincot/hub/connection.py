"""Where a Hub is and who asks: endpoint, token, cache and name, and the records of what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

Content = Path | bytes
Card = Callable[[Mapping[str, bytes]], str]


@dataclass(frozen=True)
class Account:
    """Whose token it is: user `name`, its organisations, and the token's `role`.

    `role` is `write`, `read`, `fineGrained`, or empty where a Hub does not say (OAuth). `writable` names what a
    fine-grained token may write to: namespaces and repositories.
    """

    name: str
    organisations: tuple[str, ...] = ()
    role: str = ""
    writable: tuple[str, ...] = ()


class FileInfo(NamedTuple):
    """A file of a repo: size in bytes; `oid` is its git blob sha1 (40 digits) or, for a large file, its sha256 (64)."""

    size: int
    oid: str


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Connection:
    """One Hub; use as a context manager or call `close` to stop an embedded one (also done at exit).

    `label` is what messages call it.
    """

    endpoint: str
    token: str | None = field(repr=False)
    cache: Path
    label: str
    on_close: Callable[[], None] = field(default=_nothing, repr=False, compare=False)

    def close(self) -> None:
        """Stop an embedded Hub unless another connection of this process uses it; does nothing for a URL."""
        self.on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
