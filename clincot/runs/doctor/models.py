"""The roles of a recipe -> what is known of each model's size: from its config or its files, or why nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clincot.errors import ClincotError
from clincot.hub import Hub
from clincot.lm.footprint import Footprint, footprint
from clincot.phantom.publish import MODELS
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.load import Load
from clincot.records.lineage import Pin
from clincot.runs.doctor.needs import LANGUAGE
from clincot.runs.doctor.reach import Reach, one_line
from clincot.runs.roles import sources_of

CONFIGS = ("config.json",)
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
SHIPPED = Path(__file__).parents[2] / "phantom" / "models"


@dataclass(frozen=True)
class Model:
    """A role's model: its folder (of the config) and the bytes of its weights' files; `unknown` says what is lacking.

    `nothing`: the role has no separate weights (a rule, the policy itself).
    """

    role: str
    source: ModelSource
    folder: Path | None = None
    files: int = 0
    unknown: str = ""
    nothing: bool = False

    @property
    def served(self) -> bool:
        """Return whether a server answers for it where texts are read and written; it is trained here all the same."""
        return bool(self.source.endpoint)

    @property
    def reads(self) -> bool:
        """Return whether this is a language model, whose sizes the config says."""
        return self.role.startswith(LANGUAGE)

    def sizes(self, load: Load) -> Footprint:
        """Return its sizes as `load` loads it. Raises ModelError for a config that cannot be read."""
        assert self.folder is not None
        return _sizes(self.folder, load)


_sizes = lru_cache(footprint)  # a process asks about a folder several times, and advice about many loads


def models_of(recipe: Recipe, reach: Reach) -> dict[str, Model]:
    """Find every model of the recipe by its role; what cannot be reached says so, and the others go on.

    Only configs are fetched. Of a folder on this machine nothing is fetched at all.
    """
    return {role: _model(role, source, reach) for role, source in sources_of(recipe).items()}


def _model(role: str, source: ModelSource, reach: Reach) -> Model:
    if not source.repo or (source.endpoint and role != "policy"):
        return Model(role, source, nothing=True)
    folder = folder_here(source, reach)
    if folder is not None:
        sizes = {str(path): path.stat().st_size for path in folder.iterdir() if path.is_file()}
        return Model(role, source, folder, _weights(sizes))
    try:
        return reach(lambda hub: _on_hub(role, source, hub))
    except ClincotError as error:
        return Model(role, source, unknown=one_line(error))


def folder_here(source: ModelSource, reach: Reach) -> Path | None:
    """Return the folder of a model that this machine has: the user's own, or what the project ships; None: on a Hub."""
    folder = Path(source.repo).expanduser()
    if not folder.is_dir() and source.repo in MODELS and reach.target.startswith("local:"):
        folder = SHIPPED / MODELS[source.repo]  # what a run publishes there
    return folder if folder.is_dir() else None


def _on_hub(role: str, source: ModelSource, hub: Hub) -> Model:
    pin: Pin = hub.resolve("model", source.repo, source.revision)
    sizes = {path: file.size for path, file in hub.list_files(pin).items() if "/" not in path}
    return Model(role, source, hub.snapshot(pin, CONFIGS), _weights(sizes))


def _weights(sizes: Mapping[str, int]) -> int:
    """Return the bytes of the weights among files; of two formats the first counts."""
    for ending in WEIGHTS:
        if found := sum(size for name, size in sizes.items() if name.endswith(ending)):
            return found
    return 0
