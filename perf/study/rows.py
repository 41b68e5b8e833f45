"""Nothing -> the rows of the study as data: what each trains on, by which settings, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Plan = Literal["none", "union", "rounds", "restarts", "first again", "base parts", "first"]
Look = Literal["regions", "direct", "true", "true, low-pass", "low-pass"]
Part = tuple[int, bool]  # part of the images, and whether the policy so far writes its candidates (else the base does)

BASE, REGIONS, CALIBRATED = "base", "base + regions", "calibrated base"
SFT, NLL, NAIVE = "gold SFT, token-matched", "NLL on the chosen texts", "naive DPO"
LOOP, ONCE = "ClinCoT, rounds 1..R", "ClinCoT, sampled once"
SEEN, SEEN_NLL, SEEN_NAIVE = (f"seeing judge: {name}" for name in (LOOP, NLL, NAIVE))
SEEN_ONCE = "judges: the critic"
# Two families of eight claims: what is claimed to be better, and than what, on both endpoints.
FAMILIES = {LOOP: (CALIBRATED, SFT, NLL, NAIVE), SEEN: (CALIBRATED, SFT, SEEN_NLL, SEEN_NAIVE)}
BLIND = ("build.judging.context=blind",)
NLL_ALONE = ("train.margin.kind=none", "train.nll_weight=1", "train.dpo.beta=1.0e-6")
NO_MARGIN = ("train.margin.kind=none",)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `block`: 1 what the claims need, 2 parts of the method against their nulls, 3 the rest. `plan`: which parts of the
    images are trained on, one training after another. `build` changes how candidates are sampled, `pair` how stored
    candidates are scored and paired, `train` the training; all are settings of the recipe. `rate`: who rates the stored
    candidates again ("" keeps the ratings). `scores` and `pairs` name transforms (`transforms.py`). `look`: how images
    are looked at in the test. `against`: the row that it is compared with in the forest plot. `seeded`: False where no
    seed changes the result.
    """

    name: str
    block: int
    plan: Plan = "union"
    build: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    rate: str = ""
    scores: str = ""
    pairs: str = ""
    look: Look = "regions"
    against: str = ONCE
    seeded: bool = True
    upper_bound: bool = False

    @property
    def slug(self) -> str:
        """Return the name as part of a file's name."""
        kept = "".join(letter if letter.isalnum() or letter == "." else " " for letter in self.name.lower())
        return "-".join(kept.replace("..", " to ").split())


def untrained(name: str, block: int, **changes: object) -> Row:
    return Row(name, block, plan="none", seeded=False, **{"against": REGIONS, **changes})  # type: ignore[arg-type]


def seeing(name: str, block: int, pair: tuple[str, ...] = (), **changes: object) -> Row:
    """Return a row whose candidates the critic rates, which sees image and crop and no gold answer."""
    return Row(name, block, pair=(*BLIND, *pair), rate="critic", **changes)  # type: ignore[arg-type]


