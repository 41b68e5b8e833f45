"""Who was made from what: pinned repositories, content keys and the lineage file that every round carries."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

Kind = Literal["model", "dataset", "space"]
Stage = Literal["build-data", "train", "evaluate"]
PACKAGES = (
    "clincot",
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "huggingface_hub",
    "accelerate",
    "evaluate",
    "pillow",
)


@dataclass(frozen=True)
class Pin:
    """One version of one repository: `revision` as asked for (tag, branch), `sha` what it was."""

    kind: Kind
    repo: str
    revision: str
    sha: str

    def __str__(self) -> str:
        return f"{self.repo}@{self.sha[:12]}"


@dataclass(frozen=True)
class Lineage:
    """What a round was made from; written as `rounds/round-r/lineage.json` of a dataset or adapter repository.

    `inputs` is the content key of everything that decides the content: equal inputs need no new work.
    `sampled_from` is the sha256 of the weights of the adapter whose policy wrote the candidates ("base" for none, None
    for static pairs). `facts` are the counts and figures that the card shows.
    """

    stage: Stage
    run: str
    round: int
    method: str
    benchmark: str
    recipe_hash: str
    inputs: str
    seed: int
    pins: dict[str, Pin] = field(default_factory=dict)
    sampled_from: str | None = None
    adapter_sha256: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Serialise with sorted keys, so that equal lineages are equal bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Lineage:
        data = json.loads(text)
        data["pins"] = {name: Pin(**pin) for name, pin in data["pins"].items()}
        return cls(**data)


def shown(folder: str | Path) -> str:
    """Return what messages call a model's folder: OWNER/NAME@commit for one in the Hub client's cache, else its path.

    The cache's own paths say what a user named only to those who know its layout; twelve digits, as `Pin` prints.
    """
    cached = re.search(r"models--([^/]+)/snapshots/([0-9a-f]{12})", Path(folder).as_posix())
    return f"{cached[1].replace('--', '/')}@{cached[2]}" if cached else str(folder)


def content_key(*parts: object) -> str:
    """Return a sha256 over the JSON of `parts`: the key of anything cached."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that can change a result."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
