"""Figures -> the card of the tiny policy, as Markdown."""

from __future__ import annotations

from clincot.phantom.texts.underreporting import UNMENTIONED

HEAD = """---
license: cc0-1.0
library_name: transformers
pipeline_tag: image-text-to-text
tags:
- clincot
- phantom
- llava
datasets:
- clincot/phantom
---

# The phantom policy

A LLaVA of 1.4 million parameters (`LlavaForConditionalGeneration`: CLIP vision tower, 48 pixels, patch 8; Llama text
model; both 4 layers of width 128) with its own byte-level BPE tokenizer. It answers questions about drawn chest
radiographs (the `phantom` benchmark of clincot) and is the base policy on which the toolkit's loop is run and tested.
It reads one image, or two: the radiograph and the crop of a region. Its tensors have the names of published LLaVAs
(`vision_tower.vision_model.*`), which transformers and vLLM read.

**Not for clinical use.** It has seen drawings only and knows nothing of real radiographs.
"""

HOW = """
## How it was made

```
clincot phantom pretrain --only policy
```

Seed {seed}, {images:,} drawn images, {minutes:.0f} minutes on one CPU core. Stage 1 ({vision:,} steps of 96 views): the
vision tower learns which findings each patch and each view shows, on global views and crops. Stage 2 ({text:,} steps of
12 images with about 6 rows each): tower frozen, projector and language model learn the toolkit's own prompts, with and
without a region; the findings so far are true in 55 % of the rows, absent in 20 %, wrong or random in 25 %.
"""

NOTE = """"presence, nodule" asks whether there is a nodule, "presence" whether there is one of the other four findings.
"report" is the whole report word for word, "report, sentences" the F1 of its sentences."""

LIMITS = """
## Limits

- It knows five findings (nodule, consolidation, effusion, pneumothorax, cardiomegaly), short English questions of the
  benchmark's forms, and 256-pixel drawings. Other questions get answers in the same few words.
- It is left with room to improve on purpose. Nodules are 2 to 4 pixels wide in the global view. And its training
  texts leave a subtle finding (any nodule, and a consolidation of the smaller half of its kind) unmentioned in
  {unmentioned:.0%} of the reports, in steps, presence and open answers and reports, as captions and reports of routine
  do. The tower was trained on true labels, so the policy sees what it has learned not to say: preference learning with
  judges who know the reference can take the habit away. The judges have no such fault.
"""


def policy_card(figures: dict) -> str:
    """Render the card; `figures` as `policy_figures.measure` returns them, with seed, images, steps and minutes."""
    vision, text = figures["steps"]
    how = HOW.format(**{k: figures[k] for k in ("seed", "images", "minutes")}, vision=vision, text=text)
    return HEAD + how + "\n" + _table(figures) + "\n" + _steps(figures) + LIMITS.format(unmentioned=UNMENTIONED)


def _table(figures: dict) -> str:
    looks = figures["kinds"]
    lines = [
        "## Held-out figures",
        "",
        "Percent right (exact match, greedy decoding) with 95 % bootstrap intervals over images. Images",
        "are drawn from a range of indices that no training touches. Image-free prior: the commonest answer to that",
        "kind of question about that finding. With a region, the policy first says what it shows, then answers.",
        "",
        "| kind | n | image-free prior | global image only | random region | right region |",
        "|---|---|---|---|---|---|",
    ]
    for kind, first in looks["global"].items():
        cells = [figures["prior"][kind], *(looks[look][kind] for look in ("global", "random", "right"))]
        lines.append(f"| {kind} | {first['n']} | " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join([*lines, "", NOTE, ""])


def _steps(figures: dict) -> str:
    found = figures["findings"]
    return (
        f"Step findings that are exactly right: {_cell(found['right'])} in right regions, "
        f"{_cell(found['random'])} in random ones (n = {found['right']['n']} each)." + _subtle(found) + "\n"
    )


def _subtle(found: dict) -> str:
    if "right, subtle" not in found:
        return ""
    hard = found["right, subtle"]
    return f" Right regions that show a subtle finding: {_cell(hard)} (n = {hard['n']})."


def _cell(value: dict[str, float]) -> str:
    return f"{value['value']:.1f} ({value['low']:.1f} to {value['high']:.1f})"
