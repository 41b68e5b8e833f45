"""The engine over a real server process: what the in-process engine writes, whatever fails on the way; clear errors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from clincot import engines
from clincot.chain.prompts import direct_messages
from clincot.engines import _images, _server
from clincot.engines.openai import OpenAIEngine, chat_messages
from clincot.engines.prefix_order import prefix_order
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm.requests import ChoiceRequest
from tests.engines.conftest import picture, requests
from tests.engines.served import ADAPTER, BASE, ServedPolicy


@pytest.fixture(scope="module")
def process(policy_folder: Path, adapter_folder: Path) -> Iterator[ServedPolicy]:
    server = ServedPolicy(policy_folder, adapter_folder)
    yield server
    server.stop()


@pytest.fixture
def served(process: ServedPolicy) -> ServedPolicy:
    process.fail_next(0, 200)
    return process


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(_server, "sleep", taken.append)
    return taken


@pytest.fixture
def engine(served: ServedPolicy) -> OpenAIEngine:
    return OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint, batch_size=4, tries=3)


def test_a_server_is_tried_with_as_many_images_as_a_prompt_will_hold(served):
    assert OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint, images=3).abilities.images == 3
    shown = [block["type"] for block in served.seen()["messages"][-1][-1]["content"]]
    assert shown == ["image_url", "image_url", "image_url", "text"]


@pytest.mark.parametrize(("temperature", "top_p"), [(0.0, 1.0), (0.7, 1.0), (1.5, 0.5)])
def test_texts_over_http_are_those_of_the_engine_in_process(engine, shared, temperature, top_p):
    asked = requests(temperature, top_p)
    there, here = engine.generate(asked), shared.generate(asked)
    assert [(c.text, c.tokens, c.finish) for c in there] == [(c.text, c.tokens, c.finish) for c in here]
    assert [c.logp for c in there] == pytest.approx([c.logp for c in here], abs=1e-4)
    # The build stores no log-probability of another engine as a reference.
    assert not any(c.retokenises for c in there)
    assert engine.counters.generated_texts == 14
    assert engine.counters.unshared_prefill_tokens == shared.counters.unshared_prefill_tokens


def test_many_at_once_answer_as_one_at_a_time(engine, served):
    asked = requests(0.7)
    alone = OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint, batch_size=1)
    assert engine.generate(asked) == alone.generate(asked)
    assert served.seen()["at_once"] == 4


def test_prompts_that_begin_alike_are_sent_one_after_another(served):
    engine = OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint, batch_size=1)
    asked = requests(0.0)[::3] + requests(0.0)[1::3]
    before = len(served.seen()["messages"])
    texts = [completion.text for completion in engine.generate(asked)]
    sent = served.seen()["messages"][before:]
    pairs = zip(asked, engine._urls.encode(asked), strict=True)
    messages = [chat_messages(request.messages, own) for request, own in pairs]
    expected = [messages[place] for place in prefix_order(messages)]
    assert sent == expected != messages
    assert [completion.text for completion in engine.generate(asked)] == texts
    assert served.seen()["messages"][before + len(asked) :] == expected[::-1]


def test_an_adapter_is_chosen_by_its_name(engine, served, policy_folder, adapter_folder):
    asked = requests(0.0)
    adapted = engines.load("openai", BASE, ADAPTER, endpoint=f"{served.endpoint}/v1/", batch_size=4)
    here = TransformersEngine.from_pretrained(policy_folder, adapter_folder, batch_size=4)
    written = [c.text for c in adapted.generate(asked)]
    assert written == [c.text for c in here.generate(asked)]
    assert written != [c.text for c in engine.generate(asked)]


def test_choices_are_weighed_from_the_likeliest_tokens(engine, shared):
    request = requests(0.0)[0]
    likely = engine.servers.chat(
        BASE,
        [{"role": "user", "content": "?"}],
        max_tokens=1,
        temperature=1.0,
        logprobs=True,
        top_logprobs=20,
    )
    assert len(likely.choices[0].logprobs.content[0].top_logprobs) == 20
    words = ("Yes", "No", *(str(v) for v in range(10)))
    there = engine.score_choices([ChoiceRequest(request.messages, request.images, words)])[0]
    here = shared.score_choices([ChoiceRequest(request.messages, request.images, words)])[0]
    found = [place for place, logp in enumerate(there.logps) if logp > -math.inf]
    for place in found:
        assert there.logps[place] == pytest.approx(here.logps[place], abs=1e-4)
    assert there.mass == pytest.approx(sum(math.exp(here.logps[place]) for place in found), abs=1e-5)
    assert found, "none of the words is among the likeliest 20: the comparison says nothing"


def test_a_server_without_log_probabilities_writes_but_cannot_weigh(engine, served):
    request = requests(0.0)[0]
    served.fail_next(0, 200, silent=True)
    assert math.isnan(engine.generate([request])[0].logp)
    with pytest.raises(ModelError, match="no log-probabilities of next tokens.*--max-logprobs 20"):
        engine.score_choices([ChoiceRequest(request.messages, request.images, ("Yes", "No"))])


def test_a_server_that_refuses_the_question_for_log_probabilities_is_asked_without(engine, served):
    asked = requests(0.7)
    expected = [c.text for c in engine.generate(asked)]
    served.lack(refused=["logprobs"])
    before = engine.counters.requests
    assert [c.text for c in engine.generate(asked)] == expected
    assert len(asked) < engine.counters.requests - before <= len(asked) + 4  # those under way when it was found out
    with pytest.raises(ModelError, match="no log-probabilities of next tokens.*It said: Unsupported fields.*logprobs"):
        engine.score_choices([ChoiceRequest(asked[0].messages, asked[0].images, ("Yes",))])


@pytest.mark.parametrize("status", [503, 429, 500, 0])
def test_passing_failures_are_repeated_and_counted(engine, served, waits, status):
    asked = requests(0.7)[:3]
    expected = engine.generate(asked)
    before = engine.counters.requests
    served.fail_next(2, status)
    alone = dataclasses.replace(asked[0])
    assert engine.generate([alone]) == expected[:1]
    assert engine.counters.retries == 2
    assert engine.counters.requests == before + 3
    # The server orders no wait with its answer (Retry-After: 0); a broken connection gets growing ones.
    assert waits == ([0.5, 1.0] if status == 0 else [0.0, 0.0])


def test_a_server_that_stays_in_trouble_is_an_error(engine, served):
    served.fail_next(9, 503, message="The engine is overloaded")
    with pytest.raises(ModelError, match=r"answers 503 after 3 tries \(The engine is overloaded\)"):
        engine.generate(requests(0.0)[:1])


def test_a_server_that_is_away_is_an_error_at_load():
    with pytest.raises(ModelError, match="gives no answer after 2 tries.*models.policy.endpoint"):
        OpenAIEngine.from_pretrained(BASE, endpoint="http://127.0.0.1:9", tries=2)
    with pytest.raises(ModelError, match="is not a URL"):
        OpenAIEngine.from_pretrained(BASE, endpoint="localhost:8000")


def test_an_unknown_adapter_is_named_with_its_neighbour(engine, served):
    adapted = OpenAIEngine.from_pretrained(BASE, "round-2", endpoint=served.endpoint)
    with pytest.raises(ModelError, match="has no model 'round-2'.*Did you mean 'round-1'.*--lora-modules"):
        adapted.generate(requests(0.0)[:1])


def test_a_prompt_beyond_the_servers_context_is_an_error(engine):
    long = dataclasses.replace(requests(0.0)[-1], messages=tuple(direct_messages("lung " * 2000)))
    with pytest.raises(ModelError, match="refuses a request.*context.*Lower build.max_new_tokens"):
        engine.generate([long])
    assert engine.counters.retries == 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"status": 401, "message": "Unauthorized"}, "refuses the key.*CLINCOT_SERVER_KEY"),
        ({"status": 400, "message": "At most 1 image(s) may be provided"}, "limit-mm-per-prompt.*image_layout: canvas"),
    ],
)
def test_what_cannot_pass_is_not_repeated(engine, served, fault, message):
    served.fail_next(1, **fault)
    with pytest.raises(ModelError, match=message):
        engine.generate(requests(0.0)[:1])
    assert engine.counters.retries == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 200, "empty": True}, "no choice at all"),
        ({"status": 200}, "it ended by None, without a text"),
        ({"status": 400, "message": "blocked by the content management policy"}, "blocked by"),
    ],
)
def test_one_request_without_a_text_fails_one_item_alone(engine, served, capsys, fault, reason):
    asked = requests(0.0)
    expected = engine.generate(asked)
    served.fail_next(1, **fault)
    written = engine.generate(asked)
    failed = [place for place, done in enumerate(written) if done.finish == "failed"]
    assert len(failed) == 1 and written[failed[0]].text == "" and reason in written[failed[0]].failure
    assert [done for done in written if done.finish != "failed"] == [
        done for place, done in enumerate(expected) if place not in failed
    ]
    assert served.endpoint in capsys.readouterr().err


def test_a_filter_that_ends_every_text_stops_the_work_and_names_the_server(engine, served):
    served.fail_next(0, 200, finish="content_filter")
    assert [done.finish for done in engine.generate(requests(0.0)[:2])] == ["failed"] * 2  # two crops of one image
    with pytest.raises(ModelError, match=f"server {served.endpoint}.*16 of 16 requests.*'content_filter'") as raised:
        engine.generate(requests(0.0))
    assert "Switch filters" in str(raised.value)


def test_a_prompt_too_long_behind_others_fails_alone(engine):
    long = dataclasses.replace(requests(0.0)[-1], messages=tuple(direct_messages("lung " * 2000)))
    assert [done.finish == "failed" for done in engine.generate([*requests(0.0)[:2], long])] == [False, False, True]


def test_the_users_hub_token_is_never_sent(served, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("CLINCOT_SERVER_KEY", "its-own")
    one = requests(0.0)[:1]
    OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint).generate(one)
    monkeypatch.delenv("CLINCOT_SERVER_KEY")
    OpenAIEngine.from_pretrained(BASE, endpoint=served.endpoint).generate(one)
    assert served.seen()["keys"][-2:] == ["Bearer its-own", "Bearer EMPTY"]


def test_an_image_is_encoded_once_for_all_requests(engine, monkeypatch):
    encoded: list[Image.Image] = []
    real = _images.encode_png
    monkeypatch.setattr(_images, "encode_png", lambda image: encoded.append(image) or real(image))
    asked = requests(0.0, tokens=4)
    engine.generate([*asked, dataclasses.replace(asked[-1], images=(picture(0),))])
    assert len(encoded) == 8  # two images, six crops
    engine.generate(asked[:2])
    assert len(encoded) == 8
    engine.forget()
    engine.generate(asked[:1])
    assert len(encoded) == 10
