"""A judge's folder and held-out rows -> its expected digits, how well they rank right above wrong, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from clincot.phantom.grounder.figures import Interval, show
from clincot.phantom.judges.heads import HEAD
from clincot.phantom.judges.plan import JudgePlan
from clincot.phantom.judges.rows import RIGHT, WRONG, JudgeRow, right_wrong_pairs

DIGITS = "0123456789"
BOOTSTRAPS = 1000


@torch.no_grad()
def expected_digits(folder: Path, rows: Sequence[JudgeRow], batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Expected digit of each row and the probability mass on digits, through the ordinary Auto classes."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    places = [tokenizer.encode(digit, add_special_tokens=False)[-1] for digit in DIGITS]
    values, masses = [], []
    for start in range(0, len(rows), batch):
        chats = [row.messages for row in rows[start : start + batch]]
        texts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
        inputs = tokenizer(
            texts, return_tensors="pt", padding=True, add_special_tokens=False, return_token_type_ids=False
        )
        share = model(**inputs, logits_to_keep=1).logits[:, -1].softmax(-1)[:, places]
        masses.append(share.sum(-1))
        values.append(share @ torch.arange(10.0) / share.sum(-1))
    return torch.cat(values).numpy(), torch.cat(masses).numpy()


def judge_figures(folder: Path, rows: Sequence[JudgeRow]) -> tuple[dict[str, Any], np.ndarray]:
    """`right`, `wrong`: mean expected digit; `ranking`: pairs of a context in order, by kind too; `mass` on digits."""
    values, masses = expected_digits(folder, rows)
    with_reference = np.array([row.form != "blind" for row in rows])
    digits = np.array([row.digit for row in rows])
    figures: dict[str, Any] = {
        "right": float(values[with_reference & (digits >= RIGHT)].mean()),
        "wrong": float(values[with_reference & (digits <= WRONG)].mean()),
        "error": float(np.abs(values - digits)[with_reference].mean()),
        "mass": float(masses.mean()),
        "ranking": ranking(values, rows, right_wrong_pairs(rows)),
    }
    for kind in sorted({row.kind for row in rows}):
        pairs = [(i, j) for i, j in right_wrong_pairs(rows) if rows[i].kind == kind]
        figures[f"ranking, {kind}"] = ranking(values, rows, pairs)
    bare = [(i, j) for i, j in right_wrong_pairs(rows) if _is_bare(rows[i]) and _is_bare(rows[j])]
    figures["ranking, bare yes against no, report only"] = ranking(values, rows, bare)
    return figures, values


def _is_bare(row: JudgeRow) -> bool:
    return row.kind == "presence" and row.form == "report" and row.statement in ("yes", "no")


def ranking(values: np.ndarray, rows: Sequence[JudgeRow], pairs: Sequence[tuple[int, int]]) -> Interval:
    """Share of pairs whose right statement scores higher, with a bootstrap interval over images."""
    won = np.array([float(values[i] > values[j]) for i, j in pairs])
    images = np.array([int(rows[i].context.split("/")[0]) for i, _ in pairs])
    return _by_image(won, images)


def agreement(first: np.ndarray, second: np.ndarray, rows: Sequence[JudgeRow]) -> dict[str, Any]:
    """How alike two judges are: correlation, mean distance in digits, share of pairs that both rank alike."""
    pairs = right_wrong_pairs(rows)
    alike = np.array([float((first[i] > first[j]) == (second[i] > second[j])) for i, j in pairs])
    images = np.array([int(rows[i].context.split("/")[0]) for i, _ in pairs])
    return {
        "correlation": float(np.corrcoef(first, second)[0, 1]),
        "distance": float(np.abs(first - second).mean()),
        "same order": _by_image(alike, images),
    }


def _by_image(values: np.ndarray, images: np.ndarray) -> Interval:
    """Mean with a 95% interval; images are drawn with replacement, their pairs come along."""
    _, place = np.unique(images, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    draws = np.random.default_rng(0).integers(0, len(sums), (BOOTSTRAPS, len(sums)))
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def judge_card(plan: JudgePlan, seed: int, figures: Mapping[str, Any], alike: Mapping[str, Any]) -> str:
    """The model card of a trained judge: what it reads, how it was made, how well it ranks."""
    rows = "\n".join(f"| {name} | {show(value)} |" for name, value in figures.items() if name.startswith("ranking"))
    numbers = ", ".join(f"{key} {value}" for key, value in asdict(plan).items() if key not in ("name", "held_out"))
    return f"""---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags: [clincot, phantom, judge]
---
# Phantom {plan.name}

A tiny Llama that reads a question about a drawn chest phantom, a reference (report, answer, both, or nothing), the
findings so far and a statement, and replies with one digit from 0 (wrong) to 9 (right). It never sees an image and
knows no medicine beyond the phantom world: not for clinical use.

9 or 8: supported and on the question; 3 to 5: true but no help, or half of the answer; 0 to 2: contradicted, invented,
or no statement. Without a reference it stays between 2 and 7.

## Made by

    clincot phantom pretrain --only judges

Trained from scratch on generated rows, world {seed}: {numbers}. `shift` is the share of digits moved by one, `flip` the
share turned into their opposite: noise on purpose, so that the two judges sometimes disagree.

Its heads of {plan.width // plan.heads} numbers are stored with zeros up to {HEAD}: vLLM's attention on CPUs takes
no narrower ones. Ratings are those of the trained heads, but for rounding.

## Held-out figures

Rows of {plan.held_out} other phantoms, read as expected digit. Right: digit {RIGHT} or more; wrong: {WRONG} or less.

| | |
|---|---|
| mean expected digit, right statements | {figures["right"]:.2f} |
| mean expected digit, wrong statements | {figures["wrong"]:.2f} |
| mean distance from the rubric's digit | {figures["error"]:.2f} |
| probability mass on digits | {figures["mass"]:.4f} |
| correlation with the other judge | {alike["correlation"]:.3f} |
| mean distance from the other judge, digits | {alike["distance"]:.2f} |
| pairs that both judges order alike | {show(alike["same order"])} |

Right above wrong in the same context (95% bootstrap intervals over images):

| pairs | share in order |
|---|---|
{rows}

## Use

    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained("FOLDER OR REPOSITORY")
    model = AutoModelForCausalLM.from_pretrained("FOLDER OR REPOSITORY")
"""
