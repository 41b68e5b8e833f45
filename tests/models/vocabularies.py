"""A kind of judge -> its real vocabulary from an installed package, with the family's own marks and chat template.

The files stay where their packages have them; nothing of them is in this project.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

from tests.judges.taught import INST

# kind -> package, file in it
FILES = {
    "mistral-v1": ("mistral_common", "data/tokenizer.model.v1"),
    "llama-3": ("llama_models", "llama3/tokenizer.model"),
    "qwen": ("dashscope", "resources/qwen.tiktoken"),
}
HEADERS = {
    "llama-3": (
        "{{ bos_token }}{% for m in messages %}"
        "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] + '<|eot_id|>' }}{% endfor %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}"
    ),
    "qwen": (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
        "{{ '<|im_start|>assistant\n' }}"
    ),
}
MARKS = {
    "llama-3": ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "qwen": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
}
NAMED = {
    "llama-3": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "<|end_of_text|>"},
    "qwen": {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
}
ONE_DIGIT = (  # Qwen's own pattern: numbers are cut into single digits
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def file_of(kind: str) -> Path:
    """Return the vocabulary's file; skip, naming the package, where it is not installed."""
    package, name = FILES[kind]
    found = importlib.util.find_spec(package)
    path = Path(found.submodule_search_locations[0]) / name if found and found.submodule_search_locations else None
    if path is None or not path.is_file():
        pytest.skip(f"no {name} of the package {package}")
    return path


def real_tokenizer(kind: str, folder: Path) -> Any:
    """Return the tokenizer; `folder` is for a copy that lasts as long as the test."""
    path = file_of(kind)
    if kind == "mistral-v1":
        shutil.copyfile(path, folder / "tokenizer.model")
        tokenizer = LlamaTokenizer.from_pretrained(folder)
        tokenizer.chat_template, tokenizer.pad_token = INST, "</s>"
        return tokenizer
    pattern = {"pattern": ONE_DIGIT} if kind == "qwen" else {}
    made = TikTokenConverter(str(path), extra_special_tokens=MARKS[kind], **pattern).converted()
    return PreTrainedTokenizerFast(tokenizer_object=made, chat_template=HEADERS[kind], **NAMED[kind])
