"""Where a text ends: generation, training, judging and export agree, wherever a model's folder names its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForImageTextToText, AutoProcessor, AutoTokenizer, GenerationConfig, PretrainedConfig

from clincot.engines.transformers import TransformersEngine
from clincot.judges.causal_lm import CausalLMJudge
from clincot.lm.ends import end_ids
from clincot.objectives.collator import PairCollator
from clincot.objectives.sides import Renderer
from clincot.recipe import Margin
from clincot.stages.train.policy import open_processor
from tests.objectives.rows import make_row
from tests.tiny import tiny_judge, tiny_policy

Ids = dict[str, int]
TURN = "{{ '</s>' }}"


def policy(folder: Path, written: str, named: Callable[[Ids], Any] | None, tokenizer_eos: str, **more: Any) -> Path:
    """A tiny policy whose template writes `written` behind an answer, and that names other ends elsewhere."""
    tiny_policy(folder)
    processor = AutoProcessor.from_pretrained(folder)
    processor.tokenizer.add_tokens(["<|end|>", "<|eot|>"], special_tokens=True)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    model.resize_token_embeddings(len(processor.tokenizer))
    processor.tokenizer.eos_token = tokenizer_eos
    if "pad" in more:
        processor.tokenizer.pad_token = more["pad"]
    processor.chat_template = processor.chat_template.replace(TURN, written)
    processor.tokenizer.chat_template = processor.chat_template
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    ids = {t: processor.tokenizer.convert_tokens_to_ids(t) for t in ("</s>", "<|end|>", "<|eot|>")}
    path = folder / "generation_config.json"
    if named is None:
        path.unlink()
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": named(ids)}))
    return folder


CASES = {
    "both named": ("{{ '<|end|>' }}", lambda i: [i["</s>"], i["<|end|>"]], "</s>", "Yes<|end|>"),
    "the model names the turn's end": ("{{ '<|end|>' }}", lambda i: i["<|end|>"], "</s>", "Yes<|end|>"),
    "the tokenizer names it": ("{{ '<|end|>' }}", lambda i: i["</s>"], "<|end|>", "Yes<|end|>"),
    "no generation config": ("{{ '<|end|>' }}", None, "<|end|>", "Yes<|end|>"),
    "only the template knows": ("{{ '<|end|>' }}", None, "</s>", "Yes<|end|>"),
    "a line break behind it": ("{{ '<|eot|>\\n' }}", lambda i: i["</s>"], "<|end|>", "Yes<|eot|>"),
    "two ends are written": ("{{ '<|eot|></s>' }}", lambda i: i["</s>"], "<|eot|>", "Yes<|eot|>"),
    "none is written": ("{{ ' ' }}", lambda i: i["<|eot|>"], "</s>", "Yes<|eot|>"),
    "none is written or named": ("", None, "<|end|>", "Yes<|end|>"),
    "an end outside the vocabulary": ("", lambda i: [99_999, i["<|eot|>"]], "</s>", "Yes<|eot|>"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_end_is_trained_and_it_is_one_at_which_generation_stops(name: str, tmp_path: Path) -> None:
    written, named, eos, trained = CASES[name]
    folder = policy(tmp_path / "base", written, named, eos)
    engine = TransformersEngine.from_pretrained(folder, batch_size=1).policy
    processor, ends, _ = open_processor(folder)
    side, _ = Renderer(processor, "per_side", ends).pair(make_row(0, chosen="Yes"))
    assert side.completion == trained
    ids = engine.tokenizer(side.completion, add_special_tokens=False)["input_ids"]
    assert [i in engine.stops for i in ids] == [False] * (len(ids) - 1) + [True]
    assert set(engine.tokenizer.convert_tokens_to_ids(list(ends))) == engine.stops
    assert not engine.stops & set(engine.suppressed)


def test_a_pad_token_that_is_the_end_token_is_still_trained(tmp_path: Path) -> None:
    folder = policy(tmp_path / "base", "{{ '<|end|>' }}", lambda i: i["</s>"], "<|end|>", pad="<|end|>")
    processor, ends, _ = open_processor(folder)
    batch = PairCollator(Renderer(processor, "per_side", ends), Margin("none"))([make_row(0, chosen="Yes")])
    end = processor.tokenizer.eos_token_id
    for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True):
        assert (ids[mask.bool()] == end).sum() == 1 and ids[mask.bool()][-1] == end


def test_a_judge_stops_where_its_template_ends_a_turn(tmp_path: Path) -> None:
    folder = tiny_judge(tmp_path / "judge")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = tokenizer.chat_template.replace(TURN, "{{ '<|system|>' }}")
    tokenizer.save_pretrained(folder)
    judge = CausalLMJudge.from_pretrained(folder, name="j", key="1", batch_size=2)
    assert set(tokenizer.convert_ids_to_tokens(sorted(judge._stops))) == {"</s>", "<|system|>"}


def test_the_models_config_counts_where_no_generation_config_names_an_end(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_judge(tmp_path / "judge"))
    tokenizer.chat_template, tokenizer.eos_token = None, None
    config = PretrainedConfig(eos_token_id=[2, 5])
    assert end_ids(tokenizer, None, config) == end_ids(tokenizer, GenerationConfig(), config) == (2, 5)
    assert end_ids(tokenizer, GenerationConfig(eos_token_id=4), config) == (4,)
