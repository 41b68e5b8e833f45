from __future__ import annotations

import pytest

from clincot.errors import DataError
from clincot.hub import RoundFiles, parse_lineages
from clincot.records.lineage import Lineage, Pin


def test_a_rounds_files_come_back_from_the_hub_as_they_went(hub):
    pins = {"policy": Pin("model", "clincot/policy", "main", "a" * 40)}
    lineage = Lineage("train", "run", 2, "clincot", "phantom", "0" * 64, "k", 0, pins=pins, facts={"steps": 3})
    files = RoundFiles("round-2", "seed: 0\n", lineage)
    pin = hub.publish("model", "clincot/run", files.files(), tag="round-2", message="m", private=True)
    assert RoundFiles.read(hub, pin, "round-2") == files


def test_lineages_are_ordered_by_round_and_other_files_are_passed_over():
    def content(number: int) -> bytes:
        return Lineage("train", "run", number, "m", "b", "0" * 64, "k", 0).to_json().encode()

    given = {f"rounds/round-{n}/lineage.json": content(n) for n in (10, 2, 1)} | {"rounds/round-1/recipe.yaml": b"x"}
    assert list(parse_lineages(given)) == ["round-1", "round-2", "round-10"]


def test_a_broken_lineage_is_named():
    with pytest.raises(DataError, match="rounds/round-1/lineage.json"):
        parse_lineages({"rounds/round-1/lineage.json": b"{}"})