ROWS = (
    untrained(BASE, 1, look="direct"),
    untrained(REGIONS, 1, against=BASE),
    Row(CALIBRATED, 1, plan="none", against=REGIONS),
    Row(SFT, 1, pairs="gold", train=NLL_ALONE, against=REGIONS),
    Row(NLL, 1, train=NLL_ALONE, against=REGIONS),
    Row(NAIVE, 1, train=NO_MARGIN, against=REGIONS),
    Row(LOOP, 1, plan="rounds", against=REGIONS),
    # The same with one judge that sees image and crop and no gold answer, in place of the two that read.
    seeing(SEEN_NLL, 1, train=NLL_ALONE, against=REGIONS),
    seeing(SEEN_NAIVE, 1, train=NO_MARGIN, against=REGIONS),
    seeing(SEEN, 1, plan="rounds", against=REGIONS),
    # Parts of the method, each against the same compute without what it claims.
    Row(ONCE, 2, against=NAIVE),
    Row("margin: gaps permuted within rank", 2, pairs="gaps permuted"),
    Row("look-ahead: future scores permuted among siblings", 2, scores="future permuted"),
    Row("look-ahead: gamma 0, twice the candidates", 2,
        build=("method.lookahead.gamma=0", "method.samples_per_region=2")),
    Row("judges: the first, sampled twice", 2, rate="twice"),
    Row("judges: the first alone", 2, pair=("build.judging.judges=1",)),
    Row("judges: the last alone", 2, pair=("build.judging.judges=-1",)),
    Row("rounds: union, the optimizer restarted", 2, plan="restarts", against=LOOP),
    Row("rounds: round 1 alone", 2, plan="first", against=LOOP),
    Row("rounds: round 1 again, the optimizer restarted", 2, plan="first again", against=LOOP),
    Row("rounds: part 2 sampled from the base", 2, plan="base parts", against=LOOP),
    Row("preferences: shuffled", 2, train=("train.preferences=shuffled",)),
    # Parts of the method once more, where the judge sees.
    seeing(SEEN_ONCE, 2, against=SEEN_NAIVE),
    seeing("seeing judge: gaps permuted within rank", 2, pairs="gaps permuted", against=SEEN_ONCE),
    seeing("seeing judge: future scores permuted among siblings", 2, scores="future permuted", against=SEEN_ONCE),
    seeing("seeing judge: gamma 0", 2, pair=("method.lookahead.gamma=0",), against=SEEN_ONCE),
    seeing("seeing judge: union, the optimizer restarted", 2, plan="restarts", against=SEEN),
    seeing("seeing judge: round 1 again, the optimizer restarted", 2, plan="first again", against=SEEN),
    seeing("seeing judge: preferences shuffled", 2, train=("train.preferences=shuffled",), against=SEEN_ONCE),
    # The rest: settings, judges and views.
    Row("naive DPO, rounds 1..R", 3, plan="rounds", train=NO_MARGIN, against=LOOP),
    Row("NLL on the chosen texts, rounds 1..R", 3, plan="rounds", train=NLL_ALONE, against=LOOP),
    Row("rounds 1..R, a third of the rate from round 2", 3, plan="rounds",
        train=("train.later_rounds.rate=0.3333",), against=LOOP),
    Row("rounds 1..R, pairs whose rejected text is likelier dropped", 3, plan="rounds",
        train=("train.likelier_rejected=drop",), against=LOOP),
    Row("margin x 3", 3, train=("train.margin.scale=3",)),
    Row("margin x 10", 3, train=("train.margin.scale=10",)),
    Row("margin: logit", 3, train=("train.margin.kind=logit",)),
    Row("NLL 0, the paper's loss", 3, train=("train.nll_weight=0",)),
    Row("NLL 0, stopped where chosen texts lose a nat", 3, train=("train.nll_weight=0", "train.guard_chosen=0.1")),
    Row("naive DPO, NLL 0", 3, train=(*NO_MARGIN, "train.nll_weight=0"), against=NAIVE),
    Row("judges: blind", 3, pair=BLIND, rate="judges"),
    Row("judges: facts of the region", 3, pair=("build.judging.context=facts",), rate="judges"),
    Row("judges: truth of the region (oracle)", 3, scores="truth", upper_bound=True),
    Row("gamma 0", 3, pair=("method.lookahead.gamma=0",)),
    Row("consensus: mean", 3, pair=("build.judging.consensus=mean",)),
    Row("conditioning: per_side", 3, train=("train.conditioning=per_side",)),
    Row("conditioning: global", 3, train=("train.conditioning=global",)),
    Row("crops at low pass", 3, pairs="low-pass", look="low-pass"),
    untrained("base + right regions (oracle)", 3, look="true", upper_bound=True),
    untrained("base + right regions at low pass", 3, look="true, low-pass", upper_bound=True),
    Row("ClinCoT + right regions (oracle)", 3, look="true", upper_bound=True),
    Row("ClinCoT + right regions at low pass", 3, look="true, low-pass", upper_bound=True),
)  # fmt: skip


def trainings(plan: Plan, rounds: int) -> list[tuple[tuple[Part, ...], float]]:
    """Return the trainings of a plan, one after another: the parts of each, and its share of the epochs."""
    every = tuple((part, False) for part in range(1, rounds + 1))
    plans: dict[Plan, list[tuple[tuple[Part, ...], float]]] = {
        "none": [],
        "union": [(every, 1.0)],
        "restarts": [(every, 1 / rounds)] * rounds,
        "first": [(((1, False),), 1.0)],
        "first again": [(((1, False),), 1.0)] * rounds,
        "base parts": [((part,), 1.0) for part in every],
        "rounds": [(((part, part > 1),), 1.0) for part in range(1, rounds + 1)],
    }
    return plans[plan]


@dataclass(frozen=True)
class Task:
    """One result to make."""

    policy: str
    seed: int
    row: Row


def tasks(policies: list[str], seeds: list[int], wanted: list[str]) -> Iterator[Task]:
    """Yield every result in the order of its worth: block by block, each for all policies and seeds.

    A name of `wanted` is that of a row, or what names of rows begin with.
    """
    names = {row.name for row in ROWS}
    begins = tuple(name for name in wanted if name not in names)
    rows = [row for row in ROWS if not wanted or row.name in wanted or row.name.startswith(begins)]
    for block in sorted({row.block for row in rows}):
        for policy in policies:
            for seed in seeds:
                for row in rows:
                    if row.block == block and (row.seeded or seed == seeds[0]):
                        yield Task(policy, seed, row)
