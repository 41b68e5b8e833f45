"""A converted folder and its source -> findings: are ids, pixels and logits those of LLaVA-Med's own code?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.convert.finding import Finding, fails, ok
from clincot.convert.llava_med_plan import Plan
from clincot.convert.mistral_prompt import IMAGE, chunked

QUESTIONS = (
    "Is there a pleural effusion?",
    "What abnormality is seen in the right upper lobe?",
    "¿Hay neumonía? (sí/no)",
    "Line one\nline two:  two spaces",
)
KEY_MAPPING = {  # names of LLaVA-Med in memory: another path to the same model than the renaming that is checked
    r"^model\.vision_tower\.vision_tower\.vision_model\.": "model.vision_tower.",
    r"^model\.mm_projector\.0\.": "model.multi_modal_projector.linear_1.",
    r"^model\.mm_projector\.2\.": "model.multi_modal_projector.linear_2.",
    r"^model\.(embed_tokens|layers|norm)\.": r"model.language_model.\1.",
}


def equal_ids(folder: Path, original: Tokenizer) -> Finding:
    """Compare the ids of the processor's prompts with those that LLaVA-Med makes with its tokenizer."""
    processor: Any = LlavaProcessor.from_pretrained(folder, backend="pil")
    image = processor.tokenizer.convert_tokens_to_ids(IMAGE)
    for question in QUESTIONS:
        ids = processor.tokenizer(_prompt(processor, question), add_special_tokens=False)["input_ids"]
        if ids != chunked(original, f"[INST] {IMAGE}\n{question} [/INST]", image):
            return fails("ids", f"differ from LLaVA-Med's for {question!r}. Report this tokenizer.")
    return ok("ids", f"equal to LLaVA-Med's for {len(QUESTIONS)} questions")


def equal_pixels(folder: Path) -> Finding:
    """Compare the pixels of high and wide images with those of the same images on a square of the mean colour."""
    images: Any = LlavaProcessor.from_pretrained(folder, backend="pil").image_processor
    for size in ((70, 45), (45, 71)):
        image = _gradient(size)
        found, wanted = (images(each, return_tensors="np")["pixel_values"] for each in (image, _square(image, images)))
        if not np.array_equal(found, wanted):
            return fails("padding", "is not LLaVA-Med's square of the mean colour. Report this version.")
    return ok("padding", "images are put on a square of the mean colour, as LLaVA-Med does")


def equal_logits(folder: Path, source: Path, plan: Plan) -> Finding:
    """Load both models, one after the other, and compare the logits of one prompt, bit by bit."""
    if plan.other_tower:
        return ok("logits", "not compared: the tower is another one")
    processor: Any = LlavaProcessor.from_pretrained(folder, backend="pil")
    image = _gradient((70, 45))
    batch = processor(
        text=_prompt(processor, QUESTIONS[0]), images=image, return_tensors="pt", add_special_tokens=False
    )
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=plan.config.dtype)
    found = _logits(model, batch)[..., : plan.rows]
    del model
    config = type(plan.config).from_dict(plan.config.to_dict())
    config.text_config.vocab_size, config.text_config.pad_token_id = plan.rows, None  # its rows have no <pad>
    model = LlavaForConditionalGeneration.from_pretrained(
        source, config=config, key_mapping=KEY_MAPPING, dtype=plan.config.dtype
    )
    model.resize_token_embeddings(plan.config.text_config.vocab_size, mean_resizing=False)
    wanted = _logits(model, batch)[..., : plan.rows]
    if torch.equal(found, wanted):
        return ok("logits", f"{found.numel()} logits equal to the source's, bit by bit")
    return fails("logits", f"differ by {(found - wanted).abs().max():.2g} at most. Report this checkpoint.")


def _logits(model: Any, batch: Any) -> torch.Tensor:
    model.eval()
    with torch.inference_mode():
        logits: torch.Tensor = model(**batch.to(model.dtype)).logits.float()
    return logits


def _prompt(processor: Any, question: str) -> str:
    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
    text: str = processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
    return text


def _gradient(size: tuple[int, int]) -> Image.Image:
    """Return an image in which no two rows or columns are equal."""
    across, down = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(255, 0, size[1]))
    return Image.fromarray(np.stack([across, down, (across + down) / 2], -1).astype(np.uint8))


def _square(image: Image.Image, images: Any) -> Image.Image:
    side = max(image.size)
    square = Image.new("RGB", (side, side), tuple(int(255 * part) for part in images.image_mean))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square
