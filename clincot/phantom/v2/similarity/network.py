"""A policy -> an untrained CLIP whose image tower is the policy's, with a word tokenizer and the policy's processor."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from tokenizers.processors import TemplateProcessing
from transformers import CLIPConfig, CLIPModel, LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

from clincot.phantom.v2.similarity.texts import every_text

WIDTH, DIM = 64, 64
TEXT = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4}
LONGEST = 32  # words of a text
PAD, UNKNOWN, END = "<pad>", "<unk>", "<end>"


def new_similarity(policy: LlavaForConditionalGeneration) -> tuple[CLIPModel, PreTrainedTokenizerFast]:
    """Build the CLIP; torch's global generator decides the weights of its text tower and its projections.

    The image tower equals the policy's weight by weight, as `clincot.runs.models.towers` requires, and is frozen.
    """
    tokenizer = word_tokenizer()
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    text = TEXT | ends | {"vocab_size": len(tokenizer), "max_position_embeddings": LONGEST}
    vision = policy.config.vision_config.to_dict()
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=DIM))
    theirs, names = policy.model.vision_tower.state_dict(), model.vision_model.state_dict()
    found = {name: theirs.get(name, theirs.get(f"vision_model.{name}")) for name in names}
    model.vision_model.load_state_dict(found)
    model.vision_model.requires_grad_(False)
    return model, tokenizer


def word_tokenizer() -> PreTrainedTokenizerFast:
    """Build a tokenizer of the words of all texts, in lower case; every text ends in END, where CLIP reads it."""
    split = pre_tokenizers.Sequence([pre_tokenizers.Whitespace()])
    words = sorted({word for text in every_text() for word, _ in split.pre_tokenize_str(text.lower())})
    # CLIP reads a text at its highest token where the end token is 2, as in old configs: END is the last of all.
    names = [PAD, UNKNOWN, *words, END]
    tokenizer = Tokenizer(WordLevel({name: i for i, name in enumerate(names)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = split
    tokenizer.post_processor = TemplateProcessing(single=f"$A {END}", special_tokens=[(END, len(names) - 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNKNOWN, eos_token=END, model_max_length=LONGEST
    )


def save_similarity(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast, processor: LlavaProcessor, folder: Path
) -> None:
    """Write the CLIP as any is published: safetensors, config, tokenizer and the policy's image processor."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor.image_processor.save_pretrained(folder)


@torch.no_grad()
def image_states(model: CLIPModel, pixels: torch.Tensor, batch: int = 64) -> torch.Tensor:
    """Return what the projection reads of each view, (views, width), with the frozen tower."""
    parts = [model.vision_model(pixel_values=part).pooler_output for part in pixels.split(batch)]
    return torch.cat(parts)
