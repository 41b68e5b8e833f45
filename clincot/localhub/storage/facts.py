"""What a repo is apart from git (visibility, gating, pull requests) <-> one JSON file in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .durable import write_file

FILE = "hub.json"


@dataclass(frozen=True)
class PullRequest:
    """A pull request; its commits are at `refs/pr/<number>`, at `base` it left the branch `base_ref`."""

    number: int
    title: str
    author: str
    created: str
    base: str
    description: str = ""
    status: str = "open"
    merge_commit: str | None = None
    base_ref: str = "refs/heads/main"

    @property
    def ref(self) -> bytes:
        return f"refs/pr/{self.number}".encode()


@dataclass(frozen=True)
class Facts:
    """`gated` is False, "auto" or "manual"; times are ISO 8601 with milliseconds, UTC."""

    kind: str
    id: str
    private: bool
    created: str
    key: str
    gated: bool | str = False
    sdk: str | None = None
    pulls: tuple[PullRequest, ...] = ()

    @property
    def namespace(self) -> str:
        return self.id.split("/")[0] if "/" in self.id else ""

    def pull(self, number: int) -> PullRequest | None:
        return next((pull for pull in self.pulls if pull.number == number), None)

    def with_pull(self, pull: PullRequest) -> Facts:
        others = tuple(other for other in self.pulls if other.number != pull.number)
        return replace(self, pulls=(*others, pull))

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    def save(self, repo: Path) -> None:
        write_file(repo / FILE, self.to_bytes())


def load_facts(repo: Path) -> Facts:
    """Raises FileNotFoundError when `repo` is not a repo of this store."""
    table = json.loads((repo / FILE).read_bytes())
    pulls = tuple(PullRequest(**pull) for pull in table.pop("pulls", ()))
    return Facts(**table, pulls=pulls)
