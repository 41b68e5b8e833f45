"""A class of vision-language models -> what ClinCoT's chain costs with shared prefixes and without, texts equal.

Tiny random models (`tests/vlms`), wider than those of the tests; both engines of a class walk in one run.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from clincot.engines.base import Abilities
from clincot.engines.transformers import TransformersEngine
from perf.generation import Cost, walk
from perf.scaled_chain import Size, recipe_of
from tests.vlms import PLAIN, WITH_TORCHVISION, tiny_vlm
from tests.vlms.parts import TEXT

MAKERS = {make.__name__: make for make in (*PLAIN, *WITH_TORCHVISION)}
# 16 tokens of an image and 100 of text in a LLaVA: a real prompt has more of its tokens in images, and shares more.
WALK = Size(questions=4, candidates=3, steps=2, samples=2, batch=16)
WIDER = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4}
WIDER |= {"num_attention_heads": 16, "num_key_value_heads": 4}  # heads of 16, as those of the tests
AGAIN = 2


@dataclass(frozen=True)
class Compared:
    """What both engines took for the same texts; `whole` reads every prompt by itself."""

    name: str
    shared: Cost
    whole: Cost

    def line(self) -> str:
        a, b = self.shared, self.whole
        times = f"{b.seconds:.1f} / {a.seconds:.1f} | {b.seconds / a.seconds:.1f}"
        tokens = f"{b.prefill:,} / {a.prefill:,} | {b.prefill / a.prefill:.1f}"
        return f"| {self.name} | {len(a.texts)} | {tokens} | {b.encodes:,} / {a.encodes:,} | {times} |"


HEAD = (
    "| class | texts | prompt tokens, whole / shared | ratio | images encoded | CPU s | ratio |\n"
    "|---|---|---|---|---|---|---|"
)


def compare(name: str, size: Size = WALK, again: int = AGAIN) -> Compared | str:
    """Walk with both engines in turn, `again` times, and take the least seconds of each; a class may say why not.

    Raises AssertionError where a text differs.
    """
    with tempfile.TemporaryDirectory() as folder:
        shared = TransformersEngine.from_pretrained(tiny_vlm(MAKERS[name], Path(folder)), batch_size=size.batch)
        if not shared.abilities.shared:
            return shared.abilities.reason
        whole = TransformersEngine(shared.policy, batch_size=size.batch, abilities=Abilities(2, shared=False))
        best: dict[str, Cost] = {}
        for _ in range(again):
            for kind, engine in (("shared", shared), ("whole", whole)):
                _, cost = walk(engine, recipe_of(size), size, entities=False)
                if kind not in best or cost.seconds < best[kind].seconds:
                    best[kind] = cost
    differ = sum(a != b for a, b in zip(best["shared"].texts, best["whole"].texts, strict=True))
    assert not differ, f"{name}: {differ} of {len(best['shared'].texts)} texts differ"
    return Compared(name, best["shared"], best["whole"])


def show(names: list[str]) -> None:
    """Print a row a class, or why it reads every prompt whole."""
    TEXT.update(WIDER)
    print(HEAD)
    for name in names or list(MAKERS):
        found = compare(name)
        print(
            found.line() if isinstance(found, Compared) else f"| {name} | not shared: {found} | | | | | |", flush=True
        )
