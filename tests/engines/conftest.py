"""A tiny policy with an adapter, two engines over it (shared trunks and plain), and requests about made-up images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText

from clincot.chain.prompts import direct_messages, finding_messages
from clincot.engines.transformers import TransformersEngine
from clincot.lm.requests import GenerateRequest
from tests.tiny import tiny_judge, tiny_policy

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_judge(tmp_path_factory.mktemp("judge"))


@pytest.fixture(scope="session")
def adapter_folder(policy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    base = AutoModelForImageTextToText.from_pretrained(policy_folder)
    skip = r".*(vision_tower|multi_modal_projector).*"
    model = get_peft_model(
        base, LoraConfig(r=4, target_modules="all-linear", exclude_modules=skip, init_lora_weights=False)
    )
    folder = tmp_path_factory.mktemp("adapter")
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def shared(policy_folder: Path) -> TransformersEngine:
    return TransformersEngine.from_pretrained(policy_folder, batch_size=4)


@pytest.fixture
def plain(policy_folder: Path) -> TransformersEngine:
    return TransformersEngine.from_pretrained(policy_folder, batch_size=4, share=False)


def picture(seed: int, size: tuple[int, int] = (40, 32)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise)


def requests(temperature: float, top_p: float = 1.0, tokens: int = 8) -> list[GenerateRequest]:
    """Two images with three regions each, two questions, one of them behind findings, and a direct question."""
    made = []
    for image in range(2):
        whole = picture(image)
        for region in range(3):
            crop = picture(10 * image + region + 100, (20, 30))
            for findings in ((), ("The local image shows an effusion.",)):
                messages = tuple(finding_messages(f"Is there a nodule {region}?", findings))
                made.append(GenerateRequest(messages, (whole, crop), len(made), temperature, top_p, tokens))
        messages = tuple(direct_messages("Is there an effusion in the left lung?"))
        made.append(GenerateRequest(messages, (whole,), len(made), temperature, top_p, tokens - 3))
    return made
