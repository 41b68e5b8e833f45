"""The CLIP of version 2: what is true of a view, its tokenizer's end, and a short training on a policy's tower."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from clincot.cli.phantom import policy_of
from clincot.errors import ClincotError
from clincot.phantom import publish
from clincot.phantom.policy.network import load_policy, new_policy, save_policy
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.similarity.network import word_tokenizer
from clincot.phantom.v2.similarity.pretrain import SimilarityPlan, pretrain_similarity
from clincot.phantom.v2.similarity.texts import WORDS, truths
from clincot.phantom.v2.stored import store_half
from clincot.phantom.v2.texts.statements import statement_of, write
from clincot.phantom.v2.texts.tokenizer import train_tokenizer
from clincot.regions.clip_patches import ClipPatches
from clincot.runs.models.towers import check_tower


def test_words_and_sentences_are_true_of_the_nodules_that_a_view_shows():
    nodules = next(objects(3, i).lesions for i in range(50) if len(objects(3, i).lesions) == 2)
    right = write(statement_of([nodules[1]]))
    wrong = right.replace(nodules[1].zone, next(z for z in ("upper", "lower") if z != nodules[1].zone))
    found = truths([*WORDS, right, wrong], [nodules, ()])
    named = {text for text, true in zip([*WORDS, right, wrong], found[0], strict=True) if true}
    assert {"nodule", "two", nodules[0].side, nodules[1].zone, right} <= named
    assert not {"one", "three", wrong} & named
    assert not any(found[1])


def test_a_text_ends_in_the_highest_token_where_clip_reads_it():
    tokenizer = word_tokenizer()
    ids = tokenizer("An image showing a NODULE").input_ids
    assert ids[-1] == tokenizer.eos_token_id == max(tokenizer.get_vocab().values())
    assert ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.unk_token_id not in tokenizer("one tiny nodule in the left upper zone.").input_ids


def test_without_a_policy_there_is_no_tower_to_share(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "MODELS", {})
    with pytest.raises(ClincotError, match="--only policy first"):
        policy_of(tmp_path, "policy")
    (tmp_path / "policy").mkdir()
    assert policy_of(tmp_path, "policy") == tmp_path / "policy"


def test_training_keeps_the_tower_of_the_policy_and_matches_texts(tmp_path):
    torch.manual_seed(0)
    save_policy(*new_policy(train_tokenizer()), tmp_path / "policy")
    store_half(tmp_path / "policy")
    plan = SimilarityPlan(images=2, crops=1, steps=2, batch=4, held_out=4)
    gates = pretrain_similarity(tmp_path / "clip", tmp_path / "policy", seed=1, report=lambda line: None, plan=plan)
    assert gates[0].count > 8
    assert gates[0].name in (tmp_path / "clip" / "README.md").read_text(encoding="utf-8")
    clip = ClipPatches.from_pretrained(tmp_path / "clip")
    check_tower(SimpleNamespace(weights=load_policy(tmp_path / "policy")[0]), clip)
    grey = Image.new("RGB", (256, 256), (90, 90, 90))
    first, again, other = clip.similarity([grey] * 3, ["an image showing left", "an image showing left", "huge"])
    assert first == again != other
