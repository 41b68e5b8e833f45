"""A model and one side of a row -> its log-probability, alone in its batch, without TRL and without our collator."""

from __future__ import annotations

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
