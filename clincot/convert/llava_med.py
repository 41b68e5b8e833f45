"""A checkpoint of LLaVA-Med 1.5 as its authors publish it -> a folder that transformers, vLLM and clincot load."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from transformers import GenerationConfig, LlavaConfig, LlavaProcessor, PreTrainedTokenizerFast
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from clincot.convert import llava_config, shards
from clincot.convert.check import check
from clincot.convert.finding import Finding, refuse_failures
from clincot.convert.llava_med_equal import equal_ids, equal_logits, equal_pixels
from clincot.convert.llava_med_plan import Plan, plan_of
from clincot.convert.mistral_prompt import original_tokenizer, with_images
from clincot.convert.stored import read_json
from clincot.lm.families import MISTRAL_INSTRUCT
from clincot.records.lineage import shown

OWN = "the checkpoint's own"
README = """---
tags: [clincot, llava, medical]
---
# LLaVA-Med 1.5 in the layout of transformers

Written by `clincot convert llava-med` from `{source}`; its licence holds for this copy too. Vision tower: {tower}.
Images are padded to a square with the mean colour, prompts read `<s>[INST] <image>` line break `QUESTION [/INST]`.
`conversion.json` says what was written and checked. Not for clinical use.
"""


@dataclass(frozen=True)
class Converted:
    """What was written: the source's name, tensors and their bytes, files, dtype, rows added, and what was checked."""

    source: str
    tower: str
    tensors: int
    bytes: int
    files: int
    dtype: str
    rows: int
    rows_added: int
    image_token_id: int
    dropped: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def convert(
    source: Path, out: Path, *, name: str = "", tower: Path | None = None, tower_name: str = "", logits: bool = False
) -> Converted:
    """Write `out` from the folder `source`; `tower` is a folder of a CLIP tower to take in place of the checkpoint's.

    The names are what the report calls the two. `logits` loads both models, one after the other, and compares them.
    Raises ModelError for a checkpoint that is not whole or not LLaVA-Med's, DataError where `out` holds something,
    DiskFull; `out` is whole or absent.
    """
    shards.refuse_full(out)
    settings = read_json(source / "config.json")
    llava_config.refuse_others(settings, shown(source))
    original = original_tokenizer(source)
    tokenizer = with_images(original)
    plan = plan_of(source, settings, tokenizer, tower)
    files = shards.loads(plan.moves)
    with shards.new_model(out, sum(move.bytes for move in plan.moves)) as folder:
        size = shards.write(files, folder)
        _write_others(folder, plan.config, tokenizer)
        findings = [*check(folder), equal_ids(folder, original), equal_pixels(folder)]
        if logits:
            findings.append(equal_logits(folder, source, plan))
        refuse_failures(findings, shown(source))
        done = _report(plan, size, len(files), name or shown(source), tower_name or (shown(tower) if tower else OWN))
        done = replace(done, findings=tuple(findings))
        (folder / "conversion.json").write_text(json.dumps(asdict(done), indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(README.format(source=done.source, tower=done.tower), encoding="utf-8")
    return done


def _report(plan: Plan, size: int, files: int, source: str, tower: str) -> Converted:
    rows = plan.config.text_config.vocab_size
    return Converted(
        source=source,
        tower=tower,
        tensors=len(plan.moves),
        bytes=size,
        files=files,
        dtype=str(plan.config.dtype).removeprefix("torch."),
        rows=rows,
        rows_added=rows - plan.rows,
        image_token_id=plan.config.image_token_id,
        dropped=plan.dropped,
    )


def _write_others(folder: Path, config: LlavaConfig, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write configuration, generation's defaults, tokenizer, chat template and how images are prepared."""
    config.save_pretrained(folder)
    text, size = config.text_config, config.vision_config.image_size
    GenerationConfig(
        bos_token_id=text.bos_token_id, eos_token_id=text.eos_token_id, pad_token_id=text.pad_token_id
    ).save_pretrained(folder)
    images = LlavaImageProcessorPil(
        do_pad=True, size={"shortest_edge": size}, crop_size={"height": size, "width": size}
    )
    LlavaProcessor(
        images,
        tokenizer,
        patch_size=config.vision_config.patch_size,
        vision_feature_select_strategy=config.vision_feature_select_strategy,
        num_additional_image_tokens=1,  # CLIP's class token, which the strategy `default` drops again
        chat_template=MISTRAL_INSTRUCT,
    ).save_pretrained(folder)
