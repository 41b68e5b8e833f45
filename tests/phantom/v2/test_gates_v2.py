"""Training rows and gates of version 2: a chain answers from what it saw; offsets and overlaps by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clincot.phantom.texts.questions import Question
from clincot.phantom.v2.gates.looking import by_kind, looking_gates, right
from clincot.phantom.v2.gates.statements import Findings, recovered
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.policy.rows import rows
from clincot.phantom.v2.texts.questions import MULTI_REGION
from clincot.phantom.v2.texts.statements import read


def test_rows_ask_as_chains_do_and_count_what_was_seen() -> None:
    rng, counted = np.random.default_rng(4), 0
    for index in range(25):
        layout = objects(21, index)
        for row in rows(layout, around(layout.things[0], rng), rng):
            text = row.messages[0]["content"][-1]["text"]
            images = [block for block in row.messages[0]["content"] if block["type"] == "image"]
            assert len(images) == (2 if row.crop else 1)
            if "State in one sentence" in text:
                assert read(row.completion) is not None
            if row.crop and row.completion == "0":
                counted += 1
    assert counted > 0


def _findings(odds: list[float], nodule: list[bool]) -> Findings:
    """Half of the regions in even images, half in odd ones, all of one group; a named nodule is fully right."""
    where, is_nodule = np.arange(2 * len(odds)) // len(odds), np.array(nodule * 2)
    return Findings(
        image=where,
        nodule=is_nodule,
        true_size=np.zeros(len(where), int),
        odds=np.array(odds * 2),
        group=np.zeros(len(where), int),
        some=is_nodule.astype(float),
        none=1.0 - is_nodule,
    )


def test_offsets_recover_all_where_odds_part_the_kinds_and_nothing_where_they_do_not() -> None:
    parted = recovered(_findings([-1.0, -1.0, -3.0, -3.0], [True, True, False, False]))
    assert parted["truth"] == 0.5
    assert parted["recovered"] == pytest.approx(100.0)
    mixed = recovered(_findings([-1.0, -3.0, -1.0, -3.0], [True, True, False, False]))
    assert mixed["recovered"] == pytest.approx(0.0)


def test_a_box_is_right_by_its_overlap() -> None:
    asked = Question("?", "10 10 20 20", "open", "box", "nodule")
    assert right(asked, "12 12 22 22")
    assert not right(asked, "18 18 30 30")
    assert not right(asked, "no nodule")
    assert not right(replace(asked, kind="count", answer="2"), "3")


def test_every_answer_of_a_kind_weighs_the_same_and_gates_read_the_means() -> None:
    asked = [Question("?", answer, "closed", "second", "nodule") for answer in ("yes", "yes", "yes", "no")]
    assert by_kind(asked, ["yes"] * 4) == {"second": 50.0}
    table = {
        look: dict.fromkeys(MULTI_REGION, value) for look, value in (("none", 40.0), ("random", 41.0), ("oracle", 60.0))
    }
    gates = looking_gates(table, 9)
    assert [(gate.value, gate.holds) for gate in gates] == [(19.0, True), (1.0, True)]
