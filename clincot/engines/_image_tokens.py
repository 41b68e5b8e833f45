"""A processor with its chat template -> how many tokens an image takes in a prompt."""

from __future__ import annotations

from typing import Any

from PIL import Image

SIZE = (64, 64)  # of an image that is shown


def image_tokens(policy: Any) -> int:
    """Return how many tokens a small image takes in a prompt; of a policy or what else reads as it does."""
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}]
    text: str = policy.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    if text.count(policy.image_token) != 1:
        return text.count(policy.image_token)
    image = Image.new("RGB", SIZE)
    read = policy.processor(images=[[image]], text=[text], return_tensors="pt", add_special_tokens=False)
    # A processor may put marks, line breaks and columns around the tokens that features fill.
    return read["input_ids"].shape[1] - len(policy.tokenizer(text, add_special_tokens=False)["input_ids"]) + 1
