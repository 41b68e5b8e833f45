"""What a recipe says of losses -> values for the objectives: margin, anchor, noise, and what later rounds change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from clincot.recipe.ranges import Range


@dataclass(frozen=True)
class Margin:
    """The margin of Eq. 7.

    `kind`: g(s_w) - g(s_l) for `linear` and `logit`; `none` is naive DPO. `scale` is its factor.
    """

    kind: Literal["linear", "logit", "log", "none"] = "linear"
    scale: Annotated[float, Range(0, 1000)] = 1.0


@dataclass(frozen=True)
class Anchor:
    """What `image_preference` adds for every pair: -log sigmoid(beta * log(pi / pi_ref) - delta) of its chosen text.

    `weight`: its factor; 0 leaves it out, 1 is mDPO. `delta`: how far above 0 the term wants its reward, in nats.
    """

    weight: Annotated[float, Range(0, 1000)] = 0.0
    delta: Annotated[float, Range(0, 1000)] = 0.0


@dataclass(frozen=True)
class InherentNoise:
    """The noise under which `povid_noise` reads the policy's own mistakes.

    `strength`: the step of the diffusion / 1000. `weight`: their share in the loss; the rest is the pair's.
    """

    strength: Annotated[float, Range(0, 1)] = 0.5
    weight: Annotated[float, Range(0, 1)] = 0.5


@dataclass(frozen=True)
class LaterRounds:
    """How rounds from the second on are trained otherwise than the first.

    `rate`: the factor of their learning rates, LoRA's and the projector's. `nll_weight`: what is added to
    `train.nll_weight`. `objective`: their objective; empty for that of round 1.
    """

    rate: Annotated[float, Range(0, 1000, above=True)] = 1.0
    nll_weight: Annotated[float, Range(0, 1000)] = 0.0
    objective: str = ""
