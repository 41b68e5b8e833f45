"""A seed -> a folder as LLaVA-Med's authors publish theirs, with random weights and a small Mistral tokenizer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

WIDTH, INNER, LAYERS, HEADS, KEYS = 64, 96, 2, 4, 2
TOWER_WIDTH, TOWER_INNER, TOWER_LAYERS, PATCH, SIDE = 128, 64, 3, 8, 4
MISTRAL_ROWS = 32_000
TEXTS = [
    "[INST] Is there a nodule in the left lung? [/INST] Yes.",
    "What does the local image show? An effusion.",
    "Answer the question based on the image. State in one sentence what the local image shows.",
]


def tokenizer() -> Tokenizer:
    """Train a byte-fallback BPE with Mistral's pieces for spaces, in the form of tokenizer.json that Mistral has."""
    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = [AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")]
    pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[*special, *pieces], show_progress=False)
    made.train_from_iterator(TEXTS, trainer)
    content = json.loads(made.to_str())
    # Bytes are pieces of the vocabulary in Mistral's file, no added tokens.
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] not in pieces]
    return Tokenizer.from_str(json.dumps(content))


def config(rows: int) -> dict[str, object]:
    """Return LLaVA-Med's config.json, in small."""
    return {
        "architectures": ["LlavaMistralForCausalLM"],
        "model_type": "llava_mistral",
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "freeze_mm_mlp_adapter": False,
        "hidden_act": "silu",
        "hidden_size": WIDTH,
        "image_aspect_ratio": "pad",
        "initializer_range": 0.02,
        "intermediate_size": INNER,
        "max_position_embeddings": 4096,
        "mm_hidden_size": TOWER_WIDTH,
        "mm_projector_type": "mlp2x_gelu",
        "mm_use_im_patch_token": False,
        "mm_use_im_start_end": False,
        "mm_vision_select_feature": "patch",
        "mm_vision_select_layer": -2,
        "mm_vision_tower": "openai/clip-vit-large-patch14-336",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": KEYS,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "sliding_window": None,
        "tie_word_embeddings": False,
        "tokenizer_model_max_length": 2048,
        "tokenizer_padding_side": "right",
        "torch_dtype": "float32",
        "use_mm_proj": True,
        "vocab_size": rows,
    }


def shapes(rows: int) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of every tensor in LLaVA-Med's layout."""
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (rows, WIDTH)}
    keys = KEYS * WIDTH // HEADS
    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        for part, height in (("q", WIDTH), ("k", keys), ("v", keys), ("o", WIDTH)):
            found[f"{layer}.self_attn.{part}_proj.weight"] = (height, WIDTH)
        found |= {f"{layer}.mlp.{part}_proj.weight": (INNER, WIDTH) for part in ("gate", "up")}
        found[f"{layer}.mlp.down_proj.weight"] = (WIDTH, INNER)
        found |= {f"{layer}.{part}_layernorm.weight": (WIDTH,) for part in ("input", "post_attention")}
    found |= {"model.norm.weight": (WIDTH,), "lm_head.weight": (rows, WIDTH), "model.image_newline": (WIDTH,)}
    for part, width in (("0", TOWER_WIDTH), ("2", WIDTH)):
        found |= {f"model.mm_projector.{part}.weight": (WIDTH, width), f"model.mm_projector.{part}.bias": (WIDTH,)}
    return found | {f"model.vision_tower.vision_tower.{name}": shape for name, shape in tower_shapes().items()}


def tower_shapes() -> dict[str, tuple[int, ...]]:
    """Return name -> shape of every tensor in CLIP's vision tower."""
    wide = (TOWER_WIDTH,)
    found: dict[str, tuple[int, ...]] = {
        "embeddings.class_embedding": wide,
        "embeddings.patch_embedding.weight": (TOWER_WIDTH, 3, PATCH, PATCH),
        "embeddings.position_embedding.weight": (SIDE**2 + 1, TOWER_WIDTH),
    }
    square = (TOWER_WIDTH, TOWER_WIDTH)
    for number in range(TOWER_LAYERS):
        layer = f"encoder.layers.{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found |= {f"{layer}.self_attn.{part}.weight": square, f"{layer}.self_attn.{part}.bias": wide}
        found |= {f"{layer}.mlp.fc1.weight": (TOWER_INNER, TOWER_WIDTH), f"{layer}.mlp.fc1.bias": (TOWER_INNER,)}
        found |= {f"{layer}.mlp.fc2.weight": (TOWER_WIDTH, TOWER_INNER), f"{layer}.mlp.fc2.bias": wide}
        for part in ("layer_norm1", "layer_norm2"):
            found |= {f"{layer}.{part}.weight": wide, f"{layer}.{part}.bias": wide}
    for part in ("pre_layrnorm", "post_layernorm"):
        found |= {f"{part}.weight": wide, f"{part}.bias": wide}
    return {f"vision_model.{name}": shape for name, shape in found.items()}


def weights(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, torch.Tensor]:
    """Draw random weights; those of norms lie about 1."""
    drawn = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=drawn) * 0.1 + ("norm" in name and name.endswith("weight"))
        for name, shape in shapes.items()
    }


def write(folder: Path, parts: int = 2, vocabulary: Path | None = None) -> dict[str, torch.Tensor]:
    """Write a checkpoint to `folder` in so many files, and return its weights by LLaVA-Med's names.

    `vocabulary`: a SentencePiece model of Mistral's 32,000 pieces, in place of a small tokenizer.
    """
    folder.mkdir(parents=True)
    rows = MISTRAL_ROWS
    if vocabulary is None:
        made = tokenizer()
        made.save(str(folder / "tokenizer.json"))
        rows = made.get_vocab_size()
    else:
        shutil.copyfile(vocabulary, folder / "tokenizer.model")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer"}))
    (folder / "config.json").write_text(json.dumps(config(rows)), encoding="utf-8")
    drawn = weights(shapes(rows))
    names = list(drawn)
    places = {}
    for number in range(parts):
        file = f"model-{number + 1:05d}-of-{parts:05d}.safetensors"
        mine = names[number::parts]
        save_file({name: drawn[name].contiguous() for name in mine}, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(mine, file)
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return drawn


def write_tower(folder: Path, seed: int = 1) -> dict[str, torch.Tensor]:
    """Write a stock CLIP tower of the same size to `folder`, and return its weights."""
    folder.mkdir(parents=True)
    content = {
        "model_type": "clip_vision_model",
        "hidden_size": TOWER_WIDTH,
        "intermediate_size": TOWER_INNER,
        "num_hidden_layers": TOWER_LAYERS,
        "num_attention_heads": 2,
        "image_size": SIDE * PATCH,
        "patch_size": PATCH,
    }
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    drawn = weights(tower_shapes(), seed)
    save_file(drawn, folder / "model.safetensors", metadata={"format": "pt"})
    return drawn
