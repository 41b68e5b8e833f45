"""A method from outside the package that raises is named with its example and line; a fault of ours stays a bug."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from clincot import methods
from clincot.errors import ClincotError
from clincot.methods import own_faults
from clincot.recipe import load_recipe
from clincot.records import Example
from clincot.stages.pair.draw import draw_pairs

EXAMPLE: Any = Example(id="a/1", image_id="a", image=b"", question="?", answer="yes", answer_type="closed", kind="all",
                       modality="x-ray", reference="yes")  # fmt: skip
TWICE = "p = Pair.__new__(Pair); object.__setattr__(p, 'id', 'x'); return [p, p]"
TEXT = """from clincot.records.pairs import Pair
class Config: ...
class Own:
    name = title = paper = "own"
    needs, on_policy, facts = frozenset(), False, None
    def __init__(self, config): ...
    {sample}
    def pair(self, example, candidates, draw): {pair}
"""


def own(tmp_path: Path, **parts: str) -> Any:
    given = {"sample": "async def sample(self, example, tools): return []", "pair": "return []"}
    file = tmp_path / f"own_{len(list(tmp_path.iterdir()))}.py"
    file.write_text(TEXT.format(**given | parts))
    return methods.load(f"{file}:Own")(None)


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ("async def sample(self, example, tools): return example.nothing", r"own_0.py, line 7\): sample raised Attri"),
        ("def sample(self, example, tools): return []", "sample raised TypeError for a/1: .*await"),
    ],
)
def test_what_sample_raises_is_named(tmp_path: Path, sample: str, says: str) -> None:
    method = own(tmp_path, sample=sample)
    with pytest.raises(ClincotError, match=says):
        asyncio.run(own_faults.sampled(method, EXAMPLE, None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("return [None]", "pair raised TypeError for a/1: it returns None among its pairs"),
        ("return 1 / 0", "line 8"),
        (TWICE, "ValueError for a/1: it returns a second pair called 'x'"),
    ],
)
def test_what_pair_raises_is_named(tmp_path: Path, pair: str, says: str) -> None:
    candidate: Any = type("Candidate", (), {"example_id": "a/1"})()
    with pytest.raises(ClincotError, match=says):
        draw_pairs(own(tmp_path, pair=pair), load_recipe(), 1, [EXAMPLE], [candidate])


def test_a_fault_of_ours_and_an_error_of_the_package_pass(tmp_path: Path) -> None:
    ours = methods.load("dpo")
    with pytest.raises(ZeroDivisionError), own_faults.named(ours(ours.Config()), "pair", EXAMPLE):
        _ = 1 / 0
    with pytest.raises(ClincotError, match="^plain$"), own_faults.named(own(tmp_path), "pair", EXAMPLE):
        raise ClincotError("plain")
