"""The roles of a recipe -> what is known of each model's size: from its config or its files, or why nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clincot.errors import ClincotError, HubError
from clincot.hub import Hub, connect
from clincot.lm.footprint import Footprint, footprint
from clincot.phantom.publish import MODELS
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.load import Load
from clincot.records.lineage import Pin
from clincot.runs.doctor.needs import LANGUAGE
from clincot.runs.roles import sources_of
from clincot.runs.run import target_of

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


def models_of(recipe: Recipe, hub: str | None) -> dict[str, Model]:
    """Find every model of the recipe by its role; what cannot be reached says so, and the others go on.

    Only configs are fetched. Of a folder on this machine nothing is fetched at all.
    """
    target = target_of(recipe, hub)
    found = {}
    reach = _Reach(target)
    for role, source in sources_of(recipe).items():
        found[role] = _model(role, source, reach)
    reach.close()
    return found


class _Reach:
    """A Hub that is connected when a model is first asked for; once it did not answer, nobody asks it again."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._hub: Hub | None = None
        self._failed = ""

    def __call__(self, use: Callable[[Hub], Model]) -> Model:
        if self._failed:
            raise HubError(self._failed)
        try:
            if self._hub is None:
                self._hub = self._connect()
            return use(self._hub)
        except HubError as error:
            if self._hub is None or not str(error).startswith(f"{self.target}: no "):
                self._failed = str(error)
            raise

    def close(self) -> None:
        if self._hub is not None:
            self._hub.close()

    def _connect(self) -> Hub:
        scheme, _, path = self.target.partition(":")
        if scheme == "local" and not Path(path).expanduser().is_dir():
            raise HubError(f"{self.target}: there is no such folder yet.")  # `connect` would make it
        return connect(self.target)


def _model(role: str, source: ModelSource, reach: _Reach) -> Model:
    if not source.repo or (source.endpoint and role != "policy"):
        return Model(role, source, nothing=True)
    folder = Path(source.repo).expanduser()
    if not folder.is_dir() and source.repo in MODELS and reach.target.startswith("local:"):
        folder = SHIPPED / MODELS[source.repo]  # what a run publishes there
    if folder.is_dir():
        sizes = {str(path): path.stat().st_size for path in folder.iterdir() if path.is_file()}
        return Model(role, source, folder, _weights(sizes))
    try:
        return reach(lambda hub: _on_hub(role, source, hub))
    except ClincotError as error:
        return Model(role, source, unknown=" ".join(str(error).split()))


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
