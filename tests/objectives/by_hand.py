"""Eq. 7 from scratch: each text alone in its batch, without TRL, without our collator, in the dtype of the models."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from clincot.images import decode


def text_logp(model: Any, processor: Any, row: dict[str, Any], side: int) -> torch.Tensor:
    """`side` 0 is the chosen, 1 the rejected text, each after the global image and its own crop (nats)."""
    images = [decode(row["images"][0]["bytes"]), decode(row["side_images"][side]["bytes"])]
    words = row["prompt"][0]["content"][-1]["text"]
    prompt = f"<s><|user|><image><image>{words}<|assistant|>"
    text = processor.tokenizer(row["chosen" if side == 0 else "rejected"] + "</s>", add_special_tokens=False)[
        "input_ids"
    ]
    inputs = processor(images=images, text=prompt, add_special_tokens=False, return_tensors="pt")
    ids = torch.cat((inputs["input_ids"], torch.tensor([text])), dim=1)
    logits = model(input_ids=ids, pixel_values=inputs["pixel_values"].to(model.dtype)).logits[0]
    return F.log_softmax(logits, -1)[-len(text) - 1 : -1].gather(1, torch.tensor(text)[:, None]).sum()


def required(kind: str, high: float, low: float) -> float:
    """g(s_w) - g(s_l): linear, logit of clipped scores, ODPO's log offset, none."""
    if kind == "logit":
        high, low = (min(max(score, 0.05), 0.95) for score in (high, low))
        return math.log(high / (1 - high)) - math.log(low / (1 - low))
    return {"linear": high - low, "log": math.log(high - low), "none": 0.0}[kind]


def loss_of(policy: Any, reference: Any, processor: Any, rows: list[dict[str, Any]], kind: str, beta: float) -> Any:
    """The mean of Eq. 7 over `rows`, one text after the other through two separate models."""
    total = torch.zeros((), dtype=torch.float64)
    for row in rows:
        with torch.no_grad():
            ref = [text_logp(reference, processor, row, side) for side in (0, 1)]
        logp = [text_logp(policy, processor, row, side) for side in (0, 1)]
        inner = beta * ((logp[0] - ref[0]) - (logp[1] - ref[1])) - required(
            kind, row["chosen_score"], row["rejected_score"]
        )
        total = total - row["weight"] * torch.log(1 / (1 + torch.exp(-inner))) / len(rows)
    return total
