"""Tiny random models of each class -> the table of what clincot does with them, in `docs/models.md`.

Run as `.venv/models/bin/python perf/capabilities.py`, in the environment of `make test-models`; elsewhere the classes
that need torchvision say so and their rows of the page are kept. Every cell is made by the code that a run uses: the
engine, a step of training, an evaluation, an export. An error that is not clincot's own ends the script.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import transformers

from perf.capability_cells import COLUMNS, measure
from tests.vlms import PLAIN, REFUSED, WITH_TORCHVISION, Make, tiny_vlm

PAGE = Path(__file__).resolve().parents[1] / "docs" / "models.md"
BEGIN, END = "<!-- capabilities: begin -->", "<!-- capabilities: end -->"
HEAD = f"| class | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
NEEDS = "needs torchvision"
TITLES = {
    "llava_clip_llama": "LLaVA: CLIP, Llama",
    "llava_siglip_qwen2": "LLaVA: SigLIP, Qwen2",
    "llava_mistral": "LLaVA: CLIP, Mistral; LLaVA-Med",
    "llava_gemma2": "LLaVA: SigLIP, Gemma 2",
    "llava_next_mistral": "LLaVA-NeXT: CLIP, Mistral",
    "gemma3": "Gemma 3, MedGemma",
    "idefics3": "Idefics3",
    "mllama": "Mllama, Llama 3.2 Vision",
    "paligemma": "PaliGemma, with an added chat template",
    "vip_llava": "VipLLaVA",
    "idefics2": "Idefics2",
    "aya_vision": "Aya Vision",
    "llava_onevision": "LLaVA-OneVision (torchvision)",
    "smolvlm": "SmolVLM (torchvision, num2words)",
    "qwen2_vl": "Qwen2-VL (torchvision)",
    "qwen2_5_vl": "Qwen2.5-VL, Lingshu (torchvision)",
    "qwen3_vl": "Qwen3-VL (torchvision)",
    "internvl": "InternVL (torchvision)",
    "mistral3": "Mistral3 (torchvision)",
    "pixtral": "Pixtral (torchvision)",
    "blip_2_without_template": "BLIP-2, without a chat template",
    "blip_2": "BLIP-2, with an added chat template",
}
MAKERS: dict[str, Make] = {make.__name__: make for make in (*PLAIN, *WITH_TORCHVISION, *REFUSED)}


def row_of(name: str) -> str:
    """Return the lines of a class: its row of the table, and its reasons where a cell has one."""
    make = MAKERS[name]
    if make in WITH_TORCHVISION and find_spec("torchvision") is None:
        return _lines(TITLES[name], [NEEDS] * len(COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        return _lines(TITLES[name], measure(tiny_vlm(make, Path(folder) / "tiny-base"), Path(folder)))


def _lines(title: str, cells: Sequence[str]) -> str:
    """A row has the first word of each cell; the reasons follow below the table, equal ones once."""
    short = [cell.partition(":")[0] for cell in cells]
    reasons: dict[str, list[str]] = {}
    for column, cell in zip(COLUMNS, cells, strict=True):
        if reason := cell.partition(": ")[2]:
            reasons.setdefault(reason, []).append(column)
    row = f"| {title} | {' | '.join(short)} |"
    named = {why: "all" if len(columns) == len(COLUMNS) else ", ".join(columns) for why, columns in reasons.items()}
    said = "; ".join(f"{columns}: {why}" for why, columns in named.items())
    return f"{row}\n- **{title}**: {said}." if said else row


def rows_in(page: str) -> dict[str, str]:
    """Return class name -> its lines in the page."""
    part = page.partition(BEGIN)[2].partition(END)[0]
    found = {}
    for name, title in TITLES.items():
        lines = [line for line in part.splitlines() if line.startswith((f"| {title} |", f"- **{title}**: "))]
        if lines:
            found[name] = "\n".join(lines)
    return found


def written(page: str, rows: Mapping[str, str]) -> str:
    """Return the page with `rows`; classes that are not among them keep theirs."""
    known = rows_in(page) | dict(rows)
    lines = [known[name].splitlines() for name in TITLES if name in known]
    reasons = [line for own in lines for line in own[1:]]
    table = HEAD + "\n".join(own[0] for own in lines)
    body = f"{BEGIN}\n{table}\n" + (f"\n{chr(10).join(reasons)}\n" if reasons else "") + END
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: body, page, flags=re.S)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--class", dest="names", action="append", choices=list(MAKERS), help="this class alone")
    options.add_argument("--dry-run", action="store_true", help="print the rows and leave the page as it is")
    given = options.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    rows: dict[str, str] = {}
    for name in given.names or MAKERS:
        rows[name] = row_of(name)
        print(rows[name], flush=True)
    measured = {name: row for name, row in rows.items() if NEEDS not in row}
    if not given.dry_run:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main()
