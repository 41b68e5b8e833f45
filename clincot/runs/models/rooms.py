"""A run's pinned models -> what counts the tokens of their prompts, without weights."""

from __future__ import annotations

from collections.abc import Mapping

from clincot import engines, judges
from clincot.records.lineage import Pin
from clincot.runs.roles import sources_of
from clincot.runs.run import Run
from clincot.stages.sample.lengths import Rooms


def load_rooms(run: Run, pins: Mapping[str, Pin]) -> Rooms:
    """Open what counts tokens: the processor of the policy and the judges' tokenizers. A server cannot be asked."""
    kind, fit = run.recipe.models.policy.kind, run.recipe.image_fit
    policy = None if kind in engines.SERVED else engines.open_room(kind, run.target.snapshot(pins["policy"]), fit)
    rooms = []
    for role, source in sources_of(run.recipe).items():
        if not role.startswith("judge-"):
            continue
        folder = run.target.snapshot(pins[role]) if role in pins else None
        judging = run.recipe.build.judging
        rooms.append(judges.open_room(source.kind, folder, policy, judging.scoring, judging.prefill))
    return Rooms(policy, tuple(room for room in rooms if room is not None))
