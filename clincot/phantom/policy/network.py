"""Nothing but sizes -> a tiny LLaVA (1.4 M parameters) with its processor, and back from its saved folder."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from clincot.convert.served import name_for_servers
from clincot.errors import ModelError
from clincot.phantom.texts.tokenizer import train_tokenizer

FOLDER = Path(__file__).parents[1] / "models" / "policy"
PIXELS = 48  # a nodule is 2 to 4 of them in the global view
PATCH = 8
TOKENS = (PIXELS // PATCH) ** 2
WIDTH = 128
SPREAD = 0.08  # about width ** -0.5; at the usual 0.02 the model learned no side in 1,500 steps (50 %, chance)
MEAN, STD = (0.45, 0.45, 0.45), (0.25, 0.25, 0.25)


def new_policy(
    tokenizer: PreTrainedTokenizerFast | None = None,
) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """Build an untrained policy (default tokenizer: version 1's); torch's global generator decides its weights."""
    tokenizer = tokenizer or train_tokenizer()
    model = LlavaForConditionalGeneration(_config(tokenizer))
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.bos_token_id = tokenizer.bos_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model, _processor(tokenizer)


def save_policy(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> None:
    """Write the policy as any LLaVA is published: safetensors, configs, processor, tokenizer, chat template."""
    model.save_pretrained(folder)
    name_for_servers(folder)
    processor.save_pretrained(folder)


def load_policy(folder: Path = FOLDER) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """Read a saved policy; raises ModelError when weights are missing, which transformers only warns about."""
    model, info = LlavaForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
    if info["missing_keys"]:
        raise ModelError(f"{folder}: lacks the weights {sorted(info['missing_keys'])}. Run `clincot phantom pretrain`.")
    return model.eval(), LlavaProcessor.from_pretrained(folder, backend="pil")


def _config(tokenizer: PreTrainedTokenizerFast) -> LlavaConfig:
    vision = CLIPVisionConfig(
        image_size=PIXELS,
        patch_size=PATCH,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=4,
        num_attention_heads=4,
        projection_dim=WIDTH,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=False,
        initializer_range=SPREAD,
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=tokenizer.image_token_id,
        image_seq_length=TOKENS,
        vision_feature_layer=-1,  # the last layer: four are too few to leave one unused
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
        initializer_range=SPREAD,
    )


def _processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    images = LlavaImageProcessorPil(
        do_pad=True,  # the centre crop of CLIP would cut radiographs
        size={"shortest_edge": PIXELS},
        crop_size={"height": PIXELS, "width": PIXELS},
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    return LlavaProcessor(
        images,
        tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # CLIP's class token, which the strategy drops again
        chat_template=tokenizer.chat_template,
    )
