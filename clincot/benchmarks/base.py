"""The contract of a benchmark: a pinned dataset repository and a split -> examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args

from clincot.records import Example

# `public`: anybody may have it. `consented`: it may be processed elsewhere and kept in private repositories.
# `restricted`: images, texts and what models write about them stay on this machine and on trusted hosts.
Privacy = Literal["public", "consented", "restricted"]
PRIVACIES: tuple[Privacy, ...] = get_args(Privacy)


@dataclass(frozen=True)
class Source:
    """Where a benchmark lives and under which terms.

    `sha` is the public commit that is read, empty where none is known; a Hub with another copy lacks it and is
    read at `revision`, which is resolved to a commit when it is pulled (runs/models/pins.py).

    `redistributable` False (ND, DUA) keeps pixels and reference texts out of every push. `sizes` are the published
    numbers of questions (of reports: studies) by split. `cut` says how train and test are parted where readers of
    results must know it; `own_cut`: the parts are not those of the repository, so results are not of its splits.
    `barred` says why nothing of it may be public, where it is not the licence that forbids it.

    `privacy` says where the data may go (docs/privacy.md); a source that does not say is restricted.
    """

    name: str
    repo: str
    revision: str
    licence: str
    redistributable: bool
    modality: str
    languages: tuple[str, ...] = ("en",)
    sizes: Mapping[str, int] = field(default_factory=dict)
    sha: str = ""
    cut: str = ""
    own_cut: bool = False
    privacy: Privacy = "restricted"
    barred: str = ""


class Benchmark(Protocol):
    """Reads a snapshot folder of `source` into examples; `names` maps split names to what the repository calls them."""

    source: Source
    patterns: tuple[str, ...]
    splits: Mapping[str, str]

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Return the examples of `split` in the order of the repository; raise DataError on what cannot be used."""
        ...


class Imported(NamedTuple):
    """What an importer made of a release: path in the repository -> local file, and a line for the user."""

    files: dict[str, Path]
    note: str
