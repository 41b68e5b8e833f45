"""MMedPO's numbers and how many judges rated -> the sentences that a dataset's card says of a round."""

from __future__ import annotations

from typing import Protocol

from clincot.methods.mmedpo_weights import Normalisation


class Numbers(Protocol):
    """What of the method's Config the sentences are made of."""

    @property
    def samples(self) -> int: ...
    @property
    def temperature(self) -> float: ...
    @property
    def contradicts(self) -> float: ...
    @property
    def noise(self) -> str: ...
    @property
    def strength(self) -> float: ...
    @property
    def hypothesis(self) -> str: ...
    @property
    def weights(self) -> Normalisation: ...


def sentences(config: Numbers, *, judges: int) -> tuple[str, ...]:
    """Return what was preferred to what, what pairs count, and what is not MMedPO's."""
    who = "a judge" if judges == 1 else f"{judges} judges" if judges else "judges"
    damage = f"diffusion noise, at step {1000 * config.strength:g} of 1,000 of POVID's schedule"
    if config.noise == "code":
        damage = "its pixels replaced by normal noise (standard deviation 10 of 255, clipped), which is almost black"
    edited = "a version of the gold answer that an editor made wrong"
    if config.samples:
        texts = (
            f"the one of {config.samples} answers of the round's policy (temperature {config.temperature:g}) that"
            f" contradicts it most by the rating of {who} who saw the gold answer (agreement below"
            f" {config.contradicts:g}), else {edited}"
        )
    else:
        texts = edited
    return (
        f"Text pairs: the gold answer is preferred to {texts}.",
        f"Image pairs: the gold answer is both texts; preferred with the image, rejected with the region of"
        f" {config.hypothesis} (else the most confident one) under {damage}.",
        _weights(config.weights, who),
        "Unlike MMedPO: open models take the place of GPT-4o, prompts and the threshold of contradiction are ours, and"
        " weights of texts and images are normalised apart.",
    )


def _weights(how: Normalisation, who: str) -> str:
    raw = (
        f"A text pair's weight is the clinical relevance of the rejected text in [0, 1], rated by {who} who saw the"
        " gold answer and no image; an image pair's is the confidence of the tool that found the region."
    )
    if not how.normalised:
        return f"{raw} They are not normalised."
    return (
        f"{raw} Both are normalised over the round, apart from each other, to mean 1 and variance {how.variance:g}, and"
        f" clipped to [{how.lowest:g}, {how.highest:g}]."
    )
