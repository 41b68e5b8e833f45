"""The loaded models of a build -> what answers each kind of request of a method, or says that nothing was loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from clincot.editors.base import Editor
from clincot.engines.base import Engine, Fitting
from clincot.errors import ModelError
from clincot.judges.base import Fitting as FittingJudge
from clincot.judges.base import Judge
from clincot.judges.cache import CachedJudge
from clincot.judges.critic import Critic
from clincot.judges.panel import Panel
from clincot.judges.vlm import VlmJudge
from clincot.lm.parking import Parking
from clincot.lm.work import Work
from clincot.recipe import Judging
from clincot.records import Region
from clincot.regions.base import Matching, Proposer
from clincot.stages.sample.lengths import Rooms
from clincot.stages.sample.rewriting import Rewriting
from clincot.stages.sample.scheduler import Runner


@dataclass(frozen=True)
class Models:
    """The loaded models of a build: this round's policy and what else the method needs; the rest is None.

    With `parking` they take turns on their devices, and several shards may be driven together.
    """

    policy: Engine | None
    proposer: Proposer | None = None
    judges: tuple[Judge, ...] = ()
    critic: Critic | None = None
    editor: Editor | None = None
    similarity: Matching | None = None
    base: Engine | None = None
    parking: Parking | None = None
    _panels: dict[Judging, Panel] = field(default_factory=dict, init=False, repr=False, compare=False)
    _critics: dict[Judging, Panel] = field(default_factory=dict, init=False, repr=False, compare=False)

    def panel(self, judging: Judging) -> Panel:
        """Return the judges as one panel, whose failures add up over all shards (`Panel.for_shard`)."""
        if judging not in self._panels:
            self._panels[judging] = Panel(self.judges, judging)
        return self._panels[judging]

    def critics(self, judging: Judging) -> Panel:
        """Return the critic as a panel of one, which rates alone and whose failures are counted like a judge's."""
        alone = replace(judging, consensus="mean", judges=0)
        if alone not in self._critics:
            self._critics[alone] = Panel((self.critic.judge,) if self.critic else (), alone)
        return self._critics[alone]

    @cached_property
    def rewriting(self) -> Rewriting:
        """Return the editor, whose unchanged texts add up over all shards."""
        assert self.editor is not None
        return Rewriting(self.editor)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Return every loaded engine once: policy, base and critic may be the same."""
        named = (self.policy, self.base, self.critic.engine if self.critic else None)
        return tuple({id(engine): engine for engine in named if engine is not None}.values())

    @property
    def seeing(self) -> tuple[Engine, ...]:
        """Return every engine that sees images, those of judges too."""
        judges = (judge.judge for judge in self.judges if isinstance(judge, CachedJudge))
        return (*self.engines, *(judge.engine for judge in judges if isinstance(judge, VlmJudge)))

    @property
    def rooms(self) -> Rooms:
        """Return those of the models that can count the tokens of prompts."""
        policy = self.policy if isinstance(self.policy, Fitting) else None
        return Rooms(policy, tuple(judge for judge in self.judges if isinstance(judge, FittingJudge)))


def runners(
    method: str, models: Models, panels: tuple[Panel, Panel], regions: Mapping[str, tuple[Region, ...]]
) -> dict[str, Runner]:
    """Return what answers a batch of requests of each kind, in the order in which kinds are served.

    `panels` are those of the shard: its judges, and the critic by itself. A runner raises ModelError for a request of a
    kind that `method` does not name among its needs.
    """

    def of(model: Any, kind: str, need: str) -> Runner:
        return _asks(model, getattr(model, kind)) if model is not None else _missing(method, need)

    matches = models.similarity
    return {
        "propose": _regions(regions) if models.proposer else _missing(method, "regions"),
        "generate": of(models.policy, "generate", "policy"),
        "generate_base": of(models.base, "generate", "base"),
        "judge": panels[0].rate if models.judges else _missing(method, "judges"),
        "rate": _alone(panels[1]) if models.critic else _missing(method, "critic"),
        "compare": of(models.critic, "compare", "critic"),
        "rewrite": _asks(models.editor, models.rewriting) if models.editor else _missing(method, "editor"),
        "similarity": _asks(matches, partial(_similarity, matches)) if matches else _missing(method, "similarity"),
    }


def _asks(model: Any, call: Callable[[Sequence[Any]], Sequence[Any]]) -> Runner:
    async def run(asked: Sequence[Any]) -> Sequence[Any]:
        return await Work(model, partial(call, asked), len(asked))

    return run


def _regions(found: Mapping[str, tuple[Region, ...]]) -> Runner:
    async def run(asked: Sequence[Any]) -> Sequence[Any]:
        return [found[example.image_id] for example in asked]

    return run


def _similarity(model: Matching, asked: Sequence[Any]) -> list[float]:
    return model.similarity([image for image, _ in asked], [text for _, text in asked])


def _alone(panel: Panel) -> Runner:
    async def run(asked: Sequence[Any]) -> Sequence[Any]:
        return [rating for (rating,) in await panel.rate(asked)]

    return run


def _missing(method: str, need: str) -> Runner:
    todo = "Set its on_policy to True" if need == "policy" else f'Add "{need}" to its needs'

    async def run(asked: Sequence[Any]) -> list[Any]:
        if not asked:
            return []
        raise ModelError(f"method {method}: asks for {need}, which is not loaded for it. {todo}.")

    return run
