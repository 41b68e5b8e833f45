"""The published sizes of the paper's models -> folders that hold a config.json each, and no weights."""

from __future__ import annotations

from pathlib import Path

from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig, LlamaConfig, LlavaConfig, MistralConfig

SIZES = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
SIZES |= {"num_key_value_heads": 8}
TOWER = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}


def paper_configs(folder: Path) -> dict[str, Path]:
    """Write LLaVA-Med 1.5 (Mistral-7B, CLIP-L/336), the whole CLIP, Llama-3-8B and Mistral-7B; return their folders."""
    text = MistralConfig(vocab_size=32064, sliding_window=None, **SIZES)
    vision = CLIPVisionConfig(image_size=336, patch_size=14, **TOWER)
    made = {
        "policy": LlavaConfig(text_config=text, vision_config=vision, image_seq_length=576, dtype="bfloat16"),
        "judge-1": LlamaConfig(vocab_size=128256, dtype="bfloat16", **SIZES),
        "similarity": CLIPConfig(
            text_config=CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_attention_heads=12).to_dict(),
            vision_config=vision.to_dict(),
            projection_dim=768,
        ),
        "judge-2": MistralConfig(vocab_size=32000, sliding_window=None, dtype="bfloat16", **SIZES),
    }
    for name, config in made.items():
        config.save_pretrained(folder / name)
    return {name: folder / name for name in made}


def overrides(folders: dict[str, Path]) -> list[str]:
    """Return the overrides that put these folders into a setting; the proposer becomes one without a model."""
    judges = ", ".join(f"{{repo: {folders[name]}}}" for name in ("judge-1", "judge-2"))
    proposer = ["models.proposer.repo=", "models.proposer.kind=grid"]
    return [f"models.policy.repo={folders['policy']}", f"models.judges=[{judges}]", *proposer]
