"""The probes that ask whether a view tells nodules from distractors, on a few images."""

from __future__ import annotations

import math

import numpy as np

from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.gates.probes import ProbePlan, cnn_scores, probe_gates, ridge_scores
from clincot.phantom.v2.gates.views import object_views


def test_views_of_every_object_are_cut_out():
    views = object_views(0, range(3))
    assert views.windows.shape == (len(views.things), 13, 13) and views.crops.shape == (len(views.things), 48, 48)
    bright = [thing.contrast > 0.2 and thing.radius > 6 for thing in views.things]
    middle = views.windows[:, 5:8, 5:8].mean((1, 2)) - np.median(views.windows, (1, 2))
    assert middle[bright].mean() > 0.05


def test_probes_see_a_difference_where_there_is_one():
    rng = np.random.default_rng(0)
    lesion = rng.random(240) < 0.5
    views = rng.normal(0.4, 0.1, (240, 13, 13)).astype(np.float32)
    views[lesion, 6, 6] += 1
    assert np.corrcoef(ridge_scores(views[:160], lesion[:160], views[160:]), lesion[160:])[0, 1] > 0.6
    scores = cnn_scores(views[:160], lesion[:160], views[160:], ProbePlan(batch=16), epochs=6)
    assert scores[lesion[160:]].mean() > scores[~lesion[160:]].mean() + 0.5


def test_every_gate_is_measured():
    gates = probe_gates(0, ProbePlan(images=6, held_out=6, window_epochs=1, crop_epochs=1, tower_steps=1))
    assert len(gates) == 12 and all(0 <= gate.value <= 1 and gate.count for gate in gates)


def test_a_gate_says_whether_it_holds():
    gates = [Gate("a", 0.61, most=0.6, count=1200), Gate("b", 0.9, least=0.9), Gate("c", math.nan)]
    assert [gate.holds for gate in gates] == [False, True, False]
    assert "| a | 0.610 | at most 0.6 | 1,200 | **no** |" in gate_table(gates)
