"""`clincot doctor --servers` against a real server of the phantom's own policy and judge: table, JSON, exit code 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import clincot

from clincot import phantom
from tests.engines.served import ServedModels

MODELS = Path(phantom.__file__).parent / "models"
POLICY, JUDGE = "clincot/phantom-policy", "clincot/phantom-judge-a"


@pytest.fixture(scope="module")
def server() -> Iterator[ServedModels]:
    made = ServedModels({POLICY: (MODELS / "policy",), JUDGE: (MODELS / "judge-a",)})
    yield made
    made.stop()


def words(server: ServedModels) -> tuple[str, ...]:
    judge = f"{{repo: {JUDGE}, kind: openai_text, endpoint: '{server.endpoint}'}}"
    policy = ("--set=models.policy.kind=openai", f"--set=models.policy.endpoint={server.endpoint}")
    return ("doctor", "--servers", *policy, f"--set=models.judges=[{judge}]")


@pytest.mark.long
def test_a_server_that_does_what_a_run_asks_is_told_so_check_by_check(server: ServedModels, tmp_path: Path) -> None:
    server.lack()
    out, _ = clincot(*words(server), "--compare", "--json", cwd=tmp_path)
    found = json.loads(out)
    states = {(one["role"], check["name"]): check["state"] for one in found["servers"] for check in one["checks"]}
    policy = {name: state for (role, name), state in states.items() if role == "policy"}
    assert policy.pop("prefix cache") == "unknown"  # this server does not say what it has cached
    assert policy.keys() >= {"adapters", "images", "log-probabilities", "prompt tokens", "as in process"}
    assert set(policy.values()) == {"ok"} and found["failed"] == []
    assert states["judge-1", "digits"] == states["judge-1", "prompt tokens"] == states["judge-1", "texts"] == "ok"
    assert not list(tmp_path.iterdir())


def test_what_fails_ends_with_exit_code_2_and_the_table_says_what_to_do(server: ServedModels, tmp_path: Path) -> None:
    server.lack(blind=True, ignored=["logprob_token_ids"], no_tokens=True)
    out, err = clincot(*words(server), cwd=tmp_path, code=2)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and "Traceback" not in err
    assert f"policy at {server.endpoint}: images" in " ".join(err.split())
    images = next(i for i, line in enumerate(lines) if line.split()[:2] == ["images", "FAILS"])
    assert "openai_text" in "".join(lines[images : images + 5])
    assert any(line.split()[:2] == ["digits", "note"] for line in lines)
    assert sum(line.split()[:3] == ["prompt", "tokens", "unknown"] for line in lines) == 2
