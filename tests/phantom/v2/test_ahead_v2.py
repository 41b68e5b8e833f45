"""Look-ahead by hand, with ties, and on an untrained policy; weights that are stored in half."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import clincot
from clincot.errors import ModelError
from clincot.phantom import publish
from clincot.phantom.policy.network import new_policy
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.ahead import Chosen, ahead_gates, chosen
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.policy.chains import Policy
from clincot.phantom.v2.stored import store_half
from clincot.phantom.v2.texts.questions import questions
from clincot.phantom.v2.texts.tokenizer import train_tokenizer

MODELS = Path(clincot.__file__).parent / "phantom" / "models" / "v2"


def test_look_ahead_changes_a_group_by_ties_or_by_a_lower_score():
    assert chosen(1, [0.6, 0.6, 0.2], [[0.0], [1.0], [0.0]]) == (Chosen(1, True, False), 1)
    assert chosen(2, [0.6, 0.4], [[0.0, 0.0], [1.0, 1.0]]) == (Chosen(2, True, True), 1)
    assert chosen(2, [0.6, 0.4], [[0.0, 0.0], [1.0, 1.0]], gamma=0.0) == (Chosen(2, False, False), 0)
    assert chosen(2, [0.6, 0.4], [[0.0, 0.0], [0.0, 0.4]]) == (Chosen(2, False, False), 0)


def test_look_ahead_is_measured_on_a_policy_that_knows_nothing():
    torch.manual_seed(0)
    number = next(i for i in range(99) if [q.kind for q in questions(objects(0, i))] == ["count"])
    gates = ahead_gates(Policy(*new_policy(train_tokenizer())), [draw(0, number)])
    assert [gate.count for gate in gates][0] == gates[1].count + gates[2].count == 2
    assert gates[0].value == 0.0 and not gates[0].holds


def test_weights_are_stored_in_half_once_and_refused_where_they_do_not_fit(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.tensor([0.1, 2.0]), "n": torch.tensor([3])}, path, {"format": "pt"})
    store_half(tmp_path)
    known = path.read_bytes()
    store_half(tmp_path)
    assert path.read_bytes() == known
    assert {name: weight.dtype for name, weight in load_file(path).items()} == {"a": torch.float16, "n": torch.int64}
    save_file({"a": torch.tensor([1e6])}, path, {"format": "pt"})
    with pytest.raises(ModelError, match="does not fit"):
        store_half(tmp_path)


def test_shipped_weights_of_version_2_are_small_and_all_published():
    files = list(MODELS.rglob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) < 16_000_000
    assert {publish.folder_of(repo) for repo in publish.MODELS} >= {file.parent for file in files}
    assert all((publish.folder_of(repo) / "config.json").is_file() for repo in publish.MODELS)
