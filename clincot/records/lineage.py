"""Repositories and settings that a round was made from -> pins, content keys and the lineage file of the round."""

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
# What lineages held before own repositories were pinned by content: their roles, and facts about single Hubs.
PAIRED_FROM = "paired_from"  # role and fact of the version whose candidates a round's pairs were drawn among
OWN_ROLES = re.compile(r"preferences|parent|initial|repaired_from|sft|round-\d+")
FACTS_OF_A_HUB = ("store_shas", "only_in_store")


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
class OwnPin:
    """One version of a repository of the same run, named so that it is the same in the run's store and on every Hub.

    `name` is the repository without its namespace, which is that of the repository that holds the lineage. `content` is
    a sha256 over the round's files (`runs/releases/content.py`); in lineages of older versions it is the commit's 40
    digits, which hold on one Hub alone.
    """

    kind: Kind
    name: str
    tag: str
    content: str

    def next_to(self, repo: str) -> str:
        """Return the repository's full name: its owner is that of `repo`."""
        return f"{repo.rpartition('/')[0]}/{self.name}"

    def __str__(self) -> str:
        return f"{self.name}@{self.tag} (content {self.content[:12]})"


@dataclass(frozen=True)
class Lineage:
    """What a round was made from; written as `rounds/round-r/lineage.json` of a dataset or adapter repository.

    `pins` are public repositories by role, `own` are repositories of the same run. `inputs` is the content key of
    everything that decides the content: equal inputs need no new work.
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
    own: dict[str, OwnPin] = field(default_factory=dict)
    sampled_from: str | None = None
    adapter_sha256: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def trained_on(self, repo: str) -> str:
        """Return the dataset that a round of the adapter `repo` read: its run's pairs, else the benchmark, or ""."""
        if "preferences" in self.own:
            return self.own["preferences"].next_to(repo)
        return self.pins["benchmark"].repo if "benchmark" in self.pins else ""

    def to_json(self) -> str:
        """Serialise with sorted keys, so that equal lineages are equal bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Lineage:
        """Read a lineage; one of an older version is converted. Raises what a broken file makes json or dict raise."""
        data = json.loads(text)
        if "own" not in data:
            data = _converted(data)
        data["pins"] = {role: Pin(**pin) for role, pin in data["pins"].items()}
        data["own"] = {role: OwnPin(**pin) for role, pin in data["own"].items()}
        return cls(**data)


def _converted(old: dict[str, Any]) -> dict[str, Any]:
    """Return a lineage whose own repositories are pinned by commit with those in `own`, under their bare names."""
    own = {
        PAIRED_FROM if role == "repaired_from" else role: {
            "kind": pin["kind"],
            "name": pin["repo"].split("/")[-1],
            "tag": pin["revision"],
            "content": pin["sha"],
        }
        for role, pin in old["pins"].items()
        if OWN_ROLES.fullmatch(role)
    }
    pins = {role: pin for role, pin in old["pins"].items() if not OWN_ROLES.fullmatch(role)}
    facts = {name: value for name, value in old["facts"].items() if name not in FACTS_OF_A_HUB}
    inputs = old["inputs"]
    if repaired := facts.pop("repaired_from", None):
        inputs = repaired["stands_for"]
        facts[PAIRED_FROM] = {"tag": repaired["tag"], "before": repaired["pairing"]}
    return old | {"pins": pins, "own": own, "inputs": inputs, "facts": facts}


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
