"""A geometry in tokens -> a LLaVA with random weights whose prompts and responses have its proportions.

The proportions are those of a 7B LLaVA with 336-pixel images, 576 image tokens : 35 of template : 60 of question and
instruction : 100 of response, divided by 5.76.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from clincot.chain.prompts import ANSWER_WITH_REGION, SHOW_FINDING

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<image>", "<|user|>", "<|assistant|>"]
SYSTEM = "sys-0 sys-1 sys-2"
TEMPLATE = (
    "{{ '<s> " + SYSTEM + " <|user|>' }}{% for b in messages[0]['content'] %}"
    "{% if b['type'] == 'image' %}{{ '<image>' }}{% else %}{{ ' ' + b['text'] }}{% endif %}{% endfor %}"
    "{{ ' <|assistant|>' }}"
)
PIXELS, PATCH = 40, 4


@dataclass(frozen=True)
class Geometry:
    """Tokens of one image, the template, question with instruction, and a response."""

    image: int = (PIXELS // PATCH) ** 2
    template: int = 6
    question: int = 10
    response: int = 17

    @property
    def prompt(self) -> int:
        return 2 * self.image + self.template + self.question


# What the product's prompts say in many words, in as few tokens as the scale leaves for it.
SHORT = {SHOW_FINDING: "show-0 show-1 show-2", ANSWER_WITH_REGION: "say-0 say-1 say-2", "Findings so far:": "so-far"}


def tokenizer(words: list[str], size: int) -> PreTrainedTokenizerFast:
    """One token per word, so that a text read back has as many tokens as were written."""
    named = [*SPECIAL, *SYSTEM.split(), *(w for text in SHORT.values() for w in text.split()), *words]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(named))}
    vocabulary |= {f"w{i}": i for i in range(len(vocabulary), size)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Replace(long, short) for long, short in SHORT.items()])
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>", "user": "<|user|>", "assistant": "<|assistant|>"},
        chat_template=TEMPLATE,
    )


def scaled_policy(folder: Path, words: list[str], *, width: int, layers: int, seed: int = 0) -> Path:
    """Save the model to `folder`; `words` are those of the questions."""
    torch.manual_seed(seed)
    words_of = tokenizer(words, 1000)
    ids = {
        "pad_token_id": words_of.pad_token_id,
        "bos_token_id": words_of.bos_token_id,
        "eos_token_id": words_of.eos_token_id,
    }
    text = LlamaConfig(
        vocab_size=len(words_of),
        hidden_size=width,
        intermediate_size=width * 7 // 2,  # as Mistral, and so are its 4 query heads per key head
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=2 * width**-0.5,  # at the usual 0.02 every image and question gets the same words
        tie_word_embeddings=False,
        **ids,
    )
    # The tower costs about 4 % of the language model's reading, as CLIP-L/336 does at 7B.
    vision = CLIPVisionConfig(
        image_size=PIXELS,
        patch_size=PATCH,
        hidden_size=width // 4,
        intermediate_size=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
    )
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision,
            text_config=text,
            image_token_id=words_of.convert_tokens_to_ids("<image>"),
            image_seq_length=Geometry().image,
            tie_word_embeddings=False,
        )
    )
    for name, value in ids.items():
        setattr(model.generation_config, name, value)
    processor = llava_processor(words_of, PIXELS, PATCH, TEMPLATE)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def llava_processor(words: PreTrainedTokenizerFast, pixels: int, patch: int, template: str) -> LlavaProcessor:
    """Return a processor that pads images to a square of `pixels`, for a tower with a class token."""
    square = {"shortest_edge": pixels}, {"height": pixels, "width": pixels}
    return LlavaProcessor(
        LlavaImageProcessorPil(do_pad=True, size=square[0], crop_size=square[1]),
        words,
        patch_size=patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )
