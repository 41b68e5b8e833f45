"""Several servers of one role, real ones: one image, one server; who dies is left out and comes back; all away stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clincot.engines import _server, _servers
from clincot.engines._chat import beginning_of
from clincot.engines.openai import OpenAIEngine
from clincot.errors import ModelError
from tests.engines.conftest import requests
from tests.engines.served import BASE, Endpoint, ServedModels

Pair = tuple[Endpoint, Endpoint]


@pytest.fixture(scope="module")
def processes(policy_folder: Path) -> Iterator[Pair]:
    server = ServedModels({BASE: (policy_folder,)}, pair=True)
    yield server, server.second
    server.stop()


@pytest.fixture
def pair(processes: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    monkeypatch.setattr(_server, "sleep", lambda seconds: None)
    for server in processes:
        server.lack()
    return processes


def engine_of(pair: Pair, **options) -> OpenAIEngine:
    urls = [server.endpoint for server in pair]
    return OpenAIEngine.from_pretrained(BASE, endpoint=urls, **{"batch_size": 4, "tries": 2} | options)


def beginnings(server: Endpoint, since: int) -> set[str]:
    return {beginning_of(messages) for messages in server.seen()["messages"][since:]}


def test_requests_about_one_image_go_to_one_server_and_the_texts_are_the_same(pair: Pair) -> None:
    asked = requests(0.7)
    counts = [len(server.seen()["messages"]) for server in pair]
    alone = OpenAIEngine.from_pretrained(BASE, endpoint=pair[0].endpoint, batch_size=4).generate(asked)
    counts[0] += len(asked)
    engine = engine_of(pair)
    assert engine.generate(asked) == alone
    first, second = (beginnings(server, count) for server, count in zip(pair, counts, strict=True))
    assert first.isdisjoint(second) and len(first | second) == 2  # two images
    before = [len(server.seen()["messages"]) for server in pair]
    engine.generate(asked)
    assert [beginnings(server, count) for server, count in zip(pair, before, strict=True)] == [first, second]


def test_where_a_text_goes_depends_on_its_question_and_many_are_shared_about_evenly(pair: Pair) -> None:
    servers = engine_of(pair).servers
    texts = [f"Rate it.\nQuestion: {i}?\nStatement: {j}" for i in range(60) for j in range(2)]
    places = [servers._in_turn(beginning_of([{"role": "user", "content": text}]))[0].url for text in texts]
    assert places[::2] == places[1::2] and 15 <= places[::2].count(servers.servers[0].url) <= 45


def test_what_a_dead_server_had_goes_to_the_other_until_it_is_back(
    pair: Pair, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, engine = requests(0.0), engine_of(pair)
    expected = engine.generate(asked)
    first = beginning_of(pair[0].seen()["messages"][0])
    dead = next(one for one in pair if engine.servers._in_turn(first)[0].root == one.endpoint)
    dead.fail_next(10_000, 503)
    assert engine.generate(asked) == expected
    said = capsys.readouterr().err
    assert f"server {dead.endpoint}/v1: answers 503" in said
    assert said.count("Its requests go to the other servers of the role until it answers") == 1
    dead.lack()
    refused = len(dead.seen()["messages"])
    assert engine.generate(asked) == expected
    assert len(dead.seen()["messages"]) == refused  # not yet
    monkeypatch.setattr(_servers, "now", lambda: 1e12)
    assert engine.generate(asked) == expected
    assert len(dead.seen()["messages"]) > refused
    assert f"server {dead.endpoint}/v1: answers again" in capsys.readouterr().err


def test_all_away_is_an_error_that_names_them_and_one_away_at_load_is_none(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    pair[1].lack(away=True)
    engine = engine_of(pair)
    assert f"server {pair[1].endpoint}/v1: answers 503" in capsys.readouterr().err
    pair[0].fail_next(10_000, 500)
    pair[1].fail_next(10_000, 500)
    with pytest.raises(
        ModelError, match="none answers.*What is finished is kept; then run the command again"
    ) as raised:
        engine.generate(requests(0.0))
    assert all(server.endpoint in str(raised.value) for server in pair)


def test_servers_of_different_models_under_one_name_are_refused(
    pair: Pair, policy_folder: Path, adapter_folder: Path
) -> None:
    pair[1].lack(root="/models/other")
    with pytest.raises(ModelError, match="is not the same model on all.*serves '/models/other'"):
        engine_of(pair)
    pair[1].lack(named="ns/other")
    with pytest.raises(ModelError, match="has no model 'someone/tiny-llava', others have"):
        engine_of(pair)
