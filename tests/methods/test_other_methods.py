"""Methods without regions and judges run on the same workbench, with real tiny models behind their tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clincot import editors
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.images import decode
from clincot.images.views import render
from clincot.judges.base import JudgeRequest
from clincot.judges.critic import Critic
from clincot.methods import of_recipe
from clincot.methods.base import Tools
from clincot.records import WHOLE, Candidate, Example
from clincot.rows.pair_rows import pair_row
from clincot.rows.schema import candidate_row
from clincot.rows.stored_candidates import candidate_of
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.lamps import examples, recipe
from tests.methods.small_methods import Compared, Config, Edited, Matched, Rated, answers_of
from tests.tiny import tiny_policy
from tests.walked import Walked, walked

RECIPE = recipe("build.max_new_tokens=6")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    return TransformersEngine.from_pretrained(tiny_policy(tmp_path_factory.mktemp("policy")), batch_size=8)


def walk(method: Any, models: Models, asked: list[Example]) -> Walked:
    return walked(RECIPE, asked, Workbench(RECIPE, 1, models), method(Config()))


class Longest:
    """Matches what is long, and the darker image."""

    def similarity(self, pictures: Any, texts: Any) -> list[float]:
        return [len(t) - picture.getpixel((0, 0))[0] / 255 for picture, t in zip(pictures, texts, strict=True)]


def test_the_policy_compares_its_own_answers_without_regions_and_judges(engine: TransformersEngine) -> None:
    engine.policy.model.get_output_embeddings().weight.data[
        engine.policy.tokenizer.convert_tokens_to_ids(["A", "B"])
    ] *= 40
    asked = examples(("left", ""))
    models = Models(engine, critic=Critic(engine, name="policy", key="k"))
    result = walk(Compared, models, asked)
    assert result.pairs and result.hypotheses == () and result.drops.keys() <= {"questions without a pair"}
    assert all(candidate.judge_scores == () for candidate in result.candidates)
    first = [c for c in result.candidates if c.example_id == asked[0].id]
    assert first[0].score == pytest.approx(0.5, abs=1e-6)  # a text compared with itself, in both orders
    pair = next(p for p in result.pairs if p.example_id == asked[0].id)
    assert (pair.views, pair.chosen.views, pair.rejected.views) == ((WHOLE,), (), ())
    assert pair.chosen.score == max(c.score or 0 for c in first)
    row = pair_row(pair, 1, result.encode)
    assert (row["side_images"], row["chosen_images_count"], row["rejected_images_count"]) == ([], 0, 0)
    assert [image["bytes"] for image in row["images"]] == [asked[0].encoded()]
    assert walk(Compared, models, asked).pairs == result.pairs


def test_the_critic_rates_answers_before_the_image_and_its_ratings_are_recorded(engine: TransformersEngine) -> None:
    ids = engine.policy.tokenizer.convert_tokens_to_ids([str(v) for v in range(10)])
    engine.policy.model.get_output_embeddings().weight.data[ids] *= 40
    asked = examples(("left", ""))
    critic = Critic(engine, name="policy", key="k")
    result = walk(Rated, Models(engine, critic=critic), asked)
    one = result.candidates[0]
    example = next(e for e in asked if e.id == one.example_id)
    request = JudgeRequest(example.question, example.reference, (), one.text, images=(example.encoded(),))
    assert one.score == pytest.approx(critic.judge.judge.rate([request])[0].value, abs=1e-5)
    assert len(result.ratings) == len({(c.example_id, c.text) for c in result.candidates})
    assert walk(Rated, Models(engine, critic=critic), asked).candidates == result.candidates


def test_answers_are_matched_with_the_image(engine: TransformersEngine) -> None:
    result = walk(Matched, Models(engine, similarity=Longest()), examples(("left", "")))
    for pair in result.pairs:
        assert len(pair.chosen.text) >= len(pair.rejected.text)
    assert {c.score for c in result.candidates if c.example_id == "lamps/0/closed"} == {
        len(c.text) - 10 / 255 for c in result.candidates if c.example_id == "lamps/0/closed"
    }


def test_an_off_policy_method_pairs_the_gold_answer_with_a_wrong_one_before_noise_and_loads_no_model() -> None:
    asked = examples(("left", ""))
    result = walk(Edited, Models(None, editor=editors.load("rules")), asked)
    assert [(c.source, c.text) for c in result.candidates[:2]] == [("gold", "Yes"), ("editor", "No")]
    pair = result.pairs[0]
    assert (pair.views, pair.chosen.views) == ((), (WHOLE,))
    assert pair.chosen.logp is None and pair.rejected.candidate == "lamps/0/closed/edited"
    row = pair_row(pair, 1, result.encode)
    assert (row["images"], row["chosen_images_count"], row["rejected_images_count"]) == ([], 1, 1)
    clear, noisy = (image["bytes"] for image in row["side_images"])
    assert clear == asked[0].encoded()
    drawn = render(decode(clear), pair.rejected.views[0])
    assert decode(noisy).tobytes() == drawn.tobytes() != decode(clear).tobytes()
    assert (row["ref_chosen_logp"], row["ref_rejected_tokens"]) == (None, None)


def test_candidates_come_back_from_their_rows(engine: TransformersEngine) -> None:
    result = walk(Matched, Models(engine, similarity=Longest()), examples(("left",)))
    edited = walk(Edited, Models(None, editor=editors.load("rules")), examples(("left",)))
    for candidate in (*result.candidates, *edited.candidates):
        assert candidate_of(candidate_row(candidate, 1)) == candidate


@pytest.mark.parametrize(
    ("method", "need"), [(Compared, "critic"), (Rated, "critic"), (Matched, "similarity"), (Edited, "editor")]
)
def test_a_role_that_is_not_loaded_is_named(method: Any, need: str, engine: TransformersEngine) -> None:
    with pytest.raises(ModelError, match=f"asks for {need}, which is not loaded"):
        walk(method, Models(engine), examples(("left",)))


class OfBoth(Compared):
    """Asks the base for every second text."""

    name = "of both"

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        return await answers_of(example, self.config, tools, ("base", "round"))


def test_base_and_round_are_asked_apart(engine: TransformersEngine, tmp_path: Path) -> None:
    other = TransformersEngine.from_pretrained(tiny_policy(tmp_path / "other", seed=1), batch_size=8)
    asked = examples(("left",))
    alone = [walk(Matched, Models(one, similarity=Longest()), asked).candidates for one in (engine, other)]
    mixed = walk(OfBoth, Models(engine, similarity=Longest(), base=other), asked).candidates
    assert [c.text for c in mixed] == [alone[1 - i % 3 % 2][i].text for i in range(len(mixed))]
    with pytest.raises(ModelError, match='Add "base" to its needs'):
        walk(OfBoth, Models(engine, similarity=Longest()), asked)


def test_the_method_of_the_recipe_still_needs_regions_and_judges() -> None:
    assert of_recipe(RECIPE).needs == {"regions", "judges"}
