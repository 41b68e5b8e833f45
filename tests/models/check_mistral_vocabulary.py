"""A checkpoint in LLaVA-Med's layout with Mistral's real vocabulary of 32,000 pieces: the ids are the original's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor
from transformers import AutoTokenizer, LlavaProcessor

from clincot.convert.llava_med import convert
from clincot.errors import ModelError
from tests import llava_med_files
from tests.models.vocabularies import file_of


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llava-med")
    llava_med_files.write(folder / "source", vocabulary=file_of("mistral-v1"))
    done = convert(folder / "source", folder / "out", logits=True)
    assert done.rows_added == 64 and {finding.level for finding in done.findings} == {"ok"}
    return folder / "out"


def original(pieces: SentencePieceProcessor, question: str, image: int) -> list[int]:
    """LLaVA-Med's `tokenizer_image_token` of `mistral_instruct`: stretches around the image, each on its own."""
    before, after = f"[INST] <image>\n{question} [/INST]".split("<image>")
    return [pieces.bos_id(), *pieces.encode(before), image, *pieces.encode(after)]


def test_ids_of_every_question_are_those_of_sentencepiece(out: Path, shared_data: Path, tmp_path: Path) -> None:
    found = (shared_data / "vqa_rad" / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8-sig")
    questions = sorted({str(row["question"]) for row in json.loads(found)})
    assert len(questions) > 1900
    pieces = SentencePieceProcessor(model_file=str(file_of("mistral-v1")))
    processor: Any = LlavaProcessor.from_pretrained(out, backend="pil")
    processor.tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    for question in questions:
        turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
        text = processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        wanted = original(pieces, question, 32000)
        assert processor.tokenizer(text, add_special_tokens=False)["input_ids"] == wanted, question
        assert again(text, add_special_tokens=False)["input_ids"] == wanted, question


def test_a_damaged_vocabulary_is_refused_by_name(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out.parent / "source", tmp_path / "other")
    (tmp_path / "other" / "tokenizer.model").write_bytes(b"no pieces")
    with pytest.raises(ModelError, match="tokenizer.model cannot be read"):
        convert(tmp_path / "other", tmp_path / "out")
