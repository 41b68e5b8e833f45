"""What is around the work: disks, the target Hub with its token, names of installed packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.errors import HubError
from clincot.hub import Hub
from clincot.hub.connection import Account
from clincot.runs.doctor.around import LOW, Disk, around
from clincot.runs.doctor.reach import Reach


def test_an_embedded_hub_is_asked_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    absent = around(Reach("local:hub"), "")
    assert "the first command makes" in absent.target.fault and not list(tmp_path.iterdir())
    assert {disk.holds for disk in absent.disks} >= {"runs", "the embedded Hub", "images of a split"}
    assert all(disk.free > 0 for disk in absent.disks)
    (tmp_path / "hub").mkdir()
    reach = Reach("local:hub")
    found = around(reach, "").target
    reach.close()
    assert (found.fault, found.user, found.role, found.push) == ("", "clincot", "write", "")


def test_a_token_that_may_not_write_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hub").mkdir()
    monkeypatch.setattr(Hub, "account", lambda hub: Account("reader", role="read"))
    reach = Reach(f"local:{tmp_path / 'hub'}")
    found = around(reach, "").target
    assert found.user == "reader" and "may only read" in found.push and not found.fault

    def unknown(hub: Hub) -> Account:
        raise HubError("the token is not known")

    monkeypatch.setattr(Hub, "account", unknown)
    assert "no token that it knows" in around(reach, "").target.push
    reach.close()


def test_a_disk_with_little_room_is_low() -> None:
    assert Disk("runs", "runs", LOW - 1).low and not Disk("runs", "runs", LOW).low
