"""The methods in examples/ on the workbench, with a real tiny policy: what they pair, drop and say."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from clincot.engines.transformers import TransformersEngine
from clincot.judges.vlm import VlmJudge
from clincot.lm.work import finish
from clincot.recipe import Recipe
from clincot.records import WHOLE, Candidate, View
from clincot.records.pairs import Pair
from clincot.rows.pair_rows import pair_row
from clincot.stages.pair.draw import draw_pairs
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import Totals, shard_report
from clincot.stages.sample.workbench import ShardResult, Workbench, sample_shard
from tests.lamps import examples, recipe
from tests.tiny import tiny_policy

ROOT = Path(__file__).parents[2]
RECIPE = recipe("build.max_new_tokens=6")
CUT = recipe("build.max_new_tokens=6", "build.cut_texts=train")  # the tiny policy hardly ever stops by itself


def example_file(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # where dataclasses look it up
    spec.loader.exec_module(module)
    return module


SELF = example_file("self_rewarding")
NOISY = example_file("noisy_image")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    loaded = TransformersEngine.from_pretrained(tiny_policy(tmp_path_factory.mktemp("policy")), batch_size=8)
    digits = loaded.policy.tokenizer.convert_tokens_to_ids([str(digit) for digit in range(10)])
    loaded.policy.model.get_output_embeddings().weight.data[digits] *= 40
    return loaded


def walk(method: object, models: Models) -> tuple[ShardResult, Workbench]:
    bench = Workbench(CUT, 1, models)
    return finish(sample_shard(method, examples(("left", "")), bench)), bench  # type: ignore[arg-type]


def counted(result: ShardResult) -> dict:
    totals = Totals()
    totals.add(shard_report(result, examples(("left", "")), {}))
    return totals.facts()


def written(score: float | None, place: int, finish: str = "stop") -> Candidate:
    asked = examples(("left",))[0]
    text = f"Text {place}"
    return Candidate(f"{asked.id}/1/{place}", asked.id, 1, text, None, (), -1.0, 3, score=score, finish=finish)


def drawn(
    method: object, candidates: Sequence[Candidate], settings: Recipe = RECIPE
) -> tuple[tuple[Pair, ...], dict[str, int]]:
    asked = examples(("left", "")) if settings is CUT else examples(("left",))[:1]
    made = draw_pairs(method, settings, 1, asked, candidates)  # type: ignore[arg-type]
    return made.pairs, made.drops


def test_the_policy_writes_and_rates_its_own_texts(engine: TransformersEngine) -> None:
    method = SELF.SelfRewarding(SELF.Config())
    result, _ = walk(method, Models(engine, judges=(VlmJudge(engine, key="k"),)))
    pairs, _ = drawn(method, result.candidates, CUT)
    assert pairs and result.hypotheses == ()
    for pair in pairs:
        assert pair.chosen.score is not None and pair.rejected.score is not None
        assert pair.chosen.score > pair.rejected.score
        assert (pair.views, pair.chosen.views, pair.rejected.views) == ((WHOLE,), (), ())
    facts = counted(result)
    assert facts["rated"] == {"texts": len(result.candidates), "with_reference": 0, "with_region": 0}
    assert facts["candidate_sources"] == {"policy": len(result.candidates)}
    assert facts["candidate_views"] == {"image": len(result.candidates)}


def test_the_best_text_is_paired_with_the_worst_and_ties_are_counted() -> None:
    method = SELF.SelfRewarding(SELF.Config())
    scores = [0.5, 0.75, None, 0.75, 0.25, 0.25]
    pairs, drops = drawn(method, [written(score, i) for i, score in enumerate(scores)])
    assert [(pair.chosen.text, pair.rejected.text) for pair in pairs] == [("Text 1", "Text 4")]
    assert drops == {"texts that are cut or could not be rated": 1}
    tied = drawn(method, [written(0.5, 0), written(0.5, 1)])
    assert tied == ((), {"questions whose texts are rated alike": 1, "questions without a pair": 1})
    assert drawn(method, [written(None, 0)])[0] == ()


def test_a_cut_text_is_no_side() -> None:
    method = SELF.SelfRewarding(SELF.Config())
    pairs, _ = drawn(method, [written(0.9, 0, "length"), written(0.5, 1), written(0.25, 2)])
    assert [(pair.chosen.text, pair.rejected.text) for pair in pairs] == [("Text 1", "Text 2")]


@pytest.mark.parametrize("scored_with", ["clean", "noised"])
def test_the_gold_answer_is_preferred_to_what_the_policy_says_of_noise(
    engine: TransformersEngine, scored_with: str
) -> None:
    method = NOISY.NoisyImage(NOISY.Config(scored_with=scored_with))
    result, bench = walk(method, Models(engine))
    gold, misled = result.candidates[:2]
    assert (gold.source, gold.views, misled.source) == ("gold", (), "policy")
    assert [view.kind for view in misled.views] == ["diffusion_noise"]
    assert counted(result)["candidate_views"] == {"diffusion noise": sum(bool(c.views) for c in result.candidates)}
    pair = replace(written(None, 0), text="Not the gold answer at all", views=misled.views)
    (made,), _ = drawn(method, [gold, pair])
    assert (made.chosen.text, made.rejected.text) == (gold.text, pair.text)
    if scored_with == "clean":
        assert (made.views, made.chosen.views, made.rejected.views) == ((WHOLE,), (), ())
        assert made.rejected.logp is None  # of another image than the one it is scored with
    else:
        assert (made.views, made.chosen.views, made.rejected.views) == ((), (WHOLE,), misled.views)
        assert made.rejected.logp == -1.0
    row = pair_row(made, 1, bench.gallery.encode)
    assert len(row["images"]) + row["chosen_images_count"] == 1


def test_a_policy_that_says_the_same_under_noise_yields_no_pair() -> None:
    gold = replace(written(None, 0), text="Left lung.", source="gold", finish=None)
    misled = replace(written(None, 1), text="left lung", views=(View("diffusion_noise", strength=0.5),))
    reason = "questions answered alike under noise, or at too great a length"
    assert drawn(NOISY.NoisyImage(NOISY.Config()), [gold, misled])[1][reason] == 1
    assert drawn(NOISY.NoisyImage(NOISY.Config()), [gold])[1][reason] == 1
    cut = replace(misled, text="Right lung", finish="length")
    assert drawn(NOISY.NoisyImage(NOISY.Config()), [gold, cut])[1][reason] == 1


@pytest.mark.parametrize("name", ["self_rewarding", "noisy_image"])
def test_an_example_is_short_and_uses_public_names_only(name: str) -> None:
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\n") < 80
    imports = [line for line in text.splitlines() if line.startswith(("from clincot", "import clincot"))]
    assert imports and not any("_" in part[:1] for line in imports for part in line.replace(",", "").split(".")[1:])


def test_the_page_on_extending_shows_the_example_as_it_is() -> None:
    page = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    assert (ROOT / "examples/noisy_image.py").read_text(encoding="utf-8") in page
