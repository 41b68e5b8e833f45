"""Judges on a real server: what they say in process, digit for digit, and what is said where a server cannot."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from clincot import judges
from clincot.engines.base import NoLogProbs
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.images import encode_png
from clincot.judges.base import CompareRequest, JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.critic import Critic
from clincot.judges.panel import Panel
from clincot.judges.vlm import VlmJudge
from clincot.lm.requests import ChoiceRequest
from clincot.lm.work import finish
from clincot.recipe.parts import Judging
from tests.engines.conftest import picture
from tests.engines.served import ServedModels
from tests.judges.taught import bytes_tokenizer, pieces_tokenizer, request, taught
from tests.tiny import tiny_policy

torch.set_num_threads(1)
SEES, SPACED, HEADED = "ns/sees", "ns/spaced", "ns/headed"
TEXTS = {SPACED: lambda: pieces_tokenizer(metaspace=True), HEADED: lambda: bytes_tokenizer(r"\p{N}", "\n")}


def seen() -> list[JudgeRequest]:
    """Statements before no image, one and two; two that tie, and one that another contradicts."""
    whole, crop = encode_png(picture(1)), encode_png(picture(2, (20, 30)))
    said = JudgeRequest("Is there a nodule?", "There is none.", ("Clear lungs.",), "Yes", images=(whole, crop))
    others = [("No", (whole, crop)), ("Yes", (whole,)), ("Yes", ()), ("Perhaps", (crop, whole))]
    return [said, said, *(dataclasses.replace(said, statement=text, images=images) for text, images in others)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, ...]]:
    """A policy that replies with digits, and two text-only judges that were taught to."""
    place = tmp_path_factory.mktemp("models")
    policy = TransformersEngine.from_pretrained(tiny_policy(place / "sees"), batch_size=4).policy
    digits = policy.tokenizer.convert_tokens_to_ids([str(v) for v in range(10)])
    policy.model.get_output_embeddings().weight.data[digits] *= 40
    policy.model.save_pretrained(place / "sees")
    found = {SEES: (place / "sees",)}
    for name, tokenizer in TEXTS.items():
        own = tokenizer()
        replies = {
            said: own(digit, add_special_tokens=False)["input_ids"] for said, digit in (("Yes", "8"), ("None", "1"))
        }
        found[name] = (taught(place / name.split("/")[1], own, replies),)
    return found


@pytest.fixture(scope="module")
def process(folders: dict[str, tuple[Path, ...]]) -> Iterator[ServedModels]:
    server = ServedModels(folders)
    yield server
    server.stop()


@pytest.fixture
def server(process: ServedModels) -> ServedModels:
    process.lack()
    return process


def served(server: ServedModels, name: str, kind: str = "openai", **options: Any) -> Any:
    own: dict[str, Any] = {"endpoint": server.endpoint, "batch_size": 4, "tries": 2} | options
    return judges.load(kind, None, name=name, key="k", **own)


def values(ratings: list[Rating]) -> list[float | None]:
    return [rating.value for rating in ratings]


def same(there: list[Rating], here: list[Rating], within: float = 1e-5) -> None:
    assert values(there) == pytest.approx(values(here), abs=within) and None not in values(here)
    assert [r.mass for r in there] == pytest.approx([r.mass for r in here], abs=within)


def test_a_served_judge_that_sees_rates_as_the_one_in_process(server: ServedModels, folders: Any) -> None:
    engine = TransformersEngine.from_pretrained(folders[SEES][0], batch_size=4)
    for scoring in ("expected", "yesno"):
        here, there = VlmJudge(engine, key="k", scoring=scoring), served(server, SEES, scoring=scoring)
        mine, theirs = here.rate(seen()), there.rate(seen())
        same(theirs, mine) if scoring == "expected" else None
        assert [r.mass for r in theirs] == pytest.approx([r.mass for r in mine], abs=1e-5)
    assert there.engine.abilities.digits == "exact" and there.engine.abilities.version == "0.0.1"
    assert there.engine.abilities.root == ".../sees"  # lineages are published
    assert there.engine.card.root == str(folders[SEES][0]) and there.engine.abilities.images == 2
    written = served(server, SEES, scoring="generated").rate(seen())
    assert values(written) == values(VlmJudge(engine, key="k", scoring="generated").rate(seen()))


@pytest.mark.parametrize("name", [SPACED, HEADED])
def test_a_text_only_judge_rates_as_in_process_behind_a_space_piece_and_without_a_system_turn(
    server: ServedModels, folders: Any, name: str
) -> None:
    here = CausalLMJudge.from_pretrained(folders[name][0], name=name, key="k", batch_size=8)
    there = served(server, name, "openai_text")
    asked = [request("Yes"), request("None"), request("Yes"), dataclasses.replace(request("None"), images=(b"?",))]
    same(there.rate(asked), here.rate(asked))
    assert there.engine.takes_system is (name == HEADED)
    assert ("+space" in here.key) is ("+space" in there.reads(asked[0])) is (name == SPACED)


def test_the_likeliest_tokens_do_where_no_others_are_given_and_the_missing_ones_are_said_once(
    server: ServedModels, folders: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = served(server, SEES)
    asked = [dataclasses.replace(one, question=f"{i}?") for i in range(5) for one in seen()]
    choices = [ChoiceRequest(exact._turns(one, ()), (), tuple(map(str, range(10)))) for one in asked[:20]]
    right, known = exact.rate(asked), exact.engine.score_choices(choices)
    server.lack(ignored=["logprob_token_ids"])
    capsys.readouterr()
    rough = served(server, SEES)
    ratings = rough.rate(asked)
    said = capsys.readouterr().err
    assert rough.engine.abilities.digits == "20 likeliest" and "by the 20 likeliest tokens" in said
    missing, found = 0, rough.engine.score_choices(choices)
    for some, every in zip(found, known, strict=True):
        for logp, true in zip(some.logps, every.logps, strict=True):
            missing += logp == -math.inf
            assert logp == -math.inf or logp == pytest.approx(true, abs=1e-5)
    assert 0 < missing < 200 and said.count("were not among the 20 likeliest tokens") == 1
    assert all(a.mass <= b.mass + 1e-5 for a, b in zip(ratings, right, strict=True))
    assert None not in values(ratings)
    # Ratings of another way are others: no stored one is taken for them.
    assert rough.reads(asked[0]) != exact.reads(asked[0])
    keys = {
        CachedJudge(judge, {})._key(asked[0]) for judge in (exact, rough, served(server, SEES, scoring="generated"))
    }
    assert len(keys) == 3


def test_tokens_that_no_server_names_are_those_of_the_tokenizer_that_the_setting_names(
    server: ServedModels, folders: Any
) -> None:
    right = served(server, SEES).rate(seen())
    server.lack(no_tokens=True)
    blind = served(server, SEES)
    assert blind.engine.abilities.digits == "20 likeliest"
    named = served(server, SEES, tokenizer=folders[SEES][0])
    assert named.engine.abilities.digits == "exact"
    same(named.rate(seen()), right, 1e-9)


def test_digits_are_written_out_where_a_server_has_no_log_probabilities(
    server: ServedModels, capsys: pytest.CaptureFixture[str]
) -> None:
    server.lack(silent=True)
    judge = served(server, SEES)
    assert (
        judge.scoring == "generated" and "WARNING: judge ns/sees: its digits are written out" in capsys.readouterr().err
    )
    panel = Panel([CachedJudge(judge, {})], Judging(consensus="mean"))
    rated = finish(panel.rate(seen() * 5))
    assert all(rating.reply for (rating,) in rated)
    assert "median mass" not in capsys.readouterr().err  # the mass of a written reply says nothing
    with pytest.raises(NoLogProbs, match="no log-probabilities of next tokens"):
        served(server, SEES, scoring="yesno")


def test_a_served_critic_rates_and_compares_as_in_process(server: ServedModels, folders: Any) -> None:
    engine = TransformersEngine.from_pretrained(folders[SEES][0], batch_size=4)
    here = Critic(engine, name=SEES, key="k")
    there = Critic(served(server, SEES).engine, name=SEES, key="k")
    same(there.judge.rate(seen()), here.judge.rate(seen()))
    asked = [
        CompareRequest("What is shown?", a, b, images=(picture(1),)) for a, b in (("A nodule.", "Nothing."), ("x", "x"))
    ]
    mine, theirs = here.compare(asked), there.compare(asked)
    assert [v.mass for v in theirs] == pytest.approx([v.mass for v in mine], abs=1e-5)
    assert [v.value for v in theirs] == pytest.approx([v.value for v in mine], abs=1e-4)


@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        ({"blind": True}, "not a multimodal model.*It reads no images.*openai_text"),
        ({"passes_over": True}, "passes images over.*openai_text"),
        ({"model": True}, "answers as 'ns/sees' when asked for 'ns/headed'"),
        ({"times": 99, "status": 401}, "refuses the key.*Set MY_KEY"),
        ({"times": 99, "status": 500}, "answers 500 after 2 tries"),
        ({"times": 99, "status": 200, "cut": True}, "gives no answer after 2 tries.*models.judges"),
        ({"slow": 5.0}, "gives no answer after 2 tries of 0.5 seconds each.*Raise `timeout` or lower `at_once`"),
    ],
)
def test_what_no_judge_could_work_with_stops_before_any_work(
    server: ServedModels, monkeypatch: pytest.MonkeyPatch, lacking: dict[str, Any], says: str
) -> None:
    monkeypatch.setattr("clincot.engines._server.sleep", lambda seconds: None)
    server.fail_next(**({"times": 0, "status": 200} | lacking))
    name = HEADED if "model" in lacking else SEES
    how: dict[str, Any] = {
        "key_env": "MY_KEY",
        "setting": "models.judges[0].endpoint",
        "timeout": 0.5 if "slow" in lacking else 60,
    }
    with pytest.raises(ModelError, match=says):
        served(server, name, **how)


def test_a_served_model_takes_no_prefill_and_nothing_is_sent(server: ServedModels) -> None:
    engine = served(server, SEES).engine
    before = server.seen()["requests"]
    for scoring in ("generated", "expected"):
        judge = VlmJudge(engine, key="k", scoring=scoring, prefill="Rating: ")
        with pytest.raises(ModelError, match="cannot begin a reply. Set build.judging.prefill to an empty text"):
            judge.rate(seen())
    assert server.seen()["requests"] == before
