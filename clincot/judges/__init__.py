"""Texts about an image -> scores in [0, 1] by language models; `JUDGES` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.engines.base import Engine, Probed, ServedAbilities
from clincot.judges.base import Fitting, Judge, ReadingJudge
from clincot.recipe.choices import choose, trait
from clincot.recipe.plugins import Table

JUDGES = Table(
    "judges",
    {
        "causal_lm": "clincot.judges.causal_lm:CausalLMJudge",
        "vlm": "clincot.judges.vlm:VlmJudge",
        "policy_itself": "clincot.judges.vlm:VlmJudge",
        "openai": "clincot.judges.served:ServedJudge",
        "openai_text": "clincot.judges.served:ServedTextJudge",
    },
)
SERVED = {"openai", "openai_text"}  # kinds that no folder is read for
MODEL_FREE = {"policy_itself"}  # kinds without a repository
ROOMS = {
    "causal_lm": "clincot.judges.room:JudgeRoom",
    "vlm": "clincot.judges.room:VlmRoom",
    "policy_itself": "clincot.judges.room:VlmRoom",
}


def is_model_free(kind: str) -> bool:
    """Return whether judges of `kind` are made of the policy; one outside the table says so by `model_free = True`."""
    return trait(JUDGES, kind, MODEL_FREE, "model_free")


def open_room(kind: str, folder: Path | None, policy: object, scoring: str, prefill: str = "") -> Fitting | None:
    """Return what says which requests a judge has no room for, without weights; None where none can.

    `folder` is the judge's own, `policy` what says it of the policy (for kinds in MODEL_FREE).
    """
    name = kind or "causal_lm"
    if name not in ROOMS:
        return None
    made = choose(ROOMS, name, "models.judges.kind")
    return made(policy, scoring, prefill) if name in MODEL_FREE else made.from_pretrained(folder, scoring, prefill)


def load(kind: str, folder: str | Path | None, *, name: str, key: str, **options: Any) -> ReadingJudge:
    """Load a judge from `folder` (None for those of SERVED); an empty `kind` is `causal_lm`.

    `options` go to its `from_pretrained`. Raises ClincotError for an unknown kind.
    """
    judge = choose(JUDGES, kind or "causal_lm", "models.judges.kind")
    return judge.from_pretrained(folder, name=name, key=key, **options)


def of_policy(kind: str, engine: Engine, *, key: str, scoring: str, **options: Any) -> ReadingJudge:
    """Make a judge of a kind without a model from the policy; `key` names the policy's weights.

    A served policy that gives no log-probabilities of next tokens writes its digits out.
    """
    if kind in MODEL_FREE and isinstance(engine, Probed) and isinstance(engine.abilities, ServedAbilities):
        served: ReadingJudge = choose(JUDGES, "openai", "models.judges.kind").over(
            engine, key=key, scoring=scoring, **options
        )
        return served
    return choose(JUDGES, kind, "models.judges.kind")(engine, key=key, scoring=scoring, **options)


__all__ = ["JUDGES", "Judge", "ReadingJudge", "is_model_free", "load", "of_policy", "open_room"]
