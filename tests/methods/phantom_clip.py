"""The phantom's policy -> a CLIP model with its image tower and a random text tower, on the same Hub."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, CLIPConfig, CLIPModel

from clincot.hub import Hub

TEXT = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def clip_of(policy: AutoModelForImageTextToText, **text: int) -> CLIPModel:
    """Return a CLIP whose image tower is the policy's, and whose text tower is random."""
    torch.manual_seed(0)
    vision = policy.config.vision_config.to_dict()
    model = CLIPModel(CLIPConfig(text_config=TEXT | text, vision_config=vision, projection_dim=8))
    state, names = policy.model.vision_tower.state_dict(), model.vision_model.state_dict()
    model.vision_model.load_state_dict({name: state.get(name, state.get(f"vision_model.{name}")) for name in names})
    return model


def put_clip(hub: Hub, repo: str = "clincot/phantom-clip") -> None:
    """Put the CLIP of the phantom's policy on `hub`."""
    base = hub.snapshot(hub.resolve("model", "clincot/phantom-policy", "main"))
    processor = AutoProcessor.from_pretrained(base)
    tokenizer = processor.tokenizer
    ends = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model = clip_of(AutoModelForImageTextToText.from_pretrained(base), vocab_size=len(tokenizer), **ends)
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        processor.image_processor.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        files = {path.name: path for path in Path(folder).iterdir()}
        hub.publish("model", repo, files, tag="v1", message="a CLIP", private=False, card=lambda raw: "# CLIP\n")
