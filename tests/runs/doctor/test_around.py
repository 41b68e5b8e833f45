"""What is around the work: disks, the target Hub with its token, names of installed packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.errors import HubError
from clincot.hub import Hub, connect
from clincot.hub.connection import Account
from clincot.recipe import load_recipe
from clincot.runs.doctor.around import LOW, Disk, around
from clincot.runs.doctor.licences import licences
from clincot.runs.doctor.reach import Reach


def test_an_embedded_hub_is_asked_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    absent = around(load_recipe(), Reach("local:hub"), "")
    assert "the first command makes" in absent.target.fault and not list(tmp_path.iterdir())
    assert {disk.holds for disk in absent.disks} >= {"runs", "the embedded Hub", "images of a split"}
    assert all(disk.free > 0 for disk in absent.disks)
    (tmp_path / "hub").mkdir()
    reach = Reach("local:hub")
    found = around(load_recipe(), reach, "").target
    reach.close()
    assert (found.fault, found.user, found.role, found.push) == ("", "clincot", "write", "")


def test_a_token_that_may_not_write_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hub").mkdir()
    monkeypatch.setattr(Hub, "account", lambda hub: Account("reader", role="read"))
    reach = Reach(f"local:{tmp_path / 'hub'}")
    found = around(load_recipe(), reach, "").target
    assert found.user == "reader" and "may only read" in found.push and not found.fault

    def unknown(hub: Hub) -> Account:
        raise HubError("the token is not known")

    monkeypatch.setattr(Hub, "account", unknown)
    assert "no token that it knows" in around(load_recipe(), reach, "").target.push
    reach.close()


def test_a_disk_with_little_room_is_low() -> None:
    assert Disk("runs", "runs", LOW - 1).low and not Disk("runs", "runs", LOW).low


def test_licences_of_all_models_are_read_from_cards_and_clauses_are_said(tmp_path: Path) -> None:
    served = "{repo: m42-health/Llama3-Med42-8B, kind: openai_text, endpoint: http://127.0.0.1:1/v1}"
    judges = f"models.judges=[{{repo: me/gem}}, {served}]"
    recipe = load_recipe(
        overrides=[judges, "models.critic={repo: me/absent, kind: vlm}", "models.editor={kind: rules}"]
    )
    with connect(f"local:{tmp_path}", main=False) as hub:
        card = b"---\nlicense: gemma\n---\n"
        hub.publish("model", "me/gem", {"README.md": card}, tag=None, message="x", private=False)
    reach = Reach(f"local:{tmp_path}")
    policy, proposer, gem, med42, critic = licences(recipe, reach)
    reach.close()
    assert (policy.licence, policy.clauses, policy.unknown) == ("cc0-1.0", (), "")  # shipped, read where it is
    assert proposer.setting == "models.proposer" and proposer.licence == "apache-2.0"
    assert (gem.setting, gem.licence) == ("models.judges[0]", "gemma")
    assert gem.clauses[0].startswith("gemma: ") and "--acknowledge-licence gemma" in gem.clauses[0]
    assert med42.licence == "" and "server" in med42.unknown and med42.clauses[0].startswith("llama3: ")
    assert critic.repo == "me/absent" and "me/absent" in critic.unknown and not critic.clauses
